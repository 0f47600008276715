/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_JSON_TEXT_H
#define SS_JSON_TEXT_H

#include "lib/json/json.h"
#include "lib/out.h"

/* What the json_*.c files know of the text of JSON, and nobody else needs to. */

static inline int ss_json_is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/** The members of an object that count, by name: of several with one name the last. */
apr_array_header_t *ss_json_sorted_members(ss_json_t object, apr_pool_t *pool);

/** In the order of the above; 0 when two names are the same. */
int ss_json_compare_names(ss_bytes_t a, ss_bytes_t b);

/** Behind the string that begins at `at`, in a checked value that ends at `end` or later. */
static inline const char *ss_json_string_end(const char *at, const char *end)
{
    const char *quote = at, *backslash;

    do {
        quote++;
        quote = memchr(quote, '"', end - quote);
        for (backslash = quote; backslash[-1] == '\\'; backslash--) {
        }
    } while ((quote - backslash) % 2 != 0); /* an odd one escapes the quote */
    return quote + 1;
}

/** \uXXXX */
static inline ss_out_t ss_json_put_escape(ss_out_t out, unsigned unit)
{
    static const char hex[] = "0123456789abcdef";
    const char escape[] = {
        '\\', 'u', hex[unit >> 12], hex[(unit >> 8) & 15], hex[(unit >> 4) & 15], hex[unit & 15]
    };

    return ss_out_put(out, ss_bytes(escape, sizeof(escape)));
}

#endif
