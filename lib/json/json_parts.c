/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/json/json_text.h"

/* Arrays and objects: taken apart, searched, and put together again. */

#define ITEMS_AT_FIRST 8
#define FEW 4 /* members are found faster one by one */

/* Behind the array item that begins at `at`. Its array goes on behind it, at least with a ']'. */
static const char *item_end(const char *at, const char *end)
{
    int depth = 0;

    for (;;) {
        switch (*at) {
        case '"':
            at = ss_json_string_end(at, end);
            break;
        case '{':
        case '[':
            depth++;
            at++;
            break;
        case '}':
        case ']':
            if (depth == 0) {
                return at;
            }
            depth--;
            at++;
            break;
        default:
            if (depth == 0 && (*at == ',' || ss_json_is_blank(*at))) {
                return at;
            }
            at++;
            break;
        }
    }
}

apr_array_header_t *ss_json_items(ss_json_t array, apr_pool_t *pool)
{
    apr_array_header_t *items = apr_array_make(pool, ITEMS_AT_FIRST, sizeof(ss_json_t));
    const char *end;

    for (const char *at = array.raw.data + 1; *at != ']'; at = end) {
        end = at + 1;
        if (*at != ',' && !ss_json_is_blank(*at)) {
            end = item_end(at, array.raw.data + array.raw.len);
            APR_ARRAY_PUSH(items, ss_json_t).raw = ss_bytes(at, end - at);
        }
    }
    return items;
}

ss_json_member_t *ss_json_find(const apr_array_header_t *members, ss_bytes_t name)
{
    ss_json_member_t *member = (ss_json_member_t *)members->elts;

    for (int i = members->nelts - 1; i >= 0; i--) {
        if (ss_bytes_equal(member[i].name, name) && member[i].value.raw.data != NULL) {
            return &member[i];
        }
    }
    return NULL;
}

/* One after the other. */
static void match_each(int *numbers, const apr_array_header_t *wanted,
                       const apr_array_header_t *members)
{
    const ss_json_member_t *first = (const ss_json_member_t *)members->elts;

    for (int i = 0; i < wanted->nelts; i++) {
        const ss_json_member_t *found =
            ss_json_find(members, APR_ARRAY_IDX(wanted, i, ss_json_member_t).name);

        numbers[i] = found == NULL ? -1 : (int)(found - first);
    }
}

static void match_all(int *numbers, const apr_array_header_t *wanted,
                      const apr_array_header_t *members, apr_pool_t *pool)
{
    ss_index_t names = ss_index_create(wanted->nelts, pool);

    for (int i = 0; i < wanted->nelts; i++) {
        ss_index_add(&names, APR_ARRAY_IDX(wanted, i, ss_json_member_t).name);
        numbers[i] = -1;
    }
    ss_index_sort(&names, pool);
    for (int i = 0; i < members->nelts; i++) {
        int number = ss_index_find(&names, APR_ARRAY_IDX(members, i, ss_json_member_t).name);

        if (number >= 0) {
            numbers[number] = i;
        }
    }
}

const int *ss_json_match(const apr_array_header_t *wanted, const apr_array_header_t *members,
                         apr_pool_t *pool)
{
    int *numbers = apr_palloc(pool, wanted->nelts * sizeof(*numbers));

    if (wanted->nelts <= FEW) {
        match_each(numbers, wanted, members);
    }
    else {
        match_all(numbers, wanted, members, pool);
    }
    return numbers;
}

apr_array_header_t *ss_json_members_create(apr_size_t room, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, 0, sizeof(ss_json_member_t));

    members->elts = apr_palloc(pool, room * sizeof(ss_json_member_t));
    members->nalloc = (int)room;
    return members;
}

void ss_json_close_gaps(apr_array_header_t *members)
{
    ss_json_member_t *member = (ss_json_member_t *)members->elts;
    int count = 0;

    for (int i = 0; i < members->nelts; i++) {
        if (member[i].value.raw.data != NULL) {
            member[count++] = member[i];
        }
    }
    members->nelts = count;
}

ss_json_t ss_json_print(const apr_array_header_t *members, apr_pool_t *pool)
{
    const ss_json_member_t *member = (const ss_json_member_t *)members->elts;
    apr_size_t size = sizeof("{}");
    ss_out_t start, out;
    ss_json_t object;

    for (int i = 0; i < members->nelts; i++) {
        size += member[i].quoted.raw.len + member[i].value.raw.len + sizeof(":,");
    }

    start = out = ss_out_create(size, pool);
    out = ss_out_put_char(out, '{');
    for (int i = 0; i < members->nelts; i++) {
        if (member[i].value.raw.data == NULL) {
            continue;
        }
        if (out.at > start.at + 1) {
            out = ss_out_put_char(out, ',');
        }
        out = ss_out_put(out, member[i].quoted.raw);
        out = ss_out_put_char(out, ':');
        out = ss_out_put(out, member[i].value.raw);
    }
    out = ss_out_put_char(out, '}');
    object.raw = ss_out_slice(start, out);
    return object;
}

ss_json_t ss_json_copy(ss_json_t value, apr_pool_t *pool)
{
    if (value.raw.data != NULL) {
        value.raw.data = apr_pmemdup(pool, value.raw.data, value.raw.len);
    }
    return value;
}
