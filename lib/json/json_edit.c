/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdlib.h>

#include "lib/json/json_text.h"

/*
 * What is done with values. They have been checked, so nothing here looks for the end of the
 * text inside one; and no deeper than SS_JSON_DEPTH_MAX levels, which bounds the recursion.
 */

/*
 * Compact
 */

/* Bytes that SS_JSON_ASCII escapes. */
static apr_size_t count_wide(ss_json_t value)
{
    apr_size_t count = 0;

    for (apr_size_t i = 0; i < value.raw.len; i++) {
        count += (unsigned char)value.raw.data[i] >= 0x7F;
    }
    return count;
}

/* Beside what has to be escaped, is there anything to change? */
static int is_compact(ss_json_t value, ss_json_write_e how)
{
    const char *at = value.raw.data, *end = at + value.raw.len;
    int finite = (how & SS_JSON_FINITE) != 0;

    while (at < end) {
        if (*at == '"') {
            at = ss_json_string_end(at, end);
            continue;
        }
        if (ss_json_is_blank(*at) || (finite && (*at == 'N' || *at == 'I'))) {
            return 0;
        }
        at++;
    }
    return 1;
}

/* Escape the character at *at, which is DEL or beyond ASCII, and step behind it. */
static ss_out_t put_ascii(ss_out_t out, const char **at)
{
    unsigned char lead = *(*at)++;
    unsigned number = lead >= 0xF0   ? lead & 0x07
                      : lead >= 0xE0 ? lead & 0x0F
                      : lead >= 0x80 ? lead & 0x1F
                                     : lead;

    while ((**at & 0xC0) == 0x80) {
        number = number << 6 | (*(*at)++ & 0x3Fu);
    }
    if (number < 0x10000) {
        return ss_json_put_escape(out, number);
    }
    out = ss_json_put_escape(out, 0xD800 + ((number - 0x10000) >> 10));
    return ss_json_put_escape(out, 0xDC00 + (number & 0x3FF));
}

/* A string in which something is to be escaped. */
static ss_out_t put_wide(ss_out_t out, const char *at, const char *end)
{
    while (at < end) {
        if ((unsigned char)*at >= 0x7F) {
            out = put_ascii(out, &at);
        }
        else {
            out = ss_out_put_char(out, *at++);
        }
    }
    return out;
}

/* Bytes of a NaN or an infinity at `at`, 0 for anything else. */
static apr_size_t not_finite_size(const char *at)
{
    switch (*at) {
    case 'N':
        return sizeof("NaN") - 1;
    case 'I':
        return sizeof("Infinity") - 1;
    case '-':
        return at[1] == 'I' ? sizeof("-Infinity") - 1 : 0;
    default:
        return 0;
    }
}

ss_json_t ss_json_compact(ss_json_t value, ss_json_write_e how, apr_pool_t *pool)
{
    const char *at = value.raw.data, *end = at + value.raw.len;
    apr_size_t wide = (how & SS_JSON_ASCII) != 0 ? count_wide(value) : 0;
    ss_out_t start, out;

    if (wide == 0 && is_compact(value, how)) {
        return value;
    }

    /* a byte becomes at most \u00XX, NaN becomes null */
    start = out = ss_out_create(value.raw.len + 5 * wide + value.raw.len / 3 + 1, pool);
    while (at < end) {
        apr_size_t skipped = (how & SS_JSON_FINITE) != 0 ? not_finite_size(at) : 0;

        if (skipped > 0) {
            out = ss_out_put(out, ss_bytes("null", 4));
            at += skipped;
        }
        else if (*at == '"') {
            const char *behind = ss_json_string_end(at, end);

            out = wide > 0 ? put_wide(out, at, behind) : ss_out_put(out, ss_bytes(at, behind - at));
            at = behind;
        }
        else if (ss_json_is_blank(*at)) {
            at++;
        }
        else {
            out = ss_out_put_char(out, *at++);
        }
    }
    ss_out_put_char(out, '\0');
    value.raw = ss_out_slice(start, out);
    return value;
}

/*
 * Equal
 */

int ss_json_compare_names(ss_bytes_t a, ss_bytes_t b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* By name; members of one name in the order of the document. */
static int compare_members(const void *left, const void *right)
{
    const ss_json_member_t *a = left, *b = right;
    int order = ss_json_compare_names(a->name, b->name);

    if (order != 0) {
        return order;
    }
    return a->quoted.raw.data < b->quoted.raw.data ? -1 : a->quoted.raw.data > b->quoted.raw.data;
}

apr_array_header_t *ss_json_sorted_members(ss_json_t object, apr_pool_t *pool)
{
    apr_array_header_t *members = ss_json_members(object, pool);
    ss_json_member_t *member = (ss_json_member_t *)members->elts;
    int count = 0;

    qsort(member, members->nelts, sizeof(*member), compare_members);
    for (int i = 0; i < members->nelts; i++) {
        if (i + 1 == members->nelts || !ss_bytes_equal(member[i].name, member[i + 1].name)) {
            member[count++] = member[i];
        }
    }
    members->nelts = count;
    return members;
}

static int objects_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    const apr_array_header_t *left = ss_json_sorted_members(a, pool);
    const apr_array_header_t *right = ss_json_sorted_members(b, pool);

    if (left->nelts != right->nelts) {
        return 0;
    }
    for (int i = 0; i < left->nelts; i++) {
        const ss_json_member_t *l = &APR_ARRAY_IDX(left, i, ss_json_member_t);
        const ss_json_member_t *r = &APR_ARRAY_IDX(right, i, ss_json_member_t);

        if (!ss_bytes_equal(l->name, r->name) || !ss_json_equal(l->value, r->value, pool)) {
            return 0;
        }
    }
    return 1;
}

static int arrays_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    const apr_array_header_t *left = ss_json_items(a, pool), *right = ss_json_items(b, pool);

    if (left->nelts != right->nelts) {
        return 0;
    }
    for (int i = 0; i < left->nelts; i++) {
        if (!ss_json_equal(APR_ARRAY_IDX(left, i, ss_json_t), APR_ARRAY_IDX(right, i, ss_json_t),
                           pool)) {
            return 0;
        }
    }
    return 1;
}

int ss_json_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    if (ss_bytes_equal(a.raw, b.raw)) {
        return 1;
    }
    if (ss_json_kind(a) != ss_json_kind(b)) {
        return 0;
    }

    switch (ss_json_kind(a)) {
    case SS_JSON_OBJECT:
        return objects_equal(a, b, pool);
    case SS_JSON_ARRAY:
        return arrays_equal(a, b, pool);
    case SS_JSON_STRING:
        return ss_bytes_equal(ss_json_decode(a, pool), ss_json_decode(b, pool));
    default:
        return 0;
    }
}

/*
 * Merge
 */

/* Find the member that counts of those called `name`, and drop the others. */
static ss_json_member_t *single_out(apr_array_header_t *members, ss_bytes_t name)
{
    ss_json_member_t *found = ss_json_find(members, name);

    for (int i = 0; found != NULL && i < members->nelts; i++) {
        ss_json_member_t *other = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (other != found && ss_bytes_equal(other->name, name)) {
            other->value = ss_json_absent;
        }
    }
    return found;
}

static void merge_member(apr_array_header_t *members, const ss_json_member_t *patch,
                         apr_pool_t *pool)
{
    ss_json_member_t *old = single_out(members, patch->name);

    if (ss_json_kind(patch->value) != SS_JSON_NULL) {
        ss_json_t value =
            ss_json_merge(old != NULL ? old->value : ss_json_absent, patch->value, pool);

        if (old == NULL) {
            old = apr_array_push(members);
            *old = *patch;
        }
        old->value = value;
    }
    else if (old != NULL) {
        old->value = ss_json_absent;
    }
}

ss_json_t ss_json_merge(ss_json_t target, ss_json_t patch, apr_pool_t *pool)
{
    const apr_array_header_t *changes = ss_json_members(patch, pool);
    apr_array_header_t *members;

    if (changes == NULL) {
        return ss_json_compact(patch, SS_JSON_AS_IS, pool);
    }
    if (target.raw.data == NULL || ss_json_kind(target) != SS_JSON_OBJECT) {
        target = ss_json_empty;
    }
    if (changes->nelts == 0) {
        return target;
    }

    members = ss_json_members(target, pool);
    for (int i = 0; i < changes->nelts; i++) {
        merge_member(members, &APR_ARRAY_IDX(changes, i, ss_json_member_t), pool);
    }
    return ss_json_print(members, pool);
}
