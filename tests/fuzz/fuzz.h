/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

#include "lib/json/json.h"
#include "tests/must.h"

/* What every fuzz target shares. A target is one function: it returns, or it aborts because
 * something does not hold that must hold for any bytes. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A pool for one input; destroy it at the end. */
static inline apr_pool_t *fuzz_pool(void)
{
    static int initialized;
    apr_pool_t *pool;

    if (!initialized) {
        MUST(apr_initialize() == APR_SUCCESS);
        initialized = 1;
    }
    MUST(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    return pool;
}

/** The input as bytes. */
static inline ss_bytes_t fuzz_bytes(const uint8_t *data, size_t size)
{
    return ss_bytes((const char *)data, size);
}

static inline apr_status_t fuzz_free(void *data)
{
    free(data);
    return APR_SUCCESS;
}

/** `size` zeroes, not one to spare: behind them a sanitizer sees the first byte that is read or
 * written. A pool rounds up. Freed with `pool`. */
static inline char *fuzz_alloc(size_t size, apr_pool_t *pool)
{
    char *data = calloc(1, size);

    MUST(data != NULL || size == 0);
    apr_pool_cleanup_register(pool, data, fuzz_free, apr_pool_cleanup_null);
    return data;
}

/** A copy of that kind. */
static inline ss_bytes_t fuzz_exact(ss_bytes_t bytes, apr_pool_t *pool)
{
    char *copy = fuzz_alloc(bytes.len, pool);

    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    return ss_bytes(copy, bytes.len);
}

/** Cut the input's next part off, which ends at a NUL or with the input. */
static inline ss_bytes_t fuzz_part(ss_bytes_t *input)
{
    const char *nul = input->len > 0 ? memchr(input->data, '\0', input->len) : NULL;
    ss_bytes_t part =
        ss_bytes(input->data, nul != NULL ? (apr_size_t)(nul - input->data) : input->len);
    apr_size_t used = part.len + (nul != NULL);

    *input = ss_bytes(input->data + used, input->len - used);
    return part;
}

/** The next part as a terminated string, with not one byte to spare. */
static inline const char *fuzz_text(ss_bytes_t *input, apr_pool_t *pool)
{
    ss_bytes_t part = fuzz_part(input);
    char *text = fuzz_alloc(part.len + 1, pool);

    if (part.len > 0) {
        memcpy(text, part.data, part.len);
    }
    text[part.len] = '\0';
    return text;
}

/** Cut the next byte off; 0 when there is none left. */
static inline unsigned fuzz_byte(ss_bytes_t *input)
{
    unsigned byte = 0;

    if (input->len > 0) {
        byte = (unsigned char)input->data[0];
        *input = ss_bytes(input->data + 1, input->len - 1);
    }
    return byte;
}

/** The value that a text is which must be JSON. */
static inline ss_json_t fuzz_json(ss_bytes_t text)
{
    ss_json_t value;

    MUST(ss_json_check(&value, text, SS_JSON_PYTHON, NULL) == APR_SUCCESS);
    return value;
}

/** Every byte as %XX. */
static inline ss_bytes_t fuzz_percent(ss_bytes_t bytes, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 3 * bytes.len + 1);
    apr_size_t i;

    for (i = 0; i < bytes.len; i++) {
        apr_snprintf(text + 3 * i, 4, "%%%02x", (unsigned char)bytes.data[i]);
    }
    return ss_bytes(text, 3 * bytes.len);
}

#endif
