/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

START_TEST(takes_an_object_apart)
{
    static const char *const want[][3] = { { "a", "\"a\"", "1" },
                                           { "b\n", "\"b\\n\"", "[ {\"a\" : 2} ]" },
                                           { "", "\"\"", "\"x\"" },
                                           { "a", "\"\\u0061\"", "{ }" },
                                           { "n", "\"n\"", "-Infinity" } };
    ss_bytes_t text = exact_of(" { \"a\" : 1 , \"b\\n\" :\n[ {\"a\" : 2} ],\"\":\"x\" ,"
                               "\"\\u0061\":{ }\t, \"n\":-Infinity } ");
    const apr_array_header_t *members;
    ss_json_object_t object;
    ss_json_error_t error;

    ck_assert_int_eq(ss_json_object(&object, text, SS_JSON_PYTHON, &error, pool), APR_SUCCESS);
    assert_bytes(object.value.raw, ss_bytes(text.data + 1, text.len - 2), "the object");
    members = object.members;
    ck_assert_int_eq(members->nelts, COUNT(want));
    for (int i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        assert_bytes(member->name, ss_bytes_of(want[i][0]), "name");
        assert_value(member->quoted, want[i][1], "quoted name");
        assert_value(member->value, want[i][2], "value");
        ck_assert(member->value.raw.data > text.data &&
                  member->value.raw.data < text.data + text.len);
    }
    ck_assert(APR_ARRAY_IDX(members, 0, ss_json_member_t).name.data == text.data + 4);
}
END_TEST

START_TEST(takes_only_objects_apart)
{
    static const char *const others[] = { "[{\"a\":1}]", "1", "null", "\"{}\"", "[[]]" };
    ss_json_object_t object;
    ss_json_error_t error;

    for (int i = 0; i < COUNT(others); i++) {
        const char *text = apr_pstrcat(pool, "\n ", others[i], " ", NULL);

        ck_assert_int_eq(ss_json_object(&object, exact_of(text), SS_JSON_STRICT, &error, pool),
                         APR_EINVAL);
        ck_assert_ptr_null(object.members);
        ck_assert_ptr_null(object.value.raw.data);
        ck_assert_str_eq(error.wanted, "an object");
        ck_assert_int_eq(error.line, 2);
        ck_assert_int_eq(error.column, 2);
        ck_assert_ptr_null(ss_json_members(value_of(text), pool));
    }

    ck_assert_int_eq(ss_json_object(&object, exact_of("{\"a\":1"), SS_JSON_STRICT, &error, pool),
                     APR_EINVAL);
    ck_assert_ptr_null(object.members);
    ck_assert_str_eq(error.wanted, "',' or '}'");
    ck_assert_int_eq(ss_json_object(&object, exact_of("[1"), SS_JSON_STRICT, &error, pool),
                     APR_EINVAL);
    ck_assert_str_eq(error.wanted, "',' or ']'");
}
END_TEST

START_TEST(keeps_many_members)
{
    const apr_array_header_t *members = ss_json_members(value_of(wide(1000)), pool);
    const ss_json_member_t *last = &APR_ARRAY_IDX(members, 999, ss_json_member_t);

    ck_assert_int_eq(members->nelts, 1000);
    assert_bytes(last->name, ss_bytes_of("999"), "last name");
    assert_value(last->value, "999", "last value");
}
END_TEST

START_TEST(finds_and_prints_members_that_have_a_value)
{
    apr_array_header_t *members =
        ss_json_members(value_of("{ \"a\" : 1 , \"\\u0061\":[ 2 ], \"b\":3,\"a\":4 }"), pool);
    ss_json_member_t *member = (ss_json_member_t *)members->elts;
    ss_bytes_t name = ss_bytes_of("a");

    ck_assert_ptr_eq(ss_json_find(members, name), &member[3]);
    member[3].value = ss_json_absent;
    ck_assert_ptr_eq(ss_json_find(members, name), &member[1]);
    ck_assert_ptr_null(ss_json_find(members, ss_bytes_of("A")));
    assert_value(ss_json_print(members, pool), "{\"a\":1,\"\\u0061\":[ 2 ],\"b\":3}",
                 "the last dropped");
    member[0].value = ss_json_absent;
    assert_value(ss_json_print(members, pool), "{\"\\u0061\":[ 2 ],\"b\":3}", "the first dropped");
    member[1].value = member[2].value = ss_json_absent;
    ck_assert_ptr_null(ss_json_find(members, name));
    assert_value(ss_json_print(members, pool), "{}", "all dropped");
}
END_TEST

START_TEST(finds_many_members_at_once)
{
    const apr_array_header_t *members =
        ss_json_members(value_of("{\"a\":1,\"b\":2,\"a\":3,\"\":4,\"A\":5}"), pool);
    const apr_array_header_t *wanted =
        ss_json_members(value_of("{\"\":0,\"c\":0,\"\\u0061\":0,\"A\":0,\"b\":0}"), pool);
    const int *numbers = ss_json_match(wanted, members, pool);
    static const int want[] = { 3, -1, 2, 4, 1 };

    for (int i = 0; i < COUNT(want); i++) {
        ck_assert_int_eq(numbers[i], want[i]);
    }
    ss_json_match(ss_json_members(value_of("{}"), pool), members, pool);
    ck_assert_int_eq(ss_json_match(wanted, ss_json_members(value_of("{}"), pool), pool)[0], -1);
}
END_TEST

START_TEST(tells_kinds_apart)
{
    static const struct {
        const char *value;
        ss_json_kind_e kind;
    } kinds[] = { { "{}", SS_JSON_OBJECT },
                  { "[1]", SS_JSON_ARRAY },
                  { "\"a\"", SS_JSON_STRING },
                  { "0", SS_JSON_NUMBER },
                  { "-1", SS_JSON_NUMBER },
                  { "true", SS_JSON_TRUE },
                  { "false", SS_JSON_FALSE },
                  { "null", SS_JSON_NULL },
                  { "NaN", SS_JSON_NOT_FINITE },
                  { "Infinity", SS_JSON_NOT_FINITE },
                  { "-Infinity", SS_JSON_NOT_FINITE },
                  { "\r\n\t {}", SS_JSON_OBJECT } };
    int i;

    for (i = 0; i < COUNT(kinds); i++) {
        ck_assert_msg(ss_json_kind(value_of(kinds[i].value)) == kinds[i].kind, "%s",
                      kinds[i].value);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_parts");
    TCase *tcase = unit_case(suite, "values");

    tcase_add_test(tcase, takes_an_object_apart);
    tcase_add_test(tcase, takes_only_objects_apart);
    tcase_add_test(tcase, keeps_many_members);
    tcase_add_test(tcase, finds_and_prints_members_that_have_a_value);
    tcase_add_test(tcase, finds_many_members_at_once);
    tcase_add_test(tcase, tells_kinds_apart);
    return unit_run(suite);
}
