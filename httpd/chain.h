/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_CHAIN_H
#define SS_CHAIN_H

#include <httpd.h>

/* What a client asks for may become a chain of requests: internal redirects, error documents,
 * subrequests. Here each of them begins. */

/**
 * post_read_request hook: a request begins, or an internal redirect, even one that is then refused.
 * What clients may not send is removed; what a predecessor changed is taken while it is known who
 * wrote it; the cookie is no longer hidden.
 */
int ss_chain_begin(request_rec *r);

/** fixups hook: what earlier requests were shown is withdrawn, and the session shown to whatever
 * answers this one. */
int ss_chain_show(request_rec *r);

/** quick_handler hook, before mod_cache's: what browsers say to bind a session is answered before
 * anybody else is asked; and a subrequest is looked up by the client's cookie, which its main
 * request may hide by now. */
int ss_chain_look_up(request_rec *r, int lookup);

/** handler hook, before mod_cache's: mod_dir and others may have led the request here since its
 * access was checked, and what a place asks for is asked once more. */
int ss_chain_arrive(request_rec *r);

/**
 * handler hook, after mod_cache's, before all others: shown once more, as the configuration of the
 * request that is answered says; mod_dir, SSI and others carry variables and headers of one request
 * over to another after its fixups. The cookie is hidden. Declines.
 */
int ss_chain_run(request_rec *r);

#endif
