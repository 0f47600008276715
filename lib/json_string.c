/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json.h"

#include "lib/encode.h"
#include "lib/words.h"

/* JSON strings and the text they stand for. */

/* What stands behind a backslash, and what it means. */
static const char escape_letters[] = "\"\\/bfnrt";
static const char escape_meanings[] = "\"\\/\b\f\n\r\t";

/* The number that four checked digits write. */
static unsigned hex4(const char *digits)
{
    unsigned number = 0;
    int i;

    for (i = 0; i < 4; i++) {
        /* in ASCII the letters, but not the figures, have bit 6 set, and begin at ...1 */
        number = number * 16 + (digits[i] & 0xF) + (digits[i] >> 6) * 9;
    }

    return number;
}

/* UTF-8, which for a lone surrogate is not well-formed: ss_json_decode says why. */
static char *put_utf8(char *out, unsigned number)
{
    static const unsigned char lead[] = { 0x00, 0xC0, 0xE0, 0xF0 };
    int behind = (number > 0x7F) + (number > 0x7FF) + (number > 0xFFFF);
    int i;

    *out++ = (char)(lead[behind] | number >> (6 * behind));
    for (i = behind - 1; i >= 0; i--) {
        *out++ = (char)(0x80 | ((number >> (6 * i)) & 0x3F));
    }

    return out;
}

/* Decode the checked escape whose letter is at `at`, and with a high surrogate also the low one
 * that follows. */
static const char *decode_escape(char **out, const char *at, const char *end)
{
    unsigned number, low;

    if (*at != 'u') {
        *(*out)++ = escape_meanings[strchr(escape_letters, *at) - escape_letters];
        return at + 1;
    }

    number = hex4(at + 1);
    at += 5;
    if (number >= 0xD800 && number < 0xDC00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        low = hex4(at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            number = 0x10000 + ((number - 0xD800) << 10) + (low - 0xDC00);
            at += 6;
        }
    }

    *out = put_utf8(*out, number);
    return at;
}

ss_bytes_t ss_json_decode(ss_bytes_t quoted, apr_pool_t *pool)
{
    const char *at = quoted.data + 1, *end = quoted.data + quoted.len - 1;
    const char *backslash = memchr(at, '\\', end - at);
    char *text, *out;

    if (backslash == NULL) {
        return ss_bytes(at, end - at);
    }

    /* an escape is never shorter than what it means */
    text = out = apr_palloc(pool, quoted.len);
    while (backslash != NULL) {
        memcpy(out, at, backslash - at);
        out += backslash - at;
        at = decode_escape(&out, backslash + 1, end);
        backslash = memchr(at, '\\', end - at);
    }
    memcpy(out, at, end - at);
    out += end - at;

    return ss_bytes(text, out - text);
}

int ss_json_is_plain(ss_bytes_t decoded)
{
    apr_size_t i = 0;

    while (decoded.len - i >= 8 &&
           (ss_word_unprintable(ss_word_at(decoded.data + i)) & SS_HIGH_BITS) == 0) {
        i += 8;
    }
    for (; i < decoded.len; i++) {
        unsigned char c = decoded.data[i];

        if (c < 0x20 || c == 0x7F) {
            return 0;
        }
        /* only a surrogate continues an ED like this */
        if (c == 0xED && i + 1 < decoded.len && (unsigned char)decoded.data[i + 1] >= 0xA0) {
            return 0;
        }
    }

    return 1;
}

static char *put_quoted(char *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    const char *meaning;

    if (c >= 0x20 && c != '"' && c != '\\') {
        *out++ = (char)c;
        return out;
    }

    *out++ = '\\';
    meaning = c == '\0' ? NULL : strchr(escape_meanings, c);
    if (meaning != NULL) {
        *out++ = escape_letters[meaning - escape_meanings];
        return out;
    }
    memcpy(out, "u00", 3);
    out[3] = hex[c >> 4];
    out[4] = hex[c & 15];
    return out + 5;
}

ss_bytes_t ss_json_quote(ss_bytes_t text, apr_pool_t *pool)
{
    char *quoted, *out;
    apr_size_t i;

    if (!ss_utf8_is_valid(text)) {
        return ss_absent;
    }

    quoted = out = apr_palloc(pool, 6 * text.len + 2); /* every byte may become a \u00XX */
    *out++ = '"';
    for (i = 0; i < text.len; i++) {
        out = put_quoted(out, (unsigned char)text.data[i]);
    }
    *out++ = '"';

    return ss_bytes(quoted, out - quoted);
}
