/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
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
    ss_log(r, APLOG_WARNING, "SS0209",
           "a %s request that another site has caused was refused (Origin: %s): add its origin to "
           "SignedSessionTrustedOrigin if it should pass",
           r->method, caller.origin == NULL ? "none" : ap_escape_logitem(r->pool, caller.origin));
    return HTTP_FORBIDDEN;
}
