/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_GUARD_H
#define SS_GUARD_H

#include <httpd.h>

/**
 * header_parser hook, before any access check and whatever `Satisfy` says, and handler hook, before
 * all others, for whom another place has got since, and for subrequests: where SignedSessionGuard
 * is On, a request of another site that may change something is refused.
 *
 * @return  DECLINED or HTTP_FORBIDDEN
 */
int ss_guard_check(request_rec *r);

#endif
