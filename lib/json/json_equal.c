/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json_text.h"

static int objects_equal(const ss_json_node_t *a, const ss_json_node_t *b, apr_pool_t *pool)
{
    const ss_json_named_t left = ss_json_sort(a, pool), right = ss_json_sort(b, pool);

    if (left.names.count != right.names.count) {
        return 0;
    }
    for (int i = 0; i < left.names.count; i++) {
        if (!ss_bytes_equal(left.names.entries[i].name, right.names.entries[i].name) ||
            !ss_json_nodes_equal(ss_json_in_order(&left, i), ss_json_in_order(&right, i), pool)) {
            return 0;
        }
    }
    return 1;
}

static int arrays_equal(const ss_json_node_t *a, const ss_json_node_t *b, apr_pool_t *pool)
{
    const ss_json_node_t *left = ss_json_first(a), *right = ss_json_first(b);

    while (left != NULL && right != NULL) {
        if (!ss_json_nodes_equal(left, right, pool)) {
            return 0;
        }
        left = ss_json_next(a, left);
        right = ss_json_next(b, right);
    }
    return left == right; /* both have ended */
}

static int scalars_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    return ss_json_kind(a) == SS_JSON_STRING
               ? ss_bytes_equal(ss_json_decode(a, pool), ss_json_decode(b, pool))
               : ss_bytes_equal(a.raw, b.raw);
}

int ss_json_nodes_equal(const ss_json_node_t *a, const ss_json_node_t *b, apr_pool_t *pool)
{
    ss_json_kind_e kind = ss_json_kind(a->value);

    if (kind != ss_json_kind(b->value)) {
        return 0;
    }
    switch (kind) {
    case SS_JSON_OBJECT:
        return objects_equal(a, b, pool);
    case SS_JSON_ARRAY:
        return arrays_equal(a, b, pool);
    default:
        return scalars_equal(a->value, b->value, pool);
    }
}

int ss_json_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    ss_json_kind_e kind = ss_json_kind(a);

    /* Only here, not on every level: what differs deep inside would be compared once for each. */
    if (ss_bytes_equal(a.raw, b.raw)) {
        return 1;
    }
    if (kind != ss_json_kind(b)) {
        return 0;
    }
    return kind == SS_JSON_OBJECT || kind == SS_JSON_ARRAY
               ? ss_json_nodes_equal(ss_json_nodes(a, pool), ss_json_nodes(b, pool), pool)
               : scalars_equal(a, b, pool);
}
