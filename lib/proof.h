/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_PROOF_H
#define SS_PROOF_H

#include "lib/keyring.h"
#include "lib/lifetime.h"
#include "lib/memory.h"

/*
 * What travels between a server and a browser whose key a session is bound to, beside the session's
 * own cookie. All of it is authentic and none of it is secret: version 1, what it says, and
 * HMAC-SHA-256 with a key for this purpose alone over that and over what it is about. In base64url
 * without padding, in the one spelling; integers big-endian, times in seconds since 1970.
 *
 *   proof       version 1, key id 2, time 6, HMAC 32. About: session id 16, point 33
 *   challenge   version 1, purpose 1, key id 2, time 6, HMAC 16. About: session id 16, and the
 *               point 33 when it is for a refresh
 *   identifier  version 1, key id 2, session id 16, point 33, HMAC 16
 *
 * Of a stamp only its id and its point count here. Keys are those of the native format.
 */

#define SS_PROOF_SIZE 55      /* characters */
#define SS_CHALLENGE_SIZE 35  /* likewise */
#define SS_IDENTIFIER_SIZE 91 /* likewise */

#define SS_CHALLENGE_LIFETIME apr_time_from_sec(300)

typedef enum ss_challenge_e {
    SS_CHALLENGE_REGISTRATION = 1,
    SS_CHALLENGE_REFRESH = 2
} ss_challenge_e;

/** For how long something counts. */
typedef struct ss_proof_time_t {
    apr_time_t now;
    apr_interval_time_t lifetime; /* after it was made; judged in whole seconds */
    apr_interval_time_t skew;     /* that the clock of whoever made it may be ahead of ours */
} ss_proof_time_t;

/** The value of a proof cookie for a bound session: its browser has just proved that it has the
 * key. Fails as libcrypto does. */
SS_MUST_USE apr_status_t ss_proof_make(ss_bytes_t *value, const ss_stamp_t *stamp,
                                       const ss_keyring_t *keys, apr_time_t now, apr_pool_t *pool);

/** Is it such a proof for this session, and fresh? `memory` may be NULL: one that held once is not
 * computed anew. */
SS_MUST_USE int ss_proof_holds(ss_bytes_t value, const ss_stamp_t *stamp, const ss_keyring_t *keys,
                               const ss_proof_time_t *time, ss_memory_t *memory, apr_pool_t *pool);

/** Does a value look like a proof that was made with one of these keys? Nothing is verified. */
int ss_proof_resembles(ss_bytes_t value, const ss_keyring_t *keys, apr_pool_t *pool);

/** What the browser is to sign next. */
SS_MUST_USE apr_status_t ss_challenge_make(ss_bytes_t *value, ss_challenge_e purpose,
                                           const ss_stamp_t *stamp, const ss_keyring_t *keys,
                                           apr_time_t now, apr_pool_t *pool);

/** Is it a challenge of this purpose for this session, and fresh? `time->lifetime` does not count:
 * it is SS_CHALLENGE_LIFETIME. */
SS_MUST_USE int ss_challenge_holds(ss_bytes_t value, ss_challenge_e purpose,
                                   const ss_stamp_t *stamp, const ss_keyring_t *keys,
                                   const ss_proof_time_t *time, apr_pool_t *pool);

/** The browser's name for the binding, which says all that a refresh needs. */
SS_MUST_USE apr_status_t ss_identifier_make(ss_bytes_t *value, const ss_stamp_t *stamp,
                                            const ss_keyring_t *keys, apr_pool_t *pool);

/** Is it an identifier of ours? Id and point of `stamp` are then its session's, and the rest is
 * zero. */
SS_MUST_USE int ss_identifier_open(ss_stamp_t *stamp, ss_bytes_t value, const ss_keyring_t *keys,
                                   apr_pool_t *pool);

/** Does a value look like an identifier of anybody's? Nothing is verified. */
int ss_identifier_resembles(ss_bytes_t value, apr_pool_t *pool);

#endif
