/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/counters.h"
#include "httpd/guard.h"
#include "httpd/caller.h"
#include "httpd/config.h"
#include "httpd/log.h"

/* A WebSocket begins with a GET, and no browser asks for permission before it. However that header
 * is read behind us. */
static int may_change(const request_rec *r)
{
    const char *upgrade = apr_table_get(r->headers_in, "Upgrade");

    return (r->method_number != M_GET && r->method_number != M_OPTIONS) ||
           (upgrade != NULL && ap_strcasestr(upgrade, "websocket") != NULL);
}

static const char *said(const request_rec *r, const char *value)
{
    return value == NULL ? "not sent" : ap_escape_logitem(r->pool, value);
}

/* A page whose origin is hidden says "null", which no list can name. */
static int names_origin(const ss_caller_t *caller)
{
    return caller->origin != NULL && strcmp(caller->origin, "null") != 0;
}

int ss_guard_check(request_rec *r)
{
    ss_caller_t caller;

    if (!ss_dir_conf(r)->guard || !may_change(r)) {
        return DECLINED;
    }
    caller = ss_caller_of(r);
    if (ss_origin_may_change(&caller)) {
        return DECLINED;
    }
    ss_count(SS_COUNT_REFUSALS + SS_REFUSED_CROSS_SITE);
    ss_log(r, APLOG_WARNING, "SS0209",
           "a %s request that another site has caused was refused (Sec-Fetch-Site: %s, Origin: "
           "%s): %s",
           r->method, said(r, caller.sec_fetch_site), said(r, caller.origin),
           names_origin(&caller) ? "add this origin to SignedSessionTrustedOrigin if it should pass"
                                 : "it names no origin, and nothing else can be trusted");
    return HTTP_FORBIDDEN;
}
