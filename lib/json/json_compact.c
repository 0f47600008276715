/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json_text.h"

/* White space and what some readers do not take, left out. */

/* Bytes that SS_JSON_ASCII escapes. */
static apr_size_t count_wide(ss_json_t value)
{
    apr_size_t count = 0;

    for (apr_size_t i = 0; i < value.raw.len; i++) {
        count += (unsigned char)value.raw.data[i] >= 0x7F;
    }
    return count;
}

/* Beside what has to be escaped, is there anything to change? */
static int is_compact(ss_json_t value, ss_json_write_e how)
{
    const char *at = value.raw.data, *end = at + value.raw.len;
    int finite = (how & SS_JSON_FINITE) != 0;

    while (at < end) {
        if (*at == '"') {
            at = ss_json_string_end(at, end);
            continue;
        }
        if (ss_json_is_blank(*at) || (finite && (*at == 'N' || *at == 'I'))) {
            return 0;
        }
        at++;
    }
    return 1;
}

/* Escape the character at *at, which is DEL or beyond ASCII, and step behind it. */
static ss_out_t put_ascii(ss_out_t out, const char **at)
{
    unsigned char lead = *(*at)++;
    unsigned number = lead >= 0xF0   ? lead & 0x07
                      : lead >= 0xE0 ? lead & 0x0F
                      : lead >= 0x80 ? lead & 0x1F
                                     : lead;

    while ((**at & 0xC0) == 0x80) {
        number = number << 6 | (*(*at)++ & 0x3Fu);
    }
    if (number < 0x10000) {
        return ss_json_put_escape(out, number);
    }
    out = ss_json_put_escape(out, 0xD800 + ((number - 0x10000) >> 10));
    return ss_json_put_escape(out, 0xDC00 + (number & 0x3FF));
}

/* A string in which something is to be escaped. */
static ss_out_t put_wide(ss_out_t out, const char *at, const char *end)
{
    while (at < end) {
        if ((unsigned char)*at >= 0x7F) {
            out = put_ascii(out, &at);
        }
        else {
            out = ss_out_put_char(out, *at++);
        }
    }
    return out;
}

/* Bytes of a NaN or an infinity at `at`, 0 for anything else. */
static apr_size_t not_finite_size(const char *at)
{
    switch (*at) {
    case 'N':
        return sizeof("NaN") - 1;
    case 'I':
        return sizeof("Infinity") - 1;
    case '-':
        return at[1] == 'I' ? sizeof("-Infinity") - 1 : 0;
    default:
        return 0;
    }
}

ss_json_t ss_json_compact(ss_json_t value, ss_json_write_e how, apr_pool_t *pool)
{
    const char *at = value.raw.data, *end = at + value.raw.len;
    apr_size_t wide = (how & SS_JSON_ASCII) != 0 ? count_wide(value) : 0;
    ss_out_t start, out;

    if (wide == 0 && is_compact(value, how)) {
        return value;
    }

    /* a byte becomes at most \u00XX, NaN becomes null */
    start = out = ss_out_create(value.raw.len + 5 * wide + value.raw.len / 3 + 1, pool);
    while (at < end) {
        apr_size_t skipped = (how & SS_JSON_FINITE) != 0 ? not_finite_size(at) : 0;

        if (skipped > 0) {
            out = ss_out_put(out, ss_bytes("null", 4));
            at += skipped;
        }
        else if (*at == '"') {
            const char *behind = ss_json_string_end(at, end);

            out = wide > 0 ? put_wide(out, at, behind) : ss_out_put(out, ss_bytes(at, behind - at));
            at = behind;
        }
        else if (ss_json_is_blank(*at)) {
            at++;
        }
        else {
            out = ss_out_put_char(out, *at++);
        }
    }
    ss_out_put_char(out, '\0');
    value.raw = ss_out_slice(start, out);
    return value;
}
