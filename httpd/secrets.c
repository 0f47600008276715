/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stddef.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>

#include "httpd/log.h"
#include "httpd/secrets.h"
#include "lib/crypto.h"
#include "lib/source.h"

/** The secrets of one SignedSessionSecret, read once however many virtual hosts inherit it. */
typedef struct reading_t {
    const apr_array_header_t *sources;
    const apr_array_header_t *secrets; /* NULL when they cannot be used */
    apr_array_header_t *warnings;      /* const char * */
    const char *variable;              /* without secrets: the environment variable that is unset */
    const char *why;                   /* or the message, with its number */
} reading_t;

/* Must this server have keys? Where nothing asks for sessions, the missing default is no fault. */
static int needs_keys(const ss_server_conf_t *conf)
{
    return conf->gathered.in_use != NULL ||
           ss_config_is_written(conf, offsetof(ss_server_conf_t, sources));
}

static void read_secrets(reading_t *reading, apr_pool_t *pool)
{
    apr_array_header_t *secrets;
    const char *why;
    apr_status_t rv =
        ss_source_read(&secrets, &why, reading->warnings, reading->sources, ap_server_root, pool);

    if (rv == APR_NOTFOUND) {
        reading->variable = why;
    }
    else if (rv != APR_SUCCESS) {
        reading->why = apr_pstrcat(pool, "SS0106: SignedSessionSecret: ", why, NULL);
    }
    else {
        reading->why = ss_keyring_judge(secrets, pool);
        if (reading->why == NULL) {
            reading->secrets = secrets;
        }
    }
}

static const reading_t *reading_of(ss_start_t *start, const ss_server_conf_t *conf)
{
    reading_t *reading;

    if (start->readings == NULL) {
        start->readings = apr_array_make(start->scratch, 1, sizeof(reading_t));
    }
    for (int i = 0; i < start->readings->nelts; i++) {
        reading = &APR_ARRAY_IDX(start->readings, i, reading_t);
        if (reading->sources == conf->sources) {
            return reading;
        }
    }
    reading = apr_array_push(start->readings);
    memset(reading, 0, sizeof(*reading));
    reading->sources = conf->sources;
    reading->warnings = apr_array_make(start->scratch, 0, sizeof(const char *));
    read_secrets(reading, start->scratch);
    return reading;
}

/* Where that lives which outlives a start, if anything will. */
static apr_pool_t *pool_of(const ss_start_t *start)
{
    return start->keys != NULL ? start->keys : start->scratch;
}

/* Add the line to look at: that of the source, or, for the default one, what asks for it. */
static const char *with_place(const char *message, server_rec *s, const ss_start_t *start)
{
    const ss_gathered_t *gathered = &ss_server_conf(s)->gathered;
    const char *place = gathered->secret_at != NULL ? gathered->secret_at : gathered->in_use;
    const char *what = gathered->secret_at != NULL ? "named at" : "switched on at";

    return place == NULL ? message
                         : apr_psprintf(start->scratch, "%s; %s %s%s", message, what, place,
                                        ss_start_place(start, s));
}

static const char *message_of_unset(const char *variable, server_rec *s, const ss_start_t *start)
{
    const char *advice = start->is_reload ? "; if it is set by now, stop httpd and start it, "
                                            "because a reload keeps the old environment"
                                          : "";

    return with_place(apr_psprintf(start->scratch,
                                   "SS0101: SignedSession is on, but no secret is configured: set "
                                   "the environment variable %s (try: ssctl keygen), or name "
                                   "another source with SignedSessionSecret%s",
                                   variable, advice),
                      s, start);
}

/* Is what it lacks the main server's, whose message says it? */
static int inherits_fault(const server_rec *s, const ss_start_t *start)
{
    const ss_server_conf_t *main = ss_server_conf(start->main);

    return s != start->main && ss_server_conf(s)->sources == main->sources && needs_keys(main);
}

static apr_status_t make_keys(ss_server_conf_t *conf, const apr_array_header_t *secrets,
                              apr_pool_t *pool)
{
    const ss_binding_t binding = { conf->cookie.name, conf->audience };

    conf->sealing.lifetime = &conf->lifetime;
    conf->sealing.max_size = conf->max_size;
    conf->sealing.random = ss_random;
    conf->sealing.encrypt = conf->encrypt;
    return ss_sealing_init(&conf->sealing, conf->formats, secrets, &binding, pool);
}

/* Without secrets: may httpd start all the same? */
static int is_fit_without(server_rec *s, const reading_t *reading, ss_start_t *start)
{
    ss_server_conf_t *conf = ss_server_conf(s);
    const char *message = reading->variable != NULL ? message_of_unset(reading->variable, s, start)
                                                    : with_place(reading->why, s, start);

    conf->unusable = apr_pstrdup(pool_of(start), message);
    if (!needs_keys(conf)) {
        return 1;
    }
    if (!inherits_fault(s, start)) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s, "%s", message);
    }
    return 0;
}

/* Each is said once, not for every virtual host. */
static void warn_of_readings(server_rec *s, const reading_t *reading, ss_start_t *start)
{
    while (!start->is_first && reading->warnings->nelts > 0) {
        ss_start_warn(start, s,
                      apr_pstrcat(start->scratch, "SS0110: SignedSessionSecret: ",
                                  *(const char **)apr_array_pop(reading->warnings), NULL));
    }
}

static int is_settled(server_rec *s, ss_start_t *start)
{
    ss_server_conf_t *conf = ss_server_conf(s);
    const reading_t *reading = reading_of(start, conf);

    if (reading->secrets == NULL) {
        return is_fit_without(s, reading, start);
    }
    warn_of_readings(s, reading, start);
    /* also where they will not be used: that they can be made is judged while there is a terminal
     */
    if (make_keys(conf, reading->secrets, pool_of(start)) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s,
                     "SS0111: OpenSSL %s refused to make the keys of SignedSessionSecret (SHA-1, "
                     "which some frameworks' formats need, may be switched off)",
                     ss_crypto_running_version());
        return 0;
    }
    return 1;
}

int ss_secrets_settle(ss_start_t *start)
{
    int result = OK;

    for (server_rec *s = start->main; s != NULL; s = s->next) {
        if (ss_config_is_own(s, start->main) && !is_settled(s, start)) {
            result = HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return result;
}

int ss_secrets_are_shared(ss_start_t *start, const ss_server_conf_t *a, const ss_server_conf_t *b)
{
    const apr_array_header_t *mine = reading_of(start, a)->secrets;
    const apr_array_header_t *theirs = reading_of(start, b)->secrets;

    return mine != NULL && theirs != NULL && ss_keyring_share(mine, theirs);
}

static int is_missing(const ss_source_t *source, apr_pool_t *pool)
{
    return source->kind == SS_SOURCE_ENV && getenv(source->name) == NULL &&
           getenv(apr_pstrcat(pool, source->name, "_FILE", NULL)) == NULL;
}

/* The first of the variables that are named here and unset, or NULL. */
static const char *unset_variable(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    for (int i = 0; i < conf->sources->nelts; i++) {
        const ss_source_t *source = &APR_ARRAY_IDX(conf->sources, i, ss_source_t);

        if (is_missing(source, pool)) {
            return source->name;
        }
    }
    return NULL;
}

/* A start that fails in post_config says why in the error log only; what can be seen without
 * reading a source is said here, where it still reaches the terminal. */
int ss_secrets_announce(ss_start_t *start)
{
    for (server_rec *s = start->main; start->is_first && s != NULL; s = s->next) {
        const ss_server_conf_t *conf = ss_server_conf(s);
        const char *variable = ss_config_is_own(s, start->main) && needs_keys(conf)
                                   ? unset_variable(conf, start->scratch)
                                   : NULL;

        if (variable != NULL) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, s, "%s",
                         message_of_unset(variable, s, start));
            break;
        }
    }
    return OK;
}

/* "04fb 1c2d", as "ssctl inspect" shows them, the one that seals first; NULL without such keys. */
static const char *ids_of(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    const char *ids = NULL;

    for (int i = 0; i < conf->sealing.seals->nelts; i++) {
        const ss_seal_t *seal = &APR_ARRAY_IDX(conf->sealing.seals, i, ss_seal_t);

        for (int k = 0; seal->format->traits & SS_FORMAT_BOUND && k < seal->keys->count; k++) {
            ids = apr_psprintf(pool, "%s%s%04x", ids == NULL ? "" : ids, ids == NULL ? "" : " ",
                               seal->keys->keys[k].id);
        }
    }
    return ids;
}

int ss_secrets_tell(ss_start_t *start)
{
    for (server_rec *s = start->main; start->keys != NULL && s != NULL; s = s->next) {
        const ss_server_conf_t *conf = ss_server_conf(s);
        const char *ids;

        if (conf->sealing.seals == NULL || !needs_keys(conf) || !APLOG_IS_LEVEL(s, APLOG_INFO)) {
            continue;
        }
        ids = ids_of(conf, start->scratch);
        ss_log_server(s, APLOG_INFO, "SS0100", "key ids %s (cookie \"%s\", audience \"%s\")%s",
                      ids == NULL ? "none: no native cookies" : ids, conf->cookie.name,
                      conf->audience,
                      s == start->main ? " (main server)" : ss_start_place(start, s));
    }
    return OK;
}
