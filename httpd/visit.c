/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/visit.h"

extern module AP_MODULE_DECLARE_DATA signed_session_module;

request_rec *ss_visit_root(const request_rec *r)
{
    for (;;) {
        if (r->prev != NULL) {
            r = r->prev;
        }
        else if (r->main != NULL) {
            r = r->main;
        }
        else {
            return (request_rec *)r;
        }
    }
}

static void load(ss_visit_t *visit)
{
    const ss_sealing_t *how = &visit->conf->sealing;
    const char *header = visit->cookie_header != NULL
                             ? visit->cookie_header
                             : apr_table_get(visit->root->headers_in, "Cookie");
    ss_candidates_t candidates;

    visit->loaded = 1;
    ss_candidates_find(&candidates, header, how);
    visit->cookies = candidates.count;
    visit->companions = candidates.companion_count;
    visit->state = ss_format_open(&visit->session, &visit->from, &candidates, how, visit->now,
                                  visit->root->pool);
    if (visit->state != SS_VALID) {
        visit->session = ss_session_create(visit->root->pool);
        if (visit->state != SS_NONE) {
            ss_log(visit->root, APLOG_DEBUG, "SS0203",
                   "the client's session cookie was refused: %s", ss_state_name(visit->state));
        }
    }
    visit->written_generation = ss_session_generation(visit->session);
}

static ss_visit_t *object_of(const request_rec *root)
{
    /* a request that could not even be read has no configuration */
    return root->request_config == NULL
               ? NULL
               : ap_get_module_config(root->request_config, &signed_session_module);
}

static ss_visit_t *create(request_rec *root)
{
    ss_visit_t *visit = apr_pcalloc(root->pool, sizeof(*visit));

    visit->root = root;
    visit->conf = ss_server_conf(root->server);
    visit->now = root->request_time;
    ap_set_module_config(root->request_config, &signed_session_module, visit);
    return visit;
}

ss_visit_t *ss_visit_find(const request_rec *r)
{
    return object_of(ss_visit_root(r));
}

ss_visit_t *ss_visit_of(request_rec *r)
{
    request_rec *root = ss_visit_root(r);
    ss_visit_t *visit = object_of(root);

    return visit != NULL ? visit : create(root);
}

ss_visit_t *ss_visit_peek(const request_rec *r)
{
    ss_visit_t *visit = ss_visit_find(r);

    return visit != NULL && visit->loaded ? visit : NULL;
}

ss_visit_t *ss_visit_get(request_rec *r)
{
    request_rec *root = ss_visit_root(r);
    ss_visit_t *visit = object_of(root);

    if (visit != NULL && visit->loaded) {
        return visit;
    }
    if (ss_server_conf(root->server)->sealing.seals == NULL) {
        return NULL;
    }
    if (visit == NULL) {
        visit = create(root);
    }
    load(visit);
    return visit;
}

int ss_visit_may_change(const request_rec *r)
{
    return ss_dir_conf(r)->mode == SS_ON;
}

int ss_visit_would_tag(const ss_visit_t *visit, ss_session_t *draft, ss_bytes_t input)
{
    if (!(ss_sealing_written(&visit->conf->sealing)->traits & SS_FORMAT_TAGGED)) {
        return 0;
    }
    return (input.data != NULL && ss_json_has_tag(input)) ||
           ss_json_adds_tag(ss_session_text(visit->session), ss_session_text(draft),
                            visit->root->pool);
}

int ss_visit_has_session(ss_visit_t *visit)
{
    return !ss_session_is_empty(visit->session) ||
           (visit->state == SS_VALID && !visit->ended && !ss_session_is_changed(visit->session));
}

static void remember(ss_visit_t *visit, const ss_change_t *change)
{
    apr_pool_t *pool = visit->root->pool;

    if (visit->changes == NULL) {
        visit->changes = apr_array_make(pool, 1, sizeof(ss_change_t));
    }
    APR_ARRAY_PUSH(visit->changes, ss_change_t) = ss_change_copy(change, pool);
    if (change->kind == SS_CHANGE_END) {
        visit->ended = 1;
        visit->sealed = 0;
    }
}

void ss_visit_begin_rules(ss_visit_t *visit)
{
    ss_visit_undo_rules(visit);
    visit->unruled = ss_session_copy(visit->session, visit->root->pool);
    visit->unruled_changes = visit->changes == NULL ? 0 : visit->changes->nelts;
    visit->unruled_ended = visit->ended;
    visit->ruling = 1;
}

void ss_visit_end_rules(ss_visit_t *visit)
{
    visit->ruling = 0;
}

void ss_visit_undo_rules(ss_visit_t *visit)
{
    if (visit->unruled == NULL || visit->ruling) {
        return;
    }
    ss_visit_replace(visit, visit->unruled);
    if (visit->changes != NULL) {
        visit->changes->nelts = visit->unruled_changes;
    }
    visit->ended = visit->unruled_ended;
    visit->unruled = NULL;
}

int ss_visit_change(ss_visit_t *visit, const ss_change_t *change)
{
    ss_visit_undo_rules(visit);
    if (!ss_change_make(visit->session, change)) {
        return 0;
    }
    remember(visit, change);
    return 1;
}

void ss_visit_accept(ss_visit_t *visit, ss_session_t *session, const ss_change_t *change)
{
    ss_visit_undo_rules(visit);
    ss_visit_replace(visit, session);
    remember(visit, change);
}

void ss_visit_begin_anew(ss_visit_t *visit)
{
    ss_session_clear(visit->session);
    if (visit->changes != NULL) {
        ss_change_make_all(visit->session, visit->changes);
    }
    visit->ended = 1;
    visit->sealed = 0;
}

void ss_visit_replace(ss_visit_t *visit, ss_session_t *session)
{
    visit->session = session;
    visit->sealed = 0;
}

void ss_visit_revert(ss_visit_t *visit)
{
    ss_visit_undo_rules(visit);
    ss_session_revert(visit->session);
    visit->written_generation = ss_session_generation(visit->session);
    visit->changes = NULL;
    visit->ended = 0;
    visit->untouched = 1;
    visit->may_renew = 0;
    visit->sealed = 0;
}

static int is_https(const ss_visit_t *visit)
{
    return strcmp(ap_http_scheme(visit->root), "https") == 0;
}

/* The companion looks in every way like our cookie. */
static ss_cookie_t companion_of(const ss_visit_t *visit)
{
    ss_cookie_t companion = visit->conf->cookie;

    companion.name = visit->conf->sealing.companion_name;
    return companion;
}

static void print_deletion(ss_visit_t *visit)
{
    apr_pool_t *pool = visit->root->pool;

    visit->set_cookie = ss_cookie_print_deletion(&visit->conf->cookie, is_https(visit), pool);
    if (visit->companions > 0) {
        ss_cookie_t companion = companion_of(visit);

        visit->set_companion = ss_cookie_print_deletion(&companion, is_https(visit), pool);
    }
}

/* After a migration away from a format with two cookies its companion goes with the first write. */
static void print_cookie(ss_visit_t *visit, const ss_sealed_t *sealed, apr_int64_t max_age)
{
    apr_pool_t *pool = visit->root->pool;
    ss_cookie_t companion = companion_of(visit);

    visit->set_cookie =
        ss_cookie_print(&visit->conf->cookie, sealed->value, max_age, is_https(visit), pool);
    if (sealed->companion.data != NULL) {
        visit->set_companion =
            ss_cookie_print(&companion, sealed->companion, max_age, is_https(visit), pool);
    }
    else if (visit->companions > 0) {
        visit->set_companion = ss_cookie_print_deletion(&companion, is_https(visit), pool);
    }
}

/* What the response must carry; the session decides, nothing is remembered here. */
static apr_status_t print(ss_visit_t *visit)
{
    const ss_sealing_t *how = &visit->conf->sealing;
    int changed = ss_session_is_changed(visit->session);
    ss_sealed_t sealed;
    ss_stamp_t stamp;
    apr_status_t rv;

    visit->set_cookie = visit->set_companion = NULL;
    if (ss_session_is_empty(visit->session)) {
        if ((changed || visit->ended) && visit->cookies + visit->companions > 0) {
            print_deletion(visit);
        }
        return APR_SUCCESS;
    }
    if (!changed && !visit->may_renew) {
        return APR_SUCCESS;
    }
    rv = ss_format_seal(&sealed, &stamp, &visit->over, visit->session, how, visit->now,
                        visit->root->pool);
    if (rv == APR_SUCCESS) {
        print_cookie(visit, &sealed, ss_format_max_age(visit->session, &stamp, how, visit->now));
    }
    return rv;
}

apr_status_t ss_visit_seal(ss_visit_t *visit, const char **set_cookie)
{
    apr_status_t rv = APR_SUCCESS;

    if (!visit->sealed || visit->sealed_generation != ss_session_generation(visit->session)) {
        rv = print(visit);
        visit->sealed = rv == APR_SUCCESS;
        visit->sealed_generation = ss_session_generation(visit->session);
    }
    *set_cookie = visit->set_cookie;
    return rv;
}
