/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REVOCATION_FOLLOW_H
#define SS_REVOCATION_FOLLOW_H

#include "lib/revocation.h"

/** A log (revocation_log.h) that is being followed, by any number of threads. */
typedef struct ss_followed_t ss_followed_t;

/**
 * Begin to follow a log, and read what is there. That it cannot be read is no failure yet: each
 * question tries again.
 *
 * @param key   SS_SIPHASH_KEY_SIZE random bytes, copied
 * @param pool  of the process; what is read lies in memory of its own, freed with it
 */
ss_followed_t *ss_revocation_follow(const char *path, const unsigned char *key, apr_time_t now,
                                    apr_pool_t *pool);

/*
 * Questions. What fails sets `why` as in revocation_log.h. Each looks whether the file has grown or
 * was replaced, and reads what is new: what was appended before the question counts. Others wait
 * only while that is read.
 */

/** SS_VALID, SS_REVOKED, or SS_UNAVAILABLE: the log cannot be read. */
SS_MUST_USE ss_state_e ss_followed_judge(ss_followed_t *log, const ss_revocable_t *session,
                                         apr_time_t now, const char **why, apr_pool_t *pool);

/** As ss_revocation_earliest; -1: the log cannot be read. */
SS_MUST_USE apr_int64_t ss_followed_earliest(ss_followed_t *log, ss_bytes_t subject, apr_time_t now,
                                             const char **why, apr_pool_t *pool);

/** As ss_revocation_latest; -1: the log cannot be read. */
SS_MUST_USE apr_int64_t ss_followed_latest(ss_followed_t *log, ss_bytes_t subject, apr_time_t now,
                                           const char **why, apr_pool_t *pool);

/** As ss_revocation_text; ss_absent: the log cannot be read. */
SS_MUST_USE ss_bytes_t ss_followed_text(ss_followed_t *log, apr_time_t now, const char **why,
                                        apr_pool_t *pool);

/** How many lines of it were not understood. */
apr_size_t ss_followed_unknown(ss_followed_t *log);

#endif
