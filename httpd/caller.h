/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_CALLER_H
#define SS_CALLER_H

#include <httpd.h>

#include "lib/origin.h"

/* Who has caused this request: httpd, or whom the browser names. Its headers of the name Sec-...
 * cannot be set by a script of a page. */

/** What `r` says of where it comes from; with the origins that its place trusts. */
ss_caller_t ss_caller_of(request_rec *r);

/** Does a header say exactly this? */
int ss_caller_says(const request_rec *r, const char *header, const char *value);

/** Is it the ErrorDocument of a request that was refused or failed? */
int ss_caller_is_error(const request_rec *r);

/** Has a browser opened this by plain http, as far as it says? It sends Sec-Fetch-... wherever it
 * trusts the way, and so does not elsewhere. */
int ss_caller_is_by_http(request_rec *r);

/** Does a browser say that it asks for a part of a page, or for a script, and not for a page? */
int ss_caller_is_part(const request_rec *r);

/**
 * Was the request caused without the visitor's doing: by another site, and not by a navigation of
 * the whole page, nor by an origin that this place trusts? Or is it only a prefetch?
 */
int ss_caller_is_bystander(request_rec *r);

#endif
