/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* The log as a file that is followed: whatever others do to it, what it says now is what counts. */

#include "tests/unit/log_file.h"

#include <apr_thread_proc.h>

#include "lib/revocation_follow.h"

static const unsigned char key[16] = "an unlikely key";
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

int main(void)
{
    Suite *suite = suite_create("revocation_follow");
    TCase *following = case_of(suite, "followed");

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

    return unit_run(suite);
}
