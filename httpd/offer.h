/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_OFFER_H
#define SS_OFFER_H

#include "httpd/proving.h"
#include "httpd/visit.h"

/* SignedSessionBind: browsers that can are asked to bind the session. What they then say goes to
 * the endpoint of bind.c, and to nothing else. */

#define SS_OFFER_RESPONSE "Secure-Session-Response"
#define SS_OFFER_IDENTIFIER "Sec-Secure-Session-Id"

/** Did the client come by https? */
int ss_offer_is_https(request_rec *r);

/** Is this a client's request for the endpoint? */
int ss_offer_is_endpoint(const request_rec *r);

/** A challenge, terminated; NULL: libcrypto failed. */
const char *ss_offer_challenge(ss_challenge_e purpose, const ss_server_conf_t *conf,
                               const ss_stamp_t *stamp, apr_time_t now, apr_pool_t *pool);

/** Is the browser to be asked to bind its session, with the response that `r` is about to get? To
 * be called when the session has been saved. */
void ss_offer_decide(request_rec *r, ss_visit_t *visit);

/** Then: the header that asks it. */
void ss_offer_write(request_rec *r, const ss_visit_t *visit);

/** Take what browsers say to the endpoint out of a request. */
void ss_offer_drop(request_rec *r);

/** The same in a request for anything else. */
void ss_offer_scrub(request_rec *r);

#endif
