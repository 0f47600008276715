/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* The directory of the store `file`: how it is named, judged and made, and who may work in it. */

#include "tests/unit/store_file.h"
#include "tests/unit/root.h"

#include <sys/wait.h>

START_TEST(test_a_start_makes_the_directory)
{
    struct stat info;

    ck_assert_int_eq(stat(in_top("sessions"), &info), 0);
    ck_assert_int_eq(info.st_mode & 07777, 0700);
    ck_assert_uint_eq(info.st_uid, place.uid);
    ck_assert_ptr_null(ss_store_file.prepare(store, pool));
}
END_TEST

START_TEST(test_a_configuration_makes_nothing)
{
    place.words = "other";
    ck_assert_ptr_null(configure());
    ck_assert(!exists(in_top("other")));
}
END_TEST

START_TEST(test_words_name_the_directory)
{
    const struct {
        const char *words, *dir;
    } rows[] = {
        { "relative", in_top("root/relative") },
        { "slash///", in_top("root/slash") },
        { in_top("absolute"), in_top("absolute") },
        { "", in_top("sessions") },
    };

    mkdir(in_top("root"), 0700);
    place.server_root = in_top("root");
    for (int i = 0; i < COUNT(rows); i++) {
        place.words = rows[i].words;
        begin_child();
        ck_assert_ptr_null(ss_store_file.prepare(store, pool));
        ck_assert_msg(exists(rows[i].dir), "%s", rows[i].dir);
        assert_saved(id_in(1, 1), 100, LONG);
        ck_assert_msg(exists(apr_pstrcat(pool, rows[i].dir, "/01", NULL)), "%s", rows[i].dir);
    }
}
END_TEST

static const struct {
    mode_t mode;
    const char *why; /* NULL: fit */
} modes[] = {
    { 0700, NULL },        { 02700, NULL },       { 0755, "mode 0755" }, { 0750, "chmod 0700" },
    { 0701, "mode 0701" }, { 0720, "mode 0720" }, { 0500, "mode 0500" }, { 0000, "mode 0000" },
};

START_TEST(test_a_directory_that_is_not_httpds_alone_is_refused)
{
    ck_assert_int_eq(chmod(in_top("sessions"), modes[_i].mode), 0);
    why = configure();
    if (modes[_i].why == NULL) {
        ck_assert_ptr_null(why);
    }
    else {
        assert_why(modes[_i].why);
        assert_why(in_top("sessions"));
        ck_assert_ptr_nonnull(ss_store_file.prepare(store, pool));
    }
    chmod(in_top("sessions"), 0700);
}
END_TEST

START_TEST(test_a_directory_of_another_user_is_refused)
{
    place.uid++;
    why = configure();
    assert_why("chown");
    assert_why(apr_psprintf(pool, "user id %ld,", (long)getuid()));
    assert_why(apr_psprintf(pool, "is %ld:", (long)getuid() + 1));
}
END_TEST

START_TEST(test_what_is_no_directory_is_refused)
{
    write_file(in_top("plain"), "");
    place.words = "plain";
    why = configure();
    assert_why("is not a directory");
    place.words = "plain/below";
    why = configure();
    assert_why("Not a directory");
    place.words = apr_pstrcat(pool, "/", nested(1100, "x", "", ""), NULL);
    why = configure();
    assert_why("more than 1000 bytes");
}
END_TEST

START_TEST(test_a_directory_that_cannot_be_made_is_told_of)
{
    place.words = "missing/sessions";
    ck_assert_ptr_null(configure());
    why = ss_store_file.prepare(store, pool);
    assert_why("cannot make");
    assert_why("No such file or directory");
}
END_TEST

/* How many there are in the top directory whose name begins so. */
static int beside(const char *beginning)
{
    DIR *dir = opendir(top);
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        count += strncmp(entry->d_name, beginning, strlen(beginning)) == 0;
    }
    closedir(dir);
    return count;
}

#define STARTS 12

/* Processes that wait for each other: none goes on before the other end is closed. */
static void wait_for_all(const int *ends)
{
    char byte;

    close(ends[1]);
    (void)!read(ends[0], &byte, 1);
}

START_TEST(test_starts_at_the_same_moment_take_one_directory)
{
    int status, ends[2];

    for (int round = 0; round < 20; round++) {
        pid_t pids[STARTS];

        place.words = apr_psprintf(pool, "round%d", round);
        begin_child();
        ck_assert_int_eq(pipe(ends), 0);
        for (int i = 0; i < STARTS; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                wait_for_all(ends);
                why = ss_store_file.prepare(store, pool);
                _exit(why != NULL || save(id_in(9, (unsigned)i), nothing, record(1, 100)) !=
                                         SIGNED_SESSION_STORE_SAVED);
            }
        }
        close(ends[1]);
        for (int i = 0; i < STARTS; i++) {
            ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
            ck_assert_int_eq(status, 0);
        }
        close(ends[0]);
        for (int i = 0; i < STARTS; i++) {
            ck_assert_int_eq(load(id_in(9, (unsigned)i)), SIGNED_SESSION_STORE_FOUND);
        }
        ck_assert_int_eq(beside("round"), round + 1);
    }
}
END_TEST

/* Two containers give the same number to their processes: no start takes away what another one
 * makes. */
START_TEST(test_a_start_touches_nothing_but_its_own)
{
    place.words = "again";
    begin_child();
    ck_assert_int_eq(mkdir(in_top("again.%ld", (long)getpid()), 0755), 0);
    ck_assert_int_eq(symlink("/", in_top("again.XXXXXX")), 0);
    ck_assert_ptr_null(ss_store_file.prepare(store, pool));
    ck_assert(exists(in_top("again.%ld", (long)getpid())));
    ck_assert_int_eq(beside("again"), 3);
}
END_TEST

/* As root only: the directory is handed over to whom children run as, who then works in it. */
START_TEST(test_root_hands_the_directory_over)
{
    struct stat info;
    pid_t pid;
    int status;

    ck_assert_int_eq(chmod(top, 0755), 0);
    place.words = "theirs";
    place.uid = 65534;
    place.gid = 65534;
    begin_child();
    ck_assert_ptr_null(ss_store_file.prepare(store, pool));
    ck_assert_int_eq(stat(in_top("theirs"), &info), 0);
    ck_assert_uint_eq(info.st_uid, 65534);
    ck_assert_uint_eq(info.st_gid, 65534);
    ck_assert_int_eq(info.st_mode & 07777, 0700);
    pid = fork();
    if (pid == 0) {
        _exit(setgid(65534) != 0 || setuid(65534) != 0 ||
              save(id_in(1, 1), nothing, record(1, 100)) != SIGNED_SESSION_STORE_SAVED ||
              load(id_in(1, 1)) != SIGNED_SESSION_STORE_FOUND);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* As root only: who may not look into the directory says so, and does not say "absent". */
START_TEST(test_who_may_not_read_says_so)
{
    pid_t pid;
    int status;

    assert_saved(id_in(1, 1), 100, LONG);
    pid = fork();
    if (pid == 0) {
        _exit(setuid(65534) != 0 || load(id_in(1, 1)) != SIGNED_SESSION_STORE_UNAVAILABLE ||
              strstr(why, "Permission denied") == NULL ||
              save(id_in(1, 1), NULL, record(1, 100)) != SIGNED_SESSION_STORE_UNAVAILABLE ||
              strstr(why, "Permission denied") == NULL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_file_place");
    TCase *where = case_of(suite, "where");

    tcase_add_test(where, test_a_start_makes_the_directory);
    tcase_add_test(where, test_a_configuration_makes_nothing);
    tcase_add_test(where, test_words_name_the_directory);
    tcase_add_loop_test(where, test_a_directory_that_is_not_httpds_alone_is_refused, 0,
                        COUNT(modes));
    tcase_add_test(where, test_a_directory_of_another_user_is_refused);
    tcase_add_test(where, test_what_is_no_directory_is_refused);
    tcase_add_test(where, test_a_directory_that_cannot_be_made_is_told_of);
    tcase_add_test(where, test_starts_at_the_same_moment_take_one_directory);
    tcase_add_test(where, test_a_start_touches_nothing_but_its_own);
    add_as_root(where, test_root_hands_the_directory_over);
    add_as_root(where, test_who_may_not_read_says_so);

    return run_as_far_as_may_be(suite, "store_file_place");
}
