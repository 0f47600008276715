/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/form.h"
#include "lib/encode.h"

#define FIELDS_AT_FIRST 8

/* Cut `text` at the first `mark`. Returns what stands before it; `text` becomes what is behind it,
 * an absent slice when there was no mark. */
static ss_bytes_t cut(ss_bytes_t *text, char mark)
{
    ss_bytes_t before = *text;
    const char *found = text->len == 0 ? NULL : memchr(text->data, mark, text->len);

    if (found == NULL) {
        *text = ss_absent;
        return before;
    }
    before.len = (apr_size_t)(found - before.data);
    *text = ss_bytes(found + 1, text->len - before.len - 1);
    return before;
}

/* Returns NULL, or what is wrong. */
static const char *decode(ss_bytes_t *decoded, ss_bytes_t text, apr_pool_t *pool)
{
    if (ss_percent_decode(decoded, text, 1, pool) != APR_SUCCESS) {
        return "a % is not followed by two hexadecimal digits";
    }
    return ss_utf8_is_valid(*decoded) ? NULL : "it is not UTF-8";
}

apr_status_t ss_form_parse(apr_array_header_t **fields, const char **why, ss_bytes_t body,
                           apr_pool_t *pool)
{
    apr_array_header_t *found = apr_array_make(pool, FIELDS_AT_FIRST, sizeof(ss_form_field_t));

    *fields = NULL;
    while (body.data != NULL) {
        ss_bytes_t value = cut(&body, '&');
        ss_form_field_t *field;
        const char *wrong;

        if (value.len == 0) {
            continue;
        }
        field = apr_array_push(found);
        wrong = decode(&field->name, cut(&value, '='), pool);
        if (wrong == NULL) {
            wrong = decode(&field->value, value, pool);
        }
        if (wrong != NULL) {
            *why = apr_psprintf(pool, "in field %d of the form, %s", found->nelts, wrong);
            return APR_EINVAL;
        }
    }
    *fields = found;
    return APR_SUCCESS;
}
