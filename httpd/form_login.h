/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FORM_LOGIN_H
#define SS_FORM_LOGIN_H

#include "httpd/visit.h"

/* SignedSessionLogin: mod_auth_form has found a password right. */

/** The session of whoever was there before ends, but for what SignedSessionClear Before names here,
 * and one of this user begins. */
void ss_form_login_begin(request_rec *r, ss_visit_t *visit, const char *user);

/** A response is about to begin: the login is taken back when it is a refusal. A right password may
 * not be all that a Require asks for. */
void ss_form_login_settle(request_rec *r);

#endif
