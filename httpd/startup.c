/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stddef.h>

#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>

#include "httpd/config.h"
#include "httpd/log.h"
#include "httpd/startup.h"
#include "lib/crypto.h"
#include "lib/memory.h"
#include "lib/source.h"

/** The secrets of one SignedSessionSecret, read once however many virtual hosts inherit it. */
typedef struct reading_t {
    const apr_array_header_t *sources;
    const apr_array_header_t *secrets; /* NULL when they cannot be used */
    const char *variable;              /* then: the environment variable that is unset, or NULL */
    const char *why;                   /* or the message, with its number */
} reading_t;

static const ss_format_t *written_format(const ss_server_conf_t *conf)
{
    return APR_ARRAY_IDX(conf->formats, 0, const ss_format_t *);
}

static int has_trait(const ss_server_conf_t *conf, int trait)
{
    for (int i = 0; i < conf->formats->nelts; i++) {
        if (APR_ARRAY_IDX(conf->formats, i, const ss_format_t *)->traits & trait) {
            return 1;
        }
    }
    return 0;
}

/* Returns NULL, or the message that stops the start. */
static const char *contradiction(const ss_server_conf_t *conf)
{
    if (conf->audience[0] != '\0' && !has_trait(conf, SS_FORMAT_BOUND)) {
        return "SS0107: SignedSessionAudience is set, but no format of SignedSessionFormat is "
               "bound "
               "to an audience: add native, or remove SignedSessionAudience";
    }
    if (conf->encrypt && !(written_format(conf)->traits & SS_FORMAT_SECRECY)) {
        return "SS0115: SignedSessionEncrypt is On, but cookies of the format that is written "
               "cannot be encrypted: write native first in SignedSessionFormat, or remove "
               "SignedSessionEncrypt";
    }
    return NULL;
}

/* In a migration, a format without a time is a door that stays open. */
static void warn_of_endless(const ss_server_conf_t *conf, server_rec *s)
{
    for (int i = 1; i < conf->formats->nelts; i++) {
        const ss_format_t *format = APR_ARRAY_IDX(conf->formats, i, const ss_format_t *);

        if (!(format->traits & SS_FORMAT_TIMED)) {
            ss_log_server(s, APLOG_WARNING, "SS0116",
                          "SignedSessionFormat: %s is accepted, and its cookies never expire: "
                          "remove it after the migration",
                          format->name);
        }
    }
}

static void warn_of_surprises(const ss_server_conf_t *conf, server_rec *s)
{
    if (conf->audience[0] != '\0' && has_trait(conf, SS_FORMAT_FOREIGN)) {
        ss_log_server(s, APLOG_WARNING, "SS0108",
                      "SignedSessionAudience: cookies of a framework's format are not bound to it");
    }
    if (conf->encrypt && has_trait(conf, SS_FORMAT_FOREIGN)) {
        ss_log_server(s, APLOG_WARNING, "SS0114",
                      "SignedSessionEncrypt: cookies of a framework's format are accepted, and are "
                      "not encrypted");
    }
    warn_of_endless(conf, s);
    if (conf->lifetime.absolute != SS_FOREVER &&
        !(written_format(conf)->traits & SS_FORMAT_CREATED)) {
        ss_log_server(s, APLOG_WARNING, "SS0109",
                      "SignedSessionAbsoluteTimeout has no effect: the format %s carries no "
                      "creation time",
                      written_format(conf)->name);
    }
}

/* Must this server have keys? Where nothing asks for sessions, the missing default is no fault. */
static int needs_keys(const ss_server_conf_t *conf)
{
    return conf->in_use != NULL || ss_config_is_written(conf, offsetof(ss_server_conf_t, sources));
}

static void read_secrets(reading_t *reading, apr_array_header_t *warnings, apr_pool_t *pool)
{
    apr_array_header_t *secrets;
    const char *why;
    apr_status_t rv =
        ss_source_read(&secrets, &why, warnings, reading->sources, ap_server_root, pool);

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

static const reading_t *reading_of(apr_array_header_t *readings, const ss_server_conf_t *conf,
                                   apr_array_header_t *warnings, apr_pool_t *pool)
{
    reading_t *reading;

    for (int i = 0; i < readings->nelts; i++) {
        reading = &APR_ARRAY_IDX(readings, i, reading_t);
        if (reading->sources == conf->sources) {
            return reading;
        }
    }
    reading = apr_array_push(readings);
    memset(reading, 0, sizeof(*reading));
    reading->sources = conf->sources;
    read_secrets(reading, warnings, pool);
    return reading;
}

static const char *message_for(const reading_t *reading, const ss_server_conf_t *conf,
                               apr_pool_t *pool)
{
    if (reading->variable == NULL) {
        return apr_pstrdup(pool, reading->why);
    }
    return apr_psprintf(pool,
                        "SS0101: SignedSession is on, but no secret is configured: set the "
                        "environment variable %s (try: ssctl keygen), or name another source with "
                        "SignedSessionSecret%s%s",
                        reading->variable, conf->in_use != NULL ? "; switched on at " : "",
                        conf->in_use != NULL ? conf->in_use : "");
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

/* Defaults that depend on another directive. */
static void settle_defaults(ss_server_conf_t *conf)
{
    if (!ss_config_is_written(conf, offsetof(ss_server_conf_t, lifetime.idle))) {
        conf->lifetime.idle = apr_time_from_sec(written_format(conf)->idle_days * SS_DAY);
    }
    if (!ss_config_is_written(conf, offsetof(ss_server_conf_t, lifetime.renew)) &&
        written_format(conf)->traits & SS_FORMAT_FOREIGN) {
        /* Only the application knows how long its sessions live. */
        conf->lifetime.renew.kind = SS_RENEW_NEVER;
    }
}

/* One server's turn. `keys` is the pool that keys go to, or NULL to judge only. Returns OK or DONE.
 */
static int settle_server(server_rec *s, apr_array_header_t *readings, apr_pool_t *keys,
                         apr_pool_t *ptemp)
{
    ss_server_conf_t *conf = ss_server_conf(s);
    apr_array_header_t *warnings = apr_array_make(ptemp, 0, sizeof(const char *));
    const reading_t *reading = reading_of(readings, conf, warnings, ptemp);

    if (reading->secrets == NULL) {
        const char *message = message_for(reading, conf, keys != NULL ? keys : ptemp);

        conf->unusable = message;
        if (needs_keys(conf)) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s, "%s", message);
            return DONE;
        }
        return OK;
    }
    if (keys == NULL) {
        return OK;
    }
    for (int i = 0; i < warnings->nelts; i++) {
        ss_log_server(s, APLOG_WARNING, "SS0110", "SignedSessionSecret: %s",
                      APR_ARRAY_IDX(warnings, i, const char *));
    }
    settle_defaults(conf);
    warn_of_surprises(conf, s);
    if (make_keys(conf, reading->secrets, keys) != APR_SUCCESS) {
        ss_log_server(s, APLOG_CRIT, "SS0111",
                      "OpenSSL %s refused to make the keys of SignedSessionSecret (SHA-1, which "
                      "some frameworks' formats need, may be switched off)",
                      ss_crypto_running_version());
        return DONE;
    }
    return OK;
}

/* Virtual hosts without a directive of ours share their main server's configuration. */
static int is_first_with_its_conf(const server_rec *s, const server_rec *main)
{
    return s == main || ss_server_conf(s) != ss_server_conf(main);
}

/* What one virtual host forwards, another one's client must not send. */
static void guard_headers(server_rec *main, apr_pool_t *pool)
{
    const apr_array_header_t *all = apr_array_make(pool, 0, sizeof(const char *));

    for (server_rec *s = main; s != NULL; s = s->next) {
        if (is_first_with_its_conf(s, main)) {
            all = apr_array_append(pool, all, ss_server_conf(s)->headers);
        }
    }
    for (server_rec *s = main; s != NULL; s = s->next) {
        ss_server_conf(s)->guarded = all;
    }
}

static int share_a_secret(const reading_t *a, const reading_t *b)
{
    for (int i = 0; i < a->secrets->nelts; i++) {
        for (int j = 0; j < b->secrets->nelts; j++) {
            if (ss_bytes_equal(APR_ARRAY_IDX(a->secrets, i, ss_secret_t).text,
                               APR_ARRAY_IDX(b->secrets, j, ss_secret_t).text)) {
                return 1;
            }
        }
    }
    return 0;
}

/* Would a session that visitors write there be believed here? */
static int reads_sessions_of(const ss_server_conf_t *here, const ss_server_conf_t *there,
                             apr_array_header_t *readings, apr_pool_t *ptemp)
{
    const reading_t *mine = reading_of(readings, here, NULL, ptemp);
    const reading_t *theirs = reading_of(readings, there, NULL, ptemp);

    return strcmp(here->cookie.name, there->cookie.name) == 0 &&
           strcmp(here->audience, there->audience) == 0 && mine->secrets != NULL &&
           theirs->secrets != NULL && share_a_secret(mine, theirs);
}

static void warn_of_open_keys(server_rec *main, apr_array_header_t *readings, apr_pool_t *ptemp)
{
    for (server_rec *there = main; there != NULL; there = there->next) {
        const char *open_at = ss_server_conf(there)->open_at;

        for (server_rec *here = main; open_at != NULL && here != NULL; here = here->next) {
            const char *required_at = ss_server_conf(here)->required_at;

            if (required_at != NULL && is_first_with_its_conf(here, main) &&
                reads_sessions_of(ss_server_conf(here), ss_server_conf(there), readings, ptemp)) {
                ss_log_server(
                    there, APLOG_WARNING, "SS0113",
                    "visitors can write every key of their session (SignedSessionWritable "
                    "* at %s), and a Require signed-session believes it (at %s): name the "
                    "keys that may be written",
                    open_at, required_at);
                return;
            }
        }
    }
}

static int settle_all(server_rec *main, apr_pool_t *keys, apr_pool_t *ptemp)
{
    apr_array_header_t *readings = apr_array_make(ptemp, 1, sizeof(reading_t));
    int result = OK;

    for (server_rec *s = main; s != NULL; s = s->next) {
        if (is_first_with_its_conf(s, main) && settle_server(s, readings, keys, ptemp) != OK) {
            result = HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    if (result == OK && keys != NULL) {
        guard_headers(main, keys);
        warn_of_open_keys(main, readings, ptemp);
    }
    return result;
}

static int is_missing(const ss_source_t *source, apr_pool_t *pool)
{
    return source->kind == SS_SOURCE_ENV && getenv(source->name) == NULL &&
           getenv(apr_pstrcat(pool, source->name, "_FILE", NULL)) == NULL;
}

/* A start that fails in post_config says why in the error log only; what can be seen without
 * reading a source is said here, where it still reaches the terminal. */
static void warn_on_terminal(server_rec *main, apr_pool_t *ptemp)
{
    for (server_rec *s = main; s != NULL; s = s->next) {
        const ss_server_conf_t *conf = ss_server_conf(s);

        for (int i = 0; i < conf->sources->nelts; i++) {
            const ss_source_t *source = &APR_ARRAY_IDX(conf->sources, i, ss_source_t);

            if (is_first_with_its_conf(s, main) && needs_keys(conf) && is_missing(source, ptemp)) {
                reading_t reading = { conf->sources, NULL, source->name, NULL };

                ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, s, "%s",
                             message_for(&reading, conf, ptemp));
                return;
            }
        }
    }
}

int ss_startup_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    (void)pconf;
    (void)plog;
    for (server_rec *s = main; s != NULL; s = s->next) {
        const char *message = contradiction(ss_server_conf(s));

        if (message != NULL) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s, "%s", message);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        return settle_all(main, NULL, ptemp);
    }
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        warn_on_terminal(main, ptemp);
    }
    return OK;
}

int ss_startup_run(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    (void)plog;
    /* The first of two passes only judges: it still has the terminal's exit status. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return settle_all(main, NULL, ptemp);
    }
    ss_log_server(main, APLOG_INFO, "SS0100",
                  "mod_signed_session " SS_VERSION "; httpd built with " AP_SERVER_BASEREVISION
                  ", running %s; OpenSSL built with %s, running %s",
                  ap_get_server_description(), ss_crypto_built_version(),
                  ss_crypto_running_version());
    return settle_all(main, pconf, ptemp);
}

void ss_startup_child(apr_pool_t *pchild, server_rec *main)
{
    ss_memory_t *memory = NULL;

    for (server_rec *s = main; s != NULL; s = s->next) {
        ss_server_conf_t *conf = ss_server_conf(s);

        if (conf->sealing.seals != NULL && !ap_exists_config_define("SIGNED_SESSION_NO_MEMORY")) {
            memory = memory != NULL ? memory : ss_memory_create(pchild);
            conf->sealing.memory = memory;
        }
    }
}
