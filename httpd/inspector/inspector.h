/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_INSPECTOR_H
#define SS_INSPECTOR_H

#include <httpd.h>

#include "httpd/part.h"
#include "httpd/visit.h"

/* SignedSessionInspector: a page that explains a session to whoever has it. */

/** Is this GET or HEAD of an endpoint's root to be answered with the page? */
int ss_inspector_is_wanted(const request_rec *r);

/** Answer with it. It says nothing of the cookie's value, nor of a key, nor the id of a session. */
void ss_inspector_answer(request_rec *r, const ss_visit_t *visit);

/** Part of a start: the policy that allows the one style and the one script, and nothing else. */
ss_part_fn ss_inspector_settle;

#endif
