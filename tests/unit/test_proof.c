/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/proof.h"
#include "tests/unit/formats.h"

#define LIFETIME 600 /* seconds */
#define SKEW 30

/* A bound session: an id, and the base point of the curve. */
static const ss_stamp_t stamp = { .id = "0123456789abcde",
                                  .point = { 0x03, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47,
                                             0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77,
                                             0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1,
                                             0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96 } };

static ss_stamp_t other_id(void)
{
    ss_stamp_t other = stamp;

    other.id[15] ^= 1;
    return other;
}

static ss_stamp_t other_point(void)
{
    ss_stamp_t other = stamp;

    other.point[0] ^= 1;
    return other;
}

static const ss_keyring_t *keys_with(const char *first, const char *second, const char *name,
                                     const char *audience)
{
    const ss_sealing_t how = sealing(first, second, "native", NULL, name, audience);

    return APR_ARRAY_IDX(how.seals, 0, ss_seal_t).keys;
}

static const ss_keyring_t *keys(void)
{
    return keys_with(SECRET_1, NULL, "session", "");
}

static ss_proof_time_t after(apr_int64_t seconds)
{
    const ss_proof_time_t time = { NOW + apr_time_from_sec(seconds), apr_time_from_sec(LIFETIME),
                                   apr_time_from_sec(SKEW) };

    return time;
}

/*
 * The three kinds, as if they were one
 */

typedef enum kind_e { PROOF, REGISTRATION, REFRESH, IDENTIFIER, KINDS } kind_e;

static ss_bytes_t made(kind_e kind, const ss_keyring_t *ring)
{
    ss_bytes_t value;
    apr_status_t rv;

    switch (kind) {
    case PROOF:
        rv = ss_proof_make(&value, &stamp, ring, NOW, pool);
        break;
    case IDENTIFIER:
        rv = ss_identifier_make(&value, &stamp, ring, pool);
        break;
    default:
        rv = ss_challenge_make(
            &value, kind == REGISTRATION ? SS_CHALLENGE_REGISTRATION : SS_CHALLENGE_REFRESH, &stamp,
            ring, NOW, pool);
    }
    ck_assert_int_eq(rv, APR_SUCCESS);
    return value;
}

/* With a memory, before it knows of it and afterwards, it is the same. */
static int holds_as_proof(ss_bytes_t value, const ss_stamp_t *whose, const ss_keyring_t *ring,
                          const ss_proof_time_t *time)
{
    ss_memory_t *memory = ss_memory_create(pool);
    int holds = ss_proof_holds(value, whose, ring, time, NULL, pool);

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ss_proof_holds(value, whose, ring, time, memory, pool), holds);
    }
    return holds;
}

static int holds(kind_e kind, ss_bytes_t value, const ss_stamp_t *whose, const ss_keyring_t *ring,
                 apr_int64_t seconds)
{
    const ss_proof_time_t time = after(seconds);
    ss_stamp_t found;

    value = exact(value.data, value.len);
    switch (kind) {
    case PROOF:
        return holds_as_proof(value, whose, ring, &time);
    case IDENTIFIER:
        return ss_identifier_open(&found, value, ring, pool) &&
               memcmp(&found, whose, sizeof(found)) == 0;
    default:
        return ss_challenge_holds(
            value, kind == REGISTRATION ? SS_CHALLENGE_REGISTRATION : SS_CHALLENGE_REFRESH, whose,
            ring, &time, pool);
    }
}

START_TEST(what_is_made_holds)
{
    static const apr_size_t sizes[KINDS] = { SS_PROOF_SIZE, SS_CHALLENGE_SIZE, SS_CHALLENGE_SIZE,
                                             SS_IDENTIFIER_SIZE };
    ss_bytes_t value = made(_i, keys());

    ck_assert_uint_eq(value.len, sizes[_i]);
    ck_assert(holds(_i, value, &stamp, keys(), 0));
}
END_TEST

START_TEST(nothing_that_was_altered_holds)
{
    const ss_bytes_t value = made(_i, keys());

    for (apr_size_t i = 0; i < value.len; i++) {
        for (int bit = 0; bit < 7; bit++) {
            char *copy = apr_pmemdup(pool, value.data, value.len);

            copy[i] = (char)(copy[i] ^ (1 << bit));
            ck_assert_msg(!holds(_i, ss_bytes(copy, value.len), &stamp, keys(), 0), "%d of %d", bit,
                          (int)i);
        }
        ck_assert_msg(!holds(_i, ss_bytes(value.data, i), &stamp, keys(), 0), "cut at %d", (int)i);
    }
    ck_assert(
        !holds(_i,
               ss_bytes(apr_pstrcat(pool, apr_pstrmemdup(pool, value.data, value.len), "A", NULL),
                        value.len + 1),
               &stamp, keys(), 0));
}
END_TEST

START_TEST(none_holds_in_the_place_of_another)
{
    for (int kind = 0; kind < KINDS; kind++) {
        ck_assert_int_eq(holds(kind, made(_i, keys()), &stamp, keys(), 0), kind == _i);
    }
}
END_TEST

START_TEST(each_is_of_one_session_and_one_key)
{
    const ss_stamp_t id = other_id(), point = other_point();

    ck_assert(!holds(_i, made(_i, keys()), &id, keys(), 0));
    /* a registration is about a session that has no key yet */
    ck_assert_int_eq(holds(_i, made(_i, keys()), &point, keys(), 0), _i == REGISTRATION);
}
END_TEST

START_TEST(each_is_of_one_secret_name_and_audience)
{
    const ss_bytes_t value = made(_i, keys());

    ck_assert_msg(holds(_i, value, &stamp, keys_with(SECRET_2, SECRET_1, "session", ""), 0),
                  "after a rotation");
    ck_assert_msg(!holds(_i, value, &stamp, keys_with(SECRET_2, NULL, "session", ""), 0), "secret");
    ck_assert_msg(!holds(_i, value, &stamp, keys_with(SECRET_1, NULL, "other", ""), 0), "name");
    ck_assert_msg(!holds(_i, value, &stamp, keys_with(SECRET_1, NULL, "session", "shop"), 0),
                  "audience");
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    kind_e kind;
    apr_int64_t lifetime;
} lived[] = {
    { "a proof",                      PROOF,        LIFETIME },
    { "a challenge to register",      REGISTRATION, 300 },
    { "a challenge to refresh",       REFRESH,      300 },
};
/* clang-format on */

START_TEST(each_has_its_time)
{
    const ss_bytes_t value = made(lived[_i].kind, keys());
    const apr_int64_t lifetime = lived[_i].lifetime;

    ck_assert(holds(lived[_i].kind, value, &stamp, keys(), lifetime));
    ck_assert(!holds(lived[_i].kind, value, &stamp, keys(), lifetime + 1));
    ck_assert(holds(lived[_i].kind, value, &stamp, keys(), -SKEW));
    ck_assert(!holds(lived[_i].kind, value, &stamp, keys(), -SKEW - 1));
}
END_TEST

START_TEST(an_identifier_has_no_end)
{
    ck_assert(holds(IDENTIFIER, made(IDENTIFIER, keys()), &stamp, keys(), 1000000000));
}
END_TEST

START_TEST(a_proof_is_known_by_its_beginning)
{
    const ss_bytes_t value = made(PROOF, keys());
    char *copy = apr_pmemdup(pool, value.data, value.len);

    ck_assert(ss_proof_resembles(value, keys(), pool));
    ck_assert(!ss_proof_resembles(value, keys_with(SECRET_2, NULL, "session", ""), pool));
    ck_assert(!ss_proof_resembles(ss_bytes(value.data, value.len - 1), keys(), pool));
    ck_assert(!ss_proof_resembles(ss_bytes("", 0), keys(), pool));
    copy[value.len - 10] ^= 1;
    ck_assert_msg(ss_proof_resembles(value, keys(), pool), "nothing is verified");
}
END_TEST

/* Computed once with Python's hmac and hashlib from the layout in lib/proof.h. */
START_TEST(the_bytes_are_those_of_the_layout)
{
    /* clang-format off */
    static const char *const values[KINDS] = {
        "AQWAAABpVbkAuZXbSiNxvLDrzTCZiI25RKYmXNHRSlLcUiexHpYKpd8",
        "AQEFgAAAaVW5ANVsAlg1_kVCs9YtntH4wSQ",
        "AQIFgAAAaVW5AH9uLM5DIMQIT3-tHP6nQ4k",
        "AQWAMDEyMzQ1Njc4OWFiY2RlAANrF9Hy4SxCR_i85uVjpEDydwN9gS3rM6D0oTlF2JjClkouiHK6STYgxd9g3RXZ2xk",
    };
    /* clang-format on */

    assert_bytes(made(_i, keys()), ss_bytes_of(values[_i]), "value");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proof");
    TCase *tcase = unit_case(suite, "proof");

    tcase_add_loop_test(tcase, what_is_made_holds, 0, KINDS);
    tcase_add_loop_test(tcase, nothing_that_was_altered_holds, 0, KINDS);
    tcase_add_loop_test(tcase, none_holds_in_the_place_of_another, 0, KINDS);
    tcase_add_loop_test(tcase, each_is_of_one_session_and_one_key, 0, KINDS);
    tcase_add_loop_test(tcase, each_is_of_one_secret_name_and_audience, 0, KINDS);
    tcase_add_loop_test(tcase, each_has_its_time, 0, COUNT(lived));
    tcase_add_test(tcase, an_identifier_has_no_end);
    tcase_add_test(tcase, a_proof_is_known_by_its_beginning);
    tcase_add_loop_test(tcase, the_bytes_are_those_of_the_layout, 0, KINDS);
    return unit_run(suite);
}
