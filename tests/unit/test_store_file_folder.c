/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Folders of the store `file`: such as others put there or took away, and their locks. */

#include "tests/unit/store_file.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/*
 * Folders that others put there, or took away
 */

START_TEST(test_a_link_in_the_place_of_a_folder_is_not_written_through)
{
    mkdir(in_top("outside"), 0700);
    ck_assert_int_eq(symlink(in_top("outside"), in_top("sessions/05")), 0);
    ck_assert_int_eq(save(id_in(5, 1), nothing, record(1, 100)), SIGNED_SESSION_STORE_UNAVAILABLE);
    assert_why("sessions/05");
    ck_assert_int_eq(symlink(in_top("outside"), in_top("sessions/.lock")), 0);
    mkdir(in_top("sessions/06"), 0700);
    ck_assert_int_eq(symlink(in_top("victim"), in_top("sessions/06/.lock")), 0);
    ck_assert_int_eq(save(id_in(6, 1), nothing, record(1, 100)), SIGNED_SESSION_STORE_UNAVAILABLE);
    assert_why("cannot lock");
    ck_assert(!exists(in_top("victim")));
    pass(ROUND);
    ck_assert(exists(in_top("outside")));
}
END_TEST

START_TEST(test_a_directory_that_is_gone_is_no_logout)
{
    const unsigned char *id = id_in(4, 1);

    assert_saved(id, 100, LONG);
    remove_all(in_top("sessions"));
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_UNAVAILABLE);
    assert_why("sessions is gone");
    ck_assert_int_eq(save(id, record(1, 12).data, record(2, 100)),
                     SIGNED_SESSION_STORE_UNAVAILABLE);
    assert_why("sessions is gone");
    pass(3);
    ck_assert(!exists(in_top("sessions")));
    ck_assert_ptr_null(ss_store_file.prepare(store, pool));
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_ABSENT);
    assert_saved(id, 100, LONG);
}
END_TEST

START_TEST(test_an_administrator_may_remove_everything_in_it)
{
    const unsigned char *id = id_in(4, 1);

    assert_saved(id, 100, LONG);
    remove_all(in_top("sessions/04"));
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_ABSENT);
    assert_saved(id, 100, LONG);
    unlink(in_top("sessions/.space"));
    unlink(in_top("sessions/04/.lock"));
    assert_saved(id, 100, LONG);
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_FOUND);
}
END_TEST

/*
 * The lock
 */

START_TEST(test_a_lock_that_others_hold_is_waited_for_until_the_deadline)
{
    const unsigned char *id = id_in(7, 1);
    apr_time_t started;
    int lock;

    assert_saved(id, 100, LONG);
    assert_saved(id_in(8, 1), 100, LONG);
    lock = lock_of(7);
    ck_assert_int_eq(flock(lock, LOCK_EX), 0);
    started = apr_time_now();
    ck_assert_int_eq(save_until(started + apr_time_from_msec(150), id, NULL, record(2, 100), LONG),
                     SIGNED_SESSION_STORE_UNAVAILABLE);
    ck_assert(apr_time_now() - started >= apr_time_from_msec(150));
    ck_assert(apr_time_now() - started < apr_time_from_sec(2));
    assert_why("sessions/07/.lock too long");
    /* nobody else waits: not who reads, and not the other folders */
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_FOUND);
    assert_saved(id_in(8, 1), 200, LONG);
    close(lock);
    assert_saved(id, 300, LONG);
}
END_TEST

START_TEST(test_who_waits_for_a_lock_that_was_removed_takes_the_new_one)
{
    const unsigned char *id = id_in(7, 1);
    int old, status;
    pid_t pid;

    assert_saved(id, 100, LONG);
    old = lock_of(7);
    ck_assert_int_eq(flock(old, LOCK_EX), 0);
    pid = fork();
    if (pid == 0) {
        close(old); /* not to hold the lock as well */
        _exit(save(id, NULL, record(2, 100)) != SIGNED_SESSION_STORE_UNAVAILABLE);
    }
    apr_sleep(apr_time_from_msec(100));
    unlink(in_top("sessions/07/.lock"));
    assert_saved(id, 200, LONG);
    ck_assert_int_eq(flock(lock_of(7), LOCK_EX), 0); /* held until this process ends */
    close(old);
    apr_sleep(apr_time_from_msec(100));
    ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, SIGKILL);
}
END_TEST

/* These definitions, not the C library's, are what the program is linked with: what takes a name
 * away, or gives it to another file, is to hold the folder's lock. */
static int changes, unlocked;

static void note_change(int folder)
{
    int lock = openat(folder, ".lock", O_RDWR | O_CLOEXEC);

    changes++;
    unlocked += lock < 0 || flock(lock, LOCK_EX | LOCK_NB) == 0;
    close(lock);
}

int unlinkat(int folder, const char *name, int flags)
{
    note_change(folder);
    return (int)syscall(SYS_unlinkat, folder, name, flags);
}

int renameat(int from, const char *name, int to, const char *new_name)
{
    note_change(from);
    return (int)syscall(SYS_renameat2, from, name, to, new_name, 0);
}

static void begin_to_watch(void)
{
    changes = unlocked = 0;
    begin();
}

/* Otherwise what has expired could be replaced between the look and the end. */
START_TEST(test_what_changes_a_folder_holds_its_lock)
{
    assert_saved(id_in(11, 1), 100, LONG);
    assert_saved(id_in(11, 1), 5000, 1);
    write_file(in_top("sessions/0b/%030d.1.2", 7), "left");
    pass(2 * ROUND); /* what was left is a minute old at the second one */
    ck_assert_int_eq(files_in(11), 0);
    ck_assert_int_eq(changes, 4);
    ck_assert_int_eq(unlocked, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_file_folder");
    TCase *folder = case_of(suite, "folder"), *lock = case_of(suite, "lock"),
          *watched = unit_case(suite, "watched");

    tcase_add_test(folder, test_a_link_in_the_place_of_a_folder_is_not_written_through);
    tcase_add_test(folder, test_a_directory_that_is_gone_is_no_logout);
    tcase_add_test(folder, test_an_administrator_may_remove_everything_in_it);

    tcase_add_test(lock, test_a_lock_that_others_hold_is_waited_for_until_the_deadline);
    tcase_add_test(lock, test_who_waits_for_a_lock_that_was_removed_takes_the_new_one);

    tcase_add_checked_fixture(watched, begin_to_watch, end);
    tcase_set_timeout(watched, 60);
    tcase_add_test(watched, test_what_changes_a_folder_holds_its_lock);

    return unit_run(suite);
}
