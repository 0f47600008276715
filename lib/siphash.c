/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/siphash.h"

#define ROTATE(word, bits) ((word) << (bits) | (word) >> (64 - (bits)))

#define BYTE(bytes, i) ((apr_uint64_t)(bytes)[i] << 8 * (i))

/* The algorithm's words are little-endian; a compiler makes one load of this. */
static inline apr_uint64_t word_at(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;

    return BYTE(bytes, 0) | BYTE(bytes, 1) | BYTE(bytes, 2) | BYTE(bytes, 3) | BYTE(bytes, 4) |
           BYTE(bytes, 5) | BYTE(bytes, 6) | BYTE(bytes, 7);
}

/* What is left behind the last whole word, and how long all was. */
static inline apr_uint64_t last_word(ss_bytes_t text)
{
    apr_uint64_t word = (apr_uint64_t)text.len << 56;
    int rest = (int)(text.len & 7);

    if (rest > 0 && text.len > 8) {
        return word | word_at(text.data + text.len - 8) >> 8 * (8 - rest);
    }
    for (int i = 0; i < rest; i++) {
        word |= (apr_uint64_t)(unsigned char)text.data[i] << 8 * i;
    }
    return word;
}

typedef struct state_t {
    apr_uint64_t a, b, c, d;
} state_t;

static inline state_t mix(state_t s)
{
    s.a += s.b;
    s.c += s.d;
    s.b = ROTATE(s.b, 13) ^ s.a;
    s.d = ROTATE(s.d, 16) ^ s.c;
    s.a = ROTATE(s.a, 32) + s.d;
    s.c += s.b;
    s.d = ROTATE(s.d, 21) ^ s.a;
    s.b = ROTATE(s.b, 17) ^ s.c;
    s.c = ROTATE(s.c, 32);
    return s;
}

static inline state_t take(state_t s, apr_uint64_t word)
{
    s.d ^= word;
    s = mix(s);
    s.a ^= word;
    return s;
}

apr_uint64_t ss_siphash(const unsigned char *key, ss_bytes_t text)
{
    apr_uint64_t first = word_at((const char *)key), second = word_at((const char *)key + 8);
    state_t s = { APR_UINT64_C(0x736f6d6570736575) ^ first,
                  APR_UINT64_C(0x646f72616e646f6d) ^ second,
                  APR_UINT64_C(0x6c7967656e657261) ^ first,
                  APR_UINT64_C(0x7465646279746573) ^ second };

    for (apr_size_t i = 0; i + 8 <= text.len; i += 8) {
        s = take(s, word_at(text.data + i));
    }
    s = take(s, last_word(text));
    s.c ^= 0xff;
    s = mix(mix(mix(s)));
    return s.a ^ s.b ^ s.c ^ s.d;
}
