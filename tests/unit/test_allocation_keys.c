/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Memory that runs out while keys are made and judged, and while browsers prove to have theirs. */

#include "lib/jws.h"
#include "lib/proof.h"
#include "tests/unit/exhaust.h"
#include "tests/unit/formats.h"

static outcome_e make_keys(const void *format, apr_pool_t *from)
{
    static const ss_binding_t binding = { "session", "" };
    apr_array_header_t *formats = apr_array_make(from, 1, sizeof(const ss_format_t *));
    apr_array_header_t *secrets = apr_array_make(from, 2, sizeof(ss_secret_t));
    static const char *const texts[] = { SECRET_1, SECRET_2 };
    ss_sealing_t how = { .lifetime = &lifetime, .max_size = SS_COOKIE_MAX, .random = all_sevens };

    APR_ARRAY_PUSH(formats, const ss_format_t *) = format;
    for (int i = 0; i < COUNT(texts); i++) {
        ss_secret_t *secret = apr_array_push(secrets);

        secret->text = ss_bytes_of(texts[i]);
        secret->origin = "a test";
    }
    if (ss_sealing_init(&how, formats, secrets, &binding, from) != APR_SUCCESS) {
        return REFUSED;
    }
    relent();
    return seal_text("{\"a\":1}", &how, NOW).value.len > 0 ? DONE : WRONG;
}

START_TEST(keys)
{
    exhaust(FORMAT, make_keys, ss_formats[_i]);
}
END_TEST

static outcome_e judge(const void *secrets, apr_pool_t *from)
{
    return ss_keyring_judge(secrets, from) == NULL ? DONE : WRONG;
}

/* A cookie whose key is said to be none would be overwritten. */
static outcome_e check_key(const void *point, apr_pool_t *from)
{
    return ss_point_is_valid(point, from) ? DONE : WRONG;
}

static outcome_e make_point(const void *point, apr_pool_t *from)
{
    unsigned char made[SS_POINT_SIZE];
    static const unsigned char y[SS_FIELD_SIZE] = {
        0xc7, 0xf1, 0x44, 0xcd, 0x1b, 0xbd, 0x9b, 0x7e, 0x87, 0x2c, 0xdf,
        0xed, 0xb9, 0xee, 0xb9, 0xf4, 0xb3, 0x69, 0x5d, 0x6e, 0xa9, 0x0b,
        0x24, 0xad, 0x8a, 0x46, 0x23, 0x28, 0x85, 0x88, 0xe5, 0xad
    };

    return ss_point_of(made, (const unsigned char *)point + 1, y, from) ? DONE : WRONG;
}

START_TEST(keys_of_browsers)
{
    static const unsigned char point[SS_POINT_SIZE] = { 0x03, 0x7f, 0xcd, 0xce, 0x27, 0x70, 0xf6,
                                                        0xc4, 0x5d, 0x41, 0x83, 0xcb, 0xee, 0x6f,
                                                        0xdb, 0x4b, 0x7b, 0x58, 0x07, 0x33, 0x35,
                                                        0x7b, 0xe9, 0xef, 0x13, 0xba, 0xcf, 0x6e,
                                                        0x3c, 0x7b, 0xd1, 0x54, 0x45 };

    exhaust("ss_point_is_valid", check_key, point);
    exhaust("ss_point_of", make_point, point);
}
END_TEST

/* What a browser has signed, with its key in it. */
#define JWS                                                                                        \
    "eyJhbGciOiAiRVMyNTYiLCAidHlwIjogImRic2Mrand0IiwgImp3ayI6IHsia3R5IjogIkVDIiwgImNy"             \
    "diI6ICJQLTI1NiIsICJ4IjogIkd2eWo4eERVMTJ6UjRiOWZzeHBZX2dDWVJicm5uVVhhZ285MU1QdnBo"             \
    "YlUiLCAieSI6ICJLQ3dra1B5SGZhWF8xbWRibVZzSFd5cVo3ZFJZNDVXRkRKdjJJRHI4VlpzIn19.eyJ"             \
    "qdGkiOiAiQWJDLV85In0.RrDf1coM10WDmnxXizBTgAhmnhkedAitrlvKHyMTMvZ_pupcY17iOlM6ru4"             \
    "Xcwq0wP58KNWI4fv-aq5zcP-p4w"

static outcome_e read_jws(const void *text, apr_pool_t *from)
{
    ss_jws_t jws;

    if (ss_jws_read(&jws, ss_bytes_of(text), from) != NULL || !jws.has_key) {
        return WRONG;
    }
    return ss_jws_verify(&jws, jws.point) ? DONE : REFUSED;
}

/** What is made for a bound session, and its keys. */
typedef struct bound_t {
    const ss_keyring_t *keys;
    ss_stamp_t stamp;
} bound_t;

static outcome_e prove(const void *bound_, apr_pool_t *from)
{
    const bound_t *bound = bound_;
    const ss_proof_time_t time = { NOW, apr_time_from_sec(600), 0 };
    ss_bytes_t value;

    if (ss_proof_make(&value, &bound->stamp, bound->keys, NOW, from) != APR_SUCCESS) {
        return REFUSED;
    }
    return ss_proof_holds(value, &bound->stamp, bound->keys, &time, NULL, from) ? DONE : WRONG;
}

static outcome_e challenge(const void *bound_, apr_pool_t *from)
{
    const bound_t *bound = bound_;
    const ss_proof_time_t time = { NOW, 0, 0 };
    ss_bytes_t value;

    if (ss_challenge_make(&value, SS_CHALLENGE_REFRESH, &bound->stamp, bound->keys, NOW, from) !=
        APR_SUCCESS) {
        return REFUSED;
    }
    return ss_challenge_holds(value, SS_CHALLENGE_REFRESH, &bound->stamp, bound->keys, &time, from)
               ? DONE
               : WRONG;
}

static outcome_e identify(const void *bound_, apr_pool_t *from)
{
    const bound_t *bound = bound_;
    ss_stamp_t stamp;
    ss_bytes_t value;

    if (ss_identifier_make(&value, &bound->stamp, bound->keys, from) != APR_SUCCESS) {
        return REFUSED;
    }
    return ss_identifier_open(&stamp, value, bound->keys, from) ? DONE : WRONG;
}

START_TEST(bindings)
{
    const ss_sealing_t how = one("native");
    bound_t bound = { APR_ARRAY_IDX(how.seals, 0, ss_seal_t).keys, { .point = { 2, 1 } } };

    exhaust("ss_jws_read", read_jws, JWS);
    exhaust("proof", prove, &bound);
    exhaust("challenge", challenge, &bound);
    exhaust("identifier", identify, &bound);
}
END_TEST

START_TEST(judging_secrets)
{
    apr_array_header_t *secrets = apr_array_make(pool, 1, sizeof(ss_secret_t));
    ss_secret_t *secret = apr_array_push(secrets);

    secret->text = ss_bytes_of(SECRET_1);
    secret->origin = "a test";
    exhaust("ss_keyring_judge", judge, secrets);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("allocation_keys");
    TCase *tcase = exhausting_case(suite);

    tcase_add_loop_test(tcase, keys, 0, formats_count());
    tcase_add_test(tcase, keys_of_browsers);
    tcase_add_test(tcase, bindings);
    tcase_add_test(tcase, judging_secrets);
    return unit_run(suite);
}
