/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/fuzz/fuzz.h"
#include "tests/short_base64.h"

/* In long steps and in single groups: the same bytes, the same text, the same refusals. */
static void judge(ss_base64_e variant, ss_bytes_t input, apr_pool_t *pool)
{
    apr_size_t size = ss_base64_size(variant, input.len);
    char *text = fuzz_alloc(size, pool), *want = fuzz_alloc(size, pool);
    ss_bytes_t bytes;
    int decoded;

    MUST(ss_base64_encode(variant, text, input) == size);
    MUST(short_encode(variant, want, input) == size);
    MUST(size == 0 || memcmp(text, want, size) == 0);

    decoded = short_decode(variant, want, input, pool);
    if (ss_base64_decode(variant, &bytes, input, pool) == APR_SUCCESS) {
        MUST(decoded >= 0 && ss_bytes_equal(bytes, ss_bytes(want, (apr_size_t)decoded)));
    }
    else {
        MUST(decoded < 0 && bytes.data == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input =
        fuzz_exact(fuzz_bytes(data, size < SHORT_TEXT_MAX ? size : SHORT_TEXT_MAX), pool);

    judge(SS_BASE64, input, pool);
    judge(SS_BASE64URL, input, pool);

    apr_pool_destroy(pool);
    return 0;
}
