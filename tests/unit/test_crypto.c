/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include <apr_thread_proc.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto.h"

#define LONG_TEXT "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define AA_10 "aaaaaaaaaaaaaaaaaaaa"
#define AA_20 AA_10 AA_10
#define AA_80 AA_20 AA_20 AA_20 AA_20
#define AA_131 AA_80 AA_20 AA_20 AA_10 "aa"

/* clang-format off */
static const struct {
    const char *text;
    ss_hash_e hash;
    const char *digest;
} digests[] = {
    /* the examples of FIPS 180-4, and the empty text */
    { "abc",     SS_SHA1,   "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { LONG_TEXT, SS_SHA1,   "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
    { "",        SS_SHA1,   "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
    { "abc",     SS_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { LONG_TEXT, SS_SHA256, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "",        SS_SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
};

static const struct {
    const char *source;
    ss_hash_e hash;
    const char *key, *text, *mac; /* hexadecimal */
} macs[] = {
    { "RFC 2202 section 3, case 1", SS_SHA1,
      "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
      "b617318655057264e28bc0b6fb378c8ef146be00" },
    { "RFC 2202 section 3, case 2: a key shorter than the hash", SS_SHA1,
      "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
      "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
    { "RFC 2202 section 3, case 6: a key longer than a block", SS_SHA1,
      AA_80, "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048"
      "617368204b6579204669727374",
      "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
    { "RFC 4231 case 1", SS_SHA256,
      "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { "RFC 4231 case 2: a key shorter than the hash", SS_SHA256,
      "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { "RFC 4231 case 3", SS_SHA256,
      AA_20, "dddddddddddddddddddddddddddddddddddddddddddddddddd"
      "dddddddddddddddddddddddddddddddddddddddddddddddddd",
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { "RFC 4231 case 6: a key longer than a block", SS_SHA256,
      AA_131, "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048"
      "617368204b6579204669727374",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
};

static const struct {
    const char *source, *secret, *salt, *info, *okm; /* hexadecimal */
} derivations[] = {
    { "RFC 5869 A.1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
      "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
    { "RFC 5869 A.2: longer inputs and output",
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
      "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
      "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687"
      "88898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
      "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7"
      "d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac78272"
      "71cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f"
      "1d87" },
    { "RFC 5869 A.3: no salt and no info", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
};

static const struct {
    const char *source, *key, *text, *data, *sealed; /* key and sealed in hexadecimal */
} aeads[] = {
    { "https://c2sp.org/XAES-256-GCM, first vector: the highest bit of L is 0",
      "0101010101010101010101010101010101010101010101010101010101010101", "XAES-256-GCM", "",
      "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271" },
    { "https://c2sp.org/XAES-256-GCM, second vector: the highest bit of L is 1",
      "0303030303030303030303030303030303030303030303030303030303030303", "XAES-256-GCM",
      "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d" },
};
/* clang-format on */

/* A buffer without a byte to spare. */
static unsigned char *room(apr_size_t len)
{
    return (unsigned char *)exact(apr_pcalloc(pool, len + 1), len).data;
}

static ss_bytes_t made(const unsigned char *out, apr_size_t len)
{
    return ss_bytes((const char *)out, len);
}

static ss_mac_t *mac_of(ss_hash_e hash, ss_bytes_t key)
{
    ss_mac_t *mac;

    ck_assert_int_eq(ss_mac_create(&mac, hash, key, pool), APR_SUCCESS);
    ck_assert_ptr_nonnull(mac);
    return mac;
}

#define NONCE ((const unsigned char *)"ABCDEFGHIJKLMNOPQRSTUVWX")

static ss_aead_t *aead_of(ss_bytes_t key)
{
    ss_aead_t *aead;

    ck_assert_uint_eq(key.len, SS_AEAD_KEY_SIZE);
    ck_assert_int_eq(ss_aead_create(&aead, (const unsigned char *)key.data, pool), APR_SUCCESS);
    ck_assert_ptr_nonnull(aead);
    return aead;
}

START_TEST(hashes)
{
    ss_bytes_t text = exact_of(digests[_i].text), want = unhex(digests[_i].digest);
    apr_size_t size = ss_hash_size(digests[_i].hash);
    unsigned char *out = room(size);

    ck_assert_int_eq(ss_hash(digests[_i].hash, out, &text, 1), APR_SUCCESS);
    ck_assert(ss_bytes_equal(made(out, size), want));
}
END_TEST

START_TEST(hashes_slices_as_one_text)
{
    const ss_bytes_t slices[] = { exact_of("a"), ss_bytes(NULL, 0), exact_of("bc"), exact_of("") };
    unsigned char out[SS_SHA256_SIZE];

    ck_assert_int_eq(ss_hash(SS_SHA256, out, slices, COUNT(slices)), APR_SUCCESS);
    ck_assert(ss_bytes_equal(made(out, sizeof(out)), unhex(digests[3].digest)));
    ck_assert_int_eq(ss_hash(SS_SHA256, out, NULL, 0), APR_SUCCESS);
    ck_assert(ss_bytes_equal(made(out, sizeof(out)), unhex(digests[5].digest)));
}
END_TEST

START_TEST(computes_macs)
{
    const ss_mac_t *mac = mac_of(macs[_i].hash, unhex(macs[_i].key));
    apr_size_t size = ss_hash_size(macs[_i].hash);
    ss_bytes_t text = unhex(macs[_i].text), want = unhex(macs[_i].mac);

    /* more than once: a keyed MAC is only read */
    for (int time = 0; time < 3; time++) {
        unsigned char *out = room(size);

        ck_assert_int_eq(ss_mac_compute(mac, out, text), APR_SUCCESS);
        ck_assert_msg(ss_bytes_equal(made(out, size), want), "%s", macs[_i].source);
        ck_assert_msg(ss_mac_verify(mac, text, want), "%s", macs[_i].source);
    }
}
END_TEST

START_TEST(keeps_its_own_copy_of_the_key)
{
    ss_bytes_t key = unhex(macs[4].key);
    const ss_mac_t *mac = mac_of(SS_SHA256, key);

    ss_wipe((char *)key.data, key.len);
    ck_assert(ss_mac_verify(mac, unhex(macs[4].text), unhex(macs[4].mac)));
}
END_TEST

START_TEST(refuses_a_signature_with_any_bit_wrong)
{
    const ss_mac_t *mac = mac_of(SS_SHA256, unhex(macs[4].key));
    ss_bytes_t text = unhex(macs[4].text), signature = unhex(macs[4].mac);
    char *bytes = (char *)signature.data;

    for (apr_size_t bit = 0; bit < 8 * signature.len; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        ck_assert_msg(!ss_mac_verify(mac, text, signature), "bit %d", (int)bit);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    ck_assert(ss_mac_verify(mac, text, signature));
}
END_TEST

START_TEST(refuses_a_signature_of_another_length)
{
    const ss_mac_t *mac = mac_of(SS_SHA256, unhex(macs[4].key));
    ss_bytes_t text = unhex(macs[4].text), whole = unhex(macs[4].mac);

    for (apr_size_t len = 0; len < whole.len; len++) {
        ck_assert(!ss_mac_verify(mac, text, exact(whole.data, len)));
    }
    ck_assert(!ss_mac_verify(mac, text, ss_bytes(NULL, 0)));
    ck_assert(!ss_mac_verify(mac, text, exact(apr_pstrcat(pool, macs[4].mac, "0", NULL), 33)));
}
END_TEST

START_TEST(refuses_another_text_or_key)
{
    const ss_mac_t *mac = mac_of(SS_SHA256, unhex(macs[4].key));
    const ss_mac_t *other = mac_of(SS_SHA256, exact_of("jefe"));
    ss_bytes_t text = unhex(macs[4].text), signature = unhex(macs[4].mac);

    ck_assert(!ss_mac_verify(mac, exact(text.data, text.len - 1), signature));
    ck_assert(!ss_mac_verify(mac, ss_bytes(NULL, 0), signature));
    ck_assert(!ss_mac_verify(other, text, signature));
}
END_TEST

/** What each thread works on. */
typedef struct shared_t {
    const ss_mac_t *mac;
    const ss_aead_t *aead;
    ss_bytes_t text, signature, sealed;
} shared_t;

static void *APR_THREAD_FUNC verify_often(apr_thread_t *thread, void *data)
{
    const shared_t *shared = data;
    int failed = 0;

    for (int i = 0; i < 2000; i++) {
        unsigned char out[SS_HASH_SIZE_MAX];

        failed += !ss_mac_verify(shared->mac, shared->text, shared->signature);
        failed += !ss_aead_open(shared->aead, out, NONCE, shared->sealed, ss_bytes("", 0));
    }
    apr_thread_exit(thread, failed == 0 ? APR_SUCCESS : APR_EGENERAL);
    return NULL;
}

START_TEST(serves_threads_at_the_same_time)
{
    shared_t shared = { mac_of(SS_SHA256, unhex(macs[4].key)), aead_of(unhex(aeads[0].key)),
                        unhex(macs[4].text), unhex(macs[4].mac), unhex(aeads[0].sealed) };
    apr_thread_t *threads[4];

    for (int i = 0; i < COUNT(threads); i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, verify_often, &shared, pool),
                         APR_SUCCESS);
    }
    for (int i = 0; i < COUNT(threads); i++) {
        apr_status_t result, rv = apr_thread_join(&result, threads[i]);

        ck_assert_int_eq(rv, APR_SUCCESS);
        ck_assert_int_eq(result, APR_SUCCESS);
    }
}
END_TEST

START_TEST(encrypts)
{
    const ss_aead_t *aead = aead_of(unhex(aeads[_i].key));
    ss_bytes_t text = exact_of(aeads[_i].text), data = exact_of(aeads[_i].data);
    ss_bytes_t want = unhex(aeads[_i].sealed);

    /* more than once: what is keyed is only read */
    for (int time = 0; time < 3; time++) {
        unsigned char *out = room(want.len), *again = room(text.len);

        ck_assert_int_eq(ss_aead_seal(aead, out, NONCE, text, data), APR_SUCCESS);
        ck_assert_msg(ss_bytes_equal(made(out, want.len), want), "%s", aeads[_i].source);
        ck_assert(ss_aead_open(aead, again, NONCE, want, data));
        ck_assert(ss_bytes_equal(made(again, text.len), text));
    }
}
END_TEST

/* The accumulated test of the specification: 10 000 messages from one random stream, and a hash of
 * all ciphertexts. SHAKE-128 is asked of libcrypto itself, which nothing else here does. */
static ss_bytes_t next_bytes(ss_bytes_t *stream, apr_size_t len)
{
    ss_bytes_t part = ss_bytes(stream->data, len);

    ck_assert_uint_le(len, stream->len);
    *stream = ss_bytes(stream->data + len, stream->len - len);
    return part;
}

static ss_bytes_t next_vector(ss_bytes_t *stream)
{
    return next_bytes(stream, (unsigned char)next_bytes(stream, 1).data[0]);
}

#define MESSAGES 10000
#define MESSAGE_MAX (SS_AEAD_KEY_SIZE + SS_AEAD_NONCE_SIZE + 2 * 256)

START_TEST(encrypts_ten_thousand_messages)
{
    apr_size_t size = (apr_size_t)MESSAGES * MESSAGE_MAX;
    unsigned char *random = malloc(size), hash[32], out[255 + SS_AEAD_TAG_SIZE];
    ss_bytes_t stream = ss_bytes((const char *)random, size);
    EVP_MD_CTX *shake = EVP_MD_CTX_new();

    ck_assert_int_eq(EVP_DigestInit_ex(shake, EVP_shake128(), NULL), 1);
    ck_assert_int_eq(EVP_DigestFinalXOF(shake, random, size), 1);
    ck_assert_int_eq(EVP_DigestInit_ex(shake, EVP_shake128(), NULL), 1);
    for (int i = 0; i < MESSAGES; i++) {
        apr_pool_t *message;
        ss_bytes_t key = next_bytes(&stream, SS_AEAD_KEY_SIZE);
        ss_bytes_t nonce = next_bytes(&stream, SS_AEAD_NONCE_SIZE);
        ss_bytes_t text = next_vector(&stream), data = next_vector(&stream);
        ss_aead_t *aead;

        apr_pool_create(&message, pool);
        ck_assert_int_eq(ss_aead_create(&aead, (const unsigned char *)key.data, message),
                         APR_SUCCESS);
        ck_assert_int_eq(ss_aead_seal(aead, out, (const unsigned char *)nonce.data, text, data),
                         APR_SUCCESS);
        ck_assert_int_eq(EVP_DigestUpdate(shake, out, text.len + SS_AEAD_TAG_SIZE), 1);
        apr_pool_destroy(message);
    }
    ck_assert_int_eq(EVP_DigestFinalXOF(shake, hash, sizeof(hash)), 1);
    EVP_MD_CTX_free(shake);
    free(random);
    ck_assert(
        ss_bytes_equal(made(hash, sizeof(hash)),
                       unhex("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939")));
}
END_TEST

START_TEST(decrypts_nothing_that_was_touched)
{
    const ss_aead_t *aead = aead_of(unhex(aeads[1].key)), *other = aead_of(unhex(aeads[0].key));
    ss_bytes_t sealed = unhex(aeads[1].sealed), data = exact_of(aeads[1].data);
    apr_size_t size = sealed.len - SS_AEAD_TAG_SIZE;
    unsigned char *out = room(size), nonce[SS_AEAD_NONCE_SIZE];
    char *bytes = (char *)sealed.data;

    for (apr_size_t bit = 0; bit < 8 * sealed.len; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        ck_assert_msg(!ss_aead_open(aead, out, NONCE, sealed, data), "bit %d", (int)bit);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    for (apr_size_t bit = 0; bit < 8 * sizeof(nonce); bit++) {
        memcpy(nonce, NONCE, sizeof(nonce));
        nonce[bit / 8] = (unsigned char)(nonce[bit / 8] ^ 1 << bit % 8);
        ck_assert_msg(!ss_aead_open(aead, out, nonce, sealed, data), "nonce, bit %d", (int)bit);
    }
    ck_assert(!ss_aead_open(other, out, NONCE, sealed, data));
    ck_assert(!ss_aead_open(aead, out, NONCE, sealed, exact(data.data, data.len - 1)));
    ck_assert(ss_aead_open(aead, out, NONCE, sealed, data));
}
END_TEST

START_TEST(shows_nothing_that_is_not_authentic)
{
    const ss_aead_t *aead = aead_of(unhex(aeads[1].key));
    ss_bytes_t sealed = unhex(aeads[1].sealed);
    unsigned char *out = room(12), zeros[12] = { 0 };

    ck_assert(!ss_aead_open(aead, out, NONCE, sealed, exact_of("other data")));
    ck_assert_mem_eq(out, zeros, sizeof(zeros));
}
END_TEST

START_TEST(encrypts_nothing_at_all)
{
    const ss_aead_t *aead = aead_of(unhex(aeads[0].key));
    unsigned char *sealed = room(SS_AEAD_TAG_SIZE), *out = room(0);
    ss_bytes_t nothing = exact("", 0);

    ck_assert_int_eq(ss_aead_seal(aead, sealed, NONCE, nothing, nothing), APR_SUCCESS);
    ck_assert(ss_aead_open(aead, out, NONCE, made(sealed, SS_AEAD_TAG_SIZE), nothing));
    sealed[0] ^= 1;
    ck_assert(!ss_aead_open(aead, out, NONCE, made(sealed, SS_AEAD_TAG_SIZE), nothing));
}
END_TEST

START_TEST(derives_keys)
{
    ss_bytes_t want = unhex(derivations[_i].okm);
    unsigned char *out = room(want.len);

    ck_assert_int_eq(ss_hkdf(out, want.len, unhex(derivations[_i].secret),
                             unhex(derivations[_i].salt), unhex(derivations[_i].info)),
                     APR_SUCCESS);
    ck_assert_msg(ss_bytes_equal(made(out, want.len), want), "%s", derivations[_i].source);
}
END_TEST

START_TEST(derives_no_more_than_there_is)
{
    const apr_size_t most = 255 * SS_SHA256_SIZE;
    unsigned char *out = room(most + 1);
    ss_bytes_t secret = exact_of("secret"), none = ss_bytes("", 0);

    ck_assert_int_eq(ss_hkdf(out, most, secret, none, none), APR_SUCCESS);
    ck_assert_int_eq(ss_hkdf(out, most + 1, secret, none, none), APR_EGENERAL);
}
END_TEST

START_TEST(compares)
{
    ck_assert(ss_equal("session", "session", 7));
    ck_assert(ss_equal("session", "sessioN", 6));
    ck_assert(ss_equal("a", "b", 0));
    ck_assert(!ss_equal("session", "sessioN", 7));
    ck_assert(!ss_equal("a\0b", "a\0c", 3));
}
END_TEST

START_TEST(wipes)
{
    char secret[] = "0123456789";

    ss_wipe(secret + 2, 5);
    ck_assert_mem_eq(secret,
                     "01\0\0\0\0\0"
                     "789",
                     sizeof(secret));
}
END_TEST

START_TEST(fills_with_random_bytes)
{
    unsigned char *one = room(32), *other = room(32);

    ck_assert_int_eq(ss_random(one, 32), APR_SUCCESS);
    ck_assert_int_eq(ss_random(other, 32), APR_SUCCESS);
    ck_assert_mem_ne(one, other, 32);
    ck_assert_int_eq(ss_random(one, 0), APR_SUCCESS);
}
END_TEST

START_TEST(knows_versions)
{
    /* the major version is what an ABI promises */
    ck_assert_int_ge(atoi(ss_crypto_built_version()), 3);
    ck_assert_int_eq(atoi(ss_crypto_running_version()), atoi(ss_crypto_built_version()));
    ck_assert_ptr_nonnull(strchr(ss_crypto_running_version(), '.'));
    ck_assert_ptr_null(strchr(ss_crypto_running_version(), ' '));
}
END_TEST

/* RFC 7515 appendix A.3: key, what is signed, and the signature, decoded from base64url. */
static const unsigned char rfc_x[] = { 0x7f, 0xcd, 0xce, 0x27, 0x70, 0xf6, 0xc4, 0x5d,
                                       0x41, 0x83, 0xcb, 0xee, 0x6f, 0xdb, 0x4b, 0x7b,
                                       0x58, 0x07, 0x33, 0x35, 0x7b, 0xe9, 0xef, 0x13,
                                       0xba, 0xcf, 0x6e, 0x3c, 0x7b, 0xd1, 0x54, 0x45 };
static const unsigned char rfc_y[] = { 0xc7, 0xf1, 0x44, 0xcd, 0x1b, 0xbd, 0x9b, 0x7e,
                                       0x87, 0x2c, 0xdf, 0xed, 0xb9, 0xee, 0xb9, 0xf4,
                                       0xb3, 0x69, 0x5d, 0x6e, 0xa9, 0x0b, 0x24, 0xad,
                                       0x8a, 0x46, 0x23, 0x28, 0x85, 0x88, 0xe5, 0xad };
static const unsigned char rfc_signature[] = {
    0x0e, 0xd1, 0x21, 0x53, 0x79, 0x63, 0x6c, 0x48, 0x3c, 0x2f, 0x7f, 0x15, 0x58, 0x07, 0xd4, 0x02,
    0xa3, 0xb2, 0x28, 0x03, 0x3a, 0xf9, 0x7c, 0x7e, 0x17, 0x81, 0x9a, 0xc3, 0x16, 0x9e, 0xa6, 0x65,
    0xc5, 0x0a, 0x07, 0xd3, 0x8c, 0x3c, 0x70, 0xe5, 0xd8, 0xf1, 0x2d, 0xaf, 0x08, 0x4a, 0x54, 0x80,
    0xa6, 0x65, 0x90, 0xc5, 0xf2, 0x93, 0x50, 0x9a, 0x8f, 0x3f, 0x7f, 0x8a, 0x83, 0xa3, 0x54, 0xd5
};
#define RFC_TEXT                                                                                   \
    "eyJhbGciOiJFUzI1NiJ9."                                                                        \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"                             \
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

START_TEST(verifies_the_signature_of_an_rfc)
{
    unsigned char point[SS_POINT_SIZE], signature[SS_ES256_SIZE];

    ck_assert(ss_point_of(point, rfc_x, rfc_y, pool));
    ck_assert(ss_point_is_valid(point, pool));
    ck_assert(ss_es256_verify(point, ss_bytes_of(RFC_TEXT), rfc_signature));
    ck_assert(!ss_es256_verify(point, ss_bytes_of(RFC_TEXT "."), rfc_signature));
    ck_assert(!ss_es256_verify(point, ss_bytes("", 0), rfc_signature));
    for (int bit = 0; bit < 8 * SS_ES256_SIZE; bit++) {
        memcpy(signature, rfc_signature, SS_ES256_SIZE);
        signature[bit / 8] ^= (unsigned char)(1 << bit % 8);
        ck_assert_msg(!ss_es256_verify(point, ss_bytes_of(RFC_TEXT), signature), "bit %d", bit);
    }
    memset(signature, 0, SS_ES256_SIZE);
    ck_assert_msg(!ss_es256_verify(point, ss_bytes_of(RFC_TEXT), signature), "zeroes");
    ck_assert_uint_eq(ERR_peek_error(), 0); /* mod_ssl would find it */
}
END_TEST

START_TEST(knows_points_of_the_curve)
{
    unsigned char point[SS_POINT_SIZE], other[SS_POINT_SIZE];
    int points = 0;

    ck_assert(ss_point_of(point, rfc_x, rfc_y, pool));
    for (int first = 0; first < 256; first++) {
        memcpy(other, point, sizeof(other));
        other[0] = (unsigned char)first;
        ck_assert_int_eq(ss_point_is_valid(other, pool), first == 2 || first == 3);
    }
    for (int last = 0; last < 256; last++) { /* for half of all x there are points */
        memcpy(other, point, sizeof(other));
        other[SS_POINT_SIZE - 1] = (unsigned char)last;
        points += ss_point_is_valid(other, pool);
    }
    ck_assert(points > 80 && points < 176);
    memset(other + 1, 0xff, SS_FIELD_SIZE);
    ck_assert_msg(!ss_point_is_valid(other, pool), "beyond the prime");
    ck_assert_msg(!ss_point_of(other, rfc_y, rfc_x, pool), "not on the curve");
    ck_assert_msg(!ss_point_of(other, rfc_x, rfc_x, pool), "not on the curve");
    memset(other + 1, 0xff, SS_FIELD_SIZE);
    ck_assert(!ss_es256_verify(other, ss_bytes_of(RFC_TEXT), rfc_signature));
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crypto");
    TCase *tcase = unit_case(suite, "hash");

    tcase_add_loop_test(tcase, hashes, 0, COUNT(digests));
    tcase_add_test(tcase, hashes_slices_as_one_text);

    tcase = unit_case(suite, "mac");
    tcase_add_loop_test(tcase, computes_macs, 0, COUNT(macs));
    tcase_add_test(tcase, keeps_its_own_copy_of_the_key);
    tcase_add_test(tcase, refuses_a_signature_with_any_bit_wrong);
    tcase_add_test(tcase, refuses_a_signature_of_another_length);
    tcase_add_test(tcase, refuses_another_text_or_key);
    tcase_add_test(tcase, serves_threads_at_the_same_time);

    tcase = unit_case(suite, "aead");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, encrypts, 0, COUNT(aeads));
    tcase_add_test(tcase, encrypts_ten_thousand_messages);
    tcase_add_test(tcase, decrypts_nothing_that_was_touched);
    tcase_add_test(tcase, shows_nothing_that_is_not_authentic);
    tcase_add_test(tcase, encrypts_nothing_at_all);

    tcase = unit_case(suite, "hkdf");
    tcase_add_loop_test(tcase, derives_keys, 0, COUNT(derivations));
    tcase_add_test(tcase, derives_no_more_than_there_is);

    tcase = unit_case(suite, "es256");
    tcase_add_test(tcase, verifies_the_signature_of_an_rfc);
    tcase_add_test(tcase, knows_points_of_the_curve);

    tcase = unit_case(suite, "memory and random bytes");
    tcase_add_test(tcase, compares);
    tcase_add_test(tcase, wipes);
    tcase_add_test(tcase, fills_with_random_bytes);
    tcase_add_test(tcase, knows_versions);

    return unit_run(suite);
}
