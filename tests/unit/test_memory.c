/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/formats.h"

#include "lib/memory.h"

/* Every test here compares with what happens without a memory: it may save work, nothing else. */

static ss_sealing_t remembering(const char *format, ss_memory_t *memory)
{
    ss_sealing_t how = one(format);

    how.memory = memory;
    return how;
}

static ss_state_e state_at(ss_sealed_t cookie, const ss_sealing_t *how, apr_time_t now)
{
    ss_session_t *session;

    return open_one(&session, cookie, how, now);
}

/* Not as bytes: between and behind the members there may be some that nobody wrote. */
static void assert_same_stamp(const ss_stamp_t *a, const ss_stamp_t *b)
{
    ck_assert_int_eq(a->renewed, b->renewed);
    ck_assert_int_eq(a->created, b->created);
    ck_assert_uint_eq(a->counter, b->counter);
    ck_assert_mem_eq(a->id, b->id, sizeof(a->id));
}

START_TEST(a_remembered_cookie_gives_the_same_session)
{
    const ss_sealing_t how = remembering(FORMAT, ss_memory_create(pool));
    const char *json = "{\"user\":\"alice\",\"n\":[1,2.50]}";
    ss_sealed_t cookie = seal_text(json, &how, NOW);
    ss_session_t *first, *second;

    ck_assert_int_eq(open_one(&first, cookie, &how, NOW), SS_VALID);
    ck_assert_int_eq(open_one(&second, cookie, &how, NOW), SS_VALID);
    assert_bytes(ss_session_text(second), ss_session_text(first), FORMAT);
    assert_same_stamp(ss_session_stamp(second), ss_session_stamp(first));
    ck_assert_ptr_ne(ss_session_text(second).data, ss_session_text(first).data);
}
END_TEST

START_TEST(it_is_really_remembered)
{
    ss_memory_t *memory = ss_memory_create(pool);
    const ss_sealing_t how = remembering(FORMAT, memory);
    ss_sealed_t cookie = seal_text("{\"a\":1}", &how, NOW);
    ss_memory_item_t item;

    ck_assert(!ss_memory_recall(memory, &item, &cookie, &how, pool));
    ck_assert_int_eq(state_at(cookie, &how, NOW), SS_VALID);
    ck_assert(ss_memory_recall(memory, &item, &cookie, &how, pool));
    ck_assert_str_eq(item.format->name, FORMAT);
}
END_TEST

START_TEST(every_bit_still_counts)
{
    const ss_sealing_t how = remembering(FORMAT, ss_memory_create(pool));
    ss_sealed_t cookie = seal_text("{\"role\":\"user\"}", &how, NOW);

    ck_assert_int_eq(state_at(cookie, &how, NOW), SS_VALID);
    for (apr_size_t i = 0; i < cookie.value.len; i++) {
        char *copy = apr_pmemdup(pool, cookie.value.data, cookie.value.len);
        ss_sealed_t other = { ss_bytes(copy, cookie.value.len), cookie.companion };

        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        ck_assert_msg(state_at(other, &how, NOW) != SS_VALID, "%s: byte %d", FORMAT, (int)i);
        other.value = ss_bytes(cookie.value.data, i);
        ck_assert_msg(state_at(other, &how, NOW) != SS_VALID, "%s: %d bytes", FORMAT, (int)i);
    }
}
END_TEST

START_TEST(a_companion_counts_too)
{
    const ss_sealing_t how = remembering("express", ss_memory_create(pool));
    ss_sealed_t cookie = seal_text("{\"a\":1}", &how, NOW);
    ss_sealed_t wrong = { cookie.value, ss_bytes_of("AAAAAAAAAAAAAAAAAAAAAAAAAAA") };

    ck_assert_int_eq(state_at(cookie, &how, NOW), SS_VALID);
    ck_assert_int_ne(state_at(alone(cookie.value), &how, NOW), SS_VALID);
    ck_assert_int_ne(state_at(wrong, &how, NOW), SS_VALID);
}
END_TEST

/* Two secrets, two valid signatures: the key tells whether the cookie is to be written again. */
START_TEST(the_first_valid_companion_counts)
{
    ss_sealing_t how = sealing(SECRET_1, SECRET_2, "express", NULL, "session", "");
    const ss_sealing_t old = sealing(SECRET_2, NULL, "express", NULL, "session", "");
    ss_sealed_t cookie = seal_text("{\"a\":1}", &how, NOW);
    ss_bytes_t by_old_key = seal_text("{\"a\":1}", &old, NOW).companion;
    const ss_candidates_t both = { .values = { cookie.value },
                                   .count = 1,
                                   .companions = { by_old_key, cookie.companion },
                                   .companion_count = 2 };
    ss_session_t *session;
    ss_opened_t from;

    how.memory = ss_memory_create(pool);
    ck_assert_int_eq(state_at(cookie, &how, NOW), SS_VALID);
    ck_assert_int_eq(open_found(&session, &from, &both, &how, NOW), SS_VALID);
    ck_assert_int_eq(from.key, 1);
}
END_TEST

START_TEST(times_are_judged_anew)
{
    const ss_sealing_t how = remembering("native", ss_memory_create(pool));
    ss_sealed_t cookie = seal_text("{\"a\":1}", &how, NOW);
    apr_time_t late = NOW + lifetime.idle + apr_time_from_sec(1);

    ck_assert_int_eq(state_at(cookie, &how, NOW), SS_VALID);
    ck_assert_int_eq(state_at(cookie, &how, late), SS_EXPIRED_IDLE);
    ck_assert_int_eq(state_at(cookie, &how, NOW), SS_VALID);
    ck_assert_int_eq(state_at(cookie, &how, NOW - apr_time_from_sec(3600)), SS_FROM_FUTURE);
}
END_TEST

START_TEST(another_virtual_host_does_not_profit)
{
    ss_memory_t *memory = ss_memory_create(pool);
    const ss_sealing_t how = remembering("native", memory);
    ss_sealing_t other = sealing(SECRET_2, NULL, "native", NULL, "session", "");
    ss_sealed_t cookie = seal_text("{\"a\":1}", &how, NOW);

    other.memory = memory;
    ck_assert_int_eq(state_at(cookie, &how, NOW), SS_VALID);
    ck_assert_int_ne(state_at(cookie, &other, NOW), SS_VALID);
}
END_TEST

START_TEST(many_cookies_push_each_other_out_and_all_stay_valid)
{
    const ss_sealing_t how = remembering("native", ss_memory_create(pool));
    ss_sealed_t cookies[4 * SS_MEMORY_COOKIES];

    for (int i = 0; i < COUNT(cookies); i++) {
        cookies[i] = seal_text(apr_psprintf(pool, "{\"n\":%d}", i), &how, NOW);
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT(cookies); i++) {
            const char *want = apr_psprintf(pool, "{\"n\":%d}", i);
            ss_session_t *session;

            ck_assert_int_eq(open_one(&session, cookies[i], &how, NOW), SS_VALID);
            assert_bytes(ss_session_text(session), ss_bytes_of(want), "its own session");
        }
    }
}
END_TEST

static int is_recalled(ss_memory_t *memory, ss_sealed_t cookie, const ss_sealing_t *how)
{
    ss_memory_item_t item;

    return ss_memory_recall(memory, &item, &cookie, how, pool);
}

static ss_sealed_t seal_members(int count, const ss_sealing_t *how)
{
    const char *text = "{\"0\":0";

    for (int i = 1; i < count; i++) {
        text = apr_psprintf(pool, "%s,\"%d\":%d", text, i, i % 10);
    }
    return seal_text(apr_pstrcat(pool, text, "}", NULL), how, NOW);
}

/* The cost of a request does not jump with one member more. */
START_TEST(many_members_are_remembered_as_few_are)
{
    ss_memory_t *memory = ss_memory_create(pool);
    const ss_sealing_t how = remembering("native", memory);

    for (int count = 1; count < 330; count += 41) {
        ss_sealed_t cookie = seal_members(count, &how);

        ck_assert_int_eq(state_at(cookie, &how, NOW), SS_VALID);
        ck_assert_msg(is_recalled(memory, cookie, &how), "%d members", count);
    }
}
END_TEST

/* By chance the parts are not used alike. */
START_TEST(small_cookies_are_remembered_by_number_and_large_ones_by_bytes)
{
    static const struct {
        int bytes, least, most;
    } sizes[] = { { 30, SS_MEMORY_COOKIES * 3 / 4, SS_MEMORY_COOKIES },
                  { 2500, SS_MEMORY_BYTES / 8000, SS_MEMORY_BYTES / 5800 } };

    for (int s = 0; s < COUNT(sizes); s++) {
        ss_memory_t *memory = ss_memory_create(pool);
        const ss_sealing_t how = remembering("native", memory);
        ss_sealed_t cookies[2 * SS_MEMORY_COOKIES];
        int count = 0;

        for (int i = 0; i < COUNT(cookies); i++) {
            const char *text = apr_psprintf(pool, "{\"n\":\"%0*d\"}", sizes[s].bytes, i);

            cookies[i] = seal_text(text, &how, NOW);
            ck_assert_int_eq(state_at(cookies[i], &how, NOW), SS_VALID);
            ck_assert(is_recalled(memory, cookies[i], &how));
        }
        for (int i = 0; i < COUNT(cookies); i++) {
            count += is_recalled(memory, cookies[i], &how);
        }
        ck_assert_int_ge(count, sizes[s].least);
        ck_assert_int_le(count, sizes[s].most);
    }
}
END_TEST

/* Entries of every size lie behind each other, and none reaches into another. */
START_TEST(sizes_may_mix)
{
    const ss_sealing_t how = remembering("native", ss_memory_create(pool));
    ss_sealed_t cookies[3 * SS_MEMORY_COOKIES];
    const char *texts[COUNT(cookies)];

    for (int i = 0; i < COUNT(cookies); i++) {
        texts[i] = apr_psprintf(pool, "{\"n\":\"%0*d\"}", 1 + i * 1009 % 2800, i);
        cookies[i] = seal_text(texts[i], &how, NOW);
    }
    for (int round = 0; round < 4 * COUNT(cookies); round++) {
        int i = (round * 7919 + round / COUNT(cookies)) % COUNT(cookies);
        ss_session_t *session;

        ck_assert_int_eq(open_one(&session, cookies[i], &how, NOW), SS_VALID);
        assert_bytes(ss_session_text(session), ss_bytes_of(texts[i]), "its own session");
    }
}
END_TEST

/* A compressed cookie may hold more than a cookie has room for. */
START_TEST(a_long_document_is_the_same_each_time)
{
    const ss_sealing_t how = remembering("flask", ss_memory_create(pool));
    const char *json = nested(2 * SS_COOKIE_MAX, "x", "", "");
    ss_session_t *session;
    ss_sealed_t cookie;

    json = apr_pstrcat(pool, "{\"a\":\"", json, "\"}", NULL);
    cookie = seal_text(json, &how, NOW);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(open_one(&session, cookie, &how, NOW), SS_VALID);
        ck_assert(ss_bytes_equal(ss_session_text(session), ss_bytes_of(json)));
    }
}
END_TEST

/* Of any length: what is compared in large steps, and what is left. */
START_TEST(every_byte_of_every_length_counts)
{
    ss_memory_item_t item = { .key = 0 }, found;

    ck_assert_int_eq(ss_document_read(&item.document, ss_bytes_of("{}"), pool), APR_SUCCESS);
    for (apr_size_t len = 1; len < 200; len++) {
        ss_memory_t *memory = ss_memory_create(pool);
        char *text = apr_pcalloc(pool, len);
        ss_sealed_t cookie = { ss_bytes(text, len), { NULL, 0 } };

        ss_memory_keep(memory, &item, &cookie, memory);
        for (apr_size_t i = 0; i < len; i++) {
            text[i] = (char)0x80;
            ck_assert_msg(!ss_memory_recall(memory, &found, &cookie, memory, pool), "byte %d of %d",
                          (int)i, (int)len);
            text[i] = 0;
        }
        ck_assert(ss_memory_recall(memory, &found, &cookie, memory, pool));
        apr_pool_clear(pool);
        ck_assert_int_eq(ss_document_read(&item.document, ss_bytes_of("{}"), pool), APR_SUCCESS);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = unit_case(suite, "memory");
    int count = formats_count();

    tcase_add_loop_test(tcase, a_remembered_cookie_gives_the_same_session, 0, count);
    tcase_add_loop_test(tcase, it_is_really_remembered, 0, count);
    tcase_add_loop_test(tcase, every_bit_still_counts, 0, count);
    tcase_add_test(tcase, every_byte_of_every_length_counts);
    tcase_add_test(tcase, a_companion_counts_too);
    tcase_add_test(tcase, the_first_valid_companion_counts);
    tcase_add_test(tcase, times_are_judged_anew);
    tcase_add_test(tcase, another_virtual_host_does_not_profit);
    tcase_add_test(tcase, a_long_document_is_the_same_each_time);
    tcase_add_test(tcase, many_members_are_remembered_as_few_are);
    tcase_add_test(tcase, small_cookies_are_remembered_by_number_and_large_ones_by_bytes);
    tcase_add_test(tcase, sizes_may_mix);
    tcase_add_test(tcase, many_cookies_push_each_other_out_and_all_stay_valid);
    return unit_run(suite);
}
