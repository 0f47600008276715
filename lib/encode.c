/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/vector_base64.h"

/*
 * base64
 */

static const char *const alphabets[] = {
    [SS_BASE64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [SS_BASE64URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

#define NO 0x80000000u /* no character of the alphabet: a bit that no value has */

/* The value of each byte, already where it belongs when it is the first, second, third or fourth of
 * its group. The alphabets differ in what these four characters mean. */
/* clang-format off */
#define FIRST(value)  ((value) == NO ? NO : (value) << 18)
#define SECOND(value) ((value) == NO ? NO : (value) << 12)
#define THIRD(value)  ((value) == NO ? NO : (value) << 6)
#define FOURTH(value) (value)
#define NO_16 NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO
#define FOUR(AT, n) AT((n) + 0u), AT((n) + 1u), AT((n) + 2u), AT((n) + 3u)
#define VALUES(AT, plus, minus, slash, underscore) {                                                \
    NO_16, NO_16,                                                                                   \
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, AT(plus), NO, AT(minus), NO, AT(slash),             \
    FOUR(AT, 52), FOUR(AT, 56), AT(60u), AT(61u), NO, NO, NO, NO, NO, NO,                           \
    NO, FOUR(AT, 0), FOUR(AT, 4), FOUR(AT, 8), AT(12u), AT(13u), AT(14u),                           \
    AT(15u), FOUR(AT, 16), FOUR(AT, 20), AT(24u), AT(25u), NO, NO, NO, NO, AT(underscore),          \
    NO, FOUR(AT, 26), FOUR(AT, 30), FOUR(AT, 34), AT(38u), AT(39u), AT(40u),                        \
    AT(41u), FOUR(AT, 42), FOUR(AT, 46), AT(50u), AT(51u), NO, NO, NO, NO, NO,                      \
    NO_16, NO_16, NO_16, NO_16, NO_16, NO_16, NO_16, NO_16 }
#define IN_EACH_PLACE(...) {                                                                        \
    VALUES(FIRST, __VA_ARGS__), VALUES(SECOND, __VA_ARGS__), VALUES(THIRD, __VA_ARGS__),            \
    VALUES(FOURTH, __VA_ARGS__) }
/* clang-format on */

typedef apr_uint32_t values_t[4][256];

static const values_t values_of[] = {
    [SS_BASE64] = IN_EACH_PLACE(62u, NO, 63u, NO),
    [SS_BASE64URL] = IN_EACH_PLACE(NO, 62u, NO, 63u),
};

apr_size_t ss_base64_size(ss_base64_e variant, apr_size_t len)
{
    apr_size_t rest = len % 3;

    if (rest == 0) {
        return len / 3 * 4;
    }
    return len / 3 * 4 + (variant == SS_BASE64 ? 4 : rest + 1);
}

static void encode_three(char *out, const unsigned char *in, const char *alphabet)
{
    unsigned bits = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];

    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = alphabet[bits >> 6 & 63];
    out[3] = alphabet[bits & 63];
}

/* Reads eight bytes, of which six are used: that is one load. */
static void encode_six(char *out, const unsigned char *in, const char *alphabet)
{
    apr_uint64_t bits = (apr_uint64_t)in[0] << 56 | (apr_uint64_t)in[1] << 48 |
                        (apr_uint64_t)in[2] << 40 | (apr_uint64_t)in[3] << 32 |
                        (apr_uint64_t)in[4] << 24 | (apr_uint64_t)in[5] << 16 |
                        (apr_uint64_t)in[6] << 8 | in[7];

    out[0] = alphabet[bits >> 58];
    out[1] = alphabet[bits >> 52 & 63];
    out[2] = alphabet[bits >> 46 & 63];
    out[3] = alphabet[bits >> 40 & 63];
    out[4] = alphabet[bits >> 34 & 63];
    out[5] = alphabet[bits >> 28 & 63];
    out[6] = alphabet[bits >> 22 & 63];
    out[7] = alphabet[bits >> 16 & 63];
}

apr_size_t ss_base64_encode(ss_base64_e variant, char *out, ss_bytes_t bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.data;
    const char *alphabet = alphabets[variant];
    apr_size_t size = ss_base64_size(variant, bytes.len);
    apr_size_t done = ss_vector_base64_encode(variant == SS_BASE64URL, out, bytes);
    apr_size_t rest = bytes.len - done;

    in += done;
    out += done / 3 * 4;
    for (; rest >= sizeof(apr_uint64_t); rest -= 6) {
        encode_six(out, in, alphabet);
        in += 6;
        out += 8;
    }
    for (; rest >= 3; rest -= 3) {
        encode_three(out, in, alphabet);
        in += 3;
        out += 4;
    }
    if (rest > 0) {
        unsigned char last[3] = { 0 };
        char group[4];

        memcpy(last, in, rest);
        encode_three(group, last, alphabet);
        memset(group + rest + 1, '=', 3 - rest);
        memcpy(out, group, variant == SS_BASE64 ? 4 : rest + 1);
    }
    return size;
}

/* Returns a number with the bit NO when one of the four is outside the alphabet: the caller gathers
 * these and looks once, so the loop has no branches. */
static apr_uint32_t decode_four(unsigned char *out, const unsigned char *in, const values_t values)
{
    apr_uint32_t bits = values[0][in[0]] | values[1][in[1]] | values[2][in[2]] | values[3][in[3]];

    out[0] = (unsigned char)(bits >> 16);
    out[1] = (unsigned char)(bits >> 8);
    out[2] = (unsigned char)bits;
    return bits;
}

/* The two or three characters of the last group, as if zeros followed. What they spell beyond their
 * one or two bytes are the spare bits, which must be zero. */
static apr_uint32_t decode_last(unsigned char *out, const unsigned char *in, apr_size_t count,
                                const values_t values)
{
    unsigned char group[] = { 'A', 'A', 'A', 'A' };
    apr_uint32_t seen;

    memcpy(group, in, count);
    seen = decode_four(out, group, values);
    return out[count - 1] == 0 ? seen : NO;
}

/* The length without padding. Padding in other places is found later: = is in no alphabet. */
static apr_size_t unpadded(ss_bytes_t text)
{
    apr_size_t len = text.len;

    while (len > 0 && text.len - len < 2 && text.data[len - 1] == '=') {
        len--;
    }
    return len;
}

apr_status_t ss_base64_decode(ss_base64_e variant, ss_bytes_t *bytes, ss_bytes_t text,
                              apr_pool_t *pool)
{
    const apr_uint32_t(*values)[256] = values_of[variant];
    const unsigned char *in = (const unsigned char *)text.data;
    apr_size_t len = text.len, done;
    unsigned char *start, *out;
    apr_uint32_t seen = 0;

    *bytes = ss_absent;
    if (variant == SS_BASE64) {
        if (text.len % 4 != 0) {
            return APR_EINVAL;
        }
        len = unpadded(text);
    }
    if (len % 4 == 1) {
        return APR_EINVAL;
    }

    start = out = apr_palloc(pool, len / 4 * 3 + 3); /* the last group is written in full */
    done = ss_vector_base64_decode(variant == SS_BASE64URL, out, ss_bytes(text.data, len));
    in += done;
    out += done / 4 * 3;
    for (len -= done; len >= 4; len -= 4) {
        seen |= decode_four(out, in, values);
        in += 4;
        out += 3;
    }
    if (len > 0) {
        seen |= decode_last(out, in, len, values);
        out += len - 1;
    }
    if (seen & NO) {
        return APR_EINVAL;
    }
    *bytes = ss_bytes((const char *)start, (apr_size_t)(out - start));
    return APR_SUCCESS;
}

/*
 * base 62
 */

static const char digits_62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

apr_size_t ss_base62_encode(char *out, apr_int64_t number)
{
    char reversed[SS_BASE62_MAX];
    apr_size_t len = 0;

    do {
        reversed[len++] = digits_62[number % 62];
        number /= 62;
    } while (number > 0);
    for (apr_size_t i = 0; i < len; i++) {
        out[i] = reversed[len - 1 - i];
    }
    return len;
}

apr_status_t ss_base62_decode(apr_int64_t *number, ss_bytes_t text)
{
    apr_int64_t sum = 0;

    *number = 0;
    if (text.len == 0 || (text.len > 1 && text.data[0] == '0')) {
        return APR_EINVAL;
    }
    for (apr_size_t i = 0; i < text.len; i++) {
        const char *digit = memchr(digits_62, text.data[i], 62);

        if (digit == NULL || sum > (APR_INT64_MAX - (digit - digits_62)) / 62) {
            return APR_EINVAL;
        }
        sum = sum * 62 + (digit - digits_62);
    }
    *number = sum;
    return APR_SUCCESS;
}

/*
 * Percent escapes
 */

/* Not isxdigit() and the like, which ask the locale. -1 for what is no digit. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

apr_status_t ss_percent_decode(ss_bytes_t *bytes, ss_bytes_t text, int plus, apr_pool_t *pool)
{
    char *start = apr_palloc(pool, text.len + 1); /* never NULL, not even for nothing */
    char *out = start;

    *bytes = ss_absent;
    for (apr_size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '%') {
            int high = text.len - i > 2 ? hex_value(text.data[i + 1]) : -1;
            int low = high >= 0 ? hex_value(text.data[i + 2]) : -1;

            if (low < 0) {
                return APR_EINVAL;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        else if (c == '+' && plus) {
            c = ' ';
        }
        *out++ = c;
    }
    *bytes = ss_bytes(start, (apr_size_t)(out - start));
    return APR_SUCCESS;
}

/*
 * UTF-8
 */

/* RFC 3629 section 4: the second byte alone decides about overlong forms, surrogates and numbers
 * above U+10FFFF; all bytes behind it are 80 to BF. */
/* clang-format off */
static const struct {
    unsigned char first_min, first_max, second_min, second_max, size;
} sequences[] = {
    { 0x00, 0x7f, 0x00, 0x00, 1 },
    { 0xc2, 0xdf, 0x80, 0xbf, 2 },
    { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
    { 0xe1, 0xec, 0x80, 0xbf, 3 },
    { 0xed, 0xed, 0x80, 0x9f, 3 },
    { 0xee, 0xef, 0x80, 0xbf, 3 },
    { 0xf0, 0xf0, 0x90, 0xbf, 4 },
    { 0xf1, 0xf3, 0x80, 0xbf, 4 },
    { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    { 0xf5, 0xff, 0x00, 0x00, 0 },
};
/* clang-format on */

/* Bytes of the character that begins at `at`; 0 when none does. */
static apr_size_t character_size(const unsigned char *at, apr_size_t len)
{
    apr_size_t size;
    int row = 0;

    while (at[0] > sequences[row].first_max) {
        row++;
    }
    size = sequences[row].size;
    if (at[0] < sequences[row].first_min || size > len) {
        return 0;
    }
    if (size > 1 && (at[1] < sequences[row].second_min || at[1] > sequences[row].second_max)) {
        return 0;
    }
    for (apr_size_t i = 2; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

int ss_utf8_is_valid(ss_bytes_t text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    apr_size_t size;

    for (apr_size_t left = text.len; left > 0; left -= size) {
        size = character_size(at, left);
        if (size == 0) {
            return 0;
        }
        at += size;
    }
    return 1;
}
