/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_errno.h>

#include "lib/deflate.h"
#include "tests/fuzz/fuzz.h"

/* As something compressed: it is one whole stream and nothing else, or it is refused. */
static void judge_packed(ss_bytes_t packed, apr_pool_t *pool)
{
    apr_status_t rv;
    ss_bytes_t text, other, again;

    rv = ss_inflate(&text, packed, pool);
    if (rv != APR_SUCCESS) {
        MUST(text.data == NULL && text.len == 0);
        return;
    }
    MUST(text.data != NULL && text.len <= SS_INFLATED_MAX);

    other = fuzz_exact(ss_bytes(packed.data, packed.len - 1), pool);
    MUST(ss_inflate(&again, other, pool) != APR_SUCCESS);
    other = ss_bytes(apr_pstrmemdup(pool, packed.data, packed.len), packed.len + 1);
    MUST(ss_inflate(&again, other, pool) == APR_EINVAL);
}

/* As a text: compressed and decompressed it is the same. */
static void judge_text(ss_bytes_t text, apr_pool_t *pool)
{
    ss_bytes_t packed, again;

    MUST(ss_deflate(&packed, text, pool) == APR_SUCCESS);
    MUST(ss_inflate(&again, fuzz_exact(packed, pool), pool) == APR_SUCCESS);
    MUST(ss_bytes_equal(again, text));
}

/* Input: something compressed, and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    judge_packed(fuzz_bytes(data, size), pool);
    judge_text(fuzz_bytes(data, size), pool);

    apr_pool_destroy(pool);
    return 0;
}
