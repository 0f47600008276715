/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_DEFLATE_H
#define SS_DEFLATE_H

#include "lib/base.h"

/* The only door to zlib (RFC 1950). */

#define SS_INFLATED_MAX (64 * 1024) /* bytes: three kilobytes can claim to be three megabytes */

/** Compress, with the settings that Python's zlib.compress has. `packed` is in `pool`; ss_absent
 * unless successful. Fails only for lack of memory. */
SS_MUST_USE apr_status_t ss_deflate(ss_bytes_t *packed, ss_bytes_t text, apr_pool_t *pool);

/**
 * Decompress.
 *
 * @param text  out: in `pool`; ss_absent unless successful
 * @return      APR_SUCCESS; APR_EINVAL when `packed` is not one whole stream and nothing else;
 *              APR_ENOSPC when it holds more than SS_INFLATED_MAX bytes; APR_ENOMEM
 *              after ss_out_of_memory()
 */
SS_MUST_USE apr_status_t ss_inflate(ss_bytes_t *text, ss_bytes_t packed, apr_pool_t *pool);

#endif
