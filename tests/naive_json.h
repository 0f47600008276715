/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef NAIVE_JSON_H
#define NAIVE_JSON_H

#include "lib/json/json.h"

/* What lib/json does to values, as one would write it down who has all the time in the world: each
 * level is taken apart anew, and each name is looked for among all others. */

static inline ss_json_t naive_get(const apr_array_header_t *members, ss_bytes_t name)
{
    const ss_json_member_t *member = ss_json_find(members, name);

    return member != NULL ? member->value : ss_json_absent;
}

static inline int naive_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool);

/* Has every member of `a` an equal one in `b`? */
static inline int naive_has_members(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    const apr_array_header_t *left = ss_json_members(a, pool), *right = ss_json_members(b, pool);

    for (int i = 0; i < left->nelts; i++) {
        ss_bytes_t name = APR_ARRAY_IDX(left, i, ss_json_member_t).name;
        ss_json_t other = naive_get(right, name);

        if (other.raw.data == NULL || !naive_equal(naive_get(left, name), other, pool)) {
            return 0;
        }
    }
    return 1;
}

static inline int naive_items_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    const apr_array_header_t *left = ss_json_items(a, pool), *right = ss_json_items(b, pool);

    for (int i = 0; i < left->nelts && i < right->nelts; i++) {
        if (!naive_equal(APR_ARRAY_IDX(left, i, ss_json_t), APR_ARRAY_IDX(right, i, ss_json_t),
                         pool)) {
            return 0;
        }
    }
    return left->nelts == right->nelts;
}

/** ss_json_equal */
static inline int naive_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    if (ss_json_kind(a) != ss_json_kind(b)) {
        return 0;
    }
    switch (ss_json_kind(a)) {
    case SS_JSON_OBJECT:
        return naive_has_members(a, b, pool) && naive_has_members(b, a, pool);
    case SS_JSON_ARRAY:
        return naive_items_equal(a, b, pool);
    case SS_JSON_STRING:
        return ss_bytes_equal(ss_json_decode(a, pool), ss_json_decode(b, pool));
    default:
        return ss_bytes_equal(a.raw, b.raw);
    }
}

/* Drop the members of this name, but for `found`. */
static inline void naive_single_out(apr_array_header_t *members, const ss_json_member_t *found,
                                    ss_bytes_t name)
{
    for (int i = 0; i < members->nelts; i++) {
        ss_json_member_t *other = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (other != found && ss_bytes_equal(other->name, name)) {
            other->value = ss_json_absent;
        }
    }
}

/** ss_json_merge */
static inline ss_json_t naive_merge(ss_json_t target, ss_json_t patch, apr_pool_t *pool)
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
        const ss_json_member_t *change = &APR_ARRAY_IDX(changes, i, ss_json_member_t);
        ss_json_member_t *member = ss_json_find(members, change->name);

        naive_single_out(members, member, change->name);
        if (ss_json_kind(change->value) == SS_JSON_NULL) {
            if (member != NULL) {
                member->value = ss_json_absent;
            }
        }
        else if (member != NULL) {
            member->value = naive_merge(member->value, change->value, pool);
        }
        else {
            member = apr_array_push(members);
            *member = *change;
            member->value = naive_merge(ss_json_absent, change->value, pool);
        }
    }
    return ss_json_print(members, pool);
}

/** ss_json_adds_tag, where no name stands twice in an object */
static inline int naive_adds_tag(ss_json_t before, ss_json_t after, apr_pool_t *pool)
{
    const apr_array_header_t *old, *new;

    if (!ss_json_has_tag(after)) {
        return 0;
    }
    if (before.raw.data == NULL) {
        return 1;
    }
    if (ss_json_kind(before) != SS_JSON_OBJECT || ss_json_kind(after) != SS_JSON_OBJECT) {
        return !naive_equal(before, after, pool);
    }
    old = ss_json_members(before, pool);
    new = ss_json_members(after, pool);
    if (new->nelts == 1 && APR_ARRAY_IDX(new, 0, ss_json_member_t).name.len > 0 &&
        APR_ARRAY_IDX(new, 0, ss_json_member_t).name.data[0] == ' ') {
        return !naive_equal(before, after, pool);
    }
    for (int i = 0; i < new->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(new, i, ss_json_member_t);

        if (naive_adds_tag(naive_get(old, member->name), member->value, pool)) {
            return 1;
        }
    }
    return 0;
}

/** Is there an object, at any depth, with two members of one name? */
static inline int naive_has_doubles(ss_json_t value, apr_pool_t *pool)
{
    const apr_array_header_t *members = ss_json_members(value, pool), *items;

    for (int i = 0; members != NULL && i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (ss_json_find(members, member->name) != member ||
            naive_has_doubles(member->value, pool)) {
            return 1;
        }
    }
    items = ss_json_kind(value) == SS_JSON_ARRAY ? ss_json_items(value, pool) : NULL;
    for (int i = 0; items != NULL && i < items->nelts; i++) {
        if (naive_has_doubles(APR_ARRAY_IDX(items, i, ss_json_t), pool)) {
            return 1;
        }
    }
    return 0;
}

#endif
