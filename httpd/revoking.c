/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_file_info.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_main.h>

#include "httpd/counters.h"
#include "httpd/log.h"
#include "httpd/revoking.h"
#include "httpd/shared_log.h"
#include "httpd/stores.h"
#include "lib/revocation_follow.h"
#include "lib/revocation_log.h"
#include "lib/siphash.h"

struct ss_revoking_t {
    ss_followed_t *file;      /* or */
    ss_shared_log_t *shared;  /* the other is NULL */
    server_rec *server;       /* for the log */
    apr_interval_time_t life; /* of the sessions of all servers that have the same one, or
                                 SS_FOREVER */
};

int ss_revoking_is_on(const ss_server_conf_t *conf)
{
    return conf->revocation.kind != SS_REVOKING_OFF;
}

/*
 * Questions
 */

ss_bytes_t ss_revoking_subject(const ss_server_conf_t *conf, const ss_session_t *session,
                               apr_pool_t *pool)
{
    ss_json_t value = ss_session_get(session, ss_bytes_of(conf->subject));
    ss_bytes_t text;

    if (value.raw.data == NULL || ss_json_kind(value) != SS_JSON_STRING) {
        return ss_absent;
    }
    text = ss_json_decode(value, pool);
    return text.len == 0 ? ss_absent : text;
}

/* Cookies of frameworks have neither an id nor a time of creation: only when they were signed. */
static ss_revocable_t revocable_of(const ss_server_conf_t *conf, const ss_session_t *session,
                                   apr_pool_t *pool)
{
    const ss_stamp_t *stamp = ss_session_stamp(session);
    const ss_revocable_t revocable = {
        .id = stamp->counter > 0 ? stamp->id : NULL,
        .subject = ss_revoking_subject(conf, session, pool),
        .created = stamp->created != SS_NO_TIME ? stamp->created : stamp->renewed,
        .is_replaced = 0,
    };

    return revocable;
}

static void tell_of_unreadable(const ss_revoking_t *revoking, const char *why)
{
    static volatile apr_uint32_t told;

    if (ss_log_is_time(&told, apr_time_now())) {
        ss_log_server(revoking->server, APLOG_ERR, "SS0421",
                      "the revocation log cannot be read: %s; who has a session is answered with "
                      "503, because nobody knows whether it was revoked",
                      why);
    }
}

static ss_state_e ask(ss_revoking_t *revoking, ss_revocable_t *revocable, apr_time_t now,
                      apr_pool_t *pool)
{
    const char *why = NULL;
    ss_state_e state = revoking->file != NULL
                           ? ss_followed_judge(revoking->file, revocable, now, &why, pool)
                           : ss_shared_log_judge(revoking->shared, revocable, &why, pool);

    if (state == SS_UNAVAILABLE) {
        tell_of_unreadable(revoking, why);
    }
    return state;
}

ss_state_e ss_revoking_judge(const ss_server_conf_t *conf, const ss_session_t *session,
                             int *is_replaced, apr_time_t now, apr_pool_t *pool)
{
    ss_revocable_t revocable;
    ss_state_e state;

    if (conf->revoking == NULL) {
        return SS_VALID;
    }
    revocable = revocable_of(conf, session, pool);
    state = ask(conf->revoking, &revocable, now, pool);
    if (is_replaced != NULL) {
        *is_replaced |= state == SS_VALID && revocable.is_replaced;
    }
    return state;
}

ss_state_e ss_revoking_judge_id(const ss_server_conf_t *conf, const unsigned char *id,
                                apr_time_t now, apr_pool_t *pool)
{
    ss_revocable_t revocable = { id, ss_absent, SS_NO_TIME, 0 };

    return conf->revoking == NULL ? SS_VALID : ask(conf->revoking, &revocable, now, pool);
}

/* The latest time that anything of ours says, sessions and lines of the log. Who ends his sessions
 * and logs in again, many times in a second, moves neither further: a session from further ahead
 * would be refused, and a line of his would keep out everybody when all are revoked. */
static apr_int64_t limited(apr_int64_t time, const ss_server_conf_t *conf, apr_time_t now)
{
    apr_int64_t limit = ss_lifetime_furthest(&conf->lifetime, now);

    return time < limit ? time : limit;
}

apr_int64_t ss_revoking_earliest(const ss_server_conf_t *conf, const ss_session_t *session,
                                 apr_time_t now, apr_pool_t *pool)
{
    ss_revoking_t *revoking = conf->revoking;
    apr_int64_t earliest;
    const char *why;
    ss_bytes_t subject;

    if (revoking == NULL) {
        return 0;
    }
    subject = ss_revoking_subject(conf, session, pool);
    earliest = revoking->file != NULL
                   ? ss_followed_earliest(revoking->file, subject, now, &why, pool)
                   : ss_shared_log_earliest(revoking->shared, subject, pool);
    return earliest < 0 ? 0 : limited(earliest, conf, now);
}

/*
 * Adding
 */

/* By then whatever is revoked now has expired. */
static apr_int64_t end_of(const ss_revoking_t *revoking, apr_time_t now)
{
    return revoking->life == SS_FOREVER ? SS_REVOCATION_TIME_MAX
                                        : apr_time_sec(now + revoking->life) + 1;
}

/** An id that is about to be replaced. */
typedef struct replacing_t {
    ss_revoking_t *revoking;
    const unsigned char *id;
} replacing_t;

/* Nobody else has: two who bind one session to their keys at the same time must not both succeed.
 */
static apr_status_t may_replace(void *replacing_, const char **why, apr_pool_t *pool)
{
    const replacing_t *replacing = replacing_;
    ss_revocable_t revocable = { replacing->id, ss_absent, SS_NO_TIME, 0 };

    switch (ss_followed_judge(replacing->revoking->file, &revocable, apr_time_now(), why, pool)) {
    case SS_VALID:
        *why = "another request has replaced it";
        return revocable.is_replaced ? APR_EEXIST : APR_SUCCESS;
    case SS_REVOKED:
        *why = "it was revoked meanwhile";
        return APR_EEXIST;
    default:
        return APR_EGENERAL;
    }
}

static apr_status_t append(const ss_server_conf_t *conf, const ss_revocation_line_t *line,
                           const char **why, apr_pool_t *pool)
{
    replacing_t replacing = { conf->revoking, (const unsigned char *)line->value.data };
    const ss_append_guard_t guard = { may_replace, &replacing };
    ss_bytes_t text;
    apr_status_t rv = ss_revocation_print(&text, line, pool);

    if (rv != APR_SUCCESS) {
        *why = "the value is empty, or too long";
        return rv;
    }
    return ss_revocation_log_append(why, conf->revocation.path, text,
                                    line->kind == SS_REVOKED_REPLACED ? &guard : NULL,
                                    conf->store_timeout, pool);
}

/* Who was logged out a moment ago and has come back has a session that is dated a second ahead. */
static apr_int64_t before_of(const ss_server_conf_t *conf, ss_revoked_e kind, ss_bytes_t value,
                             apr_time_t now, apr_pool_t *pool)
{
    ss_revoking_t *revoking = conf->revoking;
    ss_bytes_t subject = kind == SS_REVOKED_ALL ? ss_absent : value;
    apr_int64_t before = apr_time_sec(now), latest;
    const char *why;

    if (kind == SS_REVOKED_ID) {
        return 0;
    }
    if (kind == SS_REVOKED_REPLACED) {
        return before + SS_REPLACED_LIVES;
    }
    before += kind == SS_REVOKED_ALL; /* a copy of the log may lack what others have just added */
    latest = revoking->file != NULL ? ss_followed_latest(revoking->file, subject, now, &why, pool)
                                    : ss_shared_log_latest(revoking->shared, subject, pool);
    return before > latest ? before : limited(latest, conf, now);
}

apr_status_t ss_revoking_add(const ss_server_conf_t *conf, ss_revoked_e kind, ss_bytes_t value,
                             const char **why, apr_pool_t *pool)
{
    ss_revoking_t *revoking = conf->revoking;
    apr_time_t now = apr_time_now();
    apr_status_t rv;
    ss_revocation_line_t line = { .kind = kind, .value = value };

    if (revoking == NULL) {
        *why = "there is no log: set SignedSessionRevocation";
        return APR_ENOTIMPL;
    }
    line.before = before_of(conf, kind, value, now, pool);
    line.until = end_of(revoking, now);
    rv = revoking->file != NULL ? append(conf, &line, why, pool)
                                : ss_shared_log_add(revoking->shared, &line, why, pool);
    if (rv == APR_SUCCESS) {
        ss_count(SS_COUNT_REVOCATIONS + (int)kind);
    }
    return rv;
}

/*
 * Start
 */

static int is_there(const char *path, apr_pool_t *scratch)
{
    apr_finfo_t info;

    return apr_stat(&info, path, APR_FINFO_TYPE, scratch) == APR_SUCCESS;
}

/* Has this httpd used the log before? It knows from now on that it has. */
static int is_in_use(const char *path, apr_pool_t *scratch)
{
    const char *key = apr_pstrcat(scratch, "mod_signed_session log ", path, NULL);

    if (ap_retained_data_get(key) != NULL) {
        return 1;
    }
    ap_retained_data_create(key, 1);
    return 0;
}

/* Whoever rotates logs reloads httpd right afterwards: a new log would be an amnesty. */
static int has_been_taken_away(const char *path, server_rec *s, const ss_start_t *start)
{
    if (start->keys == NULL || !is_in_use(path, start->scratch) || is_there(path, start->scratch)) {
        return 0;
    }
    ss_log_server(
        s, APLOG_ERR, "SS0431",
        "the revocation log %s is gone, and a reload does not make a new one: put it back; "
        "a stop and a start would, and whoever it had logged out would be in again",
        path);
    return 1;
}

static const char *settle_file(server_rec *s, const ss_start_t *start)
{
    const ss_server_conf_t *conf = ss_server_conf(s);
    const ss_revocation_place_t place = { conf->revocation.path, start->uid, start->gid };
    const char *why = NULL;
    apr_status_t rv;

    if (has_been_taken_away(place.path, s, start)) {
        return NULL;
    }
    if (start->is_test) {
        rv = ss_revocation_log_check(&why, &place, start->scratch);
    }
    else {
        rv = ss_revocation_log_make(&why, &place, start->scratch);
    }
    /* never in a reload: children of before still append to the old file */
    if (rv == APR_SUCCESS && start->keys != NULL && !start->is_reload) {
        rv = ss_revocation_log_compact(&why, &place, apr_time_now(), start->scratch);
    }
    return rv == APR_SUCCESS ? NULL : why;
}

int ss_revoking_settle(ss_start_t *start)
{
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        const ss_server_conf_t *conf = ss_server_conf(s);
        const char *why = NULL;

        if (ss_config_is_own(s, start->main) && conf->revocation.kind == SS_REVOKING_FILE) {
            why = settle_file(s, start);
        }
        if (why != NULL) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s,
                         "SS0414: SignedSessionRevocation file:%s: %s%s", conf->revocation.path,
                         why, ss_start_place(start, s));
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}

static void tell_of_unknown(const ss_revoking_t *revoking, const char *path)
{
    apr_size_t unknown = ss_followed_unknown(revoking->file);

    if (unknown > 0) {
        ss_log_server(revoking->server, APLOG_WARNING, "SS0426",
                      "%" APR_SIZE_T_FMT " lines of %s mean nothing, and revoke nobody: \"ssctl "
                      "revoked --file\" lists what holds",
                      unknown, path);
    }
}

static int is_same_log(const ss_revoking_conf_t *a, const ss_revoking_conf_t *b)
{
    return a->kind == b->kind && (a->kind != SS_REVOKING_FILE || strcmp(a->path, b->path) == 0);
}

/* How long a session may live that is in this log, whichever of our servers it belongs to. */
static apr_interval_time_t life_of(const ss_server_conf_t *conf, server_rec *main)
{
    apr_interval_time_t life = 0;

    for (server_rec *s = main; s != NULL; s = s->next) {
        const ss_server_conf_t *other = ss_server_conf(s);
        const ss_lifetime_t *lifetime = &other->lifetime;
        apr_interval_time_t longest = ss_lifetime_longest(lifetime);

        if (!is_same_log(&other->revocation, &conf->revocation)) {
            continue;
        }
        if (longest == SS_FOREVER) {
            return SS_FOREVER;
        }
        longest += apr_time_from_sec(ss_lifetime_ahead(lifetime));
        life = longest > life ? longest : life;
    }
    return life;
}

static void open_one(server_rec *s, server_rec *main, apr_pool_t *pchild)
{
    ss_server_conf_t *conf = ss_server_conf(s);
    ss_revoking_t *revoking = apr_pcalloc(pchild, sizeof(*revoking));
    unsigned char key[SS_SIPHASH_KEY_SIZE];

    if (ss_random(key, sizeof(key)) != APR_SUCCESS) {
        memset(key, 0, sizeof(key)); /* slower for who can choose subjects, and no less right */
    }
    revoking->server = s;
    revoking->life = life_of(conf, main);
    if (conf->revocation.kind == SS_REVOKING_FILE) {
        revoking->file = ss_revocation_follow(conf->revocation.path, key, apr_time_now(), pchild);
        tell_of_unknown(revoking, conf->revocation.path);
    }
    else {
        revoking->shared = ss_shared_log_create(conf, key, pchild);
    }
    conf->revoking = revoking;
}

void ss_revoking_open(server_rec *main, apr_pool_t *pchild)
{
    for (server_rec *s = main; s != NULL; s = s->next) {
        if (ss_config_is_own(s, main) && ss_revoking_is_on(ss_server_conf(s)) &&
            ss_server_conf(s)->sealing.seals != NULL) {
            open_one(s, main, pchild);
        }
    }
}
