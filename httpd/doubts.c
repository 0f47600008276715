/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/asked_keys.h"
#include "httpd/config.h"
#include "httpd/doubts.h"
#include "httpd/log.h"
#include "httpd/secrets.h"

static int has_trait(const ss_server_conf_t *conf, int trait)
{
    for (int i = 0; i < conf->formats->nelts; i++) {
        if (APR_ARRAY_IDX(conf->formats, i, const ss_format_t *)->traits & trait) {
            return 1;
        }
    }
    return 0;
}

/* Each returns NULL, or the message with its number. */
typedef const char *doubt_fn(const ss_server_conf_t *conf, apr_pool_t *pool);

static const char *audience_of_nothing(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->audience[0] != '\0' && !has_trait(conf, SS_FORMAT_BOUND)
               ? "SS0107: SignedSessionAudience is set, but no format of SignedSessionFormat is "
                 "bound to an audience: add native, or remove SignedSessionAudience"
               : NULL;
}

static const char *encrypt_without_secrecy(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->encrypt && !(ss_config_written(conf)->traits & SS_FORMAT_SECRECY)
               ? "SS0115: SignedSessionEncrypt is On, but cookies of the format that is written "
                 "cannot be encrypted: write native first in SignedSessionFormat, or remove "
                 "SignedSessionEncrypt"
               : NULL;
}

/* These entries hold passwords and tokens. */
static const char *modules_without_secrecy(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    return conf->gathered.modules != NULL && !conf->encrypt
               ? apr_psprintf(pool,
                              "SS0121: SignedSessionModules is On at %s, but cookies are not "
                              "encrypted: what modules keep there, passwords among it, is not for "
                              "every eye; add SignedSessionEncrypt On",
                              conf->gathered.modules)
               : NULL;
}

static const char *audience_of_others(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->audience[0] != '\0' && has_trait(conf, SS_FORMAT_FOREIGN)
               ? "SS0108: SignedSessionAudience: cookies of a framework's format are not bound to "
                 "it: give each audience a secret of its own, or remove the format after the "
                 "migration"
               : NULL;
}

static const char *encrypt_of_others(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->encrypt && has_trait(conf, SS_FORMAT_FOREIGN)
               ? "SS0114: SignedSessionEncrypt: cookies of a framework's format are accepted, and "
                 "are not encrypted: remove the format after the migration"
               : NULL;
}

/* In a migration, a format without a time is a door that stays open. */
static const char *endless_format(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    for (int i = 1; i < conf->formats->nelts; i++) {
        const ss_format_t *format = APR_ARRAY_IDX(conf->formats, i, const ss_format_t *);

        if (!(format->traits & SS_FORMAT_TIMED)) {
            return apr_psprintf(pool,
                                "SS0116: SignedSessionFormat: %s is accepted, and its cookies "
                                "never expire: remove it after the migration",
                                format->name);
        }
    }
    return NULL;
}

static const char *absolute_without_creation(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    const ss_format_t *written = ss_config_written(conf);

    return conf->lifetime.absolute != SS_FOREVER && !(written->traits & SS_FORMAT_CREATED)
               ? apr_psprintf(pool,
                              "SS0109: SignedSessionAbsoluteTimeout has no effect: the format %s "
                              "carries no creation time: write native first in "
                              "SignedSessionFormat, or remove SignedSessionAbsoluteTimeout",
                              written->name)
               : NULL;
}

static const char *age_without_creation(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    const ss_format_t *written = ss_config_written(conf);

    return conf->gathered.asks_age != NULL && !(written->traits & SS_FORMAT_CREATED)
               ? apr_psprintf(
                     pool,
                     "SS0118: Require signed-session-age at %s lets nobody pass: the format "
                     "%s carries no creation time: write native first in SignedSessionFormat",
                     conf->gathered.asks_age, written->name)
               : NULL;
}

static const char *user_without_subject(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    for (int i = 0; i < conf->gathered.users->nelts; i++) {
        const ss_mention_t *user = &APR_ARRAY_IDX(conf->gathered.users, i, ss_mention_t);

        if (strcmp(user->key, conf->subject) != 0 || strchr(user->key, '.') != NULL) {
            return apr_psprintf(
                pool,
                "SS0117: the user at %s is the session's \"%s\", but its subject is the key "
                "\"%s\": nobody notices when somebody else logs in, and the session goes on; let "
                "one top-level key hold the name, and name it in SignedSessionUser, "
                "SignedSessionLogin and SignedSessionSubject",
                user->at, user->key, conf->subject);
        }
    }
    return NULL;
}

static int has_store(const ss_server_conf_t *conf)
{
    for (int i = 0; i < conf->places->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(conf->places, i, const char *), "cookie") != 0) {
            return 1;
        }
    }
    return 0;
}

static const char *store_without_reference(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return has_store(conf) && (ss_config_written(conf)->traits & SS_FORMAT_FOREIGN)
               ? "SS0412: SignedSessionStore: only native cookies can lead to a store: write "
                 "native "
                 "first in SignedSessionFormat, the others behind it"
               : NULL;
}

/* What nobody asks for again would stay there for ever. */
static const char *store_without_end(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return has_store(conf) && conf->lifetime.idle == SS_FOREVER &&
                   conf->lifetime.absolute == SS_FOREVER
               ? "SS0413: SignedSessionStore: sessions would never end: set "
                 "SignedSessionIdleTimeout "
                 "or SignedSessionAbsoluteTimeout"
               : NULL;
}

static const char *revocation_without_store(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->revocation.kind == SS_REVOKING_STORE && !has_store(conf)
               ? "SS0427: SignedSessionRevocation store: there is no store; name one in "
                 "SignedSessionStore, or a file: SignedSessionRevocation file:PATH"
               : NULL;
}

static const char *clear_without_revocation(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    return conf->gathered.revokes != NULL && conf->revocation.kind == SS_REVOKING_OFF
               ? apr_psprintf(
                     pool,
                     "SS0428: SignedSessionClear at %s ends other sessions of the user, but "
                     "there is no log of that: set SignedSessionRevocation",
                     conf->gathered.revokes)
               : NULL;
}

static const char *others_without_creation(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    const ss_format_t *written = ss_config_written(conf);

    return conf->gathered.clears_others != NULL && !(written->traits & SS_FORMAT_CREATED)
               ? apr_psprintf(
                     pool,
                     "SS0425: SignedSessionClear Others at %s: cookies of the format %s have "
                     "no time of creation, by which one session could go on alone; write "
                     "native first in SignedSessionFormat",
                     conf->gathered.clears_others, written->name)
               : NULL;
}

static const char *bind_without_native(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->bind.kind != SS_BIND_OFF && (ss_config_written(conf)->traits & SS_FORMAT_FOREIGN)
               ? "SS0501: SignedSessionBind: only native cookies can be bound to a browser's key: "
                 "write native first in SignedSessionFormat, the others behind it"
               : NULL;
}

/* Does a cookie of this Path come with requests for the other path (RFC 6265 section 5.1.4)? */
static int is_covered(const char *cookie_path, const char *path)
{
    apr_size_t len = strlen(cookie_path);

    return strncmp(cookie_path, path, len) == 0 &&
           (cookie_path[len - 1] == '/' || path[len] == '/' || path[len] == '\0');
}

static const char *bind_without_cookie(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    const ss_cookie_t *cookie = &conf->cookie;

    if (conf->bind.kind == SS_BIND_OFF) {
        return NULL;
    }
    if (cookie->secure != SS_SECURE_ON) {
        return "SS0502: SignedSessionBind: a session is bound over https only: add Secure=on to "
               "SignedSessionCookie";
    }
    if (!cookie->http_only) {
        return "SS0503: SignedSessionBind: a cookie that scripts can read is not worth a key: take "
               "HttpOnly=off out of SignedSessionCookie";
    }
    if (cookie->partitioned) {
        return "SS0504: SignedSessionBind: browsers bind no partitioned cookie: take Partitioned "
               "out of SignedSessionCookie";
    }
    if (cookie->domain != NULL) {
        return "SS0505: SignedSessionBind: a browser binds a session for one host, and it would be "
               "unproven on the others: take Domain= out of SignedSessionCookie";
    }
    return is_covered(cookie->path, conf->bind.path)
               ? NULL
               : apr_psprintf(pool,
                              "SS0506: SignedSessionBind: the cookie does not come with requests "
                              "for %s: choose a path below the cookie's, %s",
                              conf->bind.path, cookie->path);
}

static const char *bind_for_minutes(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->bind.kind != SS_BIND_OFF && conf->bind.lifetime < apr_time_from_sec(600)
               ? "SS0507: SignedSessionBind: a proof that counts for less than 10min costs many "
                 "signatures: browsers limit these, and then pages wait"
               : NULL;
}

static int has_cookie_place(const ss_server_conf_t *conf)
{
    for (int i = 0; i < conf->places->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(conf->places, i, const char *), "cookie") == 0) {
            return 1;
        }
    }
    return 0;
}

static const char *bind_without_end(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->bind.kind != SS_BIND_OFF && conf->revocation.kind == SS_REVOKING_OFF &&
                   has_cookie_place(conf)
               ? "SS0508: SignedSessionBind: a cookie stolen before it was bound stays good, and "
                 "may be bound by the thief: set SignedSessionRevocation, or keep sessions in a "
                 "store alone"
               : NULL;
}

static const char *bind_without_room(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->bind.kind != SS_BIND_OFF && conf->revocation.kind == SS_REVOKING_STORE &&
                   has_cookie_place(conf)
               ? "SS0516: SignedSessionBind: each session in a cookie that is bound needs a line "
                 "in "
                 "the revocation log, and a store has room for some 450 of them; when these hold, "
                 "no other is bound: write SignedSessionRevocation file:, or keep sessions in a "
                 "store alone"
               : NULL;
}

static const char *bind_of_others(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    for (int i = 1; conf->bind.kind == SS_BIND_REQUIRED && i < conf->formats->nelts; i++) {
        const ss_format_t *format = APR_ARRAY_IDX(conf->formats, i, const ss_format_t *);

        if (format->traits & SS_FORMAT_FOREIGN) {
            return apr_psprintf(pool,
                                "SS0517: SignedSessionBind Required: a cookie of the format %s is "
                                "accepted, and cannot be bound: a copy of it is good until its own "
                                "timeout; take %s out of SignedSessionFormat when nobody needs it",
                                format->name, format->name);
        }
    }
    return NULL;
}

static const char *encrypt_of_store(const ss_server_conf_t *conf, apr_pool_t *pool)
{
    (void)pool;
    return conf->encrypt && has_store(conf) &&
                   strcmp(APR_ARRAY_IDX(conf->places, 0, const char *), "cookie") != 0
               ? "SS0415: SignedSessionEncrypt has no effect on what a store keeps: that is always "
                 "encrypted"
               : NULL;
}

static doubt_fn *const contradictions[] = { audience_of_nothing,
                                            encrypt_without_secrecy,
                                            modules_without_secrecy,
                                            store_without_reference,
                                            store_without_end,
                                            revocation_without_store,
                                            clear_without_revocation,
                                            others_without_creation,
                                            bind_without_native,
                                            bind_without_cookie,
                                            NULL };

static doubt_fn *const surprises[] = {
    audience_of_others,   encrypt_of_others,    endless_format,   absolute_without_creation,
    age_without_creation, user_without_subject, encrypt_of_store, bind_for_minutes,
    bind_without_end,     bind_without_room,    bind_of_others,   NULL
};

int ss_doubts_refuse(ss_start_t *start)
{
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        for (int i = 0; contradictions[i] != NULL; i++) {
            const char *message = contradictions[i](ss_server_conf(s), start->scratch);

            if (message != NULL) {
                ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s, "%s%s", message,
                             ss_start_place(start, s));
                return HTTP_INTERNAL_SERVER_ERROR;
            }
        }
    }
    return OK;
}

static void warn_of_surprises(server_rec *s, ss_start_t *start)
{
    for (int i = 0; surprises[i] != NULL; i++) {
        const char *message = surprises[i](ss_server_conf(s), start->scratch);

        if (message != NULL) {
            ss_start_warn(start, s,
                          apr_pstrcat(start->scratch, message, ss_start_place(start, s), NULL));
        }
    }
}

/* Would a session that visitors write there be believed here? */
static int reads_sessions_of(const ss_server_conf_t *here, const ss_server_conf_t *there,
                             ss_start_t *start)
{
    return strcmp(here->cookie.name, there->cookie.name) == 0 &&
           strcmp(here->audience, there->audience) == 0 &&
           ss_secrets_are_shared(start, here, there);
}

static const char *shared_place(const ss_server_conf_t *a, const ss_server_conf_t *b)
{
    for (int i = 0; i < a->places->nelts; i++) {
        const char *place = APR_ARRAY_IDX(a->places, i, const char *);

        for (int j = 0; j < b->places->nelts; j++) {
            if (strcmp(place, "cookie") != 0 &&
                strcmp(place, APR_ARRAY_IDX(b->places, j, const char *)) == 0) {
                return place;
            }
        }
    }
    return NULL;
}

static int has_log_in_store(const ss_server_conf_t *conf)
{
    return conf->revocation.kind == SS_REVOKING_STORE && conf->sealing.seals != NULL;
}

/* A store has one log of revocations, which is sealed as a session is. */
static void warn_of_shared_log(server_rec *s, ss_start_t *start)
{
    const ss_server_conf_t *here = ss_server_conf(s);

    for (server_rec *other = start->main; other != s; other = other->next) {
        const ss_server_conf_t *there = ss_server_conf(other);
        const char *place = shared_place(here, there);

        if (place != NULL && has_log_in_store(here) && has_log_in_store(there) &&
            ss_config_is_own(other, start->main) && !reads_sessions_of(here, there, start)) {
            ss_start_warn(
                start, s,
                apr_psprintf(start->scratch,
                             "SS0430: SignedSessionRevocation store: the log in \"%s\" is also "
                             "that of %s, whose secrets, cookie name or audience are others: only "
                             "the one that writes it first can read it, and the other answers "
                             "whoever has a session with 503; give each a store of its own%s",
                             place, other->server_hostname, ss_start_place(start, s)));
            return;
        }
    }
}

/* Often two hosts differ in nothing but the port. */
static const char *name_of(const server_rec *s, const ss_start_t *start)
{
    return s == start->main ? "what stands outside of the virtual hosts"
                            : apr_psprintf(start->scratch, "the virtual host %s (%s:%u)",
                                           s->server_hostname, s->defn_name, s->defn_line_number);
}

/* Where a bound cookie is an ordinary one. */
static void warn_of_unbound(server_rec *s, ss_start_t *start)
{
    const ss_server_conf_t *here = ss_server_conf(s);

    for (server_rec *other = start->main; other != NULL && here->bind.kind != SS_BIND_OFF;
         other = other->next) {
        const ss_server_conf_t *there = ss_server_conf(other);

        if (there->bind.kind == SS_BIND_OFF && there->gathered.in_use != NULL &&
            ss_config_is_own(other, start->main) && reads_sessions_of(there, here, start)) {
            ss_start_warn(start, s,
                          apr_psprintf(start->scratch,
                                       "SS0518: SignedSessionBind is Off in %s, which reads the "
                                       "same sessions: a stolen cookie works there; write it "
                                       "there, too, or give it another cookie name%s",
                                       name_of(other, start), ss_start_place(start, s)));
            return;
        }
    }
}

/* Does what is required depend on what may be written? A session of any kind proves little, and is
 * asked for by places that want no more; every key is too much for them, too. */
static int decides_by(const ss_mention_t *required, const ss_mention_t *writable)
{
    apr_size_t len;

    if (writable->key == NULL || required->key == NULL) {
        return writable->key == NULL;
    }
    len = strcspn(required->key, ".");
    return strcmp(required->key, writable->key) == 0 ||
           (strncmp(required->key, writable->key, len) == 0 && writable->key[len] == '\0');
}

/* Where a Require believes what visitors can write as they like; NULL: nowhere. */
static const char *believed_at(const ss_mention_t *writable, const ss_server_conf_t *there,
                               ss_start_t *start)
{
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        const ss_server_conf_t *here = ss_server_conf(s);

        if (here->gathered.required->nelts == 0 || !ss_config_is_own(s, start->main) ||
            !reads_sessions_of(here, there, start)) {
            continue;
        }
        for (int i = 0; i < here->gathered.required->nelts; i++) {
            const ss_mention_t *required = &APR_ARRAY_IDX(here->gathered.required, i, ss_mention_t);

            if (decides_by(required, writable)) {
                return required->at;
            }
        }
    }
    return NULL;
}

static const char *open_key(const ss_mention_t *writable, const char *place, apr_pool_t *pool)
{
    return writable->key == NULL
               ? apr_psprintf(
                     pool,
                     "SS0113: visitors can write every key of their session "
                     "(SignedSessionWritable * at %s), and a Require or AuthType believes it (at "
                     "%s): name the keys that may be written",
                     writable->at, place)
               : apr_psprintf(
                     pool,
                     "SS0113: visitors can write \"%s\" in their session "
                     "(SignedSessionWritable at %s), and a Require or AuthType believes it "
                     "(at %s): take it out of SignedSessionWritable, and let the "
                     "application or SignedSessionSet write it",
                     writable->key, writable->at, place);
}

/* Was this line already complained of, in a server that it is inherited from? */
static int is_said(const apr_array_header_t *said, const ss_mention_t *mention)
{
    for (int i = 0; i < said->nelts; i++) {
        const ss_mention_t *other = &APR_ARRAY_IDX(said, i, ss_mention_t);

        if (other->at == mention->at && other->key == mention->key) {
            return 1;
        }
    }
    return 0;
}

static void warn_of_open_keys(apr_array_header_t *said, server_rec *s, ss_start_t *start)
{
    const ss_server_conf_t *conf = ss_server_conf(s);

    for (int i = 0; i < conf->gathered.writable->nelts; i++) {
        const ss_mention_t *writable = &APR_ARRAY_IDX(conf->gathered.writable, i, ss_mention_t);
        const char *place = is_said(said, writable) ? NULL : believed_at(writable, conf, start);

        if (place != NULL) {
            APR_ARRAY_PUSH(said, ss_mention_t) = *writable;
            ss_start_warn(start, s, open_key(writable, place, start->scratch));
        }
    }
}

int ss_doubts_warn(ss_start_t *start)
{
    apr_array_header_t *said = apr_array_make(start->scratch, 0, sizeof(ss_mention_t));

    if (start->is_first) {
        return OK; /* the second pass says it */
    }
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        if (ss_server_conf(s)->sealing.seals != NULL && ss_config_is_own(s, start->main)) {
            warn_of_surprises(s, start);
            warn_of_shared_log(s, start);
            warn_of_unbound(s, start);
        }
    }
    ss_asked_keys_gather(start);
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        if (ss_config_is_own(s, start->main)) {
            warn_of_open_keys(said, s, start);
        }
    }
    return OK;
}
