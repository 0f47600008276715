/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "tests/fuzz/fuzz.h"

static ss_bytes_t encode(apr_int64_t number, apr_pool_t *pool)
{
    char *text = fuzz_alloc(SS_BASE62_MAX, pool);
    apr_size_t len = ss_base62_encode(text, number);

    MUST(len >= 1 && len <= SS_BASE62_MAX);
    return ss_bytes(text, len);
}

/* Of all texts only the one that is written is read. */
static void judge_text(ss_bytes_t text, apr_pool_t *pool)
{
    apr_int64_t number;

    if (ss_base62_decode(&number, text) == APR_SUCCESS) {
        MUST(number >= 0 && ss_bytes_equal(encode(number, pool), text));
    }
    else {
        MUST(number == 0);
    }
}

static void judge_number(ss_bytes_t input, apr_pool_t *pool)
{
    apr_uint64_t bits = 0;
    apr_int64_t number, again;

    for (int i = 0; i < 8; i++) {
        bits = bits << 8 | fuzz_byte(&input);
    }
    number = (apr_int64_t)(bits >> 1);
    MUST(ss_base62_decode(&again, encode(number, pool)) == APR_SUCCESS && again == number);
}

/* Input: a text that may be a number; its first eight bytes are also taken for one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    judge_text(fuzz_bytes(data, size), pool);
    judge_number(fuzz_bytes(data, size), pool);

    apr_pool_destroy(pool);
    return 0;
}
