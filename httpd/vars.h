/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_VARS_H
#define SS_VARS_H

#include <httpd.h>

/** fixups hook: show the session to whatever answers this request, as notes and environment. */
int ss_vars_publish(request_rec *r);

#endif
