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

static ss_step_t *step_of(const request_rec *r)
{
    /* a request that could not even be read has no configuration */
    return r->request_config == NULL
               ? NULL
               : ap_get_module_config(r->request_config, &signed_session_module);
}

ss_step_t *ss_visit_step(request_rec *r)
{
    ss_step_t *step = step_of(r);

    if (step == NULL) {
        step = apr_pcalloc(r->pool, sizeof(*step));
        if (r->request_config != NULL) {
            ap_set_module_config(r->request_config, &signed_session_module, step);
        }
    }
    return step;
}

static void load(ss_visit_t *visit)
{
    const ss_sealing_t *how = &visit->conf->sealing;
    ss_candidates_t candidates;

    ss_sealing_find(&candidates, visit->header, how);
    visit->cookies = candidates.came;
    visit->companions = candidates.companion_count;
    visit->state = ss_sealing_open(&visit->opened, &candidates, how, visit->now, visit->root->pool);
    if (visit->state != SS_VALID) {
        visit->opened.session = ss_sealing_create(how, visit->root->pool);
        if (visit->state != SS_NONE) {
            ss_log(visit->root, APLOG_DEBUG, "SS0203",
                   "the client's session cookie was refused: %s", ss_state_name(visit->state));
        }
    }
    visit->draft = ss_draft_create(visit->opened.session, ss_bytes_of(visit->conf->subject),
                                   visit->root->pool);
}

const ss_dir_conf_t *ss_visit_place_left(const request_rec *r)
{
    const ss_step_t *step = step_of(r);

    return step == NULL || step->place == NULL || step->place == r->per_dir_config
               ? NULL
               : ap_get_module_config(step->place, &signed_session_module);
}

int ss_visit_any_place(request_rec *r, ss_place_fn *holds)
{
    const ss_dir_conf_t *left = ss_visit_place_left(r);

    return holds(ss_dir_conf(r)) || (left != NULL && holds(left));
}

static ss_visit_t *visit_of(const request_rec *root)
{
    const ss_step_t *step = step_of(root);

    return step == NULL ? NULL : step->visit;
}

static ss_visit_t *create(request_rec *root)
{
    ss_visit_t *visit = apr_pcalloc(root->pool, sizeof(*visit));

    visit->root = root;
    visit->conf = ss_server_conf(root->server);
    visit->now = root->request_time;
    visit->header = apr_table_get(root->headers_in, "Cookie");
    ss_visit_step(root)->visit = visit;
    return visit;
}

ss_visit_t *ss_visit_known(const request_rec *r)
{
    return visit_of(ss_visit_root(r));
}

ss_visit_t *ss_visit_begin(request_rec *r)
{
    request_rec *root = ss_visit_root(r);
    ss_visit_t *visit = visit_of(root);

    return visit != NULL ? visit : create(root);
}

ss_visit_t *ss_visit_loaded(const request_rec *r)
{
    ss_visit_t *visit = ss_visit_known(r);

    return visit != NULL && visit->draft != NULL ? visit : NULL;
}

ss_visit_t *ss_visit_load(request_rec *r)
{
    request_rec *root = ss_visit_root(r);
    ss_visit_t *visit = visit_of(root);

    if (visit != NULL && visit->draft != NULL) {
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

static void tell_of_no_keys(request_rec *r)
{
    ss_visit_t *visit = ss_visit_begin(r);

    if (!visit->told) {
        ss_log(r, APLOG_CRIT, "SS0112", "sessions cannot be used here: %s", visit->conf->unusable);
        visit->told = 1;
    }
}

ss_access_e ss_visit_ask(request_rec *r)
{
    if (ss_dir_conf(r)->mode == SS_OFF) {
        return SS_ACCESS_OFF;
    }
    if (ss_server_conf(r->server)->sealing.seals == NULL) {
        tell_of_no_keys(r);
        return SS_ACCESS_NO_KEYS;
    }
    return SS_ACCESS_READY;
}

ss_access_e ss_visit_enter(ss_visit_t **visit, request_rec *r)
{
    ss_access_e access = ss_visit_ask(r);

    *visit = access == SS_ACCESS_READY ? ss_visit_load(r) : NULL;
    return access;
}

int ss_visit_may_change(const request_rec *r)
{
    return ss_dir_conf(r)->mode == SS_ON;
}

ss_session_t *ss_visit_session(const ss_visit_t *visit)
{
    return ss_draft_session(visit->draft);
}

int ss_visit_has_session(const ss_visit_t *visit)
{
    ss_session_t *session = ss_visit_session(visit);

    return !ss_session_is_empty(session) ||
           (visit->state == SS_VALID && !ss_draft_has_ended(visit->draft) &&
            !ss_session_is_changed(session));
}

/*
 * Changes
 */

int ss_visit_change(ss_visit_t *visit, const ss_change_t *change)
{
    ss_visit_undo_rules(visit);
    return ss_draft_make(visit->draft, change);
}

int ss_visit_made_tag(const ss_visit_t *visit, ss_session_t *before, ss_json_t input)
{
    if (!(ss_sealing_written(&visit->conf->sealing)->traits & SS_FORMAT_TAGGED)) {
        return 0;
    }
    return (input.raw.data != NULL && ss_json_has_tag(input)) ||
           ss_json_adds_tag(ss_session_json(before), ss_session_json(ss_visit_session(visit)),
                            visit->root->pool);
}

void ss_visit_begin_rules(ss_visit_t *visit)
{
    ss_visit_undo_rules(visit);
    visit->before = ss_draft_mark(visit->draft);
    visit->ruled = visit->ruling = 1;
}

void ss_visit_end_rules(ss_visit_t *visit)
{
    visit->ruling = 0;
}

void ss_visit_undo_rules(ss_visit_t *visit)
{
    if (visit->ruled && !visit->ruling) {
        ss_draft_return(visit->draft, visit->before);
        visit->ruled = 0;
    }
}

ss_draft_mark_t ss_visit_mark(ss_visit_t *visit)
{
    ss_visit_undo_rules(visit);
    return ss_draft_mark(visit->draft);
}

void ss_visit_return(ss_visit_t *visit, ss_draft_mark_t mark)
{
    ss_draft_return(visit->draft, mark);
}

void ss_visit_adopt(ss_visit_t *visit, const ss_opened_t *opened, const ss_candidates_t *candidates)
{
    if (opened == NULL) {
        ss_draft_adopt(visit->draft, ss_sealing_create(&visit->conf->sealing, visit->root->pool));
        visit->opened.is_owned = 0;
        return;
    }
    ss_draft_adopt(visit->draft, opened->session);
    visit->opened = *opened;
    visit->cookies = candidates->came;
    visit->companions = candidates->companion_count;
}

void ss_visit_revert(ss_visit_t *visit)
{
    ss_draft_revert(visit->draft);
    visit->ruled = 0;
    visit->untouched = 1;
}

/*
 * The cookie
 */

static int is_https(const ss_visit_t *visit)
{
    return strcmp(ap_http_scheme(visit->root), "https") == 0;
}

static void print_deletion(ss_visit_t *visit)
{
    apr_pool_t *pool = visit->root->pool;

    visit->sealed.set_cookie =
        ss_cookie_print_deletion(&visit->conf->cookie, is_https(visit), pool);
    if (visit->companions > 0) {
        ss_cookie_t companion = ss_config_companion(visit->conf);

        visit->sealed.set_companion = ss_cookie_print_deletion(&companion, is_https(visit), pool);
    }
}

/* As an application wrote it, or as it is configured. `line` is NULL, or what the application
 * wrote. */
static const char *print_as(const ss_visit_t *visit, const char *line, const ss_cookie_t *cookie,
                            ss_bytes_t value, apr_int64_t max_age)
{
    return visit->shared_cookie.is_adopted && line != NULL
               ? ss_cookie_with_value(line, value, visit->root->pool)
               : ss_cookie_print(cookie, value, max_age, is_https(visit), visit->root->pool);
}

/* After a migration away from a format with two cookies its companion goes with the first write. */
static void print_cookie(ss_visit_t *visit, const ss_sealed_t *sealed, apr_int64_t max_age)
{
    ss_cookie_t companion = ss_config_companion(visit->conf);

    visit->sealed.set_cookie =
        print_as(visit, visit->shared_cookie.line, &visit->conf->cookie, sealed->value, max_age);
    if (sealed->companion.data != NULL) {
        visit->sealed.set_companion = print_as(visit, visit->shared_cookie.companion_line,
                                               &companion, sealed->companion, max_age);
    }
    else if (visit->companions > 0) {
        visit->sealed.set_companion =
            ss_cookie_print_deletion(&companion, is_https(visit), visit->root->pool);
    }
}

/* The same where the client's cookie is one that only its application may overwrite: it may be
 * ended, and then that is all. */
static apr_status_t print_owned(ss_visit_t *visit)
{
    ss_session_t *session = ss_visit_session(visit);

    if (!ss_draft_was_ended(visit->draft)) {
        return ss_session_is_changed(session) ? SS_OWNED : APR_SUCCESS;
    }
    print_deletion(visit);
    if (!ss_session_is_empty(session)) {
        ss_log(visit->root, APLOG_ERR, "SS0312", "the session was ended, but not begun anew: %s",
               ss_format_refusal(SS_OWNED));
    }
    return APR_SUCCESS;
}

/* What the response must carry; the session decides, nothing is remembered here. */
static apr_status_t print(ss_visit_t *visit, int renewing)
{
    const ss_sealing_t *how = &visit->conf->sealing;
    ss_session_t *session = ss_visit_session(visit);
    int changed = ss_session_is_changed(session);
    ss_sealing_result_t result;
    apr_status_t rv;

    visit->sealed.set_cookie = visit->sealed.set_companion = NULL;
    if (visit->opened.is_owned) {
        return print_owned(visit);
    }
    if (ss_session_is_empty(session)) {
        if ((changed || ss_draft_has_ended(visit->draft)) &&
            visit->cookies + visit->companions > 0) {
            print_deletion(visit);
        }
        return APR_SUCCESS;
    }
    if (!changed && !renewing) {
        return APR_SUCCESS;
    }
    rv = ss_sealing_seal(&result, session, how, visit->now, visit->root->pool);
    visit->sealed.over = result.over;
    if (rv == APR_SUCCESS) {
        print_cookie(visit, &result.cookie,
                     ss_sealing_max_age(session, &result.stamp, how, visit->now));
    }
    return rv;
}

apr_status_t ss_visit_seal(ss_visit_t *visit, int may_renew, const char **set_cookie)
{
    ss_sealed_note_t *sealed = &visit->sealed;
    unsigned version = ss_draft_version(visit->draft);
    int renewing = may_renew && !visit->untouched;
    apr_status_t rv = APR_SUCCESS;

    if (!sealed->is_defined || sealed->version != version || sealed->renewing != renewing) {
        rv = print(visit, renewing);
        if (rv != APR_SUCCESS && rv != APR_ENOSPC && ss_format_refusal(rv) == NULL) {
            ss_log(visit->root, APLOG_ERR, "SS0306",
                   "the session was not saved: OpenSSL or zlib failed to seal it");
        }
        sealed->is_defined = rv == APR_SUCCESS;
        sealed->version = version;
        sealed->renewing = renewing;
    }
    *set_cookie = sealed->set_cookie;
    return rv;
}
