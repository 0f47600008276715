/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_WORDS_H
#define SS_WORDS_H

#include "lib/base.h"

/* Bytes looked at eight at a time. */

#define SS_EACH_BYTE(byte) (APR_UINT64_C(0x0101010101010101) * (byte))
#define SS_HIGH_BITS SS_EACH_BYTE(0x80)

/** The eight bytes at `at`, wherever that is. */
static inline apr_uint64_t ss_word_at(const void *at)
{
    apr_uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

/**
 * Marks, by its highest bit, each byte that is not printable ASCII: a subtraction sets that bit in
 * bytes below the subtrahend, an addition above. What they borrow or carry can mark only bytes that
 * are more significant than one that is marked rightly. The other bits mean nothing.
 */
static inline apr_uint64_t ss_word_unprintable(apr_uint64_t word)
{
    return word | (word - SS_EACH_BYTE(' ')) | (word + SS_EACH_BYTE(0x80 - 0x7F));
}

/** The same for each byte that is `byte`, which is ASCII. */
static inline apr_uint64_t ss_word_equal(apr_uint64_t word, unsigned char byte)
{
    return (word ^ SS_EACH_BYTE(byte)) - SS_EACH_BYTE(1);
}

/**
 * How many of eight bytes stand before the first that is marked, where the least significant mark
 * is right. Where bytes are in another order, or the compiler cannot count: 0, which is not too
 * many.
 */
static inline int ss_word_unmarked(apr_uint64_t marks)
{
#if defined(__GNUC__) && !APR_IS_BIGENDIAN
    return __builtin_ctzll(marks) / 8;
#else
    return (int)(marks & 0);
#endif
}

#endif
