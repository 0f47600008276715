/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

/* The names are a promise to configurations and scripts. */
/* clang-format off */
static const struct {
    ss_state_e state;
    const char *name;
} states[] = {
    { SS_NONE,             "none" },
    { SS_VALID,            "valid" },
    { SS_MALFORMED,        "malformed" },
    { SS_TOO_LARGE,        "too-large" },
    { SS_UNKNOWN_KEY,      "unknown-key" },
    { SS_BAD_SIGNATURE,    "bad-signature" },
    { SS_EXPIRED_IDLE,     "expired-idle" },
    { SS_EXPIRED_ABSOLUTE, "expired-absolute" },
    { SS_FROM_FUTURE,      "from-future" },
    { SS_REVOKED,          "revoked" },
    { SS_UNAVAILABLE,      "unavailable" },
};

static const struct {
    const char *what, *a, *b;
    int equal;
} pairs[] = {
    { "the same text",                "session", "session", 1 },
    { "two empty texts",              "",        "",        1 },
    { "one is the other's beginning", "session", "sess",    0 },
    { "one is empty",                 "",        "s",       0 },
    { "the last byte differs",        "sessioN", "session", 0 },
};
/* clang-format on */

START_TEST(names_each_state)
{
    ck_assert_int_eq(COUNT(states), SS_STATES);
    ck_assert_str_eq(ss_state_name(states[_i].state), states[_i].name);
}
END_TEST

START_TEST(compares_bytes)
{
    int equal = ss_bytes_equal(exact_of(pairs[_i].a), exact_of(pairs[_i].b));

    ck_assert_msg(equal == pairs[_i].equal, "%s", pairs[_i].what);
}
END_TEST

START_TEST(compares_bytes_behind_a_nul)
{
    ck_assert(!ss_bytes_equal(exact("a\0b", 3), exact("a\0c", 3)));
    ck_assert(ss_bytes_equal(exact("a\0b", 3), exact("a\0b", 3)));
    ck_assert(ss_bytes_equal(ss_bytes(NULL, 0), exact("", 0)));
}
END_TEST

START_TEST(takes_a_string_without_its_nul)
{
    const char *text = "session";
    ss_bytes_t bytes = ss_bytes_of(text);

    ck_assert_ptr_eq(bytes.data, text);
    ck_assert_uint_eq(bytes.len, 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *tcase = unit_case(suite, "states");

    tcase_add_loop_test(tcase, names_each_state, 0, COUNT(states));

    tcase = unit_case(suite, "bytes");
    tcase_add_loop_test(tcase, compares_bytes, 0, COUNT(pairs));
    tcase_add_test(tcase, compares_bytes_behind_a_nul);
    tcase_add_test(tcase, takes_a_string_without_its_nul);

    return unit_run(suite);
}
