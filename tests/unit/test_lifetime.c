/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/lifetime.h"
#include "tests/randoms.h"
#include "tests/unit/unit.h"

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */
#define SECONDS(n) apr_time_from_sec(n)

/* clang-format off */
static const struct {
    const char *what;
    apr_int64_t renewed, created; /* seconds before now; AT_NO_TIME: SS_NO_TIME */
    apr_int64_t idle, absolute;   /* seconds, or SS_FOREVER */
    ss_state_e state;
} ages[] = {
#define AT_NO_TIME APR_INT64_MIN
    { "fresh",                           0,   0,          60,         600,        SS_VALID },
    { "as old as the idle timeout",      60,  60,         60,         600,        SS_VALID },
    { "a second older",                  61,  61,         60,         600,        SS_EXPIRED_IDLE },
    { "as old as the absolute timeout",  0,   600,        60,         600,        SS_VALID },
    { "older than the absolute timeout", 0,   601,        60,         600,        SS_EXPIRED_ABSOLUTE },
    { "older than both",                 700, 700,        60,         600,        SS_EXPIRED_IDLE },
    { "without timeouts",                999, 999,        SS_FOREVER, SS_FOREVER, SS_VALID },
    { "without idle timeout",            700, 700,        SS_FOREVER, 600,        SS_EXPIRED_ABSOLUTE },
    { "without creation time",           60,  AT_NO_TIME, 60,         600,        SS_VALID },
    { "without any time",                AT_NO_TIME, AT_NO_TIME, 1,   1,          SS_VALID },
    { "ahead by the skew",               -30, -30,        60,         600,        SS_VALID },
    { "ahead by more",                   -31, 0,          60,         600,        SS_FROM_FUTURE },
    { "created ahead by more",           0,   -31,        60,         600,        SS_FROM_FUTURE },
    { "created ahead, renewed too long ago", 99, -31,     60,         600,        SS_FROM_FUTURE },
    { "ahead, without timeouts",         -31, 0,          SS_FOREVER, SS_FOREVER, SS_FROM_FUTURE }
};
/* clang-format on */

static apr_int64_t at(apr_int64_t age)
{
    return age == AT_NO_TIME ? SS_NO_TIME : NOW - age;
}

static apr_interval_time_t span(apr_int64_t seconds)
{
    return seconds == SS_FOREVER ? SS_FOREVER : SECONDS(seconds);
}

START_TEST(judges_ages)
{
    ss_stamp_t old = { at(ages[_i].renewed), at(ages[_i].created), { 0 }, 0, { 0 } };
    ss_lifetime_t lifetime = {
        span(ages[_i].idle), span(ages[_i].absolute), SECONDS(30), { SS_RENEW_NEVER, 0, 0 }, 1
    };

    ck_assert_msg(ss_lifetime_judge(&old, &lifetime, SECONDS(NOW)) == ages[_i].state, "%s",
                  ages[_i].what);
    /* parts of a second do not count */
    ck_assert_msg(ss_lifetime_judge(&old, &lifetime, SECONDS(NOW) + 999999) == ages[_i].state,
                  "%s, late in the second", ages[_i].what);
}
END_TEST

START_TEST(explains_what_it_judges)
{
    static const ss_lifetime_t lifetime = {
        SECONDS(60), SECONDS(600), SECONDS(30), { SS_RENEW_NEVER, 0, 0 }, 1
    };
    static const struct {
        apr_int64_t renewed, created;
        const char *name; /* NULL: no time is the reason */
        apr_int64_t age, limit;
    } rows[] = {
        { 61, 70, "renewed", 61, 60 },
        { 0, 601, "created", 601, 600 },
        { -31, 0, "renewed", 31, 30 },
        { 0, -31, "created", 31, 30 },
        { -31, -40, "renewed", 31, 30 },
        { 99, -31, "created", 31, 30 },
        { 0, 0, NULL, 0, 0 },
    };

    for (int i = 0; i < COUNT(rows); i++) {
        ss_stamp_t stamp = { at(rows[i].renewed), at(rows[i].created), { 0 }, 0, { 0 } };
        ss_state_e state = ss_lifetime_judge(&stamp, &lifetime, SECONDS(NOW));
        ss_untimely_t why;

        ss_lifetime_explain(&why, state, &stamp, &lifetime, SECONDS(NOW));
        ck_assert_pstr_eq(why.name, rows[i].name);
        ck_assert_int_eq(why.age, rows[i].age);
        ck_assert_int_eq(why.limit, rows[i].limit);
    }
}
END_TEST

START_TEST(names_spans_by_two_units)
{
    ck_assert_str_eq(ss_lifetime_span(0, pool), "0s");
    ck_assert_str_eq(ss_lifetime_span(61, pool), "1min 1s");
    ck_assert_str_eq(ss_lifetime_span(15 * 86400, pool), "15d");
    ck_assert_str_eq(ss_lifetime_span(15 * 86400 + 3 * 3600 + 59, pool), "15d 3h");
    ck_assert_str_eq(ss_lifetime_span(86400 + 60, pool), "1d");
}
END_TEST

START_TEST(judges_extreme_stamps)
{
    static const ss_lifetime_t lifetime = {
        SECONDS(60), SECONDS(600), SECONDS(30), { SS_RENEW_NEVER, 0, 0 }, 1
    };
    ss_stamp_t last = { APR_INT64_MAX, APR_INT64_MAX, { 0 }, 0, { 0 } },
               first = { 0, 0, { 0 }, 0, { 0 } };

    ck_assert_int_eq(ss_lifetime_judge(&last, &lifetime, SECONDS(NOW)), SS_FROM_FUTURE);
    ck_assert_int_eq(ss_lifetime_judge(&first, &lifetime, SECONDS(NOW)), SS_EXPIRED_IDLE);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    apr_int64_t age; /* of the stamp, in seconds */
    apr_int64_t idle;
    ss_renew_t renew;
    int due;
} renewals[] = {
    { "always, at once",                  0,          1000,       { SS_RENEW_ALWAYS, 0, 0 },            1 },
    { "always, without a time",           AT_NO_TIME, 1000,       { SS_RENEW_ALWAYS, 0, 0 },            1 },
    { "never, however old",               999,        1000,       { SS_RENEW_NEVER, 0, 0 },             0 },
    { "before a tenth has passed",        99,         1000,       { SS_RENEW_PERCENT, 10, 0 },          0 },
    { "after a tenth has passed",         100,        1000,       { SS_RENEW_PERCENT, 10, 0 },          1 },
    { "a tenth of an odd timeout, early", 1,          15,         { SS_RENEW_PERCENT, 10, 0 },          0 },
    { "a tenth of an odd timeout",        2,          15,         { SS_RENEW_PERCENT, 10, 0 },          1 },
    { "no percent",                       0,          1000,       { SS_RENEW_PERCENT, 0, 0 },           1 },
    { "no percent, from a fast clock",    -5,         1000,       { SS_RENEW_PERCENT, 0, 0 },           0 },
    { "all of it, a second early",        999,        1000,       { SS_RENEW_PERCENT, 100, 0 },         0 },
    { "all of it",                        1000,       1000,       { SS_RENEW_PERCENT, 100, 0 },         1 },
    { "a percentage of forever",          9999,       SS_FOREVER, { SS_RENEW_PERCENT, 0, 0 },           0 },
    { "a percentage without a time",      AT_NO_TIME, 1000,       { SS_RENEW_PERCENT, 0, 0 },           0 },
    { "before the duration",              59,         1000,       { SS_RENEW_AFTER, 0, SECONDS(60) },   0 },
    { "after the duration",               60,         SS_FOREVER, { SS_RENEW_AFTER, 0, SECONDS(60) },   1 },
    { "a duration without a time",        AT_NO_TIME, 1000,       { SS_RENEW_AFTER, 0, SECONDS(60) },   0 }
};
/* clang-format on */

START_TEST(renews_in_time)
{
    ss_stamp_t old = { at(renewals[_i].age), SS_NO_TIME, { 0 }, 1, { 0 } };
    ss_lifetime_t lifetime = { span(renewals[_i].idle), SS_FOREVER, 0, renewals[_i].renew, 1 };

    ck_assert_msg(ss_lifetime_is_due(&old, &lifetime, SECONDS(NOW)) == renewals[_i].due, "%s",
                  renewals[_i].what);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    apr_int64_t skew; /* seconds */
    apr_int64_t idle;
    ss_renew_t renew;
    apr_int64_t seconds;
} head_starts[] = {
    { "the skew",                       60, 86400,      { SS_RENEW_NEVER, 0, 0 },           60 },
    { "none",                           0,  86400,      { SS_RENEW_NEVER, 0, 0 },           0 },
    { "a tenth of the idle timeout",    60, 100,        { SS_RENEW_NEVER, 0, 0 },           10 },
    { "without an idle timeout",        60, SS_FOREVER, { SS_RENEW_PERCENT, 10, 0 },        60 },
    { "half of a percentage",           60, 1000,       { SS_RENEW_PERCENT, 10, 0 },        50 },
    { "half of a duration",             60, SS_FOREVER, { SS_RENEW_AFTER, 0, SECONDS(60) }, 30 },
    { "renewed always",                 60, 86400,      { SS_RENEW_ALWAYS, 0, 0 },          60 },
    { "renewed at no percent",          60, 86400,      { SS_RENEW_PERCENT, 0, 0 },         60 }
};
/* clang-format on */

START_TEST(dates_frameworks_cookies_back)
{
    ss_lifetime_t lifetime = { span(head_starts[_i].idle), SS_FOREVER,
                               SECONDS(head_starts[_i].skew), head_starts[_i].renew, 1 };

    ck_assert_msg(ss_lifetime_head_start(&lifetime) == head_starts[_i].seconds, "%s",
                  head_starts[_i].what);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    ss_stamp_t from;
    int change;
    ss_stamp_t to;
} stamps[] = {
    { "a renewal",                     { 5, 4, { 9 }, 3, { 0 } }, 0, { NOW, 4, { 9 }, 3, { 0 } } },
    { "a change",                      { 5, 4, { 9 }, 3, { 0 } }, 1, { NOW, 4, { 9 }, 4, { 0 } } },
    { "a bound session",               { 5, 4, { 9 }, 3, { 2, 8 } }, 1, { NOW, 4, { 9 }, 4, { 2, 8 } } },
    { "one that is bound now",         { 5, 4, { 0 }, 0, { 2, 8 } }, 1,
      { NOW, 4, { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 }, 1, { 2, 8 } } },
    { "a change at the maximum",       { 5, 4, { 9 }, APR_UINT32_MAX, { 0 } }, 1, { NOW, 4, { 9 }, APR_UINT32_MAX, { 0 } } },
    { "a change just below",           { 5, 4, { 9 }, APR_UINT32_MAX - 1, { 0 } }, 1, { NOW, 4, { 9 }, APR_UINT32_MAX, { 0 } } },
    { "a format without creation",     { 5, SS_NO_TIME, { 0 }, 0, { 0 } }, 1,
      { NOW, 5, { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 }, 1, { 0 } } },
    { "a format with creation, no id", { 5, 4, { 0 }, 0, { 0 } }, 0,
      { NOW, 4, { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 }, 1, { 0 } } },
    { "a format without any time",     { SS_NO_TIME, SS_NO_TIME, { 0 }, 0, { 0 } }, 0,
      { NOW, NOW, { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 }, 1, { 0 } } }
};
/* clang-format on */

START_TEST(stamps_the_next_cookie)
{
    const ss_stamp_t *want = &stamps[_i].to;
    const char *what = stamps[_i].what;
    ss_stamp_t next;

    ck_assert_int_eq(ss_stamp_next(&next, &stamps[_i].from, stamps[_i].change,
                                   SECONDS(NOW) + 999999, all_sevens),
                     APR_SUCCESS);
    ck_assert_msg(next.renewed == want->renewed, "%s: renewed", what);
    ck_assert_msg(next.created == want->created, "%s: created", what);
    ck_assert_msg(next.counter == want->counter, "%s: counter", what);
    ck_assert_msg(memcmp(next.id, want->id, sizeof(want->id)) == 0, "%s: id", what);
    ck_assert_msg(memcmp(next.point, want->point, sizeof(want->point)) == 0, "%s: key", what);
}
END_TEST

START_TEST(needs_random_only_for_a_new_id)
{
    const ss_stamp_t known = { 5, 4, { 9 }, 3, { 0 } },
                     none = { SS_NO_TIME, SS_NO_TIME, { 0 }, 0, { 0 } };
    ss_stamp_t next;

    ck_assert_int_eq(ss_stamp_next(&next, &known, 1, SECONDS(NOW), no_random), APR_SUCCESS);
    ck_assert_int_eq(ss_stamp_next(&next, &none, 1, SECONDS(NOW), no_random), APR_EGENERAL);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    apr_int64_t renewed, created; /* seconds before now */
    apr_int64_t idle, absolute;
    apr_int64_t expires, absolute_expires;
} lifetimes[] = {
    { "just sealed",                     0,          0,          60,         600,        60, 600 },
    { "less left of the absolute one",   0,          590,        60,         600,        10, 10 },
    { "the last second",                 0,          600,        60,         600,        0,  0 },
    { "over",                            99,         700,        60,         600,        0,  0 },
    { "sealed a while ago",              20,         20,         60,         600,        40, 580 },
    { "no absolute timeout",             0,          590,        60,         SS_FOREVER, 60, -1 },
    { "no creation time",                0,          AT_NO_TIME, 60,         600,        60, -1 },
    { "no idle timeout",                 0,          0,          SS_FOREVER, 600,        600, 600 },
    { "no timeout",                      0,          0,          SS_FOREVER, SS_FOREVER, -1, -1 },
    { "no time at all",                  AT_NO_TIME, AT_NO_TIME, 60,         600,        60, -1 },
    { "a fast clock lengthens nothing",  -20,        -20,        60,         600,        60, 600 }
};
/* clang-format on */

START_TEST(says_how_long_it_lives)
{
    ss_stamp_t sealed = { at(lifetimes[_i].renewed), at(lifetimes[_i].created), { 0 }, 1, { 0 } };
    ss_lifetime_t lifetime = { span(lifetimes[_i].idle),
                               span(lifetimes[_i].absolute),
                               SECONDS(30),
                               { SS_RENEW_NEVER, 0, 0 },
                               1 };
    apr_int64_t expires = ss_lifetime_left(&sealed, &lifetime, SECONDS(NOW));
    apr_int64_t absolute = ss_lifetime_absolute_left(&sealed, &lifetime, SECONDS(NOW));

    ck_assert_msg(expires == lifetimes[_i].expires, "%s: %d", lifetimes[_i].what, (int)expires);
    ck_assert_msg(absolute == lifetimes[_i].absolute_expires, "%s: absolute %d", lifetimes[_i].what,
                  (int)absolute);
}
END_TEST

START_TEST(prints_seconds_as_json)
{
    ck_assert_str_eq(ss_lifetime_print(0, pool), "0");
    ck_assert_str_eq(ss_lifetime_print(APR_INT64_C(253402300799), pool), "253402300799");
    ck_assert_str_eq(ss_lifetime_print(SS_NO_TIME, pool), "null");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lifetime");
    TCase *tcase = unit_case(suite, "lifetime");

    tcase_add_loop_test(tcase, judges_ages, 0, COUNT(ages));
    tcase_add_test(tcase, explains_what_it_judges);
    tcase_add_test(tcase, names_spans_by_two_units);
    tcase_add_test(tcase, judges_extreme_stamps);
    tcase_add_loop_test(tcase, renews_in_time, 0, COUNT(renewals));
    tcase_add_loop_test(tcase, dates_frameworks_cookies_back, 0, COUNT(head_starts));
    tcase_add_loop_test(tcase, stamps_the_next_cookie, 0, COUNT(stamps));
    tcase_add_test(tcase, needs_random_only_for_a_new_id);
    tcase_add_loop_test(tcase, says_how_long_it_lives, 0, COUNT(lifetimes));
    tcase_add_test(tcase, prints_seconds_as_json);
    return unit_run(suite);
}
