/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json_text.h"

/* Arrays and objects: taken apart, searched, and put together again. */

#define ITEMS_AT_FIRST 8

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

apr_array_header_t *ss_json_items(ss_bytes_t array, apr_pool_t *pool)
{
    apr_array_header_t *items = apr_array_make(pool, ITEMS_AT_FIRST, sizeof(ss_bytes_t));
    const char *end;

    array = ss_json_trim(array);
    for (const char *at = array.data + 1; *at != ']'; at = end) {
        end = at + 1;
        if (*at != ',' && !ss_json_is_blank(*at)) {
            end = item_end(at, array.data + array.len);
            APR_ARRAY_PUSH(items, ss_bytes_t) = ss_bytes(at, end - at);
        }
    }
    return items;
}

ss_json_member_t *ss_json_find(const apr_array_header_t *members, ss_bytes_t name)
{
    ss_json_member_t *member = (ss_json_member_t *)members->elts;

    for (int i = members->nelts - 1; i >= 0; i--) {
        if (ss_bytes_equal(member[i].name, name) && member[i].value.data != NULL) {
            return &member[i];
        }
    }
    return NULL;
}

ss_bytes_t ss_json_print(const apr_array_header_t *members, apr_pool_t *pool)
{
    const ss_json_member_t *member = (const ss_json_member_t *)members->elts;
    apr_size_t size = sizeof("{}");
    ss_out_t start, out;

    for (int i = 0; i < members->nelts; i++) {
        size += member[i].quoted.len + member[i].value.len + sizeof(":,");
    }

    start = out = ss_out_create(size, pool);
    out = ss_out_put_char(out, '{');
    for (int i = 0; i < members->nelts; i++) {
        if (member[i].value.data == NULL) {
            continue;
        }
        if (out.at > start.at + 1) {
            out = ss_out_put_char(out, ',');
        }
        out = ss_out_put(out, member[i].quoted);
        out = ss_out_put_char(out, ':');
        out = ss_out_put(out, member[i].value);
    }
    out = ss_out_put_char(out, '}');
    return ss_out_slice(start, out);
}
