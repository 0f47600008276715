/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_VECTOR_BASE64_H
#define SS_VECTOR_BASE64_H

#include "lib/base.h"

/**
 * base64 in steps of 32 characters, for lib/encode.c alone, which does all that is left behind
 * them: the last bytes, padding, and saying that a text is none.
 *
 * Where the processor has no AVX2 both do nothing and return 0; so they do in a build for another
 * processor, or with "configure --disable-vector". The compiler's own library asks the processor
 * once, when the module is loaded.
 *
 * `is_url`: the alphabet of RFC 4648 section 5, not that of section 4.
 */

#if defined(__GNUC__) && defined(__x86_64__) && !defined(SS_NO_VECTOR)

/** Encode whole steps of 24 bytes into `out`. Returns how many bytes that were; 4 characters stand
 * in `out` for 3 of them. Nothing is read or written beyond what the arguments hold. */
apr_size_t ss_vector_base64_encode(int is_url, char *out, ss_bytes_t bytes);

/** Decode whole steps of 32 characters into `out`, up to the first step in which one is outside the
 * alphabet. Returns how many characters that were; 3 bytes stand in `out` for 4 of them. */
apr_size_t ss_vector_base64_decode(int is_url, unsigned char *out, ss_bytes_t text);

#else

static inline apr_size_t ss_vector_base64_encode(int is_url SS_UNUSED, char *out SS_UNUSED,
                                                 ss_bytes_t bytes SS_UNUSED)
{
    return 0;
}

static inline apr_size_t ss_vector_base64_decode(int is_url SS_UNUSED, unsigned char *out SS_UNUSED,
                                                 ss_bytes_t text SS_UNUSED)
{
    return 0;
}

#endif

#endif
