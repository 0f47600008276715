/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SAVING_H
#define SS_SAVING_H

#include "httpd/visit.h"

/**
 * The Set-Cookie value that the response must carry, or NULL for none, and its companion's in
 * visit->saving; a session that lives in a store has been saved there. Done anew only when the
 * session changed since the last call, so that a second run of a filter cannot differ.
 *
 * @param may_renew  may an unchanged session get a fresh time?
 * @return  APR_SUCCESS; what httpd/unsaved.h knows: the client then keeps the cookie it has
 */
SS_MUST_USE apr_status_t ss_saving_seal(ss_visit_t *visit, int may_renew, const char **set_cookie);

/** Is it too large for every place, as far as this status of ss_saving_seal says? */
int ss_saving_is_too_large(apr_status_t rv);

#endif
