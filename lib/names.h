/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_NAMES_H
#define SS_NAMES_H

#include "lib/base.h"

/**
 * A set that remembers names by a hash. It can be wrong only in saying that a name may be in it: so
 * a name that it has not seen needs no search for its double. Zero it before use.
 */
typedef struct ss_names_t {
    apr_uint64_t words[16];
} ss_names_t;

/** Add a name, in which the case of ASCII letters does not count; returns whether it, or one with
 * the same hash, was there already. */
int ss_names_add(ss_names_t *names, ss_bytes_t name);

#endif
