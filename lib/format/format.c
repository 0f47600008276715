/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/format/format.h"

extern const ss_format_t ss_format_native, ss_format_starlette, ss_format_flask, ss_format_django,
    ss_format_express;

const ss_format_t *const ss_formats[] = { &ss_format_native, &ss_format_starlette, &ss_format_flask,
                                          &ss_format_django, &ss_format_express,   NULL };

const ss_format_t *ss_format_named(const char *name)
{
    for (const ss_format_t *const *format = ss_formats; *format != NULL; format++) {
        if (strcmp((*format)->name, name) == 0) {
            return *format;
        }
    }
    return NULL;
}

const char *ss_format_names(apr_pool_t *pool)
{
    const char *names = ss_formats[0]->name;

    for (const ss_format_t *const *format = ss_formats + 1; *format != NULL; format++) {
        names = apr_pstrcat(pool, names, ", ", (*format)->name, NULL);
    }
    return names;
}

void ss_look_bytes(ss_look_t *look, const char *name, ss_part_e kind, ss_bytes_t bytes)
{
    const ss_part_t part = { name, kind, bytes, 0, kind == SS_PART_TEXT ? 0 : bytes.len };

    *(ss_part_t *)apr_array_push(look->parts) = part;
}

void ss_look_number(ss_look_t *look, const char *name, ss_part_e kind, apr_int64_t number,
                    apr_size_t size)
{
    const ss_part_t part = { name, kind, { NULL, 0 }, number, size };

    *(ss_part_t *)apr_array_push(look->parts) = part;
}

void ss_look_size(ss_look_t *look, apr_size_t size)
{
    APR_ARRAY_IDX(look->parts, look->parts->nelts - 1, ss_part_t).size = size;
}

const char *ss_format_refusal(apr_status_t rv)
{
    switch (rv) {
    case SS_TOO_MUCH_TEXT:
        return "it has more than 64 KiB of JSON, which a compressed cookie may not hold";
    case SS_LONG_INTEGER:
        return "it has an integer of more than 4300 digits, which Python does not read";
    case SS_OWNED:
        return "the client's cookie is an application's, which can read it though it cannot be "
               "used here: it may only be ended";
    default:
        return NULL;
    }
}
