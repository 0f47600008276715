/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_UPGRADE_H
#define SS_UPGRADE_H

#include <httpd.h>

/* A 101 passes httpd without a filter of the request: mod_proxy prints its header straight to the
 * connection, and forgets it. Nothing in it can change a session; the log says so. */

void ss_upgrade_register(void);

/** insert_filter hook: watch the connection where a 101 may come that carries an update. */
void ss_upgrade_insert(request_rec *r);

#endif
