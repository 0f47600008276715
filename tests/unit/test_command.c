/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/command.h"

#define ROOM 1000

/* This definition, not APR's, is what the program is linked with. Nobody waits half a minute for a
 * test: the clock may leap at each look. */
static apr_time_t clock_now, clock_leap;

apr_time_t apr_time_now(void)
{
    clock_now += clock_leap;
    return clock_now;
}

static char output[ROOM];

static apr_status_t run(ss_ending_t *ending, const char *line)
{
    const ss_command_t command = { line, apr_time_from_sec(30), output, ROOM };
    apr_status_t rv = ss_command_run(ending, &command, pool);

    /* reaped: there is no child left, not even a dead one */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    return rv;
}

/* clang-format off */
static const struct {
    const char *what, *line, *want;
} lines[] = {
    { "words",                            "printf %s%s a b",                            "ab" },
    { "words in quotes",                  "printf '%s %s' \"a b\" 'c'",                 "a b c" },
    { "a shell only where one is named",  "printf %s $HOME|x",                          "$HOME|x" },
    { "nothing to read from",             "sh -c 'cat; printf end'",                    "end" },
    { "our environment",                  "sh -c 'printf %s $SS_TEST'",                 "from-us" },
    { "an absolute path",                 "/bin/echo a",                                "a\n" },
    { "no output",                        "true",                                       "" },
    { "output in pieces",                 "sh -c 'printf ab; sleep 0.2; printf cd'",    "abcd" },
    { "an output that is closed early",   "sh -c 'printf a; exec >&-; sleep 0.05'",     "a" },
};

static const struct {
    const char *line;
    int code, by_signal;
} endings[] = {
    { "sh -c 'echo a; exit 3'",     3,       0 },
    { "false",                      1,       0 },
    { "sh -c 'kill -KILL $$'",      SIGKILL, 1 },
    { "sh -c 'kill -TERM $$'",      SIGTERM, 1 },
};

static const char *const slow[] = {
    "sleep 60",                                      /* says nothing */
    "sh -c 'while :; do echo; sleep 1; done'",       /* never stops talking */
    "sh -c 'echo a; exec >&-; exec sleep 60'",       /* has said it all, and stays */
};
/* clang-format on */

static void setup(void)
{
    unit_setup();
    clock_now = apr_time_from_sec(1700000000);
    clock_leap = apr_time_from_msec(1);
    setenv("SS_TEST", "from-us", 1);
}

START_TEST(gives_what_a_program_writes)
{
    ss_ending_t ending;

    ck_assert_int_eq(run(&ending, lines[_i].line), APR_SUCCESS);
    ck_assert_int_eq(ending.code, 0);
    ck_assert_int_eq(ending.by_signal, 0);
    assert_bytes(ss_bytes(output, ending.len), ss_bytes_of(lines[_i].want), lines[_i].what);
}
END_TEST

START_TEST(says_how_a_program_ended)
{
    ss_ending_t ending;

    ck_assert_int_eq(run(&ending, endings[_i].line), APR_SUCCESS);
    ck_assert_int_eq(ending.code, endings[_i].code);
    ck_assert_int_eq(ending.by_signal, endings[_i].by_signal);
}
END_TEST

START_TEST(ends_a_program_that_takes_too_long)
{
    ss_ending_t ending;

    clock_leap = apr_time_from_sec(10);
    ck_assert_int_eq(run(&ending, slow[_i]), APR_TIMEUP);
    ck_assert_int_eq(ending.code, 0);
}
END_TEST

START_TEST(ends_a_program_that_fills_the_room)
{
    ss_ending_t ending;

    ck_assert_int_eq(run(&ending, "sh -c 'while :; do echo a; done'"), APR_SUCCESS);
    ck_assert_uint_eq(ending.len, ROOM);
    ck_assert_int_eq(ending.code, 0);
    ck_assert_int_eq(ending.by_signal, 0);
}
END_TEST

START_TEST(says_why_there_is_no_such_program)
{
    ss_ending_t ending;

    ck_assert(APR_STATUS_IS_ENOENT(run(&ending, "/nonexistent/program")));
    ck_assert_uint_eq(ending.len, 0);
    ck_assert_int_eq(ending.code, 0);

    /* only the child finds that out when it looks on PATH */
    ck_assert_int_eq(run(&ending, "ss-no-such-program"), APR_SUCCESS);
    ck_assert_int_ne(ending.code, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command");
    TCase *tcase = tcase_create("run");

    tcase_add_checked_fixture(tcase, setup, unit_teardown);
    tcase_set_timeout(tcase, 20);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, gives_what_a_program_writes, 0, COUNT(lines));
    tcase_add_loop_test(tcase, says_how_a_program_ended, 0, COUNT(endings));
    tcase_add_loop_test(tcase, ends_a_program_that_takes_too_long, 0, COUNT(slow));
    tcase_add_test(tcase, ends_a_program_that_fills_the_room);
    tcase_add_test(tcase, says_why_there_is_no_such_program);
    return unit_run(suite);
}
