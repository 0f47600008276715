/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_JWS_H
#define SS_JWS_H

#include "lib/crypto.h"

/*
 * What a browser signs to prove that it has a key (Device Bound Session Credentials): a JWS in its
 * compact spelling (RFC 7515) of type dbsc+jwt, with ES256 (RFC 7518 section 3.4) and nothing else.
 */

#define SS_JWS_MAX 2048 /* characters */

/** One, taken apart. Nothing of it is verified. */
typedef struct ss_jws_t {
    int has_key;                        /* does its header hold a public key? */
    unsigned char point[SS_POINT_SIZE]; /* then: that one, a point of P-256 */
    ss_bytes_t challenge;               /* decoded: what the payload calls jti */
    ss_bytes_t text;                    /* what is signed, a slice of the whole */
    unsigned char signature[SS_ES256_SIZE];
} ss_jws_t;

/**
 * Take one apart. Strict: its three parts in the one spelling that base64url has; header and
 * payload are JSON objects in which no name stands twice; no other algorithm and no other type; no
 * extension that must be understood (`crit`). Other members are not looked at.
 *
 * @param jws   out, defined when NULL is returned: in `pool`, or slices of `text`
 * @param text  any bytes
 * @return      NULL, or what is wrong, for people: lower case, no full stop, nothing of the text
 */
SS_MUST_USE const char *ss_jws_read(ss_jws_t *jws, ss_bytes_t text, apr_pool_t *pool);

/** Was it signed with the private key of this point? For failures see ss_es256_verify. */
SS_MUST_USE int ss_jws_verify(const ss_jws_t *jws, const unsigned char *point);

#endif
