/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_VARS_H
#define SS_VARS_H

#include <httpd.h>

/**
 * post_read_request hook: a request begins, or an internal redirect, even one that is then refused.
 * What clients may not send is removed; what a predecessor changed is taken while it is known who
 * wrote it; the cookie is no longer hidden.
 */
int ss_vars_begin(request_rec *r);

/** fixups hook: show the session to whatever answers this request, as notes and environment. */
int ss_vars_publish(request_rec *r);

#endif
