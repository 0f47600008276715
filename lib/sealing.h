/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SEALING_H
#define SS_SEALING_H

#include "lib/format/format.h"
#include "lib/memory.h"
#include "lib/record.h"

/* The cookie formats of one virtual host, with their keys: from Cookie header to session, and from
 * session to cookie. A native cookie holds the session, or refers to a record in a store. */

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

typedef enum ss_fetched_e { SS_FETCHED, SS_FETCHED_NOTHING, SS_FETCH_FAILED } ss_fetched_e;

/**
 * Fetches the record of a session from the stores. Asked only when the seal of a cookie and its
 * times hold: once, and once more for each store that has a closed record.
 *
 * @param bytes  out, with SS_FETCHED: in `pool`
 * @param place  in: the first of the stores to ask; out, with SS_FETCHED: which of them has it
 * @return       SS_FETCH_FAILED when nobody knows whether there is one
 */
typedef ss_fetched_e ss_fetch_fn(void *baton, ss_bytes_t *bytes, int *place,
                                 const unsigned char *id, apr_pool_t *pool);

/** Judges a session that is valid otherwise: SS_VALID, or why it is not. */
typedef ss_state_e ss_judge_fn(void *baton, const ss_session_t *session);

/** The cookies of our name that a request carries, in header order; and those of the companion's,
 * any of which may belong to any of the former. */
typedef struct ss_candidates_t {
    ss_fetch_fn *fetch; /* NULL: there is no store, or nobody is to ask it */
    ss_judge_fn *judge; /* NULL: nobody has more to say */
    void *baton;        /* of both */
    int came;           /* `count`, or more: these are not tried */
    ss_bytes_t values[SS_CANDIDATES_MAX];
    int count;
    ss_bytes_t companions[SS_CANDIDATES_MAX];
    int companion_count;
} ss_candidates_t;

/** Find them in a Cookie header, without a store: the first SS_CANDIDATES_MAX of each. Where a
 * framework takes the last of its cookies, that one is among them, however many there are. */
void ss_sealing_find(ss_candidates_t *candidates, const char *header, const ss_sealing_t *how);

/** What a cookie proved to be. */
typedef struct ss_opened_t {
    ss_session_t *session;
    const ss_format_t *format; /* NULL unless the session is valid */
    int key;                   /* index of the secret; 0 is the one that seals */
    apr_size_t size;           /* bytes of names and values of its cookies */
    int is_owned; /* in every state: is one of the cookies of a framework's format, with a right
                     signature, but of no use here? Its application can read it, and alone may
                     overwrite it. Not one that has expired */
    ss_stamp_t judged; /* SS_EXPIRED_IDLE, SS_EXPIRED_ABSOLUTE, SS_FROM_FUTURE and SS_UNAVAILABLE:
                          what the cookie says that is the reason */

    /* of a session that lives in a store */
    int is_stored;
    int is_gone;   /* SS_EXPIRED_IDLE: its times hold, but its record is absent or closed */
    int is_closed; /* without a session: a record was closed a moment ago, by a request that may
                      have given the client another cookie since */
    int place;     /* which of the stores */
    unsigned char token[SS_TOKEN_SIZE]; /* of the record */
    apr_uint32_t lost; /* changes that the cookie knows of, and the record does not */
    ss_state_e record; /* in every state: why a record does not open, of the last cookie whose does
                          not; SS_NONE: all do */
} ss_opened_t;

/**
 * Read every cookie of our name and return the session of one that holds. Of several native ones it
 * is the newest (renewed, then counter, then the first); of a framework's the one that the
 * framework itself takes; of different formats that of the first among those accepted.
 *
 * @param opened  out: in `pool`; zeroed unless SS_VALID, but for what says otherwise
 * @return        SS_VALID; SS_NONE without a cookie of our name; SS_UNAVAILABLE when the newest one
 *                whose seal holds is that; otherwise why the first was refused. A session whose
 *                record is absent or closed is SS_EXPIRED_IDLE
 */
SS_MUST_USE ss_state_e ss_sealing_open(ss_opened_t *opened, const ss_candidates_t *candidates,
                                       const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool);

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

/** The session of a record. */
typedef struct ss_unpacked_t {
    ss_session_t *session; /* in `pool`; NULL when it is closed */
    int key;               /* index of the secret */
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
