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
    const ss_sealing_t *how = &req->conf->sealing;
    ss_candidates_t candidates;

    ss_candidates_find(&candidates, apr_table_get(req->root->headers_in, "Cookie"), how);
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

ss_request_t *ss_request_peek(request_rec *r)
{
    request_rec *root = ss_request_root(r);

    /* a request that could not even be read has no configuration */
    return root->request_config == NULL
               ? NULL
               : ap_get_module_config(root->request_config, &signed_session_module);
}

ss_request_t *ss_request_get(request_rec *r)
{
    ss_request_t *req = ss_request_peek(r);
    request_rec *root;

    if (req != NULL) {
        return req;
    }
    root = ss_request_root(r);
    if (ss_server_conf(root->server)->sealing.seals == NULL) {
        return NULL;
    }
    req = apr_pcalloc(root->pool, sizeof(*req));
    req->root = root;
    req->conf = ss_server_conf(root->server);
    req->now = root->request_time;
    load(req);
    ap_set_module_config(root->request_config, &signed_session_module, req);
    return req;
}

int ss_request_may_change(const request_rec *r)
{
    return ss_dir_conf(r)->mode == SS_ON;
}

void ss_request_end(ss_request_t *req)
{
    ss_session_clear(req->session);
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
    ss_session_revert(req->session);
    req->written_generation = ss_session_generation(req->session);
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
    if (!changed &&
        !(req->may_renew && ss_session_is_due(req->session, &req->conf->lifetime, req->now))) {
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
