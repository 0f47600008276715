/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_MARKS_H
#define SS_MARKS_H

#include "httpd/visit.h"

/* Who may store a response, and to whom a stored one may be given: Cache-Control and Vary. */

/** Did the session open a door on the way? The response is then for this client alone. */
int ss_marks_is_let_in(const request_rec *r);

/** May another session have another answer? */
int ss_marks_is_varying(request_rec *r);

/** Write the header of the response accordingly. May run any number of times. */
void ss_marks_set(request_rec *r, const ss_step_t *step);

#endif
