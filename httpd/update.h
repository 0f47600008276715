/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_UPDATE_H
#define SS_UPDATE_H

#include "httpd/visit.h"

/** The merge patch that a handler or a Lua script has left in the note "session-update" of `r`, or
 * NULL.
 *
 * @param visit  loaded, or NULL */
const char *ss_update_note(const request_rec *r, const ss_visit_t *visit);

/**
 * Take what the applications behind the response of `r` want changed: the note, and the header of
 * SignedSessionUpdate in either table. Both are removed wherever they stand, judged by the
 * configuration of the request that produced them, and applied once. An invalid one changes nothing
 * and is logged. May run any number of times.
 */
void ss_update_take(request_rec *r);

/** Take what the predecessor of a redirected request wants changed. The two share a table of
 * headers, and later nobody could tell who wrote what: so when the redirect begins. */
void ss_update_take_predecessor(request_rec *r);

/** What stands in the response of `r` is nobody's word that counts: remove it, now and later. */
void ss_update_drop(request_rec *r);

#endif
