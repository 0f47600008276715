/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_RESPONSE_H
#define SS_RESPONSE_H

#include "httpd/part.h"
#include "httpd/visit.h"

/** Register the two output filters; once, from the module's register function. */
void ss_response_register(void);

/** Write the cookies of a session that has been saved into the header. For answers that pass none
 * of these filters. */
void ss_response_write(request_rec *r, ss_visit_t *visit);

/** Start-up: who else is there? */
ss_part_fn ss_response_start;

/** insert_filter hook: the response of a handler. */
void ss_response_insert(request_rec *r);

/** insert_error_filter hook: httpd has dropped all filters and sends an error response. */
void ss_response_insert_error(request_rec *r);

/** From a handler's beginning, and where a subrequest is let in or refused: what a subrequest
 * answers becomes part of its main request's response, which varies with the session where the
 * subrequest's place does. */
void ss_response_include(request_rec *r);

/** From a handler's beginning, behind mod_cache's: "SetOutputFilter CACHE" has it store the
 * response before our filters have seen it. */
void ss_response_precede_cache(request_rec *r);

/** Something has asked for the session after the filters were inserted, or where there are none:
 * the response is to be marked nevertheless, while its header has not left. */
void ss_response_watch(request_rec *r);

/** log_transaction hook: say so when a change came too late to be sent. */
int ss_response_report_late_change(request_rec *r);

#endif
