/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_KEYRING_H
#define SS_KEYRING_H

#include <apr_tables.h>

#include "lib/base.h"
#include "lib/crypto.h"
#include "lib/source.h"

#define SS_SECRET_MIN 32 /* bytes */

/** What a secret becomes for one format: keyed once, only read afterwards. */
typedef struct ss_key_t {
    apr_uint16_t id; /* native: the hint in the cookie's header; 0 in other formats */
    const ss_mac_t *mac;
    const ss_aead_t *aead;  /* native: for encrypted payloads; NULL in other formats */
    const ss_aead_t *store; /* native: for records of stores; NULL in other formats */
    /* native: for what lib/proof.h makes; NULL in other formats */
    const ss_mac_t *identifier, *proof, *challenge;
} ss_key_t;

/** The keys of one format in one virtual host. The first seals, all of them open. */
typedef struct ss_keyring_t {
    int count; /* at least 1 */
    const ss_key_t *keys;
    volatile apr_uint32_t *last; /* the key that fitted last: clients come in again with that one */
} ss_keyring_t;

/** What native keys are bound to besides the secret; other formats ignore it. Terminated strings,
 * audience may be "". */
typedef struct ss_binding_t {
    const char *cookie_name;
    const char *audience;
} ss_binding_t;

/** How a format makes a key from a secret; `key` is zeroed before. */
typedef apr_status_t ss_derive_fn(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                                  apr_pool_t *pool);

/**
 * Are these secrets fit for use? Each must be at least SS_SECRET_MIN bytes, not nearly without
 * entropy, not a text known from documentation or one that says itself that it is an example, and
 * none may appear twice.
 *
 * @param secrets  array of ss_secret_t, at least one
 * @return         NULL, or what is wrong with which (by its origin) and what to do; never a secret
 */
SS_MUST_USE const char *ss_keyring_judge(const apr_array_header_t *secrets, apr_pool_t *pool);

/** Have two lists of ss_secret_t a secret in common? */
SS_MUST_USE int ss_keyring_share(const apr_array_header_t *a, const apr_array_header_t *b);

/**
 * Derive one key for each secret.
 *
 * @param ring     out: in `pool`; NULL unless successful
 * @param secrets  array of ss_secret_t that ss_keyring_judge accepted; not kept
 * @return         APR_SUCCESS or APR_EGENERAL when libcrypto fails
 */
SS_MUST_USE apr_status_t ss_keyring_create(ss_keyring_t **ring, const apr_array_header_t *secrets,
                                           ss_derive_fn *derive, const ss_binding_t *binding,
                                           apr_pool_t *pool);

/** Is `signature` that of `text` with any of the keys? `key` is then its index. Of those that do
 * not fit, all are tried. */
SS_MUST_USE int ss_keyring_verify(int *key, const ss_keyring_t *ring, ss_bytes_t text,
                                  ss_bytes_t signature);

#endif
