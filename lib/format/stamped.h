/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STAMPED_H
#define SS_STAMPED_H

#include "lib/format/format.h"

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

/* ss_format_t's functions for such a cookie; the format's `kind` is an ss_stamped_t. `look` returns
 * SS_POSSIBLE at best: two frameworks may write this shape. */
SS_MUST_USE ss_state_e ss_stamped_open(ss_payload_t *payload, const ss_sealed_t *cookie,
                                       const ss_seal_t *seal, apr_pool_t *pool);
SS_MUST_USE apr_status_t ss_stamped_seal(ss_sealed_t *cookie, const ss_payload_t *payload,
                                         const ss_seal_t *seal, apr_pool_t *pool);
ss_likeness_e ss_stamped_look(ss_look_t *look, const ss_sealed_t *cookie, const ss_format_t *format,
                              apr_pool_t *pool);

/* The time of what the Python library itsdangerous signs: the big-endian number of seconds since
 * 1970 without leading zero bytes, in base64url. */
SS_MUST_USE int ss_stamped_read_time(apr_int64_t *seconds, ss_bytes_t text, apr_pool_t *pool);
apr_size_t ss_stamped_write_time(char *out, apr_int64_t seconds);

/** The key of a format whose signatures are an HMAC of `hash` under `derived`, which is wiped. */
SS_MUST_USE apr_status_t ss_stamped_key(ss_key_t *key, ss_hash_e hash, unsigned char *derived,
                                        apr_pool_t *pool);

/** Has the document that was seen blanks between its tokens, as Python's json.dumps writes them? */
int ss_stamped_is_spaced(const ss_look_t *look, apr_pool_t *pool);

/* The payload of Flask and Django: base64url; behind a leading dot it is compressed, which they do
 * when it saves more than the dot. */
SS_MUST_USE int ss_stamped_unpack(ss_bytes_t *text, ss_bytes_t payload, apr_pool_t *pool);
SS_MUST_USE apr_status_t ss_stamped_pack(ss_bytes_t *payload, ss_bytes_t text, apr_pool_t *pool);

#endif
