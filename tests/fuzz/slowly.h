/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SLOWLY_H
#define SLOWLY_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "lib/sealing.h"
#include "tests/fuzz/fuzz.h"

/*
 * The native format a second time, slow and plain, from the text of docs/formats.md and the RFCs:
 * HKDF of one-shot HMACs, CMAC as libcrypto has it.
 */

#define NAME "session"
#define AUDIENCE "shop"
#define NONCE 24
#define TAG 16
#define MAC 32

static const char *const secrets[] = {
    "correct-horse-battery-staple-0123456789",
    "Zk4-second_secret.Vn82qLwTy6hRb1XcPe0Mj",
};
#define SECRETS ((int)(sizeof(secrets) / sizeof(secrets[0])))

typedef unsigned char byte_t;

/* --- primitives --- */

static inline void hmac(byte_t out[MAC], const void *key, size_t key_len, const void *text,
                        size_t len)
{
    unsigned size = 0;

    MUST(HMAC(EVP_sha256(), key, (int)key_len, text, len, out, &size) != NULL && size == MAC);
}

/* RFC 5869, for up to 32 bytes: the first block is enough. */
static inline void derive(byte_t out[MAC], const char *purpose, int secret)
{
    static const char salt[] = "mod_signed_session v1";
    byte_t prk[MAC], info[64];
    size_t len = strlen(purpose) + 1;

    memcpy(info, purpose, len);
    memcpy(info + len, NAME, sizeof(NAME));
    len += sizeof(NAME);
    memcpy(info + len, AUDIENCE, strlen(AUDIENCE));
    len += strlen(AUDIENCE);
    info[len++] = 1;
    hmac(prk, salt, strlen(salt), secrets[secret], strlen(secrets[secret]));
    hmac(out, prk, sizeof(prk), info, len);
}

/* The key of one message in XAES-256-GCM: CMAC of 00, counter, 'X', 00, first half of the nonce. */
static inline void derive_message_key(byte_t out[32], const byte_t key[32], const byte_t *nonce)
{
    size_t len;

    for (byte_t i = 0; i < 2; i++) {
        byte_t block[16] = { 0, (byte_t)(i + 1), 'X', 0 };

        memcpy(block + 4, nonce, 12);
        MUST(EVP_Q_mac(NULL, "CMAC", NULL, "AES-256-CBC", NULL, key, 32, block, sizeof(block),
                       out + 16 * i, 16, &len) != NULL);
        MUST(len == 16);
    }
}

/* Encrypts or decrypts a text in place; the tag, which says what it is bound to, is written or
 * checked. */
static inline int gcm(int encrypt, const byte_t key[32], const byte_t *nonce, ss_bytes_t bound,
                      ss_bytes_t text, byte_t *tag)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    byte_t message_key[32], rest[16];
    int out, good;

    derive_message_key(message_key, key, nonce);
    MUST(EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, message_key, nonce + 12, encrypt));
    MUST(EVP_CipherUpdate(context, NULL, &out, (const byte_t *)bound.data, (int)bound.len));
    MUST(EVP_CipherUpdate(context, (byte_t *)text.data, &out, (const byte_t *)text.data,
                          (int)text.len));
    if (!encrypt) {
        MUST(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG, tag));
    }
    good = EVP_CipherFinal_ex(context, rest, &out);
    if (encrypt) {
        MUST(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG, tag));
    }
    EVP_CIPHER_CTX_free(context);
    return good;
}

/* Bytes that are worked on in place. */
static inline ss_bytes_t bytes_at(byte_t *raw, size_t len)
{
    return ss_bytes((const char *)raw, len);
}

/* --- what is read --- */

static inline apr_int64_t number(const byte_t *raw, int size)
{
    apr_int64_t value = 0;

    for (int i = 0; i < size; i++) {
        value = value * 256 + raw[i];
    }
    return value;
}

/* Are these two bytes that of a secret? */
static inline int has_key_id(const byte_t *raw, int secret)
{
    byte_t id[MAC];

    derive(id, "key id", secret);
    return raw[0] == id[0] && raw[1] == id[1];
}

/* --- what is compared --- */

static inline const ss_keyring_t *keys_of(const ss_format_t *format, apr_pool_t *pool)
{
    static const ss_binding_t binding = { NAME, AUDIENCE };
    apr_array_header_t *all = apr_array_make(pool, SECRETS, sizeof(ss_secret_t));
    ss_keyring_t *keys;

    for (int i = 0; i < SECRETS; i++) {
        ss_secret_t *secret = apr_array_push(all);

        secret->text = ss_bytes_of(secrets[i]);
        secret->origin = "fuzz";
    }
    MUST(ss_keyring_create(&keys, all, format->derive, &binding, pool) == APR_SUCCESS);
    return keys;
}

/* Change what is good in one place, cut its end off, or add to it. */
static inline ss_bytes_t altered(ss_bytes_t good, const byte_t edit[3], apr_pool_t *pool)
{
    size_t at = ((size_t)edit[1] << 8 | edit[2]) % good.len;
    char *copy = apr_palloc(pool, good.len + 1);

    memcpy(copy, good.data, good.len);
    switch (edit[0] % 4) {
    case 0:
        return good;
    case 1:
        copy[at] = (char)(copy[at] ^ (1 << edit[0] / 4 % 8));
        return ss_bytes(copy, good.len);
    case 2:
        return ss_bytes(copy, at);
    default:
        copy[good.len] = (char)edit[1];
        return ss_bytes(copy, good.len + 1);
    }
}

#endif
