/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SHORT_BASE64_H
#define SHORT_BASE64_H

#include "lib/encode.h"
#include "tests/must.h"

/* base64 group by group, which is too short for the code of lib/vector_base64.c: what that has to
 * agree with. Texts are at most 64 KB. */

#define SHORT_TEXT_MAX 65536

/** ss_base64_encode into `out` */
static inline apr_size_t short_encode(ss_base64_e variant, char *out, ss_bytes_t bytes)
{
    apr_size_t size = 0;

    for (apr_size_t at = 0; at < bytes.len; at += 3) {
        apr_size_t len = bytes.len - at < 3 ? bytes.len - at : 3;

        size += ss_base64_encode(variant, out + size, ss_bytes(bytes.data + at, len));
    }
    return size;
}

/** ss_base64_decode into `out`. Returns -1 when the text is refused, as it is where any group but
 * the last is not whole. */
static inline int short_decode(ss_base64_e variant, char *out, ss_bytes_t text, apr_pool_t *pool)
{
    int size = 0;

    MUST(text.len <= SHORT_TEXT_MAX);
    for (apr_size_t at = 0; at < text.len; at += 4) {
        apr_size_t len = text.len - at < 4 ? text.len - at : 4;
        ss_bytes_t group;

        if (ss_base64_decode(variant, &group, ss_bytes(text.data + at, len), pool) != APR_SUCCESS ||
            (group.len < 3 && at + 4 < text.len)) {
            return -1;
        }
        memcpy(out + size, group.data, group.len);
        size += (int)group.len;
    }
    return size;
}

#endif
