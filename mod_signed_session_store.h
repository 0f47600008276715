/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/**
 * @file mod_signed_session_store.h
 * What a module must do that keeps sessions for mod_signed_session.
 *
 * A store keeps records: opaque bytes under an id, for a while. All else is the caller's: what a
 * record means, that it is sealed, what happens when two requests change one session. So a store is
 * two functions that work on data, and three that begin.
 *
 * A record's first SIGNED_SESSION_TOKEN_SIZE bytes are its token, new at every save: a save says
 * which token it expects to replace, and the store compares and writes in one step, atomic against
 * every other process and machine that uses the same store.
 *
 * A module registers each name that may stand before the colon in SignedSessionStore, in its
 * register_hooks; the order of LoadModule lines does not matter:
 *
 * @code
 * ap_register_provider(pool, SIGNED_SESSION_STORE_GROUP, "redis", SIGNED_SESSION_STORE_VERSION,
 *                      &redis);
 * @endcode
 *
 * This header needs APR only: stores can be linked, and tested, without httpd.
 */
#ifndef MOD_SIGNED_SESSION_STORE_H
#define MOD_SIGNED_SESSION_STORE_H

#include <apr_pools.h>
#include <apr_time.h>
#include <apr_user.h>

#define SIGNED_SESSION_STORE_GROUP "signed-session-store"
/** Of the interface; another one for every change of it. */
#define SIGNED_SESSION_STORE_VERSION "1"

#define SIGNED_SESSION_ID_SIZE 16    /* bytes, any values */
#define SIGNED_SESSION_TOKEN_SIZE 12 /* bytes, never all zero */
/** Bytes of the longest record. */
#define SIGNED_SESSION_RECORD_MAX (1024 * 1024 + 64)

/** What a store answers. */
typedef enum signed_session_store_e {
    SIGNED_SESSION_STORE_FOUND,  /* load: here it is */
    SIGNED_SESSION_STORE_ABSENT, /* load: there is none, or it has expired. save: the same, but one
                                    was expected */
    SIGNED_SESSION_STORE_SAVED,  /* save: done */
    SIGNED_SESSION_STORE_CONFLICT,   /* save: another one is there than was expected */
    SIGNED_SESSION_STORE_FULL,       /* save: the store takes no more; nothing has changed */
    SIGNED_SESSION_STORE_UNAVAILABLE /* nobody knows, and a save may or may not have been made */
} signed_session_store_e;

typedef struct signed_session_bytes_t {
    const unsigned char *data;
    apr_size_t len;
} signed_session_bytes_t;

/** Where a SignedSessionStore directive puts sessions. */
typedef struct signed_session_place_t {
    const char *name;        /* what stood before the colon: the name that was registered */
    const char *words;       /* what stood behind it; "" when nothing did */
    const char *server_root; /* httpd's ServerRoot */
    const char *runtime_dir; /* httpd's DefaultRuntimeDir */
    apr_uid_t uid;           /* whom the children run as */
    apr_gid_t gid;
    apr_uint64_t space; /* bytes that a store on this machine may use: SignedSessionStoreSpace */
    const void *server; /* the server_rec of the directive, for a module that has directives of
                           its own; NULL where there is no httpd */
    apr_pool_t *ptemp;  /* ends with this reading of the configuration */
} signed_session_place_t;

/** A failure says something of the next call: after some failures the caller asks no more for a
 * while. */
#define SIGNED_SESSION_STORE_REMOTE 1

typedef struct signed_session_store_t {
    int traits; /* SIGNED_SESSION_STORE_REMOTE or 0 */

    /**
     * Understand the words of a place, and judge what is there already: no socket is opened and
     * nothing is made. Called whenever a configuration is read, for a test of it, too, and by
     * whoever asks for that.
     *
     * @param store  out: in `pconf`, handed to the other functions
     * @return       NULL, or what is wrong and what is accepted: one line, no full stop
     */
    const char *(*configure)(void **store, const signed_session_place_t *place, apr_pool_t *pconf);

    /**
     * Make what must be there before the children start: a directory, for example. Called at a real
     * start only, as the user that starts httpd, at every one of its readings. NULL: nothing is to
     * be made.
     *
     * @return  NULL, or what went wrong, as above
     */
    const char *(*prepare)(void *store, apr_pool_t *ptemp);

    /** In each child, after the fork, once. Must not wait for anything. NULL: nothing is to be
     * done.
     *
     * @param pchild  ends with the child */
    void (*open)(void *store, apr_pool_t *pchild);

    /*
     * Called by any number of threads at a time. Both return by `deadline` and 50 ms at the latest,
     * whatever the store does. `why` is set with UNAVAILABLE and FULL: one line for the log, no
     * full stop. What they return lives in `pool`, which may be cleared right after.
     */

    /** The record of a session.
     *
     * @param value     out: with FOUND
     * @param deadline  absolute */
    signed_session_store_e (*load)(void *store, const unsigned char *id,
                                   signed_session_bytes_t *value, apr_time_t deadline,
                                   const char **why, apr_pool_t *pool);

    /**
     * Put a record in the place of the one that is expected, or leave everything as it is.
     *
     * @param expected  NULL: whatever is there, or nothing; SIGNED_SESSION_TOKEN_SIZE zero bytes:
     *                  nothing is there; else the token of the record that is there
     * @param value     SIGNED_SESSION_TOKEN_SIZE to SIGNED_SESSION_RECORD_MAX bytes, not kept
     * @param ttl       how long it is to be there: more than 0; from then on it is absent
     * @param current   out: with CONFLICT, what is there
     * @return          SAVED; CONFLICT; ABSENT, when a token is expected and nothing is there;
     * FULL, for what is not there yet or where the store refuses; UNAVAILABLE
     */
    signed_session_store_e (*save)(void *store, const unsigned char *id,
                                   const unsigned char *expected,
                                   const signed_session_bytes_t *value, apr_interval_time_t ttl,
                                   signed_session_bytes_t *current, apr_time_t deadline,
                                   const char **why, apr_pool_t *pool);
} signed_session_store_t;

#endif
