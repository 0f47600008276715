/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_CRYPTO_H
#define SS_CRYPTO_H

#include "lib/base.h"

/* The only door to libcrypto. Everything that can fail says so; nothing here prints or keeps a
 * secret. */

typedef enum ss_hash_e { SS_SHA1, SS_SHA256 } ss_hash_e;

#define SS_SHA1_SIZE 20
#define SS_SHA256_SIZE 32
#define SS_HASH_SIZE_MAX 32

/** A keyed HMAC, made once and only read afterwards: any number of threads may use it at the same
 * time. */
typedef struct ss_mac_t ss_mac_t;

/** Fills a buffer with random bytes; ss_random in the server, fixed bytes in tests. */
typedef apr_status_t ss_random_fn(void *out, apr_size_t len);

/** Bytes of a hash, and of a MAC made with it. */
apr_size_t ss_hash_size(ss_hash_e hash);

/** Hash `len` slices as if they were one text. `out` has room for ss_hash_size() bytes. */
SS_MUST_USE apr_status_t ss_hash(ss_hash_e hash, unsigned char *out, const ss_bytes_t *slices,
                                 int count);

/**
 * Key an HMAC (RFC 2104).
 *
 * @param mac   out: lives as long as `pool`, whose cleanup wipes and frees it; NULL unless
 * successful
 * @param key   1 byte or more; copied
 * @return      APR_SUCCESS, or APR_EGENERAL when libcrypto refuses (for example SHA-1 in a FIPS
 * configuration)
 */
SS_MUST_USE apr_status_t ss_mac_create(ss_mac_t **mac, ss_hash_e hash, ss_bytes_t key,
                                       apr_pool_t *pool);

/** MAC of `text` into `out`, which has room for ss_hash_size() bytes. APR_EGENERAL when libcrypto
 * fails. */
SS_MUST_USE apr_status_t ss_mac_compute(const ss_mac_t *mac, unsigned char *out, ss_bytes_t text);

/** Is `signature` the MAC of `text`? The time taken does not depend on where they differ. When
 * libcrypto fails, for lack of memory, it is ss_out_of_memory() of the pool that `mac` lives in,
 * then "no". */
SS_MUST_USE int ss_mac_verify(const ss_mac_t *mac, ss_bytes_t text, ss_bytes_t signature);

#define SS_AEAD_KEY_SIZE 32
#define SS_AEAD_NONCE_SIZE 24
#define SS_AEAD_TAG_SIZE 16

/** Authenticated encryption under one key: XAES-256-GCM (https://c2sp.org/XAES-256-GCM), whose
 * nonces are long enough to be drawn at random. Fetched and keyed once, and only read afterwards:
 * any number of threads may use it at the same time. */
typedef struct ss_aead_t ss_aead_t;

/**
 * Key it.
 *
 * @param aead  out: lives as long as `pool`, whose cleanup wipes and frees it; NULL unless
 * successful
 * @param key   SS_AEAD_KEY_SIZE bytes; copied
 * @return      APR_SUCCESS, or APR_EGENERAL when libcrypto refuses
 */
SS_MUST_USE apr_status_t ss_aead_create(ss_aead_t **aead, const unsigned char *key,
                                        apr_pool_t *pool);

/**
 * Encrypt.
 *
 * @param out    room for text.len + SS_AEAD_TAG_SIZE bytes: ciphertext, then tag
 * @param nonce  SS_AEAD_NONCE_SIZE random bytes, never used with this key before
 * @param data   what is bound to the ciphertext and stays readable
 * @return       APR_SUCCESS, or APR_EGENERAL when libcrypto fails
 */
SS_MUST_USE apr_status_t ss_aead_seal(const ss_aead_t *aead, unsigned char *out,
                                      const unsigned char *nonce, ss_bytes_t text, ss_bytes_t data);

/**
 * Decrypt.
 *
 * @param out     room for sealed.len - SS_AEAD_TAG_SIZE bytes; wiped unless successful
 * @param sealed  ciphertext and tag, at least SS_AEAD_TAG_SIZE bytes
 * @return        whether key, nonce, text and data are those that it was sealed with; a failure of
 *                libcrypto is as in ss_mac_verify
 */
SS_MUST_USE int ss_aead_open(const ss_aead_t *aead, unsigned char *out, const unsigned char *nonce,
                             ss_bytes_t sealed, ss_bytes_t data);

/**
 * HKDF-SHA-256, extract and expand (RFC 5869).
 *
 * @param out   `len` bytes, at most 255 * 32
 */
SS_MUST_USE apr_status_t ss_hkdf(unsigned char *out, apr_size_t len, ss_bytes_t secret,
                                 ss_bytes_t salt, ss_bytes_t info);

#define SS_POINT_SIZE 33 /* bytes of a point of P-256: 2 or 3, then x (SEC 1 section 2.3.3) */
#define SS_FIELD_SIZE 32 /* bytes of a coordinate */
#define SS_ES256_SIZE 64 /* bytes of a signature: r, then s (RFC 7518 section 3.4) */

/** Are these SS_POINT_SIZE bytes a point of P-256, and so a public key? A failure for lack of
 * memory is ss_out_of_memory() of `pool`, then "no". */
SS_MUST_USE int ss_point_is_valid(const unsigned char *point, apr_pool_t *pool);

/**
 * The point that two coordinates of SS_FIELD_SIZE bytes are.
 *
 * @param point  out: SS_POINT_SIZE bytes; undefined unless it is one
 * @return       whether it lies on the curve; as above for lack of memory
 */
SS_MUST_USE int ss_point_of(unsigned char *point, const unsigned char *x, const unsigned char *y,
                            apr_pool_t *pool);

/** Is `signature`, of SS_ES256_SIZE bytes, ECDSA with P-256 and SHA-256 of `text` by the owner of
 * this key, which is a point? When libcrypto fails it is none: whoever signed can do so again. */
SS_MUST_USE int ss_es256_verify(const unsigned char *point, ss_bytes_t text,
                                const unsigned char *signature);

/** Are these `len` bytes the same? The time taken depends only on `len`. */
SS_MUST_USE int ss_equal(const void *a, const void *b, apr_size_t len);

/** Overwrite memory in a way the compiler may not drop. */
void ss_wipe(void *data, apr_size_t len);

/** The generator of libcrypto, seeded by the operating system; safe in threads and after fork. */
SS_MUST_USE apr_status_t ss_random(void *out, apr_size_t len);

/** Versions of libcrypto this was built with, and that it runs with: "3.0.15". */
const char *ss_crypto_built_version(void);
const char *ss_crypto_running_version(void);

#endif
