/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_EARNED_H
#define SS_EARNED_H

#include "httpd/visit.h"

/*
 * Did a visit come past every check, with the user that it has now? httpd sets r->user before it
 * checks the password, an error document may inherit it, a Redirect is answered before any check,
 * and rewrite rules, Lua and mod_security still refuse in fixups: so every request of the chain
 * must have reached its handler, and have had in its fixups the user that it has now. When it was
 * led to another place afterwards, it must have been let in there as the same user.
 */

/** From fixups: which user they saw, and of a subrequest, who was let in there: mod_dir asks so
 * before it gives the main request that place. */
void ss_earned_note_fixups(request_rec *r);

/** httpd answers `r` with an error, or with a redirect of its own. */
void ss_earned_note_failure(request_rec *r);

/** Before the handler, for main requests: nobody has refused it. */
void ss_earned_note_handler(request_rec *r);

/** NULL when the visit may replace the visitor's session, whoever caused it; else why not. */
const char *ss_earned_caller_fault(const ss_visit_t *visit);

/** NULL when every request of the chain that `r` ends has earned the right to store something, and
 * the answer is no refusal; else why not. */
const char *ss_earned_fault(const ss_visit_t *visit, request_rec *r);

/** Is the response of `r` a refusal (401, 403, 407), or the error document of one? */
int ss_earned_is_refused(request_rec *r);

#endif
