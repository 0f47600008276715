/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_LOGIN_H
#define SS_LOGIN_H

#include "httpd/visit.h"

/**
 * A user is required, and nobody is logged in, or not lately: a browser that opens a page is sent
 * to SignedSessionLoginPage, everything else gets a challenge.
 *
 * @return  the status to refuse `r` with
 */
int ss_login_ask(request_rec *r, ss_visit_t *visit);

#endif
