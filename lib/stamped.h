/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STAMPED_H
#define SS_STAMPED_H

#include "lib/format.h"

/*
 * Cookies of the shape payload, time, signature, with a separator between them: what Python's
 * frameworks write. The signature is an HMAC over all that stands before its separator, in
 * base64url. Python's readers accept several spellings of one signature; ours accepts the one that
 * is written.
 */

#define SS_STAMP_TIME_MAX 11 /* characters of a time, in each of the codecs */

/** What one framework does its own way. */
typedef struct ss_stamped_t {
    char separator;
    ss_hash_e hash;

    /** Seconds since 1970 from their one spelling; returns whether they are. */
    int (*read_time)(apr_int64_t *seconds, ss_bytes_t text, apr_pool_t *pool);
    /** The spelling, at most SS_STAMP_TIME_MAX characters; returns how many. */
    apr_size_t (*write_time)(char *out, apr_int64_t seconds);

    /** The document from the payload; returns whether it is one. */
    int (*decode)(ss_bytes_t *text, ss_bytes_t payload, apr_pool_t *pool);
    /** The payload, in `pool`. */
    apr_status_t (*encode)(ss_bytes_t *payload, ss_bytes_t text, apr_pool_t *pool);
} ss_stamped_t;

/* ss_format_t's functions for such a cookie. */
ss_state_e ss_stamped_open(ss_payload_t *payload, ss_bytes_t value, const ss_keyring_t *keys,
                           const ss_stamped_t *kind, apr_pool_t *pool);
apr_status_t ss_stamped_seal(ss_bytes_t *value, const ss_payload_t *payload,
                             const ss_keyring_t *keys, const ss_stamped_t *kind, apr_pool_t *pool);
ss_likeness_e ss_stamped_look(ss_look_t *look, ss_bytes_t value, const ss_stamped_t *kind,
                              apr_pool_t *pool);

/* The payload of Flask and Django: base64url; behind a leading dot it is compressed, which they do
 * when it saves more than the dot. */
int ss_stamped_unpack(ss_bytes_t *text, ss_bytes_t payload, apr_pool_t *pool);
apr_status_t ss_stamped_pack(ss_bytes_t *payload, ss_bytes_t text, apr_pool_t *pool);

#endif
