/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SHARED_LOG_H
#define SS_SHARED_LOG_H

#include "httpd/config.h"
#include "lib/revocation.h"

/**
 * The log of revocations (lib/revocation_line.h) as one more record of a store, under an id of
 * zeros: for any number of machines. Each child has a copy, which one request a second renews; the
 * others use it meanwhile. What a child knows and the store does not, after a failover for example,
 * it writes there again. For any number of threads.
 */
typedef struct ss_shared_log_t ss_shared_log_t;

#define SS_SHARED_LOG_FRESH apr_time_from_sec(1)  /* how old a copy may be before it is renewed */
#define SS_SHARED_LOG_STALE apr_time_from_sec(60) /* and before nobody knows any more */
#define SS_SHARED_LOG_MAX 65536                   /* bytes of text: some 1300 lines */

/**
 * @param key   SS_SIPHASH_KEY_SIZE random bytes, copied
 * @param pool  of the child
 */
ss_shared_log_t *ss_shared_log_create(const ss_server_conf_t *conf, const unsigned char *key,
                                      apr_pool_t *pool);

/* Questions. `why` is set when the answer is that nobody knows: one line without full stop. */

/** SS_VALID, SS_REVOKED or SS_UNAVAILABLE. */
ss_state_e ss_shared_log_judge(ss_shared_log_t *log, const ss_revocable_t *session,
                               const char **why, apr_pool_t *pool);

/** As ss_revocation_earliest; 0 also when nobody knows. */
apr_int64_t ss_shared_log_earliest(ss_shared_log_t *log, ss_bytes_t subject, apr_pool_t *pool);

/** As ss_revocation_latest; 0 also when nobody knows. */
apr_int64_t ss_shared_log_latest(ss_shared_log_t *log, ss_bytes_t subject, apr_pool_t *pool);

/** Add a line. APR_ENOSPC: the log is full; anything else but APR_SUCCESS: it was not saved. */
SS_MUST_USE apr_status_t ss_shared_log_add(ss_shared_log_t *log, const ss_revocation_line_t *line,
                                           const char **why, apr_pool_t *pool);

#endif
