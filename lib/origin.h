/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ORIGIN_H
#define SS_ORIGIN_H

#include <apr_tables.h>

#include "lib/base.h"

/* Cross-site protection without tokens, from the headers that browsers send and scripts cannot
 * forge. */

/**
 * Bring an origin of the configuration (`scheme://host[:port]`, http or https) into the spelling
 * that browsers send: lower case, no default port.
 *
 * @param origin  out: in `pool`; undefined on failure
 * @return        NULL, or what is wrong and what is accepted; `null`, `*`, a path and user
 * information are refused
 */
SS_MUST_USE const char *ss_origin_parse(const char **origin, const char *text, apr_pool_t *pool);

/** What a request says of where it comes from; NULL for a header that is absent. */
typedef struct ss_caller_t {
    const char *sec_fetch_site;
    const char *origin;
    const char *host;   /* the Host header */
    const char *scheme; /* "http" or "https": of this request; the default port of `host` */
    const apr_array_header_t *trusted; /* const char *, as ss_origin_parse printed them */
} ss_caller_t;

/** Is the caller's Origin one of the trusted ones? */
int ss_origin_is_trusted(const ss_caller_t *caller);

/**
 * May this caller change something? The first line that fits decides:
 * Sec-Fetch-Site same-origin or none: yes. Origin trusted: yes. Any other Sec-Fetch-Site: no.
 * An Origin: only if its host and port equal those of Host. Neither header: not a browser, yes.
 */
SS_MUST_USE int ss_origin_may_change(const ss_caller_t *caller);

#endif
