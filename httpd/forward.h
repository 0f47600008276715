/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FORWARD_H
#define SS_FORWARD_H

#include "httpd/part.h"
#include "httpd/visit.h"

/**
 * Remove from the request every copy of a header that only this module and applications use
 * (SignedSessionForward and SignedSessionUpdate of any server), in every
 * spelling that a backend may take for it; and their names from Connection, with which a client
 * could make mod_proxy drop them. Also from its trailers, as far as they have come.
 */
void ss_forward_scrub(request_rec *r);

/** Where `r` is about to be handled, and its place sends headers: they are ours there, and what
 * others have set under their names goes, a client's or that of an author of .htaccess. Elsewhere
 * an administrator may use them. */
void ss_forward_claim(request_rec *r);

/** Would a script take the request header `name` for one that is removed here? */
int ss_forward_covers(const request_rec *r, const char *name);

/** Start-up: what one virtual host forwards, another one's client must not send. */
ss_part_fn ss_forward_reserve;

/** Register the filter that looks at trailers; once, from the module's register function. */
void ss_forward_register(void);

/** insert_filter hook: have trailers looked at when the body has been read. */
void ss_forward_insert(request_rec *r);

/** Remove what was sent to backends of other requests of the chain. */
void ss_forward_withdraw(request_rec *r, const ss_visit_t *visit);

/** Is anything of the session to be sent from here? */
int ss_forward_is_on(const ss_dir_conf_t *dir);

/** From fixups and before the handler: send the session to backends in the header of
 * SignedSessionForward.
 *
 * @param visit  loaded; NULL when the client has no session
 * @return       OK; HTTP_INTERNAL_SERVER_ERROR when a header would be longer than backends accept:
 *               without it the client would be nobody there (SS0419) */
int ss_forward_send(request_rec *r, ss_visit_t *visit);

#endif
