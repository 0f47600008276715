/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STATUS_H
#define SS_STATUS_H

#include <httpd.h>

#define SS_STATUS_HANDLER "signed-session-status"

/** Handler: the counters, for Prometheus, OpenMetrics, or as JSON. */
int ss_status_run(request_rec *r);

/** Take part in mod_status, where it is loaded; once, from the module's register function. */
void ss_status_register(apr_pool_t *pool);

#endif
