/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json_text.h"
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

    for (int i = 0; i < 4; i++) {
        /* in ASCII the letters, but not the figures, have bit 6 set, and begin at ...1 */
        number = number * 16 + (digits[i] & 0xF) + (digits[i] >> 6) * 9;
    }
    return number;
}

/* UTF-8, which for a lone surrogate is not well-formed: ss_json_decode says why. */
static ss_out_t put_utf8(ss_out_t out, unsigned number)
{
    static const unsigned char lead[] = { 0x00, 0xC0, 0xE0, 0xF0 };
    int behind = (number > 0x7F) + (number > 0x7FF) + (number > 0xFFFF);

    out = ss_out_put_char(out, (char)(lead[behind] | number >> (6 * behind)));
    for (int i = behind - 1; i >= 0; i--) {
        out = ss_out_put_char(out, (char)(0x80 | ((number >> (6 * i)) & 0x3F)));
    }
    return out;
}

/* Decode the checked escape whose letter is at *at, and with a high surrogate also the low one that
 * follows; step behind it. */
static ss_out_t put_meaning(ss_out_t out, const char **at, const char *end)
{
    const char *letter = *at;
    unsigned number, low;

    if (*letter != 'u') {
        *at = letter + 1;
        return ss_out_put_char(out,
                               escape_meanings[strchr(escape_letters, *letter) - escape_letters]);
    }

    number = hex4(letter + 1);
    *at = letter += 5;
    if (number >= 0xD800 && number < 0xDC00 && end - letter >= 6 && letter[0] == '\\' &&
        letter[1] == 'u') {
        low = hex4(letter + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            number = 0x10000 + ((number - 0xD800) << 10) + (low - 0xDC00);
            *at = letter + 6;
        }
    }
    return put_utf8(out, number);
}

ss_bytes_t ss_json_decode(ss_json_t quoted, apr_pool_t *pool)
{
    const char *at = quoted.raw.data + 1, *end = quoted.raw.data + quoted.raw.len - 1;
    const char *backslash = memchr(at, '\\', end - at);
    ss_out_t start, out;

    if (backslash == NULL) {
        return ss_bytes(at, end - at);
    }

    start = out =
        ss_out_create(quoted.raw.len, pool); /* an escape is never shorter than what it means */
    while (backslash != NULL) {
        out = ss_out_put(out, ss_bytes(at, backslash - at));
        at = backslash + 1;
        out = put_meaning(out, &at, end);
        backslash = memchr(at, '\\', end - at);
    }
    out = ss_out_put(out, ss_bytes(at, end - at));
    return ss_out_slice(start, out);
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

static ss_out_t put_quoted(ss_out_t out, unsigned char c)
{
    const char *meaning;

    if (c >= 0x20 && c != '"' && c != '\\') {
        return ss_out_put_char(out, (char)c);
    }
    meaning = c == '\0' ? NULL : strchr(escape_meanings, c);
    if (meaning == NULL) {
        return ss_json_put_escape(out, c);
    }
    out = ss_out_put_char(out, '\\');
    return ss_out_put_char(out, escape_letters[meaning - escape_meanings]);
}

ss_json_t ss_json_quote(ss_bytes_t text, apr_pool_t *pool)
{
    ss_out_t start, out;
    ss_json_t quoted;

    if (!ss_utf8_is_valid(text)) {
        return ss_json_absent;
    }

    start = out = ss_out_create(6 * text.len + 2, pool); /* every byte may become a \u00XX */
    out = ss_out_put_char(out, '"');
    for (apr_size_t i = 0; i < text.len; i++) {
        out = put_quoted(out, (unsigned char)text.data[i]);
    }
    out = ss_out_put_char(out, '"');
    quoted.raw = ss_out_slice(start, out);
    return quoted;
}
