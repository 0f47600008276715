/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_NAMES_H
#define SS_NAMES_H

#include "lib/base.h"

/**
 * Names in an order in which those that differ in nothing but the case of ASCII letters stand side
 * by side, and of these those that are the same. It is the same order in every index, and means
 * nothing else.
 *
 * A hash brings each name to its place in one step, but whoever sends names can choose some of one
 * hash. Those are sorted by merging, so that no names at all take more than n log n comparisons.
 */
typedef struct ss_index_t {
    int count;
    struct ss_entry_t {
        apr_uint64_t hash;
        ss_bytes_t name; /* not copied */
        int number;      /* in which they were added, from 0 */
    } * entries;
} ss_index_t;

/** Room for `max` names, in `pool`. */
ss_index_t ss_index_create(int max, apr_pool_t *pool);

/** Add the next name. */
void ss_index_add(ss_index_t *index, ss_bytes_t name);

/** May two of the names that were added be alike, or the same? 0 is certain, and 1 is rare where
 * they are not: cheaper than sorting them. */
int ss_index_may_have_alike(const ss_index_t *index, apr_pool_t *pool);

/** Sort what was added; those with one name stay in the order of their numbers. */
void ss_index_sort(ss_index_t *index, apr_pool_t *pool);

/** The number of the last one called `name` of those that are sorted; -1 when there is none. */
int ss_index_find(const ss_index_t *index, ss_bytes_t name);

/** Has this entry the same name as the one before it? */
int ss_index_is_same(const ss_index_t *index, int i);

/** The same, but for the case of ASCII letters. */
int ss_index_is_alike(const ss_index_t *index, int i);

#endif
