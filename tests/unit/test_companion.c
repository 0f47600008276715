/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/formats.h"

/* Formats whose signature is a cookie of its own. */

START_TEST(half_of_two_cookies_is_refused)
{
    const ss_sealing_t how = one("express");
    ss_sealed_t good = seal_text("{\"user\":\"alice\"}", &how, NOW);
    ss_sealed_t other = seal_text("{\"user\":\"eve\"}", &how, NOW);
    const ss_sealed_t wrong[] = {
        { good.value, { NULL, 0 } },     { good.value, { "", 0 } },
        { good.value, other.companion }, { other.value, good.companion },
        { { "", 0 }, good.companion },
    };
    ss_candidates_t only_companion = { .companion_count = 1, .companions = { good.companion } };
    ss_session_t *session;
    ss_opened_t from;

    for (int i = 0; i < COUNT(wrong); i++) {
        ck_assert_msg(open_one(&session, wrong[i], &how, NOW) == SS_BAD_SIGNATURE, "case %d", i);
    }
    ck_assert_int_eq(open_found(&session, &from, &only_companion, &how, NOW), SS_NONE);
    ck_assert_int_eq(open_one(&session, good, &how, NOW), SS_VALID);
}
END_TEST

START_TEST(a_look_at_a_strange_companion_says_so)
{
    const ss_sealing_t how = one("express");
    ss_sealed_t cookie = seal_text("{\"a\":1}", &how, NOW);
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };

    cookie.companion = exact_of("x");
    ck_assert_int_eq(
        ss_format_named("express")->look(&look, &cookie, ss_format_named("express"), pool),
        SS_POSSIBLE);
    ck_assert_ptr_nonnull(strstr(look.why, "signature"));
}
END_TEST

START_TEST(the_companion_is_bound_to_the_name)
{
    const ss_sealing_t how = one("express");
    const ss_sealing_t renamed = sealing(SECRET_1, NULL, "express", NULL, "other", "");
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, seal_text("{\"a\":1}", &how, NOW), &renamed, NOW),
                     SS_BAD_SIGNATURE);
}
END_TEST

START_TEST(companions_may_come_in_any_order)
{
    const ss_sealing_t how = one("express");
    ss_sealed_t one_of_them = seal_text("{\"a\":1}", &how, NOW);
    const char *header =
        apr_psprintf(pool, "session.sig=AAAA; x=y; session.sig=%.*s; session=e30=; session=%.*s",
                     (int)one_of_them.companion.len, one_of_them.companion.data,
                     (int)one_of_them.value.len, one_of_them.value.data);
    ss_candidates_t found;
    ss_session_t *session;
    ss_opened_t from;

    ss_candidates_find(&found, header, &how);
    ck_assert_int_eq(found.count, 2);
    ck_assert_int_eq(found.companion_count, 2);
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of("{\"a\":1}"), "second");
}
END_TEST

START_TEST(companions_are_looked_for_only_where_a_format_has_them)
{
    const ss_sealing_t how = one("native");
    ss_candidates_t found;

    ss_candidates_find(&found, "session=a; session.sig=b", &how);
    ck_assert_int_eq(found.count, 1);
    ck_assert_int_eq(found.companion_count, 0);
    ck_assert_ptr_null(how.companion_name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("companion");
    TCase *tcase = unit_case(suite, "companions");

    tcase_add_test(tcase, half_of_two_cookies_is_refused);
    tcase_add_test(tcase, a_look_at_a_strange_companion_says_so);
    tcase_add_test(tcase, the_companion_is_bound_to_the_name);
    tcase_add_test(tcase, companions_may_come_in_any_order);
    tcase_add_test(tcase, companions_are_looked_for_only_where_a_format_has_them);
    return unit_run(suite);
}
