/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_VISIT_H
#define SS_VISIT_H

#include <httpd.h>

#include "httpd/config.h"
#include "lib/candidates.h"
#include "lib/draft.h"
#include "lib/session.h"

/* A visit is one request of a client and all it became: internal redirects, error documents,
 * subrequests. */

/* What the rooms of a visit note there. Each struct is written by one file, which its name says;
 * everybody may read it. */

/** How much of the client's session cookie is hidden from whatever answers. */
typedef enum ss_strip_extent_e {
    SS_STRIP_NOTHING,
    SS_STRIP_NATIVE,
    SS_STRIP_ALL
} ss_strip_extent_e;

/** strip.c: the client's Cookie header. */
typedef struct ss_strip_note_t {
    ss_strip_extent_e extent; /* never less in later requests of the chain */
} ss_strip_note_t;

/** vars.c: what was shown. */
typedef struct ss_vars_note_t {
    int notes;                            /* how many there were when the session was last shown */
    const struct ss_rendered_t *as_notes; /* what is shown as notes, made once for each version */
    const struct ss_rendered_t *as_variables; /* and as variables; NULL: none were exported */
} ss_vars_note_t;

/** forward.c: what was sent on. */
typedef struct ss_forward_note_t {
    apr_array_header_t *sent; /* const char *: texts, known by their address; or NULL */
    const char *json;         /* the last JSON text among them, or NULL */
    unsigned version;         /* of the draft that it is of */
    ss_keys_t keys;           /* that are in it */
} ss_forward_note_t;

/** identity.c: who it is. */
typedef struct ss_identity_note_t {
    int known;                 /* the session has named a user: the response is private */
    const request_rec *judged; /* whose requirements are being judged */
    int as_new;                /* as if he had just logged in */
} ss_identity_note_t;

/** login.c */
typedef struct ss_login_note_t {
    int asked; /* the visit is answered with the question who it is */
} ss_login_note_t;

/** returning.c */
typedef struct ss_returning_note_t {
    int answered; /* the visit is led back, or told why not */
} ss_returning_note_t;

/** require.c: what was decided. */
typedef struct ss_require_note_t {
    int granted; /* a Require was granted by the session: the response is private */
    int too_old; /* a session was too old for one */
} ss_require_note_t;

/** session_rec.c: what other modules keep in it. */
typedef struct ss_session_rec_note_t {
    struct ss_session_rec_t *record; /* NULL: nobody has asked for it */
} ss_session_rec_note_t;

/** modules.c */
typedef struct ss_modules_note_t {
    int told;       /* a module was told what the session hides: the response is private */
    int complained; /* has the log been told why there is nothing for a module? */
} ss_modules_note_t;

/** form_login.c */
typedef struct ss_form_login_note_t {
    int is_stored;          /* a login was stored, after this: */
    ss_draft_mark_t before; /* what the visit had changed until then */
} ss_form_login_note_t;

/** expression.c: what asked. */
typedef struct ss_expression_note_t {
    int asked;    /* an expression has asked for the session: the response varies with it */
    int required; /* a Require expr has: the response is private */
} ss_expression_note_t;

/** endpoint.c */
typedef struct ss_endpoint_note_t {
    int only_asked; /* the request asked how old the session is: it must not renew it */
} ss_endpoint_note_t;

/** shared_cookie.c: the cookie that an application has set itself. */
typedef struct ss_shared_cookie_note_t {
    const ss_candidates_t *wrote; /* what it wrote; NULL: nothing, or the visit has it by now */
    int deletes;    /* it has deleted the cookie in the response that is about to go */
    int is_adopted; /* has the visit what it wrote? Then what goes out is written as these are: */
    const char *line, *companion_line; /* its Set-Cookie values; of the companion, or NULL */
} ss_shared_cookie_note_t;

/** response.c: the header of the response. */
typedef struct ss_response_note_t {
    int may_renew;       /* does the answering request allow a renewal? */
    int is_broken_off;   /* there is none, and no other will leave */
    const char *written; /* the Set-Cookie value that was put there, if any */
    unsigned version;    /* of the draft: what the client has, as far as we know */
} ss_response_note_t;

/** keeping.c: the records of stores. */
typedef struct ss_keeping_note_t {
    apr_array_header_t *all; /* those that the visit knows of; NULL: nobody has asked */
    int has_new_id;
    unsigned char new_id[SS_SESSION_ID_SIZE];
    int tries;           /* to save */
    const char *why;     /* SS_STORE_FULL and its like: what the store, or the log, says */
    apr_size_t over;     /* SS_STORED_TOO_LARGE: bytes over the limit */
    int is_struck;       /* the id of the session that has ended is in the log of revocations */
    const char *unended; /* why a session could not be ended for every copy; NULL: it was */
} ss_keeping_note_t;

/** offer.c */
typedef struct ss_offer_note_t {
    const char *challenge; /* that the response asks the browser to sign; or NULL */
} ss_offer_note_t;

/** revoke.c */
typedef struct ss_revoke_note_t {
    int is_asked; /* the other sessions of the visit's subject are to be revoked */
    int is_done;  /* they are */
} ss_revoke_note_t;

/** tally.c: what the log calls it. */
typedef struct ss_tally_note_t {
    const char *event;  /* NULL: nothing that is worth a line */
    const char *reason; /* of a cookie that was written, or NULL */
} ss_tally_note_t;

/** outage.c */
typedef struct ss_outage_note_t {
    int is_anonymous;           /* who has a session that cannot be loaded goes on without one */
    const request_rec *refused; /* it was answered so; or NULL */
} ss_outage_note_t;

/** saving.c: the session as it was saved last. */
typedef struct ss_saving_note_t {
    int is_defined;
    unsigned version;                     /* of the draft */
    int renewing;                         /* might an unchanged session be renewed? */
    const char *set_cookie;               /* NULL: nothing is to be written */
    const char *set_companion;            /* a second cookie that goes with it, or NULL */
    const char *set_proof;                /* the deletion of the proof cookie, or NULL */
    unsigned char id[SS_SESSION_ID_SIZE]; /* of the session in it; all zero: it has none */
    apr_size_t over;                      /* bytes that the cookie would exceed the limit by */
} ss_saving_note_t;

/**
 * The session of one visit. It belongs to the root of the chain, lives in the root's pool, and is
 * loaded at most once, by whichever hook asks first.
 */
typedef struct ss_visit_t {
    request_rec *root;
    const ss_server_conf_t *conf;
    apr_time_t now; /* of the root, for every judgement */
    int told;       /* has the log been told that there are no keys? */

    const char *header; /* the client's Cookie header; NULL: there is none */

    /* what the client sent; defined once loaded, written by visit.c */
    ss_draft_t *draft;  /* NULL: not loaded. Its session is empty when the cookie was refused */
    ss_state_e state;   /* what the client's cookie was */
    ss_opened_t opened; /* what a valid one proved to be; the draft has its session */
    int cookies;        /* cookies of our name that the client has, or is about to have */
    int companions;     /* and of the companion's */
    ss_bytes_t alone;   /* the value of our cookie when it is all of the header; else absent */
    int is_native;      /* and it has proved to be native */

    /* what happened to it here, written by visit.c */
    int ruling;             /* are the changes that come now made by rules? */
    int ruled;              /* have rules changed it? */
    ss_draft_mark_t before; /* then: as it was before */
    int untouched;          /* it must not be renewed */

    ss_strip_note_t strip;
    ss_vars_note_t vars;
    ss_forward_note_t forward;
    ss_identity_note_t identity;
    ss_login_note_t login;
    ss_returning_note_t returning;
    ss_require_note_t require;
    ss_session_rec_note_t session_rec;
    ss_modules_note_t modules;
    ss_form_login_note_t form_login;
    ss_expression_note_t expression;
    ss_endpoint_note_t endpoint;
    ss_shared_cookie_note_t shared_cookie;
    ss_response_note_t response;
    ss_outage_note_t outage;
    ss_tally_note_t tally;
    ss_offer_note_t offer;
    ss_revoke_note_t revoke;
    ss_keeping_note_t keeping;
    ss_saving_note_t saving;
} ss_visit_t;

/** What of subrequests' answers is part of a response. */
typedef enum ss_included_e {
    SS_INCLUDED_NOTHING,
    SS_INCLUDED_VARYING, /* what is another for another session */
    SS_INCLUDED_PRIVATE  /* what a session was let in to */
} ss_included_e;

/** One request of the chain. */
typedef struct ss_step_t {
    ss_visit_t *visit; /* of the root alone, written by visit.c */

    /* chain.c */
    const ap_conf_vector_t *place; /* where its fixups ran, if sessions are on there or anybody
                                      asks: mod_dir leads it elsewhere afterwards */

    /* strip.c, of the first of those that share a table of headers */
    int is_hidden;      /* its Cookie header is not the client's */
    const char *edited; /* while mod_cache looks: what others have made of it, "" when it was
                           removed; else NULL */

    /* earned.c */
    int shown;                   /* its fixups ran */
    const char *user;            /* r->user then */
    int handled;                 /* its handler was about to run */
    apr_array_header_t *lookups; /* of subrequests before that: who was let in where; or NULL */
    int failed;                  /* httpd answers with an error, or with a redirect of its own */

    /* rules.c */
    int withheld; /* rules do not apply, because of who has caused the request */

    /* require.c */
    int by_alias; /* an alias has counted before its user was known */

    /* update.c */
    int heard; /* what its handler wanted changed has been taken */

    /* response.c */
    int prepared, marked;   /* the response that it is about to give */
    int is_private;         /* that response belongs to this client alone */
    ss_included_e included; /* what may be in it */
} ss_step_t;

/** The step that `r` is, made now if it was not before. */
ss_step_t *ss_visit_step(request_rec *r);

/** The same if it was made before, else NULL. A request that could not even be read has no
 * configuration. */
static inline ss_step_t *ss_visit_step_known(const request_rec *r)
{
    return r->request_config == NULL
               ? NULL
               : ap_get_module_config(r->request_config, &signed_session_module);
}

/** The first request of the chain that `r` belongs to. */
static inline request_rec *ss_visit_root(const request_rec *r)
{
    while (r->prev != NULL || r->main != NULL) {
        r = r->prev != NULL ? r->prev : r->main;
    }
    return (request_rec *)r;
}

/** Does this hold for the place of `r`, or for the one that was asked for, when mod_dir or another
 * has led the request elsewhere since? */
typedef int ss_place_fn(const ss_dir_conf_t *dir);
int ss_visit_any_place(request_rec *r, ss_place_fn *holds);

/** Has mod_dir or another led `r` to a place that uses sessions, since its fixups? */
static inline int ss_visit_was_led_here(const request_rec *r)
{
    const ss_step_t *step = ss_visit_step_known(r);

    return step == NULL || step->place != r->per_dir_config;
}

/** The place that was asked for, when it is another one by now and has anything of ours; else NULL.
 */
const ss_dir_conf_t *ss_visit_place_left(const request_rec *r);

/** May a place use the session? */
typedef enum ss_access_e {
    SS_ACCESS_READY,
    SS_ACCESS_OFF,    /* sessions are off there */
    SS_ACCESS_NO_KEYS /* this server has none; the log says so once in each visit (SS0112) */
} ss_access_e;

/** May the place of `r` use the session? Nothing is loaded. */
ss_access_e ss_visit_ask(request_rec *r);

/** The one door to the session where it is used: loaded now if it was not before. `visit` is NULL
 * unless SS_ACCESS_READY. */
ss_access_e ss_visit_enter(ss_visit_t **visit, request_rec *r);

/** The session, whether or not the place of `r` uses it; NULL when this server has no keys. */
ss_visit_t *ss_visit_load(request_rec *r);

/** The same, but nothing is begun, and NULL, for a client that has sent no Cookie header. */
ss_visit_t *ss_visit_load_sent(request_rec *r);

/** The visit if somebody has begun it, loaded or not, else NULL. */
static inline ss_visit_t *ss_visit_known(const request_rec *r)
{
    const ss_step_t *step = ss_visit_step_known(ss_visit_root(r));

    return step == NULL ? NULL : step->visit;
}

/** The visit if something has loaded its session, else NULL. */
static inline ss_visit_t *ss_visit_loaded(const request_rec *r)
{
    ss_visit_t *visit = ss_visit_known(r);

    return visit != NULL && visit->draft != NULL ? visit : NULL;
}

/** The visit, begun now if it was not before; nothing is loaded. */
ss_visit_t *ss_visit_begin(request_rec *r);

/** May requests here change the session? */
int ss_visit_may_change(const request_rec *r);

/** The session with every change so far. */
ss_session_t *ss_visit_session(const ss_visit_t *visit);

/** Does the client have a session, as far as this visit has come? A valid one may be empty. */
int ss_visit_has_session(const ss_visit_t *visit);

/** Make a change. Its memory may be short-lived. Returns whether it is possible. */
int ss_visit_change(ss_visit_t *visit, const ss_change_t *change);

/**
 * Has a change made a type tag, in a format that has them? They are the application's alone.
 *
 * @param before  the session without the change
 * @param input   what it was changed by; may be absent
 */
int ss_visit_made_tag(const ss_visit_t *visit, ss_session_t *before, ss_json_t input);

/**
 * The changes between these two calls are made by rules of the configuration, for one response.
 * When another response or another change follows, they are taken back first.
 */
void ss_visit_begin_rules(ss_visit_t *visit);
void ss_visit_end_rules(ss_visit_t *visit);

/** Take back what rules changed, if they did. */
void ss_visit_undo_rules(ss_visit_t *visit);

/** A place to return to, when a change turns out to be none that may be made. */
ss_draft_mark_t ss_visit_mark(ss_visit_t *visit);

/** Take back every change made since `mark`. */
void ss_visit_return(ss_visit_t *visit, ss_draft_mark_t mark);

/**
 * An application has written the session itself: changes are made again on that one.
 *
 * @param opened      what it wrote; NULL: it deleted the cookie
 * @param candidates  what the client is then about to have
 */
void ss_visit_adopt(ss_visit_t *visit, const ss_opened_t *opened,
                    const ss_candidates_t *candidates);

/** Fetches records for cookies that belong to a visit, the baton. */
ss_fetch_fn ss_visit_fetch;

/** Drop every change: nothing will be written, not even a renewal. */
void ss_visit_revert(ss_visit_t *visit);

#endif
