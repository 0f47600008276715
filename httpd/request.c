/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/request.h"

extern module AP_MODULE_DECLARE_DATA signed_session_module;

request_rec *ss_request_root(const request_rec *r)
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

static void load(ss_request_t *req)
{
    const ss_sealing_t *how = &req->conf->sealing;
    const char *header = req->cookie_header != NULL
                             ? req->cookie_header
                             : apr_table_get(req->root->headers_in, "Cookie");
    ss_candidates_t candidates;

    req->loaded = 1;
    ss_candidates_find(&candidates, header, how);
    req->cookies = candidates.count;
    req->companions = candidates.companion_count;
    req->state =
        ss_format_open(&req->session, &req->from, &candidates, how, req->now, req->root->pool);
    if (req->state != SS_VALID) {
        req->session = ss_session_create(req->root->pool);
        if (req->state != SS_NONE) {
            ss_log(req->root, APLOG_DEBUG, "SS0203", "the client's session cookie was refused: %s",
                   ss_state_name(req->state));
        }
    }
    req->written_generation = ss_session_generation(req->session);
}

static ss_request_t *object_of(const request_rec *root)
{
    /* a request that could not even be read has no configuration */
    return root->request_config == NULL
               ? NULL
               : ap_get_module_config(root->request_config, &signed_session_module);
}

static ss_request_t *create(request_rec *root)
{
    ss_request_t *req = apr_pcalloc(root->pool, sizeof(*req));

    req->root = root;
    req->conf = ss_server_conf(root->server);
    req->now = root->request_time;
    ap_set_module_config(root->request_config, &signed_session_module, req);
    return req;
}

ss_request_t *ss_request_find(const request_rec *r)
{
    return object_of(ss_request_root(r));
}

ss_request_t *ss_request_of(request_rec *r)
{
    request_rec *root = ss_request_root(r);
    ss_request_t *req = object_of(root);

    return req != NULL ? req : create(root);
}

ss_request_t *ss_request_peek(const request_rec *r)
{
    ss_request_t *req = ss_request_find(r);

    return req != NULL && req->loaded ? req : NULL;
}

ss_request_t *ss_request_get(request_rec *r)
{
    request_rec *root = ss_request_root(r);
    ss_request_t *req = object_of(root);

    if (req != NULL && req->loaded) {
        return req;
    }
    if (ss_server_conf(root->server)->sealing.seals == NULL) {
        return NULL;
    }
    if (req == NULL) {
        req = create(root);
    }
    load(req);
    return req;
}

int ss_request_may_change(const request_rec *r)
{
    return ss_dir_conf(r)->mode == SS_ON;
}

int ss_request_would_tag(const ss_request_t *req, ss_session_t *draft, ss_bytes_t input)
{
    if (!(ss_sealing_written(&req->conf->sealing)->traits & SS_FORMAT_TAGGED)) {
        return 0;
    }
    return (input.data != NULL && ss_json_has_tag(input)) ||
           ss_json_adds_tag(ss_session_text(req->session), ss_session_text(draft), req->root->pool);
}

int ss_request_has_session(ss_request_t *req)
{
    return !ss_session_is_empty(req->session) ||
           (req->state == SS_VALID && !req->ended && !ss_session_is_changed(req->session));
}

static void remember(ss_request_t *req, const ss_change_t *change)
{
    apr_pool_t *pool = req->root->pool;

    if (req->changes == NULL) {
        req->changes = apr_array_make(pool, 1, sizeof(ss_change_t));
    }
    APR_ARRAY_PUSH(req->changes, ss_change_t) = ss_change_copy(change, pool);
    if (change->kind == SS_CHANGE_END) {
        req->ended = 1;
        req->sealed = 0;
    }
}

void ss_request_begin_rules(ss_request_t *req)
{
    ss_request_undo_rules(req);
    req->unruled = ss_session_copy(req->session, req->root->pool);
    req->unruled_changes = req->changes == NULL ? 0 : req->changes->nelts;
    req->unruled_ended = req->ended;
    req->ruling = 1;
}

void ss_request_end_rules(ss_request_t *req)
{
    req->ruling = 0;
}

void ss_request_undo_rules(ss_request_t *req)
{
    if (req->unruled == NULL || req->ruling) {
        return;
    }
    ss_request_replace(req, req->unruled);
    if (req->changes != NULL) {
        req->changes->nelts = req->unruled_changes;
    }
    req->ended = req->unruled_ended;
    req->unruled = NULL;
}

int ss_request_change(ss_request_t *req, const ss_change_t *change)
{
    ss_request_undo_rules(req);
    if (!ss_change_make(req->session, change)) {
        return 0;
    }
    remember(req, change);
    return 1;
}

void ss_request_accept(ss_request_t *req, ss_session_t *session, const ss_change_t *change)
{
    ss_request_undo_rules(req);
    ss_request_replace(req, session);
    remember(req, change);
}

void ss_request_begin_anew(ss_request_t *req)
{
    ss_session_clear(req->session);
    if (req->changes != NULL) {
        ss_change_make_all(req->session, req->changes);
    }
    req->ended = 1;
    req->sealed = 0;
}

void ss_request_replace(ss_request_t *req, ss_session_t *session)
{
    req->session = session;
    req->sealed = 0;
}

void ss_request_revert(ss_request_t *req)
{
    ss_request_undo_rules(req);
    ss_session_revert(req->session);
    req->written_generation = ss_session_generation(req->session);
    req->changes = NULL;
    req->ended = 0;
    req->untouched = 1;
    req->may_renew = 0;
    req->sealed = 0;
}

static int is_https(const ss_request_t *req)
{
    return strcmp(ap_http_scheme(req->root), "https") == 0;
}

/* The companion looks in every way like our cookie. */
static ss_cookie_t companion_of(const ss_request_t *req)
{
    ss_cookie_t companion = req->conf->cookie;

    companion.name = req->conf->sealing.companion_name;
    return companion;
}

static void print_deletion(ss_request_t *req)
{
    apr_pool_t *pool = req->root->pool;

    req->set_cookie = ss_cookie_print_deletion(&req->conf->cookie, is_https(req), pool);
    if (req->companions > 0) {
        ss_cookie_t companion = companion_of(req);

        req->set_companion = ss_cookie_print_deletion(&companion, is_https(req), pool);
    }
}

/* After a migration away from a format with two cookies its companion goes with the first write. */
static void print_cookie(ss_request_t *req, const ss_sealed_t *sealed, apr_int64_t max_age)
{
    apr_pool_t *pool = req->root->pool;
    ss_cookie_t companion = companion_of(req);

    req->set_cookie =
        ss_cookie_print(&req->conf->cookie, sealed->value, max_age, is_https(req), pool);
    if (sealed->companion.data != NULL) {
        req->set_companion =
            ss_cookie_print(&companion, sealed->companion, max_age, is_https(req), pool);
    }
    else if (req->companions > 0) {
        req->set_companion = ss_cookie_print_deletion(&companion, is_https(req), pool);
    }
}

/* What the response must carry; the session decides, nothing is remembered here. */
static apr_status_t print(ss_request_t *req)
{
    const ss_sealing_t *how = &req->conf->sealing;
    int changed = ss_session_is_changed(req->session);
    ss_sealed_t sealed;
    ss_stamp_t stamp;
    apr_status_t rv;

    req->set_cookie = req->set_companion = NULL;
    if (ss_session_is_empty(req->session)) {
        if ((changed || req->ended) && req->cookies + req->companions > 0) {
            print_deletion(req);
        }
        return APR_SUCCESS;
    }
    if (!changed && !req->may_renew) {
        return APR_SUCCESS;
    }
    rv = ss_format_seal(&sealed, &stamp, &req->over, req->session, how, req->now, req->root->pool);
    if (rv == APR_SUCCESS) {
        print_cookie(req, &sealed, ss_format_max_age(req->session, &stamp, how, req->now));
    }
    return rv;
}

apr_status_t ss_request_seal(ss_request_t *req, const char **set_cookie)
{
    apr_status_t rv = APR_SUCCESS;

    if (!req->sealed || req->sealed_generation != ss_session_generation(req->session)) {
        rv = print(req);
        req->sealed = rv == APR_SUCCESS;
        req->sealed_generation = ss_session_generation(req->session);
    }
    *set_cookie = req->set_cookie;
    return rv;
}
