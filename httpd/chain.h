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

/** handler hook, before mod_cache's: a subrequest is looked up by the client's cookie, which its
 * main request may hide by now. Declines. */
int ss_chain_look_up(request_rec *r);

/** The same for the quick_handler hook: mod_cache looks there, too. */
int ss_chain_look_up_quickly(request_rec *r, int lookup);

/**
 * handler hook, after mod_cache's, before all others: shown once more, as the configuration of the
 * request that is answered says; mod_dir, SSI and others carry variables and headers of one request
 * over to another after its fixups. The cookie is hidden. Declines.
 */
int ss_chain_run(request_rec *r);

#endif
