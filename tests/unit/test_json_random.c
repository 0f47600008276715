/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>

#include <jansson.h>

#include "tests/naive_json.h"
#include "tests/unit/values.h"

/* Documents by the thousand, judged by jansson and by what is plainly right. */

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

int main(void)
{
    Suite *suite = suite_create("json_random");
    TCase *tcase = unit_case(suite, "random");

    tcase_add_test(tcase, agrees_with_jansson);
    tcase_add_test(tcase, compares_like_jansson);
    tcase_add_test(tcase, does_what_the_naive_way_would);
    return unit_run(suite);
}
