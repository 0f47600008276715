/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/field.h"

static const struct {
    const char *what, *list, *name;
    int want;
} membership[] = {
    { "no header at all", NULL, "Cookie", 0 },
    { "an empty header", "", "Cookie", 0 },
    { "the only member", "Cookie", "Cookie", 1 },
    { "case does not count", "accept, COOKIE", "Cookie", 1 },
    { "blanks and empty members", " , ,\tCookie , x", "Cookie", 1 },
    { "a longer name is another name", "Cookies", "Cookie", 0 },
    { "a shorter name is another name", "Cook", "Cookie", 0 },
    { "a member with a value", "max-age=60, public", "max-age", 1 },
    { "not inside a quoted string", "private=\"a, Cookie, b\"", "Cookie", 0 },
    { "an escaped quote does not end a quoted string", "x=\"a\\\", Cookie, b\"", "Cookie", 0 },
    { "behind a quoted string", "private=\"a, b\", no-cache", "no-cache", 1 },
    { "an unfinished quoted string swallows the rest", "x=\"a, Cookie", "Cookie", 0 },
};

START_TEST(a_list_has_its_members)
{
    ck_assert_msg(ss_field_has(membership[_i].list, membership[_i].name) == membership[_i].want,
                  "%s", membership[_i].what);
}
END_TEST

static const struct {
    const char *what, *before, *after;
} privacy[] = {
    { "no Cache-Control", NULL, "private" },
    { "empty", "", "private" },
    { "private already", "private", "private" },
    { "public goes", "public, max-age=60", "private, max-age=60" },
    { "s-maxage goes, whatever its case", "S-MaxAge=9, max-age=60", "private, max-age=60" },
    { "the order of the rest stays", "no-store, must-revalidate",
      "private, no-store, must-revalidate" },
    { "private for one field only becomes private", "private=\"Set-Cookie, X\", max-age=1",
      "private, max-age=1" },
    { "an extension whose name begins with public stays", "publicity=1", "private, publicity=1" },
};

START_TEST(no_shared_cache_stores_a_private_response)
{
    ck_assert_msg(strcmp(ss_field_private(privacy[_i].before, pool), privacy[_i].after) == 0,
                  "%s: %s", privacy[_i].what, ss_field_private(privacy[_i].before, pool));
}
END_TEST

START_TEST(lists_are_joined)
{
    ck_assert_ptr_null(ss_field_join(NULL, NULL, pool));
    ck_assert_str_eq(ss_field_join("a", NULL, pool), "a");
    ck_assert_str_eq(ss_field_join(NULL, "b", pool), "b");
    ck_assert_str_eq(ss_field_join("a", "b", pool), "a, b");
}
END_TEST

static const struct {
    const char *what, *header;
    int want;
} types[] = {
    { "none", NULL, 0 },
    { "exactly", "application/json", 1 },
    { "case does not count", "Application/JSON", 1 },
    { "with a parameter", "application/json; charset=utf-8", 1 },
    { "with a blank before it", "application/json ;charset=utf-8", 1 },
    { "a longer name", "application/jsonx", 0 },
    { "a shorter name", "application/jso", 0 },
    { "a type that contains it", "text/application/json", 0 },
};

START_TEST(a_content_type_is_compared_whole)
{
    ck_assert_msg(ss_field_is_type(types[_i].header, "application/json") == types[_i].want, "%s",
                  types[_i].what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("field");
    TCase *tcase = unit_case(suite, "field");

    tcase_add_loop_test(tcase, a_list_has_its_members, 0, COUNT(membership));
    tcase_add_loop_test(tcase, no_shared_cache_stores_a_private_response, 0, COUNT(privacy));
    tcase_add_test(tcase, lists_are_joined);
    tcase_add_loop_test(tcase, a_content_type_is_compared_whole, 0, COUNT(types));
    return unit_run(suite);
}
