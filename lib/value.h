/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_VALUE_H
#define SS_VALUE_H

#include "lib/session.h"

/* How a value of the session becomes text, the same everywhere. */

/**
 * Strings decoded; numbers, true, false and null as written; arrays and objects as compact JSON, in
 * which NaN and the infinities are null.
 *
 * @return  a slice of `value` or in `pool`, not terminated; ss_absent for a string that may not
 * leave alone (control characters)
 */
ss_bytes_t ss_value_slice(ss_json_t value, apr_pool_t *pool);

/** The same as a terminated text in `pool`, or NULL. */
const char *ss_value_text(ss_json_t value, apr_pool_t *pool);

/**
 * The value that readers mean by `path`: the top-level key of exactly this name if there is
 * one, else what dots lead to. Absent when there is none.
 */
ss_json_t ss_value_find(ss_session_t *session, const char *path, apr_pool_t *pool);

#endif
