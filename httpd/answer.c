/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "lib/json/json.h"
#include "lib/out.h"

static void set_headers(request_rec *r, int status, const char *type)
{
    r->status = status;
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    if (type != NULL) {
        ap_set_content_type(r, type);
    }
}

/* Characters of HTML as escapes: a content filter of the place, such as SSI, reads this as well. In
 * JSON they stand in strings only. A newline ends it, for terminals. */
static ss_bytes_t inert(ss_bytes_t json, apr_pool_t *pool)
{
    static const char special[] = "<>&";
    apr_size_t size = json.len + 1;
    ss_out_t start, out;

    for (apr_size_t i = 0; i < json.len; i++) {
        size += memchr(special, json.data[i], 3) != NULL ? sizeof("\\u003c") - 2 : 0;
    }
    start = out = ss_out_create(size, pool);
    for (apr_size_t i = 0; i < json.len; i++) {
        switch (json.data[i]) {
        case '<':
            out = ss_out_put(out, ss_bytes_of("\\u003c"));
            break;
        case '>':
            out = ss_out_put(out, ss_bytes_of("\\u003e"));
            break;
        case '&':
            out = ss_out_put(out, ss_bytes_of("\\u0026"));
            break;
        default:
            out = ss_out_put_char(out, json.data[i]);
            break;
        }
    }
    out = ss_out_put_char(out, '\n');
    return ss_out_slice(start, out);
}

static void write_body(request_rec *r, ss_bytes_t json)
{
    ss_bytes_t body = inert(json, r->pool);

    ap_set_content_length(r, (apr_off_t)body.len);
    ap_rwrite(body.data, (int)body.len, r);
}

void ss_answer_json(request_rec *r, int status, ss_bytes_t json)
{
    set_headers(r, status, "application/json");
    write_body(r, json);
}

void ss_answer_page(request_rec *r, ss_bytes_t page)
{
    set_headers(r, HTTP_OK, "text/html; charset=utf-8");
    ap_set_content_length(r, (apr_off_t)page.len);
    ap_rwrite(page.data, (int)page.len, r);
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
    write_body(r, ss_bytes_of(json));
}
