/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/split.h"
#include "tests/fuzz/fuzz.h"

/* A separator, NUL, and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    ss_bytes_t separator = fuzz_exact(fuzz_part(&input), pool), text = fuzz_exact(input, pool);
    ss_json_t array = separator.len > 0 ? ss_split(text, separator, pool) : ss_json_absent;

    if (array.raw.data != NULL) {
        const apr_array_header_t *items = ss_json_items(fuzz_json(array.raw), pool);

        MUST(ss_utf8_is_valid(text));
        MUST(items->nelts > 0 && (apr_size_t)items->nelts <= text.len);
        for (int i = 0; i < items->nelts; i++) {
            ss_bytes_t piece = ss_json_decode(APR_ARRAY_IDX(items, i, ss_json_t), pool);

            MUST(piece.len > 0 && piece.len <= text.len);
            MUST(piece.data[0] != ' ' && piece.data[piece.len - 1] != ' ');
        }
    }

    apr_pool_destroy(pool);
    return 0;
}
