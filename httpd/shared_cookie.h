/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SHARED_COOKIE_H
#define SS_SHARED_COOKIE_H

#include "httpd/visit.h"

/**
 * An application that shares our cookie may set it itself, and its write is the newer truth.
 * Nothing pending here: it passes untouched. It deletes the cookie, or wrote what we cannot open:
 * it passes, and what was pending is dropped; by a deletion the session has ended. Otherwise what
 * it wrote is opened, what was changed here is changed there, and the session of `visit` is from
 * then on that one.
 *
 * @return  whether the application's own Set-Cookie stands in the response
 */
int ss_shared_cookie_settle(request_rec *r, ss_visit_t *visit);

/** Does the application's own Set-Cookie stand in the response? Where nothing was loaded, nothing
 * needs to be settled. */
int ss_shared_cookie_passes(request_rec *r);

#endif
