/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_HANDLER_H
#define SS_HANDLER_H

#include <httpd.h>

/** handler hook: the endpoints, "SetHandler signed-session". */
int ss_handler_run(request_rec *r);

#endif
