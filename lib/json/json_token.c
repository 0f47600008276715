/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>

#include "lib/json/json_token.h"
#include "lib/encode.h"

/* Bytes in strings that need a closer look: '"', '\' and whatever is not printable ASCII. */
/* clang-format off */
static const unsigned char is_special[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
};
/* clang-format on */

static const unsigned char *plain_end(const unsigned char *at, const unsigned char *end)
{
    while ((apr_size_t)(end - at) >= sizeof(apr_uint64_t)) {
        apr_uint64_t marks = ss_json_mark_special(ss_word_at(at));

        if (marks != 0) {
            at += ss_word_unmarked(marks);
            break;
        }
        at += sizeof(apr_uint64_t);
    }
    while (at < end && !is_special[*at]) {
        at++;
    }
    return at;
}

/* The end of the escape that begins with the backslash at `at`; NULL after a failure. */
static const unsigned char *escape_end(ss_json_tokens_t *in, const unsigned char *at)
{
    const unsigned char *digits;

    at++;
    if (at < in->end && *at == 'u') {
        for (digits = ++at; at < digits + 4; at++) {
            if (at == in->end || !apr_isxdigit(*at)) {
                ss_json_fail(in, at, "four hexadecimal digits after \\u");
                return NULL;
            }
        }
        return at;
    }
    if (at < in->end && memchr("\"\\/bfnrt", *at, 8) != NULL) {
        return at + 1;
    }

    ss_json_fail(in, at, "one of \" \\ / b f n r t u after \\");
    return NULL;
}

/* The end of the UTF-8 sequence at `at`; NULL after a failure. */
static const unsigned char *sequence_end(ss_json_tokens_t *in, const unsigned char *at)
{
    apr_size_t size = *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : 2;

    if ((apr_size_t)(in->end - at) < size || !ss_utf8_is_valid(ss_bytes((const char *)at, size))) {
        ss_json_fail(in, at, "UTF-8");
        return NULL;
    }
    return at + size;
}

ss_json_step_e ss_json_scan_string(ss_json_tokens_t *in)
{
    const unsigned char *at = in->at + 1;

    in->string = 0;
    while (at != NULL) {
        at = plain_end(at, in->end);
        if (at == in->end) {
            return ss_json_fail(in, at, "'\"' at the end of the string");
        }
        if (*at == '"') {
            in->at = at + 1;
            return SS_JSON_STEP_DONE;
        }
        if (*at < 0x20) {
            return ss_json_fail(in, at, "an escape instead of a control character");
        }
        if (*at == '\\') {
            in->string |= SS_JSON_HOLDS_ESCAPES;
            at = escape_end(in, at);
        }
        else {
            in->string |= SS_JSON_HOLDS_OTHERS;
            at = *at == 0x7F ? at + 1 : sequence_end(in, at);
        }
    }
    return SS_JSON_STEP_FAILED;
}

/* The end of the digits that begin at `at`; NULL after a failure. */
static const unsigned char *digits_end(ss_json_tokens_t *in, const unsigned char *at)
{
    if (at == in->end || !ss_json_is_digit(*at)) {
        ss_json_fail(in, at, "a digit");
        return NULL;
    }
    while (at < in->end && ss_json_is_digit(*at)) {
        at++;
    }
    return at;
}

ss_json_step_e ss_json_scan_number(ss_json_tokens_t *in)
{
    const unsigned char *at = in->at, *end = in->end;

    if (*at == '-') {
        at++;
        if (at < end && *at == 'I' && in->how == SS_JSON_PYTHON) {
            in->at = at;
            return ss_json_scan_not_finite(in, "Infinity");
        }
    }
    if (at + 1 < end && at[0] == '0' && ss_json_is_digit(at[1])) {
        return ss_json_fail(in, at, "a number without leading zeros");
    }

    at = digits_end(in, at);
    if (at != NULL && at < end && *at == '.') {
        at = digits_end(in, at + 1);
    }
    if (at != NULL && at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at = digits_end(in, at < end && (*at == '+' || *at == '-') ? at + 1 : at);
    }
    if (at == NULL) {
        return SS_JSON_STEP_FAILED;
    }

    in->at = at;
    return SS_JSON_STEP_DONE;
}
