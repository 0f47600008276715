/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <jansson.h>

#include "lib/encode.h"
#include "tests/naive_json.h"
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

/* An object of `count` members: {"0":0,"1":1,... */
static const char *wide(int count)
{
    char *text = apr_palloc(pool, count * 16 + 3), *out = text;
    int i;

    for (i = 0; i < count; i++) {
        out += sprintf(out, "%c\"%d\":%d", i == 0 ? '{' : ',', i, i);
    }
    strcpy(out, "}");
    return text;
}

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

/* clang-format off */
static const struct {
    const char *what, *quoted, *text; /* text in hexadecimal digits */
    int plain;
} strings[] = {
    { "nothing",                              "\"\"",                         "",               1 },
    { "plain text",                           "\"abc\"",                      "616263",         1 },
    { "every short escape",                   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "225c2f080c0a0d09", 0 },
    { "an escape between text",               "\"a\\u002fb\"",                "612f62",         1 },
    { "an escaped NUL",                       "\"a\\u0000\"",                 "6100",           0 },
    { "a control character",                  "\"\\u001f\"",                  "1f",             0 },
    { "DEL",                                  "\"\x7f\"",                     "7f",             0 },
    { "an escaped DEL",                       "\"\\u007F\"",                  "7f",             0 },
    { "two bytes",                            "\"\\u00e9\"",                  "c3a9",           1 },
    { "the last of two bytes",                "\"\\u07ff\"",                  "dfbf",           1 },
    { "the first of three bytes",             "\"\\u0800\"",                  "e0a080",         1 },
    { "three bytes",                          "\"\\u20AC\"",                  "e282ac",         1 },
    { "below the surrogates",                 "\"\\ud7ff\"",                  "ed9fbf",         1 },
    { "a pair",                               "\"\\ud83d\\uDE00\"",           "f09f9880",       1 },
    { "the first pair",                       "\"\\ud800\\udc00\"",           "f0908080",       1 },
    { "the last pair",                        "\"\\udbff\\udfff\"",           "f48fbfbf",       1 },
    { "a lone high surrogate",                "\"\\ud83d\"",                  "eda0bd",         0 },
    { "a high surrogate before text",         "\"\\ud83dx\"",                 "eda0bd78",       0 },
    { "a high surrogate before an escape",    "\"\\ud83d\\n\"",               "eda0bd0a",       0 },
    { "a high surrogate before a character",  "\"\\ud83d\\u0041\"",           "eda0bd41",       0 },
    { "a lone low surrogate",                 "\"\\ude00\"",                  "edb880",         0 },
    { "a pair in the wrong order",            "\"\\ude00\\ud83d\"",           "edb880eda0bd",   0 },
    { "two high surrogates and a low one",    "\"\\ud83d\\ud83d\\ude00\"",    "eda0bdf09f9880", 0 },
    { "an escaped backslash before a u",      "\"\\\\u0041\"",                "5c7530303431",   1 },
    { "raw UTF-8 beside an escape",           "\"\xc3\xa9\\u0041\"",          "c3a941",         1 }
};
/* clang-format on */

START_TEST(decodes_strings)
{
    ss_json_t quoted = value_of(strings[_i].quoted);
    ss_bytes_t decoded = ss_json_decode(quoted, pool);

    assert_bytes(decoded, unhex(strings[_i].text), strings[_i].what);
    ck_assert_msg(ss_json_is_plain(decoded) == strings[_i].plain, "%s: plain", strings[_i].what);
    if (strchr(strings[_i].quoted, '\\') == NULL) {
        ck_assert_msg(decoded.data == quoted.raw.data + 1, "%s: a copy", strings[_i].what);
    }
}
END_TEST

START_TEST(quotes_strings)
{
    static const struct {
        const char *text, *quoted;
    } rows[] = { { "", "\"\"" },
                 { "a/b'c", "\"a/b'c\"" },
                 { "\"\\", "\"\\\"\\\\\"" },
                 { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
                 { "\x01\x1f\x0b", "\"\\u0001\\u001f\\u000b\"" },
                 { "\x7f \xc3\xa9\xf0\x9f\x98\x80", "\"\x7f \xc3\xa9\xf0\x9f\x98\x80\"" } };
    static const char *const not_utf8[] = { "\xff", "a\xc0\x80", "\xed\xa0\x80", "\xe2\x82" };
    int i;

    for (i = 0; i < COUNT(rows); i++) {
        assert_value(ss_json_quote(exact_of(rows[i].text), pool), rows[i].quoted, rows[i].quoted);
    }
    assert_value(ss_json_quote(exact("\0", 1), pool), "\"\\u0000\"", "NUL");
    for (i = 0; i < COUNT(not_utf8); i++) {
        ss_json_t quoted = ss_json_quote(exact_of(not_utf8[i]), pool);

        ck_assert_ptr_null(quoted.raw.data);
        ck_assert_int_eq(quoted.raw.len, 0);
    }
}
END_TEST

START_TEST(decodes_what_it_quoted)
{
    char all[128];
    int i;

    for (i = 0; i < COUNT(all); i++) {
        all[i] = (char)i;
    }
    assert_bytes(ss_json_decode(ss_json_quote(exact(all, sizeof(all)), pool), pool),
                 ss_bytes(all, sizeof(all)), "ASCII");
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *value;
    ss_json_write_e how;
    const char *compact; /* NULL: the value itself */
} compacts[] = {
    { "compact already",           "{\"a\":[1,\"b c\"]}", SS_JSON_AS_IS, NULL },
    { "blanks everywhere",         "{ \"a\" :\n[ 1 ,\t2 ]\r, \"b\":{ } }", SS_JSON_AS_IS, "{\"a\":[1,2],\"b\":{}}" },
    { "blanks in strings stay",    "[ \"a  \\\" b\" ]", SS_JSON_AS_IS, "[\"a  \\\" b\"]" },
    { "tokens keep their spelling","[ 1.0E+2, \"\\u0041\\/\" ]", SS_JSON_AS_IS, "[1.0E+2,\"\\u0041\\/\"]" },
    { "not finite stays",          "[NaN, -Infinity]", SS_JSON_AS_IS, "[NaN,-Infinity]" },
    { "not finite becomes null",   "[NaN,-Infinity,Infinity,-1]", SS_JSON_FINITE, "[null,null,null,-1]" },
    { "only not finite",           "NaN", SS_JSON_FINITE, "null" },
    { "many of them",              "[NaN,NaN,NaN,NaN,NaN,NaN,NaN,NaN]", SS_JSON_FINITE,
                                   "[null,null,null,null,null,null,null,null]" },
    { "the same size as before",   "{\"a\": NaN}", SS_JSON_FINITE, "{\"a\":null}" },
    { "NaN in a string stays",     "[\"NaN -Infinity\"]", SS_JSON_FINITE, NULL },
    { "all is finite",             "[-1,null]", SS_JSON_FINITE, NULL },
    { "ASCII already",             "[\"a\\u00e9~\"]", SS_JSON_ASCII, NULL },
    { "ASCII, with blanks",        "[ 1 ]", SS_JSON_ASCII, "[1]" },
    { "two bytes",                 "\"\xc3\xa9\"", SS_JSON_ASCII, "\"\\u00e9\"" },
    { "three bytes",               "\"\xe2\x82\xac!\"", SS_JSON_ASCII, "\"\\u20ac!\"" },
    { "four bytes",                "\"\xf0\x9f\x98\x80\"", SS_JSON_ASCII, "\"\\ud83d\\ude00\"" },
    { "the last character",        "\"\xf4\x8f\xbf\xbf\"", SS_JSON_ASCII, "\"\\udbff\\udfff\"" },
    { "DEL",                       "\"\x7f\x7f\"", SS_JSON_ASCII, "\"\\u007f\\u007f\"" },
    { "a name",                    "{\"\xc3\xa9\":1}", SS_JSON_ASCII, "{\"\\u00e9\":1}" },
    { "without the flag",          "[\"\xc3\xa9\"]", SS_JSON_FINITE, NULL },
    { "everything at once",        "{ \"\xc3\xa9\": NaN }", SS_JSON_ASCII_AND_FINITE, "{\"\\u00e9\":null}" },
};
/* clang-format on */

START_TEST(compacts_values)
{
    ss_json_t value = value_of(compacts[_i].value);
    ss_json_t compact = ss_json_compact(value, compacts[_i].how, pool);

    if (compacts[_i].compact == NULL) {
        ck_assert_msg(compact.raw.data == value.raw.data && compact.raw.len == value.raw.len,
                      "%s: a copy", compacts[_i].what);
        return;
    }
    assert_value(compact, compacts[_i].compact, compacts[_i].what);
    ck_assert_msg(compact.raw.data[compact.raw.len] == '\0', "%s: terminated", compacts[_i].what);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *a, *b;
    int equal;
} pairs[] = {
    { "the same bytes",                 "[1]", "[1]", 1 },
    { "blanks around arrays",           " [1]\n", "[1]", 1 },
    { "blanks around strings",          "\t\"a\" ", "\"a\"", 1 },
    { "other blanks",                   "[ 1,2 ]", "[1, 2]", 1 },
    { "numbers by their spelling",      "1.0", "1", 0 },
    { "strings by their text",          "\"\\u0041\\/\"", "\"A/\"", 1 },
    { "different strings",              "\"a\"", "\"b\"", 0 },
    { "a string and a number",          "\"1\"", "1", 0 },
    { "true and false",                 "true", "false", 0 },
    { "null and false",                 "null", "false", 0 },
    { "NaN and null",                   "NaN", "null", 0 },
    { "NaN and NaN",                    "[ NaN ]", "[NaN]", 1 },
    { "NaN and Infinity",               "NaN", "Infinity", 0 },
    { "different lone surrogates",      "\"\\ud800\"", "\"\\ud801\"", 0 },
    { "members in another order",       "{\"a\":1,\"b\":[2]}", "{\"b\":[2 ],\"a\":1}", 1 },
    { "a name spelled otherwise",       "{\"a\":1}", "{\"\\u0061\":1}", 1 },
    { "a member more",                  "{\"a\":1}", "{\"a\":1,\"b\":1}", 0 },
    { "another name",                   "{\"a\":1}", "{\"b\":1}", 0 },
    { "a name that begins another",     "{\"a\":1,\"ab\":2}", "{\"ab\":1,\"a\":2}", 0 },
    { "another value, deep inside",     "{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":2}]}", 0 },
    { "of duplicates the last counts",  "{\"a\":1,\"a\":2}", "{\"a\":2}", 1 },
    { "not the first",                  "{\"a\":1,\"a\":2}", "{\"a\":1}", 0 },
    { "duplicates on both sides",       "{\"a\":1,\"b\":3,\"a\":2}", "{\"b\":0,\"a\":2,\"b\":3}", 1 },
    { "as many members, fewer names",   "{\"a\":1,\"a\":1}", "{\"a\":1,\"b\":1}", 0 },
    { "items in another order",         "[1,2]", "[2,1]", 0 },
    { "an item more",                   "[1,2]", "[1,2,3]", 0 },
    { "an item less",                   "[1]", "[]", 0 },
    { "empty arrays",                   "[]", "[ ]", 1 },
    { "empty objects",                  "{ }", "{}", 1 },
    { "an array and an object",         "[]", "{}", 0 },
    { "arrays of every kind of item",   "[\"],\",{\"x\":[1]},[[]],true , -1]", "[ \"],\" , { \"x\":[1]}, [ [] ] ,true,-1]", 1 }
};
/* clang-format on */

START_TEST(compares_values)
{
    ss_json_t a = value_of(pairs[_i].a), b = value_of(pairs[_i].b);

    ck_assert_msg(ss_json_equal(a, b, pool) == pairs[_i].equal, "%s", pairs[_i].what);
    ck_assert_msg(ss_json_equal(b, a, pool) == pairs[_i].equal, "%s, swapped", pairs[_i].what);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *target, *patch, *result; /* target NULL: absent */
} merges[] = {
    /* RFC 7396, appendix A */
    { "replace a member",            "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
    { "add a member",                "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
    { "remove the only member",      "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
    { "remove a member",             "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
    { "an array becomes a string",   "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
    { "a string becomes an array",   "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
    { "change deep inside",          "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
    { "an array is replaced whole",  "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
    { "arrays do not merge",         "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
    { "an object becomes an array",  "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
    { "an object becomes null",      "{\"a\":\"foo\"}", "null", "null" },
    { "an object becomes a string",  "{\"a\":\"foo\"}", "\"bar\"", "\"bar\"" },
    { "a null that is there stays",  "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" },
    { "an array becomes an object",  "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
    { "nulls that add nothing",      "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
    /* beyond the appendix */
    { "an absent target",            NULL, "{\"a\":1,\"b\":null,\"c\":{\"d\":null}}", "{\"a\":1,\"c\":{}}" },
    { "an absent target, no object", NULL, "[ null ]", "[null]" },
    { "nothing to do",               "{ \"a\": 1 }", "{}", "{ \"a\": 1 }" },
    { "blanks around",               " { \"a\": 1 } ", "\n{ \"b\": 2 }\n", "{\"a\":1,\"b\":2}" },
    { "a number becomes an object",  "1", "{ }", "{}" },
    { "what is untouched stays",     "{ \"a\" : [ 1.0, 2 ] , \"\\u0062\":1 }", "{\"b\":2,\"c\":{ \"d\" : 1 }}",
                                     "{\"a\":[ 1.0, 2 ],\"\\u0062\":2,\"c\":{\"d\":1}}" },
    { "nulls in arrays stay",        "{}", "{\"a\":[null,{\"b\":null}]}", "{\"a\":[null,{\"b\":null}]}" },
    { "duplicates: the last is set", "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":4}", "{\"b\":2,\"a\":4}" },
    { "duplicates: all are removed", "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":null}", "{\"b\":2}" },
    { "the first of three removed",  "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":null,\"d\":4}", "{\"b\":2,\"c\":3,\"d\":4}" },
    { "an empty name",               "{\"\":{\"\":1}}", "{\"\":{\"\":null,\"a\":2}}", "{\"\":{\"a\":2}}" }
};
/* clang-format on */

START_TEST(merges_as_rfc_7396)
{
    ss_json_t patch = value_of(merges[_i].patch);
    ss_json_t result = ss_json_merge(value_or_none(merges[_i].target), patch, pool);

    assert_value(result, merges[_i].result, merges[_i].what);
    assert_value(ss_json_merge(result, patch, pool), merges[_i].result, "applied twice");
}
END_TEST

/* A generator of our own, so that every run everywhere sees the same documents. */
static unsigned next_random(apr_uint64_t *state)
{
    *state = *state * APR_UINT64_C(6364136223846793005) + APR_UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33);
}

static void generate(char **out, apr_uint64_t *state, int depth)
{
    static const char *const scalars[] = { "0",
                                           "-1.5",
                                           "12e3",
                                           "7E-2",
                                           "true",
                                           "false",
                                           "null",
                                           "\"\"",
                                           "\"a b\"",
                                           "\"\\u00e9\\n\"",
                                           "\"\xe2\x82\xac\"",
                                           "\"\\\\\"",
                                           "\"\\\"]\"",
                                           "\"\\ud83d\\ude00\"",
                                           "\"a longer piece of plain text\"" };
    int is_object = next_random(state) % 2, count = next_random(state) % 4, i;

    if (depth == 0 || next_random(state) % 3 == 0) {
        *out += sprintf(*out, "%s", scalars[next_random(state) % COUNT(scalars)]);
        return;
    }

    *out += sprintf(*out, "%c", is_object ? '{' : '[');
    for (i = 0; i < count; i++) {
        *out += sprintf(*out, "%s", i > 0 ? "," : "");
        if (is_object) {
            *out += sprintf(*out, "\"k%u\"%s:", next_random(state) % 9, i % 2 ? " " : "");
        }
        generate(out, state, depth - 1);
        *out += sprintf(*out, "%s", next_random(state) % 4 == 0 ? "\n" : "");
    }
    *out += sprintf(*out, "%c", is_object ? '}' : ']');
}

/* Change up to two bytes: replace, remove or double one. */
static apr_size_t mutate(char *text, apr_size_t len, apr_uint64_t *state)
{
    static const char bytes[] =
        "{}[]:,\"\\ \n0123456789-+.eEtrufalsn/x\x01\x7f\x80\xc3\xe2\xa9\xff";
    int count = next_random(state) % 3;

    while (count-- > 0 && len > 0) {
        char *at = text + next_random(state) % len;

        switch (next_random(state) % 3) {
        case 0:
            *at = bytes[next_random(state) % (sizeof(bytes) - 1)];
            break;
        case 1:
            memmove(at, at + 1, text + --len - at);
            break;
        default:
            memmove(at + 1, at, text + len++ - at);
            break;
        }
    }
    return len;
}

/* What jansson refuses and we accept, by the text of its message. */
static int is_our_extension(const json_error_t *error)
{
    static const char *const texts[] = { "too big", "overflow", "\\u0000", "invalid Unicode" };
    int i;

    for (i = 0; i < COUNT(texts); i++) {
        if (strstr(error->text, texts[i]) != NULL) {
            return 1;
        }
    }
    return 0;
}

START_TEST(agrees_with_jansson)
{
    apr_uint64_t state = 20260101;
    int accepted = 0, refused = 0, i;

    for (i = 0; i < 6000; i++) {
        char *text = malloc(64 * 1024), *out = text;
        json_error_t error;
        apr_size_t len;
        json_t *tree;
        int ours;

        generate(&out, &state, 4);
        len = mutate(text, out - text, &state);
        ours = ss_json_check(NULL, ss_bytes(text, len), SS_JSON_STRICT, NULL) == APR_SUCCESS;
        tree = json_loadb(text, len, JSON_DECODE_ANY, &error);

        ck_assert_msg(ours == (tree != NULL) || (ours && is_our_extension(&error)), "%.*s: %s",
                      (int)len, text, tree != NULL ? "jansson accepts" : error.text);
        accepted += ours;
        refused += !ours;
        json_decref(tree);
        free(text);
    }

    /* otherwise the comparison says nothing */
    ck_assert_int_gt(accepted, 1500);
    ck_assert_int_gt(refused, 1500);
}
END_TEST

/* Both go by meaning, not by order or spelling; the generator writes each number in one way. */
START_TEST(compares_like_jansson)
{
    apr_uint64_t state = 7396;
    int compared = 0, i;

    for (i = 0; i < 2000; i++) {
        char *a = apr_palloc(pool, 32 * 1024), *b = apr_palloc(pool, 32 * 1024);
        char *a_end = a, *b_end = b;
        json_t *a_tree, *b_tree;

        generate(&a_end, &state, 2);
        generate(&b_end, &state, 2);
        a_tree = json_loadb(a, a_end - a, JSON_DECODE_ANY, NULL);
        b_tree = json_loadb(b, b_end - b, JSON_DECODE_ANY, NULL);
        ck_assert_msg(ss_json_equal(checked(ss_bytes(a, a_end - a)),
                                    checked(ss_bytes(b, b_end - b)),
                                    pool) == json_equal(a_tree, b_tree),
                      "%.*s and %.*s", (int)(a_end - a), a, (int)(b_end - b), b);
        compared += json_equal(a_tree, b_tree) && a_end - a > 4;
        json_decref(a_tree);
        json_decref(b_tree);
        apr_pool_clear(pool);
    }

    ck_assert_int_gt(compared, 0);
}
END_TEST

static ss_json_t some_value(apr_uint64_t *state)
{
    char *text = apr_palloc(pool, 32 * 1024), *out = text;

    generate(&out, state, 3);
    return checked(ss_bytes(text, (apr_size_t)(out - text)));
}

START_TEST(does_what_the_naive_way_would)
{
    apr_uint64_t state = 4096;
    int merged = 0, equal = 0, doubles = 0;

    for (int i = 0; i < 4000; i++) {
        ss_json_t a = some_value(&state), b = some_value(&state), result;
        int is_input = ss_json_check_input(NULL, b.raw, NULL, pool) == APR_SUCCESS;

        ck_assert_int_eq(is_input, !naive_has_doubles(b, pool));
        doubles += !is_input;
        if (is_input) {
            result = ss_json_merge(a, b, pool);
            assert_bytes(result.raw, naive_merge(a, b, pool).raw, "merged");
            ck_assert_int_eq(ss_json_equal(a, result, pool), naive_equal(a, result, pool));
            merged += ss_json_kind(a) == SS_JSON_OBJECT && ss_json_kind(b) == SS_JSON_OBJECT;
            equal += naive_equal(a, result, pool);
        }
        apr_pool_clear(pool);
    }

    /* otherwise the comparison says nothing */
    ck_assert_int_gt(merged, 200);
    ck_assert_int_gt(equal, 50);
    ck_assert_int_gt(doubles, 100);
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
    tcase_add_loop_test(tcase, input_is_unambiguous, 0, COUNT(inputs));
    tcase_add_test(tcase, input_has_256_members_in_an_object);
    tcase_add_test(tcase, agrees_with_jansson);

    tcase = unit_case(suite, "values");
    tcase_add_test(tcase, takes_an_object_apart);
    tcase_add_test(tcase, takes_only_objects_apart);
    tcase_add_test(tcase, keeps_many_members);
    tcase_add_loop_test(tcase, a_value_has_no_white_space_around_it, 0, COUNT(surroundings));
    tcase_add_test(tcase, what_is_refused_is_no_value);
    tcase_add_test(tcase, finds_and_prints_members_that_have_a_value);
    tcase_add_test(tcase, finds_many_members_at_once);
    tcase_add_test(tcase, tells_kinds_apart);
    tcase_add_loop_test(tcase, decodes_strings, 0, COUNT(strings));
    tcase_add_test(tcase, quotes_strings);
    tcase_add_test(tcase, decodes_what_it_quoted);

    tcase = unit_case(suite, "edit");
    tcase_add_loop_test(tcase, compacts_values, 0, COUNT(compacts));
    tcase_add_loop_test(tcase, compares_values, 0, COUNT(pairs));
    tcase_add_test(tcase, compares_like_jansson);
    tcase_add_loop_test(tcase, merges_as_rfc_7396, 0, COUNT(merges));
    tcase_add_test(tcase, does_what_the_naive_way_would);

    return unit_run(suite);
}
