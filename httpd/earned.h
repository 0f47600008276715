/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_EARNED_H
#define SS_EARNED_H

#include "httpd/visit.h"

/*
 * Did a visit come past every check, with the user that it has now? httpd sets r->user before it
 * checks the password, an error document may inherit it, and a Redirect is answered before any
 * check: so every request of the chain must have reached its fixups, and have had there the user
 * that it has now.
 */

/** Note that the fixups of `r` ran, and which user they saw; from fixups, for main requests. */
void ss_earned_note_step(request_rec *r);

/** NULL when every request of the chain that `r` ends has earned the right to store something; else
 * why one has not. */
const char *ss_earned_fault(const ss_visit_t *visit, request_rec *r);

#endif
