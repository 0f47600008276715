/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FORWARD_H
#define SS_FORWARD_H

#include "httpd/part.h"
#include "httpd/visit.h"

/**
 * Remove from the request every copy of a header that only this module and applications use
 * (SignedSessionForward and SignedSessionUpdate of any server), in any case and with `_` for `-`;
 * and their names from Connection, with which a client could make mod_proxy drop them.
 */
void ss_forward_scrub(request_rec *r);

/** Would a script take the request header `name` for one that is removed here? */
int ss_forward_covers(const request_rec *r, const char *name);

/** Start-up: what one virtual host forwards, another one's client must not send. */
ss_part_fn ss_forward_reserve;

/** From fixups: send the session to backends in the header of SignedSessionForward.
 *
 * @param visit  loaded; NULL when the client has no session */
void ss_forward_send(request_rec *r, ss_visit_t *visit);

#endif
