/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/formats.h"

/* Several cookies of one name: which of them counts. */

static void assert_winner(const ss_sealed_t cookies[], int count, const ss_sealing_t *how,
                          const char *winner)
{
    ss_candidates_t found = candidates(cookies, count);
    ss_session_t *session;
    ss_opened_t from;

    ck_assert_int_eq(open_found(&session, &from, &found, how, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of(winner), "the winner");
}

START_TEST(a_cookie_that_does_not_hold_hides_none)
{
    const ss_sealing_t how = one("native");
    ss_sealed_t good = seal_text("{\"a\":1}", &how, NOW), bad = alone(ss_bytes_of("bad"));
    ss_sealed_t late[] = { bad, bad, bad, good }, tampered[] = { good, bad };
    ss_candidates_t found = candidates(late, 4);
    ss_session_t *session;
    ss_opened_t from;

    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_VALID);
    tampered[0].value =
        ss_bytes_of(apr_pstrcat(pool, apr_pstrmemdup(pool, good.value.data, good.value.len - 1),
                                good.value.data[good.value.len - 1] == 'A' ? "E" : "A", NULL));
    found = candidates(tampered, 2);
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_BAD_SIGNATURE);
    found.count = 0;
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_NONE);
    ck_assert_ptr_null(session);
}
END_TEST

/* The header's first cookie is the one before, of another Path or Domain, or the other way round.
 */
START_TEST(of_several_native_cookies_the_newest_wins)
{
    const ss_sealing_t how = one("native");
    ss_sealed_t old = seal_text("{\"a\":1}", &how, NOW - apr_time_from_sec(5)), same, changed;
    ss_sealed_t new = seal_text("{\"a\":2}", &how, NOW);
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, new, &how, NOW), SS_VALID);
    same = seal_text("{\"a\":3}", &how, NOW);
    ss_session_set(session, ss_bytes_of("a"), checked(ss_bytes_of("4")));
    changed = seal_session(session, &how, NOW); /* in the same second: its counter is higher */
    assert_winner((ss_sealed_t[]){ old, new }, 2, &how, "{\"a\":2}");
    assert_winner((ss_sealed_t[]){ new, old }, 2, &how, "{\"a\":2}");
    assert_winner((ss_sealed_t[]){ new, same }, 2, &how, "{\"a\":2}");
    assert_winner((ss_sealed_t[]){ same, new }, 2, &how, "{\"a\":3}");
    assert_winner((ss_sealed_t[]){ new, changed, old }, 3, &how, "{\"a\":4}");
    assert_winner((ss_sealed_t[]){ changed, old, new }, 3, &how, "{\"a\":4}");
    assert_winner((ss_sealed_t[]){ alone(ss_bytes_of("bad")), old }, 2, &how, "{\"a\":1}");
}
END_TEST

/* Werkzeug's dictionary and the cookies package give the first value, Starlette and Django keep
 * the last, whatever is inside. */
START_TEST(of_several_cookies_of_a_framework_its_own_wins)
{
    static const struct {
        const char *format, *winner;
    } rows[] = { { "starlette", "{\"a\":2}" },
                 { "django", "{\"a\":2}" },
                 { "flask", "{\"a\":1}" },
                 { "express", "{\"a\":1}" } };
    const ss_sealing_t how = one(rows[_i].format);
    ss_sealed_t first = seal_text("{\"a\":1}", &how, NOW), last = seal_text("{\"a\":2}", &how, NOW);

    assert_winner((ss_sealed_t[]){ first, last }, 2, &how, rows[_i].winner);
}
END_TEST

/* However many came: what is in the middle is left out. */
START_TEST(of_many_cookies_of_a_framework_its_own_wins)
{
    static const struct {
        const char *format, *also;
        int winner;
    } rows[] = { { "starlette", NULL, 6 }, { "django", NULL, 6 },        { "flask", NULL, 1 },
                 { "flask", "django", 1 }, { "native", "starlette", 6 }, { "django", "flask", 6 } };
    const ss_sealing_t how = sealing(SECRET_1, NULL, rows[_i].format, rows[_i].also, "session", "");
    const ss_sealing_t theirs =
        one(strcmp(rows[_i].format, "native") == 0 ? rows[_i].also : rows[_i].format);
    const char *header = "";
    ss_candidates_t found;
    ss_session_t *session;
    ss_opened_t from;

    for (int i = 1; i <= 6; i++) {
        ss_sealed_t cookie = seal_text(apr_psprintf(pool, "{\"a\":%d}", i), &theirs, NOW);

        header = apr_psprintf(pool, "%s; session=%.*s", header, (int)cookie.value.len,
                              cookie.value.data);
    }
    ss_candidates_find(&found, header, &how);
    ck_assert_int_eq(found.came, 6);
    ck_assert_int_eq(found.count, SS_CANDIDATES_MAX);
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_VALID);
    assert_bytes(ss_session_text(session),
                 ss_bytes_of(apr_psprintf(pool, "{\"a\":%d}", rows[_i].winner)), "the winner");
}
END_TEST

START_TEST(of_two_formats_the_written_one_wins)
{
    const ss_sealing_t old = one("starlette");
    const ss_sealing_t how = sealing(SECRET_1, NULL, "native", "starlette", "session", "");
    ss_sealed_t theirs = seal_text("{\"a\":1}", &old, NOW);
    ss_sealed_t ours = seal_text("{\"a\":2}", &how, NOW - apr_time_from_sec(5));

    assert_winner((ss_sealed_t[]){ theirs, ours }, 2, &how, "{\"a\":2}");
    assert_winner((ss_sealed_t[]){ ours, theirs }, 2, &how, "{\"a\":2}");
}
END_TEST

START_TEST(no_more_cookies_are_tried_than_that)
{
    const ss_sealing_t how = one("native");
    ss_sealed_t good = seal_text("{\"a\":1}", &how, NOW);
    const char *header =
        apr_psprintf(pool, "session=bad; session=bad; session=bad; session=bad; session=%.*s",
                     (int)good.value.len, good.value.data);
    ss_candidates_t found;
    ss_session_t *session;
    ss_opened_t from;

    ss_candidates_find(&found, header, &how);
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_MALFORMED);
}
END_TEST

START_TEST(a_cookie_over_the_limit_is_not_even_verified)
{
    const ss_sealing_t how = one("native");
    char *big = apr_palloc(pool, SS_COOKIE_MAX);
    ss_session_t *session;

    memset(big, 'A', SS_COOKIE_MAX);
    ck_assert_int_eq(open_one(&session, alone(ss_bytes(big, SS_COOKIE_MAX - 7)), &how, NOW),
                     SS_MALFORMED);
    ck_assert_int_eq(open_one(&session, alone(ss_bytes(big, SS_COOKIE_MAX - 6)), &how, NOW),
                     SS_TOO_LARGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("candidates");
    TCase *tcase = unit_case(suite, "several cookies");

    tcase_add_test(tcase, a_cookie_that_does_not_hold_hides_none);
    tcase_add_test(tcase, of_several_native_cookies_the_newest_wins);
    tcase_add_loop_test(tcase, of_several_cookies_of_a_framework_its_own_wins, 0, 4);
    tcase_add_loop_test(tcase, of_many_cookies_of_a_framework_its_own_wins, 0, 6);
    tcase_add_test(tcase, of_two_formats_the_written_one_wins);
    tcase_add_test(tcase, no_more_cookies_are_tried_than_that);
    tcase_add_test(tcase, a_cookie_over_the_limit_is_not_even_verified);
    return unit_run(suite);
}
