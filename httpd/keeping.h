/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_KEEPING_H
#define SS_KEEPING_H

#include "httpd/visit.h"

/*
 * The records that stores keep for a visit. Each is saved only over the one that was loaded, or
 * that this visit has saved before; where somebody else has saved meanwhile, the visit's changes
 * are made again on what is there now.
 *
 * All of these take a deadline, absolute, for everything that they do.
 */

/* What comes of it, beside APR_SUCCESS. */
#define SS_REBASED (APR_OS_START_USERERR + 11)           /* the session is another one: once more */
#define SS_ENDED_MEANWHILE (APR_OS_START_USERERR + 12)   /* by another request */
#define SS_CONTENDED (APR_OS_START_USERERR + 13)         /* others change it all the time */
#define SS_STORE_FULL (APR_OS_START_USERERR + 14)        /* why: visit->keeping.why */
#define SS_STORE_UNAVAILABLE (APR_OS_START_USERERR + 15) /* likewise */
#define SS_RECORD_UNREADABLE (APR_OS_START_USERERR + 16) /* what is there does not open */
#define SS_STORED_TOO_LARGE (APR_OS_START_USERERR + 17)  /* by visit->keeping.over */
#define SS_STORED_TOO_WIDE (APR_OS_START_USERERR + 18)   /* more than SS_STORED_KEYS_MAX keys */
#define SS_UNPROVEN_CHANGE (APR_OS_START_USERERR + 19)   /* nobody has proved whose it is */
#define SS_REPLACED_CHANGE (APR_OS_START_USERERR + 20)   /* it has another id by now */
#define SS_UNENDED_CHANGE (APR_OS_START_USERERR + 21)    /* the one from before would go on */

#define SS_STORED_KEYS_MAX 256 /* top-level keys of a stored session */

/** Does a store, or the client, have to be told something, though the session is as the client's
 * cookie says? What an earlier response of this visit has saved may have been taken back, and the
 * session may live in a record that the cookie does not lead to. */
int ss_keeping_differs(ss_visit_t *visit);

/** An id for the session that this visit begins: the same each time.
 *
 * @return  APR_SUCCESS, or what the random source failed with */
SS_MUST_USE apr_status_t ss_keeping_new_id(unsigned char *id, ss_visit_t *visit);

/**
 * Save the session in a store.
 *
 * @param stamp     what the cookie is to say: id and times are given, the counter is made
 * @param renewing  is it to live on though nothing has changed?
 * @return          what stands above, or what libcrypto failed with
 */
SS_MUST_USE apr_status_t ss_keeping_save(ss_visit_t *visit, int place, ss_stamp_t *stamp,
                                         int renewing, apr_time_t deadline);

/** The counter for a cookie that holds the session itself: higher than that of any record. */
apr_uint32_t ss_keeping_counter(ss_visit_t *visit, const ss_stamp_t *stamp);

/**
 * The session is where it belongs, with this stamp: close the others that this visit knows of.
 * Where it has been bound, the old one is still read for a moment.
 *
 * @param place  that it is in
 * @return       APR_SUCCESS; SS_REBASED: somebody has changed the old one meanwhile;
 *               SS_ENDED_MEANWHILE: somebody has ended it, and nothing goes on. What cannot be
 *               closed is logged
 */
SS_MUST_USE apr_status_t ss_keeping_close_others(ss_visit_t *visit, int place,
                                                 const ss_stamp_t *stamp, apr_time_t deadline);

/**
 * A new session has begun, with this stamp: where a log of revocations is a file, the old one's id
 * goes there, if it was ended or was somebody's. Copies of its cookie would go on otherwise. One
 * that has been bound goes there wherever the log is, but is still read for a moment.
 *
 * @param place  that it is in
 * @return       APR_SUCCESS; SS_REPLACED_CHANGE: another request has bound it; SS_UNENDED_CHANGE:
 *               the cookie from before would go on. Unless it is successful, the new one is closed
 */
SS_MUST_USE apr_status_t ss_keeping_strike_old(ss_visit_t *visit, int place,
                                               const ss_stamp_t *stamp, apr_time_t deadline);

/**
 * The session has ended, or what this visit had begun is taken back: close its records.
 *
 * @param ended  has the client's session? Then nothing must be left of it, whoever changed it
 */
void ss_keeping_end(ss_visit_t *visit, int ended, apr_time_t deadline);

#endif
