/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/guard.h"
#include "httpd/request.h"
#include "lib/field.h"
#include "lib/json.h"

int ss_guard_covers(const request_rec *r, const char *name)
{
    const apr_array_header_t *guarded = ss_server_conf(r->server)->guarded;

    for (int i = 0; guarded != NULL && i < guarded->nelts; i++) {
        if (ss_field_is_alike(name, APR_ARRAY_IDX(guarded, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

static void scrub_connection(request_rec *r, const apr_array_header_t *guarded)
{
    const char *connection = apr_table_getm(r->pool, r->headers_in, "Connection");
    const char *rest = ss_field_without(connection, guarded, r->pool);

    if (connection == NULL) {
        return;
    }
    if (rest == NULL) {
        apr_table_unset(r->headers_in, "Connection");
    }
    else if (strlen(rest) < strlen(connection)) {
        apr_table_setn(r->headers_in, "Connection", rest);
    }
}

void ss_guard_scrub(request_rec *r)
{
    const apr_array_header_t *guarded = ss_server_conf(r->server)->guarded;
    const apr_array_header_t *headers;

    if (guarded == NULL || guarded->nelts == 0) {
        return;
    }
    headers = apr_table_elts(r->headers_in);
    for (int i = headers->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(headers, i, apr_table_entry_t).key;

        if (ss_guard_covers(r, name)) {
            apr_table_unset(r->headers_in, name);
            i = headers->nelts; /* the table has closed up: look again from its end */
        }
    }
    scrub_connection(r, guarded);
}

void ss_guard_forward(request_rec *r)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);
    ss_request_t *req = ss_request_peek(r);
    ss_bytes_t json;

    if (dir->forward == NULL || req == NULL || !ss_request_has_session(req)) {
        return;
    }
    json = ss_json_compact(ss_session_text(req->session), SS_JSON_ASCII | SS_JSON_FINITE, r->pool);
    apr_table_setn(r->headers_in, dir->forward, apr_pstrmemdup(r->pool, json.data, json.len));
    req->shown = 1;
}
