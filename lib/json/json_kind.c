/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json_text.h"

/* What a value is, decided by its first byte; that of -Infinity by its second. */

ss_json_kind_e ss_json_kind(ss_json_t value)
{
    const char *at = value.raw.data;

    switch (*at) {
    case '{':
        return SS_JSON_OBJECT;
    case '[':
        return SS_JSON_ARRAY;
    case '"':
        return SS_JSON_STRING;
    case 't':
        return SS_JSON_TRUE;
    case 'f':
        return SS_JSON_FALSE;
    case 'n':
        return SS_JSON_NULL;
    case 'N':
    case 'I':
        return SS_JSON_NOT_FINITE;
    case '-':
        return at[1] == 'I' ? SS_JSON_NOT_FINITE : SS_JSON_NUMBER;
    default:
        return SS_JSON_NUMBER;
    }
}

int ss_json_depth(ss_json_t value)
{
    int depth = 0, deepest = 0, in_string = 0;

    for (apr_size_t i = 0; i < value.raw.len; i++) {
        char c = value.raw.data[i];

        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        }
        else if (c == '"') {
            in_string = 1;
        }
        else if (c == '[' || c == '{') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        }
        else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return deepest;
}

/* 0, -0, 0.00, 0e5: no digit but 0 before the exponent */
static int is_zero(ss_json_t number)
{
    for (apr_size_t i = 0; i < number.raw.len; i++) {
        char c = number.raw.data[i];

        if (c == 'e' || c == 'E') {
            break;
        }
        if (c >= '1' && c <= '9') {
            return 0;
        }
    }
    return 1;
}

/* Only brackets and blanks between them? */
static int is_hollow(ss_json_t value)
{
    apr_size_t i = 1;

    while (i < value.raw.len - 1 && ss_json_is_blank(value.raw.data[i])) {
        i++;
    }
    return i == value.raw.len - 1;
}

int ss_json_is_true(ss_json_t value)
{
    switch (ss_json_kind(value)) {
    case SS_JSON_TRUE:
        return 1;
    case SS_JSON_STRING:
        return value.raw.len > 2;
    case SS_JSON_NUMBER:
        return !is_zero(value);
    case SS_JSON_OBJECT:
    case SS_JSON_ARRAY:
        return !is_hollow(value);
    default:
        return 0;
    }
}
