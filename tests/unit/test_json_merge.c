/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/values.h"

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

int main(void)
{
    Suite *suite = suite_create("json_merge");
    TCase *tcase = unit_case(suite, "merge");

    tcase_add_loop_test(tcase, merges_as_rfc_7396, 0, COUNT(merges));
    return unit_run(suite);
}
