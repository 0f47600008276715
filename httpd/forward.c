/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/forward.h"
#include "httpd/visit.h"
#include "lib/field.h"
#include "lib/json.h"

int ss_forward_reserve(ss_start_t *start)
{
    const apr_array_header_t *all = apr_array_make(start->scratch, 0, sizeof(const char *));

    if (start->keys == NULL) {
        return OK;
    }
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        if (ss_config_is_own(s, start->main)) {
            all = apr_array_append(start->keys, all, ss_server_conf(s)->gathered.headers);
        }
    }
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        ss_server_conf(s)->reserved = all;
    }
    return OK;
}

int ss_forward_covers(const request_rec *r, const char *name)
{
    const apr_array_header_t *reserved = ss_server_conf(r->server)->reserved;

    for (int i = 0; reserved != NULL && i < reserved->nelts; i++) {
        if (ss_field_is_alike(name, APR_ARRAY_IDX(reserved, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

static void scrub_connection(request_rec *r, const apr_array_header_t *reserved)
{
    const char *connection = apr_table_getm(r->pool, r->headers_in, "Connection");
    const char *rest = ss_field_without(connection, reserved, r->pool);

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

void ss_forward_scrub(request_rec *r)
{
    const apr_array_header_t *reserved = ss_server_conf(r->server)->reserved;
    const apr_array_header_t *headers;

    if (reserved == NULL || reserved->nelts == 0) {
        return;
    }
    headers = apr_table_elts(r->headers_in);
    for (int i = headers->nelts - 1; i >= 0; i--) {
        const char *name = APR_ARRAY_IDX(headers, i, apr_table_entry_t).key;

        if (ss_forward_covers(r, name)) {
            apr_table_unset(r->headers_in, name);
            i = headers->nelts; /* the table has closed up: look again from its end */
        }
    }
    scrub_connection(r, reserved);
}

void ss_forward_send(request_rec *r, ss_visit_t *visit)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);
    ss_json_t json;

    if (dir->forward == NULL || visit == NULL || !ss_visit_has_session(visit)) {
        return;
    }
    json = ss_json_compact(ss_session_json(ss_visit_session(visit)), SS_JSON_ASCII_AND_FINITE,
                           r->pool);
    apr_table_setn(r->headers_in, dir->forward,
                   apr_pstrmemdup(r->pool, json.raw.data, json.raw.len));
    visit->forward.sent = 1;
}
