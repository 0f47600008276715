/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_RETURN_PATH_H
#define SS_RETURN_PATH_H

#include "lib/base.h"

/* The address that a login leads back to. It travels through the client, as a parameter of a query,
 * so it is anybody's: whoever follows it unseen sends his visitors wherever a link says. */

#define SS_RETURN_PATH_MAX 2048 /* bytes of path and query, decoded */

/**
 * The value of the first parameter of this name, as it stands in the query: still encoded.
 *
 * @param query  what stands behind the `?`; may be NULL
 * @param name   letters, digits and `-._~`, which nobody needs to encode
 * @return       a slice of `query`, empty for a name without `=`; ss_absent when there is none
 */
ss_bytes_t ss_query_find(const char *query, const char *name);

/**
 * Is this path, with or without a query, one of this server's, however a browser reads it? It
 * begins with one `/` that no `/` or `\` follows, has no backslash and no control character, no
 * segment `.` or `..` (also written with %2e), which a browser resolves, and is neither longer than
 * SS_RETURN_PATH_MAX nor empty.
 */
SS_MUST_USE int ss_return_path_is_safe(ss_bytes_t path);

/**
 * Understand a parameter: decoded once, as a form's field (`+` is a blank), and judged.
 *
 * @param value  as it stands in the query; may be absent
 * @return       a reference for Location, in `pool`, in which bytes that no URI may have (blanks,
 * non-ASCII, `"<>^{|}` and the backquote) are encoded; NULL when it is not safe
 */
const char *ss_return_path_read(ss_bytes_t value, apr_pool_t *pool);

/** A text as a parameter's value: every byte percent-encoded but unreserved ones (RFC 3986 section
 * 2.3) and `/`. In `pool`. */
const char *ss_return_path_print(const char *text, apr_pool_t *pool);

#endif
