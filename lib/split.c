/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/out.h"
#include "lib/split.h"

/* Bytes before the first separator; all of them when there is none. */
static apr_size_t piece_length(ss_bytes_t text, ss_bytes_t separator)
{
    for (apr_size_t at = 0; at + separator.len <= text.len; at++) {
        if (memcmp(text.data + at, separator.data, separator.len) == 0) {
            return at;
        }
    }
    return text.len;
}

ss_json_t ss_split(ss_bytes_t text, ss_bytes_t separator, apr_pool_t *pool)
{
    ss_json_t array = ss_json_absent;
    ss_out_t start, out;
    const char *before = "[";

    if (!ss_utf8_is_valid(text)) {
        return array;
    }
    /* a byte becomes six at most, and a piece gets two quotes and a comma, or the bracket */
    start = out = ss_out_create(9 * text.len + 1, pool);
    for (;;) {
        apr_size_t len = piece_length(text, separator);
        ss_bytes_t piece = ss_bytes_trim(ss_bytes(text.data, len));
        ss_json_t quoted = piece.len > 0 ? ss_json_quote(piece, pool) : ss_json_absent;

        /* a separator that is half of a character leaves pieces that are no text */
        if (quoted.raw.data != NULL) {
            out = ss_out_put(out, ss_bytes_of(before));
            out = ss_out_put(out, quoted.raw);
            before = ",";
        }
        if (len == text.len) {
            break;
        }
        text = ss_bytes(text.data + len + separator.len, text.len - len - separator.len);
    }
    if (out.at == start.at) {
        return array;
    }
    out = ss_out_put_char(out, ']');
    return ss_json_check(&array, ss_out_slice(start, out), SS_JSON_STRICT, NULL) == APR_SUCCESS
               ? array
               : ss_json_absent;
}
