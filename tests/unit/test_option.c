/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/option.h"

#define REFUSED ((apr_int64_t)-2)
#define DAYS(count) ((count)*APR_INT64_C(24 * 60 * 60))

/* clang-format off */
static const struct {
    const char *text;
    apr_int64_t seconds; /* or REFUSED */
} durations[] = {
    { "0",             0 },
    { "90",            90 },
    { "90s",           90 },
    { "15min",         15 * 60 },
    { "12h",           12 * 60 * 60 },
    { "14d",           DAYS(14) },
    { "2w",            DAYS(14) },
    { "0w",            0 },
    { "007",           7 },
    /* 100 years, and what is more */
    { "3153600000",    DAYS(36500) },
    { "3153600001",    REFUSED },
    { "52560000min",   DAYS(36500) },
    { "52560001min",   REFUSED },
    { "876000h",       DAYS(36500) },
    { "876001h",       REFUSED },
    { "36500d",        DAYS(36500) },
    { "36501d",        REFUSED },
    { "5214w",         DAYS(36498) },
    { "5215w",         REFUSED },
    { "18446744073709551616",   REFUSED }, /* 2^64 */
    { "99999999999999999999999", REFUSED },
    /* everything else */
    { "",              REFUSED },
    { "s",             REFUSED },
    { "-1",            REFUSED },
    { "+1",            REFUSED },
    { " 1",            REFUSED },
    { "1 ",            REFUSED },
    { "1 h",           REFUSED },
    { "1.5h",          REFUSED },
    { "1,5h",          REFUSED },
    { "0x10",          REFUSED },
    { "1e3",           REFUSED },
    { "1m",            REFUSED },
    { "1ms",           REFUSED },
    { "1y",            REFUSED },
    { "1H",            REFUSED },
    { "1mins",         REFUSED },
    { "1h30min",       REFUSED },
    { "10%",           REFUSED },
    { "none",          REFUSED },
};

static const struct {
    const char *text;
    apr_int64_t timeout; /* microseconds, SS_FOREVER, or REFUSED */
} timeouts[] = {
    { "none",   SS_FOREVER },
    { "None",   SS_FOREVER },
    { "1",      APR_TIME_C(1000000) },
    { "14d",    APR_TIME_C(1209600000000) },
    { "36500d", APR_TIME_C(3153600000000000) },
    { "0",      REFUSED },
    { "0d",     REFUSED },
    { "nonesuch", REFUSED },
    { "never",  REFUSED },
    { "",       REFUSED },
    { "-1",     REFUSED },
};

static const struct {
    const char *text;
    int accepted;
    ss_renew_t want;
} renewals[] = {
    { "0%",     1, { SS_RENEW_PERCENT, 0, 0 } },
    { "10%",    1, { SS_RENEW_PERCENT, 10, 0 } },
    { "100%",   1, { SS_RENEW_PERCENT, 100, 0 } },
    { "0",      1, { SS_RENEW_AFTER, 0, 0 } },
    { "100",    1, { SS_RENEW_AFTER, 0, APR_TIME_C(100000000) } },
    { "101",    1, { SS_RENEW_AFTER, 0, APR_TIME_C(101000000) } },
    { "15min",  1, { SS_RENEW_AFTER, 0, APR_TIME_C(900000000) } },
    { "always", 1, { SS_RENEW_ALWAYS, 0, 0 } },
    { "Never",  1, { SS_RENEW_NEVER, 0, 0 } },
    { "101%",   0, { SS_RENEW_PERCENT, 0, 0 } },
    { "4294967306%", 0, { SS_RENEW_PERCENT, 0, 0 } },
    { "-1%",    0, { SS_RENEW_PERCENT, 0, 0 } },
    { "1.5%",   0, { SS_RENEW_PERCENT, 0, 0 } },
    { "%",      0, { SS_RENEW_PERCENT, 0, 0 } },
    { "10 %",   0, { SS_RENEW_PERCENT, 0, 0 } },
    { "10%%",   0, { SS_RENEW_PERCENT, 0, 0 } },
    { "none",   0, { SS_RENEW_PERCENT, 0, 0 } },
    { "",       0, { SS_RENEW_PERCENT, 0, 0 } },
};

static const struct {
    const char *text;
    apr_size_t size; /* 0: refused */
} sizes[] = {
    { "1",     1 },
    { "4095",  4095 },
    { "4096",  4096 },
    { "4097",  0 },
    { "0",     0 },
    { "",      0 },
    { "-1",    0 },
    { "4k",    0 },
    { "1 ",    0 },
    { "99999999999999999999999", 0 },
};

static const struct {
    const char *text;
    int is_token;
} tokens[] = {
    { "X-Session",        1 },
    { "x",                1 },
    { "!#$%&'*+-.^_`|~",  1 },
    { "0123456789",       1 },
    { "",                 0 },
    { "X Session",        0 },
    { "X-Session:",       0 },
    { "X-Session ",       0 },
    { "X-Session\r\nA",   0 },
    { "X/Session",        0 },
    { "\"X\"",            0 },
    { "X\x7f",            0 },
    { "X\xc3\xa9",        0 },
};

static const struct {
    const char *name;
    int is_taken;
} headers[] = {
    { "Host",             1 },
    { "hOST",             1 },
    { "Set-Cookie",       1 },
    { "Set_Cookie",       1 },
    { "set.cookie",       1 },
    { "Accept",           1 },
    { "Accept-Language",  1 },
    { "If",               1 },
    { "If-Anything",      1 },
    { "Content-Session",  1 },
    { "content",          1 },
    { "X-Session",        0 },
    { "Hos",              0 },
    { "Hosts",            0 },
    { "X-Host",           0 },
    { "Accepted",         0 },
    { "Iff",              0 },
    { "Set-Cookie-",      0 },
    { "I",                0 },
    { "",                 0 },
};
/* clang-format on */

/* NULL, or a text that says so. */
static void assert_judged(const char *accepted, int refused, const char *text)
{
    ck_assert_msg((accepted != NULL) == refused, "\"%s\"", text);
    ck_assert_msg(accepted == NULL || *accepted != '\0', "\"%s\"", text);
}

START_TEST(reads_durations)
{
    apr_interval_time_t duration = 0;
    const char *accepted = ss_option_duration(
        &duration, exact(durations[_i].text, strlen(durations[_i].text) + 1).data);

    assert_judged(accepted, durations[_i].seconds == REFUSED, durations[_i].text);
    if (accepted == NULL) {
        ck_assert_int_eq(duration, apr_time_from_sec(durations[_i].seconds));
    }
}
END_TEST

START_TEST(reads_timeouts)
{
    apr_interval_time_t timeout = 0;
    const char *accepted = ss_option_timeout(&timeout, timeouts[_i].text);

    assert_judged(accepted, timeouts[_i].timeout == REFUSED, timeouts[_i].text);
    if (accepted == NULL) {
        ck_assert_int_eq(timeout, timeouts[_i].timeout);
    }
}
END_TEST

START_TEST(reads_renewals)
{
    ss_renew_t renew;
    const char *accepted = ss_option_renew(&renew, renewals[_i].text);

    assert_judged(accepted, !renewals[_i].accepted, renewals[_i].text);
    if (accepted == NULL) {
        ck_assert_int_eq(renew.kind, renewals[_i].want.kind);
        ck_assert_int_eq(renew.percent, renewals[_i].want.percent);
        ck_assert_int_eq(renew.after, renewals[_i].want.after);
    }
}
END_TEST

START_TEST(reads_sizes)
{
    apr_size_t size = 0;

    assert_judged(ss_option_size(&size, sizes[_i].text), sizes[_i].size == 0, sizes[_i].text);
    ck_assert_uint_eq(size, sizes[_i].size);
}
END_TEST

START_TEST(knows_tokens)
{
    ck_assert_msg(ss_option_is_token(tokens[_i].text) == tokens[_i].is_token, "\"%s\"",
                  tokens[_i].text);
}
END_TEST

START_TEST(knows_headers_that_are_taken)
{
    ck_assert_msg(ss_option_is_taken(headers[_i].name) == headers[_i].is_taken, "\"%s\"",
                  headers[_i].name);
}
END_TEST

/* A wrong word is answered with what would be right. */
START_TEST(says_what_is_accepted)
{
    apr_interval_time_t time;
    ss_renew_t renew;
    apr_size_t size;

    ck_assert_ptr_nonnull(strstr(ss_option_duration(&time, "x"), "15min"));
    ck_assert_ptr_nonnull(strstr(ss_option_timeout(&time, "x"), "none"));
    ck_assert_ptr_nonnull(strstr(ss_option_renew(&renew, "x"), "always or never"));
    ck_assert_str_eq(ss_option_size(&size, "x"), "a number of bytes from 1 to 4096");
}
END_TEST

/* clang-format off */
static const struct {
    const char *word, *want;
} words[] = {
    { "On", "On" }, { "", "" }, { "/session-bind", "/session-bind" }, { "%{session:a/b}", "%{session:a/b}" },
    { "env:NAME", "env:NAME" }, { "file:shop.keys", "file:shop.keys" }, { "file:/etc/shop/a.keys", "file:a.keys" },
    { "file:/var/sessions/", "file:" }, { "exec:/usr/bin/vault --token=x /a/b", "exec:vault" }, { "exec:vault x", "exec:vault" },
    { "redis://10.0.0.1:6379/2", "redis://10.0.0.1:6379/2" }, { "x://alice:secret@host/1?a=b@c", "x://host/1?a=b@c" },
    { "https://host/a@b", "https://host/a@b" }, { "redis+unix:/run/redis.sock", "redis+unix:redis.sock" },
};
/* clang-format on */

START_TEST(shows_what_is_for_everybody)
{
    for (int i = 0; i < COUNT(words); i++) {
        ck_assert_str_eq(ss_option_public(words[i].word, pool), words[i].want);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("option");
    TCase *tcase = unit_case(suite, "words");

    tcase_add_loop_test(tcase, reads_durations, 0, COUNT(durations));
    tcase_add_loop_test(tcase, reads_timeouts, 0, COUNT(timeouts));
    tcase_add_loop_test(tcase, reads_renewals, 0, COUNT(renewals));
    tcase_add_loop_test(tcase, reads_sizes, 0, COUNT(sizes));
    tcase_add_loop_test(tcase, knows_tokens, 0, COUNT(tokens));
    tcase_add_loop_test(tcase, knows_headers_that_are_taken, 0, COUNT(headers));
    tcase_add_test(tcase, says_what_is_accepted);
    tcase_add_test(tcase, shows_what_is_for_everybody);

    return unit_run(suite);
}
