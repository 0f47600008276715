/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json_text.h"

/* Everything that stands in a value, found in one pass: whoever goes down into it level by level
 * would otherwise read the deepest one as often as there are levels around it. */

#define NODES_AT_FIRST 16

/* Behind the number or word that begins at `at`. */
static const char *token_end(const char *at, const char *end)
{
    while (at < end && !ss_json_is_blank(*at) && *at != ',' && *at != ']' && *at != '}') {
        at++;
    }
    return at;
}

/* Is what ends here a name? In a checked value nothing else has a colon behind it. */
static int is_name(const char *at, const char *end)
{
    while (at < end && ss_json_is_blank(*at)) {
        at++;
    }
    return at < end && *at == ':';
}

static ss_json_t slice(const char *from, const char *to)
{
    ss_json_t value = { ss_bytes(from, to - from) };

    return value;
}

static ss_json_node_t *add_node(apr_array_header_t *nodes, ss_json_t name, const char *from,
                                const char *to)
{
    ss_json_node_t *node = apr_array_push(nodes);

    node->name = name;
    node->value = slice(from, to);
    node->size = 1;
    return node;
}

/* The array or object of this number ends before `end`. Until now its size was the number of the
 * one around it, which is returned. */
static int close_node(apr_array_header_t *nodes, int number, const char *end)
{
    ss_json_node_t *node = &APR_ARRAY_IDX(nodes, number, ss_json_node_t);
    int around = node->size;

    node->value.raw.len = end - node->value.raw.data;
    node->size = nodes->nelts - number;
    return around;
}

const ss_json_node_t *ss_json_nodes(ss_json_t value, apr_pool_t *pool)
{
    apr_array_header_t *nodes = apr_array_make(pool, NODES_AT_FIRST, sizeof(ss_json_node_t));
    const char *at = value.raw.data, *end = at + value.raw.len, *start;
    int open = -1; /* the number of the innermost that is open */
    ss_json_t name = ss_json_absent;

    while (at < end) {
        start = at++;
        switch (*start) {
        case '{':
        case '[':
            add_node(nodes, name, start, at)->size = open;
            open = nodes->nelts - 1;
            name = ss_json_absent;
            break;
        case '}':
        case ']':
            open = close_node(nodes, open, at);
            break;
        case '"':
            at = ss_json_string_end(start, end);
            if (is_name(at, end)) {
                name = slice(start, at);
                break;
            }
            add_node(nodes, name, start, at);
            name = ss_json_absent;
            break;
        case ',':
        case ':':
            break;
        default:
            if (!ss_json_is_blank(*start)) {
                at = token_end(start, end);
                add_node(nodes, name, start, at);
                name = ss_json_absent;
            }
            break;
        }
    }
    return (const ss_json_node_t *)nodes->elts;
}

static int count_within(const ss_json_node_t *object)
{
    int count = 0;

    for (const ss_json_node_t *at = ss_json_first(object); at != NULL;
         at = ss_json_next(object, at)) {
        count++;
    }
    return count;
}

/* Of those with one name keep the last, which stands behind the others. */
static void keep_last(ss_index_t *names)
{
    int count = 0;

    for (int i = 0; i < names->count; i++) {
        if (i + 1 == names->count || !ss_index_is_same(names, i + 1)) {
            names->entries[count++] = names->entries[i];
        }
    }
    names->count = count;
}

ss_json_named_t ss_json_sort(const ss_json_node_t *object, apr_pool_t *pool)
{
    int max = count_within(object);
    ss_json_named_t named = { apr_palloc(pool, max * sizeof(*named.nodes)), 0,
                              ss_index_create(max, pool) };

    for (const ss_json_node_t *at = ss_json_first(object); at != NULL;
         at = ss_json_next(object, at)) {
        named.nodes[named.count++] = at;
        ss_index_add(&named.names, ss_json_decode(at->name, pool));
    }
    ss_index_sort(&named.names, pool);
    keep_last(&named.names);
    return named;
}
