/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STARTUP_H
#define SS_STARTUP_H

#include <httpd.h>

/* Start-up: three hooks that walk the list of parts (httpd/part.h). */

/** check_config hook: a configuration was read; under -t everything is judged. */
int ss_startup_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main);

/** post_config hook: judged in the first pass of a start, made in the second. */
int ss_startup_run(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main);

/** child_init hook. */
void ss_startup_child(apr_pool_t *pchild, server_rec *main);

#endif
