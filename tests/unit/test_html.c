/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/html.h"
#include "tests/unit/unit.h"

/* clang-format off */
static const struct {
    const char *what, *text, *want;
} texts[] = {
    { "nothing",                    "",                       "" },
    { "a word",                     "alice",                  "alice" },
    { "the end of an attribute",    "\"><script>alert(1)",    "&quot;&gt;&lt;script&gt;alert(1)" },
    { "the other quotes",           "' onfocus='x",           "&#39; onfocus=&#39;x" },
    { "a reference",                "&lt;",                   "&amp;lt;" },
    { "a directive of SSI",         "<!--#exec cmd=x -->",    "&lt;!--#exec cmd=x --&gt;" },
    { "white space",                "a\tb\nc d",              "a\tb\nc d" },
    { "control characters",         "a\rb\x1b[2J\x7f",        "a\xEF\xBF\xBD" "b\xEF\xBF\xBD[2J\xEF\xBF\xBD" },
    { "control characters of C1",   "\xC2\x85\xC2\x9B",       "\xEF\xBF\xBD\xEF\xBF\xBD" },
    { "the first behind them",      "\xC2\xA0",               "\xC2\xA0" },
    { "two, three and four bytes",  "\xC3\xAB\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xAB\xE2\x82\xAC\xF0\x9F\x98\x80" },
    { "bytes that are no UTF-8",    "\xFF\xC0\x80",           "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
    { "cut short",                  "a\xE2\x82",              "a\xEF\xBF\xBD\xEF\xBF\xBD" },
    { "a lone surrogate",           "\xED\xA0\x80",           "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
    { "no character",               "\xEF\xBF\xBF",           "\xEF\xBF\xBD" },
};

static const struct {
    const char *what, *json, *want;
} values[] = {
    { "a number",          "90071992547409931234", "90071992547409931234" },
    { "a string",          "\"a:b,{}[]\"", "&quot;a:b,{}[]&quot;" },
    { "a quote in one",    "\"a\\\"\\\\\"", "&quot;a\\&quot;\\\\&quot;" },
    { "nothing inside",    "[{},[],\"\"]", "[\n  {},\n  [],\n  &quot;&quot;\n]" },
    { "levels",            "{\"a\":{\"b\":[1,2]}}", "{\n  &quot;a&quot;: {\n    &quot;b&quot;: [\n      1,\n      2\n    ]\n  }\n}" },
    { "its white space",   " { \"a\" : [ 1 ] } ", "{\n  &quot;a&quot;: [\n    1\n  ]\n}" },
    { "markup",            "\"</pre><script>\"", "&quot;&lt;/pre&gt;&lt;script&gt;&quot;" },
    { "what turns text",   "\"a\xE2\x80\xAE" "b\"", "&quot;a\\u202eb&quot;" },
    { "controls",          "\"\x7f\xC2\x85\"", "&quot;\\u007f\\u0085&quot;" },
    { "no character",      "\"\xF0\x9F\xBF\xBF\"", "&quot;\\ud83f\\udfff&quot;" },
    { "what is not finite", "NaN", "null" },
};
/* clang-format on */

START_TEST(escapes)
{
    for (int i = 0; i < COUNT(texts); i++) {
        ss_html_t html = ss_html_create(pool);

        ss_html_text(&html, exact_of(texts[i].text));
        assert_bytes(ss_html_page(&html), ss_bytes_of(texts[i].want), texts[i].what);
        ck_assert_msg(ss_html_holds(exact_of(texts[i].text)) ==
                          (strstr(texts[i].want, "\xEF\xBF\xBD") == NULL),
                      "%s: holds", texts[i].what);
    }
}
END_TEST

START_TEST(lays_out)
{
    for (int i = 0; i < COUNT(values); i++) {
        ss_html_t html = ss_html_create(pool);
        ss_json_t value;

        ck_assert_int_eq(ss_json_check(&value, exact_of(values[i].json), SS_JSON_PYTHON, NULL),
                         APR_SUCCESS);
        ss_html_json(&html, value);
        assert_bytes(ss_html_page(&html), ss_bytes_of(values[i].want), values[i].what);
    }
}
END_TEST

START_TEST(fills_in)
{
    ss_html_t html = ss_html_create(pool);

    ss_html_fill(&html, "<b title=\"$\">$</b>", "\"", "$<");
    ss_html_fill(&html, "<hr>");
    assert_bytes(ss_html_page(&html), ss_bytes_of("<b title=\"&quot;\">$&lt;</b><hr>"),
                 "filled in");
}
END_TEST

START_TEST(grows)
{
    ss_html_t html = ss_html_create(pool);

    for (int i = 0; i < 100000; i++) {
        ss_html_put(&html, "0123456789");
    }
    ck_assert_uint_eq(ss_html_page(&html).len, 1000000);
    ck_assert_int_eq(ss_html_page(&html).data[999999], '9');
}
END_TEST

/* A value is as deep as it may be, and each line begins with no more than is seen. */
START_TEST(depth_costs_no_room)
{
    const char *deep = nested(SS_JSON_DEPTH_MAX, "[", "1", "]");
    ss_html_t html = ss_html_create(pool);
    ss_json_t value;

    ck_assert_int_eq(ss_json_check(&value, exact_of(deep), SS_JSON_STRICT, NULL), APR_SUCCESS);
    ss_html_json(&html, value);
    ck_assert_uint_lt(ss_html_page(&html).len, 30 * 2 * SS_JSON_DEPTH_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("html");
    TCase *tcase = unit_case(suite, "html");

    tcase_add_test(tcase, escapes);
    tcase_add_test(tcase, lays_out);
    tcase_add_test(tcase, fills_in);
    tcase_add_test(tcase, grows);
    tcase_add_test(tcase, depth_costs_no_room);
    return unit_run(suite);
}
