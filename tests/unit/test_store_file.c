/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* What the store `file` promises beyond the contract of every store, which is tested in
 * test_store_contract.c. */

#include "tests/unit/store_file.h"
#include "tests/unit/root.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
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
 * Space
 */

/* A store that may hold so many records of a page each. */
static void begin_with(int pages)
{
    place.space = (apr_uint64_t)pages * STEP;
    begin_child();
}

START_TEST(test_above_its_space_there_is_nothing_new)
{
    const unsigned char *last = id_in(3, 3);

    begin_with(4);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(save(id_in((int)i, i), nothing, record(i, 100)),
                         SIGNED_SESSION_STORE_SAVED);
    }
    ck_assert_int_eq(save(id_in(77, 1), nothing, record(1, 100)), SIGNED_SESSION_STORE_FULL);
    assert_why("holds 16384 of 16384 bytes");
    ck_assert_int_eq(save(id_in(77, 1), NULL, record(1, 100)), SIGNED_SESSION_STORE_FULL);
    ck_assert_int_eq(load(id_in(77, 1)), SIGNED_SESSION_STORE_ABSENT);
    /* those that are there may change, and grow */
    ck_assert_int_eq(save(last, record(3, 12).data, record(4, 50000)), SIGNED_SESSION_STORE_SAVED);
    ck_assert_int_eq(counted(), 3 * STEP + 13 * STEP);
    /* and shrink, which makes no room for others before it is enough */
    ck_assert_int_eq(save(last, record(4, 12).data, record(5, 50)), SIGNED_SESSION_STORE_SAVED);
    ck_assert_int_eq(counted(), 4 * STEP);
    ck_assert_int_eq(save(id_in(77, 1), nothing, record(1, 100)), SIGNED_SESSION_STORE_FULL);
}
END_TEST

START_TEST(test_a_record_is_counted_before_it_is_there)
{
    begin_with(4);
    ck_assert_int_eq(save(id_in(1, 1), nothing, record(1, 4 * STEP + 1)),
                     SIGNED_SESSION_STORE_FULL);
    ck_assert_int_eq(save(id_in(1, 1), nothing, record(1, 4 * STEP)), SIGNED_SESSION_STORE_SAVED);
}
END_TEST

START_TEST(test_what_has_expired_makes_room_when_it_is_swept)
{
    begin_with(2);
    assert_saved(id_in(1, 1), 100, 1);
    assert_saved(id_in(2, 1), 100, 1);
    ahead += apr_time_from_sec(5);
    ck_assert_int_eq(save(id_in(3, 1), nothing, record(1, 100)), SIGNED_SESSION_STORE_FULL);
    pass(ROUND);
    ck_assert_int_eq(counted(), 0);
    ck_assert_int_eq(save(id_in(3, 1), nothing, record(1, 100)), SIGNED_SESSION_STORE_SAVED);
}
END_TEST

/* One folder a second would take four minutes to come to what makes room. */
START_TEST(test_a_full_store_is_swept_by_each_who_is_refused)
{
    int tries = 0;

    freeze();
    for (int folder = 0; folder < 256; folder++) {
        assert_saved(id_in(folder, 1), 100, LONG);
    }
    ahead += LONG + apr_time_from_sec(2);
    begin_with(252); /* after five folders there is room */
    while (save(id_in(3, 2), nothing, record(1, 100)) == SIGNED_SESSION_STORE_FULL) {
        ck_assert_int_lt(tries++, 10);
    }
    ck_assert_int_eq(tries, 5);
}
END_TEST

START_TEST(test_the_place_of_an_expired_record_counts_once)
{
    begin_with(1);
    assert_saved(id_in(1, 1), 100, 1);
    apr_sleep(1000);
    ck_assert_int_eq(save(id_in(1, 1), nothing, record(2, 100)), SIGNED_SESSION_STORE_SAVED);
    ck_assert_int_eq(counted(), STEP);
}
END_TEST

START_TEST(test_processes_count_together)
{
    int status;
    pid_t pid;

    begin_with(2);
    assert_saved(id_in(1, 1), 100, LONG);
    pid = fork();
    if (pid == 0) {
        begin_with(2);
        _exit(save(id_in(2, 1), nothing, record(1, 100)) != SIGNED_SESSION_STORE_SAVED);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(save(id_in(3, 1), nothing, record(1, 100)), SIGNED_SESSION_STORE_FULL);
}
END_TEST

static const char *const wrong_counts[] = { "", "x", "0123456789abcdef0123456789abcdef",
                                            "\xff\xff\xff\xff\xff\xff\xff\x7f",
                                            "\xff\xff\xff\xff\xff\xff\xff\xff" };

START_TEST(test_a_sweep_sets_a_count_right)
{
    assert_saved(id_in(0, 1), 100, 100 * LONG);
    assert_saved(id_in(0, 2), 5000, 100 * LONG);
    assert_saved(id_in(1, 2), 5000, 100 * LONG);
    ck_assert_int_eq(counted(), 5 * STEP);
    write_file(in_top("sessions/.space"), wrong_counts[_i]);
    remove_all(in_top("sessions/01"));
    assert_saved(id_in(255, 1), 100, 100 * LONG);
    pass(ROUND);
    ck_assert_int_eq(counted(), 4 * STEP);
}
END_TEST

/*
 * A disk without room. A small file system of its own takes root; where it cannot be had, a limit
 * of the size of files stands for it.
 */

static int mount_small(void)
{
    return mount("none", in_top("sessions"), "tmpfs", 0, "size=64k,mode=0700") == 0;
}

START_TEST(test_a_full_disk_is_full)
{
    const unsigned char *id = id_in(1, 1);
    int saved = 0, rv;

    if (!mount_small()) {
        puts("store_file: no file system can be mounted: a full disk was not tried");
        return;
    }
    assert_saved(id, 100, LONG);
    do {
        rv = save(id_in(1, 2 + (unsigned)saved), nothing, record(1, 5000));
        saved += rv == SIGNED_SESSION_STORE_SAVED;
    } while (rv == SIGNED_SESSION_STORE_SAVED && saved < 100);
    ck_assert_int_eq(rv, SIGNED_SESSION_STORE_FULL);
    assert_why("No space left on device");
    ck_assert_int_gt(saved, 2);
    ck_assert_int_eq(files_in(1), saved + 1);
    /* nothing has changed, and it can be read */
    ck_assert_int_eq(save(id, record(1, 12).data, record(2, 60000)), SIGNED_SESSION_STORE_FULL);
    ck_assert_int_eq(load(id), SIGNED_SESSION_STORE_FOUND);
    ck_assert_int_eq(files_in(1), saved + 1);
    ck_assert_int_eq(save(id_in(2, 1), nothing, record(1, 50000)), SIGNED_SESSION_STORE_FULL);
    ck_assert_int_eq(umount2(in_top("sessions"), MNT_DETACH), 0);
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
    TCase *beside = case_of(suite, "beside"), *space = case_of(suite, "space"),
          *killed = case_of(suite, "killed");

    tcase_add_test(beside, test_a_temporary_file_that_was_left_is_not_written_to);
    tcase_add_test(beside, test_files_are_for_httpd_alone);
    tcase_add_loop_test(beside, test_what_is_no_record_is_absent_and_makes_way, 0,
                        COUNT(no_records));
    tcase_add_test(beside, test_a_directory_in_the_place_of_a_record);

    tcase_add_test(space, test_above_its_space_there_is_nothing_new);
    tcase_add_test(space, test_a_record_is_counted_before_it_is_there);
    tcase_add_test(space, test_what_has_expired_makes_room_when_it_is_swept);
    tcase_add_test(space, test_a_full_store_is_swept_by_each_who_is_refused);
    tcase_add_test(space, test_the_place_of_an_expired_record_counts_once);
    tcase_add_test(space, test_processes_count_together);
    tcase_add_loop_test(space, test_a_sweep_sets_a_count_right, 0, COUNT(wrong_counts));
    add_as_root(space, test_a_full_disk_is_full);

    tcase_add_test(killed, test_whoever_is_killed_leaves_the_old_record_or_the_new_one);

    return run_as_far_as_may_be(suite, "store_file");
}
