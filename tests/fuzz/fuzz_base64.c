/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "tests/fuzz/fuzz.h"

static ss_bytes_t encode(ss_base64_e variant, ss_bytes_t bytes, apr_pool_t *pool)
{
    apr_size_t size = ss_base64_size(variant, bytes.len);
    char *text = apr_palloc(pool, size + 1);

    MUST(ss_base64_encode(variant, text, bytes) == size);
    return ss_bytes(text, size);
}

static void judge(ss_base64_e variant, ss_bytes_t input, apr_pool_t *pool)
{
    ss_bytes_t text, bytes;

    /* as bytes: encoded and decoded they are the same */
    text = encode(variant, input, pool);
    MUST(ss_base64_decode(variant, &bytes, text, pool) == APR_SUCCESS);
    MUST(ss_bytes_equal(bytes, input));

    /* as text: what is accepted is the one spelling of its value */
    if (ss_base64_decode(variant, &bytes, input, pool) == APR_SUCCESS) {
        MUST(bytes.data != NULL);
        MUST(ss_bytes_equal(encode(variant, bytes, pool), input));
    }
    else {
        MUST(bytes.data == NULL && bytes.len == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    judge(SS_BASE64, fuzz_bytes(data, size), pool);
    judge(SS_BASE64URL, fuzz_bytes(data, size), pool);

    apr_pool_destroy(pool);
    return 0;
}
