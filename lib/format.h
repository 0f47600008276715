/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FORMAT_H
#define SS_FORMAT_H

#include <apr_tables.h>

#include "lib/base.h"
#include "lib/keyring.h"
#include "lib/session.h"

/** What is inside a cookie. */
typedef struct ss_payload_t {
    ss_bytes_t text; /* the JSON document */
    ss_stamp_t stamp;
} ss_payload_t;

#define SS_FORMAT_TIMED 1   /* carries when it was renewed */
#define SS_FORMAT_CREATED 2 /* carries when the session was created */
#define SS_FORMAT_BOUND 4   /* its keys are bound to the cookie's name and to the audience */
#define SS_FORMAT_FOREIGN                                                                          \
    8 /* belongs to an application's framework, which knows the session's lifetime */

/** A cookie format. A new one is a file lib/format_x.c with one of these, and a row in ss_formats.
 */
typedef struct ss_format_t {
    const char *name;     /* as in SignedSessionFormat */
    int traits;           /* SS_FORMAT_... */
    ss_derive_fn *derive; /* secret to key */

    /**
     * Open a cookie's value; verify before looking inside.
     *
     * @param payload  out, defined when SS_VALID: text in `pool`
     * @param key      out, defined when SS_VALID: index of the key that fitted
     * @return         SS_VALID, SS_MALFORMED when it is not this format's shape, SS_UNKNOWN_KEY or
     * SS_BAD_SIGNATURE; time is not judged here
     */
    ss_state_e (*open)(ss_payload_t *payload, int *key, ss_bytes_t value, const ss_keyring_t *keys,
                       apr_pool_t *pool);

    /** Seal with the first key. `value` is allocated in `pool`, in cookie-octets. */
    apr_status_t (*seal)(ss_bytes_t *value, const ss_payload_t *payload, const ss_keyring_t *keys,
                         apr_pool_t *pool);

    /** Does a value look like this format's, sealed with one of these keys? Nothing is verified.
     * NULL for formats whose cookies belong to applications. */
    int (*resembles)(ss_bytes_t value, const ss_keyring_t *keys, apr_pool_t *pool);
} ss_format_t;

/** Every format there is; ends with NULL. */
extern const ss_format_t *const ss_formats[];

/** The format called `name`, or NULL. */
const ss_format_t *ss_format_named(const char *name);

/** "native, starlette": for messages. */
const char *ss_format_names(apr_pool_t *pool);

/** A format together with its keys. */
typedef struct ss_seal_t {
    const ss_format_t *format;
    const ss_keyring_t *keys;
} ss_seal_t;

/** How one virtual host, or one run of the command line, seals and opens. Nothing is read from
 * elsewhere. */
typedef struct ss_sealing_t {
    const char *cookie_name;
    const apr_array_header_t
        *seals; /* ss_seal_t, at least one: the first is written, all are accepted */
    const ss_lifetime_t *lifetime;
    apr_size_t max_size; /* of name and value when writing; at most SS_COOKIE_MAX */
    ss_random_fn *random;
} ss_sealing_t;

/** Where a session came from. */
typedef struct ss_provenance_t {
    const ss_format_t *format; /* NULL unless the session is valid */
    int key;                   /* index of the secret; 0 is the one that seals */
    apr_size_t size;           /* bytes of the cookie's name and value */
} ss_provenance_t;

/**
 * Read every cookie of our name and return the session of the first that holds.
 *
 * @param session  out: in `pool`; NULL unless SS_VALID
 * @param from     out: zeroed unless SS_VALID
 * @param values   cookie values in header order; the first SS_CANDIDATES_MAX are tried
 * @return         SS_VALID; SS_NONE when `count` is 0; otherwise why the first cookie was refused
 */
ss_state_e ss_format_open(ss_session_t **session, ss_provenance_t *from, const ss_bytes_t values[],
                          int count, const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool);

/**
 * Seal a session in the format that is written.
 *
 * @param value  out: the cookie's value, in `pool`; {NULL, 0} unless successful
 * @param stamp  out: what was sealed
 * @param over   out: bytes by which name and value exceed how->max_size, 0 when they fit
 * @return       APR_SUCCESS; APR_ENOSPC when it does not fit; anything else: libcrypto or the
 * random source failed
 */
apr_status_t ss_format_seal(ss_bytes_t *value, ss_stamp_t *stamp, apr_size_t *over,
                            ss_session_t *session, const ss_sealing_t *how, apr_time_t now,
                            apr_pool_t *pool);

#endif
