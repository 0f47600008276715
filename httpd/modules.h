/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_MODULES_H
#define SS_MODULES_H

#include <httpd.h>

/* SignedSessionModules and SignedSessionLogin: the optional functions by which other modules keep
 * something in the sessions of mod_session. */

/** pre_config: take their place, and remember whom to ask where neither directive is on. The
 * modules that httpd loads are loaded by then, and none has looked for the functions. */
int ss_modules_replace(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);

#endif
