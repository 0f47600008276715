/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

/* clang-format off */
static const struct {
    const char *what, *text;
    int column;
    const char *wanted; /* NULL: accepted */
} inputs[] = {
    { "no names",                        "[1,{},\"a\"]",                     0, NULL },
    { "different names",                 "{\"a\":1,\"b\":2}",                0, NULL },
    { "the same name in two objects",    "[{\"a\":1},{\"a\":2}]",            0, NULL },
    { "the same name on two levels",     "{\"a\":{\"a\":{\"a\":1}}}",        0, NULL },
    { "a name again behind an object",   "{\"a\":{\"b\":1},\"b\":2}",        0, NULL },
    { "names that differ in case",       "{\"a\":1,\"A\":2}",                0, NULL },
    { "a name that begins another",      "{\"a\":1,\"aa\":2,\"\":3}",        0, NULL },
    { "different lone surrogates",       "{\"\\ud800\":1,\"\\ud801\":2}",    0, NULL },
    { "a control character in a value",  "{\"a\":\"\\u0000\"}",              0, NULL },
    { "a name beyond ASCII",             "{\"\xc2\x80\":1}",                 0, NULL },
    { "a name twice",                    "{\"a\":1,\"b\":2,\"a\":3}",        14, "a name that is not used twice" },
    { "a name twice, once escaped",      "{\"a\":1,\"\\u0061\":2}",          8, "a name that is not used twice" },
    { "an empty name twice",             "{\"\":1,\"\":2}",                  7, "a name that is not used twice" },
    { "a pair and its character",        "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}",
                                                                             19, "a name that is not used twice" },
    { "a name twice, deep inside",       "[[{\"x\":{\"a\":1, \"a\":2}}]]",   16, "a name that is not used twice" },
    { "a name twice, around an object",  "{\"a\":{\"b\":[{}]},\"a\":2}",     17, "a name that is not used twice" },
    { "the first of several that are used twice",
                                         "{\"a\":1,\"b\":2,\"b\":3,\"a\":4}", 14, "a name that is not used twice" },
    { "a name three times",              "{\"a\":1,\"a\":2,\"a\":3}",        8, "a name that is not used twice" },
    { "an outer name twice, behind an inner one",
                                         "{\"a\":1,\"b\":{\"c\":1,\"c\":2},\"a\":3}",
                                                                             19, "a name that is not used twice" },
    { "an outer name twice, before an inner one",
                                         "{\"a\":1,\"a\":{\"c\":1,\"c\":2}}",
                                                                             8, "a name that is not used twice" },
    { "a name twice, before what is malformed",
                                         "{\"a\":1,\"a\":2,}",               8, "a name that is not used twice" },
    { "a name twice, around what is malformed",
                                         "{\"a\":1,\"a\":{\"b\":[1,}}",      8, "a name that is not used twice" },
    { "a name twice, before one that is unfit",
                                         "{\"a\":1,\"a\":{\"\\n\":2}}",      8, "a name that is not used twice" },
    { "a name twice, behind what is malformed",
                                         "{\"a\":+,\"a\":2}",                6, "a value" },
    { "a name twice, behind the text",   "{\"a\":1}{\"a\":1,\"a\":2}",       8, "the end of the text" },
    { "a NUL in a name",                 "{\"a\\u0000\":1}",                 2, "a name without control characters" },
    { "a line feed in a name",           "{\"x\":{\"\\n\":1}}",              7, "a name without control characters" },
    { "DEL in a name",                   "{\"\x7f\":1}",                     2, "a name without control characters" },
    { "NaN",                             "[NaN]",                            2, "a value" },
    { "malformed text",                  "{\"a\":1,}",                       8, "a name in quotes" }
};
/* clang-format on */

START_TEST(input_is_unambiguous)
{
    ss_json_error_t error = { NULL, 0, 0, 0 };
    apr_status_t rv = ss_json_check_input(NULL, exact_of(inputs[_i].text), &error, pool);
    const char *what = inputs[_i].what;

    if (inputs[_i].wanted == NULL) {
        ck_assert_msg(rv == APR_SUCCESS, "%s: wanted %s", what, error.wanted);
        return;
    }
    ck_assert_msg(rv == APR_EINVAL, "%s", what);
    ck_assert_msg(strcmp(error.wanted, inputs[_i].wanted) == 0, "%s: %s", what, error.wanted);
    ck_assert_msg(error.column == inputs[_i].column, "%s: column %d", what, error.column);
}
END_TEST

START_TEST(input_has_256_members_in_an_object)
{
    const char *text = apr_psprintf(pool, "[%s,%s]", wide(256), wide(256));
    ss_json_error_t error;

    ck_assert_int_eq(ss_json_check_input(NULL, exact_of(text), &error, pool), APR_SUCCESS);
    text = apr_psprintf(pool, "[\n%s]", wide(257));
    ck_assert_int_eq(ss_json_check_input(NULL, exact_of(text), &error, pool), APR_EINVAL);
    ck_assert_str_eq(error.wanted, "at most 256 members in an object");
    ck_assert_int_eq(error.line, 2);
    ck_assert_int_eq(error.column, (int)strlen(wide(256)) + 1);
    ck_assert_int_eq(ss_json_check(NULL, exact_of(text), SS_JSON_STRICT, NULL), APR_SUCCESS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_input");
    TCase *tcase = unit_case(suite, "names");

    tcase_add_loop_test(tcase, input_is_unambiguous, 0, COUNT(inputs));
    tcase_add_test(tcase, input_has_256_members_in_an_object);
    return unit_run(suite);
}
