/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json_text.h"

/* A merge patch (RFC 7396), applied in one pass over both texts. */

static const ss_json_node_t no_members = { { { NULL, 0 } }, { { "{}", 2 } }, 1 };

/* What becomes of the members of one object. */
typedef struct merge_t {
    ss_json_named_t changes;    /* members of the patch */
    const ss_json_node_t **old; /* by their numbers: the member of the target that each is for */
    int is_first;               /* has nothing been written yet? */
} merge_t;

/* The number of the change that is for this member of the target; -1 when it stays as it is. */
static int change_of(const merge_t *merge, const ss_json_node_t *member, apr_pool_t *pool)
{
    return ss_index_find(&merge->changes.names, ss_json_decode(member->name, pool));
}

static merge_t start_merge(const ss_json_node_t *target, const ss_json_node_t *patch,
                           apr_pool_t *pool)
{
    merge_t merge = { ss_json_sort(patch, pool), NULL, 1 };
    const ss_json_node_t *member = ss_json_first(target);

    merge.old = apr_pcalloc(pool, merge.changes.count * sizeof(*merge.old));
    for (; member != NULL; member = ss_json_next(target, member)) {
        int number = change_of(&merge, member, pool);

        if (number >= 0) {
            merge.old[number] = member; /* of several with one name the last counts */
        }
    }
    return merge;
}

static ss_out_t put_name(ss_out_t out, merge_t *merge, ss_json_t name)
{
    if (!merge->is_first) {
        out = ss_out_put_char(out, ',');
    }
    merge->is_first = 0;
    out = ss_out_put(out, name.raw);
    return ss_out_put_char(out, ':');
}

static ss_out_t put_merged(ss_out_t out, const ss_json_node_t *target, const ss_json_node_t *patch,
                           apr_pool_t *pool);

static ss_out_t put_changed(ss_out_t out, merge_t *merge, const ss_json_node_t *old,
                            const ss_json_node_t *change, apr_pool_t *pool)
{
    if (ss_json_kind(change->value) == SS_JSON_NULL) {
        return out;
    }
    out = put_name(out, merge, old != NULL ? old->name : change->name);
    return put_merged(out, old, change, pool);
}

/* What was there, each in its place. */
static ss_out_t put_old(ss_out_t out, merge_t *merge, const ss_json_node_t *target,
                        apr_pool_t *pool)
{
    const ss_json_node_t *member = ss_json_first(target);

    for (; member != NULL; member = ss_json_next(target, member)) {
        int number = change_of(merge, member, pool);

        if (number < 0) {
            out = put_name(out, merge, member->name);
            out = ss_out_put(out, member->value.raw);
        }
        else if (merge->old[number] == member) {
            out = put_changed(out, merge, member, merge->changes.nodes[number], pool);
        }
    }
    return out;
}

static ss_out_t put_new(ss_out_t out, merge_t *merge, apr_pool_t *pool)
{
    for (int i = 0; i < merge->changes.count; i++) {
        if (merge->old[i] == NULL) {
            out = put_changed(out, merge, NULL, merge->changes.nodes[i], pool);
        }
    }
    return out;
}

static ss_out_t put_merged(ss_out_t out, const ss_json_node_t *target, const ss_json_node_t *patch,
                           apr_pool_t *pool)
{
    merge_t merge;

    if (ss_json_kind(patch->value) != SS_JSON_OBJECT) {
        return ss_out_put(out, ss_json_compact(patch->value, SS_JSON_AS_IS, pool).raw);
    }
    if (target == NULL || ss_json_kind(target->value) != SS_JSON_OBJECT) {
        target = &no_members;
    }
    if (ss_json_first(patch) == NULL) {
        return ss_out_put(out, target->value.raw);
    }

    merge = start_merge(target, patch, pool);
    out = ss_out_put_char(out, '{');
    out = put_old(out, &merge, target, pool);
    out = put_new(out, &merge, pool);
    return ss_out_put_char(out, '}');
}

ss_json_t ss_json_merge(ss_json_t target, ss_json_t patch, apr_pool_t *pool)
{
    const ss_json_node_t *changes;
    ss_json_t merged;
    ss_out_t start, out;

    if (ss_json_kind(patch) != SS_JSON_OBJECT) {
        return ss_json_compact(patch, SS_JSON_AS_IS, pool);
    }
    if (target.raw.data == NULL || ss_json_kind(target) != SS_JSON_OBJECT) {
        target = ss_json_empty;
    }
    changes = ss_json_nodes(patch, pool);
    if (ss_json_first(changes) == NULL) {
        return target;
    }

    /* each name, colon, comma and brace that is written stands in one of the two */
    start = out = ss_out_create(target.raw.len + patch.raw.len, pool);
    out = put_merged(out, ss_json_nodes(target, pool), changes, pool);
    merged.raw = ss_out_slice(start, out);
    return merged;
}
