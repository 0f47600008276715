/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REQUIRE_H
#define SS_REQUIRE_H

#include <apr_pools.h>

/** Register the providers of "Require signed-session [KEY [VALUE...]]" and of "Require
 * signed-session-age DURATION". */
void ss_require_register(apr_pool_t *pool);

#endif
