/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

/* clang-format off */
static const struct {
    const char *what, *quoted, *text; /* text in hexadecimal digits */
    int plain;
} strings[] = {
    { "nothing",                              "\"\"",                         "",               1 },
    { "plain text",                           "\"abc\"",                      "616263",         1 },
    { "every short escape",                   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "225c2f080c0a0d09", 0 },
    { "an escape between text",               "\"a\\u002fb\"",                "612f62",         1 },
    { "an escaped NUL",                       "\"a\\u0000\"",                 "6100",           0 },
    { "a control character",                  "\"\\u001f\"",                  "1f",             0 },
    { "DEL",                                  "\"\x7f\"",                     "7f",             0 },
    { "an escaped DEL",                       "\"\\u007F\"",                  "7f",             0 },
    { "two bytes",                            "\"\\u00e9\"",                  "c3a9",           1 },
    { "the last of two bytes",                "\"\\u07ff\"",                  "dfbf",           1 },
    { "the first of three bytes",             "\"\\u0800\"",                  "e0a080",         1 },
    { "three bytes",                          "\"\\u20AC\"",                  "e282ac",         1 },
    { "below the surrogates",                 "\"\\ud7ff\"",                  "ed9fbf",         1 },
    { "a pair",                               "\"\\ud83d\\uDE00\"",           "f09f9880",       1 },
    { "the first pair",                       "\"\\ud800\\udc00\"",           "f0908080",       1 },
    { "the last pair",                        "\"\\udbff\\udfff\"",           "f48fbfbf",       1 },
    { "a lone high surrogate",                "\"\\ud83d\"",                  "eda0bd",         0 },
    { "a high surrogate before text",         "\"\\ud83dx\"",                 "eda0bd78",       0 },
    { "a high surrogate before an escape",    "\"\\ud83d\\n\"",               "eda0bd0a",       0 },
    { "a high surrogate before a character",  "\"\\ud83d\\u0041\"",           "eda0bd41",       0 },
    { "a lone low surrogate",                 "\"\\ude00\"",                  "edb880",         0 },
    { "a pair in the wrong order",            "\"\\ude00\\ud83d\"",           "edb880eda0bd",   0 },
    { "two high surrogates and a low one",    "\"\\ud83d\\ud83d\\ude00\"",    "eda0bdf09f9880", 0 },
    { "an escaped backslash before a u",      "\"\\\\u0041\"",                "5c7530303431",   1 },
    { "raw UTF-8 beside an escape",           "\"\xc3\xa9\\u0041\"",          "c3a941",         1 }
};
/* clang-format on */

START_TEST(decodes_strings)
{
    ss_json_t quoted = value_of(strings[_i].quoted);
    ss_bytes_t decoded = ss_json_decode(quoted, pool);

    assert_bytes(decoded, unhex(strings[_i].text), strings[_i].what);
    ck_assert_msg(ss_json_is_plain(decoded) == strings[_i].plain, "%s: plain", strings[_i].what);
    if (strchr(strings[_i].quoted, '\\') == NULL) {
        ck_assert_msg(decoded.data == quoted.raw.data + 1, "%s: a copy", strings[_i].what);
    }
}
END_TEST

START_TEST(quotes_strings)
{
    static const struct {
        const char *text, *quoted;
    } rows[] = { { "", "\"\"" },
                 { "a/b'c", "\"a/b'c\"" },
                 { "\"\\", "\"\\\"\\\\\"" },
                 { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
                 { "\x01\x1f\x0b", "\"\\u0001\\u001f\\u000b\"" },
                 { "\x7f \xc3\xa9\xf0\x9f\x98\x80", "\"\x7f \xc3\xa9\xf0\x9f\x98\x80\"" } };
    static const char *const not_utf8[] = { "\xff", "a\xc0\x80", "\xed\xa0\x80", "\xe2\x82" };
    int i;

    for (i = 0; i < COUNT(rows); i++) {
        assert_value(ss_json_quote(exact_of(rows[i].text), pool), rows[i].quoted, rows[i].quoted);
    }
    assert_value(ss_json_quote(exact("\0", 1), pool), "\"\\u0000\"", "NUL");
    for (i = 0; i < COUNT(not_utf8); i++) {
        ss_json_t quoted = ss_json_quote(exact_of(not_utf8[i]), pool);

        ck_assert_ptr_null(quoted.raw.data);
        ck_assert_int_eq(quoted.raw.len, 0);
    }
}
END_TEST

START_TEST(decodes_what_it_quoted)
{
    char all[128];
    int i;

    for (i = 0; i < COUNT(all); i++) {
        all[i] = (char)i;
    }
    assert_bytes(ss_json_decode(ss_json_quote(exact(all, sizeof(all)), pool), pool),
                 ss_bytes(all, sizeof(all)), "ASCII");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_string");
    TCase *tcase = unit_case(suite, "strings");

    tcase_add_loop_test(tcase, decodes_strings, 0, COUNT(strings));
    tcase_add_test(tcase, quotes_strings);
    tcase_add_test(tcase, decodes_what_it_quoted);
    return unit_run(suite);
}
