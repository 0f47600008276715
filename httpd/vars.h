/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_VARS_H
#define SS_VARS_H

#include "httpd/visit.h"

/** Show the session to whatever answers `r` as notes.
 *
 * @param visit  loaded; NULL when the client has no session */
void ss_vars_show_notes(request_rec *r, ss_visit_t *visit);

/** Take them back: mod_dir or another has led the request to a place without sessions. */
void ss_vars_hide_notes(request_rec *r, ss_visit_t *visit);

/** Add the session to the variables of whatever answers `r`, in which none of the same names are.
 *
 * @param visit  loaded */
void ss_vars_export(request_rec *r, ss_visit_t *visit);

/** Is this the name of a variable that ss_vars_export may set? */
int ss_vars_is_variable(const char *name);

/** Is this the text of a variable that ss_vars_export has set, for any request of the chain? */
int ss_vars_is_export(const ss_visit_t *visit, const char *value);

/**
 * Are the notes of `r` still those that ss_vars_publish left there, and no others? Then nobody has
 * set one since. 0 is not certain. Cheap: a look at the first and the last one.
 *
 * @param visit  of the chain, or NULL
 */
int ss_vars_are_alone(const request_rec *r, const ss_visit_t *visit);

#endif
