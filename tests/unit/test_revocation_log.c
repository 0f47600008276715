/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* The log as a file: how it is made, appended to and compacted. How it is followed is tested in
 * test_revocation_follow.c. */

#include "tests/unit/log_file.h"
#include "tests/unit/root.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *content(void)
{
    static char text[64 * 1024 * 1024];
    FILE *file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

#define assert_content(text) ck_assert_str_eq(content(), SS_REVOCATION_FIRST text)

#define PAST "all 1 999\n"
#define PRESENT "all 2 1000\n"

static apr_status_t check(void)
{
    why = NULL;
    return ss_revocation_log_check(&why, &place, pool);
}

/*
 * Made
 */

START_TEST(test_a_start_makes_the_log)
{
    struct stat info;

    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & 07777, 0600);
    assert_content("");
    ck_assert_int_eq(append("all 1 2\n"), APR_SUCCESS);
    ck_assert_int_eq(make(), APR_SUCCESS);
    assert_content("all 1 2\n");
}
END_TEST

START_TEST(test_a_check_makes_nothing)
{
    struct stat info;

    unlink(path);
    ck_assert_int_eq(check(), APR_SUCCESS);
    ck_assert_int_ne(stat(path, &info), 0);
    write_file("", "w");
    chmod(path, 0600);
    ck_assert_int_eq(check(), APR_SUCCESS);
    ck_assert_str_eq(content(), "");
}
END_TEST

START_TEST(test_an_empty_file_becomes_a_log)
{
    write_file("", "w");
    ck_assert_int_eq(make(), APR_SUCCESS);
    assert_content("");
}
END_TEST

START_TEST(test_what_is_no_log_is_left_alone)
{
    write_file("root:x:0:0\n", "w");
    ck_assert_int_ne(check(), APR_SUCCESS);
    assert_why("does not begin as a revocation log does");
    ck_assert_int_ne(make(), APR_SUCCESS);
    ck_assert_int_ne(append("all 1 2\n"), APR_SUCCESS);
    assert_why("does not begin as a revocation log does");
    ck_assert_int_ne(ss_revocation_log_compact(&why, &place, NOW, pool), APR_SUCCESS);
    ck_assert_str_eq(content(), "root:x:0:0\n");
}
END_TEST

static const struct {
    mode_t mode;
    const char *why;
} modes[] = {
    { 0644, "mode 0644" }, { 0640, "chmod 0600" }, { 0602, "mode 0602" },
    { 0400, "mode 0400" }, { 0700, "mode 0700" },
};

START_TEST(test_a_log_that_is_not_httpds_alone_is_refused)
{
    ck_assert_int_eq(chmod(path, modes[_i].mode), 0);
    ck_assert_int_ne(check(), APR_SUCCESS);
    assert_why(modes[_i].why);
    ck_assert_int_ne(make(), APR_SUCCESS);
}
END_TEST

START_TEST(test_a_log_of_another_user_is_refused)
{
    place.uid++;
    ck_assert_int_ne(check(), APR_SUCCESS);
    assert_why("chown");
}
END_TEST

START_TEST(test_what_is_no_file_is_refused)
{
    place.path = top;
    ck_assert_int_ne(check(), APR_SUCCESS);
    assert_why("is no plain file");
    place.path = apr_pstrcat(pool, path, "/below", NULL);
    ck_assert_int_ne(check(), APR_SUCCESS);
    assert_why("Not a directory");
    place.path = apr_pstrcat(pool, top, "/missing/log", NULL);
    ck_assert_int_eq(check(), APR_SUCCESS);
    ck_assert_int_ne(make(), APR_SUCCESS);
    assert_why("cannot make");
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_ne(append("all 1 2\n"), APR_SUCCESS);
    assert_why("is no plain file");
}
END_TEST

#define STARTS 12

START_TEST(test_starts_at_the_same_moment_make_one_log)
{
    int status, ends[2];
    char byte;

    for (int round = 0; round < 20; round++) {
        pid_t pids[STARTS];

        unlink(path);
        ck_assert_int_eq(pipe(ends), 0);
        for (int i = 0; i < STARTS; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                /* none goes on before the other end is closed */
                close(ends[1]);
                (void)!read(ends[0], &byte, 1);
                _exit(make() != APR_SUCCESS || append("all 1 2\n") != APR_SUCCESS);
            }
        }
        close(ends[1]);
        for (int i = 0; i < STARTS; i++) {
            ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
            ck_assert_int_eq(status, 0);
        }
        close(ends[0]);
        ck_assert_uint_eq(strlen(content()),
                          strlen(SS_REVOCATION_FIRST) + STARTS * strlen("all 1 2\n"));
    }
}
END_TEST

/* As root only. */
START_TEST(test_root_hands_the_log_over)
{
    struct stat info;

    unlink(path);
    place.uid = 65534;
    place.gid = 65533;
    ck_assert_int_eq(make(), APR_SUCCESS);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_uid, 65534);
    ck_assert_uint_eq(info.st_gid, 65533);
    ck_assert_int_eq(info.st_mode & 07777, 0600);
    ck_assert_int_eq(append("all 1 2\n"), APR_SUCCESS);
    ck_assert_int_eq(ss_revocation_log_compact(&why, &place, NOW, pool), APR_SUCCESS);
    assert_content("");
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_uint_eq(info.st_uid, 65534);
    ck_assert_int_eq(info.st_mode & 07777, 0600);
}
END_TEST

/*
 * Appended to
 */

START_TEST(test_lines_are_appended)
{
    ck_assert_int_eq(append("all 1 2\n"), APR_SUCCESS);
    ck_assert_int_eq(append("all 3 4\nall 5 6\n"), APR_SUCCESS);
    assert_content("all 1 2\nall 3 4\nall 5 6\n");
}
END_TEST

START_TEST(test_a_line_begins_on_a_line_of_its_own)
{
    write_file("all 1 2", "a");
    ck_assert_int_eq(append("all 3 4\n"), APR_SUCCESS);
    assert_content("all 1 2\nall 3 4\n");
}
END_TEST

START_TEST(test_a_missing_log_is_not_made)
{
    struct stat info;

    unlink(path);
    ck_assert_int_eq(append("all 1 2\n"), APR_ENOENT);
    assert_why("cannot open");
    ck_assert_int_ne(stat(path, &info), 0);
    write_file("", "w"); /* as what rotates logs leaves it */
    ck_assert_int_ne(append("all 1 2\n"), APR_SUCCESS);
    assert_why("does not begin");
}
END_TEST

/* Says no to everything, and looks whether the file is locked. */
static apr_status_t say_no(void *asked, const char **reason, apr_pool_t *p)
{
    int fd = open(path, O_RDWR);

    (void)p;
    ++*(int *)asked;
    ck_assert_int_ne(flock(fd, LOCK_EX | LOCK_NB), 0);
    close(fd);
    *reason = "no";
    return APR_EEXIST;
}

START_TEST(test_a_guard_is_asked_while_nobody_can_append)
{
    int asked = 0;
    const ss_append_guard_t guard = { say_no, &asked };

    ck_assert_int_eq(
        ss_revocation_log_append(&why, path, ss_bytes_of("all 1 2\n"), &guard, PATIENCE, pool),
        APR_EEXIST);
    ck_assert_int_eq(asked, 1);
    assert_why("no");
    assert_content("");
}
END_TEST

START_TEST(test_a_lock_is_waited_for_and_not_for_ever)
{
    int fd = open(path, O_RDWR);
    apr_time_t started = apr_time_now();

    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(ss_revocation_log_append(&why, path, ss_bytes_of("all 1 2\n"), NULL,
                                              apr_time_from_msec(100), pool),
                     APR_TIMEUP);
    assert_why("for too long");
    ck_assert(apr_time_now() - started >= apr_time_from_msec(100));
    ck_assert(apr_time_now() - started < apr_time_from_sec(5));
    assert_content("");
    close(fd);
}
END_TEST

START_TEST(test_who_waited_appends_to_the_new_file)
{
    int fd = open(path, O_RDWR), status;
    pid_t pid;

    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    pid = fork();
    if (pid == 0) {
        close(fd); /* not to hold the lock as well */
        _exit(append("all 1 2\n") != APR_SUCCESS);
    }
    apr_sleep(apr_time_from_msec(50));
    ck_assert_int_eq(rename(path, apr_pstrcat(pool, top, "/log.old", NULL)), 0);
    ck_assert_int_eq(make(), APR_SUCCESS);
    close(fd);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    assert_content("all 1 2\n");
}
END_TEST

START_TEST(test_a_full_log_is_full)
{
    ck_assert_int_eq(truncate(path, SS_REVOCATION_LOG_MAX - 8), 0);
    ck_assert_int_eq(append("all 1 2\n"), APR_ENOSPC);
    assert_why("more than 134217728 bytes");
}
END_TEST

/* As root only: a file system of 64 KB, which nobody else sees. */
START_TEST(test_a_full_disk_is_full)
{
    const char *lines = nested(2000, "all 1000 2000\n", "", "");
    struct stat info;
    apr_status_t rv;

    unlink(path);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", top, "tmpfs", 0, "size=64k") != 0) {
        puts("revocation_log: no file system can be mounted: a full disk was not tried");
        return;
    }
    ck_assert_int_eq(make(), APR_SUCCESS);
    while ((rv = append(lines)) == APR_SUCCESS) {
    }
    ck_assert_int_eq(rv, APR_ENOSPC);
    ck_assert_int_eq(stat(path, &info), 0);
    /* nothing of what did not fit is left */
    ck_assert_uint_eq((apr_size_t)info.st_size % strlen(lines), strlen(SS_REVOCATION_FIRST));
    ck_assert_int_eq(umount2(top, MNT_DETACH), 0);
}
END_TEST

#define CUT_OFF "subject somebody.with.a.long.name@example.org 1 2000\n"

/* Is this the beginning of the line, and all that stands there? */
static int is_cut_off(const char *at)
{
    apr_size_t len = strcspn(at, "\n");

    return len < strlen(CUT_OFF) - 1 && strncmp(at, CUT_OFF, len) == 0;
}

static int is_line(const char *at, const char *line)
{
    return strncmp(at, line, strlen(line)) == 0;
}

/* A kernel looks for signals between the pages of one write, so of the line that somebody is killed
 * over its beginning may be left: never acknowledged, and on a line of its own. */
START_TEST(test_killed_appenders_spoil_no_line_but_their_own)
{
    int status, lines = 0;

    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            for (;;) {
                append(CUT_OFF);
            }
        }
        apr_sleep(500 + 211 * i);
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(append(PRESENT), APR_SUCCESS); /* its lock has died with it */
    }
    for (const char *at = content(); *at != '\0'; at = strchr(at, '\n') + 1) {
        lines++;
        ck_assert(is_line(at, "# ") || is_line(at, PRESENT) || is_line(at, CUT_OFF) ||
                  (is_cut_off(at) && is_line(strchr(at, '\n') + 1, PRESENT)));
    }
    ck_assert_int_gt(lines, 40);
}
END_TEST

/*
 * Compacted
 */

static const struct {
    const char *what, *before, *after;
} compactions[] = {
    { "nothing is there", "", "" },
    { "all holds", PRESENT PRESENT, PRESENT PRESENT },
    { "half is past", PRESENT PAST PAST PRESENT, PRESENT PAST PAST PRESENT },
    { "more than half is past", PAST PRESENT PAST "subject a 1 999\nid x\n", PRESENT "id x\n" },
    { "all is past", PAST PAST, "" },
    { "comments and unknown lines stay", "# a note\n" PAST "what\n\n" PAST, "# a note\nwhat\n\n" },
    { "a line without its end may go on", PAST PAST "all 1 99", "all 1 99" },
};

START_TEST(test_compaction)
{
    write_file(compactions[_i].before, "a");
    ck_assert_int_eq(ss_revocation_log_compact(&why, &place, NOW, pool), APR_SUCCESS);
    ck_assert_str_eq(content(),
                     apr_pstrcat(pool, SS_REVOCATION_FIRST, compactions[_i].after, NULL));
}
END_TEST

START_TEST(test_what_a_killed_compaction_left_is_in_nobodys_way)
{
    write_file(PAST, "a");
    ck_assert_int_eq(symlink(path, apr_pstrcat(pool, top, "/log.new", NULL)), 0);
    ck_assert_int_eq(ss_revocation_log_compact(&why, &place, NOW, pool), APR_SUCCESS);
    assert_content("");
}
END_TEST

START_TEST(test_what_cannot_be_compacted_stays)
{
    const char *name = apr_pstrcat(pool, top, "/log.new", NULL);

    write_file(PAST, "a");
    ck_assert_int_eq(mkdir(name, 0700), 0);
    ck_assert_int_ne(ss_revocation_log_compact(&why, &place, NOW, pool), APR_SUCCESS);
    assert_why("cannot compact");
    assert_content(PAST);
    ck_assert_int_eq(rmdir(name), 0);
}
END_TEST

START_TEST(test_a_missing_log_is_not_compacted)
{
    unlink(path);
    ck_assert_int_eq(ss_revocation_log_compact(&why, &place, NOW, pool), APR_ENOENT);
}
END_TEST

#define WRITERS 4
#define APPENDED 60

static void append_and_exit(int writer)
{
    for (int i = 0; i < APPENDED; i++) {
        if (append(apr_psprintf(pool, "subject w%d.%d 1 2000\n" PAST PAST, writer, i)) !=
            APR_SUCCESS) {
            _exit(1);
        }
    }
    _exit(0);
}

/* Others append all the time; what they were told to be in the log is there in the end. */
START_TEST(test_compaction_loses_nothing)
{
    const char *text;
    int status, done = 0;
    pid_t pids[WRITERS];

    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            append_and_exit(i);
        }
    }
    while (done < WRITERS) {
        ck_assert_int_eq(ss_revocation_log_compact(&why, &place, NOW, pool), APR_SUCCESS);
        if (waitpid(-1, &status, WNOHANG) > 0) {
            ck_assert_int_eq(status, 0);
            done++;
        }
    }
    ck_assert_int_eq(ss_revocation_log_compact(&why, &place, NOW, pool), APR_SUCCESS);
    text = content();
    ck_assert_ptr_null(strstr(text, PAST PAST PAST));
    for (int i = 0; i < WRITERS * APPENDED; i++) {
        const char *line =
            apr_psprintf(pool, "\nsubject w%d.%d 1 2000\n", i / APPENDED, i % APPENDED);

        ck_assert_msg(strstr(text, line) != NULL, "%s", line);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("revocation_log");
    TCase *made = case_of(suite, "made"), *appending = case_of(suite, "appended"),
          *compacting = case_of(suite, "compacted");

    tcase_add_test(made, test_a_start_makes_the_log);
    tcase_add_test(made, test_a_check_makes_nothing);
    tcase_add_test(made, test_an_empty_file_becomes_a_log);
    tcase_add_test(made, test_what_is_no_log_is_left_alone);
    tcase_add_loop_test(made, test_a_log_that_is_not_httpds_alone_is_refused, 0, COUNT(modes));
    tcase_add_test(made, test_a_log_of_another_user_is_refused);
    tcase_add_test(made, test_what_is_no_file_is_refused);
    tcase_add_test(made, test_starts_at_the_same_moment_make_one_log);
    add_as_root(made, test_root_hands_the_log_over);

    tcase_add_test(appending, test_lines_are_appended);
    tcase_add_test(appending, test_a_line_begins_on_a_line_of_its_own);
    tcase_add_test(appending, test_a_missing_log_is_not_made);
    tcase_add_test(appending, test_a_lock_is_waited_for_and_not_for_ever);
    tcase_add_test(appending, test_a_guard_is_asked_while_nobody_can_append);
    tcase_add_test(appending, test_who_waited_appends_to_the_new_file);
    tcase_add_test(appending, test_a_full_log_is_full);
    add_as_root(appending, test_a_full_disk_is_full);
    tcase_add_test(appending, test_killed_appenders_spoil_no_line_but_their_own);

    tcase_add_loop_test(compacting, test_compaction, 0, COUNT(compactions));
    tcase_add_test(compacting, test_what_a_killed_compaction_left_is_in_nobodys_way);
    tcase_add_test(compacting, test_what_cannot_be_compacted_stays);
    tcase_add_test(compacting, test_a_missing_log_is_not_compacted);
    tcase_add_test(compacting, test_compaction_loses_nothing);

    return run_as_far_as_may_be(suite, "revocation_log");
}
