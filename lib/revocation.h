/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REVOCATION_H
#define SS_REVOCATION_H

#include <apr_time.h>

#include "lib/revocation_line.h"

#define SS_REVOCATION_MAX (4 * 1024 * 1024) /* lines: some 300 MB */

/** What of a session can be revoked. */
typedef struct ss_revocable_t {
    const unsigned char *id; /* NULL: it has none */
    ss_bytes_t subject;      /* ss_absent: nobody's */
    apr_int64_t created;     /* SS_NO_TIME: only its id can be revoked */
} ss_revocable_t;

/** A set of lines, in which each is found at once. Not for two threads at a time, but for any
 * number of them that only look. */
typedef struct ss_revocation_t ss_revocation_t;

/** An empty set. Its memory is its own: other threads may use `pool` meanwhile.
 *
 * @param key    SS_SIPHASH_KEY_SIZE random bytes, copied: whoever chooses subjects is not to know
 *               them
 * @param limit  how many ids and subjects there may be, at most SS_REVOCATION_MAX
 * @param pool   only says what is to be done when there is no memory left
 * @return       to be destroyed by ss_revocation_destroy
 */
ss_revocation_t *ss_revocation_create(const unsigned char *key, apr_uint32_t limit,
                                      apr_pool_t *pool);

/** Free it at once. */
void ss_revocation_destroy(ss_revocation_t *set);

/** Add what a line says, unless it holds no longer. APR_ENOSPC: there are as many as there may be,
 * and all of them hold. */
SS_MUST_USE apr_status_t ss_revocation_add(ss_revocation_t *set, const ss_revocation_line_t *line,
                                           apr_time_t now);

/** What ss_revocation_read has come across. */
typedef struct ss_revocation_count_t {
    apr_size_t read;    /* bytes, up to and with the last newline */
    apr_size_t lines;   /* that were understood */
    apr_size_t past;    /* of those: that hold no longer */
    apr_size_t unknown; /* that were not */
} ss_revocation_count_t;

/**
 * Add all lines of a text. What stands behind its last newline may be the beginning of a line that
 * is being written: it counts already if it is one, as of what is missing only digits of `until`
 * can be, and is to be read again with what follows.
 *
 * @param count  added to; `read` says where to go on
 * @return       APR_SUCCESS, or APR_ENOSPC as above
 */
SS_MUST_USE apr_status_t ss_revocation_read(ss_revocation_t *set, ss_bytes_t text, apr_time_t now,
                                            ss_revocation_count_t *count);

/** Until when the last of the lines holds, in seconds since 1970; 0: none does. */
apr_int64_t ss_revocation_end(const ss_revocation_t *set, apr_time_t now);

/** Is this session revoked? */
int ss_revocation_covers(const ss_revocation_t *set, const ss_revocable_t *session, apr_time_t now);

/** When a session of this subject, or of nobody, must be said to be created at the earliest, so
 * that it is not revoked from the beginning. 0: at any time. */
apr_int64_t ss_revocation_earliest(const ss_revocation_t *set, ss_bytes_t subject, apr_time_t now);

/** The latest time that a session which has begun by `now` may say, of this subject or, with
 * ss_absent, of anybody: it is ahead of `now` where lines of the last moments were, and 0 where no
 * line has moved it. A line that is to reach these sessions says no less. */
apr_int64_t ss_revocation_latest(const ss_revocation_t *set, ss_bytes_t subject, apr_time_t now);

/**
 * Add what another set says and still holds.
 *
 * @param lacked  out: how many lines of it were new to `set`, or said more than it knew
 */
SS_MUST_USE apr_status_t ss_revocation_merge(ss_revocation_t *set, const ss_revocation_t *other,
                                             apr_time_t now, apr_size_t *lacked);

/** How many lines it holds, with those that hold no longer. */
apr_size_t ss_revocation_size(const ss_revocation_t *set);

/** Forget those that hold no longer. Their number. */
apr_size_t ss_revocation_drop(ss_revocation_t *set, apr_time_t now);

/** All lines that hold, as text, in the order in which they came. */
ss_bytes_t ss_revocation_text(const ss_revocation_t *set, apr_time_t now, apr_pool_t *pool);

#endif
