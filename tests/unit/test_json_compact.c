/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

/* clang-format off */
static const struct {
    const char *what, *value;
    ss_json_write_e how;
    const char *compact; /* NULL: the value itself */
} compacts[] = {
    { "compact already",           "{\"a\":[1,\"b c\"]}", SS_JSON_AS_IS, NULL },
    { "blanks everywhere",         "{ \"a\" :\n[ 1 ,\t2 ]\r, \"b\":{ } }", SS_JSON_AS_IS, "{\"a\":[1,2],\"b\":{}}" },
    { "blanks in strings stay",    "[ \"a  \\\" b\" ]", SS_JSON_AS_IS, "[\"a  \\\" b\"]" },
    { "tokens keep their spelling","[ 1.0E+2, \"\\u0041\\/\" ]", SS_JSON_AS_IS, "[1.0E+2,\"\\u0041\\/\"]" },
    { "not finite stays",          "[NaN, -Infinity]", SS_JSON_AS_IS, "[NaN,-Infinity]" },
    { "not finite becomes null",   "[NaN,-Infinity,Infinity,-1]", SS_JSON_FINITE, "[null,null,null,-1]" },
    { "only not finite",           "NaN", SS_JSON_FINITE, "null" },
    { "many of them",              "[NaN,NaN,NaN,NaN,NaN,NaN,NaN,NaN]", SS_JSON_FINITE,
                                   "[null,null,null,null,null,null,null,null]" },
    { "the same size as before",   "{\"a\": NaN}", SS_JSON_FINITE, "{\"a\":null}" },
    { "NaN in a string stays",     "[\"NaN -Infinity\"]", SS_JSON_FINITE, NULL },
    { "all is finite",             "[-1,null]", SS_JSON_FINITE, NULL },
    { "ASCII already",             "[\"a\\u00e9~\"]", SS_JSON_ASCII, NULL },
    { "ASCII, with blanks",        "[ 1 ]", SS_JSON_ASCII, "[1]" },
    { "two bytes",                 "\"\xc3\xa9\"", SS_JSON_ASCII, "\"\\u00e9\"" },
    { "three bytes",               "\"\xe2\x82\xac!\"", SS_JSON_ASCII, "\"\\u20ac!\"" },
    { "four bytes",                "\"\xf0\x9f\x98\x80\"", SS_JSON_ASCII, "\"\\ud83d\\ude00\"" },
    { "the last character",        "\"\xf4\x8f\xbf\xbf\"", SS_JSON_ASCII, "\"\\udbff\\udfff\"" },
    { "DEL",                       "\"\x7f\x7f\"", SS_JSON_ASCII, "\"\\u007f\\u007f\"" },
    { "a name",                    "{\"\xc3\xa9\":1}", SS_JSON_ASCII, "{\"\\u00e9\":1}" },
    { "without the flag",          "[\"\xc3\xa9\"]", SS_JSON_FINITE, NULL },
    { "everything at once",        "{ \"\xc3\xa9\": NaN }", SS_JSON_ASCII_AND_FINITE, "{\"\\u00e9\":null}" },
};
/* clang-format on */

START_TEST(compacts_values)
{
    ss_json_t value = value_of(compacts[_i].value);
    ss_json_t compact = ss_json_compact(value, compacts[_i].how, pool);

    if (compacts[_i].compact == NULL) {
        ck_assert_msg(compact.raw.data == value.raw.data && compact.raw.len == value.raw.len,
                      "%s: a copy", compacts[_i].what);
        return;
    }
    assert_value(compact, compacts[_i].compact, compacts[_i].what);
    ck_assert_msg(compact.raw.data[compact.raw.len] == '\0', "%s: terminated", compacts[_i].what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_compact");
    TCase *tcase = unit_case(suite, "compact");

    tcase_add_loop_test(tcase, compacts_values, 0, COUNT(compacts));
    return unit_run(suite);
}
