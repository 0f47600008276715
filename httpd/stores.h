/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_STORES_H
#define SS_STORES_H

#include <httpd.h>

#include "httpd/part.h"
#include "lib/candidates.h"
#include "mod_signed_session_store.h"

/* The places of one server's SignedSessionStore, in its order: the cookie, and the stores that
 * modules bring. Records are bytes here. */

#define SS_PLACES_MAX 3 /* the cookie, and two stores while one replaces the other */

/** One place. */
typedef struct ss_place_t ss_place_t;

/** All of them. Made when httpd starts, and used by every thread of a child. */
typedef struct ss_stores_t ss_stores_t;

/** How many there are, 1 or more. */
int ss_stores_count(const ss_stores_t *stores);

/** Is this place the cookie? */
int ss_stores_is_cookie(const ss_stores_t *stores, int place);

/** Is there a store among them? */
int ss_stores_has_store(const ss_stores_t *stores);

/** What stands before the colon: "cookie", "file", "redis". */
const char *ss_stores_name(const ss_stores_t *stores, int place);

/** One call of a store. */
typedef struct ss_store_call_t {
    const ss_stores_t *stores;
    const unsigned char *id; /* SS_SESSION_ID_SIZE bytes */
    apr_time_t deadline;     /* absolute */
    int again;       /* a further try of the same save: that it ran out of time says nothing of the
                        store */
    const char *why; /* out: of UNAVAILABLE and FULL, one line without full stop; in `pool` */
    apr_pool_t *pool;
} ss_store_call_t;

/** Load a record: from the first store that has it.
 *
 * @param place  in: where to begin to look; out, with SS_FETCHED: where it is */
ss_fetched_e ss_stores_load(ss_store_call_t *call, ss_bytes_t *bytes, int *place);

/** Load a record from one store. */
ss_fetched_e ss_stores_load_from(ss_store_call_t *call, ss_bytes_t *bytes, int place);

/**
 * Save a record in one store.
 *
 * @param expected  SS_TOKEN_SIZE bytes: the token of what is there; all zero: nothing is; NULL:
 *                  whatever is there
 * @param current   out, with CONFLICT: what is there
 */
signed_session_store_e ss_stores_save(ss_store_call_t *call, int place,
                                      const unsigned char *expected, ss_bytes_t bytes,
                                      apr_interval_time_t ttl, ss_bytes_t *current);

/**
 * Put a closed record in the place of a session's, for longer than any request that may have loaded
 * that one before.
 *
 * @return  as ss_stores_save; ABSENT also where there was nothing, and a full store takes no more
 */
signed_session_store_e ss_stores_close(ss_store_call_t *call, int place,
                                       const unsigned char *expected, ss_bytes_t closed,
                                       ss_bytes_t *current);

/** Of the threads of this child one at a time changes a session: it would only be refused, and try
 * again, otherwise. To be unlocked by the same thread. */
void ss_stores_lock(const ss_stores_t *stores, const unsigned char *id);
void ss_stores_unlock(const ss_stores_t *stores, const unsigned char *id);

/* Parts of httpd's start: are the places such as their modules accept? Make them ready. */
ss_part_fn ss_stores_check, ss_stores_settle;

/** In each child. */
void ss_stores_open(server_rec *main, apr_pool_t *pchild);

#endif
