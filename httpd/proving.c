/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/proving.h"
#include "httpd/revoking.h"

#define SUFFIX "-proof"

int ss_proving_is_on(const ss_server_conf_t *conf)
{
    return conf->bind.kind != SS_BIND_OFF;
}

const ss_keyring_t *ss_proving_keys(const ss_server_conf_t *conf)
{
    /* native is written wherever sessions are bound */
    return APR_ARRAY_IDX(conf->sealing.seals, 0, ss_seal_t).keys;
}

ss_proof_time_t ss_proving_time(const ss_server_conf_t *conf, apr_time_t now)
{
    const ss_proof_time_t time = { now, conf->bind.lifetime, conf->lifetime.skew };

    return time;
}

int ss_proving_start(ss_start_t *start)
{
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        ss_server_conf_t *conf = ss_server_conf(s);

        conf->proof_name =
            apr_pstrcat(start->main->process->pconf, conf->cookie.name, SUFFIX, NULL);
    }
    return OK;
}

ss_cookie_t ss_proving_cookie(const ss_server_conf_t *conf)
{
    ss_cookie_t cookie = conf->cookie;

    cookie.name = conf->proof_name;
    cookie.priority = NULL; /* a browser's description of it has none */
    return cookie;
}

int ss_proving_count(const ss_server_conf_t *conf, const char *header)
{
    ss_bytes_t values[SS_CANDIDATES_MAX];

    return ss_cookie_find(values, SS_CANDIDATES_MAX, SS_COOKIE_FIRST, header, conf->proof_name);
}

ss_state_e ss_proving_judge(const ss_server_conf_t *conf, const char *header,
                            const ss_stamp_t *stamp, apr_time_t now, apr_pool_t *pool)
{
    const ss_proof_time_t time = ss_proving_time(conf, now);
    ss_bytes_t values[SS_CANDIDATES_MAX];
    int count =
        ss_cookie_find(values, SS_CANDIDATES_MAX, SS_COOKIE_FIRST, header, conf->proof_name);

    for (int i = 0; i < count && i < SS_CANDIDATES_MAX; i++) {
        if (ss_proof_holds(values[i], stamp, ss_proving_keys(conf), &time, conf->sealing.memory,
                           pool)) {
            return SS_VALID;
        }
    }
    return SS_UNPROVEN;
}

/* Sessions of a framework's format get a time of creation of ours when they become native. */
ss_state_e ss_proving_require(const ss_server_conf_t *conf, const ss_session_t *session,
                              apr_time_t now, apr_pool_t *pool)
{
    const ss_stamp_t *stamp = ss_session_stamp(session);
    int is_late = conf->bind.kind == SS_BIND_REQUIRED && stamp->counter > 0 &&
                  !ss_stamp_is_bound(stamp) &&
                  apr_time_sec(now) - stamp->created > apr_time_sec(conf->bind.grace);

    return is_late && ss_revoking_subject(conf, session, pool).data != NULL ? SS_UNBOUND : SS_VALID;
}
