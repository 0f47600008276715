/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "lib/encode.h"
#include "lib/format.h"

#define SECRET_1 "first secret of the unit tests, 0123456789"
#define SECRET_2 "second secret of the unit tests, 0123456789"
#define NOW apr_time_from_sec(1767225600) /* 2026-01-01T00:00:00Z */

static const ss_lifetime_t lifetime = {
    apr_time_from_sec(3600), SS_FOREVER, apr_time_from_sec(30), { SS_RENEW_NEVER, 0, 0 }, 1
};

static apr_status_t all_sevens(void *out, apr_size_t len)
{
    memset(out, 7, len);
    return APR_SUCCESS;
}

/* A sealing with up to two secrets and up to two formats; NULL leaves one out. */
static ss_sealing_t sealing(const char *first, const char *second, const char *emit,
                            const char *accept, const char *cookie_name, const char *audience)
{
    const char *texts[] = { first, second }, *names[] = { emit, accept };
    const ss_binding_t binding = { cookie_name, audience };
    apr_array_header_t *secrets = apr_array_make(pool, 2, sizeof(ss_secret_t));
    apr_array_header_t *seals = apr_array_make(pool, 2, sizeof(ss_seal_t));
    ss_sealing_t how = { cookie_name, seals, &lifetime, SS_COOKIE_MAX, all_sevens };

    for (int i = 0; i < 2; i++) {
        if (texts[i] != NULL) {
            ss_secret_t *secret = apr_array_push(secrets);

            secret->text = ss_bytes_of(texts[i]);
            secret->origin = "a test";
        }
    }
    for (int i = 0; i < 2; i++) {
        if (names[i] != NULL) {
            ss_seal_t *seal = apr_array_push(seals);
            ss_keyring_t *keys;

            seal->format = ss_format_named(names[i]);
            ck_assert_ptr_nonnull(seal->format);
            ck_assert_int_eq(
                ss_keyring_create(&keys, secrets, seal->format->derive, &binding, pool),
                APR_SUCCESS);
            seal->keys = keys;
        }
    }
    return how;
}

static ss_sealing_t one(const char *format)
{
    return sealing(SECRET_1, NULL, format, NULL, "session", "");
}

static ss_bytes_t seal_text(const char *json, const ss_sealing_t *how, apr_time_t now)
{
    ss_session_t *session = ss_session_create(pool);
    ss_bytes_t value;
    ss_stamp_t stamp;
    apr_size_t over;

    ss_session_replace(session, ss_bytes_of(json));
    ck_assert_int_eq(ss_format_seal(&value, &stamp, &over, session, how, now, pool), APR_SUCCESS);
    ck_assert_uint_eq(over, 0);
    return value;
}

static ss_state_e open_one(ss_session_t **session, ss_bytes_t value, const ss_sealing_t *how,
                           apr_time_t now)
{
    ss_bytes_t values[] = { exact(value.data, value.len) };
    ss_provenance_t from;
    ss_state_e state = ss_format_open(session, &from, values, 1, how, now, pool);

    ck_assert_int_eq(state == SS_VALID, *session != NULL);
    ck_assert_int_eq(state == SS_VALID, from.format != NULL);
    return state;
}

static int formats_count(void)
{
    int count = 0;

    while (ss_formats[count] != NULL) {
        count++;
    }
    return count;
}

#define FORMAT (ss_formats[_i]->name)

START_TEST(what_is_sealed_opens)
{
    const ss_sealing_t how = one(FORMAT);
    const char *json = "{\"user\":\"Zo\xc3\xab\",\"n\":[1,2.50,null,{\"\":true}]}";
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, seal_text(json, &how, NOW), &how, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of(json), FORMAT);
    ck_assert_int_eq(ss_session_stamp(session)->renewed, apr_time_sec(NOW));
}
END_TEST

START_TEST(every_bit_of_a_cookie_counts)
{
    const ss_sealing_t how = one(FORMAT);
    ss_bytes_t value = seal_text("{\"role\":\"admin\"}", &how, NOW);
    ss_session_t *session;

    for (apr_size_t i = 0; i < value.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            char *copy = apr_pmemdup(pool, value.data, value.len);

            copy[i] = (char)(copy[i] ^ (1 << bit));
            ck_assert_msg(open_one(&session, ss_bytes(copy, value.len), &how, NOW) != SS_VALID,
                          "%s: byte %d, bit %d", FORMAT, (int)i, bit);
        }
    }
}
END_TEST

START_TEST(a_shorter_or_longer_cookie_is_refused)
{
    const ss_sealing_t how = one(FORMAT);
    ss_bytes_t value = seal_text("{\"role\":\"admin\"}", &how, NOW);
    const char *more[] = { "A", "=", ".", "AAAA", "\xff" };
    ss_session_t *session;

    for (apr_size_t len = 0; len < value.len; len++) {
        ck_assert_int_ne(open_one(&session, ss_bytes(value.data, len), &how, NOW), SS_VALID);
    }
    for (int i = 0; i < COUNT(more); i++) {
        const char *longer = apr_psprintf(pool, "%.*s%s", (int)value.len, value.data, more[i]);

        ck_assert_int_ne(open_one(&session, ss_bytes_of(longer), &how, NOW), SS_VALID);
    }
}
END_TEST

START_TEST(an_old_secret_still_opens_and_says_which)
{
    const ss_sealing_t old = one(FORMAT);
    const ss_sealing_t rotated = sealing(SECRET_2, SECRET_1, FORMAT, NULL, "session", "");
    ss_bytes_t value = seal_text("{\"a\":1}", &old, NOW);
    ss_session_t *session;
    ss_provenance_t from;

    ck_assert_int_eq(ss_format_open(&session, &from, &value, 1, &rotated, NOW, pool), SS_VALID);
    ck_assert_int_eq(from.key, 1);
    ck_assert_str_eq(from.format->name, FORMAT);
    ck_assert_uint_eq(from.size, strlen("session") + value.len);

    value = seal_text("{\"a\":1}", &rotated, NOW);
    ck_assert_int_eq(ss_format_open(&session, &from, &value, 1, &rotated, NOW, pool), SS_VALID);
    ck_assert_int_eq(from.key, 0);
}
END_TEST

START_TEST(a_dropped_secret_no_longer_opens)
{
    const ss_sealing_t old = one(FORMAT);
    const ss_sealing_t now = sealing(SECRET_2, NULL, FORMAT, NULL, "session", "");
    ss_session_t *session;
    ss_state_e want = strcmp(FORMAT, "native") == 0 ? SS_UNKNOWN_KEY : SS_BAD_SIGNATURE;

    ck_assert_int_eq(open_one(&session, seal_text("{\"a\":1}", &old, NOW), &now, NOW), want);
}
END_TEST

START_TEST(time_is_judged_after_the_signature)
{
    const ss_sealing_t how = one(FORMAT);
    ss_bytes_t value = seal_text("{\"a\":1}", &how, NOW);
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, value, &how, NOW + apr_time_from_sec(3600)), SS_VALID);
    ck_assert_int_eq(open_one(&session, value, &how, NOW + apr_time_from_sec(3601)),
                     SS_EXPIRED_IDLE);
    ck_assert_int_eq(open_one(&session, value, &how, NOW - apr_time_from_sec(30)), SS_VALID);
    ck_assert_int_eq(open_one(&session, value, &how, NOW - apr_time_from_sec(31)), SS_FROM_FUTURE);
}
END_TEST

START_TEST(a_sealed_document_that_is_no_object_is_malformed)
{
    const ss_sealing_t how = one(FORMAT);
    const ss_seal_t *seal = (const ss_seal_t *)how.seals->elts;
    const char *texts[] = { "null", "[]", "\"a\"", "1", "", "{", "{}x", "\xff" };
    ss_session_t *session;

    for (int i = 0; i < COUNT(texts); i++) {
        ss_payload_t payload = { ss_bytes_of(texts[i]),
                                 { apr_time_sec(NOW), apr_time_sec(NOW), { 0 }, 1 } };
        ss_bytes_t value;

        ck_assert_int_eq(seal->format->seal(&value, &payload, seal->keys, pool), APR_SUCCESS);
        ck_assert_msg(open_one(&session, value, &how, NOW) == SS_MALFORMED, "%s: %s", FORMAT,
                      texts[i]);
    }
}
END_TEST

START_TEST(formats_do_not_open_each_other)
{
    const ss_sealing_t how = one(FORMAT);
    ss_session_t *session;

    for (int other = 0; ss_formats[other] != NULL; other++) {
        if (other != _i) {
            const ss_sealing_t its = one(ss_formats[other]->name);

            ck_assert_int_ne(open_one(&session, seal_text("{\"a\":1}", &its, NOW), &how, NOW),
                             SS_VALID);
        }
    }
}
END_TEST

START_TEST(further_formats_are_accepted_where_named)
{
    const ss_sealing_t both =
        sealing(SECRET_1, NULL, "native", FORMAT[0] == 'n' ? NULL : FORMAT, "session", "");
    const ss_sealing_t its = one(FORMAT);
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, seal_text("{\"a\":1}", &its, NOW), &both, NOW), SS_VALID);
}
END_TEST

START_TEST(a_cookie_that_does_not_fit_is_not_sealed)
{
    ss_sealing_t how = one(FORMAT);
    ss_session_t *session = ss_session_create(pool);
    apr_size_t over, size;
    ss_bytes_t value;
    ss_stamp_t stamp;

    ss_session_replace(session, ss_bytes_of("{\"key\":\"0123456789\"}"));
    ck_assert_int_eq(ss_format_seal(&value, &stamp, &over, session, &how, NOW, pool), APR_SUCCESS);
    size = strlen("session") + value.len;

    how.max_size = size;
    ck_assert_int_eq(ss_format_seal(&value, &stamp, &over, session, &how, NOW, pool), APR_SUCCESS);
    how.max_size = size - 3;
    ck_assert_int_eq(ss_format_seal(&value, &stamp, &over, session, &how, NOW, pool), APR_ENOSPC);
    ck_assert_uint_eq(over, 3);
    ck_assert_ptr_null(value.data);
}
END_TEST

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
        ck_assert_int_ne(open_one(&session, seal_text("{\"a\":1}", &how, NOW), &others[i], NOW),
                         SS_VALID);
    }
}
END_TEST

/* With 16 bits of key id, two secrets may share one; both must be tried. */
START_TEST(secrets_with_the_same_key_id_both_open)
{
    const char *owner[65536] = { NULL };
    const char *first = NULL, *second = NULL;
    ss_session_t *session;
    ss_provenance_t from;
    ss_bytes_t value;
    ss_sealing_t both;

    for (int i = 0; second == NULL; i++) {
        const char *secret = apr_psprintf(pool, "a secret with a number behind it: %d", i);
        const ss_sealing_t how = sealing(secret, NULL, "native", NULL, "session", "");
        apr_uint16_t id = APR_ARRAY_IDX(how.seals, 0, ss_seal_t).keys->keys[0].id;

        first = owner[id];
        second = first == NULL ? NULL : secret;
        owner[id] = secret;
    }
    both = sealing(first, second, "native", NULL, "session", "");
    {
        const ss_sealing_t only = sealing(second, NULL, "native", NULL, "session", "");

        value = seal_text("{\"a\":1}", &only, NOW);
    }
    ck_assert_int_eq(ss_format_open(&session, &from, &value, 1, &both, NOW, pool), SS_VALID);
    ck_assert_int_eq(from.key, 1);
}
END_TEST

START_TEST(of_several_cookies_the_first_that_holds_wins)
{
    const ss_sealing_t how = one("native");
    ss_bytes_t good = seal_text("{\"a\":1}", &how, NOW), bad = ss_bytes_of("bad");
    ss_bytes_t late[] = { bad, bad, bad, good }, too_late[] = { bad, bad, bad, bad, good };
    ss_bytes_t tampered[] = { ss_bytes_of(
                                  apr_pstrcat(pool, apr_pstrmemdup(pool, good.data, good.len - 1),
                                              good.data[good.len - 1] == 'A' ? "E" : "A", NULL)),
                              bad };
    ss_session_t *session;
    ss_provenance_t from;

    ck_assert_int_eq(ss_format_open(&session, &from, late, 4, &how, NOW, pool), SS_VALID);
    ck_assert_int_eq(ss_format_open(&session, &from, too_late, 5, &how, NOW, pool), SS_MALFORMED);
    ck_assert_int_eq(ss_format_open(&session, &from, tampered, 2, &how, NOW, pool),
                     SS_BAD_SIGNATURE);
    ck_assert_int_eq(ss_format_open(&session, &from, late, 0, &how, NOW, pool), SS_NONE);
    ck_assert_ptr_null(session);
}
END_TEST

START_TEST(a_cookie_over_the_limit_is_not_even_verified)
{
    const ss_sealing_t how = one("native");
    char *big = apr_palloc(pool, SS_COOKIE_MAX);
    ss_session_t *session;

    memset(big, 'A', SS_COOKIE_MAX);
    ck_assert_int_eq(open_one(&session, ss_bytes(big, SS_COOKIE_MAX - 7), &how, NOW), SS_MALFORMED);
    ck_assert_int_eq(open_one(&session, ss_bytes(big, SS_COOKIE_MAX - 6), &how, NOW), SS_TOO_LARGE);
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
    const ss_sealing_t old = one("native"), foreign = one("starlette");
    const ss_sealing_t other = sealing(SECRET_1, NULL, "native", NULL, "other", "");
    ss_bytes_t value = seal_text("{\"a\":1}", &old, NOW);
    char *copy = apr_pstrmemdup(pool, value.data, value.len);

    ck_assert(resembles(seal_text("{\"a\":1}", &how, NOW), &how));
    ck_assert_msg(resembles(value, &how), "an older secret");
    ck_assert_msg(!resembles(seal_text("{\"a\":1}", &how, NOW), &old), "a newer secret");
    ck_assert_msg(!resembles(value, &other), "another cookie name");
    ck_assert_msg(!resembles(seal_text("{\"a\":1}", &foreign, NOW), &how), "another format");
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

/* Other shapes that bare JSON and base64 have: nothing without a signature is ever accepted. */
START_TEST(nothing_unsigned_opens)
{
    const char *values[] = { "",      "{}",   "e30",    "e30=",       "e30=.aVW5AA", "..",
                             "e30..", ".e30", "a.b.c.", "eyJhIjoxfQ", "null",        "\"\"" };
    const ss_sealing_t how = sealing(SECRET_1, NULL, "native", "starlette", "session", "");
    ss_session_t *session;

    for (int i = 0; i < COUNT(values); i++) {
        ck_assert_int_ne(open_one(&session, ss_bytes_of(values[i]), &how, NOW), SS_VALID);
    }
}
END_TEST

/*
 * Vectors: cookies that somebody else made
 */

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    ck_assert_msg(text != NULL, "a vector has no %s", name);
    return text;
}

static void check_stamp(const json_t *vector, const ss_stamp_t *stamp, const char *what)
{
    const json_t *created = json_object_get(vector, "created");
    const json_t *counter = json_object_get(vector, "counter");

    ck_assert_msg(stamp->renewed == json_integer_value(json_object_get(vector, "renewed")), "%s",
                  what);
    if (json_is_integer(created)) {
        ck_assert_msg(stamp->created == json_integer_value(created), "%s", what);
    }
    if (json_is_integer(counter)) {
        ck_assert_msg(stamp->counter == json_integer_value(counter), "%s", what);
        assert_bytes(ss_bytes((const char *)stamp->id, sizeof(stamp->id)),
                     unhex(member(vector, "id")), what);
    }
}

/* Opened by us it is what went in, and sealed by us it is the same cookie, byte for byte. */
static void check_vector(const json_t *vector, const char *format)
{
    const char *what = member(vector, "what");
    const ss_sealing_t how = sealing(member(vector, "secret"), NULL, format, NULL,
                                     member(vector, "cookie_name"), member(vector, "audience"));
    const ss_seal_t *seal = (const ss_seal_t *)how.seals->elts;
    apr_int64_t renewed = json_integer_value(json_object_get(vector, "renewed"));
    ss_bytes_t value = ss_bytes_of(member(vector, "value")), again;
    ss_session_t *session;
    ss_payload_t payload;

    ck_assert_msg(open_one(&session, value, &how, apr_time_from_sec(renewed)) == SS_VALID, "%s",
                  what);
    payload.text = ss_session_text(session);
    payload.stamp = *ss_session_stamp(session);
    assert_bytes(payload.text, ss_bytes_of(member(vector, "json")), what);
    check_stamp(vector, &payload.stamp, what);
    ck_assert_int_eq(seal->format->seal(&again, &payload, seal->keys, pool), APR_SUCCESS);
    assert_bytes(again, value, what);
}

START_TEST(cookies_that_others_made_open)
{
    const char *root = getenv("SS_SRCDIR") != NULL ? getenv("SS_SRCDIR") : ".";
    const char *path = apr_psprintf(pool, "%s/tests/vectors/%s/vectors.json", root, FORMAT);
    json_error_t error;
    json_t *file = json_load_file(path, 0, &error), *vector;
    size_t i;

    ck_assert_msg(file != NULL, "%s: %s", path, error.text);
    ck_assert_uint_gt(json_array_size(json_object_get(file, "cookies")), 0);
    json_array_foreach(json_object_get(file, "cookies"), i, vector)
    {
        check_vector(vector, FORMAT);
    }
    json_decref(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *each = unit_case(suite, "each format");
    TCase *all = unit_case(suite, "all formats");
    int count = formats_count();

    tcase_add_loop_test(each, what_is_sealed_opens, 0, count);
    tcase_add_loop_test(each, every_bit_of_a_cookie_counts, 0, count);
    tcase_add_loop_test(each, a_shorter_or_longer_cookie_is_refused, 0, count);
    tcase_add_loop_test(each, an_old_secret_still_opens_and_says_which, 0, count);
    tcase_add_loop_test(each, a_dropped_secret_no_longer_opens, 0, count);
    tcase_add_loop_test(each, time_is_judged_after_the_signature, 0, count);
    tcase_add_loop_test(each, a_sealed_document_that_is_no_object_is_malformed, 0, count);
    tcase_add_loop_test(each, formats_do_not_open_each_other, 0, count);
    tcase_add_loop_test(each, further_formats_are_accepted_where_named, 0, count);
    tcase_add_loop_test(each, a_cookie_that_does_not_fit_is_not_sealed, 0, count);
    tcase_add_loop_test(each, cookies_that_others_made_open, 0, count);
    tcase_add_test(all, native_cookies_are_bound_to_name_and_audience);
    tcase_add_test(all, secrets_with_the_same_key_id_both_open);
    tcase_add_test(all, of_several_cookies_the_first_that_holds_wins);
    tcase_add_test(all, a_cookie_over_the_limit_is_not_even_verified);
    tcase_add_test(all, a_native_cookie_is_known_by_its_beginning);
    tcase_add_test(all, nothing_unsigned_opens);
    return unit_run(suite);
}
