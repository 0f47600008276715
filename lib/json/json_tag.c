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

/* An object that is no tag itself: does one of its members add one? */
static int member_adds_tag(ss_json_t before, ss_json_t after, apr_pool_t *pool)
{
    const apr_array_header_t *old = ss_json_members(before, pool);
    const apr_array_header_t *new = ss_json_members(after, pool);

    if (old == NULL || new == NULL ||
        (new->nelts == 1 &&
         begins_with_blank(APR_ARRAY_IDX(new, 0, ss_json_member_t).quoted.raw.data))) {
        return 1; /* another kind of value, or a tag: all of it is new */
    }
    for (int i = 0; i < new->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(new, i, ss_json_member_t);
        const ss_json_member_t *same = ss_json_find(old, member->name);

        if (ss_json_adds_tag(same != NULL ? same->value : ss_json_absent, member->value, pool)) {
            return 1;
        }
    }
    return 0;
}

int ss_json_adds_tag(ss_json_t before, ss_json_t after, apr_pool_t *pool)
{
    if (!ss_json_has_tag(after)) {
        return 0;
    }
    return before.raw.data == NULL ||
           (!ss_json_equal(before, after, pool) && member_adds_tag(before, after, pool));
}
