/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/change.h"
#include "tests/unit/values.h"

static const ss_stamp_t stamp = { 1767225600, 1767225600, { 1, 2, 3 }, 7, { 0 } };

static ss_session_t *loaded(const char *text)
{
    ss_session_t *session;

    ck_assert_int_eq(ss_session_load(&session, exact_of(text), &stamp, pool), APR_SUCCESS);
    ss_session_reserve(session, 1);
    return session;
}

static void assert_text(ss_session_t *session, const char *want, const char *what)
{
    assert_bytes(ss_session_text(session), ss_bytes_of(want), what);
}

#define NONE NULL

/* clang-format off */
static const struct {
    const char *what;
    ss_change_e kind;
    const char *name, *value; /* NULL: the kind has none */
    const char *from, *to;
} kinds[] = {
    { "set",                     SS_CHANGE_SET,     "a",  "[1]",               "{\"b\":2}",     "{\"b\":2,\"a\":[1]}" },
    { "set the empty name",      SS_CHANGE_SET,     "",   "1",                 "{}",            "{\"\":1}" },
    { "unset",                   SS_CHANGE_UNSET,   "a",  NONE,                "{\"a\":1,\"b\":2}", "{\"b\":2}" },
    { "unset what is not there", SS_CHANGE_UNSET,   "c",  NONE,                "{\"a\":1}",     "{\"a\":1}" },
    { "update",                  SS_CHANGE_UPDATE,  NONE, "{\"a\":{\"y\":2},\"b\":null}", "{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2},\"b\":null}" },
    { "merge",                   SS_CHANGE_MERGE,   NONE, "{\"a\":{\"y\":2},\"b\":null}", "{\"a\":{\"x\":1},\"b\":3}", "{\"a\":{\"x\":1,\"y\":2}}" },
    { "replace",                 SS_CHANGE_REPLACE, NONE, "{\"c\":1}",         "{\"a\":1}",     "{\"c\":1}" },
    { "hide",                    SS_CHANGE_HIDE,    NONE, "{\"x\":\"y\"}",   "{\"a\":1}",     "{\"a\":1,\"mod_session\":{\"x\":\"y\"}}" },
    { "hide nothing",            SS_CHANGE_HIDE,    NONE, NONE,                "{\"a\":1,\"mod_session\":{}}", "{\"a\":1}" },
    { "bind",                    SS_CHANGE_BIND,    "\2 thirty-two bytes of a coordinate", NONE, "{\"a\":1}", "{\"a\":1}" },
    { "go on alone",             SS_CHANGE_ALONE,   NONE, NONE,                "{\"a\":1}",     "{\"a\":1}" },
    { "end",                     SS_CHANGE_END,     NONE, NONE,                "{\"a\":1}",     "{}" },
};
/* clang-format on */

static ss_bytes_t bytes_or_none(const char *text)
{
    return text == NONE ? ss_absent : exact_of(text);
}

static ss_change_t change_of(int row)
{
    ss_change_t change = { kinds[row].kind, bytes_or_none(kinds[row].name),
                           value_or_none(kinds[row].value) };

    return change;
}

START_TEST(is_made)
{
    const ss_change_t change = change_of(_i);
    ss_session_t *session = loaded(kinds[_i].from);

    ck_assert_msg(ss_change_make(session, &change), "%s", kinds[_i].what);
    assert_text(session, kinds[_i].to, kinds[_i].what);
}
END_TEST

START_TEST(is_made_again_when_its_memory_is_gone)
{
    apr_pool_t *own = pool, *passing;
    ss_change_t change, copy;
    ss_session_t *session;

    apr_pool_create(&passing, own);
    pool = passing;
    change = change_of(_i);
    pool = own;
    copy = ss_change_copy(&change, own);
    apr_pool_destroy(passing);

    session = loaded(kinds[_i].from);
    ck_assert(ss_change_make(session, &copy));
    assert_text(session, kinds[_i].to, kinds[_i].what);
}
END_TEST

START_TEST(a_copy_has_no_more_than_the_original)
{
    const ss_change_t copy = ss_change_copy(&ss_change_end, pool);

    ck_assert_int_eq(copy.kind, SS_CHANGE_END);
    ck_assert_ptr_null(copy.name.data);
    ck_assert_ptr_null(copy.value.raw.data);
}
END_TEST

START_TEST(what_is_not_possible_changes_nothing)
{
    const ss_json_t forged = value_of("{\"mod_session\":{\"x\":\"y\"}}");
    const ss_change_t changes[] = {
        { SS_CHANGE_SET, exact_of("\xff"), value_of("1") },
        { SS_CHANGE_SET, exact_of("mod_session"), value_of("{}") },
        { SS_CHANGE_UPDATE, ss_absent, forged },
        { SS_CHANGE_MERGE, ss_absent, forged },
        { SS_CHANGE_REPLACE, ss_absent, forged },
    };
    ss_session_t *session = loaded("{\"a\":1}");

    for (int i = 0; i < COUNT(changes); i++) {
        ck_assert_msg(!ss_change_make(session, &changes[i]), "%d", i);
        ck_assert(!ss_session_is_changed(session));
    }
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *name;
    int acceptable;
} keys[] = {
    { "letters",           "user",         1 },
    { "nothing",           "",             1 },
    { "a dot",             "a.b",          1 },
    { "UTF-8",             "Zo\xc3\xab",   1 },
    { "no UTF-8",          "\xff",         0 },
    { "a tab",             "a\tb",         0 },
    { "DEL",               "a\x7f",        0 },
};
/* clang-format on */

START_TEST(a_key_is_acceptable_or_not)
{
    ck_assert_msg(ss_key_is_acceptable(exact_of(keys[_i].name)) == keys[_i].acceptable, "%s",
                  keys[_i].what);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("change");
    TCase *tcase = unit_case(suite, "change");

    tcase_add_loop_test(tcase, is_made, 0, COUNT(kinds));
    tcase_add_loop_test(tcase, is_made_again_when_its_memory_is_gone, 0, COUNT(kinds));
    tcase_add_test(tcase, a_copy_has_no_more_than_the_original);
    tcase_add_test(tcase, what_is_not_possible_changes_nothing);
    tcase_add_loop_test(tcase, a_key_is_acceptable_or_not, 0, COUNT(keys));
    return unit_run(suite);
}
