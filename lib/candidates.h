/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_CANDIDATES_H
#define SS_CANDIDATES_H

#include "lib/sealing.h"

/* The cookies of our name that a request carries: from Cookie header to session. A native cookie
 * holds the session, or refers to a record in a store. */

struct ss_opened_t;

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

/** Judges a session that is valid otherwise: SS_VALID, or why it is not. `opened` has the session;
 * is_replaced may be set. */
typedef ss_state_e ss_judge_fn(void *baton, struct ss_opened_t *opened);

/** Has the client proved that a bound session is its own? SS_VALID or SS_UNPROVEN. Asked before a
 * store is, and otherwise last. */
typedef ss_state_e ss_prove_fn(void *baton, const ss_stamp_t *stamp);

/** The cookies of our name that a request carries, in header order; and those of the companion's,
 * any of which may belong to any of the former. */
typedef struct ss_candidates_t {
    ss_fetch_fn *fetch; /* NULL: there is no store, or nobody is to ask it */
    ss_judge_fn *judge; /* NULL: nobody has more to say */
    ss_prove_fn *prove; /* NULL: bound sessions need no proof */
    void *baton;        /* of all three */
    int came;           /* `count`, or more: these are not tried */
    ss_bytes_t values[SS_CANDIDATES_MAX];
    int count;
    ss_bytes_t companions[SS_CANDIDATES_MAX];
    int companion_count;
} ss_candidates_t;

/** Find them in a Cookie header, without a store: the first SS_CANDIDATES_MAX of each. Where a
 * framework takes the last of its cookies, that one is among them, however many there are. */
void ss_candidates_find(ss_candidates_t *candidates, const char *header, const ss_sealing_t *how);

/** What a cookie proved to be. */
typedef struct ss_opened_t {
    ss_session_t *session;
    const ss_format_t *format; /* NULL unless the session is valid */
    int key;                   /* index of the secret; 0 is the one that seals */
    apr_size_t size;           /* bytes of names and values of its cookies */
    int is_owned;    /* in every state: is one of the cookies of a framework's format, with a right
                        signature, but of no use here? Its application can read it, and alone may
                        overwrite it. Not one that has expired */
    int is_replaced; /* it goes on under another id: nothing of it is to be written */
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
SS_MUST_USE ss_state_e ss_candidates_open(ss_opened_t *opened, const ss_candidates_t *candidates,
                                          const ss_sealing_t *how, apr_time_t now,
                                          apr_pool_t *pool);

#endif
