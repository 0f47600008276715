/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SEALING_H
#define SS_SEALING_H

#include "lib/format/format.h"
#include "lib/memory.h"
#include "lib/record.h"

/* The cookie formats of one virtual host, with their keys: from session to cookie, and to the
 * record in a store that a native cookie may refer to. What comes back is read in candidates.h. */

/** How one virtual host, or one run of the command line, seals and opens. Nothing is read from
 * elsewhere. */
typedef struct ss_sealing_t {
    /* made by ss_sealing_init */
    const char *cookie_name;
    const char *companion_name; /* NULL when no format here has a companion */
    int takes_last;             /* does a format here (SS_FORMAT_LAST)? */
    const apr_array_header_t
        *seals; /* ss_seal_t to open with, at least one: all are accepted, the first is written */
    /* the caller's */
    const ss_lifetime_t *lifetime;
    apr_size_t max_size; /* of all names and values when writing; at most SS_COOKIE_MAX */
    ss_random_fn *random;
    int encrypt;         /* write encrypted, where the format can */
    ss_memory_t *memory; /* of cookies that proved valid; NULL: none is kept */
} ss_sealing_t;

/**
 * Make the keys of every format. The caller's members of `how` stay as they are.
 *
 * @param formats  array of const ss_format_t *, at least one; the first is written
 * @param secrets  array of ss_secret_t that ss_keyring_judge accepted; not kept
 * @param binding  its strings must live as long as `pool`
 * @return         APR_SUCCESS or APR_EGENERAL when libcrypto fails
 */
SS_MUST_USE apr_status_t ss_sealing_init(ss_sealing_t *how, const apr_array_header_t *formats,
                                         const apr_array_header_t *secrets,
                                         const ss_binding_t *binding, apr_pool_t *pool);

/** The format that is written. */
const ss_format_t *ss_sealing_written(const ss_sealing_t *how);

/**
 * An empty session that no cookie holds yet.
 *
 * Sessions of the native format reserve a member (ss_session_reserve), whoever opens or makes them
 * here. What a framework's cookie has there is the application's: it is dropped when the session is
 * about to be written as a native one, and what is hidden in a native one never gets into a
 * framework's.
 */
ss_session_t *ss_sealing_create(const ss_sealing_t *how, apr_pool_t *pool);

/** The session that a cookie or a record held. The document must live as long as `pool`. */
ss_session_t *ss_sealing_session(const ss_memory_item_t *item, const ss_sealing_t *how,
                                 apr_pool_t *pool);

/** All that a format of `how` is handed to seal with; 0 is the one that is written. */
ss_seal_t ss_sealing_as(const ss_sealing_t *how, int format);

/** What sealing a session comes to. */
typedef struct ss_sealing_result_t {
    ss_sealed_t cookie; /* {NULL, 0} twice unless successful */
    ss_stamp_t stamp;   /* what was sealed; a framework's cookie says ss_lifetime_head_start less */
    apr_size_t over;    /* bytes by which names and values exceed how->max_size, 0 when they fit */
} ss_sealing_result_t;

/**
 * Seal a session in the format that is written. One in which something is hidden is encrypted,
 * whatever how->encrypt says: these are other modules' passwords and tokens.
 *
 * @param result  out: in `pool`
 * @return        APR_SUCCESS; APR_ENOSPC when it does not fit; what ss_format_refusal knows when it
 * could not be opened again; anything else: libcrypto or the random source failed
 */
SS_MUST_USE apr_status_t ss_sealing_seal(ss_sealing_result_t *result, ss_session_t *session,
                                         const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool);

/**
 * The same in steps: what the next cookie says of the session. A new session gets a new id each
 * time.
 *
 * @return  APR_SUCCESS, or what the random source failed with
 */
SS_MUST_USE apr_status_t ss_sealing_stamp(ss_stamp_t *stamp, ss_session_t *session,
                                          const ss_sealing_t *how, apr_time_t now);

/** A cookie that holds the session, with this stamp; returns as ss_sealing_seal does. */
SS_MUST_USE apr_status_t ss_sealing_hold(ss_sealing_result_t *result, ss_session_t *session,
                                         const ss_stamp_t *stamp, const ss_sealing_t *how,
                                         apr_pool_t *pool);

/** A cookie that refers to the record under the stamp's id. The format that is written must be
 * native. */
SS_MUST_USE apr_status_t ss_sealing_refer(ss_sealing_result_t *result, const ss_stamp_t *stamp,
                                          const ss_sealing_t *how, apr_pool_t *pool);

/**
 * The record that a store is to keep.
 *
 * @param bytes    out: in `pool`
 * @param token    out: SS_TOKEN_SIZE bytes
 * @param session  NULL: a closed one
 * @param stamp    its id and its write counter
 */
SS_MUST_USE apr_status_t ss_sealing_pack(ss_bytes_t *bytes, unsigned char *token,
                                         ss_session_t *session, const ss_stamp_t *stamp,
                                         const ss_sealing_t *how, apr_pool_t *pool);

/** The record of a session that goes on under another id, instead of the one it had. */
SS_MUST_USE apr_status_t ss_sealing_pack_replaced(ss_bytes_t *bytes, unsigned char *token,
                                                  ss_bytes_t text, const ss_stamp_t *stamp,
                                                  const ss_sealing_t *how, apr_pool_t *pool);

/** The session of a record. */
typedef struct ss_unpacked_t {
    ss_session_t *session; /* in `pool`; NULL when it is closed */
    int key;               /* index of the secret */
    int is_replaced;       /* it goes on under another id */
    unsigned char token[SS_TOKEN_SIZE];
} ss_unpacked_t;

/**
 * Open a record.
 *
 * @param unpacked  out, defined when SS_VALID
 * @param bytes     must live as long as `pool`
 * @param stamp     what the cookie says of the session; its counter does not count
 * @return          SS_VALID, SS_UNKNOWN_KEY or SS_MALFORMED
 */
SS_MUST_USE ss_state_e ss_sealing_unpack(ss_unpacked_t *unpacked, ss_bytes_t bytes,
                                         const ss_stamp_t *stamp, const ss_sealing_t *how,
                                         apr_pool_t *pool);

/** Bytes of names and values that a sealed cookie comes to. */
apr_size_t ss_sealing_size(const ss_sealed_t *cookie, const ss_sealing_t *how);

/** Max-Age of a cookie sealed with `stamp`, in seconds; -1: none, it ends with the browser. */
apr_int64_t ss_sealing_max_age(const ss_session_t *session, const ss_stamp_t *stamp,
                               const ss_sealing_t *how, apr_time_t now);

#endif
