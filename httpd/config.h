/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_CONFIG_H
#define SS_CONFIG_H

#include <httpd.h>
#include <http_config.h>
#include <ap_expr.h>

#include "httpd/gathered.h"
#include "httpd/part.h"
#include "httpd/written.h"
#include "lib/cookie.h"
#include "lib/sealing.h"

/* Two configurations. The server's decides how a cookie is read, because the first load can happen
 * before any directory section is known; a directory's decides what is shown, required or changed.
 */

/** SignedSessionRevocation */
typedef enum ss_revoking_e {
    SS_REVOKING_OFF,
    SS_REVOKING_FILE, /* a log on this machine */
    SS_REVOKING_STORE /* one in the store */
} ss_revoking_e;

typedef struct ss_revoking_conf_t {
    ss_revoking_e kind;
    const char *path; /* of the file */
} ss_revoking_conf_t;

typedef enum ss_bind_e { SS_BIND_OFF, SS_BIND_ON, SS_BIND_REQUIRED } ss_bind_e;

/** SignedSessionBind */
typedef struct ss_bind_conf_t {
    ss_bind_e kind;
    const char *path;             /* of the endpoint */
    apr_interval_time_t lifetime; /* of a proof */
    apr_interval_time_t grace;    /* in which a session has to be bound */
} ss_bind_conf_t;

/** Server level: main server or virtual host. */
typedef struct ss_server_conf_t {
    /* directives */
    ss_written_t written;
    const apr_array_header_t *sources; /* ss_source_t */
    ss_cookie_t cookie;
    const apr_array_header_t *formats; /* const ss_format_t *; the first is written */
    const char *audience;
    int encrypt;
    ss_lifetime_t lifetime;
    apr_size_t max_size;
    const char *subject;               /* the top-level key that names the subject */
    const apr_array_header_t *places;  /* const char *: the words of SignedSessionStore */
    apr_size_t store_max_size;         /* of the JSON text of a stored session */
    apr_interval_time_t store_timeout; /* of one load, or of one save */
    apr_size_t store_space;            /* of all records of a store on this machine */
    ss_revoking_conf_t revocation;
    ss_bind_conf_t bind;

    ss_gathered_t gathered; /* written by gathered.c */

    /* made in post_config, only read afterwards */
    ss_sealing_t sealing;               /* written by secrets.c; seals is NULL without keys */
    const char *unusable;               /* then: the message that says why */
    const char *policy;                 /* of the inspector's page, written by inspector.c */
    struct ss_stores_t *stores;         /* written by stores.c; NULL without keys */
    struct ss_revoking_t *revoking;     /* written by revoking.c in each child; NULL: Off */
    const char *proof_name;             /* written by proving.c: of the proof cookie */
    const apr_array_header_t *reserved; /* written by forward.c: headers of every server that
                                           clients may not send */
} ss_server_conf_t;

typedef enum ss_mode_e { SS_OFF, SS_ON, SS_READ_ONLY } ss_mode_e;

/** A choice of session keys, by name. */
typedef struct ss_keys_t {
    int all;                         /* every key */
    const apr_array_header_t *names; /* const char *; NULL when none is named */
} ss_keys_t;

/** SignedSessionUpdate */
typedef struct ss_update_conf_t {
    const char *header; /* NULL: off */
    ss_keys_t keys;
} ss_update_conf_t;

/** SignedSessionForward */
typedef struct ss_forward_conf_t {
    const char *header; /* NULL: off */
    ss_keys_t keys;
} ss_forward_conf_t;

/** One SignedSessionForwardText. */
typedef struct ss_forward_text_t {
    const char *header; /* NULL: Off, which drops what outer sections say */
    const char *key;
} ss_forward_text_t;

/** SignedSessionSet and SignedSessionUnset */
typedef struct ss_rule_t {
    ss_bytes_t key;
    const ap_expr_info_t *value; /* NULL: remove the key */
    const char *separator;       /* of the pieces that the value is made of; NULL: it is a text */
} ss_rule_t;

typedef enum ss_clear_e {
    SS_CLEAR_OFF,
    SS_CLEAR_ON,
    SS_CLEAR_EVERYWHERE, /* as On, and every other session of the same subject */
    SS_CLEAR_OTHERS,     /* only those */
    SS_CLEAR_BEFORE
} ss_clear_e;

/** SignedSessionClear */
typedef struct ss_clear_conf_t {
    ss_clear_e kind;
    const apr_array_header_t *keep; /* const char *: keys that Before leaves; or NULL */
} ss_clear_conf_t;

/** SignedSessionUser */
typedef struct ss_user_conf_t {
    const char *key;
    const char *prefix; /* of the value, before the name; may be empty */
} ss_user_conf_t;

/** SignedSessionReturn */
typedef struct ss_return_conf_t {
    const char *param; /* NULL: off */
    const char *path;  /* where to lead without one */
} ss_return_conf_t;

typedef enum ss_outage_e { SS_OUTAGE_503, SS_OUTAGE_ANONYMOUS } ss_outage_e;

typedef enum ss_strip_e { SS_STRIP_AUTO, SS_STRIP_ON, SS_STRIP_OFF } ss_strip_e;

/** Directory level: server, sections, .htaccess. */
typedef struct ss_dir_conf_t {
    ss_written_t written;
    ss_mode_e mode;
    int env;
    int touch;
    int vary;
    ss_forward_conf_t forward;               /* the session, in a request header for backends */
    const apr_array_header_t *forward_texts; /* ss_forward_text_t, outer section first; or NULL */
    ss_update_conf_t update;
    const apr_array_header_t *rules; /* ss_rule_t, outer section first; or NULL */
    ss_clear_conf_t clear;
    ss_user_conf_t user; /* who a session's user is */
    ss_login_page_t login_page;
    ss_return_conf_t way_back;
    ss_strip_e strip;
    ss_outage_e outage; /* what is answered to whoever has a session that cannot be loaded */
    ss_keys_t writable;
    const apr_array_header_t *trusted; /* const char *: origins, normalized */
    int guard;
    int inspector;
    int reveal;        /* do the endpoints show what an encrypted session holds? */
    int modules;       /* do other modules keep their entries in the session? */
    const char *login; /* the key that a checked login goes into; NULL: off */
} ss_dir_conf_t;

typedef enum ss_scope_e { SS_SERVER, SS_DIRECTORY } ss_scope_e;

/** The words of one directive, as they stand in a line. */
typedef struct ss_line_t {
    int count; /* 1 to the row's limit */
    const char *const *words;
    cmd_parms *cmd;
    apr_pool_t *pool;
} ss_line_t;

/**
 * Understands the words of one directive.
 *
 * @param member  the member of the configuration that the row names; untouched on failure
 * @return        NULL, or what was wrong and what is accepted
 */
typedef const char *ss_parse_fn(void *member, const ss_line_t *line);

/** Words to choose one of; its index is the value of the enum. */
typedef struct ss_choice_t {
    const char *accepted; /* all of them, for messages */
    const char *words[4]; /* ends with NULL */
} ss_choice_t;

/** Joins what an outer and an inner section wrote, where an inner one does not simply replace it.
 */
typedef void ss_merge_fn(void *member, const void *outer, const void *inner, apr_pool_t *pool);

/** What a row of ss_directives says besides httpd's own fields; it travels in cmd_data. */
typedef struct ss_directive_t {
    ss_scope_e scope;
    ss_parse_fn *parse;
    apr_size_t offset, size;   /* of the member */
    const char *standard;      /* the default, as it would be written; NULL: all zero */
    int max_words;             /* 0: any number */
    ss_merge_fn *merge;        /* NULL: the inner section's replaces the outer's */
    ss_gather_fn *gather;      /* NULL: it leaves nothing behind for the whole server */
    const ss_choice_t *choice; /* for ss_parse_choice */
} ss_directive_t;

/** The table of directives, in mod_signed_session.c: parser, defaults and merge all walk it. */
extern const command_rec ss_directives[];

/** The one setter that httpd calls, for every row. It takes the line apart itself: httpd's own ways
 * lose words behind the 64th, and empty ones at the end. */
const char *ss_config_set(cmd_parms *cmd, void *dir, const char *line);

void *ss_config_create_server(apr_pool_t *pool, server_rec *s);
void *ss_config_merge_server(apr_pool_t *pool, void *base, void *add);
void *ss_config_create_dir(apr_pool_t *pool, char *path);
void *ss_config_merge_dir(apr_pool_t *pool, void *base, void *add);

extern module AP_MODULE_DECLARE_DATA signed_session_module;

static inline ss_server_conf_t *ss_server_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &signed_session_module);
}

static inline const ss_dir_conf_t *ss_dir_conf(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &signed_session_module);
}

/** What holds in a server outside of all sections, when its configuration was read. */
static inline const ss_dir_conf_t *ss_dir_conf_outside(const server_rec *s)
{
    return ap_get_module_config(s->lookup_defaults, &signed_session_module);
}

/** The server's configuration while a directive of another module is parsed: httpd makes that of a
 * virtual host at its first directive of ours. */
ss_server_conf_t *ss_config_of(cmd_parms *cmd);

/** Has this server a configuration of its own? Virtual hosts without a directive of ours share
 * their main server's. */
int ss_config_is_own(const server_rec *s, const server_rec *main);

/** The format that is written. */
const ss_format_t *ss_config_written(const ss_server_conf_t *conf);

/** The companion looks in every way like our cookie; its name is NULL when no format has one. */
ss_cookie_t ss_config_companion(const ss_server_conf_t *conf);

/** Start-up: defaults that depend on another directive. */
ss_part_fn ss_config_settle;

/** Was the directive that fills this member written anywhere in this server? */
int ss_config_is_written(const ss_server_conf_t *conf, apr_size_t offset);

/** Is what a session holds hidden from its client where this holds? */
static inline int ss_config_hides(const ss_server_conf_t *conf, const ss_dir_conf_t *dir)
{
    return conf->encrypt && !dir->reveal;
}

/** Is this key among them? */
int ss_keys_include(const ss_keys_t *keys, ss_bytes_t name);

/* What the rows gather, once a member is filled. */
ss_gather_fn ss_gather_secret;       /* any */
ss_gather_fn ss_gather_mode;         /* ss_mode_e */
ss_gather_fn ss_gather_writable;     /* ss_keys_t */
ss_gather_fn ss_gather_update;       /* ss_update_conf_t */
ss_gather_fn ss_gather_forward;      /* ss_forward_conf_t */
ss_gather_fn ss_gather_forward_text; /* ss_forward_text_t, the last of them */
ss_gather_fn ss_gather_rule;         /* any */
ss_gather_fn ss_gather_clear;        /* ss_clear_conf_t */
ss_gather_fn ss_gather_user;         /* ss_user_conf_t */
ss_gather_fn ss_gather_login;        /* const char *: a key, or NULL */
ss_gather_fn ss_gather_login_page;   /* ss_login_page_t */
ss_gather_fn ss_gather_modules;      /* int */

/** For directives of other modules that stand in the configuration: a Require signed-session.
 *
 * @param key  the key that it names, or NULL */
void ss_gather_require(cmd_parms *cmd, const char *key);

/** The same for a Require signed-session-age. */
void ss_gather_age(cmd_parms *cmd);

/** The same for an <AuthzProviderAlias> of either. */
void ss_gather_alias(cmd_parms *cmd);

/* Kinds of directives, for the rows. */
ss_merge_fn ss_merge_rules, ss_merge_forward_texts;
ss_parse_fn ss_parse_choice; /* into an enum, or an int that is 0 or 1 */
ss_parse_fn ss_parse_forward, ss_parse_forward_text, ss_parse_set, ss_parse_unset, ss_parse_text,
    ss_parse_duration, ss_parse_timeout, ss_parse_renew, ss_parse_size, ss_parse_sources,
    ss_parse_cookie, ss_parse_formats, ss_parse_update, ss_parse_writable, ss_parse_origins,
    ss_parse_clear, ss_parse_key, ss_parse_user, ss_parse_login_page, ss_parse_return,
    ss_parse_login, ss_parse_places, ss_parse_store_size, ss_parse_space, ss_parse_wait,
    ss_parse_revocation, ss_parse_bind;

#endif
