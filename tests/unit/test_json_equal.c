/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

/* clang-format off */
static const struct {
    const char *what, *a, *b;
    int equal;
} pairs[] = {
    { "the same bytes",                 "[1]", "[1]", 1 },
    { "blanks around arrays",           " [1]\n", "[1]", 1 },
    { "blanks around strings",          "\t\"a\" ", "\"a\"", 1 },
    { "other blanks",                   "[ 1,2 ]", "[1, 2]", 1 },
    { "numbers by their spelling",      "1.0", "1", 0 },
    { "strings by their text",          "\"\\u0041\\/\"", "\"A/\"", 1 },
    { "different strings",              "\"a\"", "\"b\"", 0 },
    { "a string and a number",          "\"1\"", "1", 0 },
    { "true and false",                 "true", "false", 0 },
    { "null and false",                 "null", "false", 0 },
    { "NaN and null",                   "NaN", "null", 0 },
    { "NaN and NaN",                    "[ NaN ]", "[NaN]", 1 },
    { "NaN and Infinity",               "NaN", "Infinity", 0 },
    { "different lone surrogates",      "\"\\ud800\"", "\"\\ud801\"", 0 },
    { "members in another order",       "{\"a\":1,\"b\":[2]}", "{\"b\":[2 ],\"a\":1}", 1 },
    { "a name spelled otherwise",       "{\"a\":1}", "{\"\\u0061\":1}", 1 },
    { "a member more",                  "{\"a\":1}", "{\"a\":1,\"b\":1}", 0 },
    { "another name",                   "{\"a\":1}", "{\"b\":1}", 0 },
    { "a name that begins another",     "{\"a\":1,\"ab\":2}", "{\"ab\":1,\"a\":2}", 0 },
    { "another value, deep inside",     "{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":2}]}", 0 },
    { "of duplicates the last counts",  "{\"a\":1,\"a\":2}", "{\"a\":2}", 1 },
    { "not the first",                  "{\"a\":1,\"a\":2}", "{\"a\":1}", 0 },
    { "duplicates on both sides",       "{\"a\":1,\"b\":3,\"a\":2}", "{\"b\":0,\"a\":2,\"b\":3}", 1 },
    { "as many members, fewer names",   "{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":1}", 0 },
    { "items in another order",         "[1,2]", "[2,1]", 0 },
    { "an item more",                   "[1,2]", "[1,2,3]", 0 },
    { "an item less",                   "[1]", "[]", 0 },
    { "empty arrays",                   "[]", "[ ]", 1 },
    { "empty objects",                  "{ }", "{}", 1 },
    { "an array and an object",         "[]", "{}", 0 },
    { "arrays of every kind of item",   "[\"],\",{\"x\":[1]},[[]],true , -1]", "[ \"],\" , { \"x\":[1]}, [ [] ] ,true,-1]", 1 }
};
/* clang-format on */

START_TEST(compares_values)
{
    ss_json_t a = value_of(pairs[_i].a), b = value_of(pairs[_i].b);

    ck_assert_msg(ss_json_equal(a, b, pool) == pairs[_i].equal, "%s", pairs[_i].what);
    ck_assert_msg(ss_json_equal(b, a, pool) == pairs[_i].equal, "%s, swapped", pairs[_i].what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_equal");
    TCase *tcase = unit_case(suite, "equal");

    tcase_add_loop_test(tcase, compares_values, 0, COUNT(pairs));
    return unit_run(suite);
}
