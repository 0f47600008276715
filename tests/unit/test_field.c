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
    const char *what, *a, *b;
    int want;
} spellings[] = {
    { "the same", "X-Session", "X-Session", 1 },
    { "another case", "X-Session", "x-sESSION", 1 },
    { "an underscore is a hyphen", "X-Session", "x_session", 1 },
    { "in either of them", "X_Session-Id", "x-session_id", 1 },
    { "both empty", "", "", 1 },
    { "one empty", "X", "", 0 },
    { "a shorter name", "X-Session", "X-Sessio", 0 },
    { "a longer name", "X-Session", "X-Sessions", 0 },
    { "only hyphens", "--", "__", 1 },
    { "no hyphen", "XSession", "X-Session", 0 },
    { "a dot is a hyphen", "X.Session", "X-Session", 1 },
    { "and so is any other byte", "X\xc4Session!", "X-Session~", 1 },
    { "but no letter or digit", "X1Session", "X-Session", 0 },
};

START_TEST(names_that_a_script_takes_for_the_same)
{
    const char *a = exact(spellings[_i].a, strlen(spellings[_i].a) + 1).data;
    const char *b = exact(spellings[_i].b, strlen(spellings[_i].b) + 1).data;

    ck_assert_msg(ss_field_is_alike(a, b) == spellings[_i].want, "%s", spellings[_i].what);
    ck_assert_msg(ss_field_is_alike(b, a) == spellings[_i].want, "%s, turned", spellings[_i].what);
}
END_TEST

static const struct {
    const char *what, *before, *after;
} removals[] = {
    { "no list", NULL, NULL },
    { "an empty list", "", "" },
    { "the only member", "X-Session", NULL },
    { "both of them", "x-session, X_UPDATE", NULL },
    { "twice", "X-Session, x_session", NULL },
    { "the first", "X-Session, close", "close" },
    { "the last", "close, X-Session", "close" },
    { "in the middle, without blanks", "a,X-Session,b", "a,b" },
    { "blanks and empty members", " ,\tX-Session , ,a ,", "a ," },
    { "another name", "X-Sessions, X-Sess", "X-Sessions, X-Sess" },
    { "a member with a value is another name", "X-Session=1", "X-Session=1" },
    { "blanks separate", "close X-Session", "close" },
    { "so do semicolons", "close;X-Session;a", "close;a" },
    { "quotes do not hide it", "x=\"a, X-Session, b\"", "x=\"a, b\"" },
};

START_TEST(members_are_removed)
{
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));
    const char *before = removals[_i].before, *after;

    APR_ARRAY_PUSH(names, const char *) = "X-Session";
    APR_ARRAY_PUSH(names, const char *) = "X-Update";
    if (before != NULL) {
        before = exact(before, strlen(before) + 1).data;
    }
    after = ss_field_without(before, names, pool);
    ck_assert_msg(after == NULL
                      ? removals[_i].after == NULL
                      : removals[_i].after != NULL && strcmp(after, removals[_i].after) == 0,
                  "%s: %s", removals[_i].what, after);
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

static const struct {
    const char *what, *header;
    int want;
} accepts[] = {
    { "none", NULL, 0 },
    { "empty", "", 0 },
    { "alone", "text/html", 1 },
    { "as browsers send it", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", 1 },
    { "later", "application/json, Text/HTML", 1 },
    { "with a parameter", "image/png, text/html ;level=1", 1 },
    { "anything", "*/*", 0 },
    { "refused", "text/html;q=0, */*", 0 },
    { "refused in another spelling", "text/html ; level=1 ; Q=0.000", 0 },
    { "hardly wanted", "text/html;q=0.001", 1 },
    { "wanted after all", "text/html;level=1;q=0, text/html", 1 },
    { "another parameter", "text/html;eq=0", 1 },
    { "a weight that is none", "text/html;q=0x", 1 },
    { "any text", "text/*", 0 },
    { "a longer name", "text/html5", 0 },
    { "a shorter name", "text/htm", 0 },
    { "within a quoted parameter", "a/b;c=\", text/html\"", 0 },
};

START_TEST(names_a_media_type)
{
    ck_assert_msg(ss_field_names_type(accepts[_i].header, "text/html") == accepts[_i].want, "%s",
                  accepts[_i].what);
}
END_TEST

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
    tcase_add_loop_test(tcase, names_that_a_script_takes_for_the_same, 0, COUNT(spellings));
    tcase_add_loop_test(tcase, members_are_removed, 0, COUNT(removals));
    tcase_add_loop_test(tcase, a_content_type_is_compared_whole, 0, COUNT(types));
    tcase_add_loop_test(tcase, names_a_media_type, 0, COUNT(accepts));
    return unit_run(suite);
}
