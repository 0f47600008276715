/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_NAMES_H
#define SS_NAMES_H

#include "lib/base.h"

/**
 * A set that remembers names by a hash. It can be wrong only in saying that a name may be in it: so
 * names that it has not seen twice need no search for doubles. Zero it before use.
 */
typedef struct ss_names_t {
    apr_uint64_t words[64];
} ss_names_t;

/** Add a name, in which the case of ASCII letters does not count; returns whether it, or others
 * with the same hashes, were there already. */
int ss_names_add(ss_names_t *names, ss_bytes_t name);

/** Do they differ in nothing but the case of ASCII letters, or not at all? */
int ss_names_are_alike(ss_bytes_t a, ss_bytes_t b);

/**
 * Names in an order in which those that are alike stand side by side, and of these those that are
 * the same; it is the same order in every index, and means nothing else.
 *
 * Whoever sends names can choose them, also those that a hash table or a quicksort is slow for. So
 * they are sorted by merging, which takes no more than n log n comparisons for any; a hash only
 * makes most of these cheap.
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

/** Sort what was added; those with one name stay in the order of their numbers. */
void ss_index_sort(ss_index_t *index, apr_pool_t *pool);

/** The number of the last one called `name` of those that are sorted; -1 when there is none. */
int ss_index_find(const ss_index_t *index, ss_bytes_t name);

#endif
