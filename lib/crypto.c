/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <apr_atomic.h>

#define SPARES 16

/** Contexts of libcrypto that wait to be used again, because making one is costly; NULL where there
 * is none. Taken and put back by atomic exchange; more threads than that make their own. */
typedef struct spares_t {
    volatile void *contexts[SPARES];
} spares_t;

struct ss_mac_t {
    EVP_MAC_CTX *keyed; /* only ever copied: keying is the costly part */
    spares_t *spares;   /* EVP_MAC_CTX, keyed */
    apr_size_t size;
    apr_pool_t *pool;
};

/* clang-format off */
static const struct {
    const char *name;
    apr_size_t size;
    const EVP_MD *(*md)(void);
} hashes[] = {
    [SS_SHA1]   = { "SHA1",   SS_SHA1_SIZE,   EVP_sha1 },
    [SS_SHA256] = { "SHA256", SS_SHA256_SIZE, EVP_sha256 },
};
/* clang-format on */

/* The error queue belongs to the thread: mod_ssl would find our error there and blame a connection
 * for it. */
static apr_status_t outcome(int succeeded)
{
    if (succeeded) {
        return APR_SUCCESS;
    }
    ERR_clear_error();
    return APR_EGENERAL;
}

/* A context for this thread alone; NULL when all are in use. */
static void *take_spare(spares_t *spares)
{
    void *context = NULL;

    for (int i = 0; i < SPARES && context == NULL; i++) {
        context = apr_atomic_xchgptr(&spares->contexts[i], NULL);
    }
    return context;
}

/* Returns the context that found no place, or NULL. */
static void *put_spare(spares_t *spares, void *context)
{
    for (int i = 0; i < SPARES && context != NULL; i++) {
        context = apr_atomic_xchgptr(&spares->contexts[i], context);
    }
    return context;
}

apr_size_t ss_hash_size(ss_hash_e hash)
{
    return hashes[hash].size;
}

apr_status_t ss_hash(ss_hash_e hash, unsigned char *out, const ss_bytes_t *slices, int count)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = context != NULL && EVP_DigestInit_ex(context, hashes[hash].md(), NULL) == 1;

    for (int i = 0; good && i < count; i++) {
        good = EVP_DigestUpdate(context, slices[i].data, slices[i].len) == 1;
    }
    good = good && EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return outcome(good);
}

static apr_status_t free_mac(void *mac_)
{
    ss_mac_t *mac = mac_;

    for (int i = 0; i < SPARES; i++) {
        EVP_MAC_CTX_free((EVP_MAC_CTX *)mac->spares->contexts[i]);
    }
    EVP_MAC_CTX_free(mac->keyed); /* wipes the key */
    return APR_SUCCESS;
}

/* A context that is keyed and fresh; NULL when libcrypto fails. */
static EVP_MAC_CTX *take_mac(const ss_mac_t *mac)
{
    EVP_MAC_CTX *context = take_spare(mac->spares);

    if (context == NULL) {
        return EVP_MAC_CTX_dup(mac->keyed);
    }
    if (EVP_MAC_init(context, NULL, 0, NULL) != 1) { /* begins anew with the same key */
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

apr_status_t ss_mac_create(ss_mac_t **mac, ss_hash_e hash, ss_bytes_t key, apr_pool_t *pool)
{
    ss_mac_t *made = apr_pcalloc(pool, sizeof(*made));
    EVP_MAC *hmac;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)hashes[hash].name, 0),
        OSSL_PARAM_construct_end(),
    };

    *mac = NULL;
    made->spares = apr_pcalloc(pool, sizeof(*made->spares));
    made->size = hashes[hash].size;
    made->pool = pool;
    /* before there is something to free: the pool may end what is under way */
    apr_pool_cleanup_register(pool, made, free_mac, apr_pool_cleanup_null);

    hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    made->keyed = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac); /* the context holds its own reference */
    if (made->keyed == NULL ||
        EVP_MAC_init(made->keyed, (const unsigned char *)key.data, key.len, params) != 1) {
        return outcome(0);
    }
    *mac = made;
    return APR_SUCCESS;
}

apr_status_t ss_mac_compute(const ss_mac_t *mac, unsigned char *out, ss_bytes_t text)
{
    EVP_MAC_CTX *context = take_mac(mac);
    size_t size;
    int good = context != NULL &&
               EVP_MAC_update(context, (const unsigned char *)text.data, text.len) == 1 &&
               EVP_MAC_final(context, out, &size, mac->size) == 1;

    EVP_MAC_CTX_free(good ? put_spare(mac->spares, context) : context);
    return outcome(good);
}

int ss_mac_verify(const ss_mac_t *mac, ss_bytes_t text, ss_bytes_t signature)
{
    unsigned char expected[SS_HASH_SIZE_MAX];

    if (signature.len != mac->size) {
        return 0;
    }
    if (ss_mac_compute(mac, expected, text) != APR_SUCCESS) {
        ss_out_of_memory(mac->pool);
        return 0;
    }
    return ss_equal(expected, signature.data, mac->size);
}

/*
 * XAES-256-GCM. The key and the first half of the nonce give a key for this message alone, the
 * second half is its nonce in AES-256-GCM. That key is two blocks of CMAC, a counter in each; each
 * input is one block, so CMAC comes to one encryption of the input masked with CMAC's first subkey.
 */

#define BLOCK_SIZE 16
#define HALF_NONCE_SIZE 12

struct ss_aead_t {
    EVP_CIPHER_CTX *block;          /* AES-256, keyed; only ever copied */
    EVP_CIPHER *gcm;                /* AES-256-GCM, for the keys of messages */
    unsigned char mask[BLOCK_SIZE]; /* K1 of NIST SP 800-38B section 6.1 */
    spares_t *blocks;               /* EVP_CIPHER_CTX, copies of `block` */
    spares_t *messages;             /* EVP_CIPHER_CTX of `gcm`, keyed for some message */
    apr_pool_t *pool;
};

static apr_status_t free_aead(void *aead_)
{
    ss_aead_t *aead = aead_;

    for (int i = 0; i < SPARES; i++) {
        EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)aead->blocks->contexts[i]);
        EVP_CIPHER_CTX_free((EVP_CIPHER_CTX *)aead->messages->contexts[i]);
    }
    EVP_CIPHER_CTX_free(aead->block); /* wipes the key */
    EVP_CIPHER_free(aead->gcm);
    ss_wipe(aead->mask, sizeof(aead->mask));
    return APR_SUCCESS;
}

/* Double a block as a number of GF(2^128). */
static void double_block(unsigned char block[BLOCK_SIZE])
{
    unsigned carry = block[0] >> 7;

    for (int i = 0; i < BLOCK_SIZE - 1; i++) {
        block[i] = (unsigned char)(block[i] << 1 | block[i + 1] >> 7);
    }
    block[BLOCK_SIZE - 1] = (unsigned char)(block[BLOCK_SIZE - 1] << 1 ^ (carry * 0x87));
}

static int key_aead(ss_aead_t *aead, const unsigned char *key)
{
    EVP_CIPHER *ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    static const unsigned char zeros[BLOCK_SIZE];
    int len, good;

    aead->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    aead->block = EVP_CIPHER_CTX_new();
    good = ecb != NULL && aead->gcm != NULL && aead->block != NULL &&
           EVP_EncryptInit_ex2(aead->block, ecb, key, NULL, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(aead->block, 0) == 1 &&
           EVP_EncryptUpdate(aead->block, aead->mask, &len, zeros, BLOCK_SIZE) == 1;
    EVP_CIPHER_free(ecb); /* the context holds its own reference */
    double_block(aead->mask);
    return good;
}

apr_status_t ss_aead_create(ss_aead_t **aead, const unsigned char *key, apr_pool_t *pool)
{
    ss_aead_t *made = apr_pcalloc(pool, sizeof(*made));

    *aead = NULL;
    made->blocks = apr_pcalloc(pool, sizeof(*made->blocks));
    made->messages = apr_pcalloc(pool, sizeof(*made->messages));
    made->pool = pool;
    apr_pool_cleanup_register(pool, made, free_aead, apr_pool_cleanup_null);
    if (!key_aead(made, key)) {
        return outcome(0);
    }
    *aead = made;
    return APR_SUCCESS;
}

/* AES-256 under the key of all messages; NULL when libcrypto fails. */
static EVP_CIPHER_CTX *take_block(const ss_aead_t *aead)
{
    EVP_CIPHER_CTX *context = take_spare(aead->blocks);

    if (context == NULL) {
        context = EVP_CIPHER_CTX_new();
        if (context != NULL && EVP_CIPHER_CTX_copy(context, aead->block) != 1) {
            EVP_CIPHER_CTX_free(context);
            context = NULL;
        }
    }
    return context;
}

/* The key of one message. */
static int derive_message_key(unsigned char out[2 * BLOCK_SIZE], const ss_aead_t *aead,
                              const unsigned char *nonce)
{
    EVP_CIPHER_CTX *context = take_block(aead);
    unsigned char input[2 * BLOCK_SIZE];
    int len, good;

    for (int block = 0; block < 2; block++) {
        unsigned char *at = input + block * BLOCK_SIZE;

        at[0] = 0;
        at[1] = (unsigned char)(block + 1);
        at[2] = 'X';
        at[3] = 0;
        memcpy(at + 4, nonce, HALF_NONCE_SIZE);
        for (int i = 0; i < BLOCK_SIZE; i++) {
            at[i] ^= aead->mask[i];
        }
    }
    good = context != NULL && EVP_EncryptUpdate(context, out, &len, input, sizeof(input)) == 1;
    EVP_CIPHER_CTX_free(good ? put_spare(aead->blocks, context) : context);
    return good;
}

/* AES-256-GCM, for any message; NULL when libcrypto fails. */
static EVP_CIPHER_CTX *take_message(const ss_aead_t *aead)
{
    EVP_CIPHER_CTX *context = take_spare(aead->messages);

    if (context == NULL) {
        context = EVP_CIPHER_CTX_new();
        if (context != NULL && EVP_CipherInit_ex2(context, aead->gcm, NULL, NULL, 1, NULL) != 1) {
            EVP_CIPHER_CTX_free(context);
            context = NULL;
        }
    }
    return context;
}

/* Make a context ready for the text of one message. */
static int begin_message(EVP_CIPHER_CTX *context, const ss_aead_t *aead, const unsigned char *nonce,
                         ss_bytes_t data, int encrypt)
{
    unsigned char key[2 * BLOCK_SIZE];
    int len, good;

    good =
        context != NULL && derive_message_key(key, aead, nonce) &&
        EVP_CipherInit_ex2(context, NULL, key, nonce + HALF_NONCE_SIZE, encrypt, NULL) == 1 &&
        EVP_CipherUpdate(context, NULL, &len, (const unsigned char *)data.data, (int)data.len) == 1;
    ss_wipe(key, sizeof(key));
    return good;
}

apr_status_t ss_aead_seal(const ss_aead_t *aead, unsigned char *out, const unsigned char *nonce,
                          ss_bytes_t text, ss_bytes_t data)
{
    EVP_CIPHER_CTX *context = take_message(aead);
    int len, good;

    good =
        begin_message(context, aead, nonce, data, 1) &&
        EVP_EncryptUpdate(context, out, &len, (const unsigned char *)text.data, (int)text.len) ==
            1 &&
        EVP_EncryptFinal_ex(context, out + text.len, &len) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SS_AEAD_TAG_SIZE, out + text.len) == 1;
    EVP_CIPHER_CTX_free(good ? put_spare(aead->messages, context) : context);
    return outcome(good);
}

int ss_aead_open(const ss_aead_t *aead, unsigned char *out, const unsigned char *nonce,
                 ss_bytes_t sealed, ss_bytes_t data)
{
    EVP_CIPHER_CTX *context = take_message(aead);
    apr_size_t size = sealed.len - SS_AEAD_TAG_SIZE;
    unsigned char *tag = (unsigned char *)sealed.data + size, rest[BLOCK_SIZE];
    int begun = begin_message(context, aead, nonce, data, 0);
    int len, good;

    good =
        begun &&
        EVP_DecryptUpdate(context, out, &len, (const unsigned char *)sealed.data, (int)size) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, SS_AEAD_TAG_SIZE, tag) == 1 &&
        EVP_DecryptFinal_ex(context, rest, &len) == 1;
    EVP_CIPHER_CTX_free(good ? put_spare(aead->messages, context) : context);
    if (!good) {
        ss_wipe(out, size); /* what was not authentic is nobody's to read */
    }
    outcome(good);
    if (!begun) { /* nothing that a client chose has had a part in that */
        ss_out_of_memory(aead->pool);
    }
    return good;
}

static OSSL_PARAM octets(const char *name, ss_bytes_t bytes)
{
    return OSSL_PARAM_construct_octet_string(name, (char *)bytes.data, bytes.len);
}

apr_status_t ss_hkdf(unsigned char *out, apr_size_t len, ss_bytes_t secret, ss_bytes_t salt,
                     ss_bytes_t info)
{
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(hkdf);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)hashes[SS_SHA256].name, 0),
        octets(OSSL_KDF_PARAM_KEY, secret),
        octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };
    int good = context != NULL && EVP_KDF_derive(context, out, len, params) == 1;

    EVP_KDF_CTX_free(context);
    EVP_KDF_free(hkdf);
    return outcome(good);
}

/*
 * ES256
 */

/* y^2 = x^3 - 3x + b modulo a prime (FIPS 186-5, SP 800-186 section 3.2.1.3). Computed here,
 * because libcrypto does not tell apart that a point is none and that it has no memory. */
static const unsigned char curve_b[SS_FIELD_SIZE] = {
    0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc,
    0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b
};

/* The right side for a given x. Returns whether libcrypto could. */
static int right_side(BIGNUM *right, const BIGNUM *x, const BIGNUM *prime, BN_CTX *context)
{
    BIGNUM *b = BN_CTX_get(context);

    return b != NULL && BN_bin2bn(curve_b, SS_FIELD_SIZE, b) != NULL &&
           BN_mod_sqr(right, x, prime, context) == 1 && BN_sub_word(right, 3) == 1 &&
           BN_mod_mul(right, right, x, prime, context) == 1 &&
           BN_mod_add(right, right, b, prime, context) == 1;
}

typedef enum answer_e { NO, YES, UNKNOWN } answer_e;

/* Is there a y for this x; or, if it is given, is it this one? */
static answer_e is_on_curve(const unsigned char *x_bytes, const unsigned char *y_bytes,
                            BN_CTX *context)
{
    const BIGNUM *prime = BN_get0_nist_prime_256();
    BIGNUM *x = BN_CTX_get(context), *y = BN_CTX_get(context), *right = BN_CTX_get(context);
    int symbol;

    if (right == NULL || BN_bin2bn(x_bytes, SS_FIELD_SIZE, x) == NULL ||
        BN_bin2bn(y_bytes == NULL ? x_bytes : y_bytes, SS_FIELD_SIZE, y) == NULL ||
        !right_side(right, x, prime, context)) {
        return UNKNOWN;
    }
    if (BN_cmp(x, prime) >= 0 || BN_cmp(y, prime) >= 0) {
        return NO;
    }
    if (y_bytes != NULL) {
        return BN_mod_sqr(y, y, prime, context) != 1 ? UNKNOWN : BN_cmp(y, right) == 0 ? YES : NO;
    }
    symbol = BN_kronecker(right, prime, context); /* 1 of squares; -2: it failed */
    return symbol == -2 ? UNKNOWN : symbol == 1 ? YES : NO;
}

static int is_point(const unsigned char *x, const unsigned char *y, apr_pool_t *pool)
{
    BN_CTX *context = BN_CTX_new();
    answer_e answer = context == NULL ? UNKNOWN : is_on_curve(x, y, context);

    BN_CTX_free(context);
    outcome(answer != UNKNOWN);
    if (answer == UNKNOWN) {
        ss_out_of_memory(pool);
    }
    return answer == YES;
}

int ss_point_is_valid(const unsigned char *point, apr_pool_t *pool)
{
    return (point[0] == 2 || point[0] == 3) && is_point(point + 1, NULL, pool);
}

int ss_point_of(unsigned char *point, const unsigned char *x, const unsigned char *y,
                apr_pool_t *pool)
{
    point[0] = (unsigned char)(2 | (y[SS_FIELD_SIZE - 1] & 1));
    memcpy(point + 1, x, SS_FIELD_SIZE);
    return is_point(x, y, pool);
}

/* NULL when libcrypto fails, or the point is none. */
static EVP_PKEY *key_of_point(const unsigned char *point)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0),
        octets(OSSL_PKEY_PARAM_PUB_KEY, ss_bytes((const char *)point, SS_POINT_SIZE)),
        OSSL_PARAM_construct_end(),
    };

    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

/* What libcrypto calls a signature: DER. Returns its length, 0 when it fails. */
static int encode_signature(unsigned char **der, const unsigned char *signature)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, SS_FIELD_SIZE, NULL);
    BIGNUM *s = BN_bin2bn(signature + SS_FIELD_SIZE, SS_FIELD_SIZE, NULL);
    int len = 0;

    *der = NULL;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        len = i2d_ECDSA_SIG(pair, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len > 0 ? len : 0;
}

static int verify_with(EVP_PKEY *key, ss_bytes_t text, const unsigned char *der, int len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = context != NULL &&
               EVP_DigestVerifyInit_ex(context, NULL, hashes[SS_SHA256].name, NULL, NULL, key,
                                       NULL) == 1 &&
               EVP_DigestVerify(context, der, (size_t)len, (const unsigned char *)text.data,
                                text.len) == 1;

    EVP_MD_CTX_free(context);
    return good;
}

int ss_es256_verify(const unsigned char *point, ss_bytes_t text, const unsigned char *signature)
{
    EVP_PKEY *key = key_of_point(point);
    unsigned char *der = NULL;
    int len = key == NULL ? 0 : encode_signature(&der, signature);
    int good = len > 0 && verify_with(key, text, der, len);

    OPENSSL_free(der);
    EVP_PKEY_free(key);
    outcome(good);
    return good;
}

int ss_equal(const void *a, const void *b, apr_size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void ss_wipe(void *data, apr_size_t len)
{
    OPENSSL_cleanse(data, len);
}

apr_status_t ss_random(void *out, apr_size_t len)
{
    return outcome(RAND_bytes_ex(NULL, out, len, 0) == 1);
}

const char *ss_crypto_built_version(void)
{
    return OPENSSL_VERSION_STR;
}

const char *ss_crypto_running_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
