/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FIELD_H
#define SS_FIELD_H

#include <apr_tables.h>

#include "lib/base.h"

/* Header fields that are comma-separated lists (RFC 9110 section 5.6.1). NULL is an empty list. */

/** Is `name` a member, alone or with a value ("max-age=60" has the name "max-age")? Case does not
 * count. */
int ss_field_has(const char *list, const char *name);

/** May some backend take the one header field for the other? No matter which case, and any byte
 * that is no letter or digit counts as `-`. */
int ss_field_is_alike(const char *a, const char *b);

/** The rest of `name` behind what is alike `prefix`; NULL when it does not begin so. */
const char *ss_field_behind(const char *name, const char *prefix);

/** A Connection header, as mod_proxy takes it apart, without the words that are alike one of
 * `names` (const char *): `list` itself when there is none, NULL when nothing is left. Not NULL
 * itself. */
const char *ss_field_without(const char *list, const apr_array_header_t *names, apr_pool_t *pool);

/** The two lists as one; either may be NULL, both NULL give NULL. */
const char *ss_field_join(const char *first, const char *second, apr_pool_t *pool);

/**
 * A Cache-Control list that no shared cache stores: `private` is added, `public` and `s-maxage` are
 * dropped, and so is a `private` that is limited to some fields. The rest keeps its order.
 */
const char *ss_field_private(const char *cache_control, apr_pool_t *pool);

/** Is `type` named among these media types, with or without parameters, but for a weight of 0? Case
 * does not count. */
int ss_field_names_type(const char *accept, const char *type);

/** Is this Content-Type `type`, with or without parameters? Case does not count. NULL is no type.
 */
int ss_field_is_type(const char *content_type, const char *type);

#endif
