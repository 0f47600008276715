/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_AUTH_TYPE_H
#define SS_AUTH_TYPE_H

#include <httpd.h>

#define SS_AUTH_TYPE "signed-session"

typedef enum ss_auth_type_e {
    SS_AUTH_NONE, /* nobody has to log in here: no AuthType, or None */
    SS_AUTH_OURS,
    SS_AUTH_OTHER
} ss_auth_type_e;

/** The AuthType in force where `r` is. */
ss_auth_type_e ss_auth_type(request_rec *r);

#endif
