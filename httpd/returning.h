/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_RETURNING_H
#define SS_RETURNING_H

#include <httpd.h>

/** Handler of places with SignedSessionReturn: whoever is logged in is led back to where he wanted
 * to go. It asks for what the rules of the place would store, before they do. */
int ss_returning_run(request_rec *r);

#endif
