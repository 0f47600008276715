/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/vector_base64.h"

#if defined(__GNUC__) && defined(__x86_64__) && !defined(SS_NO_VECTOR)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

#define STEP_BYTES 24
#define STEP_CHARACTERS 32
#define HALF_BYTES 12 /* what one half of a register, a lane, holds of a step */

/* A lookup takes 4 bits of each byte and knows 16 rows. */
typedef struct alphabet_t {
    signed char last;          /* the character whose value is 63 */
    signed char to_value[16];  /* added to a character but the last one; by its upper half */
    unsigned char illegal[16]; /* by a character's lower half: with which upper ones it is none */
    signed char to_character[16]; /* added to a value; by what class_of() says */
} alphabet_t;

/* The upper halves that let the same lower halves through, a bit for each kind. */
#define SIGNS 1    /* 2x: signs */
#define FIGURES 2  /* 3x */
#define FRONT 4    /* 4x, 6x: @ and A to O, ` and a to o */
#define REAR 8     /* 5x: P to Z, and signs */
#define SMALL 16   /* 7x: p to z, and signs */
#define NOTHING 32 /* 0x, 1x, and above ASCII: no character at all */

/* clang-format off */
static const unsigned char kind_of[16] = {
    NOTHING, NOTHING, SIGNS,   FIGURES, FRONT,   REAR,    FRONT,   SMALL,
    NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING
};

#define TO_VALUE(sign) {                                                                            \
    0, 0, sign, 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0 }
#define TO_CHARACTER(plus, slash) {                                                                 \
    'A', 'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,  \
    '0' - 52, '0' - 52, (plus) - 62, (slash) - 63, 0, 0 }

#define X0 (SIGNS | FRONT | NOTHING)
#define X1 (SIGNS | NOTHING) /* to x9 */
#define XA (SIGNS | FIGURES | NOTHING)
#define XB (SIGNS | FIGURES | REAR | SMALL | NOTHING) /* to xF, behind 9, Z and z */

static const alphabet_t alphabets[] = {
    { '/', TO_VALUE(62 - '+'),
      { X0, X1, X1, X1, X1, X1, X1, X1, X1, X1, XA, XB & ~SIGNS, XB, XB, XB, XB & ~SIGNS },
      TO_CHARACTER('+', '/') },
    { '_', TO_VALUE(62 - '-'),
      { X0, X1, X1, X1, X1, X1, X1, X1, X1, X1, XA, XB, XB, XB & ~SIGNS, XB, XB & ~REAR },
      TO_CHARACTER('-', '_') },
};
/* clang-format on */

/* The same 16 rows for both lanes. */
AVX2 static __m256i table(const void *rows)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(rows));
}

AVX2 static __m256i half_of(__m256i bytes)
{
    return _mm256_and_si256(bytes, _mm256_set1_epi8(0x0F));
}

/* --- encoding --- */

/* 12 bytes in each lane, of each 3 the middle one twice: as two 16-bit numbers, b0 b1 and b1 b2. */
AVX2 static __m256i load_bytes(const char *in)
{
    const __m256i twice = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
    __m256i bytes = _mm256_castsi128_si256(_mm_loadu_si128((const void *)in));

    bytes = _mm256_inserti128_si256(bytes, _mm_loadu_si128((const void *)(in + HALF_BYTES)), 1);
    return _mm256_shuffle_epi8(bytes, twice);
}

/* Of each number the upper and the lower 6 of 12 bits, into its lower and its upper byte. A
 * multiplication shifts each number by as far as it needs: to the right by what its high half
 * keeps. */
AVX2 static __m256i split_values(__m256i bytes)
{
    __m256i uppers = _mm256_and_si256(bytes, _mm256_set1_epi32(0x0FC0FC00));
    __m256i lowers = _mm256_and_si256(bytes, _mm256_set1_epi32(0x003F03F0));

    return _mm256_or_si256(_mm256_mulhi_epu16(uppers, _mm256_set1_epi32(0x04000040)),
                           _mm256_mullo_epi16(lowers, _mm256_set1_epi32(0x01000010)));
}

/* 0 for capitals, 1 for small letters, 2 to 11 for figures, 12 and 13 for signs. */
AVX2 static __m256i class_of(__m256i values)
{
    __m256i behind_capitals = _mm256_cmpgt_epi8(values, _mm256_set1_epi8(25)); /* -1 where true */

    return _mm256_sub_epi8(_mm256_subs_epu8(values, _mm256_set1_epi8(51)), behind_capitals);
}

AVX2 static apr_size_t encode(const alphabet_t *alphabet, char *out, ss_bytes_t bytes)
{
    const __m256i to_character = table(alphabet->to_character);
    apr_size_t done = 0;

    /* the second lane is loaded with four bytes that belong to the next step */
    for (; bytes.len - done >= STEP_BYTES + 4; done += STEP_BYTES) {
        __m256i values = split_values(load_bytes(bytes.data + done));
        __m256i step = _mm256_shuffle_epi8(to_character, class_of(values));

        _mm256_storeu_si256((void *)out, _mm256_add_epi8(values, step));
        out += STEP_CHARACTERS;
    }
    return done;
}

/* --- decoding --- */

/* Four values of 6 bits are 3 bytes, the first in the highest bits: 12 bytes in each lane, with
 * nothing between the lanes. */
AVX2 static __m256i join_values(__m256i values)
{
    const __m256i first_to_last = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
    __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi16(0x0140));  /* a * 64 + b */
    __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000)); /* a * 4096 + b */

    return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, first_to_last),
                                       _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

AVX2 static void store_bytes(unsigned char *out, __m256i bytes)
{
    _mm_storeu_si128((void *)out, _mm256_castsi256_si128(bytes));
    _mm_storel_epi64((void *)(out + 16), _mm256_extracti128_si256(bytes, 1));
}

AVX2 static apr_size_t decode(const alphabet_t *alphabet, unsigned char *out, ss_bytes_t text)
{
    const __m256i illegal = table(alphabet->illegal), kinds = table(kind_of);
    const __m256i to_value = table(alphabet->to_value);
    const __m256i last = _mm256_set1_epi8(alphabet->last);
    apr_size_t done = 0;

    for (; text.len - done >= STEP_CHARACTERS; done += STEP_CHARACTERS) {
        __m256i in = _mm256_loadu_si256((const void *)(text.data + done));
        __m256i upper = half_of(_mm256_srli_epi16(in, 4));
        __m256i values = _mm256_add_epi8(in, _mm256_shuffle_epi8(to_value, upper));

        if (!_mm256_testz_si256(_mm256_shuffle_epi8(illegal, half_of(in)),
                                _mm256_shuffle_epi8(kinds, upper))) {
            break;
        }
        values = _mm256_blendv_epi8(values, _mm256_set1_epi8(63), _mm256_cmpeq_epi8(in, last));
        store_bytes(out, join_values(values));
        out += STEP_BYTES;
    }
    return done;
}

/* --- whether --- */

apr_size_t ss_vector_base64_encode(int is_url, char *out, ss_bytes_t bytes)
{
    return __builtin_cpu_supports("avx2") ? encode(&alphabets[is_url], out, bytes) : 0;
}

apr_size_t ss_vector_base64_decode(int is_url, unsigned char *out, ss_bytes_t text)
{
    return __builtin_cpu_supports("avx2") ? decode(&alphabets[is_url], out, text) : 0;
}

#endif
