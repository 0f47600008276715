/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <http_protocol.h>

#include "httpd/caller.h"
#include "httpd/config.h"

ss_caller_t ss_caller_of(request_rec *r)
{
    const apr_table_t *headers = r->headers_in;
    ss_caller_t caller = { apr_table_get(headers, "Sec-Fetch-Site"),
                           apr_table_get(headers, "Origin"), apr_table_get(headers, "Host"),
                           ap_http_scheme(r), ss_dir_conf(r)->trusted };

    return caller;
}

int ss_caller_says(const request_rec *r, const char *header, const char *value)
{
    const char *said = apr_table_get(r->headers_in, header);

    return said != NULL && strcmp(said, value) == 0;
}

int ss_caller_is_error(const request_rec *r)
{
    return r->prev != NULL && r->prev->status != HTTP_OK;
}

int ss_caller_is_part(const request_rec *r)
{
    return apr_table_get(r->headers_in, "Sec-Fetch-Mode") != NULL &&
           !ss_caller_says(r, "Sec-Fetch-Mode", "navigate");
}

int ss_caller_is_bystander(request_rec *r)
{
    const char *purpose = apr_table_get(r->headers_in, "Sec-Purpose");
    ss_caller_t caller;

    if (purpose != NULL && strncmp(purpose, "prefetch", sizeof("prefetch") - 1) == 0) {
        return 1;
    }
    if (!ss_caller_says(r, "Sec-Fetch-Site", "cross-site") ||
        ss_caller_says(r, "Sec-Fetch-Dest", "document")) {
        return 0;
    }
    caller = ss_caller_of(r);
    return !ss_origin_is_trusted(&caller);
}

int ss_caller_is_by_http(request_rec *r)
{
    return strcmp(ap_http_scheme(r), "http") == 0 &&
           ss_caller_says(r, "Upgrade-Insecure-Requests", "1") &&
           apr_table_get(r->headers_in, "Sec-Fetch-Site") == NULL &&
           !ss_caller_says(r, "X-Forwarded-Proto", "https");
}
