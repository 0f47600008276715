/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/hide.h"
#include "httpd/request.h"

/* Does this look like a native cookie of this server? Nothing is verified. */
static int is_ours(ss_bytes_t value, const void *r_)
{
    const request_rec *r = r_;
    const apr_array_header_t *seals = ss_server_conf(r->server)->sealing.seals;

    for (int i = 0; i < seals->nelts; i++) {
        const ss_seal_t *seal = &APR_ARRAY_IDX(seals, i, ss_seal_t);

        if (seal->format->resembles != NULL &&
            seal->format->resembles(value, seal->keys, r->pool)) {
            return 1;
        }
    }
    return 0;
}

static ss_hide_e wanted_here(request_rec *r)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);
    const ss_dir_conf_t *dir = ss_dir_conf(r);

    if (conf->sealing.seals == NULL || dir->strip == SS_STRIP_OFF) {
        return SS_HIDE_NOTHING;
    }
    if (dir->strip == SS_STRIP_ON) {
        return SS_HIDE_ALL;
    }
    if (dir->mode == SS_OFF) {
        /* a tenant who switches sessions off does not thereby get the cookie of the others */
        return conf->in_use != NULL ? SS_HIDE_NATIVE : SS_HIDE_NOTHING;
    }
    return APR_ARRAY_IDX(conf->formats, 0, const ss_format_t *)->traits & SS_FORMAT_FOREIGN
               ? SS_HIDE_NOTHING
               : SS_HIDE_ALL;
}

/* Did the client send a cookie of ours? Once loaded, that is known. */
static int has_cookie(request_rec *r)
{
    const ss_request_t *req = ss_request_peek(r);
    ss_candidates_t found;

    if (req != NULL) {
        return req->cookies + req->companions > 0;
    }
    ss_candidates_find(&found, apr_table_get(r->headers_in, "Cookie"),
                       &ss_server_conf(r->server)->sealing);
    return found.count + found.companion_count > 0;
}

void ss_hide_decide(request_rec *r)
{
    ss_hide_e wanted = wanted_here(r);
    ss_request_t *req;

    if (wanted == SS_HIDE_NOTHING || !has_cookie(r)) {
        return;
    }
    req = ss_request_of(r);
    if (req->hide < wanted) {
        req->hide = wanted;
    }
}

const char *ss_hide_in(request_rec *r, const char *header)
{
    const ss_request_t *req = ss_request_find(r);
    const ss_sealing_t *how;

    if (req == NULL || req->hide == SS_HIDE_NOTHING) {
        return header;
    }
    how = &req->conf->sealing;
    if (req->hide == SS_HIDE_NATIVE) {
        return ss_cookie_strip(header, how->cookie_name, is_ours, r, r->pool);
    }
    header = ss_cookie_strip(header, how->cookie_name, NULL, NULL, r->pool);
    if (header != NULL && how->companion_name != NULL) {
        header = ss_cookie_strip(header, how->companion_name, NULL, NULL, r->pool);
    }
    return header;
}

int ss_hide_cookie(request_rec *r)
{
    ss_request_t *req = ss_request_find(r);
    const char *header, *rest;

    if (req == NULL || req->hide == SS_HIDE_NOTHING) {
        return DECLINED;
    }
    header = apr_table_get(r->headers_in, "Cookie");
    if (header == NULL) {
        return DECLINED;
    }
    rest = ss_hide_in(r, header);
    if (rest != header) {
        if (req->cookie_header == NULL) {
            req->cookie_header = header;
        }
        if (rest == NULL) {
            apr_table_unset(r->headers_in, "Cookie");
        }
        else {
            apr_table_setn(r->headers_in, "Cookie", rest);
        }
    }
    return DECLINED;
}

void ss_hide_restore(request_rec *r)
{
    ss_request_t *req = ss_request_find(r);

    if (req != NULL && req->cookie_header != NULL && r->main == NULL) {
        apr_table_setn(r->headers_in, "Cookie", req->cookie_header);
        req->cookie_header = NULL;
    }
}
