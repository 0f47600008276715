/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FORMAT_H
#define SS_FORMAT_H

#include <apr_tables.h>

#include "lib/base.h"
#include "lib/keyring.h"
#include "lib/session.h"

/** What a session travels in. Some frameworks keep the signature in a cookie of its own: the
 * companion, whose name is ours and a suffix. */
typedef struct ss_sealed_t {
    ss_bytes_t value;
    ss_bytes_t companion; /* {NULL, 0}: absent, or this format has none */
} ss_sealed_t;

/** What is inside. */
typedef struct ss_payload_t {
    ss_bytes_t text; /* the JSON document */
    ss_stamp_t stamp;
    int key; /* after opening: index of the key that fitted */
} ss_payload_t;

typedef struct ss_sealing_t ss_sealing_t;

#define SS_FORMAT_TIMED 1   /* carries when it was renewed */
#define SS_FORMAT_CREATED 2 /* carries when the session was created */
#define SS_FORMAT_BOUND 4   /* its keys are bound to the cookie's name and to the audience */
#define SS_FORMAT_FOREIGN                                                                          \
    8 /* belongs to an application's framework, which knows the session's lifetime */
#define SS_FORMAT_TAGGED 16  /* an object may be a type tag: see ss_json_has_tag */
#define SS_FORMAT_SECRECY 32 /* can be encrypted */

/** How much a cookie looks like one of a format, judged without a secret. */
typedef enum ss_likeness_e { SS_UNLIKE, SS_POSSIBLE, SS_LIKELY } ss_likeness_e;

typedef enum ss_part_e {
    SS_PART_TEXT,   /* `bytes`, printable */
    SS_PART_JSON,   /* `bytes`: the document, not verified */
    SS_PART_BINARY, /* `bytes`: any */
    SS_PART_NUMBER,
    SS_PART_TIME /* `number`: seconds since 1970 */
} ss_part_e;

/** One field of a cookie. */
typedef struct ss_part_t {
    const char *name;
    ss_part_e kind;
    ss_bytes_t bytes;
    apr_int64_t number;
} ss_part_t;

/** What can be seen of a cookie without a secret. */
typedef struct ss_look_t {
    apr_array_header_t *parts; /* ss_part_t, in the cookie's order */
    const char *why;           /* what is wrong with its shape, or NULL */
} ss_look_t;

/** A cookie format. A new one is a file lib/format_x.c with one of these, and a row in ss_formats.
 */
typedef struct ss_format_t {
    const char *name;      /* as in SignedSessionFormat */
    int traits;            /* SS_FORMAT_... */
    int idle_days;         /* the idle timeout unless one is configured */
    const char *companion; /* suffix of the companion's name, or NULL */
    ss_derive_fn *derive;  /* secret to key */

    /**
     * Open a cookie; verify before looking inside.
     *
     * @param payload  out, defined when SS_VALID: text in `pool`
     * @return         SS_VALID, SS_MALFORMED when it is not this format's shape, SS_UNKNOWN_KEY or
     * SS_BAD_SIGNATURE; time is not judged here
     */
    ss_state_e (*open)(ss_payload_t *payload, const ss_sealed_t *cookie, const ss_keyring_t *keys,
                       const ss_sealing_t *how, apr_pool_t *pool);

    /** Seal with the first key. What is sealed lives in `pool`, in cookie-octets. */
    apr_status_t (*seal)(ss_sealed_t *cookie, const ss_payload_t *payload, const ss_keyring_t *keys,
                         const ss_sealing_t *how, apr_pool_t *pool);

    /** Take a cookie apart for people. `look` has an empty array; parts found before something is
     * wrong stay in it. */
    ss_likeness_e (*look)(ss_look_t *look, const ss_sealed_t *cookie, apr_pool_t *pool);

    /** Max-Age when the document decides it; `standard` is what it would be otherwise, -1 is none.
     * NULL: it does not. */
    apr_int64_t (*max_age)(const ss_session_t *session, apr_int64_t standard);

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
struct ss_sealing_t {
    /* made by ss_sealing_init */
    const char *cookie_name;
    const char *companion_name; /* NULL when no format here has a companion */
    const apr_array_header_t
        *seals; /* ss_seal_t, at least one: the first is written, all are accepted */
    /* the caller's */
    const ss_lifetime_t *lifetime;
    apr_size_t max_size; /* of all names and values when writing; at most SS_COOKIE_MAX */
    ss_random_fn *random;
    int encrypt; /* write encrypted, where the format can */
    struct ss_memory_t
        *memory; /* of cookies that proved valid (lib/memory.h); NULL: none is kept */
};

/**
 * Make the keys of every format. The caller's members of `how` stay as they are.
 *
 * @param formats  array of const ss_format_t *, at least one; the first is written
 * @param secrets  array of ss_secret_t that ss_keyring_judge accepted; not kept
 * @param binding  its strings must live as long as `pool`
 * @return         APR_SUCCESS or APR_EGENERAL when libcrypto fails
 */
apr_status_t ss_sealing_init(ss_sealing_t *how, const apr_array_header_t *formats,
                             const apr_array_header_t *secrets, const ss_binding_t *binding,
                             apr_pool_t *pool);

/** The format that is written. */
const ss_format_t *ss_sealing_written(const ss_sealing_t *how);

/** The cookies of our name that a request carries, in header order; and those of the companion's,
 * any of which may belong to any of the former. */
typedef struct ss_candidates_t {
    ss_bytes_t values[SS_CANDIDATES_MAX];
    int count;
    ss_bytes_t companions[SS_CANDIDATES_MAX];
    int companion_count;
} ss_candidates_t;

/** Find them in a Cookie header; the first SS_CANDIDATES_MAX of each. */
void ss_candidates_find(ss_candidates_t *candidates, const char *header, const ss_sealing_t *how);

/** Where a session came from. */
typedef struct ss_provenance_t {
    const ss_format_t *format; /* NULL unless the session is valid */
    int key;                   /* index of the secret; 0 is the one that seals */
    apr_size_t size;           /* bytes of names and values of its cookies */
} ss_provenance_t;

/**
 * Read every cookie of our name and return the session of the first that holds.
 *
 * @param session  out: in `pool`; NULL unless SS_VALID
 * @param from     out: zeroed unless SS_VALID
 * @return         SS_VALID; SS_NONE without a cookie of our name; otherwise why the first was
 * refused
 */
ss_state_e ss_format_open(ss_session_t **session, ss_provenance_t *from,
                          const ss_candidates_t *candidates, const ss_sealing_t *how,
                          apr_time_t now, apr_pool_t *pool);

/**
 * Seal a session in the format that is written.
 *
 * @param cookie  out: in `pool`; {NULL, 0} twice unless successful
 * @param stamp   out: what was sealed
 * @param over    out: bytes by which names and values exceed how->max_size, 0 when they fit
 * @return        APR_SUCCESS; APR_ENOSPC when it does not fit; anything else: libcrypto or the
 * random source failed
 */
apr_status_t ss_format_seal(ss_sealed_t *cookie, ss_stamp_t *stamp, apr_size_t *over,
                            ss_session_t *session, const ss_sealing_t *how, apr_time_t now,
                            apr_pool_t *pool);

/** Bytes of names and values that a sealed cookie comes to. */
apr_size_t ss_format_size(const ss_sealed_t *cookie, const ss_sealing_t *how);

/** Max-Age of a cookie sealed with `stamp`, in seconds; -1: none, it ends with the browser. */
apr_int64_t ss_format_max_age(const ss_session_t *session, const ss_stamp_t *stamp,
                              const ss_sealing_t *how, apr_time_t now);

/* For ss_format_t.look: add one field. */
void ss_look_bytes(ss_look_t *look, const char *name, ss_part_e kind, ss_bytes_t bytes);
void ss_look_number(ss_look_t *look, const char *name, ss_part_e kind, apr_int64_t number);

#endif
