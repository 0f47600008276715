/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SIPHASH_H
#define SS_SIPHASH_H

#include "lib/base.h"

#define SS_SIPHASH_KEY_SIZE 16 /* bytes, random */

/**
 * SipHash-1-3 of a text: who does not know the key cannot choose texts that collide, and learns
 * nothing of it from how long a table of them is searched.
 *
 * @param key  SS_SIPHASH_KEY_SIZE bytes
 *
 * Source: J.-P. Aumasson and D. J. Bernstein, SipHash: a fast short-input PRF (2012).
 */
apr_uint64_t ss_siphash(const unsigned char *key, ss_bytes_t text);

#endif
