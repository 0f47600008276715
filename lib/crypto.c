/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <apr_atomic.h>

#define SPARES                                                                                     \
    16 /* contexts that wait to be used again; more threads than that copy the template */

struct ss_mac_t {
    EVP_MAC_CTX *keyed;     /* only ever copied: keying is the costly part */
    volatile void **spares; /* EVP_MAC_CTX or NULL; taken and put back by atomic exchange */
    apr_size_t size;
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
        EVP_MAC_CTX_free((EVP_MAC_CTX *)mac->spares[i]);
    }
    EVP_MAC_CTX_free(mac->keyed); /* wipes the key */
    return APR_SUCCESS;
}

/* A context that is keyed and fresh, for this thread alone; NULL when libcrypto fails. */
static EVP_MAC_CTX *take_context(const ss_mac_t *mac)
{
    for (int i = 0; i < SPARES; i++) {
        EVP_MAC_CTX *spare = apr_atomic_xchgptr(&mac->spares[i], NULL);

        if (spare != NULL) {
            if (EVP_MAC_init(spare, NULL, 0, NULL) == 1) { /* begins anew with the same key */
                return spare;
            }
            EVP_MAC_CTX_free(spare);
        }
    }
    return EVP_MAC_CTX_dup(mac->keyed);
}

static void put_back(const ss_mac_t *mac, EVP_MAC_CTX *context)
{
    for (int i = 0; i < SPARES && context != NULL; i++) {
        context = apr_atomic_xchgptr(&mac->spares[i], context);
    }
    EVP_MAC_CTX_free(context);
}

apr_status_t ss_mac_create(ss_mac_t **mac, ss_hash_e hash, ss_bytes_t key, apr_pool_t *pool)
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    EVP_MAC_CTX *keyed = EVP_MAC_CTX_new(hmac);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)hashes[hash].name, 0),
        OSSL_PARAM_construct_end(),
    };

    EVP_MAC_free(hmac); /* the context holds its own reference */
    *mac = NULL;
    if (keyed == NULL ||
        EVP_MAC_init(keyed, (const unsigned char *)key.data, key.len, params) != 1) {
        EVP_MAC_CTX_free(keyed);
        return outcome(0);
    }
    *mac = apr_palloc(pool, sizeof(**mac));
    (*mac)->keyed = keyed;
    (*mac)->spares = apr_pcalloc(pool, SPARES * sizeof(*(*mac)->spares));
    (*mac)->size = hashes[hash].size;
    apr_pool_cleanup_register(pool, *mac, free_mac, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

apr_status_t ss_mac_compute(const ss_mac_t *mac, unsigned char *out, ss_bytes_t text)
{
    EVP_MAC_CTX *context = take_context(mac);
    size_t size;
    int good = context != NULL &&
               EVP_MAC_update(context, (const unsigned char *)text.data, text.len) == 1 &&
               EVP_MAC_final(context, out, &size, mac->size) == 1;

    if (good) {
        put_back(mac, context);
    }
    else {
        EVP_MAC_CTX_free(context);
    }
    return outcome(good);
}

int ss_mac_verify(const ss_mac_t *mac, ss_bytes_t text, ss_bytes_t signature)
{
    unsigned char expected[SS_HASH_SIZE_MAX];

    return signature.len == mac->size && ss_mac_compute(mac, expected, text) == APR_SUCCESS &&
           ss_equal(expected, signature.data, mac->size);
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
