/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_EVENT_H
#define SS_EVENT_H

#include "httpd/visit.h"

/** The variable that says, when a request is logged, what has happened to its session. */
#define SS_EVENT_VARIABLE "SIGNED_SESSION_EVENT"

/**
 * What has happened in a visit, as one line of JSON: %{:event}^SS. Names are those of OpenTelemetry
 * where it has one. No value of a session is in it, and no id that a cookie could be recognized by.
 *
 * @return  NULL: nothing that is worth a line
 */
const char *ss_event_print(const ss_visit_t *visit, request_rec *r);

#endif
