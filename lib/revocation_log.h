/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REVOCATION_LOG_H
#define SS_REVOCATION_LOG_H

#include <apr_time.h>
#include <apr_user.h>

#include "lib/base.h"

/*
 * The log of revocation_line.h as a file of one machine, for any number of processes. It is only
 * appended to: by us in one write, synced, under flock; by an administrator with >> as well.
 *
 * It begins with a line of its own. Where that is missing, somebody has emptied or replaced the
 * file, as what rotates logs does: nobody knows then who was revoked, no more than when the file is
 * gone.
 *
 * Each function below that can fail sets `why` then: one line, no full stop, in `pool`.
 */

#define SS_REVOCATION_FIRST                                                                        \
    "# revocation log of mod_signed_session: only append to it, never rotate it\n"
/** Bytes of a log: no more lines of the present than SS_REVOCATION_MAX. */
#define SS_REVOCATION_LOG_MAX (128 * 1024 * 1024)

/** Where a log is, and whose. */
typedef struct ss_revocation_place_t {
    const char *path;
    apr_uid_t uid; /* whom the processes that append run as */
    apr_gid_t gid;
} ss_revocation_place_t;

/** Is what is there fit: a log, of mode 0600, of its user? A file that is missing or empty is:
 * ss_revocation_log_make makes a log of it. Nothing is changed. */
SS_MUST_USE apr_status_t ss_revocation_log_check(const char **why,
                                                 const ss_revocation_place_t *place,
                                                 apr_pool_t *pool);

/** At a start: make the file, if it is missing, and hand it over to its user if root makes it; then
 * as above. */
SS_MUST_USE apr_status_t ss_revocation_log_make(const char **why,
                                                const ss_revocation_place_t *place,
                                                apr_pool_t *pool);

/**
 * At a real start, where no process of an earlier one appends any more: put a new file in the place
 * of the old one without the lines that hold no longer, when these are more than half of all. What
 * others append meanwhile is in it. The old file is in its place until the new one is complete and
 * synced.
 */
SS_MUST_USE apr_status_t ss_revocation_log_compact(const char **why,
                                                   const ss_revocation_place_t *place,
                                                   apr_time_t now, apr_pool_t *pool);

/** Asked while nobody else can append: APR_SUCCESS, or why nothing is to be appended. */
typedef struct ss_append_guard_t {
    apr_status_t (*may_append)(void *baton, const char **why, apr_pool_t *pool);
    void *baton;
} ss_append_guard_t;

/**
 * Append lines, which end with a newline, and sync them. The file must be there.
 *
 * @param guard     NULL: nobody is to be asked
 * @param patience  how long to wait for others that append
 * @return          APR_SUCCESS; APR_ENOSPC: the disk or the log is full; APR_ENOENT: there is no
 * such file; what the guard says; else what is wrong. Unless it is successful, the lines may be in
 * it; but not when the guard said no
 */
SS_MUST_USE apr_status_t ss_revocation_log_append(const char **why, const char *path,
                                                  ss_bytes_t lines, const ss_append_guard_t *guard,
                                                  apr_interval_time_t patience, apr_pool_t *pool);

/** Is the file that is open a log: does it begin as one? An empty one does not. */
SS_MUST_USE apr_status_t ss_revocation_log_check_first(const char **why, int fd, const char *path,
                                                       apr_pool_t *pool);

/**
 * Read a part of a log that is open.
 *
 * @param len  in: bytes of room; out: how many there were: less, where it ends before
 */
SS_MUST_USE apr_status_t ss_revocation_log_read(int fd, char *out, apr_size_t *len,
                                                apr_int64_t offset);

#endif
