/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REVOKE_H
#define SS_REVOKE_H

#include "httpd/visit.h"

/* Whoever revokes: SignedSessionClear, the handler signed-session-revoke, C modules. */

/**
 * Revoke every session of the visit's subject, once in a visit. What cannot be written is logged
 * (SS0422).
 *
 * @return  whether they are; 0 also where the session names nobody
 */
int ss_revoke_subject(ss_visit_t *visit);

/**
 * What this asks for.
 *
 * @param kind   "subject", "id" or "all"
 * @param value  of a subject: its text; of an id: 32 hexadecimal digits; else ignored
 * @param why    out, unless APR_SUCCESS: what was wrong, one line without full stop
 * @return       APR_SUCCESS; APR_EINVAL: that means nothing; APR_ENOSPC: the log is full; else it
 *               could not be written
 */
SS_MUST_USE apr_status_t ss_revoke(const ss_server_conf_t *conf, const char *kind, ss_bytes_t value,
                                   const char **why, apr_pool_t *pool);

#define SS_REVOKE_HANDLER "signed-session-revoke"

/** Handler: POST of a form with one of these. */
int ss_revoke_run(request_rec *r);

#endif
