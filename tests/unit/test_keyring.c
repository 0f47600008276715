/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/keyring.h"

#define GOOD "vE8sR3kQ1nZ7xT5mW9pL2cB6yH4jD0fA-uG_iKoN3qe"

/* clang-format off */
static const struct {
    const char *what, *secret;
    const char *number; /* of the message, or NULL */
} judged[] = {
    { "as ssctl keygen prints it",            GOOD,                                        NULL },
    { "32 bytes",                             "vE8sR3kQ1nZ7xT5mW9pL2cB6yH4jD0fA", NULL },
    { "hexadecimal digits",                   "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", NULL },
    { "a pass phrase of its own",             "correct-horse-battery-staple-0123456789", NULL },
    { "a known word among others",            "letmein" GOOD,                              NULL },
    { "a known word at the end",              GOOD "secret", NULL },
    { "eight different bytes, unordered",     "abcdefghhgfedcbaaabbccddeeffgghh", NULL },
    { "as openssl rand -base64 prints it",    "Zx8+mT2/vKq0Lr5Yw7Nb4Hd1Pc9Jf6Sg3QeUaXkWoMs=", NULL },
    { "words with gaps in them",              "chan1ge2me-rep3lace-exam4ple-inse5cure-9Kq2", NULL },
    { "what begins like a telling word",      "exampl-replac-placeholde-insecur-yoursecre", NULL },
    { "a unit of nine bytes",                 "k7Rq2Xv9Tk7Rq2Xv9Tk7Rq2Xv9Tk7Rq2Xv9T", NULL },
    /* length */
    { "31 bytes",                             "vE8sR3kQ1nZ7xT5mW9pL2cB6yH4jD0f", "SS0102" },
    { "one byte",                             "v", "SS0102" },
    { "nothing",                              "", "SS0102" },
    /* entropy */
    { "one character",                        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "SS0103" },
    { "one character, no letter",             "------------------------------------", "SS0103" },
    { "seven different bytes",                "abcdefggfedcbaaabbccddeeffggabcdefg", "SS0103" },
    { "a unit of five bytes",                 "k7Rq2k7Rq2k7Rq2k7Rq2k7Rq2k7Rq2k7Rq2", "SS0103" },
    { "a unit of eight bytes",                "k7Rq2Xv9k7Rq2Xv9k7Rq2Xv9k7Rq2Xv9", "SS0103" },
    { "a unit of eight, cut short",           "k7Rq2Xv9k7Rq2Xv9k7Rq2Xv9k7Rq2Xv9k7R", "SS0103" },
    /* known texts */
    { "a known text, which is short too",     "changeme", "SS0104" },
    { "in capitals",                          "ChangeMe", "SS0104" },
    { "with other punctuation",               "your_secret_key!", "SS0104" },
    { "of more than one word",                "Your Secret Key Here", "SS0104" },
    { "an example of Express",                "keyboard cat", "SS0104" },
    { "an example of Django",                 "django-insecure", "SS0104" },
    { "again and again",                      "changemechangemechangemechangeme", "SS0104" },
    { "again and again, with separators",     "change-me-change-me-change-me-change-me", "SS0104" },
    { "again and again, cut short",           "supersecretsupersecretsupersecretsuper", "SS0104" },
    { "padded with a digit",                  "secret00000000000000000000000000", "SS0104" },
    { "padded with a letter",                 "passwordXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "SS0104" },
    { "padded with punctuation",              "replace-me!!!!!!!!!!!!!!!!!!!!!!!!!", "SS0104" },
    { "padded with a letter it ends with",    "not-so-secretttttttttttttttttttttttt", "SS0104" },
    { "the digits in order",                  "0123456789abcdef0123456789abcdef", "SS0104" },
    { "the alphabet",                         "abcdefghijklmnopqrstuvwxyz0123456789", "SS0104" },
    /* text that says so itself */
    { "change me, among others",              "CHANGE_ME_TO_A_RANDOM_STRING_OF_32_CHARS", "SS0104" },
    { "changeme, in the middle",              GOOD "changeme" GOOD, "SS0104" },
    { "change this",                          "please-change-this-before-production-1234", "SS0104" },
    { "change it",                            "Xy7!Change It! 0123456789 abcdefghij klm", "SS0104" },
    { "replace, at the end",                  GOOD "-RePlAcE", "SS0104" },
    { "replaced by hand",                     "<replace-with-openssl-rand-hex-32-output>", "SS0104" },
    { "your secret, with all separators",     "--put_your- _secret-key-of-32-bytes-here", "SS0104" },
    { "a placeholder",                        "this-is-only-a-placeholder-for-a-real-one", "SS0104" },
    { "as django-admin startproject makes",
      "django-insecure-k2#x@9vq1$w8z!r4t7y0u3i6o5p_s-d(f)g=h", "SS0104" },
    { "an example",                           "Example session key 7362-9173-aknr-2281", "SS0104" },
    { "not to be used",                       "development-key-do-not-use-in-production", "SS0104" },
    { "telling and too short",                "for example", "SS0104" },
    { "long, from a web page",                "a-string-secret-at-least-256-bits-long", "SS0104" },
};
/* clang-format on */

/* Secrets that claim to be lines of a file. */
static apr_array_header_t *secrets_of(const char *const texts[], int count)
{
    apr_array_header_t *secrets = apr_array_make(pool, count, sizeof(ss_secret_t));

    for (int i = 0; i < count; i++) {
        ss_secret_t *secret = apr_array_push(secrets);

        secret->text = exact_of(texts[i]);
        secret->origin = apr_psprintf(pool, "file:/keys line %d", i + 1);
    }
    return secrets;
}

static const char *judge(const char *text)
{
    return ss_keyring_judge(secrets_of(&text, 1), pool);
}

START_TEST(judges_secrets)
{
    const char *message = judge(judged[_i].secret);

    if (judged[_i].number == NULL) {
        ck_assert_msg(message == NULL, "%s: %s", judged[_i].what, message);
        return;
    }
    ck_assert_msg(message != NULL, "%s", judged[_i].what);
    ck_assert_msg(strncmp(message, judged[_i].number, 6) == 0, "%s: %s", judged[_i].what, message);
    ck_assert_ptr_nonnull(strstr(message, "file:/keys line 1"));
    ck_assert_ptr_nonnull(strstr(message, "ssctl keygen"));
}
END_TEST

/* None of its digits is a letter of all that a telling word needs. */
START_TEST(takes_random_hexadecimal_digits)
{
    for (int i = 0; i < 2000; i++) {
        char random[SS_SECRET_MIN];
        ss_secret_t secret = { { NULL, 0 }, "env:KEY" };
        apr_array_header_t *secrets = apr_array_make(pool, 1, sizeof(ss_secret_t));
        char *text = apr_palloc(pool, 2 * sizeof(random) + 1);

        ck_assert_int_eq(ss_random((unsigned char *)random, sizeof(random)), APR_SUCCESS);
        for (apr_size_t at = 0; at < sizeof(random); at++) {
            apr_snprintf(text + 2 * at, 3, "%02x", (unsigned char)random[at]);
        }
        secret.text = ss_bytes(text, 2 * sizeof(random));
        APR_ARRAY_PUSH(secrets, ss_secret_t) = secret;
        ck_assert_ptr_null(ss_keyring_judge(secrets, pool));
    }
}
END_TEST

START_TEST(never_prints_a_secret)
{
    const char *message = judge(judged[_i].secret);

    if (message != NULL && strlen(judged[_i].secret) > 1) {
        ck_assert_msg(strstr(message, judged[_i].secret) == NULL, "%s", message);
    }
}
END_TEST

START_TEST(says_how_short_a_secret_is)
{
    ck_assert_str_eq(judge("k7Rq2Xv9TwLm"),
                     "SS0102: the secret from file:/keys line 1 is too short: 12 bytes, at least "
                     "32 are needed (try: ssctl keygen)");
}
END_TEST

START_TEST(takes_bytes_of_any_value)
{
    char bytes[SS_SECRET_MIN];
    ss_secret_t secret;
    apr_array_header_t *secrets = apr_array_make(pool, 1, sizeof(ss_secret_t));

    for (int i = 0; i < SS_SECRET_MIN; i++) {
        bytes[i] = (char)(i * 67);
    }
    secret.text = exact(bytes, sizeof(bytes));
    secret.origin = "env:KEY";
    APR_ARRAY_PUSH(secrets, ss_secret_t) = secret;
    ck_assert_ptr_null(ss_keyring_judge(secrets, pool));
}
END_TEST

START_TEST(finds_a_secret_that_appears_twice)
{
    const char *const texts[] = { GOOD, GOOD "0", GOOD "1", GOOD "0" };
    const char *const neighbours[] = { GOOD, GOOD };

    ck_assert_str_eq(ss_keyring_judge(secrets_of(neighbours, 2), pool),
                     "SS0105: the same secret appears twice: file:/keys line 1 and "
                     "file:/keys line 2");
    ck_assert_ptr_null(ss_keyring_judge(secrets_of(texts, 3), pool));
    ck_assert_str_eq(ss_keyring_judge(secrets_of(texts, 4), pool),
                     "SS0105: the same secret appears twice: file:/keys line 2 and "
                     "file:/keys line 4");
}
END_TEST

START_TEST(judges_every_secret)
{
    const char *const texts[] = { GOOD, GOOD "0", "short" };
    const char *message = ss_keyring_judge(secrets_of(texts, 3), pool);

    ck_assert_ptr_nonnull(message);
    ck_assert_ptr_nonnull(strstr(message, "file:/keys line 3"));
}
END_TEST

/* A derivation that is easy to check: the id is the length of the secret. */
static apr_status_t derive(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                           apr_pool_t *p)
{
    ss_mac_t *mac;
    apr_status_t rv = ss_mac_create(&mac, SS_SHA256, secret, p);

    ck_assert_int_eq(key->id, 0);
    ck_assert_ptr_null(key->mac);
    ck_assert_str_eq(binding->cookie_name, "session");
    key->id = (apr_uint16_t)secret.len;
    key->mac = mac;
    return rv;
}

static apr_status_t fail_at_long_secrets(ss_key_t *key, ss_bytes_t secret,
                                         const ss_binding_t *binding, apr_pool_t *p)
{
    return secret.len > strlen(GOOD) ? APR_EGENERAL : derive(key, secret, binding, p);
}

START_TEST(makes_a_key_of_each_secret_in_order)
{
    static const ss_binding_t binding = { "session", "" };
    const char *const texts[] = { GOOD "00", GOOD, GOOD "0" };
    ss_keyring_t *ring;

    ck_assert_int_eq(
        ss_keyring_create(&ring, secrets_of(texts, COUNT(texts)), derive, &binding, pool),
        APR_SUCCESS);
    ck_assert_int_eq(ring->count, COUNT(texts));
    for (int i = 0; i < ring->count; i++) {
        unsigned char signature[SS_SHA256_SIZE];
        ss_mac_t *mac;

        ck_assert_uint_eq(ring->keys[i].id, strlen(texts[i]));
        ck_assert_int_eq(ss_mac_create(&mac, SS_SHA256, ss_bytes_of(texts[i]), pool), APR_SUCCESS);
        ck_assert_int_eq(ss_mac_compute(mac, signature, ss_bytes_of("text")), APR_SUCCESS);
        ck_assert(ss_mac_verify(ring->keys[i].mac, ss_bytes_of("text"),
                                ss_bytes((const char *)signature, sizeof(signature))));
    }
}
END_TEST

START_TEST(makes_no_ring_when_one_key_fails)
{
    static const ss_binding_t binding = { "session", "" };
    const char *const texts[] = { GOOD, GOOD "0" };
    ss_keyring_t *ring = (ss_keyring_t *)&binding;

    ck_assert_int_eq(ss_keyring_create(&ring, secrets_of(texts, COUNT(texts)), fail_at_long_secrets,
                                       &binding, pool),
                     APR_EGENERAL);
    ck_assert_ptr_null(ring);
}
END_TEST

/* Whichever fitted last, the key that fits is found, and what fits none is refused. */
START_TEST(finds_the_key_that_fits_after_any_other)
{
    static const ss_binding_t binding = { "session", "" };
    const char *const texts[] = { GOOD, GOOD "0", GOOD "00", GOOD "000" };
    unsigned char signatures[COUNT(texts)][SS_SHA256_SIZE];
    ss_keyring_t *ring;

    ck_assert_int_eq(
        ss_keyring_create(&ring, secrets_of(texts, COUNT(texts)), derive, &binding, pool),
        APR_SUCCESS);
    for (int i = 0; i < COUNT(texts); i++) {
        ck_assert_int_eq(ss_mac_compute(ring->keys[i].mac, signatures[i], ss_bytes_of("text")),
                         APR_SUCCESS);
    }
    for (int i = 0; i < COUNT(texts) * COUNT(texts); i++) {
        int wanted = i % COUNT(texts), before = i / COUNT(texts), found = -1;

        for (int step = 0; step < 2; step++) {
            int which = step == 0 ? before : wanted;
            ss_bytes_t signature = ss_bytes((const char *)signatures[which], SS_SHA256_SIZE);

            ck_assert(ss_keyring_verify(&found, ring, ss_bytes_of("text"), signature));
            ck_assert_int_eq(found, which);
            ck_assert(!ss_keyring_verify(&found, ring, ss_bytes_of("test"), signature));
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keyring");
    TCase *tcase = unit_case(suite, "judge");

    tcase_add_loop_test(tcase, judges_secrets, 0, COUNT(judged));
    tcase_add_loop_test(tcase, never_prints_a_secret, 0, COUNT(judged));
    tcase_add_test(tcase, says_how_short_a_secret_is);
    tcase_add_test(tcase, takes_random_hexadecimal_digits);
    tcase_add_test(tcase, takes_bytes_of_any_value);
    tcase_add_test(tcase, finds_a_secret_that_appears_twice);
    tcase_add_test(tcase, judges_every_secret);

    tcase = unit_case(suite, "create");
    tcase_add_test(tcase, makes_a_key_of_each_secret_in_order);
    tcase_add_test(tcase, makes_no_ring_when_one_key_fails);

    tcase = unit_case(suite, "verify");
    tcase_add_test(tcase, finds_the_key_that_fits_after_any_other);

    return unit_run(suite);
}
