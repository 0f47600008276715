/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REVOKING_H
#define SS_REVOKING_H

#include "httpd/config.h"
#include "lib/revocation.h"

/* SignedSessionRevocation: who was logged out everywhere, as one server knows it. */

/** A log of revocations in a child: a file, or the record of a store. */
typedef struct ss_revoking_t ss_revoking_t;

#define SS_REPLACED_LIVES                                                                          \
    30 /* seconds that a session which has another id by now is still read                         \
        */

/** Does this server have one? */
int ss_revoking_is_on(const ss_server_conf_t *conf);

/**
 * Is a session revoked? Asked whenever one is loaded.
 *
 * @param is_replaced  out: it is valid, but has been given another id, and will be revoked in a
 *                     moment; NULL: nobody wants to know
 * @param now          of the request
 * @return     SS_VALID, SS_REVOKED, or SS_UNAVAILABLE: the log cannot be read, and nobody knows
 *             (SS0421)
 */
ss_state_e ss_revoking_judge(const ss_server_conf_t *conf, const ss_session_t *session,
                             int *is_replaced, apr_time_t now, apr_pool_t *pool);

/** The same for one of which only the id is known. */
ss_state_e ss_revoking_judge_id(const ss_server_conf_t *conf, const unsigned char *id,
                                apr_time_t now, apr_pool_t *pool);

/** When a session that begins now must be said to be created at the earliest, in seconds since
 * 1970, so that it is not revoked from the beginning; 0: at any time. */
apr_int64_t ss_revoking_earliest(const ss_server_conf_t *conf, const ss_session_t *session,
                                 apr_time_t now, apr_pool_t *pool);

/** Whose session it is, as text that is not empty; ss_absent: nobody's. */
ss_bytes_t ss_revoking_subject(const ss_server_conf_t *conf, const ss_session_t *session,
                               apr_pool_t *pool);

/**
 * Revoke. From then on every server that shares the log refuses what is meant: at once where it is
 * a file, within a second where it is in a store.
 *
 * @param value  of an id, or one replaced: SS_SESSION_ID_SIZE bytes; of a subject: its text; else
 * ignored
 * @param why    out, unless APR_SUCCESS: one line without full stop
 * @return       APR_SUCCESS; APR_EINVAL: that cannot be written; APR_ENOSPC: the log is full;
 *               APR_EEXIST: one to be replaced was replaced or revoked already; else it could not
 * be written
 */
SS_MUST_USE apr_status_t ss_revoking_add(const ss_server_conf_t *conf, ss_revoked_e kind,
                                         ss_bytes_t value, const char **why, apr_pool_t *pool);

/* Part of httpd's start: is the file such as it must be? Make it. */
ss_part_fn ss_revoking_settle;

/** In each child, once its stores are open. */
void ss_revoking_open(server_rec *main, apr_pool_t *pchild);

#endif
