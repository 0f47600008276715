/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_COOKIE_OPTION_H
#define SS_COOKIE_OPTION_H

#include "lib/cookie.h"

/**
 * Understand the arguments of SignedSessionCookie: NAME, then attributes as Set-Cookie spells them.
 * What is not written gets the default Path=/ SameSite=Lax HttpOnly Secure=auto. Refuses whatever a
 * browser would refuse.
 *
 * @param cookie  out: strings in `pool`; undefined on failure
 * @param argc    at least 1
 * @return        NULL, or what is wrong and what is accepted
 */
SS_MUST_USE const char *ss_cookie_option_parse(ss_cookie_t *cookie, int argc,
                                               const char *const argv[], apr_pool_t *pool);

#endif
