/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/config.h"
#include "httpd/outage.h"
#include "httpd/revoking.h"
#include "httpd/stores.h"
#include "httpd/visit.h"

#define RETRY_AFTER "5" /* seconds */

/* An error document is let through, or nobody could be told. */
static int is_error_document(const request_rec *r)
{
    for (; r->prev != NULL; r = r->prev) {
        if (ap_is_HTTP_ERROR(r->prev->status)) {
            return 1;
        }
    }
    return 0;
}

/* Is anything asked besides the cookie? */
static int may_be_away(const ss_server_conf_t *conf)
{
    return conf->stores != NULL && (ss_stores_has_store(conf->stores) || ss_revoking_is_on(conf));
}

int ss_outage_check(request_rec *r)
{
    ss_visit_t *visit;

    if (ss_dir_conf(r)->mode == SS_OFF || !may_be_away(ss_server_conf(r->server)) ||
        r->main != NULL || is_error_document(r) || ss_visit_enter(&visit, r) != SS_ACCESS_READY ||
        visit->state != SS_UNAVAILABLE) {
        return DECLINED;
    }
    if (ss_dir_conf(r)->outage == SS_OUTAGE_ANONYMOUS) {
        visit->outage.is_anonymous = 1;
        return DECLINED;
    }
    visit->outage.refused = r;
    apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    return HTTP_SERVICE_UNAVAILABLE;
}

int ss_outage_check_again(request_rec *r)
{
    const ss_visit_t *visit = ss_visit_loaded(r);

    return visit != NULL && visit->outage.refused == r ? HTTP_SERVICE_UNAVAILABLE : DECLINED;
}
