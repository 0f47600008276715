/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <string.h>

#include "lib/members.h"

/* The value that the member of this number has; absent when there is none. */
static ss_json_t value_at(const apr_array_header_t *members, int number)
{
    return number < 0 ? ss_json_absent : APR_ARRAY_IDX(members, number, ss_json_member_t).value;
}

/* Do a value and another one, which may be absent, mean the same? */
static int is_same(ss_json_t value, ss_json_t other, apr_pool_t *pool)
{
    return other.raw.data != NULL && ss_json_equal(other, value, pool);
}

apr_array_header_t *ss_members_without(const apr_array_header_t *members, int place,
                                       apr_pool_t *pool)
{
    apr_array_header_t *others = apr_array_make(pool, members->nelts, sizeof(ss_json_member_t));

    for (int i = 0; i < members->nelts; i++) {
        if (i != place - 1) {
            APR_ARRAY_PUSH(others, ss_json_member_t) = APR_ARRAY_IDX(members, i, ss_json_member_t);
        }
    }
    return others;
}

static void give_value(ss_json_member_t *member, ss_json_t value)
{
    member->value = value;
    member->text = ss_absent; /* whoever wants it looks at the value */
}

/* Returns NULL when the name is not UTF-8. */
static ss_json_member_t *add(apr_array_header_t *members, ss_bytes_t name, apr_pool_t *pool)
{
    ss_json_t quoted = ss_json_quote(name, pool);
    ss_json_member_t *member;

    if (quoted.raw.data == NULL) {
        return NULL;
    }
    member = apr_array_push(members);
    member->quoted = quoted;
    member->name = ss_json_decode(quoted, pool);
    member->is_simple = 0; /* not known */
    return member;
}

ss_members_set_e ss_members_set(apr_array_header_t *members, ss_bytes_t name, ss_json_t value,
                                apr_pool_t *pool)
{
    ss_json_member_t *member = ss_json_find(members, name);

    if (member == NULL) {
        member = add(members, name, pool);
        if (member == NULL) {
            return SS_MEMBERS_BAD_NAME;
        }
    }
    else if (ss_json_equal(member->value, value, pool)) {
        return SS_MEMBERS_SAME;
    }
    give_value(member, value);
    return SS_MEMBERS_CHANGED;
}

int ss_members_unset(apr_array_header_t *members, ss_bytes_t name)
{
    ss_json_member_t *member = ss_json_find(members, name);
    const ss_json_member_t *end = (ss_json_member_t *)members->elts + members->nelts;

    if (member == NULL) {
        return 0;
    }
    memmove(member, member + 1, (const char *)end - (const char *)(member + 1));
    members->nelts--;
    return 1;
}

/*
 * Many at once
 */

/* Give the member of this number a value, which may be absent; -1: a new one, like `like`. */
static void put(apr_array_header_t *members, int number, const ss_json_member_t *like,
                ss_json_t value)
{
    ss_json_member_t *member;

    if (number >= 0) {
        member = &APR_ARRAY_IDX(members, number, ss_json_member_t);
    }
    else {
        member = apr_array_push(members);
        *member = *like;
    }
    give_value(member, value);
}

/* Changes the member of this number, -1 for none, as another one says; returns whether it did. */
typedef int change_fn(apr_array_header_t *members, int number, const ss_json_member_t *change,
                      apr_pool_t *pool);

/* One that goes is only emptied, so that the others keep their numbers. */
static int merge(apr_array_header_t *members, int number, const ss_json_member_t *patch,
                 apr_pool_t *pool)
{
    ss_json_t old = value_at(members, number), value;

    if (ss_json_kind(patch->value) == SS_JSON_NULL) {
        value = ss_json_absent;
        if (old.raw.data == NULL) {
            return 0;
        }
    }
    else {
        value = ss_json_merge(old, patch->value, pool);
        if (is_same(value, old, pool)) {
            return 0;
        }
    }
    put(members, number, patch, value);
    return 1;
}

static int update(apr_array_header_t *members, int number, const ss_json_member_t *other,
                  apr_pool_t *pool)
{
    if (is_same(other->value, value_at(members, number), pool)) {
        return 0;
    }
    put(members, number, other, other->value);
    return 1;
}

static int change_each(apr_array_header_t *members, const apr_array_header_t *changes,
                       change_fn *change, apr_pool_t *pool)
{
    const int *numbers = ss_json_match(changes, members, pool);
    int count = 0;

    for (int i = 0; i < changes->nelts; i++) {
        count += change(members, numbers[i], &APR_ARRAY_IDX(changes, i, ss_json_member_t), pool);
    }
    if (count > 0) {
        ss_json_close_gaps(members);
    }
    return count > 0;
}

int ss_members_merge(apr_array_header_t *members, const apr_array_header_t *patch, apr_pool_t *pool)
{
    return change_each(members, patch, merge, pool);
}

int ss_members_update(apr_array_header_t *members, const apr_array_header_t *others,
                      apr_pool_t *pool)
{
    return change_each(members, others, update, pool);
}

void ss_members_keep_spelling(apr_array_header_t *members, const apr_array_header_t *old,
                              apr_pool_t *pool)
{
    const int *numbers = ss_json_match(members, old, pool);

    for (int i = 0; i < members->nelts; i++) {
        ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (is_same(member->value, value_at(old, numbers[i]), pool)) {
            *member = APR_ARRAY_IDX(old, numbers[i], ss_json_member_t);
        }
    }
}

int ss_members_are_among(const apr_array_header_t *members, const apr_array_header_t *others,
                         apr_pool_t *pool)
{
    const int *numbers = ss_json_match(members, others, pool);

    for (int i = 0; i < members->nelts; i++) {
        if (!is_same(APR_ARRAY_IDX(members, i, ss_json_member_t).value,
                     value_at(others, numbers[i]), pool)) {
            return 0;
        }
    }
    return 1;
}
