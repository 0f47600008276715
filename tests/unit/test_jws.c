/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "lib/encode.h"
#include "lib/jws.h"
#include "tests/unit/values.h"

/*
 * A browser: a key pair, and what it signs with it
 */

static EVP_PKEY *browser;
static unsigned char coordinates[2][SS_FIELD_SIZE];

static void make_browser(void)
{
    unsigned char whole[1 + 2 * SS_FIELD_SIZE];
    size_t len;

    unit_setup();
    browser = EVP_EC_gen("P-256");
    ck_assert_ptr_nonnull(browser);
    ck_assert_int_eq(EVP_PKEY_get_octet_string_param(browser, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                                     whole, sizeof(whole), &len),
                     1);
    ck_assert_uint_eq(len, sizeof(whole));
    memcpy(coordinates, whole + 1, sizeof(coordinates));
}

static void end_browser(void)
{
    EVP_PKEY_free(browser);
    unit_teardown();
}

static const char *encoded(const void *data, apr_size_t len)
{
    char *text = apr_pcalloc(pool, ss_base64_size(SS_BASE64URL, len) + 1);

    ss_base64_encode(SS_BASE64URL, text, ss_bytes(data, len));
    return text;
}

static const char *encoded_text(const char *text)
{
    return encoded(text, strlen(text));
}

static unsigned char *sign_der(size_t *len, const char *text)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char *der = apr_palloc(pool, 80);

    *len = 80;
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, browser), 1);
    ck_assert_int_eq(EVP_DigestSign(context, der, len, (const unsigned char *)text, strlen(text)),
                     1);
    EVP_MD_CTX_free(context);
    return der;
}

static void sign(unsigned char raw[SS_ES256_SIZE], const char *text)
{
    size_t len;
    const unsigned char *der = sign_der(&len, text);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);

    ck_assert_ptr_nonnull(pair);
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, SS_FIELD_SIZE);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + SS_FIELD_SIZE, SS_FIELD_SIZE);
    ECDSA_SIG_free(pair);
}

static const char *signed_parts(const char *header, const char *payload)
{
    const char *text = apr_pstrcat(pool, header, ".", payload, NULL);
    unsigned char raw[SS_ES256_SIZE];

    sign(raw, text);
    return apr_pstrcat(pool, text, ".", encoded(raw, sizeof(raw)), NULL);
}

static const char *signed_json(const char *header, const char *payload)
{
    return signed_parts(encoded_text(header), encoded_text(payload));
}

#define HEAD "\"alg\":\"ES256\",\"typ\":\"dbsc+jwt\""
#define REFRESH "{" HEAD "}"
#define PAYLOAD "{\"jti\":\"AbC-_9\"}"

/* A header as Chromium sends it when it registers; `x` and `y` are this browser's. */
static const char *registration(void)
{
    return apr_psprintf(pool,
                        "{" HEAD ",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\","
                        "\"y\":\"%s\"}}",
                        encoded(coordinates[0], SS_FIELD_SIZE),
                        encoded(coordinates[1], SS_FIELD_SIZE));
}

static const char *read_jws(ss_jws_t *jws, const char *text)
{
    return ss_jws_read(jws, exact_of(text), pool);
}

START_TEST(a_registration_is_read_and_holds)
{
    ss_jws_t jws;

    ck_assert_ptr_null(read_jws(&jws, signed_json(registration(), PAYLOAD)));
    ck_assert(jws.has_key);
    ck_assert_int_eq(jws.point[0], 2 + coordinates[1][SS_FIELD_SIZE - 1] % 2);
    ck_assert_mem_eq(jws.point + 1, coordinates[0], SS_FIELD_SIZE);
    assert_bytes(jws.challenge, ss_bytes_of("AbC-_9"), "challenge");
    ck_assert(ss_jws_verify(&jws, jws.point));
}
END_TEST

START_TEST(a_refresh_has_no_key_and_holds_for_the_one_that_is_known)
{
    unsigned char point[SS_POINT_SIZE];
    ss_jws_t jws;

    ck_assert(ss_point_of(point, coordinates[0], coordinates[1], pool));
    ck_assert_ptr_null(read_jws(&jws, signed_json(REFRESH, PAYLOAD)));
    ck_assert(!jws.has_key);
    ck_assert(ss_jws_verify(&jws, point));
    point[0] ^= 1; /* the other point of this x */
    ck_assert(!ss_jws_verify(&jws, point));
}
END_TEST

START_TEST(what_was_altered_does_not_hold)
{
    ss_jws_t good, jws;
    const char *other = signed_json(registration(), "{\"jti\":\"another\"}");

    ck_assert_ptr_null(read_jws(&good, signed_json(registration(), PAYLOAD)));
    for (int bit = 0; bit < 8 * SS_ES256_SIZE; bit++) {
        jws = good;
        jws.signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
        ck_assert_msg(!ss_jws_verify(&jws, good.point), "bit %d of the signature", bit);
    }
    for (int half = 0; half < 2; half++) {
        jws = good;
        memset(jws.signature + half * SS_FIELD_SIZE, 0, SS_FIELD_SIZE);
        ck_assert_msg(!ss_jws_verify(&jws, good.point), "%c is zero", half == 0 ? 'r' : 's');
    }
    jws = good;
    memset(jws.signature, 0xff, SS_ES256_SIZE);
    ck_assert_msg(!ss_jws_verify(&jws, good.point), "r and s beyond the order");
    ck_assert_ptr_null(read_jws(&jws, other));
    memcpy(jws.signature, good.signature, SS_ES256_SIZE);
    ck_assert_msg(!ss_jws_verify(&jws, good.point), "another challenge");
}
END_TEST

/* clang-format off */
static const struct { const char *what, *header, *payload; } refused[] = {
    { "no algorithm",                  "{\"typ\":\"dbsc+jwt\"}", PAYLOAD },
    { "the algorithm none",            "{\"alg\":\"none\",\"typ\":\"dbsc+jwt\"}", PAYLOAD },
    { "RS256",                         "{\"alg\":\"RS256\",\"typ\":\"dbsc+jwt\"}", PAYLOAD },
    { "an algorithm in small letters", "{\"alg\":\"es256\",\"typ\":\"dbsc+jwt\"}", PAYLOAD },
    { "an algorithm that is no text",  "{\"alg\":[\"ES256\"],\"typ\":\"dbsc+jwt\"}", PAYLOAD },
    { "no type",                       "{\"alg\":\"ES256\"}", PAYLOAD },
    { "another type",                  "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", PAYLOAD },
    { "the algorithm twice",           "{\"alg\":\"none\"," HEAD "}", PAYLOAD },
    { "twice, once escaped",           "{\"\\u0061lg\":\"none\"," HEAD "}", PAYLOAD },
    { "an extension",                  "{" HEAD ",\"crit\":[\"exp\"]}", PAYLOAD },
    { "a header that is no object",    "[]", PAYLOAD },
    { "a header that is no JSON",      "{" HEAD, PAYLOAD },
    { "a header that is empty",        "", PAYLOAD },
    { "a key that is no object",       "{" HEAD ",\"jwk\":\"EC\"}", PAYLOAD },
    { "a key without coordinates",     "{" HEAD ",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\"}}", PAYLOAD },
    { "a key of RSA",                  "{" HEAD ",\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"}}", PAYLOAD },
    { "a key of another curve",        "{" HEAD ",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AQ\",\"y\":\"AQ\"}}", PAYLOAD },
    { "a coordinate that is short",    "{" HEAD ",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}}", PAYLOAD },
    { "no point of the curve",         "{" HEAD ",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
                                       "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
                                       "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}}", PAYLOAD },
    { "a coordinate over the prime",   "{" HEAD ",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
                                       "\"x\":\"__________________________________________8\","
                                       "\"y\":\"__________________________________________8\"}}", PAYLOAD },
    { "no challenge",                  REFRESH, "{}" },
    { "a challenge that is no text",   REFRESH, "{\"jti\":1}" },
    { "two challenges",                REFRESH, "{\"jti\":\"a\",\"jti\":\"b\"}" },
    { "a payload that is no object",   REFRESH, "\"jti\"" },
    { "a payload that is empty",       REFRESH, "" },
};
/* clang-format on */

START_TEST(what_is_signed_must_be_right)
{
    ss_jws_t jws;

    ck_assert_msg(read_jws(&jws, signed_json(refused[_i].header, refused[_i].payload)) != NULL,
                  "%s", refused[_i].what);
}
END_TEST

START_TEST(there_are_three_parts_in_one_spelling)
{
    const char *good = signed_json(REFRESH, PAYLOAD), *header = encoded_text(REFRESH);
    size_t der_len;
    const unsigned char *der =
        sign_der(&der_len, apr_pstrcat(pool, header, ".", encoded_text(PAYLOAD), NULL));
    const char *wrong[] = {
        "",
        ".",
        "..",
        "...",
        apr_pstrcat(pool, good, ".", NULL),
        apr_pstrcat(pool, good, "A", NULL),
        apr_pstrcat(pool, good, "=", NULL),
        apr_pstrcat(pool, good, "\n", NULL),
        apr_pstrcat(pool, " ", good, NULL),
        apr_pstrcat(pool, "\"", good, "\"", NULL),
        apr_pstrcat(pool, ".", good, NULL),
        apr_pstrcat(pool, header, ".", encoded_text(PAYLOAD), NULL),
        apr_pstrcat(pool, header, ".", encoded_text(PAYLOAD), ".", NULL),
        apr_pstrcat(pool, header, ".", encoded_text(PAYLOAD), ".", encoded(der, der_len), NULL),
        apr_pstrcat(pool, header, ".", encoded_text(PAYLOAD), ".", encoded(der, 63), NULL),
        signed_parts(apr_pstrcat(pool, header, "=", NULL), encoded_text(PAYLOAD)),
        signed_parts(header, apr_pstrcat(pool, encoded_text(PAYLOAD), "!", NULL)),
        signed_parts("e31", encoded_text(PAYLOAD)), /* spare bits that are not zero */
    };
    ss_jws_t jws;

    for (int i = 0; i < COUNT(wrong); i++) {
        ck_assert_msg(read_jws(&jws, wrong[i]) != NULL, "%s", wrong[i]);
    }
    for (size_t len = 0; len < strlen(good); len++) {
        ck_assert_msg(read_jws(&jws, apr_pstrndup(pool, good, len)) != NULL, "cut at %d", (int)len);
    }
}
END_TEST

START_TEST(one_that_is_too_long_is_not_looked_at)
{
    char *filler = apr_pcalloc(pool, SS_JWS_MAX + 1);
    ss_jws_t jws;

    memset(filler, 'x', SS_JWS_MAX);
    for (int len = 1000; len < SS_JWS_MAX; len += 10) {
        const char *more = apr_pstrndup(pool, filler, (apr_size_t)len);
        const char *text =
            signed_json(REFRESH, apr_psprintf(pool, "{\"jti\":\"a\",\"more\":\"%s\"}", more));

        ck_assert_int_eq(read_jws(&jws, text) == NULL, strlen(text) <= SS_JWS_MAX);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jws");
    TCase *tcase = tcase_create("jws");

    tcase_add_checked_fixture(tcase, make_browser, end_browser);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_registration_is_read_and_holds);
    tcase_add_test(tcase, a_refresh_has_no_key_and_holds_for_the_one_that_is_known);
    tcase_add_test(tcase, what_was_altered_does_not_hold);
    tcase_add_loop_test(tcase, what_is_signed_must_be_right, 0, COUNT(refused));
    tcase_add_test(tcase, there_are_three_parts_in_one_spelling);
    tcase_add_test(tcase, one_that_is_too_long_is_not_looked_at);
    return unit_run(suite);
}
