/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_JSON_TEXT_H
#define SS_JSON_TEXT_H

#include "lib/json/json.h"
#include "lib/names.h"
#include "lib/out.h"

/* What the json_*.c files know of the text of JSON, and nobody else needs to. */

static inline int ss_json_is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/** A value inside another one. What stands inside it follows as nodes of their own, in the order of
 * the text. */
typedef struct ss_json_node_t {
    ss_json_t name; /* as it is written; absent but for members of objects */
    ss_json_t value;
    int size; /* in nodes: 1, and those inside it */
} ss_json_node_t;

/** All that stands in a value, itself first. Takes one pass, and so do all levels together of
 * whatever goes down into it by the functions below. */
const ss_json_node_t *ss_json_nodes(ss_json_t value, apr_pool_t *pool);

/** The first member or item; NULL when there is none. */
static inline const ss_json_node_t *ss_json_first(const ss_json_node_t *node)
{
    return node->size > 1 ? node + 1 : NULL;
}

/** The one behind `at` in the same object or array; NULL at its end. */
static inline const ss_json_node_t *ss_json_next(const ss_json_node_t *node,
                                                 const ss_json_node_t *at)
{
    return at + at->size < node + node->size ? at + at->size : NULL;
}

/** The members of an object. */
typedef struct ss_json_named_t {
    const ss_json_node_t **nodes; /* in the order of the document */
    int count;
    ss_index_t names; /* decoded, with the numbers of their nodes; of several with one name only the
                         last */
} ss_json_named_t;

ss_json_named_t ss_json_sort(const ss_json_node_t *object, apr_pool_t *pool);

/** The i-th in the order of the index. */
static inline const ss_json_node_t *ss_json_in_order(const ss_json_named_t *named, int i)
{
    return named->nodes[named->names.entries[i].number];
}

/** Is it the same value? Both with what stands inside them. */
int ss_json_nodes_equal(const ss_json_node_t *a, const ss_json_node_t *b, apr_pool_t *pool);

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
