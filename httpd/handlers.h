/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_HANDLERS_H
#define SS_HANDLERS_H

#include <httpd.h>

/** handler hook: whatever answers a request itself, by what SetHandler says or SignedSessionReturn.
 */
int ss_handlers_run(request_rec *r);

#endif
