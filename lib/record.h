/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_RECORD_H
#define SS_RECORD_H

#include "lib/keyring.h"

/*
 * What a store keeps of a session: the same bytes in every store. Always encrypted, and bound to
 * the session's id, so that a record that was changed, or put under another id, does not open. It
 * carries no times: those are in the cookie, which is sealed, too.
 */

#define SS_TOKEN_SIZE 12      /* bytes: write counter, and random ones; new at every save */
#define SS_RECORD_OVERHEAD 56 /* bytes of a record beside its text */

/** A record, open. */
typedef struct ss_record_t {
    unsigned char token[SS_TOKEN_SIZE];
    int is_closed;   /* the session has ended: there is no text */
    int is_replaced; /* it goes on under another id: this is read for a moment, never saved over */
    ss_bytes_t text; /* the JSON document, not checked */
    int key;         /* index of the secret that fitted; 0 is the one that seals */
} ss_record_t;

/** How many changes it took to get here, from 1. */
apr_uint32_t ss_record_counter(const unsigned char *token);

/** Is a record that has been opened one that was replaced? */
int ss_record_is_replaced(ss_bytes_t bytes);

/**
 * Open one.
 *
 * @param record  out, defined when SS_VALID: its text in `pool`
 * @param bytes   any
 * @param id      SS_SESSION_ID_SIZE bytes: whose record it is said to be
 * @param keys    of the native format
 * @return        SS_VALID; SS_UNKNOWN_KEY; SS_MALFORMED: it was altered, is another session's, or
 *                was never one of these
 */
SS_MUST_USE ss_state_e ss_record_open(ss_record_t *record, ss_bytes_t bytes,
                                      const unsigned char *id, const ss_keyring_t *keys,
                                      apr_pool_t *pool);

/**
 * Seal one with the first key.
 *
 * @param bytes    out: in `pool`
 * @param record   is_closed, is_replaced and text are given; the token is made
 * @param counter  the write counter of the token
 * @return         APR_SUCCESS, or what libcrypto or `random` failed with
 */
SS_MUST_USE apr_status_t ss_record_seal(ss_bytes_t *bytes, ss_record_t *record,
                                        apr_uint32_t counter, const unsigned char *id,
                                        const ss_keyring_t *keys, ss_random_fn *random,
                                        apr_pool_t *pool);

#endif
