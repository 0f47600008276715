/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/formats.h"

static ss_sealing_t encrypting(void)
{
    ss_sealing_t how = one("native");

    how.encrypt = 1;
    return how;
}

START_TEST(native_cookies_are_bound_to_name_and_audience)
{
    const ss_sealing_t how = one("native");
    const ss_sealing_t others[] = {
        sealing(SECRET_1, NULL, "native", NULL, "other", ""),
        sealing(SECRET_1, NULL, "native", NULL, "session", "shop"),
        /* name and audience must not run into each other */
        sealing(SECRET_1, NULL, "native", NULL, "sessio", "n"),
    };
    ss_session_t *session;

    for (int i = 0; i < COUNT(others); i++) {
        ss_sealing_t secret = others[i];

        secret.encrypt = 1;
        ck_assert_int_ne(open_one(&session, seal_text("{\"a\":1}", &how, NOW), &others[i], NOW),
                         SS_VALID);
        ck_assert_int_ne(open_one(&session, seal_text("{\"a\":1}", &secret, NOW), &how, NOW),
                         SS_VALID);
    }
}
END_TEST

/* With 16 bits of key id, two secrets may share one; both must be tried. */
START_TEST(secrets_with_the_same_key_id_both_open)
{
    const char *owner[65536] = { NULL };
    const char *first = NULL, *second = NULL;

    for (int i = 0; second == NULL; i++) {
        const char *secret = apr_psprintf(pool, "a secret with a number behind it: %d", i);
        const ss_sealing_t how = sealing(secret, NULL, "native", NULL, "session", "");
        apr_uint16_t id = APR_ARRAY_IDX(how.seals, 0, ss_seal_t).keys->keys[0].id;

        first = owner[id];
        second = first == NULL ? NULL : secret;
        owner[id] = secret;
    }
    for (int encrypt = 0; encrypt <= 1; encrypt++) {
        const ss_sealing_t both = sealing(first, second, "native", NULL, "session", "");
        ss_sealing_t only = sealing(second, NULL, "native", NULL, "session", "");
        ss_candidates_t found;
        ss_session_t *session;
        ss_opened_t from;
        ss_sealed_t cookie;

        only.encrypt = encrypt;
        cookie = seal_text("{\"a\":1}", &only, NOW);
        found = candidates(&cookie, 1);
        ck_assert_int_eq(open_found(&session, &from, &found, &both, NOW), SS_VALID);
        ck_assert_int_eq(from.key, 1);
    }
}
END_TEST

START_TEST(both_kinds_open_whatever_is_written)
{
    const ss_sealing_t plain = one("native"), secret = encrypting();
    const char *json = "{\"user\":\"alice\"}";
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, seal_text(json, &secret, NOW), &plain, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of(json), "encrypted");
    ck_assert_int_eq(ss_session_stamp(session)->counter, 1);
    ck_assert_int_eq(open_one(&session, seal_text(json, &plain, NOW), &secret, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of(json), "signed");
}
END_TEST

START_TEST(an_encrypted_cookie_can_be_neither_changed_nor_read)
{
    const ss_sealing_t how = encrypting();
    ss_sealed_t cookie = seal_text("{\"role\":\"admin\"}", &how, NOW);
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };

    flip_bits(&cookie, &cookie.value, &how);
    stretch(&cookie, &cookie.value, &how);

    ck_assert_int_eq(
        ss_format_named("native")->look(&look, &cookie, ss_format_named("native"), pool),
        SS_LIKELY);
    for (int i = 0; i < look.parts->nelts; i++) {
        ck_assert_int_ne(APR_ARRAY_IDX(look.parts, i, ss_part_t).kind, SS_PART_JSON);
    }
}
END_TEST

START_TEST(two_encrypted_cookies_are_never_alike)
{
    ss_sealing_t how = encrypting();
    ss_sealed_t first, second;
    apr_size_t same = 0;

    how.random = ss_random;
    first = seal_text("{\"role\":\"admin\"}", &how, NOW);
    second = seal_text("{\"role\":\"admin\"}", &how, NOW);
    ck_assert_uint_eq(first.value.len, second.value.len);
    for (apr_size_t i = 48; i < first.value.len; i++) { /* behind the header */
        same += first.value.data[i] == second.value.data[i];
    }
    ck_assert_uint_lt(same, (first.value.len - 48) / 4);
}
END_TEST

static apr_status_t no_nonce(void *out, apr_size_t len)
{
    (void)out;
    return len == SS_SESSION_ID_SIZE ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t no_id(void *out, apr_size_t len)
{
    (void)out;
    return len == SS_SESSION_ID_SIZE ? APR_EGENERAL : APR_SUCCESS;
}

START_TEST(without_a_nonce_or_an_id_nothing_is_sealed)
{
    ss_sealing_t how = encrypting();
    ss_session_t *session = ss_session_create(pool);
    ss_sealing_result_t result;

    how.random = _i == 0 ? no_nonce : no_id;
    ss_session_replace(session, value_of("{\"a\":1}"));
    ck_assert_int_eq(ss_sealing_seal(&result, session, &how, NOW, pool), APR_EGENERAL);
    ck_assert_ptr_null(result.cookie.value.data);
}
END_TEST

/* The base point of P-256, and one that does not lie on the curve. */
static const unsigned char base_point[SS_POINT_SIZE] = { 0x03, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c,
                                                         0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63,
                                                         0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81,
                                                         0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39,
                                                         0x45, 0xd8, 0x98, 0xc2, 0x96 };
static const unsigned char no_point[SS_POINT_SIZE] = { 2, [SS_POINT_SIZE - 1] = 1 };

static ss_sealed_t seal_bound(const char *json, const unsigned char *point, const ss_sealing_t *how)
{
    ss_session_t *session = ss_session_create(pool);

    ss_session_replace(session, value_of(json));
    ss_session_bind(session, point);
    return seal_session(session, how, NOW);
}

START_TEST(a_bound_cookie_names_its_key)
{
    const ss_sealing_t how = _i == 0 ? one("native") : encrypting();
    ss_sealed_t plain = seal_text("{\"a\":1}", &how, NOW);
    ss_sealed_t cookie = seal_bound("{\"a\":1}", base_point, &how);
    ss_session_t *session;

    ck_assert_uint_eq(cookie.value.len, plain.value.len + 44);
    ck_assert_int_eq(open_one(&session, cookie, &how, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of("{\"a\":1}"), "text");
    ck_assert(ss_stamp_is_bound(ss_session_stamp(session)));
    ck_assert_mem_eq(ss_session_stamp(session)->point, base_point, SS_POINT_SIZE);
    ck_assert_int_eq(open_one(&session, plain, &how, NOW), SS_VALID);
    ck_assert(!ss_stamp_is_bound(ss_session_stamp(session)));
    flip_bits(&cookie, &cookie.value, &how);
    stretch(&cookie, &cookie.value, &how);
}
END_TEST

START_TEST(a_point_that_is_none_is_malformed)
{
    const ss_sealing_t how = _i == 0 ? one("native") : encrypting();
    unsigned char point[SS_POINT_SIZE];
    ss_session_t *session;

    for (int first = 1; first < 256; first++) {
        memcpy(point, base_point, sizeof(point));
        point[0] = (unsigned char)first;
        ck_assert_int_eq(open_one(&session, seal_bound("{\"a\":1}", point, &how), &how, NOW),
                         first == 2 || first == 3 ? SS_VALID : SS_MALFORMED);
    }
}
END_TEST

/* Only who has the secret can make one, and nobody can prove that it is his. */
START_TEST(a_point_beside_the_curve_is_seen_by_who_looks)
{
    static const unsigned char signature[SS_ES256_SIZE] = { 1, [SS_ES256_SIZE - 1] = 1 };
    const ss_format_t *format = ss_format_named("native");
    const ss_sealing_t how = one("native");
    ss_sealed_t cookie = seal_bound("{\"a\":1}", no_point, &how);
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };

    ck_assert_int_eq(format->look(&look, &cookie, format, pool), SS_UNLIKE);
    ck_assert_ptr_nonnull(strstr(look.why, "no point of P-256"));
    ck_assert(!ss_es256_verify(no_point, ss_bytes_of("text"), signature));
}
END_TEST

static ss_state_e open_raw(ss_payload_t *payload, ss_sealed_t cookie, const ss_sealing_t *how)
{
    const ss_seal_t seal = ss_sealing_as(how, 0);

    memset(payload, 0, sizeof(*payload));
    return seal.format->open(payload, &cookie, &seal, pool);
}

START_TEST(a_bound_reference_is_101_bytes)
{
    const ss_sealing_t how = one("native");
    ss_stamp_t stamp = { apr_time_sec(NOW), apr_time_sec(NOW), { 1 }, 1, { 0 } };
    ss_sealing_result_t result;
    ss_payload_t payload;

    memcpy(stamp.point, base_point, SS_POINT_SIZE);
    ck_assert_int_eq(ss_sealing_refer(&result, &stamp, &how, pool), APR_SUCCESS);
    ck_assert_uint_eq(result.cookie.value.len, 135); /* characters for 101 bytes */
    ck_assert_int_eq(open_raw(&payload, result.cookie, &how), SS_VALID);
    ck_assert(payload.is_reference);
    ck_assert_uint_eq(payload.text.len, 0);
    ck_assert_int_eq(payload.stamp.renewed, stamp.renewed);
    ck_assert_int_eq(payload.stamp.created, stamp.created);
    ck_assert_mem_eq(payload.stamp.id, stamp.id, sizeof(stamp.id));
    ck_assert_uint_eq(payload.stamp.counter, stamp.counter);
    ck_assert_mem_eq(payload.stamp.point, stamp.point, sizeof(stamp.point));
    flip_bits(&result.cookie, &result.cookie.value, &how);
}
END_TEST

static const char *kind_of(ss_sealed_t cookie, int *bound)
{
    const ss_format_t *format = ss_format_named("native");
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };
    const char *kind = NULL;

    *bound = 0;
    ck_assert_int_eq(format->look(&look, &cookie, format, pool), SS_LIKELY);
    for (int i = 0; i < look.parts->nelts; i++) {
        const ss_part_t *part = &APR_ARRAY_IDX(look.parts, i, ss_part_t);

        if (strcmp(part->name, "kind") == 0) {
            kind = apr_pstrmemdup(pool, part->bytes.data, part->bytes.len);
        }
        if (strcmp(part->name, "bound to") == 0) {
            *bound = ss_bytes_equal(part->bytes, ss_bytes((const char *)base_point, SS_POINT_SIZE));
        }
    }
    return kind;
}

START_TEST(who_looks_sees_the_key)
{
    const ss_sealing_t plain = one("native"), secret = encrypting();
    int bound;

    ck_assert_str_eq(kind_of(seal_bound("{}", base_point, &plain), &bound), "signed");
    ck_assert_str_eq(kind_of(seal_bound("{\"a\":1}", base_point, &plain), &bound), "signed, bound");
    ck_assert(bound);
    ck_assert_str_eq(kind_of(seal_bound("{\"a\":1}", base_point, &secret), &bound),
                     "encrypted, bound");
    ck_assert(bound);
    ck_assert_str_eq(kind_of(seal_text("{\"a\":1}", &secret, NOW), &bound), "encrypted");
    ck_assert(!bound);
}
END_TEST

static int resembles(ss_bytes_t value, const ss_sealing_t *how)
{
    const ss_seal_t *seal = &APR_ARRAY_IDX(how->seals, 0, ss_seal_t);

    return seal->format->resembles(exact(value.data, value.len), seal->keys, pool);
}

/* So that it can be hidden without being verified: only version and key id count. */
START_TEST(a_native_cookie_is_known_by_its_beginning)
{
    const ss_sealing_t how = sealing(SECRET_2, SECRET_1, "native", NULL, "session", "");
    const ss_sealing_t old = one("native"), foreign = one("starlette"), secret = encrypting();
    const ss_sealing_t other = sealing(SECRET_1, NULL, "native", NULL, "other", "");
    ss_bytes_t value = seal_text("{\"a\":1}", &old, NOW).value;
    char *copy = apr_pstrmemdup(pool, value.data, value.len);

    ck_assert(resembles(seal_text("{\"a\":1}", &how, NOW).value, &how));
    ck_assert(resembles(seal_text("{\"a\":1}", &secret, NOW).value, &old));
    ck_assert_msg(resembles(value, &how), "an older secret");
    ck_assert_msg(!resembles(seal_text("{\"a\":1}", &how, NOW).value, &old), "a newer secret");
    ck_assert_msg(!resembles(value, &other), "another cookie name");
    ck_assert_msg(!resembles(seal_text("{\"a\":1}", &foreign, NOW).value, &how), "another format");
    ck_assert_ptr_null(ss_format_named("starlette")->resembles);

    for (apr_size_t len = 0; len <= value.len; len++) {
        ck_assert_msg(resembles(ss_bytes(value.data, len), &how) == (len >= 8), "%d characters",
                      (int)len);
    }
    copy[value.len - 1] = '!';
    ck_assert_msg(resembles(ss_bytes(copy, value.len), &how), "nothing behind it is looked at");
    copy[0] = copy[0] == 'B' ? 'C' : 'B';
    ck_assert_msg(!resembles(ss_bytes(copy, value.len), &how), "another version");
    copy[0] = '!';
    ck_assert_msg(!resembles(ss_bytes(copy, value.len), &how), "no base64url");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format_native");
    TCase *tcase = unit_case(suite, "native");

    tcase_add_test(tcase, native_cookies_are_bound_to_name_and_audience);
    tcase_add_test(tcase, secrets_with_the_same_key_id_both_open);
    tcase_add_test(tcase, both_kinds_open_whatever_is_written);
    tcase_add_test(tcase, an_encrypted_cookie_can_be_neither_changed_nor_read);
    tcase_add_test(tcase, two_encrypted_cookies_are_never_alike);
    tcase_add_loop_test(tcase, without_a_nonce_or_an_id_nothing_is_sealed, 0, 2);
    tcase_add_test(tcase, a_native_cookie_is_known_by_its_beginning);
    tcase_add_loop_test(tcase, a_bound_cookie_names_its_key, 0, 2);
    tcase_add_loop_test(tcase, a_point_that_is_none_is_malformed, 0, 2);
    tcase_add_test(tcase, a_point_beside_the_curve_is_seen_by_who_looks);
    tcase_add_test(tcase, a_bound_reference_is_101_bytes);
    tcase_add_test(tcase, who_looks_sees_the_key);
    return unit_run(suite);
}
