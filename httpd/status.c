/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "httpd/answer.h"
#include "httpd/counters.h"
#include "httpd/status.h"

#define PREFIX "signed_session_"

/*
 * For Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/) and OpenMetrics
 * (https://openmetrics.io), which differ in the name of a family of counters, and in the end.
 */

static void print_family(request_rec *r, const ss_counter_family_t *family, int is_open)
{
    ap_rprintf(r, "# HELP " PREFIX "%s%s %s\n", family->name, is_open ? "" : "_total",
               family->help);
    ap_rprintf(r, "# TYPE " PREFIX "%s%s counter\n", family->name, is_open ? "" : "_total");
    for (int i = 0; i < family->count; i++) {
        apr_uint64_t count = ss_counters_read(family->first + i);

        if (family->label == NULL) {
            ap_rprintf(r, PREFIX "%s_total %" APR_UINT64_T_FMT "\n", family->name, count);
        }
        else {
            ap_rprintf(r, PREFIX "%s_total{%s=\"%s\"} %" APR_UINT64_T_FMT "\n", family->name,
                       family->label, ss_counter_value(family, i, r->pool), count);
        }
    }
}

static void print_last_opened(request_rec *r)
{
    static const char name[] = PREFIX "key_last_used_timestamp_seconds";

    ap_rprintf(r, "# HELP %s When the secret at this place last opened a cookie.\n", name);
    ap_rprintf(r, "# TYPE %s gauge\n", name);
    for (int i = 0; i < SS_COUNTED_KEYS; i++) {
        if (ss_counters_last_opened(i) > 0) {
            ap_rprintf(r, "%s{key=\"%d\"} %" APR_INT64_T_FMT "\n", name, i,
                       ss_counters_last_opened(i));
        }
    }
}

static void print_gauge(request_rec *r, const char *name, const char *labels, const char *help,
                        apr_int64_t value)
{
    ap_rprintf(r, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s gauge\n", name, help, name);
    ap_rprintf(r, PREFIX "%s%s %" APR_INT64_T_FMT "\n", name, labels, value);
}

static void print_metrics(request_rec *r, int is_open)
{
    for (const ss_counter_family_t *family = ss_counter_families; family->name != NULL; family++) {
        print_family(r, family, is_open);
    }
    print_last_opened(r);
    print_gauge(r, "build_info", "{version=\"" SS_VERSION "\"}", "The version that runs.", 1);
    print_gauge(r, "start_time_seconds", "", "When counting began.",
                apr_time_sec(ss_counters_since()));
    if (is_open) {
        ap_rputs("# EOF\n", r);
    }
}

static void print_json(request_rec *r)
{
    ap_rprintf(r, "{\"version\":\"" SS_VERSION "\",\"since\":%" APR_INT64_T_FMT,
               apr_time_sec(ss_counters_since()));
    for (const ss_counter_family_t *family = ss_counter_families; family->name != NULL; family++) {
        ap_rprintf(r, ",\"%s\":", family->name);
        for (int i = 0; i < family->count; i++) {
            apr_uint64_t count = ss_counters_read(family->first + i);

            if (family->label == NULL) {
                ap_rprintf(r, "%" APR_UINT64_T_FMT, count);
            }
            else {
                ap_rprintf(r, "%s\"%s\":%" APR_UINT64_T_FMT, i == 0 ? "{" : ",",
                           ss_counter_value(family, i, r->pool), count);
            }
        }
        ap_rputs(family->label == NULL ? "" : "}", r);
    }
    ap_rputs("}\n", r);
}

/*
 * The handler
 */

static int accepts_open(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return accept != NULL && ap_strcasestr(accept, "application/openmetrics-text") != NULL;
}

static void answer(request_rec *r)
{
    int is_open = accepts_open(r);

    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    if (r->args != NULL && strcmp(r->args, "format=json") == 0) {
        ap_set_content_type(r, "application/json");
        print_json(r);
        return;
    }
    ap_set_content_type(r, is_open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                   : "text/plain; version=0.0.4; charset=utf-8");
    print_metrics(r, is_open);
}

int ss_status_run(request_rec *r)
{
    if (r->method_number != M_GET) {
        apr_table_setn(r->headers_out, "Allow", "GET, HEAD");
        ss_answer_problem(r, HTTP_METHOD_NOT_ALLOWED, "Allowed here: GET, HEAD.");
        return OK;
    }
    answer(r);
    return OK;
}

/*
 * server-status
 */

/* "store_errors", "load": "SignedSessionStoreErrorsLoad". */
static const char *name_in_short(const ss_counter_family_t *family, int place, apr_pool_t *pool)
{
    const char *text =
        family->label == NULL
            ? family->name
            : apr_pstrcat(pool, family->name, "_", ss_counter_value(family, place, pool), NULL);
    char *name = apr_pstrcat(pool, "SignedSession", text, NULL);
    char *to = name + strlen("SignedSession");
    int begins = 1;

    for (const char *from = to; *from != '\0'; from++) {
        if (*from == '_' || *from == '-') {
            begins = 1;
            continue;
        }
        *to++ = begins ? (char)apr_toupper(*from) : *from;
        begins = 0;
    }
    *to = '\0';
    return name;
}

static void show_row(request_rec *r, const ss_counter_family_t *family, int place, int is_short)
{
    apr_uint64_t count = ss_counters_read(family->first + place);

    if (is_short) {
        ap_rprintf(r, "%s: %" APR_UINT64_T_FMT "\n", name_in_short(family, place, r->pool), count);
    }
    else if (count > 0) {
        ap_rprintf(r, "<tr><td>%s</td><td>%s</td><td>%" APR_UINT64_T_FMT "</td></tr>\n",
                   family->name,
                   family->label == NULL ? "" : ss_counter_value(family, place, r->pool), count);
    }
}

static int show_status(request_rec *r, int flags)
{
    int is_short = (flags & AP_STATUS_SHORT) != 0;

    if (!is_short) {
        ap_rputs("<hr />\n<h2>Signed sessions</h2>\n<table>\n"
                 "<tr><th>what</th><th>which</th><th>count</th></tr>\n",
                 r);
    }
    for (const ss_counter_family_t *family = ss_counter_families; family->name != NULL; family++) {
        for (int i = 0; i < family->count; i++) {
            show_row(r, family, i, is_short);
        }
    }
    if (!is_short) {
        ap_rputs("</table>\n", r);
    }
    return OK;
}

void ss_status_register(apr_pool_t *pool)
{
    (void)pool;
    APR_OPTIONAL_HOOK(ap, status_hook, show_status, NULL, NULL, APR_HOOK_MIDDLE);
}
