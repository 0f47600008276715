/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FILTER_H
#define SS_FILTER_H

#include <httpd.h>

/** Register the two output filters; once, from the module's register function. */
void ss_filter_register(void);

/** insert_filter hook: the response of a handler. */
void ss_filter_insert(request_rec *r);

/** insert_error_filter hook: httpd has dropped all filters and sends an error response. */
void ss_filter_insert_error(request_rec *r);

/** log_transaction hook: say so when a change came too late to be sent. */
int ss_filter_report_late_change(request_rec *r);

#endif
