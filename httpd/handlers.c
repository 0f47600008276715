/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/handlers.h"
#include "httpd/location.h"
#include "httpd/returning.h"
#include "httpd/revoke.h"
#include "httpd/routes.h"
#include "httpd/status.h"

#define DAV_HANDLER "dav-handler" /* of mod_dav */

/* What SetHandler may say. */
static const struct {
    const char *name;
    int (*run)(request_rec *r);
} handlers[] = {
    { SS_ROUTES_HANDLER, ss_routes_run },
    { SS_STATUS_HANDLER, ss_status_run },
    { SS_REVOKE_HANDLER, ss_revoke_run },
};

#define HANDLERS ((int)(sizeof(handlers) / sizeof(handlers[0])))

/* mod_dav takes everything below "Dav On" in its fixups, whatever the section says. What
 * mod_rewrite makes of a request there has another handler, and is meant. */
static int is_taken_by_dav(const request_rec *r)
{
    return strcmp(r->handler, DAV_HANDLER) == 0 && ss_location_has(r, SS_ROUTES_HANDLER);
}

static int run_named(request_rec *r)
{
    if (r->handler[0] != SS_ROUTES_HANDLER[0]) { /* as all of ours begin */
        return is_taken_by_dav(r) ? ss_routes_run(r) : DECLINED;
    }
    for (int i = 0; i < HANDLERS; i++) {
        if (strcmp(r->handler, handlers[i].name) == 0) {
            return handlers[i].run(r);
        }
    }
    return DECLINED;
}

int ss_handlers_run(request_rec *r)
{
    int status = ss_returning_run(r);

    return status == DECLINED && r->handler != NULL ? run_named(r) : status;
}
