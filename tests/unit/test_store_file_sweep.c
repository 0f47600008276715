/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Sweeping of the store `file`: what goes, when, and what stays. */

#include "tests/unit/store_file.h"

#include <sys/file.h>

START_TEST(test_what_has_expired_goes)
{
    for (int folder = 0; folder < 256; folder++) {
        assert_saved(id_in(folder, 1), 100, apr_time_from_sec(1));
        assert_saved(id_in(folder, 2), 100, 100 * LONG);
    }
    pass(ROUND);
    for (int folder = 0; folder < 256; folder++) {
        ck_assert_msg(files_in(folder) == 1, "folder %d", folder);
        ck_assert_int_eq(load(id_in(folder, 2)), SIGNED_SESSION_STORE_FOUND);
    }
}
END_TEST

START_TEST(test_one_folder_a_second)
{
    int left = 0;

    freeze();
    begin_child();
    for (int folder = 0; folder < 256; folder++) {
        assert_saved(id_in(folder, 1), 100, 1);
    }
    ahead += apr_time_from_sec(10);
    for (int i = 0; i < 20; i++) {
        load(id_in(0, 424242));
    }
    for (int folder = 0; folder < 256; folder++) {
        left += files_in(folder);
    }
    ck_assert_int_eq(left, 255);
}
END_TEST

/* A record that has expired, put there without the store. */
static void plant(int folder)
{
    struct timespec old[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
    const char *path = in_top("sessions/%02x/%030d", folder, 0);

    write_file(path, "an expired record");
    utimensat(AT_FDCWD, path, old, 0);
}

START_TEST(test_a_folder_is_not_swept_again_at_once)
{
    int first = -1;

    freeze();
    begin_child();
    for (int folder = 0; folder < 256; folder++) {
        assert_saved(id_in(folder, 1), 100, LONG);
        plant(folder);
    }
    pass(1);
    for (int folder = 0; folder < 256; folder++) {
        first = files_in(folder) == 1 ? folder : first;
    }
    ck_assert_int_ge(first, 0);
    plant(first);
    begin_child(); /* as another process, which goes the same way */
    pass(2);
    ck_assert_int_eq(files_in(first), 2);
    ck_assert_int_eq(files_in((first + 1) % 256), 1);
    pass(ROUND);
    ck_assert_int_eq(files_in(first), 1);
}
END_TEST

START_TEST(test_what_killed_writers_left_goes_after_a_minute)
{
    const char *left = in_top("sessions/0a/%030d.123.4567", 7);

    assert_saved(id_in(10, 1), 100, 100 * LONG);
    write_file(left, "half a rec");
    ahead = -apr_time_from_sec(ROUND);
    begin_child();
    pass(ROUND + 50); /* now it is 50 seconds old */
    ck_assert(exists(left));
    pass(ROUND);
    ck_assert(!exists(left));
    ck_assert_int_eq(files_in(10), 1);
}
END_TEST

/* clang-format off */
static const char *const foreign[] = {
    "README",
    "00000000000000000000000000000",                 /* a digit less */
    "0000000000000000000000000000000",               /* a digit more */
    "00000000000000000000000000000A",
    "000000000000000000000000000000.1",
    "000000000000000000000000000000.1.",
    "000000000000000000000000000000.1.2.3",
    "000000000000000000000000000000.x.2",
    "000000000000000000000000000000~",
    ".000000000000000000000000000000",
};
/* clang-format on */

START_TEST(test_only_our_own_names_go)
{
    struct timespec old[2] = { { 0 } };

    assert_saved(id_in(11, 1), 100, 1);
    for (int i = 0; i < COUNT(foreign); i++) {
        write_file(in_top("sessions/0b/%s", foreign[i]), "somebody's");
        utimensat(AT_FDCWD, in_top("sessions/0b/%s", foreign[i]), old, 0);
    }
    mkdir(in_top("sessions/0b/%030d", 1), 0700);
    ck_assert_int_eq(symlink("/nowhere", in_top("sessions/0b/%030d", 2)), 0);
    write_file(in_top("sessions/%030d", 3), "not in a folder");
    pass(ROUND);
    for (int i = 0; i < COUNT(foreign); i++) {
        ck_assert_msg(exists(in_top("sessions/0b/%s", foreign[i])), "%s", foreign[i]);
    }
    ck_assert(exists(in_top("sessions/0b/%030d", 1)));
    ck_assert(exists(in_top("sessions/0b/%030d", 2)));
    ck_assert(exists(in_top("sessions/%030d", 3)));
    ck_assert(!exists(path_of(id_in(11, 1))));
}
END_TEST

START_TEST(test_a_sweep_makes_nothing_and_waits_for_nobody)
{
    int lock;

    assert_saved(id_in(12, 1), 100, 1);
    lock = lock_of(12);
    ck_assert_int_eq(flock(lock, LOCK_EX), 0);
    pass(ROUND);
    ck_assert_int_eq(files_in(12), 1);
    ck_assert(!exists(in_top("sessions/0d")));
    close(lock);
    pass(ROUND);
    ck_assert_int_eq(files_in(12), 0);
}
END_TEST

#define LONG_FOLDER 200

/* A folder that takes longer than a call sweeps for is gone on with by the next ones. */
START_TEST(test_a_long_folder_is_swept_in_parts)
{
    int left = LONG_FOLDER, parts = 0;

    freeze();
    for (unsigned i = 0; i < LONG_FOLDER; i++) {
        assert_saved(id_in(13, i), 12, i % 2 == 0 ? 1 : 100 * LONG);
    }
    leap = apr_time_from_msec(1);
    for (int i = 0; i < 2 * ROUND; i++) {
        int before = left;

        pass(1);
        left = files_in(13);
        ck_assert_int_le(before - left, 5);
        parts += left < before;
    }
    ck_assert_int_eq(left, LONG_FOLDER / 2);
    ck_assert_int_ge(parts, LONG_FOLDER / 2 / 5);
    ck_assert_int_eq(counted(), LONG_FOLDER / 2 * STEP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_file_sweep");
    TCase *sweep = case_of(suite, "sweep");

    tcase_add_test(sweep, test_what_has_expired_goes);
    tcase_add_test(sweep, test_one_folder_a_second);
    tcase_add_test(sweep, test_a_folder_is_not_swept_again_at_once);
    tcase_add_test(sweep, test_what_killed_writers_left_goes_after_a_minute);
    tcase_add_test(sweep, test_only_our_own_names_go);
    tcase_add_test(sweep, test_a_sweep_makes_nothing_and_waits_for_nobody);
    tcase_add_test(sweep, test_a_long_folder_is_swept_in_parts);

    return unit_run(suite);
}
