/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_BASE_H
#define SS_BASE_H

#include <string.h>

#include <apr.h>
#include <apr_pools.h>

/** Before a parameter that only others of the same type of function need. */
#define SS_UNUSED __attribute__((unused))

/** The result says whether it worked, and must be looked at. */
#if defined(__GNUC__)
#define SS_MUST_USE __attribute__((warn_unused_result))
#else
#define SS_MUST_USE
#endif

/** Bytes that somebody else owns; not terminated, may hold NUL. */
typedef struct ss_bytes_t {
    const char *data; /* NULL: there are none, which is not the same as an empty text */
    apr_size_t len;
} ss_bytes_t;

static const ss_bytes_t ss_absent = { NULL, 0 };

/** What a cookie, and so the session of a request, turned out to be. */
typedef enum ss_state_e {
    SS_NONE, /* the client sent no cookie of our name */
    SS_VALID,
    SS_MALFORMED,   /* not the shape of any accepted format, or sealed by us but no JSON object */
    SS_TOO_LARGE,   /* name and value exceed SS_COOKIE_MAX */
    SS_UNKNOWN_KEY, /* native: sealed with a secret that is not configured (any more) */
    SS_BAD_SIGNATURE,
    SS_EXPIRED_IDLE,
    SS_EXPIRED_ABSOLUTE,
    SS_FROM_FUTURE, /* a time stamp ahead of our clock by more than the allowed skew */
    SS_REVOKED,     /* its holder was logged out everywhere */
    SS_UNAVAILABLE, /* it lives in a store that cannot be asked: nobody knows what it is */
    SS_UNPROVEN,    /* bound to a browser's key, and this client has not proved that it has it */
    SS_UNBOUND,     /* not bound, where every session has to be by now */
    SS_STATES       /* how many there are */
} ss_state_e;

#define SS_COOKIE_MAX 4096      /* bytes of name and value together: what browsers keep */
#define SS_CANDIDATES_MAX 4     /* cookies of our name that are tried in one request */
#define SS_BODY_MAX (16 * 1024) /* bytes of an endpoint's request body, or of one update */
#define SS_JSON_DEPTH_MAX 256   /* levels of arrays and objects */
#define SS_JSON_MEMBERS_MAX 256 /* members of one object in a body or an update */
#define SS_SESSION_ID_SIZE 16   /* bytes */

/** The one vocabulary for states, in notes, environment, logs and tools: "none", "valid", ... */
const char *ss_state_name(ss_state_e state);

static inline ss_bytes_t ss_bytes(const char *data, apr_size_t len)
{
    ss_bytes_t bytes = { data, len };

    return bytes;
}

/** The bytes of a terminated string, without its NUL. */
static inline ss_bytes_t ss_bytes_of(const char *text)
{
    return ss_bytes(text, strlen(text));
}

/** Same bytes? Not for secrets and signatures: see ss_equal in lib/crypto.h. */
static inline int ss_bytes_equal(ss_bytes_t a, ss_bytes_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/** Are these the first of them? */
static inline int ss_bytes_begin(ss_bytes_t bytes, const char *beginning)
{
    apr_size_t len = strlen(beginning);

    return bytes.len >= len && memcmp(bytes.data, beginning, len) == 0;
}

/** A slice without the white space at both ends: blank, \t, \n, \v, \f, \r. */
ss_bytes_t ss_bytes_trim(ss_bytes_t bytes);

/** Is it the same text, or are both NULL? */
static inline int ss_text_equal(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/**
 * What a pool does when it has no memory, for a library that only says that it could not: ends the
 * process, in httpd. A cookie that cannot be verified is not a bad one, and the session that would
 * begin in its place would overwrite it. Returns where the pool has no abort function.
 */
void ss_out_of_memory(apr_pool_t *pool);

#endif
