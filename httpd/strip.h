/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STRIP_H
#define SS_STRIP_H

#include "httpd/visit.h"

/*
 * SignedSessionStripCookie: hide the session cookie from scripts and backends.
 *
 * Not earlier than in the handler phase, because mod_cache looks pages up, and stores them, by the
 * Cookie header: without our cookie in it, one visitor would get another's page. So the header is
 * changed when mod_cache has looked, and restored before it stores. That holds for subrequests,
 * too: one that begins while the main request's cookie is hidden has a table of headers of its own.
 */

/** Does a value look like a native cookie of this server? Nothing is verified.
 *
 * @param r  request_rec */
int ss_strip_is_ours(ss_bytes_t value, const void *r);

/** From fixups: decide what is hidden in the rest of the chain; never less than before. */
void ss_strip_decide(request_rec *r);

/** What may be seen of a Cookie header that a script of an earlier request was given; NULL:
 * nothing.
 */
const char *ss_strip_from(request_rec *r, const ss_visit_t *visit, const char *header);

/** The request is about to be looked up in a cache, by the header that the client has sent: not by
 * what a main request hides from its own handler, or what RequestHeader has made of it. */
void ss_strip_show_client(request_rec *r);

/** Hide it; before the handler. */
void ss_strip_cookie(request_rec *r, ss_visit_t *visit);

/** Show the client's own header again: before mod_cache stores, and when an internal redirect
 * begins. */
void ss_strip_restore(request_rec *r);

#endif
