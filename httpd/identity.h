/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_IDENTITY_H
#define SS_IDENTITY_H

#include "httpd/visit.h"

/* AuthType signed-session: the user of the session is the user of the request. */

/** The user that the place of `r` takes out of the session, in the pool of `r`; NULL: nobody. */
const char *ss_identity_of(const ss_visit_t *visit, const request_rec *r);

/** check_authn hook: who is it? Nobody is asked to log in. */
int ss_identity_check(request_rec *r);

/** access_checker_ex hook, around those of others: may he come in whoever he is? Then nobody is
 * asked. But an alias of ours, which counts at once because it may stand behind a "not", lets in
 * only who is known. */
int ss_identity_admit(request_rec *r);

/** mod_dir and others may have led the request here since, let in as somebody; but it still has the
 * user of the place that it came from. */
void ss_identity_settle(request_rec *r);

/** check_authz hook, around those of others: httpd answers 401 to whoever lacks a right, which
 * would send him to log in again and again; 403 it is, unless a new login is what he lacks. */
int ss_identity_authorize(request_rec *r);

#endif
