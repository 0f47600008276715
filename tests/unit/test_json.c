/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

static int accepts(const char *text, apr_size_t len, ss_json_read_e how)
{
    return ss_json_check(NULL, exact(text, len), how, NULL) == APR_SUCCESS;
}

/* clang-format off */
static const struct {
    const char *what, *text;
    int strict, python;
} texts[] = {
    { "an empty object",                      "{}", 1, 1 },
    { "an empty array",                       "[]", 1, 1 },
    { "an empty string",                      "\"\"", 1, 1 },
    { "literals",                             "[true,false,null]", 1, 1 },
    { "every kind of white space",            " \t\r\n{ \"a\" : [ 1 , 2 ] }\n", 1, 1 },
    { "a name that is empty",                 "{\"\":1}", 1, 1 },
    { "a name that is used twice",            "{\"a\":1,\"a\":2}", 1, 1 },
    { "zero",                                 "0", 1, 1 },
    { "minus zero",                           "-0", 1, 1 },
    { "every part of a number",               "-12.034e+05", 1, 1 },
    { "an exponent without sign",             "1E9", 1, 1 },
    { "a zero with exponent",                 "0e0", 1, 1 },
    { "a number beyond every machine type",   "123456789012345678901234567890e99999", 1, 1 },
    { "a leading zero",                       "01", 0, 0 },
    { "a leading zero after minus",           "-01", 0, 0 },
    { "a leading plus",                       "+1", 0, 0 },
    { "only a minus",                         "-", 0, 0 },
    { "a point without digits behind",        "1.", 0, 0 },
    { "a point without digits before",        ".5", 0, 0 },
    { "an exponent without digits",           "1e", 0, 0 },
    { "an exponent with only a sign",         "1e+", 0, 0 },
    { "a hexadecimal number",                 "0x10", 0, 0 },
    { "a figure that is not ASCII",           "\xd9\xa1", 0, 0 },
    { "NaN",                                  "NaN", 0, 1 },
    { "Infinity",                             "Infinity", 0, 1 },
    { "minus Infinity",                       "[-Infinity]", 0, 1 },
    { "plus Infinity",                        "+Infinity", 0, 0 },
    { "minus NaN",                            "-NaN", 0, 0 },
    { "NaN in another case",                  "nan", 0, 0 },
    { "half of Infinity",                     "Inf", 0, 0 },
    { "half of minus Infinity",               "-Inf", 0, 0 },
    { "NaN as a name",                        "{NaN:1}", 0, 0 },
    { "every short escape",                   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", 1, 1 },
    { "an escaped code unit in both cases",   "\"\\u00eF\"", 1, 1 },
    { "an escaped NUL",                       "\"\\u0000\"", 1, 1 },
    { "a surrogate pair",                     "\"\\ud83d\\ude00\"", 1, 1 },
    { "a lone high surrogate",                "\"\\ud83d\"", 1, 1 },
    { "a lone low surrogate",                 "\"\\ude00\"", 1, 1 },
    { "an escape that JSON does not know",    "\"\\x41\"", 0, 0 },
    { "an escape with a capital U",           "\"\\U0041\"", 0, 0 },
    { "an escape of three digits",            "\"\\u004\"", 0, 0 },
    { "an escape with a letter beyond f",     "\"\\u004g\"", 0, 0 },
    { "a tab in a string",                    "\"a\tb\"", 0, 0 },
    { "a line feed in a string",              "\"a\nb\"", 0, 0 },
    { "DEL in a string",                      "\"\x7f\"", 1, 1 },
    { "two, three and four bytes of UTF-8",   "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", 1, 1 },
    { "the last character",                   "\"\xf4\x8f\xbf\xbf\"", 1, 1 },
    { "beyond the last character",            "\"\xf4\x90\x80\x80\"", 0, 0 },
    { "an overlong slash of two bytes",       "\"\xc0\xaf\"", 0, 0 },
    { "an overlong slash of three bytes",     "\"\xe0\x80\xaf\"", 0, 0 },
    { "an overlong slash of four bytes",      "\"\xf0\x80\x80\xaf\"", 0, 0 },
    { "a surrogate in UTF-8",                 "\"\xed\xa0\x80\"", 0, 0 },
    { "a continuation on its own",            "\"\x80\"", 0, 0 },
    { "UTF-8 that the quote cuts short",      "\"\xe2\x82\"", 0, 0 },
    { "a byte of no UTF-8",                   "\"\xff\"", 0, 0 },
    { "Latin-1 behind eight plain bytes",     "\"12345678\xe9\"", 0, 0 },
    { "a quote behind seven plain bytes",     "\"1234567\"", 1, 1 },
    { "a control character in a long string", "\"0123456789abcdef\x1f\"", 0, 0 },
    { "a byte order mark",                    "\xef\xbb\xbf{}", 0, 0 },
    { "a no-break space around",              "\xc2\xa0{}", 0, 0 },
    { "a form feed around",                   "\f{}", 0, 0 },
    { "nothing",                              "", 0, 0 },
    { "only white space",                     " \n ", 0, 0 },
    { "a comma behind the last item",         "[1,]", 0, 0 },
    { "a comma behind the last member",       "{\"a\":1,}", 0, 0 },
    { "only a comma",                         "[,]", 0, 0 },
    { "two commas",                           "[1,,2]", 0, 0 },
    { "no comma",                             "[1 2]", 0, 0 },
    { "no colon",                             "{\"a\" 1}", 0, 0 },
    { "no value",                             "{\"a\":}", 0, 0 },
    { "a name without quotes",                "{a:1}", 0, 0 },
    { "a name in single quotes",              "{'a':1}", 0, 0 },
    { "a name that is a number",              "{1:1}", 0, 0 },
    { "a literal in capitals",                "True", 0, 0 },
    { "a literal that goes on",               "nullx", 0, 0 },
    { "a literal that breaks off",            "tru", 0, 0 },
    { "a comment",                            "[1/*2*/]", 0, 0 },
    { "an array closed like an object",       "[1}", 0, 0 },
    { "an object closed like an array",       "{\"a\":1]", 0, 0 },
    { "a bracket too many",                   "[]]", 0, 0 },
    { "two values",                           "{} {}", 0, 0 }
};
/* clang-format on */

START_TEST(accepts_what_rfc_8259_does)
{
    apr_size_t len = strlen(texts[_i].text);

    ck_assert_msg(accepts(texts[_i].text, len, SS_JSON_STRICT) == texts[_i].strict, "%s",
                  texts[_i].what);
    ck_assert_msg(accepts(texts[_i].text, len, SS_JSON_PYTHON) == texts[_i].python,
                  "%s, as Python writes it", texts[_i].what);
}
END_TEST

START_TEST(refuses_nul_bytes)
{
    ck_assert(!accepts("{}\0", 3, SS_JSON_STRICT));
    ck_assert(!accepts("\0{}", 3, SS_JSON_STRICT));
    ck_assert(!accepts("\"a\0b\"", 5, SS_JSON_STRICT));
    ck_assert(!accepts("\"\\\0\"", 4, SS_JSON_STRICT));
}
END_TEST

START_TEST(refuses_every_prefix)
{
    const char *text = "{\"a\":[1.5e+1,true,false,null,{}],\"b\\u00e9\":{\"\xc3\xa9\":[]},"
                       "\"long enough for whole words\":-0.5}";
    apr_size_t len;

    ck_assert(accepts(text, strlen(text), SS_JSON_STRICT));
    for (len = 0; len < strlen(text); len++) {
        ck_assert_msg(!accepts(text, len, SS_JSON_STRICT), "%d bytes", (int)len);
    }
}
END_TEST

START_TEST(nests_256_levels)
{
    const char *deepest[] = { nested(256, "[", "", "]"), nested(255, "{\"a\":", "{}", "}"),
                              nested(128, "[{\"a\":", "1", "}]") };
    const char *too_deep[] = { nested(257, "[", "", "]"), nested(256, "{\"a\":", "{}", "}"),
                               nested(128, "[{\"a\":", "[]", "}]"), nested(9999, "[", "", "]") };
    int i;

    for (i = 0; i < COUNT(deepest); i++) {
        ck_assert_msg(accepts(deepest[i], strlen(deepest[i]), SS_JSON_STRICT), "depth 256, row %d",
                      i);
    }
    for (i = 0; i < COUNT(too_deep); i++) {
        ck_assert_msg(!accepts(too_deep[i], strlen(too_deep[i]), SS_JSON_STRICT),
                      "depth 257, row %d", i);
    }
}
END_TEST

START_TEST(levels_count_only_while_open)
{
    const char *text = nested(1, "[", nested(300, "", "[],{},[[]],0", ""), "]");
    ss_json_error_t error;

    ck_assert_int_eq(ss_json_check(NULL, exact_of(text), SS_JSON_STRICT, &error), APR_SUCCESS);
    text = nested(257, "[", "", "]");
    ck_assert_int_eq(ss_json_check(NULL, exact_of(text), SS_JSON_STRICT, &error), APR_EINVAL);
    ck_assert_str_eq(error.wanted, "at most 256 levels");
    ck_assert_int_eq(error.offset, 256);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *text;
    int line, column;
    const char *wanted;
} malformed[] = {
    { "nothing",                      "",                    1, 1,  "a value" },
    { "only blanks",                  "  \n ",               2, 2,  "a value" },
    { "a byte order mark",            "\xef\xbb\xbf{}",      1, 1,  "a value" },
    { "a word",                       "[true,yes]",          1, 7,  "a value" },
    { "half a literal",               "[1,\n tru]",          2, 2,  "a value" },
    { "NaN",                          "{\"a\": NaN}",        1, 7,  "a value" },
    { "a minus alone",                "[-]",                 1, 3,  "a digit" },
    { "minus Infinity",               "-Infinity",           1, 2,  "a digit" },
    { "no fraction",                  "[1.]",                1, 4,  "a digit" },
    { "no exponent",                  "[1e]",                1, 4,  "a digit" },
    { "a leading zero",               "[12, 007]",           1, 6,  "a number without leading zeros" },
    { "an array that is cut off",     "[1",                  1, 3,  "',' or ']'" },
    { "no comma between items",       "[1 2]",               1, 4,  "',' or ']'" },
    { "a comma behind the last item", "[1,]",                1, 4,  "a value" },
    { "no comma between members",     "{\"a\":1\n\"b\":2}",  2, 1,  "',' or '}'" },
    { "a comma behind the last",      "{\"a\":1,}",          1, 8,  "a name in quotes" },
    { "an object that is cut off",    "{",                   1, 2,  "a name in quotes, or '}'" },
    { "a name without quotes",        "{a:1}",               1, 2,  "a name in quotes, or '}'" },
    { "no colon",                     "{\n\"a\"\n1}",        3, 1,  "':'" },
    { "no value",                     "{\"a\":}",            1, 6,  "a value" },
    { "a string that is cut off",     "[\"abc",              1, 6,  "'\"' at the end of the string" },
    { "a line break in a string",     "[\"ab\nc\"]",         1, 5,  "an escape instead of a control character" },
    { "a wrong escape",               "\"a\\x\"",            1, 4,  "one of \" \\ / b f n r t u after \\" },
    { "a backslash at the end",       "\"a\\",               1, 4,  "one of \" \\ / b f n r t u after \\" },
    { "a wrong digit",                "\"\\u12x4\"",         1, 6,  "four hexadecimal digits after \\u" },
    { "Latin-1",                      "\"\xc3\xa9 \xe9\"",   1, 5,  "UTF-8" },
    { "more than one value",          "{}\n\n {}",           3, 2,  "the end of the text" },
    { "a bracket too many",           "[]]",                 1, 3,  "the end of the text" }
};
/* clang-format on */

START_TEST(says_where_and_what_it_wanted)
{
    ss_bytes_t text = exact_of(malformed[_i].text);
    const char *what = malformed[_i].what;
    ss_json_error_t error;
    apr_size_t offset;
    int line = 1;

    ck_assert_int_eq(ss_json_check(NULL, text, SS_JSON_STRICT, &error), APR_EINVAL);
    ck_assert_msg(strcmp(error.wanted, malformed[_i].wanted) == 0, "%s: %s", what, error.wanted);
    ck_assert_msg(error.line == malformed[_i].line, "%s: line %d", what, error.line);
    ck_assert_msg(error.column == malformed[_i].column, "%s: column %d", what, error.column);

    for (offset = 0; line < error.line; offset++) {
        line += text.data[offset] == '\n';
    }
    ck_assert_msg(error.offset == offset + error.column - 1, "%s: offset", what);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *text, *value;
} surroundings[] = {
    { "nothing around an object",      "{}",                 "{}" },
    { "blanks around an array",        " \t[ 1 ]\r\n",       "[ 1 ]" },
    { "blanks before a number",        "\n-1.5",             "-1.5" },
    { "blanks behind a string",        "\" a \"  ",          "\" a \"" },
    { "blanks around a word",          " null ",             "null" },
};
/* clang-format on */

START_TEST(a_value_has_no_white_space_around_it)
{
    const char *what = surroundings[_i].what;
    ss_bytes_t text = exact_of(surroundings[_i].text);
    ss_json_t value;

    ck_assert_int_eq(ss_json_check(&value, text, SS_JSON_STRICT, NULL), APR_SUCCESS);
    assert_value(value, surroundings[_i].value, what);
    ck_assert_int_eq(ss_json_check_input(&value, text, NULL, pool), APR_SUCCESS);
    assert_value(value, surroundings[_i].value, what);
}
END_TEST

START_TEST(what_is_refused_is_no_value)
{
    ss_json_t value = ss_json_empty;

    ck_assert_int_eq(ss_json_check(&value, exact_of("{"), SS_JSON_PYTHON, NULL), APR_EINVAL);
    ck_assert_ptr_null(value.raw.data);
    value = ss_json_empty;
    ck_assert_int_eq(ss_json_check_input(&value, exact_of("{} {}"), NULL, pool), APR_EINVAL);
    ck_assert_ptr_null(value.raw.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = unit_case(suite, "check");

    tcase_add_loop_test(tcase, accepts_what_rfc_8259_does, 0, COUNT(texts));
    tcase_add_test(tcase, refuses_nul_bytes);
    tcase_add_test(tcase, refuses_every_prefix);
    tcase_add_test(tcase, nests_256_levels);
    tcase_add_test(tcase, levels_count_only_while_open);
    tcase_add_loop_test(tcase, says_where_and_what_it_wanted, 0, COUNT(malformed));
    tcase_add_loop_test(tcase, a_value_has_no_white_space_around_it, 0, COUNT(surroundings));
    tcase_add_test(tcase, what_is_refused_is_no_value);
    return unit_run(suite);
}
