/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_LIFETIME_H
#define SS_LIFETIME_H

#include <apr_time.h>

#include "lib/base.h"
#include "lib/crypto.h"

/* How old a session is, how long it still lives, and what its next cookie says of that. Judged in
 * whole seconds; nothing here reads a clock. */

#define SS_DAY APR_INT64_C(86400)            /* seconds */
#define SS_FOREVER ((apr_interval_time_t)-1) /* a duration without end */
#define SS_NO_TIME ((apr_int64_t)-1)         /* a time stamp that the format does not carry */

/** What a cookie says of its session, beside the JSON text. Times are whole seconds since 1970. */
typedef struct ss_stamp_t {
    apr_int64_t renewed;                  /* last written or renewed, or SS_NO_TIME */
    apr_int64_t created;                  /* or SS_NO_TIME */
    unsigned char id[SS_SESSION_ID_SIZE]; /* native; all zero in other formats */
    apr_uint32_t counter;                 /* native: changes so far, from 1; 0 in other formats */
} ss_stamp_t;

typedef enum ss_renew_e {
    SS_RENEW_PERCENT,
    SS_RENEW_AFTER,
    SS_RENEW_ALWAYS,
    SS_RENEW_NEVER
} ss_renew_e;

/** When an unchanged session is re-sealed with a fresh time. */
typedef struct ss_renew_t {
    ss_renew_e kind;
    int percent;               /* SS_RENEW_PERCENT: of the idle timeout, 0 to 100 */
    apr_interval_time_t after; /* SS_RENEW_AFTER */
} ss_renew_t;

/** How long sessions live. */
typedef struct ss_lifetime_t {
    apr_interval_time_t idle;     /* after the last renewal, or SS_FOREVER */
    apr_interval_time_t absolute; /* after creation, or SS_FOREVER */
    apr_interval_time_t
        skew; /* that other clocks may be ahead of ours; 2 seconds are always allowed */
    ss_renew_t renew;
    int persistent; /* does the cookie carry Max-Age? */
} ss_lifetime_t;

/**
 * Do these time stamps hold? A session ends when its age exceeds the limit.
 *
 * @return  SS_VALID, SS_FROM_FUTURE, SS_EXPIRED_IDLE or SS_EXPIRED_ABSOLUTE; stamps that are
 * SS_NO_TIME are not judged
 */
SS_MUST_USE ss_state_e ss_lifetime_judge(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime,
                                         apr_time_t now);

/** How many seconds ahead a time stamp may be. */
apr_int64_t ss_lifetime_ahead(const ss_lifetime_t *lifetime);

/** How long a session may live that is not renewed, or SS_FOREVER. */
apr_interval_time_t ss_lifetime_longest(const ss_lifetime_t *lifetime);

/** Which time a judgement is about. */
typedef struct ss_untimely_t {
    const char *name;  /* "renewed" or "created" */
    apr_int64_t time;  /* seconds since 1970 */
    apr_int64_t age;   /* seconds; of one from the future: how far it is ahead */
    apr_int64_t limit; /* seconds that this may be: a timeout, or the skew */
} ss_untimely_t;

/**
 * Why ss_lifetime_judge did not accept these stamps.
 *
 * @param untimely  out: zeroed where no time is the reason
 * @param state     what it returned
 */
void ss_lifetime_explain(ss_untimely_t *untimely, ss_state_e state, const ss_stamp_t *stamp,
                         const ss_lifetime_t *lifetime, apr_time_t now);

/** The latest time, in seconds, that is not SS_FROM_FUTURE. */
apr_int64_t ss_lifetime_furthest(const ss_lifetime_t *lifetime, apr_time_t now);

/** "15d 3h": the two largest units of a duration in seconds, 0 or more. */
const char *ss_lifetime_span(apr_int64_t seconds, apr_pool_t *pool);

/** Is a session that has not changed to be re-sealed with a fresh time? */
int ss_lifetime_is_due(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime, apr_time_t now);

/**
 * Seconds by which the time in a framework's cookie is dated back, as frameworks have no patience
 * with a clock that is ahead of theirs: the skew, but no more than a tenth of the idle timeout,
 * which this shortens, and than half of the age at which a renewal is due.
 */
apr_int64_t ss_lifetime_head_start(const ss_lifetime_t *lifetime);

/**
 * Seconds that a cookie sealed with `stamp` lives: the idle timeout, or what is left of the
 * absolute one when that is less. -1 when there is no limit; at least 0 otherwise.
 */
apr_int64_t ss_lifetime_left(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime,
                             apr_time_t now);

/** Seconds left of the absolute timeout; -1 without such a limit or without a creation time. */
apr_int64_t ss_lifetime_absolute_left(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime,
                                      apr_time_t now);

/** A number of seconds as JSON; below 0, which is none, as null. */
const char *ss_lifetime_print(apr_int64_t seconds, apr_pool_t *pool);

/**
 * The stamp to seal with: renewed now, counter one up if changed (it stays at its maximum), and for
 * a new session a random id and created now. A session that came from a format without a creation
 * time is created at its own time, or now.
 *
 * @param next    out
 * @param stamp   what the session's cookie said
 * @param random  where a new id comes from
 * @return        APR_SUCCESS, or what `random` returned
 */
SS_MUST_USE apr_status_t ss_stamp_next(ss_stamp_t *next, const ss_stamp_t *stamp, int is_changed,
                                       apr_time_t now, ss_random_fn *random);

#endif
