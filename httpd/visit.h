/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_VISIT_H
#define SS_VISIT_H

#include <httpd.h>

#include "httpd/config.h"
#include "lib/change.h"
#include "lib/format.h"
#include "lib/session.h"

/** How much of the client's session cookie is hidden from whatever answers the request. */
typedef enum ss_stripped_e {
    SS_STRIPPED_NOTHING,
    SS_STRIPPED_NATIVE,
    SS_STRIPPED_ALL
} ss_stripped_e;

/** What one request of a redirect chain was like when its fixups ran. */
typedef struct ss_step_t {
    request_rec *r;
    const char *user; /* r->user then */
} ss_step_t;

/**
 * The session of one client request. It belongs to the root of everything that the request became
 * (internal redirects, error documents, subrequests), lives in the root's pool, and is loaded at
 * most once, by whichever hook asks first.
 */
typedef struct ss_visit_t {
    request_rec *root;
    const ss_server_conf_t *conf;
    apr_time_t now; /* of this request, for every judgement */

    /* what the client sent; defined once loaded */
    int loaded;
    ss_session_t *session; /* never NULL; empty when the cookie was refused */
    ss_state_e state;      /* what the client's cookie was */
    ss_provenance_t from;  /* where a valid session came from */
    int cookies;           /* cookies of our name that the client sent */
    int companions;        /* and of the companion's */

    /* what happened to it here */
    apr_array_header_t *changes; /* ss_change_t, in order; NULL before the first */
    int ruling;                  /* are the changes that come now made by rules? */
    ss_session_t *unruled;       /* as it was before rules changed it; NULL when none did */
    int unruled_changes;         /* then: how many changes there were, and whether it had ended */
    int unruled_ended;
    int ended;                 /* ended on demand: delete the cookie, even a refused one */
    int untouched;             /* this request must not renew it */
    int may_renew;             /* does the answering request allow a renewal? */
    int decided;               /* a Require was decided by it: the response is private */
    int notes;                 /* how many notes there were when the session was last shown */
    int shown;                 /* did a request of the chain export variables, or forward it? */
    apr_array_header_t *steps; /* ss_step_t: requests of the chain whose fixups ran, or NULL */

    /* the client's Cookie header */
    ss_stripped_e stripped;    /* never less in later requests of the chain */
    const char *cookie_header; /* as the client sent it, while it is hidden; else NULL */

    /* the cookie as it was sealed last */
    int sealed;                  /* is the rest defined? */
    unsigned sealed_generation;  /* of the session */
    const char *set_cookie;      /* NULL: nothing is to be written */
    const char *set_companion;   /* a second cookie that goes with it, or NULL */
    apr_size_t over;             /* bytes that the cookie would exceed the limit by */
    const char *written;         /* the Set-Cookie value in the response's header, if any */
    unsigned written_generation; /* what the client has, as far as we know */
} ss_visit_t;

/** The first request of the chain that `r` belongs to. */
request_rec *ss_visit_root(const request_rec *r);

/** The object of the chain that `r` belongs to, made if need be; nothing is loaded. Never NULL. */
ss_visit_t *ss_visit_of(request_rec *r);

/** The object of the chain if there is one, loaded or not. */
ss_visit_t *ss_visit_find(const request_rec *r);

/** The session of `r`, loaded now if it was not before; NULL when this server has no keys. */
ss_visit_t *ss_visit_get(request_rec *r);

/** The session of `r` if something loaded it, else NULL. */
ss_visit_t *ss_visit_peek(const request_rec *r);

/** May requests here change the session? */
int ss_visit_may_change(const request_rec *r);

/**
 * Would a change make a type tag, in a format that has them? They are the application's alone.
 *
 * @param draft  a copy of the session, changed
 * @param input  what it was changed by, or {NULL, 0}
 */
int ss_visit_would_tag(const ss_visit_t *visit, ss_session_t *draft, ss_bytes_t input);

/** Does the client have a session, as far as this request has come? */
int ss_visit_has_session(ss_visit_t *visit);

/** Make a change, and remember it. Its memory may be short-lived. Returns whether it is possible.
 */
int ss_visit_change(ss_visit_t *visit, const ss_change_t *change);

/** The same when a copy of the session has been changed already: the copy takes its place. */
void ss_visit_accept(ss_visit_t *visit, ss_session_t *session, const ss_change_t *change);

/** Begin a new session that holds only what was changed during this request. */
void ss_visit_begin_anew(ss_visit_t *visit);

/**
 * The changes between these two calls are made by rules of the configuration, for one response.
 * When another response or another change follows, they are taken back first.
 */
void ss_visit_begin_rules(ss_visit_t *visit);
void ss_visit_end_rules(ss_visit_t *visit);

/** Take back what rules changed, if they did. */
void ss_visit_undo_rules(ss_visit_t *visit);

/** Let this session take the place of the other; what was changed is not remembered anew. */
void ss_visit_replace(ss_visit_t *visit, ss_session_t *session);

/** Drop every change: the session is again what the client's cookie holds, and nothing will be
 * written. */
void ss_visit_revert(ss_visit_t *visit);

/**
 * The Set-Cookie value that the response must carry, or NULL for none, and its companion's in
 * visit->set_companion: sealed anew only when the session changed since the last call, so that a
 * second run of a filter cannot differ.
 *
 * @return  APR_SUCCESS; APR_ENOSPC when the session does not fit (visit->over says by how much);
 *          anything else: libcrypto failed. The client then keeps the cookie it has.
 */
apr_status_t ss_visit_seal(ss_visit_t *visit, const char **set_cookie);

#endif
