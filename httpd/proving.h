/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_PROVING_H
#define SS_PROVING_H

#include "httpd/config.h"
#include "lib/proof.h"

/* SignedSessionBind, where sessions are judged: whose key is a session bound to, and has the client
 * proved that it has it? */

/** Start-up: names. */
ss_part_fn ss_proving_start;

/** Are sessions bound in this server? Else a bound one is an ordinary one. */
int ss_proving_is_on(const ss_server_conf_t *conf);

/** The keys of what is made for bound sessions. Not without ss_sealing_t.seals. */
const ss_keyring_t *ss_proving_keys(const ss_server_conf_t *conf);

/** For how long a proof counts in this server. */
ss_proof_time_t ss_proving_time(const ss_server_conf_t *conf, apr_time_t now);

/** The proof cookie, which looks in every way like the session's. */
ss_cookie_t ss_proving_cookie(const ss_server_conf_t *conf);

/** How many proof cookies are there in a Cookie header, which may be NULL? */
int ss_proving_count(const ss_server_conf_t *conf, const char *header);

/**
 * Has a client proved that a bound session is its own?
 *
 * @param header  its Cookie header: of several proofs each is tried
 * @return        SS_VALID or SS_UNPROVEN
 */
ss_state_e ss_proving_judge(const ss_server_conf_t *conf, const char *header,
                            const ss_stamp_t *stamp, apr_time_t now, apr_pool_t *pool);

/** Should a session have been bound by now? SS_VALID or SS_UNBOUND. */
ss_state_e ss_proving_require(const ss_server_conf_t *conf, const ss_session_t *session,
                              apr_time_t now, apr_pool_t *pool);

#endif
