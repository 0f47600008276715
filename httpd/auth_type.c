/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <http_core.h>
#include <http_request.h>

#include "httpd/auth_type.h"

ss_auth_type_e ss_auth_type(request_rec *r)
{
    const char *type = ap_auth_type(r);

    if (type == NULL || ap_cstr_casecmp(type, "None") == 0) {
        return SS_AUTH_NONE;
    }
    return ap_cstr_casecmp(type, SS_AUTH_TYPE) == 0 ? SS_AUTH_OURS : SS_AUTH_OTHER;
}
