/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/cookie.h"
#include "tests/unit/unit.h"

/* clang-format off */
static const struct {
    const char *what, *header;
    int count;
    const char *values[4];
} headers[] = {
    { "no header",                       NULL, 0, { NULL } },
    { "an empty header",                 "", 0, { NULL } },
    { "only our cookie",                 "session=a", 1, { "a" } },
    { "among others",                    "x=1; session=a; y=2", 1, { "a" } },
    { "no blanks",                       "x=1;session=a;y=2", 1, { "a" } },
    { "blanks and tabs around",          "x=1 ; \t session=a \t; y=2", 1, { "a" } },
    { "blanks at both ends",             " session=a ", 1, { "a" } },
    { "blanks inside",                   "session= a b ", 1, { "a b" } },
    { "an empty value",                  "session=; x=1", 1, { "" } },
    { "'=' in the value",                "session=a=b==", 1, { "a=b==" } },
    { "quotes around the value",         "session=\"a\"; x=1", 1, { "a" } },
    { "one pair of them",                "session=\"\"a\"\"", 1, { "\"a\"" } },
    { "nothing in quotes",               "session=\"\"", 1, { "" } },
    { "a single quote",                  "session=\"", 1, { "\"" } },
    { "a quote that is not closed",      "session=\"a", 1, { "\"a" } },
    { "a quote that was not opened",     "session=a\"", 1, { "a\"" } },
    { "quotes inside",                   "session=a\"b\"c", 1, { "a\"b\"c" } },
    { "several, in order",               "session=b; x=1; session=a;session=c", 3, { "b", "a", "c" } },
    { "more than there is room for",     "session=1;session=2;session=3;session=4;session=5", 5, { "1", "2", "3", "4" } },
    { "our name without value",          "session", 0, { NULL } },
    { "our name begins another",         "sessions=a; session2=b", 0, { NULL } },
    { "our name ends another",           "xsession=a; __Host-session=b", 0, { NULL } },
    { "another case",                    "Session=a; SESSION=b", 0, { NULL } },
    { "a name that would decode to it",  "%73ession=a; s%65ssion=b", 0, { NULL } },
    { "a blank before '='",              "session =a; session\t =b; session x=c", 2, { "a", "b" } },
    { "a blank before quotes",           "session= \"a\" ; session=\t\"b\"", 2, { "a", "b" } },
    { "blanks in quotes",                "session=\" a \"", 1, { " a " } },
    { "nothing but blanks",              "session= ;session =", 2, { "", "" } },
    { "a comma does not separate",       "x=1,session=a", 0, { NULL } },
    { "a comma in our value",            "session=a,session=b", 1, { "a,session=b" } },
    { "a comma and a blank",             "x=1, session=a", 0, { NULL } },
    { "a quoted semicolon separates",    "x=\"1;session=a\"", 1, { "a\"" } },
    { "our pair as a value",             "x=session=a", 0, { NULL } },
    { "only separators",                 ";;; ; ;", 0, { NULL } },
    { "no names",                        "=;=session=a;==", 0, { NULL } },
    { "other controls do not separate",  "x=1\nsession=a", 0, { NULL } },
    { "any bytes",                       "\xff\x80=\x01; session=\x02\xfe", 1, { "\x02\xfe" } },
    { "a last separator",                "session=a;", 1, { "a" } },
    { "our name in our value",           "session=session=a;session=b", 2, { "session=a", "b" } },
    { "in others' names and values",     "sessionsession=1; x=;session;y=session session=2; session=a", 1, { "a" } },
    { "a blank and no '='",              "session ;session=a", 1, { "a" } }
};
/* clang-format on */

START_TEST(finds_cookies)
{
    const char *header = headers[_i].header;
    ss_bytes_t values[4];
    int count, i;

    if (header != NULL) {
        header = exact(header, strlen(header) + 1).data;
    }
    count = ss_cookie_find(values, COUNT(values), SS_COOKIE_FIRST, header, "session");

    ck_assert_msg(count == headers[_i].count, "%s: %d", headers[_i].what, count);
    for (i = 0; i < count && i < COUNT(values); i++) {
        assert_bytes(values[i], ss_bytes_of(headers[_i].values[i]), headers[_i].what);
    }
}
END_TEST

START_TEST(finds_as_many_as_wanted)
{
    ss_bytes_t value = { NULL, 0 };

    ck_assert_int_eq(ss_cookie_find(&value, 0, SS_COOKIE_LAST, "s=1", "s"), 1);
    ck_assert_ptr_null(value.data);
    ck_assert_int_eq(ss_cookie_find(&value, 1, SS_COOKIE_LAST, "s=1; s=2", "s"), 2);
    assert_bytes(value, ss_bytes_of("2"), "the last");
    ck_assert_int_eq(ss_cookie_find(&value, 1, SS_COOKIE_FIRST, "s=1; s=2", "s"), 2);
    assert_bytes(value, ss_bytes_of("1"), "the first");
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *header;
    int alone;
} lonely[] = {
    { "nothing else",              "session=a.b", 1 },
    { "an empty value",            "session=", 1 },
    { "quotes in the value",       "session=a\"b", 1 },
    { "quotes around it",          "session=\"a\"", 0 },
    { "a blank before",            " session=a", 0 },
    { "a blank behind the name",   "session =a", 0 },
    { "a blank before the value",  "session= a", 0 },
    { "a blank at the end",        "session=a ", 0 },
    { "a separator",               "session=a;", 0 },
    { "another behind",            "session=a; x=1", 0 },
    { "another before",            "x=1; session=a", 0 },
    { "a short one before",        ";session=a", 0 }
};
/* clang-format on */

START_TEST(knows_a_lone_cookie)
{
    ss_bytes_t value;

    ck_assert_int_eq(ss_cookie_find(&value, 1, SS_COOKIE_FIRST, lonely[_i].header, "session"), 1);
    ck_assert_msg(ss_cookie_is_alone(value, lonely[_i].header, "session") == lonely[_i].alone, "%s",
                  lonely[_i].what);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *set_cookie;
    int ours;
} set_cookies[] = {
    { "ours",                        "session=a; Path=/", 1 },
    { "ours, nothing else",          "session=a", 1 },
    { "ours, deleted",               "session=; Max-Age=0", 1 },
    { "blanks around the name",      " \tsession\t =a", 1 },
    { "another case",                "Session=a", 0 },
    { "another name",                "sessions=a", 0 },
    { "a shorter name",              "sess=a", 0 },
    { "our name as an attribute",    "x=1; session=a", 0 },
    { "our name as a value",         "x=session=a", 0 },
    { "no value",                    "session", 0 },
    { "no value, but an attribute",  "session; Path=/", 0 },
    { "no name",                     "=session=a", 0 },
    { "nothing",                     "", 0 }
};
/* clang-format on */

START_TEST(knows_its_set_cookie)
{
    ck_assert_msg(ss_cookie_is_named(set_cookies[_i].set_cookie, "session") == set_cookies[_i].ours,
                  "%s", set_cookies[_i].what);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *before;
    const char *after;   /* without every cookie called "session"; NULL: nothing is left */
    const char *without; /* without those whose value begins with '!' */
} strips[] = {
    { "nothing there",                   "", "", "" },
    { "none of ours",                    "a=1; b=2", "a=1; b=2", "a=1; b=2" },
    { "only ours",                       "session=x", NULL, "session=x" },
    { "only ours, marked",               "session=!x", NULL, NULL },
    { "ours several times",              "session=x; session=!y;session=", NULL, "session=x; session=" },
    { "the first",                       "session=!; a=1", "a=1", "a=1" },
    { "the last",                        "a=1; session=!", "a=1", "a=1" },
    { "in the middle, without blanks",   "a=1;session=!;b=2", "a=1;b=2", "a=1;b=2" },
    { "in quotes",                       "session=\"!\"; a=\"1\"", "a=\"1\"", "a=\"1\"" },
    { "some of them",                    "session=!1; session=2; a=3", "a=3", "session=2; a=3" },
    { "in the middle, with blanks",      "a=1 ; \tsession=! ; b=2", "a=1 ; \tb=2", "a=1 ; \tb=2" },
    { "two of them behind each other",   "a=1; session=!;session=!; b=2", "a=1; b=2", "a=1; b=2" },
    { "two of them at the end",          "a=1; session=!; session=!", "a=1", "a=1" },
    { "blanks and empty pairs stay",     " ;; a=1\t; ;session=! ;", " ;; a=1\t; ", " ;; a=1\t; " },
    { "but not alone",                   " ;; session=!; ;", NULL, NULL },
    { "where there is none of ours",     " ;; a=1\t; ;", " ;; a=1\t; ;", " ;; a=1\t; ;" },
    { "pairs without '=' stay",          "a; session=!; b; session", "a; b; session", "a; b; session" },
    { "no names stay",                   "=; session=!; ==", "=; ==", "=; ==" },
    { "other cases and names stay",      "Session=!; sessions=!; session=!", "Session=!; sessions=!", "Session=!; sessions=!" },
    { "a comma does not separate",       "a=1,session=!", "a=1,session=!", "a=1,session=!" },
    { "blanks inside stay",              "a= 1  2 ; session=!", "a= 1  2 ", "a= 1  2 " },
    { "a quoted semicolon separates",    "a=\"1;session=!\"", "a=\"1", "a=\"1" },
    { "any bytes",                       "\xff=\x01; session=!\xfe", "\xff=\x01", "\xff=\x01" },
    { "separators stay",                 "a;b;c;d;e;f;session=!", "a;b;c;d;e;f", "a;b;c;d;e;f" }
};
/* clang-format on */

static int is_marked(ss_bytes_t value, const void *mark)
{
    return value.len > 0 && value.data[0] == *(const char *)mark;
}

static void assert_stripped(const char *got, const char *want, const char *header, const char *what)
{
    if (want == NULL) {
        ck_assert_msg(got == NULL, "%s: %s", what, got);
    }
    else {
        ck_assert_msg(got != NULL && strcmp(got, want) == 0, "%s: %s", what, got);
        ck_assert_msg((got == header) == (strcmp(got, header) == 0), "%s: not copied", what);
    }
}

START_TEST(strips_cookies)
{
    const char *header = exact(strips[_i].before, strlen(strips[_i].before) + 1).data;

    assert_stripped(ss_cookie_strip(header, "session", NULL, NULL, pool), strips[_i].after, header,
                    strips[_i].what);
    assert_stripped(ss_cookie_strip(header, "session", is_marked, "!", pool), strips[_i].without,
                    header, strips[_i].what);
    ck_assert_str_eq(header, strips[_i].before);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *set_cookie, *value;
} values[] = {
    { "a value",                 "session=abc; Path=/", "abc" },
    { "nothing behind it",       "session=abc", "abc" },
    { "blanks around",           "session = a b \t; Path=/", "a b" },
    { "'=' in it",               "session=a=b==; x", "a=b==" },
    { "quotes around it",        "session= \"a\" ; Path=/", "a" },
    { "one pair of them",        "session=\"\"a\"\"", "\"a\"" },
    { "a single quote",          "session=\"", "\"" },
    { "empty",                   "session=; Path=/", "" },
    { "only blanks",             "session= \t", "" },
    { "no '='",                  "session; Path=/", "" },
    { "no '=' but in attributes", "session; a=b", "" },
    { "nothing",                 "", "" },
    { "no name",                 "=x", "x" }
};
/* clang-format on */

START_TEST(reads_a_set_cookie)
{
    const char *line = exact(values[_i].set_cookie, strlen(values[_i].set_cookie) + 1).data;

    assert_bytes(ss_cookie_value(line), ss_bytes_of(values[_i].value), values[_i].what);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *set_cookie;
    int deletes;
} deletions[] = {
    { "a cookie of this browser session",    "s=a; Path=/", 0 },
    { "an empty value alone deletes nothing", "s=; Path=/", 0 },
    { "Max-Age=0",                           "s=; Max-Age=0", 1 },
    { "whatever its case",                   "s=a;mAX-aGE=0", 1 },
    { "blanks around",                       "s=a; \tMax-Age = 0 ; Path=/", 1 },
    { "Max-Age below 0",                     "s=a; Max-Age=-1", 1 },
    { "Max-Age above 0",                     "s=a; Max-Age=1", 0 },
    { "many zeros",                          "s=a; Max-Age=000", 1 },
    { "a huge Max-Age",                      "s=a; Max-Age=99999999999999999999", 0 },
    { "Max-Age that is no number",           "s=a; Max-Age=never", 0 },
    { "Max-Age without value",               "s=a; Max-Age=; Path=/", 0 },
    { "Max-Age without '='",                 "s=a; Max-Age", 0 },
    { "the last Max-Age counts: over",       "s=a; Max-Age=5; Max-Age=0", 1 },
    { "the last Max-Age counts: not over",   "s=a; Max-Age=0; Max-Age=5", 0 },
    { "another attribute",                   "s=a; X-Max-Age=0; Max-Ages=0", 0 },
    { "in the value",                        "s=Max-Age=0", 0 },
    { "in another attribute's value",        "s=a; Comment=Max-Age=0", 0 },
    { "Expires in 1970",                     "s=a; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 1 },
    { "as Netscape wrote it",                "s=a; expires=Thu, 01-Jan-1970 00:00:00 GMT; path=/", 1 },
    { "one second ago",                      "s=a; Expires=Wed, 31 Dec 2025 23:59:59 GMT", 1 },
    { "now",                                 "s=a; Expires=Thu, 01 Jan 2026 00:00:00 GMT", 1 },
    { "in one second",                       "s=a; Expires=Thu, 01 Jan 2026 00:00:01 GMT", 0 },
    { "a date that is none",                 "s=a; Expires=yesterday", 0 },
    { "no date",                             "s=a; Expires=", 0 },
    { "more than a date",                    "s=a; Expires=Thu, 01 Jan 1970 00:00:00 GMT and a long tail that no date would ever have", 0 },
    { "Max-Age goes before Expires: over",   "s=a; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=0", 1 },
    { "Max-Age goes before Expires: not",    "s=a; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "an unusable Max-Age does not",        "s=a; Max-Age=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 1 },
    { "nothing at all",                      "", 0 }
};
/* clang-format on */

START_TEST(knows_a_deletion)
{
    const char *line = exact(deletions[_i].set_cookie, strlen(deletions[_i].set_cookie) + 1).data;

    ck_assert_msg(ss_cookie_is_deletion(line, apr_time_from_sec(1767225600)) ==
                      deletions[_i].deletes,
                  "%s", deletions[_i].what);
}
END_TEST

START_TEST(knows_its_own_deletion)
{
    const ss_cookie_t cookie = { .name = "session",
                                 .path = "/",
                                 .domain = "example.org",
                                 .same_site = "Lax",
                                 .partitioned = 1,
                                 .secure = SS_SECURE_ON };

    ck_assert(ss_cookie_is_deletion(ss_cookie_print_deletion(&cookie, 1, pool), 0));
    ck_assert(!ss_cookie_is_deletion(ss_cookie_print(&cookie, exact_of("x"), 60, 1, pool), 0));
    ck_assert(!ss_cookie_is_deletion(ss_cookie_print(&cookie, exact_of("x"), -1, 1, pool), 0));
}
END_TEST

START_TEST(prints_lifetimes)
{
    const ss_cookie_t cookie = { .name = "s",
                                 .path = "/p",
                                 .domain = "a.b",
                                 .same_site = "Lax",
                                 .http_only = 1,
                                 .partitioned = 1,
                                 .secure = SS_SECURE_ON };
    ss_bytes_t value = exact_of("eyJ9.a-_=");

    ck_assert_str_eq(ss_cookie_print(&cookie, value, -1, 1, pool),
                     "s=eyJ9.a-_=; Path=/p; Domain=a.b; HttpOnly; Secure; SameSite=Lax; "
                     "Partitioned");
    ck_assert_str_eq(ss_cookie_print(&cookie, value, 0, 1, pool),
                     "s=eyJ9.a-_=; Path=/p; Domain=a.b; Max-Age=0; HttpOnly; Secure; SameSite=Lax; "
                     "Partitioned");
    ck_assert_str_eq(ss_cookie_print(&cookie, value, APR_INT64_C(3155760000), 1, pool),
                     "s=eyJ9.a-_=; Path=/p; Domain=a.b; Max-Age=3155760000; HttpOnly; Secure; "
                     "SameSite=Lax; Partitioned");
    ck_assert_str_eq(ss_cookie_print_deletion(&cookie, 0, pool),
                     "s=; Path=/p; Domain=a.b; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; "
                     "HttpOnly; Secure; SameSite=Lax; Partitioned");
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *set_cookie, *domain;
    int is_scoped;
} scopes[] = {
    { "of the host alone",        "s=a; Path=/p",                       NULL,  1 },
    { "with a domain",            "s=a; Path=/p; Domain=a.b",           NULL,  0 },
    { "with an empty one",        "s=a; Path=/p; Domain=",              NULL,  1 },
    { "of our domain",            "s=a; Path=/p; Domain=a.b",           "a.b", 1 },
    { "in another case",          "s=a; path=/p; domain=A.B",           "a.b", 1 },
    { "with a dot",               "s=a; Path=/p; Domain=.a.b",          "a.b", 1 },
    { "with two",                 "s=a; Path=/p; Domain=..a.b",         "a.b", 0 },
    { "a dot alone",              "s=a; Path=/p; Domain=.",             "a.b", 0 },
    { "without a domain",         "s=a; Path=/p",                       "a.b", 0 },
    { "of another",               "s=a; Path=/p; Domain=a.c",           "a.b", 0 },
    { "of one above",             "s=a; Path=/p; Domain=b",             "a.b", 0 },
    { "of one below",             "s=a; Path=/p; Domain=c.a.b",         "a.b", 0 },
    { "the last one counts",      "s=a; Domain=x; Path=/p; Domain=a.b", "a.b", 1 },
    { "of our domain, elsewhere", "s=a; Path=/q; Domain=a.b",           "a.b", 0 },
    { "without a path",           "s=a; Domain=a.b",                    "a.b", 1 },
    { "a path that is none",      "s=a; Path=q; Domain=a.b",            "a.b", 1 }
};
/* clang-format on */

START_TEST(knows_its_scope)
{
    const ss_cookie_t cookie = { .name = "s", .path = "/p", .domain = scopes[_i].domain };
    const char *line = exact(scopes[_i].set_cookie, strlen(scopes[_i].set_cookie) + 1).data;

    ck_assert_msg(ss_cookie_is_scoped(line, &cookie) == scopes[_i].is_scoped, "%s",
                  scopes[_i].what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cookie");
    TCase *tcase = unit_case(suite, "headers");

    tcase_add_loop_test(tcase, finds_cookies, 0, COUNT(headers));
    tcase_add_test(tcase, finds_as_many_as_wanted);
    tcase_add_loop_test(tcase, knows_a_lone_cookie, 0, COUNT(lonely));
    tcase_add_loop_test(tcase, knows_its_set_cookie, 0, COUNT(set_cookies));
    tcase_add_loop_test(tcase, strips_cookies, 0, COUNT(strips));
    tcase_add_loop_test(tcase, reads_a_set_cookie, 0, COUNT(values));
    tcase_add_loop_test(tcase, knows_a_deletion, 0, COUNT(deletions));
    tcase_add_test(tcase, knows_its_own_deletion);
    tcase_add_test(tcase, prints_lifetimes);
    tcase_add_loop_test(tcase, knows_its_scope, 0, COUNT(scopes));
    return unit_run(suite);
}
