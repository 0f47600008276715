/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ROUTES_H
#define SS_ROUTES_H

#include <httpd.h>

/** fixups hook: nothing in the file system answers for an endpoint. */
int ss_routes_claim(request_rec *r);

#define SS_ROUTES_HANDLER "signed-session"

/** Handler: the endpoints. */
int ss_routes_run(request_rec *r);

#endif
