/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

/* clang-format off */
static const struct { const char *value; int has; } tagged[] = {
    { "{\" t\":[1]}",                        1 },
    { "{\"\\u0020t\":[1]}",                  1 },
    { "{\" \":1}",                           1 },
    { " { \" d\" : \"Thu\" } ",              1 },
    { "{\"a\":{\" t\":[1]}}",                1 },
    { "[1,[{\"a\":[{\" t\":[1]}]}]]",        1 },
    { "{\"a\":1,\"b\":{\" t\":{}}}",         1 },
    { "{\" a\":1,\"b\":{\" t\":2}}",         1 },
    { "{\" t\":1,\"a\":2}",                  0 },
    { "{\"a\":2,\" t\":1}",                  0 },
    { "{\" t\":1,\"a\":{}}",                 0 },
    { "{\" t\":[1,2],\"a\":[{},[]]}",        0 },
    { "{\"t \":1}",                          0 },
    { "{\"\":1}",                            0 },
    { "{\"\\\\u0020\":1}",                   0 },
    { "{\"a\":\"{\\\" t\\\":1}\"}",          0 },
    { "{\"a\":[\" t\"]}",                    0 },
    { "[\" t\"]",                            0 },
    { "\" t\"",                              0 },
    { "{}",                                  0 },
    { "null",                                0 },
};

static const struct { const char *what, *before, *after; int adds; } additions[] = {
    { "a tag where nothing was",        NULL, "{\" t\":[1]}",                                      1 },
    { "in a new member",                "{}", "{\"a\":{\" t\":[1]}}",                              1 },
    { "a new value of a tag",           "{\"a\":{\" t\":[1]}}", "{\"a\":{\" t\":[2]}}",            1 },
    { "from a tag that moved",          "{\"a\":{\" t\":[1]}}", "{\"b\":{\" t\":[1]}}",            1 },
    { "by the loss of a neighbour",     "{\"a\":{\" t\":1,\"b\":2}}", "{\"a\":{\" t\":1}}",        1 },
    { "by the loss of the last one",    "{\" t\":1,\"b\":2}", "{\" t\":1}",                        1 },
    { "in an array that changed",       "{\"a\":[{\" t\":[1]}]}", "{\"a\":[{\" t\":[1]},2]}",      1 },
    { "for another kind of value",      "{\"a\":1}", "{\"a\":{\" t\":[1]}}",                       1 },
    { "a tag that was there",           "{\"a\":{\" t\":[1]}}", "{\"a\":{\" t\":[1]},\"b\":1}",    0 },
    { "beside one that was there",      "{\"a\":{\"x\":{\" t\":[1]},\"y\":1}}",
                                        "{\"a\":{\"x\":{\" t\":[1]},\"y\":2}}",                    0 },
    { "all of it that was there",       "{\"a\":{\" t\":[1]}}", "{\"a\":{\" t\":[1]}}",            0 },
    { "an array that stays",            "{\"a\":[{\" t\":[1]}]}", "{\"a\":[{\" t\":[1]}],\"b\":1}", 0 },
    { "a tag that went",                "{\"a\":{\" t\":[1]}}", "{\"a\":1}",                       0 },
    { "members in another order",       "{\"a\":{\" t\":1},\"b\":1,\"c\":{\" t\":2}}",
                                        "{\"c\":{\" t\":2},\"d\":2,\"a\":{\" t\":1}}",             0 },
    { "a tag that is spelled otherwise", "{\"a\":{\" t\":\"x\"}}", "{\"a\":{\" t\" : \"\\u0078\"},\"b\":1}", 0 },
    { "one that hides what was there",  "{\"a\":1,\"a\":{\" t\":1}}", "{\"a\":{\" t\":1},\"b\":1}", 0 },
    { "no tag at all",                  "{\"a\":1}", "{\"a\":{\" t\":1,\"b\":2}}",                 0 },
};
/* clang-format on */

START_TEST(finds_type_tags)
{
    ck_assert_msg(ss_json_has_tag(value_of(tagged[_i].value)) == tagged[_i].has, "%s",
                  tagged[_i].value);
}
END_TEST

START_TEST(finds_type_tags_in_the_deepest_document)
{
    char *text = apr_palloc(pool, 4096);
    int depth = SS_JSON_DEPTH_MAX - 1;

    memset(text, '[', depth);
    strcpy(text + depth, "{\" t\":1}");
    memset(text + depth + 8, ']', depth);
    ck_assert(ss_json_has_tag(checked(exact(text, 2 * depth + 8))));
}
END_TEST

START_TEST(tells_new_type_tags_from_old_ones)
{
    ss_json_t before = value_or_none(additions[_i].before);

    ck_assert_msg(ss_json_adds_tag(before, value_of(additions[_i].after), pool) ==
                      additions[_i].adds,
                  "%s", additions[_i].what);
}
END_TEST

/* {"a":{"a": ... {" t":1},"x":LAST ... }}, `levels` deep, 16 KiB in all at 252 levels */
static ss_json_t deep_tags(int levels, const char *last)
{
    const char *padding = nested(50, "p", "", "");
    const char *close = apr_pstrcat(pool, ",\"x\":\"", padding, "\"}", NULL);
    const char *inner = apr_pstrcat(pool, "{\" t\":1},\"y\":", last, NULL);

    return value_of(nested(levels, "{\"a\":", inner, close));
}

/* The fastest of some runs, in microseconds. */
static apr_time_t cost_of(int levels)
{
    ss_json_t before = deep_tags(levels, "1"), after = deep_tags(levels, "2");
    apr_time_t best = APR_INT64_MAX;

    for (int run = 0; run < 5; run++) {
        apr_time_t start = apr_time_now(), took;

        ck_assert(!ss_json_adds_tag(before, after, pool));
        took = apr_time_now() - start;
        best = took < best ? took : best;
    }
    return best;
}

/* No level may look at all those below it: four times as deep and as long is four times the work,
 * not 16 or 64. Times are not exact: make check-growth counts. */
START_TEST(looks_for_new_tags_in_reasonable_time)
{
    apr_time_t small = cost_of(63), large = cost_of(252);

    ck_assert_msg(large < 12 * (small + 50), "%" APR_TIME_T_FMT " us after %" APR_TIME_T_FMT, large,
                  small);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_tag");
    TCase *tcase = unit_case(suite, "type tags");

    tcase_add_loop_test(tcase, finds_type_tags, 0, COUNT(tagged));
    tcase_add_test(tcase, finds_type_tags_in_the_deepest_document);
    tcase_add_loop_test(tcase, tells_new_type_tags_from_old_ones, 0, COUNT(additions));
    tcase_add_test(tcase, looks_for_new_tags_in_reasonable_time);
    return unit_run(suite);
}
