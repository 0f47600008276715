/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Records of the store `file`: what else may lie under their names, and writers that are killed.
 * What every store promises is tested in test_store_contract.c. */

#include "tests/unit/store_file.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

/*
 * What else lies there
 */

/* The numbers of processes come again. */
START_TEST(test_a_temporary_file_that_was_left_is_not_written_to)
{
    const unsigned char *id = id_in(2, 1);
    struct stat info;

    assert_saved(id, 100, LONG);
    for (int i = 0; i < 20; i++) {
        write_file(apr_psprintf(pool, "%s.%ld.%d", path_of(id), (long)getpid(), i),
                   nested(300, "x", "", ""));
    }
    assert_saved(id, 100, LONG);
    ck_assert_int_eq(stat(path_of(id), &info), 0);
    ck_assert_int_eq(info.st_size, 100);
    ck_assert_int_eq(files_in(2), 21);
}
END_TEST

START_TEST(test_files_are_for_httpd_alone)
{
    struct stat info;
    const unsigned char *id = id_in(0xab, 1);

    umask(0);
    assert_saved(id, 100, LONG);
    ck_assert_int_eq(stat(path_of(id), &info), 0);
    ck_assert_int_eq(info.st_mode & 07777, 0600);
    ck_assert_int_eq(info.st_size, 100);
    ck_assert(info.st_mtime - apr_time_sec(apr_time_now()) > 598);
    ck_assert_int_eq(stat(in_top("sessions/ab"), &info), 0);
    ck_assert_int_eq(info.st_mode & 07777, 0700);
    ck_assert_int_eq(files_in(0xab), 1);
}
END_TEST

static void make_link(const char *path)
{
    write_file(in_top("elsewhere"), "a secret of somebody else, long enough");
    ck_assert_int_eq(symlink(in_top("elsewhere"), path), 0);
}

static void make_fifo(const char *path)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void make_empty(const char *path)
{
    write_file(path, "");
}

static void make_short(const char *path)
{
    write_file(path, "eleven byte");
}

static void make_long(const char *path)
{
    write_file(path, "x");
    ck_assert_int_eq(truncate(path, SIGNED_SESSION_RECORD_MAX + 1), 0);
}

static const struct {
    const char *what;
    void (*make)(const char *path);
} no_records[] = {
    { "a symbolic link", make_link },      { "a pipe", make_fifo },
    { "an empty file", make_empty },       { "less than a token", make_short },
    { "more than any record", make_long },
};

START_TEST(test_what_is_no_record_is_absent_and_makes_way)
{
    const unsigned char *id = id_in(3, 1);

    assert_saved(id, 100, LONG);
    unlink(path_of(id));
    no_records[_i].make(path_of(id));
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_ABSENT);
    ck_assert_int_eq(save(id, record(1, 12).data, record(2, 100)), SIGNED_SESSION_STORE_ABSENT);
    ck_assert_int_eq(save(id, nothing, record(2, 100)), SIGNED_SESSION_STORE_SAVED);
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_FOUND);
    if (exists(in_top("elsewhere"))) {
        struct stat info;

        ck_assert_int_eq(stat(in_top("elsewhere"), &info), 0);
        ck_assert_int_eq(info.st_size, 38);
    }
}
END_TEST

START_TEST(test_a_directory_in_the_place_of_a_record)
{
    const unsigned char *id = id_in(3, 1);

    mkdir(in_top("sessions/03"), 0700);
    mkdir(path_of(id), 0700);
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_ABSENT);
    ck_assert_int_eq(save(id, nothing, record(2, 100)), SIGNED_SESSION_STORE_UNAVAILABLE);
    assert_why("Is a directory");
    ck_assert_int_eq(files_in(3), 1);
}
END_TEST

/*
 * Killed at any moment. A writer saves numbers in order and tells each that was saved; what is
 * there in the end is the last that it told of, or the one after.
 */

#define KILLS 60

static void write_until_killed(const unsigned char *id, volatile unsigned *told)
{
    begin_child();
    for (unsigned number = *told + 1;; number++) {
        if (save(id, NULL, record(number, 12 + number % 9000)) != SIGNED_SESSION_STORE_SAVED) {
            _exit(1);
        }
        *told = number;
    }
}

START_TEST(test_whoever_is_killed_leaves_the_old_record_or_the_new_one)
{
    volatile unsigned *told =
        mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const unsigned char *id = id_in(1, 1);
    signed_session_bytes_t value;
    unsigned number, first = 0;
    int status;

    for (int i = 0; i < KILLS; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            write_until_killed(id, told);
        }
        while (*told == first) {
            apr_sleep(100);
        }
        apr_sleep(1000 + 37 * i);
        kill(pid, SIGKILL);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, SIGKILL);
        ck_assert_int_eq(ss_store_file.load(store, id, &value, apr_time_now(), &why, pool),
                         SIGNED_SESSION_STORE_FOUND);
        memcpy(&number, value.data, sizeof(number));
        ck_assert_uint_ge(number, *told);
        ck_assert_uint_le(number, *told + 1);
        ck_assert_uint_eq(value.len, 12 + number % 9000);
        ck_assert_int_eq(memcmp(value.data, record(number, value.len).data, value.len), 0);
        first = *told = number;
    }
    /* the lock died with its holder, and what is left over goes */
    assert_saved(id, 100, 100 * LONG);
    ahead = apr_time_from_sec(61);
    pass(ROUND);
    ck_assert_int_eq(files_in(1), 1);
    ck_assert_int_eq(counted(), STEP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_file");
    TCase *beside = case_of(suite, "beside"), *killed = case_of(suite, "killed");

    tcase_add_test(beside, test_a_temporary_file_that_was_left_is_not_written_to);
    tcase_add_test(beside, test_files_are_for_httpd_alone);
    tcase_add_loop_test(beside, test_what_is_no_record_is_absent_and_makes_way, 0,
                        COUNT(no_records));
    tcase_add_test(beside, test_a_directory_in_the_place_of_a_record);

    tcase_add_test(killed, test_whoever_is_killed_leaves_the_old_record_or_the_new_one);

    return unit_run(suite);
}
