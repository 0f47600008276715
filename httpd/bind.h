/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_BIND_H
#define SS_BIND_H

#include <httpd.h>

/* SignedSessionBind: Device Bound Session Credentials, as browsers speak them. The draft is
 * https://w3c.github.io/webappsec-dbsc/; where Chromium differs from it, both are understood. */

/** quick_handler: answer the endpoint, before anything of a place is looked at. */
int ss_bind_answer(request_rec *r, int lookup);

#endif
