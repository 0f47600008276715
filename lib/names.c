/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/names.h"
#include "lib/words.h"

#define FACTOR APR_UINT64_C(0x9E3779B97F4A7C15) /* 2^64 divided by the golden ratio */
/* Bit 5 is all that letters of either case differ in; that other bytes then meet does no harm. */
#define FOLD SS_EACH_BYTE(0x20)

static apr_uint64_t add_word(apr_uint64_t hash, apr_uint64_t word)
{
    hash = (hash ^ (word | FOLD)) * FACTOR;
    return hash ^ hash >> 32;
}

/* Eight bytes at a time; the last eight may overlap those before. */
static apr_uint64_t hash_of(ss_bytes_t name)
{
    apr_uint64_t hash = name.len, word = 0;

    if (name.len < sizeof(word)) {
        for (apr_size_t i = 0; i < name.len; i++) {
            word = word << 8 | (unsigned char)name.data[i];
        }
        return add_word(hash, word);
    }
    for (apr_size_t i = 0; i < name.len - sizeof(word); i += sizeof(word)) {
        hash = add_word(hash, ss_word_at(name.data + i));
    }
    return add_word(hash, ss_word_at(name.data + name.len - sizeof(word)));
}

int ss_names_add(ss_names_t *names, ss_bytes_t name)
{
    apr_uint64_t hash = hash_of(name) >> 22; /* the upper bits are the better mixed ones */
    apr_uint64_t *word = &names->words[hash / 64 % 16], bit = APR_UINT64_C(1) << (hash % 64);
    int known = (*word & bit) != 0;

    *word |= bit;
    return known;
}
