/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_RULES_H
#define SS_RULES_H

#include <httpd.h>

/* SignedSessionSet, SignedSessionUnset, SignedSessionClear: changes that the configuration makes
 * when a request is answered. */

/**
 * Apply the rules of every request of the chain that `r` ends, oldest first, after what
 * applications changed. May run again for another response to the same request: the rules are then
 * judged anew.
 */
void ss_rules_apply(request_rec *r);

/** Does any request of the chain that `r` ends take something out of the session, whoever asks? */
int ss_rules_take_away(request_rec *r);

#endif
