/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ENCODE_H
#define SS_ENCODE_H

#include "lib/base.h"

/**
 * base64 in its two alphabets (RFC 4648 sections 4 and 5).
 *
 * Decoding is strict, so that one value has exactly one spelling: only the alphabet, padding
 * exactly as the variant demands, spare bits of the last character zero. Encoding always yields
 * that spelling.
 */
typedef enum ss_base64_e {
    SS_BASE64,   /* + and /, padded with = */
    SS_BASE64URL /* - and _, never padded */
} ss_base64_e;

/** Characters needed to encode `len` bytes, without a terminating NUL. `len` is at most
 * APR_SIZE_MAX / 2. */
apr_size_t ss_base64_size(ss_base64_e variant, apr_size_t len);

/** Encode into `out`, which has room for ss_base64_size() characters; no NUL is added. Returns
 * their number. */
apr_size_t ss_base64_encode(ss_base64_e variant, char *out, ss_bytes_t bytes);

/**
 * Decode `text`.
 *
 * @param bytes  out: allocated in `pool`; ss_absent unless successful; an empty text gives an
 * empty, non-NULL value
 * @return       APR_SUCCESS, or APR_EINVAL for any other spelling than the canonical one
 */
SS_MUST_USE apr_status_t ss_base64_decode(ss_base64_e variant, ss_bytes_t *bytes, ss_bytes_t text,
                                          apr_pool_t *pool);

#define SS_BASE62_MAX 11 /* digits of any number */

/** Write a number in base 62, digits before capitals before small letters: what Django counts
 * seconds in. `number` is not negative; `out` has room for SS_BASE62_MAX characters; no NUL is
 * added. Returns how many were written. */
apr_size_t ss_base62_encode(char *out, apr_int64_t number);

/**
 * Read a number in base 62.
 *
 * @param number  out: 0 unless successful
 * @return        APR_SUCCESS, or APR_EINVAL: empty, another character, a leading zero, too large
 */
SS_MUST_USE apr_status_t ss_base62_decode(apr_int64_t *number, ss_bytes_t text);

/**
 * Decode `%XX` (RFC 3986 section 2.1) and, if `plus` is true, `+` as a blank
 * (application/x-www-form-urlencoded).
 *
 * @param bytes  out: allocated in `pool`, at most as long as `text`; ss_absent unless successful
 * @return       APR_SUCCESS, or APR_EINVAL when a % is not followed by two hexadecimal digits
 */
SS_MUST_USE apr_status_t ss_percent_decode(ss_bytes_t *bytes, ss_bytes_t text, int plus,
                                           apr_pool_t *pool);

/** Is this well-formed UTF-8 (RFC 3629: shortest form, no surrogates, nothing above U+10FFFF)? NUL
 * counts as a character. */
SS_MUST_USE int ss_utf8_is_valid(ss_bytes_t text);

#endif
