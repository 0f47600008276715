/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/return_path.h"
#include "tests/fuzz/fuzz.h"

/* A query with a parameter "return": whatever it is, a browser stays on this server. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    const char *query = fuzz_text(&input, pool), *path;
    ss_bytes_t value = ss_query_find(query, "return");

    MUST(value.data == NULL ||
         (value.data > query && value.data + value.len <= query + strlen(query)));
    path = ss_return_path_read(value, pool);
    if (path != NULL) {
        MUST(path[0] == '/' && path[1] != '/' && strlen(path) <= 3 * SS_RETURN_PATH_MAX);
        for (const char *c = path; *c != '\0'; c++) {
            MUST(*c > 0x20 && *c < 0x7F && *c != '\\');
        }
        if (strlen(path) <= SS_RETURN_PATH_MAX) {
            const char *again =
                ss_return_path_read(ss_bytes_of(ss_return_path_print(path, pool)), pool);

            MUST(again != NULL && strcmp(again, path) == 0);
        }
    }

    apr_pool_destroy(pool);
    return 0;
}
