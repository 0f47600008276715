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
    { SS_UNPROVEN,         "unproven" },
    { SS_UNBOUND,          "unbound" },
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

static const struct {
    const char *what, *text, *beginning;
    int begins;
} beginnings[] = {
    { "the beginning",         "session",  "sess",    1 },
    { "the whole",             "session",  "session", 1 },
    { "nothing",               "session",  "",        1 },
    { "more than there is",    "session",  "session ", 0 },
    { "another last byte",     "session",  "seSS",    0 },
    { "something of an empty", "",         "s",       0 },
};

static const struct {
    const char *what, *text, *trimmed;
} trims[] = {
    { "nothing to do",            "a b",               "a b" },
    { "every kind at both ends",  " \t\n\v\f\ra\r\f\v\n\t ", "a" },
    { "only white space",         " \n ",             "" },
    { "nothing",                  "",                 "" },
    { "what only looks like it",  "\b\xa0\x0e",       "\b\xa0\x0e" },
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

START_TEST(knows_a_beginning)
{
    int begins = ss_bytes_begin(exact_of(beginnings[_i].text), beginnings[_i].beginning);

    ck_assert_msg(begins == beginnings[_i].begins, "%s", beginnings[_i].what);
}
END_TEST

START_TEST(trims_white_space)
{
    ss_bytes_t text = exact_of(trims[_i].text);

    assert_bytes(ss_bytes_trim(text), ss_bytes_of(trims[_i].trimmed), trims[_i].what);
}
END_TEST

START_TEST(no_text_is_not_an_empty_one)
{
    ck_assert(ss_text_equal(NULL, NULL));
    ck_assert(!ss_text_equal(NULL, ""));
    ck_assert(!ss_text_equal("", NULL));
    ck_assert(ss_text_equal("session", apr_pstrdup(pool, "session")));
    ck_assert(!ss_text_equal("session", "sess"));
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
    tcase_add_loop_test(tcase, knows_a_beginning, 0, COUNT(beginnings));
    tcase_add_loop_test(tcase, trims_white_space, 0, COUNT(trims));
    tcase_add_test(tcase, no_text_is_not_an_empty_one);

    return unit_run(suite);
}
