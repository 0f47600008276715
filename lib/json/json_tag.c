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
static int is_tag(const apr_array_header_t *members)
{
    return members->nelts == 1 &&
           begins_with_blank(APR_ARRAY_IDX(members, 0, ss_json_member_t).quoted.raw.data);
}

/* Does one of the members add one? Both are in the order of names. */
static int member_adds_tag(const apr_array_header_t *before, const apr_array_header_t *after,
                           apr_pool_t *pool)
{
    int old = 0;

    for (int i = 0; i < after->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(after, i, ss_json_member_t);
        ss_json_t same = ss_json_absent;
        int order = -1;

        while (old < before->nelts && order < 0) {
            const ss_json_member_t *other = &APR_ARRAY_IDX(before, old, ss_json_member_t);

            order = ss_json_compare_names(other->name, member->name);
            same = order == 0 ? other->value : ss_json_absent;
            old += order <= 0;
        }
        if (ss_json_adds_tag(same, member->value, pool)) {
            return 1;
        }
    }
    return 0;
}

/* Equality looks into the depth itself, so it is asked only where the way down ends: on a tag, on
 * an array, on another kind of value. */
int ss_json_adds_tag(ss_json_t before, ss_json_t after, apr_pool_t *pool)
{
    if (before.raw.data != NULL && ss_bytes_equal(before.raw, after.raw)) {
        return 0;
    }
    if (!ss_json_has_tag(after)) {
        return 0;
    }
    if (before.raw.data == NULL) {
        return 1;
    }
    if (ss_json_kind(before) == SS_JSON_OBJECT && ss_json_kind(after) == SS_JSON_OBJECT) {
        const apr_array_header_t *new = ss_json_sorted_members(after, pool);

        if (!is_tag(new)) {
            return member_adds_tag(ss_json_sorted_members(before, pool), new, pool);
        }
    }
    return !ss_json_equal(before, after, pool);
}
