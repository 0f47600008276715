/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/names.h"

/* FNV-1a */
#define HASH_START 2166136261u
#define HASH_FACTOR 16777619u

static int add_hash(ss_names_t *names, apr_uint32_t hash)
{
    apr_uint64_t *word, bit;
    int known;

    hash ^= hash >> 16; /* the upper bits are the better mixed ones */
    word = &names->words[hash / 64 % 16];
    bit = APR_UINT64_C(1) << (hash % 64);
    known = (*word & bit) != 0;
    *word |= bit;
    return known;
}

int ss_names_add(ss_names_t *names, ss_bytes_t name)
{
    apr_uint32_t hash = HASH_START;

    /* bit 5 is all that letters of either case differ in; that other bytes then meet does no harm
     */
    for (apr_size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)(name.data[i] | 0x20)) * HASH_FACTOR;
    }
    return add_hash(names, hash);
}
