/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json_text.h"

/** An array or object that is still open. */
typedef struct level_t {
    int is_object;
    int members;
    int blank; /* does the last name begin with a blank? */
} level_t;

static int begins_with_blank(const char *quoted)
{
    return quoted[1] == ' ' || strncmp(quoted + 1, "\\u0020", 6) == 0;
}

int ss_json_has_tag(ss_json_t value)
{
    level_t levels[SS_JSON_DEPTH_MAX + 1], *level = levels;
    const char *end = value.raw.data + value.raw.len;
    int name_next = 0; /* is the next string a name? */

    memset(level, 0, sizeof(*level));
    for (const char *at = value.raw.data; at < end; at++) {
        switch (*at) {
        case '{':
        case '[':
            level++;
            memset(level, 0, sizeof(*level));
            level->is_object = name_next = *at == '{';
            break;
        case '}':
        case ']':
            if (level->members == 1 && level->blank) {
                return 1;
            }
            level--;
            name_next = 0;
            break;
        case ',':
            name_next = level->is_object;
            break;
        case '"':
            if (name_next) {
                level->members++;
                level->blank = begins_with_blank(at);
                name_next = 0;
            }
            at = ss_json_string_end(at, end) - 1;
            break;
        default:
            break;
        }
    }
    return 0;
}

/* Is this object a tag? */
static int is_tag(const ss_json_node_t *node)
{
    const ss_json_node_t *only = ss_json_first(node);

    return only != NULL && ss_json_kind(node->value) == SS_JSON_OBJECT &&
           ss_json_next(node, only) == NULL && begins_with_blank(only->name.raw.data);
}

/** Nodes, and which of them are a tag, or have one inside. */
typedef struct tagged_t {
    const ss_json_node_t *nodes;
    unsigned char *has_tag; /* for each of them */
} tagged_t;

static int node_has_tag(const tagged_t *tagged, const ss_json_node_t *node)
{
    return tagged->has_tag[node - tagged->nodes];
}

/* From the last one: what stands inside a node stands behind it. */
static tagged_t find_tags(const ss_json_node_t *nodes, apr_pool_t *pool)
{
    const tagged_t tagged = { nodes, apr_palloc(pool, nodes->size) };

    for (int i = nodes->size - 1; i >= 0; i--) {
        const ss_json_node_t *inner = ss_json_first(&nodes[i]);
        int has = is_tag(&nodes[i]);

        for (; inner != NULL && !has; inner = ss_json_next(&nodes[i], inner)) {
            has = node_has_tag(&tagged, inner);
        }
        tagged.has_tag[i] = (unsigned char)has;
    }
    return tagged;
}

static int adds_tag(const ss_json_node_t *before, const ss_json_node_t *after,
                    const tagged_t *tagged, apr_pool_t *pool);

/* Does one of the members add one? */
static int member_adds_tag(const ss_json_node_t *before, const ss_json_node_t *after,
                           const tagged_t *tagged, apr_pool_t *pool)
{
    const ss_json_named_t old = ss_json_sort(before, pool), new = ss_json_sort(after, pool);

    for (int i = 0; i < new.names.count; i++) {
        int number = ss_index_find(&old.names, new.names.entries[i].name);
        const ss_json_node_t *same = number < 0 ? NULL : old.nodes[number];

        if (adds_tag(same, ss_json_in_order(&new, i), tagged, pool)) {
            return 1;
        }
    }
    return 0;
}

/* Equality looks into the depth itself, so it is asked only where the way down ends: on a tag, on
 * an array, on another kind of value. */
static int adds_tag(const ss_json_node_t *before, const ss_json_node_t *after,
                    const tagged_t *tagged, apr_pool_t *pool)
{
    if (!node_has_tag(tagged, after)) {
        return 0;
    }
    if (before == NULL) {
        return 1;
    }
    return ss_json_kind(before->value) == SS_JSON_OBJECT &&
                   ss_json_kind(after->value) == SS_JSON_OBJECT && !is_tag(after)
               ? member_adds_tag(before, after, tagged, pool)
               : !ss_json_nodes_equal(before, after, pool);
}

int ss_json_adds_tag(ss_json_t before, ss_json_t after, apr_pool_t *pool)
{
    tagged_t tagged;

    if (before.raw.data != NULL && ss_bytes_equal(before.raw, after.raw)) {
        return 0;
    }
    if (!ss_json_has_tag(after)) {
        return 0;
    }
    if (before.raw.data == NULL) {
        return 1;
    }
    tagged = find_tags(ss_json_nodes(after, pool), pool);
    return adds_tag(ss_json_nodes(before, pool), tagged.nodes, &tagged, pool);
}
