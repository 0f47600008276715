/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* The log as a file: how it is made, appended to, compacted and followed. */

#include "tests/unit/unit.h"
#include "tests/unit/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_thread_proc.h>

#include "lib/revocation_follow.h"
#include "lib/revocation_log.h"

#define NOW apr_time_from_sec(1000)
#define PATIENCE apr_time_from_sec(20)

static const unsigned char key[16] = "an unlikely key";

/*
 * A directory, and a log in it
 */

static char *top;
static const char *path;
static ss_revocation_place_t place;
static const char *why;

static void begin(void)
{
    /* in memory, where that can be had: syncing takes the disk's time */
    top = apr_pstrcat(pool, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
                      "/ss_revocation.XXXXXX", NULL);
    ck_assert_ptr_nonnull(mkdtemp(top));
    path = apr_pstrcat(pool, top, "/log", NULL);
    place = (ss_revocation_place_t){ path, getuid(), getgid() };
    why = NULL;
    ck_assert_int_eq(ss_revocation_log_make(&why, &place, pool), APR_SUCCESS);
}

static void end(void)
{
    static const char *const names[] = { "/log", "/log.new", "/other", "/log.old" };

    for (int i = 0; i < COUNT(names); i++) {
        unlink(apr_pstrcat(pool, top, names[i], NULL));
    }
    ck_assert_int_eq(rmdir(top), 0); /* nothing else is left */
}

static void write_file(const char *text, const char *mode)
{
    FILE *file = fopen(path, mode);

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *content(void)
{
    static char text[64 * 1024 * 1024];
    FILE *file = fopen(path, "r");

    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static apr_status_t append(const char *lines)
{
    why = NULL;
    return ss_revocation_log_append(&why, path, ss_bytes_of(lines), NULL, PATIENCE, pool);
}

#define assert_why(part) ck_assert_msg(why != NULL && strstr(why, part) != NULL, "%s", why)
#define assert_content(text) ck_assert_str_eq(content(), SS_REVOCATION_FIRST text)

static apr_status_t check(void)
{
    why = NULL;
    return ss_revocation_log_check(&why, &place, pool);
}

static apr_status_t make(void)
{
    why = NULL;
    return ss_revocation_log_make(&why, &place, pool);
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
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
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

/*
 * Compacted
 */

#define PAST "all 1 999\n"
#define PRESENT "all 2 1000\n"

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

START_TEST(test_killed_appenders_leave_whole_lines)
{
    int status, lines = 0;

    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            for (;;) {
                append("subject somebody.with.a.long.name@example.org 1 2000\n");
            }
        }
        apr_sleep(500 + 211 * i);
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(append(PRESENT), APR_SUCCESS); /* its lock has died with it */
    }
    for (const char *at = content(); *at != '\0'; at = strchr(at, '\n') + 1) {
        lines++;
        ck_assert(strncmp(at, "# ", 2) == 0 || strncmp(at, PRESENT, strlen(PRESENT)) == 0 ||
                  strncmp(at, "subject somebody.with.a.long.name@example.org 1 2000\n", 53) == 0);
    }
    ck_assert_int_gt(lines, 40);
}
END_TEST

/*
 * Followed
 */

static ss_followed_t *log_;

static ss_state_e state_of(const char *subject)
{
    ss_revocable_t session = { NULL, ss_bytes_of(subject), 500, 0 };

    why = NULL;
    return ss_followed_judge(log_, &session, NOW, &why, pool);
}

#define assert_revoked(subject) ck_assert_int_eq(state_of(subject), SS_REVOKED)
#define assert_valid(subject) ck_assert_int_eq(state_of(subject), SS_VALID)
#define assert_unavailable(subject) ck_assert_int_eq(state_of(subject), SS_UNAVAILABLE)

static void begin_to_follow(void)
{
    log_ = ss_revocation_follow(path, key, NOW, pool);
}

#define ALICE "subject alice 500 2000\n"
#define BOB "subject bob 500 2000\n"
#define CAROL "subject carol 500 2000\n"

START_TEST(test_what_is_there_counts_from_the_beginning)
{
    append(ALICE);
    begin_to_follow();
    assert_revoked("alice");
    assert_valid("bob");
}
END_TEST

START_TEST(test_what_is_appended_counts_at_once)
{
    begin_to_follow();
    assert_valid("alice");
    append(ALICE);
    assert_revoked("alice");
    write_file(BOB, "a"); /* by an administrator */
    assert_revoked("bob");
    assert_revoked("alice");
    ck_assert_int_eq(ss_followed_earliest(log_, ss_bytes_of("bob"), NOW, &why, pool), 501);
    ck_assert_int_eq(ss_followed_earliest(log_, ss_bytes_of("carol"), NOW, &why, pool), 0);
    assert_bytes(ss_followed_text(log_, NOW, &why, pool), ss_bytes_of(ALICE BOB), "all of it");
}
END_TEST

START_TEST(test_a_line_that_comes_in_pieces)
{
    const char *line = "subject alice 500 2000\nsubject bob 500 2000";

    begin_to_follow();
    for (const char *at = line; *at != '\0'; at++) {
        const char piece[] = { *at, '\0' };

        write_file(piece, "a");
        assert_valid("carol");
    }
    assert_revoked("alice");
    assert_revoked("bob"); /* an editor may leave the end of the last line out */
    append(CAROL);
    assert_revoked("bob");
    assert_revoked("carol");
    ck_assert_uint_eq(ss_followed_unknown(log_), 0);
}
END_TEST

START_TEST(test_a_new_file_is_read_anew)
{
    append(ALICE);
    begin_to_follow();
    ck_assert_int_eq(rename(path, apr_pstrcat(pool, top, "/log.old", NULL)), 0);
    assert_unavailable("alice");
    assert_why("No such file");
    ck_assert_int_eq(make(), APR_SUCCESS);
    append(BOB);
    assert_valid("alice");
    assert_revoked("bob");
}
END_TEST

/* A file system may give a new file the number of one that was removed. */
START_TEST(test_a_new_file_of_the_same_number)
{
    append(ALICE);
    begin_to_follow();
    for (int i = 0; i < 20; i++) {
        unlink(path);
        ck_assert_int_eq(make(), APR_SUCCESS);
        append(i % 2 == 0 ? BOB BOB : ALICE BOB);
        ck_assert_int_eq(state_of("alice"), i % 2 == 0 ? SS_VALID : SS_REVOKED);
        assert_revoked("bob");
    }
}
END_TEST

START_TEST(test_who_empties_the_log_does_not_forgive)
{
    append(ALICE);
    begin_to_follow();
    ck_assert_int_eq(truncate(path, 0), 0);
    assert_unavailable("alice");
    assert_why("does not begin");
    write_file(BOB, "a");
    assert_unavailable("alice");
    write_file(SS_REVOCATION_FIRST, "w");
    assert_valid("alice");
}
END_TEST

START_TEST(test_a_shorter_file_is_read_anew)
{
    append(ALICE BOB);
    begin_to_follow();
    assert_revoked("bob");
    ck_assert_int_eq(truncate(path, (off_t)(strlen(SS_REVOCATION_FIRST) + strlen(ALICE))), 0);
    assert_revoked("alice");
    assert_valid("bob");
    write_file("subject carol 500 2000", "a"); /* without its end */
    assert_revoked("carol");
    ck_assert_int_eq(truncate(path, (off_t)(strlen(SS_REVOCATION_FIRST) + strlen(ALICE))), 0);
    assert_revoked("alice");
    assert_valid("carol");
}
END_TEST

static const char *const edited[] = { ALICE BOB CAROL, BOB ALICE CAROL, BOB CAROL,
                                      "# a note\n" BOB CAROL, CAROL BOB CAROL BOB };

/* Some editors write a file in its place. */
START_TEST(test_a_file_that_was_edited_is_read_anew)
{
    append(BOB);
    begin_to_follow();
    assert_revoked("bob");
    write_file(apr_pstrcat(pool, SS_REVOCATION_FIRST, edited[_i], NULL), "w");
    assert_revoked("carol");
    assert_revoked("bob");
    ck_assert_int_eq(state_of("alice"),
                     strstr(edited[_i], "alice") != NULL ? SS_REVOKED : SS_VALID);
}
END_TEST

START_TEST(test_a_missing_log_may_come_later)
{
    unlink(path);
    begin_to_follow();
    assert_unavailable("alice");
    ck_assert_int_eq(ss_followed_earliest(log_, ss_bytes_of("alice"), NOW, &why, pool), -1);
    ck_assert_ptr_null(ss_followed_text(log_, NOW, &why, pool).data);
    ck_assert_int_eq(make(), APR_SUCCESS);
    assert_valid("alice");
}
END_TEST

START_TEST(test_a_long_log)
{
    const char *unknown = nested(200000, "x", "", "");

    append(ALICE);
    for (int i = 0; i < 10; i++) {
        append(nested(1000, i % 2 == 0 ? BOB : "subject bobby 500 2000\n", "", ""));
    }
    append(apr_pstrcat(pool, unknown, "\n" CAROL, NULL));
    begin_to_follow();
    assert_revoked("alice");
    assert_revoked("bob");
    assert_revoked("bobby");
    assert_revoked("carol");
    ck_assert_uint_ge(ss_followed_unknown(log_), 1);
    append("subject dave 500 2000\n");
    assert_revoked("dave");
}
END_TEST

START_TEST(test_unknown_lines_are_counted_once)
{
    append("what\n" ALICE);
    begin_to_follow();
    ck_assert_uint_eq(ss_followed_unknown(log_), 1);
    append(BOB "what\n");
    assert_revoked("bob");
    assert_revoked("alice");
    ck_assert_uint_eq(ss_followed_unknown(log_), 2);
}
END_TEST

/*
 * By many threads: what was appended before a question counts in its answer.
 */

#define THREADS 6
#define ROUNDS 150

static apr_uint32_t appended; /* atomic by its one writer: how many are in the log */
static int wrong;

static void *APR_THREAD_FUNC ask(apr_thread_t *thread, void *data)
{
    apr_pool_t *own;

    apr_pool_create_unmanaged_ex(&own, NULL, NULL);
    while (__atomic_load_n(&appended, __ATOMIC_SEQ_CST) < ROUNDS) {
        unsigned last = __atomic_load_n(&appended, __ATOMIC_SEQ_CST);
        const char *text = "?";
        ss_revocable_t session = { NULL, ss_bytes_of(apr_psprintf(own, "user%u", last)), 500, 0 };

        if (ss_followed_judge(log_, &session, NOW, &text, own) !=
            (last == 0 ? SS_VALID : SS_REVOKED)) {
            __atomic_store_n(&wrong, 1, __ATOMIC_SEQ_CST);
        }
        apr_pool_clear(own);
    }
    apr_pool_destroy(own);
    (void)data;
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

START_TEST(test_threads_see_what_was_appended)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;

    begin_to_follow();
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, ask, NULL, pool), APR_SUCCESS);
    }
    for (unsigned i = 1; i <= ROUNDS; i++) {
        ck_assert_int_eq(append(apr_psprintf(pool, "subject user%u 500 2000\n", i)), APR_SUCCESS);
        if (i % 40 == 0) {
            ck_assert_int_eq(ss_revocation_log_compact(&why, &place, NOW, pool), APR_SUCCESS);
        }
        __atomic_store_n(&appended, i, __ATOMIC_SEQ_CST);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

/*
 * The cases
 */

static TCase *case_of(Suite *suite, const char *name)
{
    TCase *tcase = unit_case(suite, name);

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 60);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("revocation_log");
    TCase *made = case_of(suite, "made"), *appending = case_of(suite, "appended"),
          *compacting = case_of(suite, "compacted"), *following = case_of(suite, "followed");

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
    tcase_add_test(appending, test_killed_appenders_leave_whole_lines);

    tcase_add_loop_test(compacting, test_compaction, 0, COUNT(compactions));
    tcase_add_test(compacting, test_what_a_killed_compaction_left_is_in_nobodys_way);
    tcase_add_test(compacting, test_what_cannot_be_compacted_stays);
    tcase_add_test(compacting, test_a_missing_log_is_not_compacted);
    tcase_add_test(compacting, test_compaction_loses_nothing);

    tcase_add_test(following, test_what_is_there_counts_from_the_beginning);
    tcase_add_test(following, test_what_is_appended_counts_at_once);
    tcase_add_test(following, test_a_line_that_comes_in_pieces);
    tcase_add_test(following, test_a_new_file_is_read_anew);
    tcase_add_test(following, test_a_new_file_of_the_same_number);
    tcase_add_test(following, test_who_empties_the_log_does_not_forgive);
    tcase_add_test(following, test_a_shorter_file_is_read_anew);
    tcase_add_loop_test(following, test_a_file_that_was_edited_is_read_anew, 0, COUNT(edited));
    tcase_add_test(following, test_a_missing_log_may_come_later);
    tcase_add_test(following, test_a_long_log);
    tcase_add_test(following, test_unknown_lines_are_counted_once);
    tcase_add_test(following, test_threads_see_what_was_appended);

    return run_as_far_as_may_be(suite, "revocation_log");
}
