/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* The space of the store `file`: how it is counted, and what happens where there is none left. */

#include "tests/unit/store_file.h"
#include "tests/unit/root.h"

#include <sys/mount.h>
#include <sys/wait.h>

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
 * A disk without room: a small file system of its own, which takes root
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
        puts("store_file_space: no file system can be mounted: a full disk was not tried");
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

int main(void)
{
    Suite *suite = suite_create("store_file_space");
    TCase *space = case_of(suite, "space");

    tcase_add_test(space, test_above_its_space_there_is_nothing_new);
    tcase_add_test(space, test_a_record_is_counted_before_it_is_there);
    tcase_add_test(space, test_what_has_expired_makes_room_when_it_is_swept);
    tcase_add_test(space, test_a_full_store_is_swept_by_each_who_is_refused);
    tcase_add_test(space, test_the_place_of_an_expired_record_counts_once);
    tcase_add_test(space, test_processes_count_together);
    tcase_add_loop_test(space, test_a_sweep_sets_a_count_right, 0, COUNT(wrong_counts));
    add_as_root(space, test_a_full_disk_is_full);

    return run_as_far_as_may_be(suite, "store_file_space");
}
