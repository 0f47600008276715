/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/return_path.h"

/* clang-format off */
static const struct {
    const char *what, *query, *name, *want; /* NULL: there is none */
} queries[] = {
    { "no query",                    NULL,               "return", NULL },
    { "an empty query",              "",                 "return", NULL },
    { "the only one",                "return=/a",        "return", "/a" },
    { "the second",                  "a=b&return=%2Fa",  "return", "%2Fa" },
    { "the first of two",            "return=1&return=2", "return", "1" },
    { "with more of them behind it", "return=/a&b=c",    "return", "/a" },
    { "a value with =",              "return=a=b",       "return", "a=b" },
    { "without a value",             "a&return&b",       "return", "" },
    { "with an empty value",         "return=&b",        "return", "" },
    { "a name that begins so",       "returns=/a",       "return", NULL },
    { "a name that ends so",         "noreturn=/a",      "return", NULL },
    { "another case",                "Return=/a",        "return", NULL },
    { "cut short",                   "ret",              "return", NULL },
};

static const struct {
    const char *what, *value, *want; /* NULL: not safe */
} values[] = {
    { "the root",                     "/",                  "/" },
    { "a page",                       "/a/b.html",          "/a/b.html" },
    { "with a query",                 "/a?b=c%26d=e",       "/a?b=c&d=e" },
    { "as an application encodes it", "%2Fa%3Fb%3Dc",       "/a?b=c" },
    { "what is encoded stays so",     "/a%2520b%253Fc",     "/a%20b%3Fc" },
    { "a blank is encoded",           "/a+b%20c",           "/a%20b%20c" },
    { "a plus",                       "/a%2Bb",             "/a+b" },
    { "other letters",                "/%C3%A9%FF",         "/%C3%A9%FF" },
    { "raw ones",                     "/\xc3\xa9",          "/%C3%A9" },
    { "what no URI has",              "/%22%3C%3E%5E%60%7B%7C%7D", "/%22%3C%3E%5E%60%7B%7C%7D" },
    { "a fragment",                   "/a%23b",             "/a#b" },
    { "two slashes later",            "/a//b",              "/a//b" },
    { "a URL in the query",           "/a?u=https://evil.example//../", "/a?u=https://evil.example//../" },
    { "dots in a name",               "/..a/b../.../.well-known", "/..a/b../.../.well-known" },
    { "nothing",                      "",                   NULL },
    { "no slash",                     "a",                  NULL },
    { "another host",                 "//evil.example",     NULL },
    { "three slashes",                "///evil.example",    NULL },
    { "encoded",                      "%2F%2Fevil.example", NULL },
    { "half encoded",                 "/%2fevil.example",   NULL },
    { "a backslash",                  "/\\evil.example",    NULL },
    { "an encoded one",               "/%5Cevil.example",   NULL },
    { "first",                        "\\/evil.example",    NULL },
    { "two",                          "\\\\evil.example",   NULL },
    { "a backslash later",            "/a\\b",              NULL },
    { "a tab, which browsers drop",   "/%09/evil.example",  NULL },
    { "a line end",                   "/%0D%0ALocation:x",  NULL },
    { "a line end that browsers drop", "/%0A/evil.example", NULL },
    { "NUL",                          "/a%00b",             NULL },
    { "DEL",                          "/a%7Fb",             NULL },
    { "up",                           "/..//evil.example",  NULL },
    { "up and up",                    "/a/../..//evil",     NULL },
    { "here",                         "/.//evil.example",   NULL },
    { "at the end",                   "/a/..",              NULL },
    { "before a query",               "/..?a",              NULL },
    { "as a browser reads it",        "/%252E%252e//evil",  NULL },
    { "mixed",                        "/.%252E//evil",      NULL },
    { "a scheme",                     "https:evil.example", NULL },
    { "a whole URL",                  "https://evil.example/", NULL },
    { "a script",                     "javascript:alert(1)", NULL },
    { "a blank first",                "+//evil.example",    NULL },
    { "encoded twice",                "%252F%252Fevil",     NULL },
    { "a broken escape",              "/a%2",               NULL },
};
/* clang-format on */

START_TEST(finds_a_parameter)
{
    ss_bytes_t got = ss_query_find(queries[_i].query, queries[_i].name);

    assert_bytes_or_none(got, queries[_i].want, queries[_i].what);
}
END_TEST

START_TEST(reads_a_value)
{
    const char *got = ss_return_path_read(exact_of(values[_i].value), pool);

    assert_bytes_or_none(got == NULL ? ss_absent : ss_bytes_of(got), values[_i].want,
                         values[_i].what);
}
END_TEST

START_TEST(absent_is_not_safe)
{
    ck_assert_ptr_null(ss_return_path_read(ss_absent, pool));
}
END_TEST

START_TEST(length_counts_decoded)
{
    char *text = apr_palloc(pool, SS_RETURN_PATH_MAX + 2);

    memset(text, 'a', SS_RETURN_PATH_MAX + 1);
    text[0] = '/';
    text[SS_RETURN_PATH_MAX] = '\0';
    ck_assert_str_eq(ss_return_path_read(exact_of(text), pool), text);
    ck_assert_ptr_nonnull(
        ss_return_path_read(ss_bytes_of(apr_pstrcat(pool, "%2F", text + 1, NULL)), pool));
    text[SS_RETURN_PATH_MAX] = 'a';
    text[SS_RETURN_PATH_MAX + 1] = '\0';
    ck_assert_ptr_null(ss_return_path_read(exact_of(text), pool));
}
END_TEST

START_TEST(what_was_printed_is_read_again)
{
    char text[256];

    for (int c = 1; c < 256; c++) {
        text[c - 1] = (char)c;
    }
    text[255] = '\0';
    ck_assert_str_eq(ss_return_path_print("/a b?c=d&e=%2F~-._\xc3\xa9+", pool),
                     "/a%20b%3Fc%3Dd%26e%3D%252F~-._%C3%A9%2B");
    ck_assert_uint_eq(
        strspn(ss_return_path_print(text, pool),
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%"),
        66 + 1 + 3 * (255 - 67));
    ck_assert_str_eq(
        ss_return_path_read(ss_bytes_of(ss_return_path_print("/a%20b?c=%2B+&d", pool)), pool),
        "/a%20b?c=%2B+&d");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("return_path");
    TCase *tcase = unit_case(suite, "return_path");

    tcase_add_loop_test(tcase, finds_a_parameter, 0, COUNT(queries));
    tcase_add_loop_test(tcase, reads_a_value, 0, COUNT(values));
    tcase_add_test(tcase, absent_is_not_safe);
    tcase_add_test(tcase, length_counts_decoded);
    tcase_add_test(tcase, what_was_printed_is_read_again);
    return unit_run(suite);
}
