/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FORMAT_H
#define SS_FORMAT_H

#include <apr_tables.h>

#include "lib/base.h"
#include "lib/keyring.h"
#include "lib/session.h"

/* Why a format refuses to seal, beside what libcrypto and zlib return: its own reader, ours or the
 * framework's, would refuse the cookie. */
#define SS_TOO_MUCH_TEXT (APR_OS_START_USERERR + 1)
#define SS_LONG_INTEGER (APR_OS_START_USERERR + 2)
/* Why nothing may be sealed, whatever the format: see ss_opened_t.is_owned. */
#define SS_OWNED (APR_OS_START_USERERR + 3)

/** What a session travels in. Some frameworks keep the signature in a cookie of its own: the
 * companion, whose name is ours and a suffix. */
typedef struct ss_sealed_t {
    ss_bytes_t value;
    ss_bytes_t companion; /* {NULL, 0}: absent, or this format has none */
} ss_sealed_t;

/** What is inside. */
typedef struct ss_payload_t {
    ss_bytes_t text; /* the JSON document; not checked when it was opened. ss_absent: the signature
                        is right, but what it signs cannot be decoded */
    ss_json_t json;  /* for sealing: the same, checked */
    ss_stamp_t stamp;
    int key;          /* after opening: index of the key that fitted */
    int is_reference; /* native: there is no text; the document is in a store, under stamp.id */
} ss_payload_t;

#define SS_FORMAT_TIMED 1   /* carries when it was renewed */
#define SS_FORMAT_CREATED 2 /* carries when the session was created */
#define SS_FORMAT_BOUND 4   /* its keys are bound to the cookie's name and to the audience */
#define SS_FORMAT_FOREIGN                                                                          \
    8 /* belongs to an application's framework, which knows the session's lifetime */
#define SS_FORMAT_TAGGED 16  /* an object may be a type tag: see ss_json_has_tag */
#define SS_FORMAT_SECRECY 32 /* can be encrypted */
#define SS_FORMAT_LAST 64    /* of several cookies of one name its framework takes the last */

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
    apr_size_t size; /* bytes of the cookie that it is made of, once base64 is taken off; 0: it
                        stands in those of others */
} ss_part_t;

/** What can be seen of a cookie without a secret. */
typedef struct ss_look_t {
    apr_array_header_t *parts; /* ss_part_t, in the cookie's order */
    const char *why;           /* what is wrong with its shape, or NULL */
} ss_look_t;

typedef struct ss_format_t ss_format_t;

/** A format with the keys of one virtual host, or of one run of the command line, and whatever else
 * sealing and opening takes: nothing is read from elsewhere. */
typedef struct ss_seal_t {
    const ss_format_t *format;
    const ss_keyring_t *keys;
    const char *cookie_name;
    ss_random_fn *random;
    int encrypt; /* write encrypted, where the format can */
} ss_seal_t;

/** A cookie format. A new one is a file format_x.c with one of these, and a row in ss_formats. */
struct ss_format_t {
    const char *name;      /* as in SignedSessionFormat */
    int traits;            /* SS_FORMAT_... */
    int idle_days;         /* the idle timeout unless one is configured */
    const char *companion; /* suffix of the companion's name, or NULL */
    const void *kind;      /* what functions that several formats share want to know of this one */
    ss_derive_fn *derive;  /* secret to key */

    /**
     * Open a cookie; verify before looking inside.
     *
     * @param payload  zeroed; out, defined when SS_VALID: text in `pool`
     * @return         SS_VALID, SS_MALFORMED when it is not this format's shape, SS_UNKNOWN_KEY or
     * SS_BAD_SIGNATURE; time is not judged here
     */
    ss_state_e (*open)(ss_payload_t *payload, const ss_sealed_t *cookie, const ss_seal_t *seal,
                       apr_pool_t *pool);

    /** Seal with the first key. What is sealed lives in `pool`, in cookie-octets. Returns
     * SS_TOO_MUCH_TEXT or SS_LONG_INTEGER rather than a cookie that could not be opened. */
    apr_status_t (*seal)(ss_sealed_t *cookie, const ss_payload_t *payload, const ss_seal_t *seal,
                         apr_pool_t *pool);

    /** Take a cookie apart for people. `look` has an empty array; parts found before something is
     * wrong stay in it. */
    ss_likeness_e (*look)(ss_look_t *look, const ss_sealed_t *cookie, const ss_format_t *format,
                          apr_pool_t *pool);

    /** Max-Age when the document decides it; `standard` is what it would be otherwise, -1 is none.
     * NULL: it does not. */
    apr_int64_t (*max_age)(const ss_session_t *session, apr_int64_t standard);

    /** Does a value look like this format's, sealed with one of these keys? Nothing is verified.
     * NULL for formats whose cookies belong to applications. */
    int (*resembles)(ss_bytes_t value, const ss_keyring_t *keys, apr_pool_t *pool);
};

/** Every format there is; ends with NULL. */
extern const ss_format_t *const ss_formats[];

/** The format called `name`, or NULL. */
const ss_format_t *ss_format_named(const char *name);

/** "native, starlette": for messages. */
const char *ss_format_names(apr_pool_t *pool);

/** Why nothing was sealed, for people: lower case, no full stop; NULL for any other status. */
const char *ss_format_refusal(apr_status_t rv);

/* For ss_format_t.look: add one field. Bytes take as much as there are of them, a text none. */
void ss_look_bytes(ss_look_t *look, const char *name, ss_part_e kind, ss_bytes_t bytes);
void ss_look_number(ss_look_t *look, const char *name, ss_part_e kind, apr_int64_t number,
                    apr_size_t size);

/** The last part takes another number of bytes than it has. */
void ss_look_size(ss_look_t *look, apr_size_t size);

#endif
