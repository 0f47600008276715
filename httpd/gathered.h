/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_GATHERED_H
#define SS_GATHERED_H

#include <httpd.h>
#include <http_config.h>

/* What is gathered while the directives of a server are read, in whichever section they stand: what
 * must be known of all of them before a request comes. Nothing is gathered from .htaccess, which is
 * read while requests run. */

/** A key of the session that a directive names, and where. */
typedef struct ss_mention_t {
    const char *key; /* NULL: whichever */
    const char *at;  /* "FILE:LINE" */
} ss_mention_t;

/** SignedSessionLoginPage */
typedef struct ss_login_page_t {
    const char *url;   /* with or without a query; NULL: off */
    const char *host;  /* of https there; NULL: this server's own, by whatever scheme */
    apr_port_t port;   /* of that host */
    const char *path;  /* of the URL, decoded */
    const char *param; /* of the query that says where to lead back to */
} ss_login_page_t;

typedef struct ss_gathered_t {
    const char *secret_at;              /* "FILE:LINE" of the SignedSessionSecret, or NULL */
    const char *in_use;                 /* "FILE:LINE" of a SignedSession On, or NULL */
    const apr_array_header_t *writable; /* ss_mention_t: what SignedSessionWritable opens */
    const apr_array_header_t *required; /* ss_mention_t: what a Require decides by */
    const apr_array_header_t *users;    /* ss_mention_t: what SignedSessionUser and
                                           SignedSessionLogin name */
    const char *asks_age;               /* "FILE:LINE" of a Require signed-session-age, or NULL */
    int has_aliases;                    /* does an <AuthzProviderAlias> stand for one of ours? */
    const char *modules;                /* "FILE:LINE" of a SignedSessionModules On, or NULL */
    const char *revokes;       /* "FILE:LINE" of a SignedSessionClear Everywhere or Others, or
                                  NULL */
    const char *clears_others; /* the same of an Others */
    int has_rules;             /* is there a SignedSessionSet, Unset or Clear? */
    const apr_array_header_t *login_pages; /* ss_login_page_t: all there are */
    const apr_array_header_t *updates;     /* const char *: every SignedSessionUpdate header */
    const apr_array_header_t *headers;     /* const char *: those, and every SignedSessionForward
                                              and SignedSessionForwardText */
} ss_gathered_t;

/** Nothing yet. */
void ss_gathered_init(ss_gathered_t *gathered, apr_pool_t *pool);

/** What a virtual host has gathered, together with what it inherits. */
void ss_gathered_merge(ss_gathered_t *gathered, const ss_gathered_t *inherited,
                       const ss_gathered_t *own, apr_pool_t *pool);

/** Gathers what a directive leaves behind, once it has filled its member. */
typedef void ss_gather_fn(cmd_parms *cmd, const void *member);

/** "FILE:LINE" of the directive that is being read. */
const char *ss_gathered_place(cmd_parms *cmd);

/** Add a name to a list of them; NULL is none. */
void ss_gathered_add(const apr_array_header_t **names, const char *name, apr_pool_t *pool);

/** Add to a list of ss_mention_t that a directive at this place names this key; NULL: whichever. */
void ss_gathered_mention(const apr_array_header_t **mentions, const char *key, const char *at,
                         apr_pool_t *pool);

#endif
