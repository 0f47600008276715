/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Sessions in Redis, for mod_signed_session: a module of its own, so that only who uses it needs
 * hiredis and libssl. Here are its directives; all else is in stores/. */

#include <stdlib.h>

#include <apr_strings.h>
#include <ap_provider.h>
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>

#include "lib/crypto.h"
#include "lib/source.h"
#include "stores/redis.h"

module AP_MODULE_DECLARE_DATA signed_session_redis_module;
APLOG_USE_MODULE(signed_session_redis);

#define SS_DEFAULT_PREFIX "ss:"
#define PREFIX_MAX 64

/** One SignedSessionRedisAuth, of all servers that inherit it. */
typedef struct auth_t {
    ss_redis_auth_t known; /* the password from post_config on */
    ss_source_t source;
    const char *place; /* file and line */
} auth_t;

/** One SignedSessionRedisTLS. */
typedef struct tls_t {
    ss_tls_files_t files;
    const char *name;
} tls_t;

/** Of a server; NULL: not written. */
typedef struct conf_t {
    const char *prefix;
    auth_t *auth;
    const tls_t *tls;
    int is_used; /* a store has asked for it */
} conf_t;

static conf_t *conf_of(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &signed_session_redis_module);
}

static void *create_conf(apr_pool_t *pool, server_rec *s)
{
    (void)s;
    return apr_pcalloc(pool, sizeof(conf_t));
}

static void *merge_conf(apr_pool_t *pool, void *base_, void *add_)
{
    const conf_t *base = base_, *add = add_;
    conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    conf->prefix = add->prefix != NULL ? add->prefix : base->prefix;
    conf->auth = add->auth != NULL ? add->auth : base->auth;
    conf->tls = add->tls != NULL ? add->tls : base->tls;
    return conf;
}

/*
 * Directives: each gets its words, and returns NULL or what is wrong and what is accepted
 */

typedef const char *parse_fn(conf_t *conf, const apr_array_header_t *words, cmd_parms *cmd);

typedef struct directive_t {
    parse_fn *parse;
    int max_words;
} directive_t;

static const char *word(const apr_array_header_t *words, int number)
{
    return APR_ARRAY_IDX(words, number, const char *);
}

static const char *set(cmd_parms *cmd, void *dir, const char *line)
{
    const directive_t *directive = cmd->info;
    apr_array_header_t *words = apr_array_make(cmd->pool, 2, sizeof(const char *));
    const char *why;

    (void)dir;
    while (*line != '\0') {
        APR_ARRAY_PUSH(words, const char *) = ap_getword_conf(cmd->pool, &line);
    }
    if (words->nelts == 0) {
        why = apr_psprintf(cmd->pool, "a value is missing: %s", cmd->cmd->errmsg);
    }
    else if (words->nelts > directive->max_words) {
        why = apr_psprintf(cmd->pool,
                           "there is a word too many (a value with blanks needs quotes): %s",
                           cmd->cmd->errmsg);
    }
    else {
        why = directive->parse(conf_of(cmd->server), words, cmd);
    }
    return why == NULL ? NULL : apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, why);
}

static const char *parse_auth(conf_t *conf, const apr_array_header_t *words, cmd_parms *cmd)
{
    auth_t *auth = apr_pcalloc(cmd->pool, sizeof(*auth));

    auth->known.user = words->nelts == 2 ? word(words, 0) : NULL;
    auth->place = apr_psprintf(cmd->pool, "%s:%u", cmd->directive->filename,
                               (unsigned)cmd->directive->line_num);
    if (auth->known.user != NULL && *auth->known.user == '\0') {
        return "\"\" is not accepted: the name of a user of Redis comes first, or none";
    }
    conf->auth = auth;
    return ss_source_parse(&auth->source, word(words, words->nelts - 1), cmd->pool);
}

#define TLS_USAGE "accepted are CA=FILE, Cert=FILE with Key=FILE, and Name=HOST"

/* One word, NAME=VALUE, into the member that it is for. */
static const char *take_tls(const char **members[], const char *text, cmd_parms *cmd)
{
    static const char *const names[] = { "CA=", "Cert=", "Key=", "Name=" };

    for (int i = 0; i < 4; i++) {
        apr_size_t len = strlen(names[i]);

        if (strncasecmp(text, names[i], len) == 0 && text[len] != '\0') {
            if (*members[i] != NULL) {
                return apr_pstrcat(cmd->pool, names[i], " is there twice: write it once", NULL);
            }
            *members[i] = i == 3 ? text + len : ap_server_root_relative(cmd->pool, text + len);
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool, "\"%s\" is not accepted: " TLS_USAGE, text);
}

static const char *parse_tls(conf_t *conf, const apr_array_header_t *words, cmd_parms *cmd)
{
    tls_t *tls = apr_pcalloc(cmd->pool, sizeof(*tls));
    const char **members[] = { &tls->files.ca, &tls->files.cert, &tls->files.key, &tls->name };
    const char *why = NULL;

    for (int i = 0; i < words->nelts && why == NULL; i++) {
        why = take_tls(members, word(words, i), cmd);
    }
    if (why == NULL && (tls->files.cert == NULL) != (tls->files.key == NULL)) {
        why = "Cert= and Key= belong together: " TLS_USAGE;
    }
    conf->tls = tls;
    return why;
}

static const char *parse_prefix(conf_t *conf, const apr_array_header_t *words, cmd_parms *cmd)
{
    const char *prefix = word(words, 0);
    apr_size_t len = strlen(prefix);

    conf->prefix = prefix;
    for (const char *at = prefix; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == '\x7f' || *at == '{' || *at == '}') {
            len = 0;
        }
    }
    return len > 0 && len <= PREFIX_MAX
               ? NULL
               : apr_psprintf(cmd->pool,
                              "\"%s\" is not accepted: a text of 1 to %d bytes, without blanks, "
                              "control characters and braces, such as " SS_DEFAULT_PREFIX,
                              prefix, PREFIX_MAX);
}

#define ROW(name, function, words, usage)                                                          \
    AP_INIT_RAW_ARGS(name, set, (void *)&((const directive_t){ function, words }), RSRC_CONF, usage)

static const command_rec directives[] = {
    ROW("SignedSessionRedisAuth", parse_auth, 2,
        "perhaps a user of Redis, then where the password is: env:NAME, file:PATH, "
        "\"exec:COMMAND\""),
    ROW("SignedSessionRedisTLS", parse_tls, 4,
        "for rediss: CA=FILE, Cert=FILE Key=FILE, Name=HOST (that the server's certificate has)"),
    ROW("SignedSessionRedisPrefix", parse_prefix, 1,
        "what the names of our keys begin with: other sites on the same server take others"),
    { .name = NULL }
};

/*
 * Passwords. Sources are never read in a directive handler, nor when a store is configured: both
 * happen for "-k stop" too, which must work from a shell without the password.
 */

static void complain(const server_rec *s, int level, const char *number, const char *what)
{
    ap_log_error(APLOG_MARK, APLOG_STARTUP | level, 0, s, "%s: SignedSessionRedisAuth: %s", number,
                 what);
}

static apr_status_t wipe(void *text)
{
    ss_wipe(text, strlen(text));
    return APR_SUCCESS;
}

static const char *message_of_unset(const auth_t *auth, const char *variable, apr_pool_t *pool)
{
    return apr_psprintf(pool, "the environment variable %s is unset; named at %s", variable,
                        auth->place);
}

/* NULL, or what is wrong. */
static const char *take_password(auth_t *auth, const apr_array_header_t *secrets, apr_pool_t *pconf)
{
    const ss_secret_t *secret = &APR_ARRAY_IDX(secrets, 0, const ss_secret_t);
    char *password;

    if (secrets->nelts > 1) {
        return apr_psprintf(pconf, "%s holds %d lines, and one is the password; named at %s",
                            auth->source.text, secrets->nelts, auth->place);
    }
    if (memchr(secret->text.data, '\0', secret->text.len) != NULL) {
        return apr_psprintf(pconf, "%s holds a NUL; named at %s", auth->source.text, auth->place);
    }
    password = apr_pstrmemdup(pconf, secret->text.data, secret->text.len);
    apr_pool_cleanup_register(pconf, password, wipe, apr_pool_cleanup_null);
    auth->known.password = password;
    return NULL;
}

static int read_password(auth_t *auth, const server_rec *s, apr_pool_t *pconf)
{
    apr_array_header_t *sources = apr_array_make(pconf, 1, sizeof(ss_source_t));
    apr_array_header_t *warnings = apr_array_make(pconf, 1, sizeof(const char *)), *secrets;
    const char *why;
    apr_status_t rv;

    APR_ARRAY_PUSH(sources, ss_source_t) = auth->source;
    rv = ss_source_read(&secrets, &why, warnings, sources, ap_server_root, pconf);
    if (rv == APR_NOTFOUND) {
        why = message_of_unset(auth, why, pconf);
    }
    else if (rv == APR_SUCCESS) {
        why = take_password(auth, secrets, pconf);
    }
    while (warnings->nelts > 0) {
        complain(s, APLOG_WARNING, "SS0418", *(const char **)apr_array_pop(warnings));
    }
    if (why != NULL) {
        complain(s, APLOG_CRIT, "SS0417", why);
    }
    return why == NULL ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

/* Each of them once, however many virtual hosts inherit it. */
static int read_passwords(server_rec *main, apr_pool_t *pconf)
{
    int result = OK;

    for (server_rec *s = main; s != NULL && result == OK; s = s->next) {
        auth_t *auth = conf_of(s)->auth;

        if (auth != NULL && auth->known.password == NULL) {
            result = read_password(auth, s, pconf);
        }
    }
    return result;
}

/* A start that fails later says why in the error log only; what can be seen without reading a
 * source is said here, where it still reaches the terminal. */
static void announce(server_rec *main, apr_pool_t *ptemp)
{
    for (server_rec *s = main; s != NULL; s = s->next) {
        const auth_t *auth = conf_of(s)->auth;

        if (auth != NULL && auth->source.kind == SS_SOURCE_ENV &&
            getenv(auth->source.name) == NULL &&
            getenv(apr_pstrcat(ptemp, auth->source.name, "_FILE", NULL)) == NULL) {
            complain(s, APLOG_WARNING, "SS0417", message_of_unset(auth, auth->source.name, ptemp));
            return;
        }
    }
}

/* A virtual host in which nothing but these is written has the main server's store, and that has
 * the main server's directives. */
static void warn_of_no_effect(server_rec *main, int where)
{
    for (server_rec *s = main->next; s != NULL; s = s->next) {
        if (conf_of(s) != conf_of(main) && !conf_of(s)->is_used) {
            ap_log_error(
                APLOG_MARK, where | APLOG_WARNING, 0, s,
                "SS0424: the SignedSessionRedis... directives of this virtual host have no "
                "effect, because no SignedSessionStore of Redis is written in it "
                "(virtual host %s, %s:%u)",
                s->server_hostname, s->defn_name, s->defn_line_number);
        }
    }
}

static int check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    (void)plog;
    if (ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST) {
        warn_of_no_effect(main, APLOG_STARTUP);
        return read_passwords(main, pconf);
    }
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        announce(main, ptemp);
    }
    return OK;
}

static int start(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
        warn_of_no_effect(main, APLOG_NOERRNO);
    }
    return read_passwords(main, pconf);
}

/*
 * The store
 */

static void warn_of_eviction(const char *policy, void *s)
{
    ap_log_error(APLOG_MARK, APLOG_NOERRNO | APLOG_WARNING, 0, (server_rec *)s,
                 "SS0416: the Redis of SignedSessionStore throws sessions away when its memory is "
                 "full (maxmemory-policy %s): set maxmemory-policy noeviction",
                 policy);
}

static const char *configure(void **store, const signed_session_place_t *place, apr_pool_t *pconf)
{
    conf_t *conf = conf_of(place->server);
    const ss_redis_settings_t settings = {
        .prefix = conf->prefix != NULL ? conf->prefix : SS_DEFAULT_PREFIX,
        .auth = conf->auth != NULL ? &conf->auth->known : NULL,
        .tls = conf->tls != NULL ? conf->tls->files : (ss_tls_files_t){ NULL, NULL, NULL },
        .tls_name = conf->tls != NULL ? conf->tls->name : NULL,
        .warn = warn_of_eviction,
        .baton = (void *)place->server,
    };

    conf->is_used = 1;
    return ss_redis_configure(store, place, &settings, pconf);
}

static const signed_session_store_t redis = {
    .traits = SIGNED_SESSION_STORE_REMOTE,
    .configure = configure,
    .open = ss_redis_open,
    .load = ss_redis_load,
    .save = ss_redis_save,
};

static void register_hooks(apr_pool_t *pool)
{
    static const char *const names[] = { "redis", "rediss", "redis+sentinel", "rediss+sentinel",
                                         NULL };

    for (int i = 0; names[i] != NULL; i++) {
        ap_register_provider(pool, SIGNED_SESSION_STORE_GROUP, names[i],
                             SIGNED_SESSION_STORE_VERSION, &redis);
    }
    /* behind mod_signed_session, which configures the stores */
    ap_hook_check_config(check, NULL, NULL, APR_HOOK_LAST);
    ap_hook_post_config(start, NULL, NULL, APR_HOOK_LAST);
}

module AP_MODULE_DECLARE_DATA signed_session_redis_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, create_conf, merge_conf, directives, register_hooks,
#ifdef AP_MODULE_FLAG_NONE
    AP_MODULE_FLAG_NONE,
#endif
};
