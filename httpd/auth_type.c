/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <string.h>

#include <http_core.h>
#include <http_request.h>

#include "httpd/auth_type.h"

/* Most write it as the documentation does, and it is asked for several times in a request. */
static int is_named(const char *type, const char *name)
{
    return strcmp(type, name) == 0 || ap_cstr_casecmp(type, name) == 0;
}

ss_auth_type_e ss_auth_type(request_rec *r)
{
    const char *type = ap_auth_type(r);

    if (type == NULL || is_named(type, "None")) {
        return SS_AUTH_NONE;
    }
    return is_named(type, SS_AUTH_TYPE) ? SS_AUTH_OURS : SS_AUTH_OTHER;
}
