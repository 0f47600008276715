/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/form.h"
#include "tests/fuzz/fuzz.h"

/* The fields as a body in which every byte is escaped. */
static ss_bytes_t print_fields(const apr_array_header_t *fields, apr_pool_t *pool)
{
    const char *body = "";
    int i;

    for (i = 0; i < fields->nelts; i++) {
        const ss_form_field_t *field = &APR_ARRAY_IDX(fields, i, ss_form_field_t);
        ss_bytes_t name = fuzz_percent(field->name, pool), value = fuzz_percent(field->value, pool);

        body = apr_psprintf(pool, "%s%.*s=%.*s&", body, (int)name.len, name.data, (int)value.len,
                            value.data);
    }
    return ss_bytes_of(body);
}

static void judge_fields(const apr_array_header_t *fields, ss_bytes_t body, apr_pool_t *pool)
{
    apr_array_header_t *again;
    const char *why;
    int i;

    MUST((apr_size_t)fields->nelts <= body.len);
    MUST(ss_form_parse(&again, &why, print_fields(fields, pool), pool) == APR_SUCCESS);
    MUST(again->nelts == fields->nelts);
    for (i = 0; i < fields->nelts; i++) {
        const ss_form_field_t *field = &APR_ARRAY_IDX(fields, i, ss_form_field_t);
        const ss_form_field_t *same = &APR_ARRAY_IDX(again, i, ss_form_field_t);

        MUST(ss_utf8_is_valid(field->name) && ss_utf8_is_valid(field->value));
        MUST(ss_bytes_equal(field->name, same->name) && ss_bytes_equal(field->value, same->value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t body = fuzz_bytes(data, size);
    apr_array_header_t *fields;
    const char *why = NULL;

    if (ss_form_parse(&fields, &why, body, pool) == APR_SUCCESS) {
        judge_fields(fields, body, pool);
    }
    else {
        MUST(fields == NULL && why != NULL);
    }

    apr_pool_destroy(pool);
    return 0;
}
