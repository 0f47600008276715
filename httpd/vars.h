/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_VARS_H
#define SS_VARS_H

#include "httpd/visit.h"

/**
 * Show the session to whatever answers `r`: as notes, and with SignedSessionEnv as environment.
 *
 * @param visit  loaded; NULL when the client has no session, and no environment is wanted
 */
void ss_vars_publish(request_rec *r, ss_visit_t *visit);

/** Is this the name of a variable that ss_vars_publish may have set? */
int ss_vars_is_variable(const char *name);

/**
 * Are the notes of `r` still those that ss_vars_publish left there, and no others? Then nobody has
 * set one since. 0 is not certain. Cheap: a look at the first and the last one.
 *
 * @param visit  of the chain, or NULL
 */
int ss_vars_are_alone(const request_rec *r, const ss_visit_t *visit);

#endif
