/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "lib/json.h"

static void set_headers(request_rec *r, int status, const char *type)
{
    r->status = status;
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    if (type != NULL) {
        ap_set_content_type(r, type);
    }
}

void ss_answer_json(request_rec *r, int status, ss_bytes_t json)
{
    set_headers(r, status, "application/json");
    ap_set_content_length(r, (apr_off_t)json.len);
    ap_rwrite(json.data, (int)json.len, r);
}

void ss_answer_empty(request_rec *r, int status)
{
    set_headers(r, status, NULL);
    if (status != HTTP_NO_CONTENT) {
        ap_set_content_length(r, 0);
    }
}

/* "404 Not Found" without the number */
static const char *title_of(int status)
{
    const char *line = ap_get_status_line(status);

    return strlen(line) > 4 ? line + 4 : line;
}

void ss_answer_problem(request_rec *r, int status, const char *detail)
{
    ss_bytes_t quoted = ss_json_quote(ss_bytes_of(detail), r->pool).raw;
    const char *json;

    if (quoted.data == NULL) {
        quoted =
            ss_bytes_of("\"\""); /* a detail that quotes a client's bytes which are not UTF-8 */
    }
    json = apr_psprintf(r->pool, "{\"title\":\"%s\",\"status\":%d,\"detail\":%.*s}",
                        title_of(status), status, (int)quoted.len, quoted.data);
    set_headers(r, status, "application/problem+json");
    ap_set_content_length(r, (apr_off_t)strlen(json));
    ap_rputs(json, r);
}
