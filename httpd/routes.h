/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ROUTES_H
#define SS_ROUTES_H

#include <httpd.h>

/** handler hook: the endpoints, "SetHandler signed-session". */
int ss_routes_run(request_rec *r);

#endif
