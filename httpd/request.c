/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/request.h"

extern module AP_MODULE_DECLARE_DATA signed_session_module;

request_rec *ss_request_root(request_rec *r)
{
    for (;;) {
        if (r->prev != NULL) {
            r = r->prev;
        }
        else if (r->main != NULL) {
            r = r->main;
        }
        else {
            return r;
        }
    }
}

static void load(ss_request_t *req)
{
    ss_bytes_t values[SS_CANDIDATES_MAX];
    const char *header = req->cookie_header != NULL
                             ? req->cookie_header
                             : apr_table_get(req->root->headers_in, "Cookie");

    req->loaded = 1;
    req->cookies = ss_cookie_find(values, SS_CANDIDATES_MAX, header, req->conf->cookie.name);
    req->state = ss_format_open(&req->session, &req->from, values, req->cookies,
                                &req->conf->sealing, req->now, req->root->pool);
    if (req->state != SS_VALID) {
        req->session = ss_session_create(req->root->pool);
        if (req->state != SS_NONE) {
            ss_log(req->root, APLOG_DEBUG, "SS0203", "the client's session cookie was refused: %s",
                   ss_state_name(req->state));
        }
    }
    req->written_generation = ss_session_generation(req->session);
}

ss_request_t *ss_request_find(request_rec *r)
{
    request_rec *root = ss_request_root(r);

    /* a request that could not even be read has no configuration */
    return root->request_config == NULL
               ? NULL
               : ap_get_module_config(root->request_config, &signed_session_module);
}

ss_request_t *ss_request_of(request_rec *r)
{
    ss_request_t *req = ss_request_find(r);

    if (req == NULL) {
        request_rec *root = ss_request_root(r);

        req = apr_pcalloc(root->pool, sizeof(*req));
        req->root = root;
        req->conf = ss_server_conf(root->server);
        req->now = root->request_time;
        ap_set_module_config(root->request_config, &signed_session_module, req);
    }
    return req;
}

ss_request_t *ss_request_peek(request_rec *r)
{
    ss_request_t *req = ss_request_find(r);

    return req != NULL && req->loaded ? req : NULL;
}

ss_request_t *ss_request_get(request_rec *r)
{
    ss_request_t *req = ss_request_find(r);

    if (req != NULL && req->loaded) {
        return req;
    }
    if (ss_server_conf(ss_request_root(r)->server)->sealing.seals == NULL) {
        return NULL;
    }
    req = ss_request_of(r);
    load(req);
    return req;
}

int ss_request_may_change(const request_rec *r)
{
    return ss_dir_conf(r)->mode == SS_ON;
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

/* What the response must carry; the session decides, nothing is remembered here. */
static apr_status_t print(const char **set_cookie, ss_request_t *req)
{
    const ss_cookie_t *cookie = &req->conf->cookie;
    int https = strcmp(ap_http_scheme(req->root), "https") == 0;
    int changed = ss_session_is_changed(req->session);
    apr_pool_t *pool = req->root->pool;
    apr_int64_t max_age = -1;
    ss_stamp_t stamp;
    ss_bytes_t value;
    apr_status_t rv;

    *set_cookie = NULL;
    if (ss_session_is_empty(req->session)) {
        if ((changed || req->ended) && req->cookies > 0) {
            *set_cookie = ss_cookie_print_deletion(cookie, https, pool);
        }
        return APR_SUCCESS;
    }
    if (!changed && !req->may_renew) {
        return APR_SUCCESS;
    }
    rv = ss_format_seal(&value, &stamp, &req->over, req->session, &req->conf->sealing, req->now,
                        pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (req->conf->lifetime.persistent) {
        max_age = ss_session_expires_in(&stamp, &req->conf->lifetime, req->now);
    }
    *set_cookie = ss_cookie_print(cookie, value, max_age, https, pool);
    return APR_SUCCESS;
}

apr_status_t ss_request_seal(ss_request_t *req, const char **set_cookie)
{
    apr_status_t rv = APR_SUCCESS;

    if (!req->sealed || req->sealed_generation != ss_session_generation(req->session)) {
        rv = print(&req->set_cookie, req);
        req->sealed = rv == APR_SUCCESS;
        req->sealed_generation = ss_session_generation(req->session);
    }
    *set_cookie = req->set_cookie;
    return rv;
}
