/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STARTUP_H
#define SS_STARTUP_H

#include <httpd.h>

/* Start-up: what no single directive can decide, and the way from secrets to keys. Nothing here
 * runs in a directive handler, so that "-k stop" works from a shell without the secret. */

/** check_config hook: refuse contradictions; under -t also read and judge every secret. */
int ss_startup_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main);

/** post_config hook: read and judge the secrets, and derive the keys that requests use. */
int ss_startup_run(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main);

/** child_init hook: give the child a memory of the cookies that proved valid; not under
 * -DSIGNED_SESSION_NO_MEMORY, which is there to compare. */
void ss_startup_child(apr_pool_t *pchild, server_rec *main);

#endif
