/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_errno.h>
#include <zlib.h>

#include "lib/deflate.h"

#define ROOM_AT_FIRST (8 * 1024) /* nearly every session fits; the other size is the limit */

apr_status_t ss_deflate(ss_bytes_t *packed, ss_bytes_t text, apr_pool_t *pool)
{
    uLongf size = compressBound(text.len);
    Bytef *out = apr_palloc(pool, size);

    *packed = ss_absent;
    if (compress2(out, &size, (const Bytef *)text.data, text.len, Z_DEFAULT_COMPRESSION) != Z_OK) {
        return APR_ENOMEM;
    }
    *packed = ss_bytes((const char *)out, size);
    return APR_SUCCESS;
}

static apr_status_t inflate_into(ss_bytes_t *text, apr_size_t room, ss_bytes_t packed,
                                 apr_pool_t *pool)
{
    Bytef *out = apr_palloc(pool, room);
    uLongf size = room;
    uLong used = packed.len;
    int result = uncompress2(out, &size, (const Bytef *)packed.data, &used);

    if (result == Z_BUF_ERROR) {
        return APR_ENOSPC;
    }
    if (result == Z_MEM_ERROR) {
        ss_out_of_memory(pool);
        return APR_ENOMEM;
    }
    if (result != Z_OK || used != packed.len) {
        return APR_EINVAL;
    }
    *text = ss_bytes((const char *)out, size);
    return APR_SUCCESS;
}

apr_status_t ss_inflate(ss_bytes_t *text, ss_bytes_t packed, apr_pool_t *pool)
{
    apr_status_t rv;

    *text = ss_absent;
    rv = inflate_into(text, ROOM_AT_FIRST, packed, pool);
    if (rv == APR_ENOSPC) {
        rv = inflate_into(text, SS_INFLATED_MAX, packed, pool);
    }
    return rv;
}
