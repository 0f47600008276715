/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

/* clang-format off */
static const struct {
    const char *what, *value, *path;
    const char *found; /* NULL: no such place */
} places[] = {
    { "a member",                            "{\"a\":1}", "a", "1" },
    { "a member of a member",                "{\"a\": {\"b\": [ 1 ]} }", "a.b", "[ 1 ]" },
    { "an item",                             "[1,[2,{\"a\":3}]]", "1.1.a", "3" },
    { "the first item",                      "[ 7 ]", "0", "7" },
    { "one too far",                         "[7]", "1", NULL },
    { "in an empty array",                   "[]", "0", NULL },
    { "in an empty object",                  "{}", "a", NULL },
    { "the eleventh",                        "[0,1,2,3,4,5,6,7,8,9,10]", "10", "10" },
    { "no leading zero",                     "[7,8]", "01", NULL },
    { "no two zeros",                        "[7,8]", "00", NULL },
    { "no sign",                             "[7,8]", "+1", NULL },
    { "not from the end",                    "[7,8]", "-1", NULL },
    { "no blank",                            "[7,8]", " 1", NULL },
    { "no exponent",                         "[7,8]", "1e0", NULL },
    { "an index beyond every integer",       "[7,8]", "18446744073709551616", NULL },
    { "an index that overflows to 0",        "[7,8]", "4294967296", NULL },
    { "a name that is a number",             "{\"0\":7}", "0", "7" },
    { "the empty name",                      "{\"\":{\"\":7}}", "", "{\"\":7}" },
    { "the empty name, twice",               "{\"\":{\"\":7}}", ".", "7" },
    { "an empty step is no index",           "[7]", "", NULL },
    { "a dot at the end",                    "{\"a\":{\"\":7}}", "a.", "7" },
    { "a dot at the beginning",              "{\"\":{\"a\":7}}", ".a", "7" },
    { "a name with a dot is not found",      "{\"a.b\":7}", "a.b", NULL },
    { "below a string",                      "{\"a\":\"b\"}", "a.b", NULL },
    { "below a number",                      "{\"a\":1}", "a.0", NULL },
    { "below null",                          "{\"a\":null}", "a.b", NULL },
    { "in a string",                         "\"abc\"", "0", NULL },
    { "null is a value",                     "{\"a\":null}", "a", "null" },
    { "an escaped name",                     "{\"\\u0061\\n\":7}", "a\n", "7" },
    { "of duplicates the last",              "{\"a\":1,\"\\u0061\":2}", "a", "2" },
    { "of duplicates the last, on the way",  "{\"a\":{\"b\":1},\"a\":{}}", "a.b", NULL },
    { "another case",                        "{\"a\":1}", "A", NULL },
    { "what Python wrote",                   "{\"a\":[NaN,-Infinity]}", "a.1", "-Infinity" }
};
/* clang-format on */

START_TEST(follows_a_path)
{
    ss_json_t value = value_of(places[_i].value);
    ss_json_t found = ss_json_at(value, exact_of(places[_i].path), pool);

    assert_bytes_or_none(found.raw, places[_i].found, places[_i].what);
}
END_TEST

START_TEST(follows_a_path_to_the_bottom)
{
    char *text = nested(SS_JSON_DEPTH_MAX, "[", "", "]");
    char *path = nested(SS_JSON_DEPTH_MAX - 1, "0.", "", "");

    ck_assert_int_eq(ss_json_depth(value_of(text)), SS_JSON_DEPTH_MAX);
    path[strlen(path) - 1] = '\0';
    assert_value(ss_json_at(value_of(text), exact_of(path), pool), "[]", "the innermost");
    path = apr_pstrcat(pool, path, ".0", NULL);
    ck_assert_ptr_null(ss_json_at(value_of(text), exact_of(path), pool).raw.data);
}
END_TEST

/* clang-format off */
static const struct {
    const char *value;
    int is_true;
} truths[] = {
    { "true", 1 }, { "false", 0 }, { "null", 0 }, { "NaN", 0 }, { "Infinity", 0 }, { "-Infinity", 0 },
    { "\"\"", 0 }, { "\"a\"", 1 }, { "\" \"", 1 }, { "\"false\"", 1 }, { "\"0\"", 1 }, { "\"\\u0000\"", 1 },
    { "0", 0 }, { "-0", 0 }, { "0.0", 0 }, { "-0.00", 0 }, { "0e5", 0 }, { "0.0E+12", 0 }, { "-0e-1", 0 },
    { "1", 1 }, { "-1", 1 }, { "10", 1 }, { "0.01", 1 }, { "0.001e-999", 1 }, { "9e0", 1 },
    { "[]", 0 }, { "[ ]", 0 }, { "[\t\r\n ]", 0 }, { "{}", 0 }, { "{ \n}", 0 },
    { "[0]", 1 }, { "[null]", 1 }, { "[[]]", 1 }, { "[ 1 ]", 1 }, { "{\"\":null}", 1 }, { "{ \"a\" : 1 }", 1 }
};
/* clang-format on */

START_TEST(tells_something_from_nothing)
{
    ck_assert_msg(ss_json_is_true(value_of(truths[_i].value)) == truths[_i].is_true, "%s",
                  truths[_i].value);
}
END_TEST

START_TEST(takes_an_array_apart)
{
    static const char *const items[] = { "1",    "\"a,]\"",  "[2, [3]]", "{\"x\":[4,5]}",
                                         "null", "-Infinity" };
    ss_json_t array = value_of(" [ 1 ,\"a,]\",[2, [3]],\t{\"x\":[4,5]} , null,-Infinity\n] ");
    const apr_array_header_t *found = ss_json_items(array, pool);

    ck_assert_int_eq(found->nelts, COUNT(items));
    for (int i = 0; i < COUNT(items); i++) {
        assert_value(APR_ARRAY_IDX(found, i, ss_json_t), items[i], items[i]);
    }
    ck_assert_int_eq(ss_json_items(value_of("[]"), pool)->nelts, 0);
    ck_assert_int_eq(ss_json_items(value_of("[ \n ]"), pool)->nelts, 0);
}
END_TEST

static const struct {
    const char *value;
    int depth;
} depths[] = {
    { "1", 0 },       { "\"[[\"", 0 },    { "null", 0 },         { "[]", 1 },
    { "{}", 1 },      { "[[],[[]]]", 3 }, { "{\"a\":[{}]}", 3 }, { "[\"]\\\"[[[\",1]", 1 },
    { "[[1],2]", 2 },
};

START_TEST(counts_levels)
{
    ck_assert_msg(ss_json_depth(value_of(depths[_i].value)) == depths[_i].depth, "%s",
                  depths[_i].value);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json path");
    TCase *tcase = unit_case(suite, "path");

    tcase_add_loop_test(tcase, follows_a_path, 0, COUNT(places));
    tcase_add_test(tcase, follows_a_path_to_the_bottom);
    tcase_add_loop_test(tcase, tells_something_from_nothing, 0, COUNT(truths));
    tcase_add_test(tcase, takes_an_array_apart);
    tcase_add_loop_test(tcase, counts_levels, 0, COUNT(depths));
    return unit_run(suite);
}
