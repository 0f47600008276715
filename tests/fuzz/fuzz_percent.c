/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "tests/fuzz/fuzz.h"

static int has(ss_bytes_t text, char c)
{
    return text.len > 0 && memchr(text.data, c, text.len) != NULL;
}

static void judge(ss_bytes_t text, int plus, apr_pool_t *pool)
{
    apr_status_t rv;
    ss_bytes_t bytes;

    /* as bytes: escaped and decoded they are the same */
    MUST(ss_percent_decode(&bytes, fuzz_percent(text, pool), plus, pool) == APR_SUCCESS);
    MUST(ss_bytes_equal(bytes, text));

    /* as text */
    rv = ss_percent_decode(&bytes, text, plus, pool);
    MUST(rv == APR_SUCCESS || (bytes.data == NULL && bytes.len == 0));
    MUST(bytes.len <= text.len);
    if (!has(text, '%')) {
        MUST(rv == APR_SUCCESS && bytes.len == text.len);
        MUST(ss_bytes_equal(bytes, text) || (plus && has(text, '+')));
    }
    else if (rv == APR_SUCCESS) {
        MUST(bytes.len + 2 <= text.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    judge(fuzz_bytes(data, size), 0, pool);
    judge(fuzz_bytes(data, size), 1, pool);

    apr_pool_destroy(pool);
    return 0;
}
