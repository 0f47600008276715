/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/format/format.h"
#include "lib/record.h"
#include "tests/unit/unit.h"
#include "tests/unit/formats.h"

#define TEXT "{\"cart\":[1,2,3]}"

static const unsigned char id[SS_SESSION_ID_SIZE] = "0123456789abcde";
static const unsigned char other_id[SS_SESSION_ID_SIZE] = "0123456789abcdf";

static const ss_keyring_t *keys_of(const ss_sealing_t *how)
{
    return APR_ARRAY_IDX(how->seals, 0, ss_seal_t).keys;
}

static ss_bytes_t sealed(ss_record_t *record, const ss_sealing_t *how)
{
    ss_bytes_t bytes;

    ck_assert_int_eq(ss_record_seal(&bytes, record, 7, id, keys_of(how), ss_random, pool),
                     APR_SUCCESS);
    return bytes;
}

static ss_bytes_t sealed_text(const char *text, const ss_sealing_t *how)
{
    ss_record_t record = { .text = ss_bytes_of(text) };

    return sealed(&record, how);
}

START_TEST(a_record_comes_back)
{
    const ss_sealing_t how = one("native");
    ss_record_t record = { .text = ss_bytes_of(TEXT) }, opened;
    ss_bytes_t bytes = sealed(&record, &how);

    ck_assert_uint_eq(bytes.len, strlen(TEXT) + SS_RECORD_OVERHEAD);
    ck_assert_int_eq(ss_record_open(&opened, bytes, id, keys_of(&how), pool), SS_VALID);
    assert_bytes(opened.text, ss_bytes_of(TEXT), "text");
    ck_assert_int_eq(opened.is_closed, 0);
    ck_assert_int_eq(opened.key, 0);
    ck_assert_mem_eq(opened.token, record.token, SS_TOKEN_SIZE);
    ck_assert_mem_eq(opened.token, bytes.data, SS_TOKEN_SIZE);
    ck_assert_uint_eq(ss_record_counter(opened.token), 7);
}
END_TEST

START_TEST(every_save_has_another_token)
{
    const ss_sealing_t how = one("native");
    ss_bytes_t a = sealed_text(TEXT, &how), b = sealed_text(TEXT, &how);

    ck_assert_mem_ne(a.data, b.data, SS_TOKEN_SIZE);
}
END_TEST

START_TEST(a_replaced_record_still_has_its_text)
{
    const ss_sealing_t how = one("native");
    ss_record_t record = { .is_replaced = 1, .text = ss_bytes_of(TEXT) }, opened;
    ss_bytes_t bytes = sealed(&record, &how);

    ck_assert(ss_record_is_replaced(bytes));
    ck_assert_int_eq(ss_record_open(&opened, bytes, id, keys_of(&how), pool), SS_VALID);
    ck_assert(opened.is_replaced && !opened.is_closed);
    assert_bytes(opened.text, ss_bytes_of(TEXT), "text");
    record.is_replaced = 0;
    ck_assert(!ss_record_is_replaced(sealed(&record, &how)));
}
END_TEST

START_TEST(a_closed_record_has_no_text)
{
    const ss_sealing_t how = one("native");
    ss_record_t record = { .is_closed = 1, .text = ss_bytes_of(TEXT) }, opened;
    ss_bytes_t bytes = sealed(&record, &how);

    ck_assert_uint_eq(bytes.len, SS_RECORD_OVERHEAD);
    ck_assert_int_eq(ss_record_open(&opened, bytes, id, keys_of(&how), pool), SS_VALID);
    ck_assert_int_eq(opened.is_closed, 1);
    ck_assert_uint_eq(opened.text.len, 0);
}
END_TEST

/* It is no other session's, not even of the same keys. */
START_TEST(a_record_under_another_id_does_not_open)
{
    const ss_sealing_t how = one("native");
    ss_record_t opened;

    ck_assert_int_eq(
        ss_record_open(&opened, sealed_text(TEXT, &how), other_id, keys_of(&how), pool),
        SS_MALFORMED);
}
END_TEST

START_TEST(a_record_of_another_audience_or_cookie_does_not_open)
{
    const ss_sealing_t how = one("native");
    const ss_sealing_t audience = sealing(SECRET_1, NULL, "native", NULL, "session", "shop");
    const ss_sealing_t name = sealing(SECRET_1, NULL, "native", NULL, "sid", "");
    ss_bytes_t bytes = sealed_text(TEXT, &how);
    ss_record_t opened;

    ck_assert_int_ne(ss_record_open(&opened, bytes, id, keys_of(&audience), pool), SS_VALID);
    ck_assert_int_ne(ss_record_open(&opened, bytes, id, keys_of(&name), pool), SS_VALID);
}
END_TEST

START_TEST(a_record_of_the_previous_secret_opens)
{
    const ss_sealing_t old = sealing(SECRET_2, NULL, "native", NULL, "session", "");
    const ss_sealing_t new = sealing(SECRET_1, SECRET_2, "native", NULL, "session", "");
    const ss_sealing_t without = one("native");
    ss_bytes_t bytes = sealed_text(TEXT, &old);
    ss_record_t opened;

    ck_assert_int_eq(ss_record_open(&opened, bytes, id, keys_of(&new), pool), SS_VALID);
    ck_assert_int_eq(opened.key, 1);
    ck_assert_int_eq(ss_record_open(&opened, bytes, id, keys_of(&without), pool), SS_UNKNOWN_KEY);
}
END_TEST

START_TEST(a_record_with_one_bit_changed_does_not_open)
{
    const ss_sealing_t how = one("native");
    ss_bytes_t bytes = sealed_text(TEXT, &how);
    ss_record_t opened;

    for (apr_size_t bit = 0; bit < bytes.len * 8; bit++) {
        char *changed = apr_pmemdup(pool, bytes.data, bytes.len);

        changed[bit / 8] ^= (char)(1 << bit % 8);
        ck_assert_msg(ss_record_open(&opened, ss_bytes(changed, bytes.len), id, keys_of(&how),
                                     pool) != SS_VALID,
                      "bit %d", (int)bit);
    }
}
END_TEST

START_TEST(a_record_that_is_cut_short_does_not_open)
{
    const ss_sealing_t how = one("native");
    ss_bytes_t bytes = sealed_text(TEXT, &how);
    ss_record_t opened;

    for (apr_size_t len = 0; len < bytes.len; len++) {
        ck_assert_int_eq(
            ss_record_open(&opened, ss_bytes(bytes.data, len), id, keys_of(&how), pool),
            SS_MALFORMED);
    }
}
END_TEST

START_TEST(without_random_bytes_nothing_is_sealed)
{
    const ss_sealing_t how = one("native");
    ss_record_t record = { .text = ss_bytes_of(TEXT) };
    ss_bytes_t bytes;

    ck_assert_int_eq(ss_record_seal(&bytes, &record, 1, id, keys_of(&how), no_random, pool),
                     APR_EGENERAL);
}
END_TEST

/*
 * References
 */

/** A store with one record, and a second store behind it. */
typedef struct shelf_t {
    ss_fetched_e answer;
    ss_bytes_t bytes;
    ss_bytes_t moved; /* in the second; ss_absent: none */
    int asked;
} shelf_t;

static ss_fetched_e fetch(void *shelf_, ss_bytes_t *bytes, int *place, const unsigned char *whose,
                          apr_pool_t *of)
{
    shelf_t *shelf = shelf_;

    (void)of;
    ck_assert_mem_eq(whose, id, SS_SESSION_ID_SIZE);
    shelf->asked++;
    if (*place == 2 && shelf->moved.data != NULL) {
        *bytes = shelf->moved;
        return SS_FETCHED;
    }
    if (*place > 1) {
        return SS_FETCHED_NOTHING;
    }
    *place = 1;
    *bytes = shelf->bytes;
    return shelf->answer;
}

static ss_stamp_t stamp_at(apr_time_t renewed)
{
    ss_stamp_t stamp = { apr_time_sec(renewed), apr_time_sec(renewed), { 0 }, 7, { 0 } };

    memcpy(stamp.id, id, SS_SESSION_ID_SIZE);
    return stamp;
}

static ss_candidates_t reference(shelf_t *shelf, const ss_sealing_t *how, apr_time_t renewed)
{
    const ss_stamp_t stamp = stamp_at(renewed);
    ss_candidates_t found = { .count = 1, .came = 1, .fetch = fetch, .baton = shelf };
    ss_sealing_result_t result;

    ck_assert_int_eq(ss_sealing_refer(&result, &stamp, how, pool), APR_SUCCESS);
    ck_assert_uint_eq(result.cookie.value.len, 91);
    found.values[0] = result.cookie.value;
    return found;
}

START_TEST(a_reference_leads_to_its_record)
{
    const ss_sealing_t how = one("native");
    shelf_t shelf = { .answer = SS_FETCHED, .bytes = sealed_text(TEXT, &how) };
    ss_candidates_t found = reference(&shelf, &how, NOW);
    ss_opened_t opened;

    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_VALID);
    ck_assert_int_eq(shelf.asked, 1);
    assert_bytes(ss_session_json(opened.session).raw, ss_bytes_of(TEXT), "session");
    ck_assert_int_eq(opened.is_stored, 1);
    ck_assert_int_eq(opened.place, 1);
    ck_assert_mem_eq(opened.token, shelf.bytes.data, SS_TOKEN_SIZE);
    ck_assert_uint_eq(opened.lost, 0);
}
END_TEST

/* What the record's counter lacks was acknowledged, and is lost. */
START_TEST(lost_changes_are_counted)
{
    const ss_sealing_t how = one("native");
    ss_record_t record = { .text = ss_bytes_of(TEXT) };
    shelf_t shelf = { .answer = SS_FETCHED, .bytes = ss_absent };
    ss_candidates_t found = reference(&shelf, &how, NOW);
    ss_opened_t opened;

    ck_assert_int_eq(ss_record_seal(&shelf.bytes, &record, 4, id, keys_of(&how), ss_random, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_VALID);
    ck_assert_uint_eq(opened.lost, 3);
    ck_assert_uint_eq(ss_session_stamp(opened.session)->counter, 4);
}
END_TEST

static ss_state_e not_proved(void *asked, const ss_stamp_t *stamp)
{
    ck_assert(ss_stamp_is_bound(stamp));
    ++*(int *)asked;
    return SS_UNPROVEN;
}

static ss_fetched_e never(void *asked, ss_bytes_t *bytes, int *place, const unsigned char *whose,
                          apr_pool_t *from)
{
    (void)asked;
    (void)bytes;
    (void)place;
    (void)whose;
    (void)from;
    ck_abort_msg("a store was asked");
    return SS_FETCH_FAILED;
}

/* Whoever has only copied a cookie does not trouble a store. */
START_TEST(a_bound_session_is_proved_before_its_store_is_asked)
{
    const ss_sealing_t how = one("native");
    ss_stamp_t stamp = stamp_at(NOW);
    ss_sealing_result_t result;
    ss_candidates_t found;
    ss_opened_t opened;
    int asked = 0;

    stamp.point[0] = 2; /* and 5 is the x of a point */
    stamp.point[SS_POINT_SIZE - 1] = 5;
    ck_assert_int_eq(ss_sealing_refer(&result, &stamp, &how, pool), APR_SUCCESS);
    found = candidates(&result.cookie, 1);
    found.fetch = never;
    found.prove = not_proved;
    found.baton = &asked;
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_UNPROVEN);
    ck_assert_int_eq(asked, 1);
    ck_assert_ptr_null(opened.session);
}
END_TEST

static const struct {
    ss_fetched_e answer;
    const char *text; /* NULL: it is closed */
    ss_state_e state;
} answers[] = {
    { SS_FETCHED_NOTHING, TEXT, SS_EXPIRED_IDLE },
    { SS_FETCH_FAILED, TEXT, SS_UNAVAILABLE },
    { SS_FETCHED, NULL, SS_EXPIRED_IDLE },
    { SS_FETCHED, "[]", SS_MALFORMED },
    { SS_FETCHED, "{", SS_MALFORMED },
    { SS_FETCHED, "", SS_MALFORMED },
};

START_TEST(a_store_decides_what_a_reference_is)
{
    const ss_sealing_t how = one("native");
    ss_record_t record = { .is_closed = answers[_i].text == NULL };
    shelf_t shelf = { .answer = answers[_i].answer, .bytes = ss_absent };
    ss_candidates_t found = reference(&shelf, &how, NOW);
    ss_opened_t opened;

    record.text = record.is_closed ? ss_absent : ss_bytes_of(answers[_i].text);
    shelf.bytes = sealed(&record, &how);
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), answers[_i].state);
    ck_assert_ptr_null(opened.session);
    ck_assert_int_eq(opened.record, answers[_i].state == SS_MALFORMED ? SS_MALFORMED : SS_NONE);
}
END_TEST

START_TEST(a_session_that_has_moved_on_is_found_there)
{
    const ss_sealing_t how = one("native");
    ss_record_t closed = { .is_closed = 1 };
    shelf_t shelf = { .answer = SS_FETCHED, .bytes = sealed(&closed, &how) };
    ss_candidates_t found = reference(&shelf, &how, NOW);
    ss_opened_t opened;

    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_EXPIRED_IDLE);
    ck_assert(opened.is_gone && opened.is_closed);
    shelf.moved = sealed(&closed, &how);
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_EXPIRED_IDLE);
    ck_assert(opened.is_gone && opened.is_closed);
    shelf.moved = sealed_text(TEXT, &how);
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_VALID);
    assert_bytes(ss_session_text(opened.session), ss_bytes_of(TEXT), "text");
    ck_assert_int_eq(opened.place, 2);
    ck_assert(!opened.is_gone && !opened.is_closed);
}
END_TEST

/* Nobody can make the server ask its store by a cookie that it has not sealed, or that is too old.
 */
START_TEST(a_store_is_asked_for_nobody_else)
{
    const ss_sealing_t how = one("native"),
                       other = sealing(SECRET_2, NULL, "native", NULL, "session", "");
    shelf_t shelf = { .answer = SS_FETCHED, .bytes = sealed_text(TEXT, &how) };
    ss_candidates_t forged = reference(&shelf, &other, NOW);
    ss_candidates_t old = reference(&shelf, &how, NOW - apr_time_from_sec(3601));
    ss_opened_t opened;

    ck_assert_int_eq(ss_candidates_open(&opened, &forged, &how, NOW, pool), SS_UNKNOWN_KEY);
    ck_assert_int_eq(ss_candidates_open(&opened, &old, &how, NOW, pool), SS_EXPIRED_IDLE);
    ck_assert_int_eq(opened.is_gone, 0);
    ck_assert_int_eq(shelf.asked, 0);
}
END_TEST

START_TEST(without_a_store_a_reference_has_expired)
{
    const ss_sealing_t how = one("native");
    ss_candidates_t found = reference(NULL, &how, NOW);
    ss_opened_t opened;

    found.fetch = NULL;
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_EXPIRED_IDLE);
    ck_assert_int_eq(opened.is_gone, 1);
}
END_TEST

/* An outage must not bring back what a newer session has replaced, nor hide a newer one. */
START_TEST(an_outage_beats_an_older_cookie_only)
{
    const ss_sealing_t how = one("native");
    shelf_t shelf = { .answer = SS_FETCH_FAILED, .bytes = ss_absent };
    apr_time_t beside = NOW + apr_time_from_sec(_i);
    ss_candidates_t found = reference(&shelf, &how, NOW);
    const ss_stamp_t stamp = stamp_at(beside);
    ss_session_t *session;
    ss_sealing_result_t result;
    ss_opened_t opened;

    ck_assert_int_eq(ss_session_load(&session, ss_bytes_of(TEXT), &stamp, pool), APR_SUCCESS);
    ck_assert_int_eq(ss_sealing_hold(&result, session, &stamp, &how, pool), APR_SUCCESS);
    found.values[found.count++] = result.cookie.value;
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool),
                     _i > 0 ? SS_VALID : SS_UNAVAILABLE);
    ck_assert_int_eq(opened.session != NULL, _i > 0);
}
END_TEST

START_TEST(an_outage_beats_every_refusal)
{
    const ss_sealing_t how = one("native");
    shelf_t shelf = { .answer = SS_FETCH_FAILED, .bytes = ss_absent };
    ss_candidates_t found = reference(&shelf, &how, NOW);
    ss_opened_t opened;

    found.values[1] = found.values[0];
    found.values[0] = ss_bytes_of("nonsense");
    found.count = 2;
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_UNAVAILABLE);
}
END_TEST

/* A record that is remembered gives the same session; another one is not taken for it. */
START_TEST(a_memory_changes_nothing)
{
    ss_sealing_t how = one("native");
    shelf_t shelf = { .answer = SS_FETCHED, .bytes = sealed_text(TEXT, &how) };
    ss_candidates_t found = reference(&shelf, &how, NOW);
    ss_opened_t opened;

    how.memory = ss_memory_create(pool);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_VALID);
        assert_bytes(ss_session_json(opened.session).raw, ss_bytes_of(TEXT), "session");
        ck_assert_mem_eq(opened.token, shelf.bytes.data, SS_TOKEN_SIZE);
    }
    shelf.bytes = sealed_text("{}", &how);
    ck_assert_int_eq(ss_candidates_open(&opened, &found, &how, NOW, pool), SS_VALID);
    assert_bytes(ss_session_json(opened.session).raw, ss_bytes_of("{}"), "session");
}
END_TEST

START_TEST(a_session_is_packed_and_unpacked)
{
    const ss_sealing_t how = one("native");
    const ss_stamp_t stamp = stamp_at(NOW);
    unsigned char token[SS_TOKEN_SIZE];
    ss_session_t *session;
    ss_unpacked_t unpacked;
    ss_bytes_t bytes;

    ck_assert_int_eq(ss_session_load(&session, ss_bytes_of(TEXT), &stamp, pool), APR_SUCCESS);
    ck_assert_int_eq(ss_sealing_pack(&bytes, token, session, &stamp, &how, pool), APR_SUCCESS);
    ck_assert_int_eq(ss_sealing_unpack(&unpacked, bytes, &stamp, &how, pool), SS_VALID);
    assert_bytes(ss_session_json(unpacked.session).raw, ss_bytes_of(TEXT), "session");
    ck_assert_int_eq(ss_session_is_changed(unpacked.session), 0);
    ck_assert_mem_eq(unpacked.token, token, SS_TOKEN_SIZE);

    ck_assert_int_eq(ss_sealing_pack(&bytes, token, NULL, &stamp, &how, pool), APR_SUCCESS);
    ck_assert_int_eq(ss_sealing_unpack(&unpacked, bytes, &stamp, &how, pool), SS_VALID);
    ck_assert_ptr_null(unpacked.session);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record");
    TCase *cases = unit_case(suite, "record");

    tcase_add_test(cases, a_record_comes_back);
    tcase_add_test(cases, every_save_has_another_token);
    tcase_add_test(cases, a_bound_session_is_proved_before_its_store_is_asked);
    tcase_add_test(cases, a_closed_record_has_no_text);
    tcase_add_test(cases, a_replaced_record_still_has_its_text);
    tcase_add_test(cases, a_record_under_another_id_does_not_open);
    tcase_add_test(cases, a_record_of_another_audience_or_cookie_does_not_open);
    tcase_add_test(cases, a_record_of_the_previous_secret_opens);
    tcase_add_test(cases, a_record_with_one_bit_changed_does_not_open);
    tcase_add_test(cases, a_record_that_is_cut_short_does_not_open);
    tcase_add_test(cases, without_random_bytes_nothing_is_sealed);
    tcase_add_test(cases, a_reference_leads_to_its_record);
    tcase_add_test(cases, lost_changes_are_counted);
    tcase_add_loop_test(cases, a_store_decides_what_a_reference_is, 0, COUNT(answers));
    tcase_add_test(cases, a_session_that_has_moved_on_is_found_there);
    tcase_add_test(cases, a_store_is_asked_for_nobody_else);
    tcase_add_test(cases, without_a_store_a_reference_has_expired);
    tcase_add_loop_test(cases, an_outage_beats_an_older_cookie_only, -1, 2);
    tcase_add_test(cases, an_outage_beats_every_refusal);
    tcase_add_test(cases, a_memory_changes_nothing);
    tcase_add_test(cases, a_session_is_packed_and_unpacked);
    return unit_run(suite);
}
