/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/split.h"

/* clang-format off */
static const struct {
    const char *what, *text, *separator, *want; /* NULL: nothing is left */
} lists[] = {
    { "a list",                         "admin,staff",            ",",  "[\"admin\",\"staff\"]" },
    { "one piece",                      "admin",                  ",",  "[\"admin\"]" },
    { "white space around pieces",      "\t admin ,\r\n a b \v",  ",",  "[\"admin\",\"a b\"]" },
    { "empty pieces",                   ",a,, ,b,",               ",",  "[\"a\",\"b\"]" },
    { "nothing",                        "",                       ",",  NULL },
    { "nothing but separators",         ", ,,",                   ",",  NULL },
    { "a longer separator",             "a::b:c::::d",            "::", "[\"a\",\"b:c\",\"d\"]" },
    { "a separator that is cut short",  "a:",                     "::", "[\"a:\"]" },
    { "a blank separates",              "a  b c",                 " ",  "[\"a\",\"b\",\"c\"]" },
    { "a separator is no pattern",      "a.b|c",                  "|",  "[\"a.b\",\"c\"]" },
    { "characters that JSON escapes",   "a\"b,c\\d,\001",         ",",  "[\"a\\\"b\",\"c\\\\d\",\"\\u0001\"]" },
    { "other letters",                  "\xc3\xa9,\xe2\x82\xac",  ",",  "[\"\xc3\xa9\",\"\xe2\x82\xac\"]" },
    { "not UTF-8",                      "a,\xff",                 ",",  NULL },
    { "half of a character separates",  "\xc3\xa9",            "\xc3",  NULL },
};
/* clang-format on */

START_TEST(splits)
{
    ss_json_t got = ss_split(exact_of(lists[_i].text), exact_of(lists[_i].separator), pool);

    assert_bytes_or_none(got.raw, lists[_i].want, lists[_i].what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("split");

    tcase_add_loop_test(unit_case(suite, "split"), splits, 0, COUNT(lists));
    return unit_run(suite);
}
