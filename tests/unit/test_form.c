/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/form.h"

/* What was parsed is written as name=value|name=value to compare it. */
/* clang-format off */
static const struct {
    const char *what, *body, *want;
} accepted[] = {
    { "nothing",                             "",                    "" },
    { "one field",                           "user=anna",           "user=anna" },
    { "fields in order",                     "b=1&a=2&c=3",         "b=1|a=2|c=3" },
    { "one name twice",                      "a=1&a=2",             "a=1|a=2" },
    { "an empty value",                      "a=",                  "a=" },
    { "no equals sign is an empty value",    "a",                   "a=" },
    { "an empty name",                       "=1",                  "=1" },
    { "an equals sign alone",                "=",                   "=" },
    { "only the first equals sign cuts",     "a=b=c",               "a=b=c" },
    { "empty parts do not count",            "&a=1&&b=2&",          "a=1|b=2" },
    { "only empty parts",                    "&&&",                 "" },
    { "blanks and escapes in both",          "first+name=J%C3%B6rg+%26+Anna",
                                             "first name=J\xc3\xb6rg & Anna" },
    { "an escaped plus stays one",           "a=1%2B1",             "a=1+1" },
    { "escaped marks do not cut",            "a%3Db=c%26d",         "a=b=c&d" },
    { "bare UTF-8",                          "a=\xe2\x82\xac",      "a=\xe2\x82\xac" },
    { "a semicolon does not cut",            "a=1;b=2",             "a=1;b=2" },
};

static const struct {
    const char *what, *body, *why;
} refused[] = {
    { "a percent at the end of a value",     "a=100%",              "field 1" },
    { "a broken escape in a name",           "%zz=1",               "field 1" },
    { "the escape ends with the field",      "a=%4&b=1",            "field 1" },
    { "the field that is broken is named",   "a=1&b=2&c=%",         "field 3" },
    { "empty parts are not counted",         "&&a=1&&b=%",          "field 2" },
    { "a value that is not UTF-8",           "a=%FF",               "UTF-8" },
    { "a name that is not UTF-8",            "%C3=1",               "UTF-8" },
    { "a character cut in two by a mark",    "a=%C3&%B6=1",         "UTF-8" },
    { "Latin-1",                             "a=J\xf6rg",           "UTF-8" },
    { "a surrogate",                         "a=%ED%A0%80",         "UTF-8" },
};
/* clang-format on */

static const char *printed(const apr_array_header_t *fields)
{
    const char *text = "";

    for (int i = 0; i < fields->nelts; i++) {
        const ss_form_field_t *field = &APR_ARRAY_IDX(fields, i, const ss_form_field_t);

        ck_assert_ptr_nonnull(field->name.data);
        ck_assert_ptr_nonnull(field->value.data);
        text = apr_psprintf(pool, "%s%s%.*s=%.*s", text, i == 0 ? "" : "|", (int)field->name.len,
                            field->name.data, (int)field->value.len, field->value.data);
    }
    return text;
}

START_TEST(takes_forms_apart)
{
    apr_array_header_t *fields;
    const char *why = NULL;

    ck_assert_msg(ss_form_parse(&fields, &why, exact_of(accepted[_i].body), pool) == APR_SUCCESS,
                  "%s: %s", accepted[_i].what, why);
    ck_assert_ptr_null(why);
    assert_bytes(ss_bytes_of(printed(fields)), ss_bytes_of(accepted[_i].want), accepted[_i].what);
}
END_TEST

START_TEST(refuses_broken_forms)
{
    apr_array_header_t *fields;
    const char *why = NULL;

    ck_assert_msg(ss_form_parse(&fields, &why, exact_of(refused[_i].body), pool) == APR_EINVAL,
                  "%s", refused[_i].what);
    ck_assert_ptr_null(fields);
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s: %s", refused[_i].what, why);
}
END_TEST

START_TEST(takes_an_absent_body_for_an_empty_form)
{
    apr_array_header_t *fields;
    const char *why;

    ck_assert_int_eq(ss_form_parse(&fields, &why, ss_bytes(NULL, 0), pool), APR_SUCCESS);
    ck_assert_int_eq(fields->nelts, 0);
}
END_TEST

START_TEST(keeps_an_escaped_nul)
{
    apr_array_header_t *fields;
    const char *why;

    ck_assert_int_eq(ss_form_parse(&fields, &why, exact_of("a=b%00c"), pool), APR_SUCCESS);
    assert_bytes(APR_ARRAY_IDX(fields, 0, ss_form_field_t).value, ss_bytes("b\0c", 3), "a NUL");
}
END_TEST

START_TEST(takes_many_fields)
{
    apr_array_header_t *fields;
    const char *why;
    char *body = apr_palloc(pool, SS_BODY_MAX);

    for (int i = 0; i < SS_BODY_MAX; i += 2) {
        memcpy(body + i, "a&", 2);
    }
    ck_assert_int_eq(ss_form_parse(&fields, &why, exact(body, SS_BODY_MAX), pool), APR_SUCCESS);
    ck_assert_int_eq(fields->nelts, SS_BODY_MAX / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("form");
    TCase *tcase = unit_case(suite, "parse");

    tcase_add_loop_test(tcase, takes_forms_apart, 0, COUNT(accepted));
    tcase_add_loop_test(tcase, refuses_broken_forms, 0, COUNT(refused));
    tcase_add_test(tcase, takes_an_absent_body_for_an_empty_form);
    tcase_add_test(tcase, keeps_an_escaped_nul);
    tcase_add_test(tcase, takes_many_fields);

    return unit_run(suite);
}
