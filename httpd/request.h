/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REQUEST_H
#define SS_REQUEST_H

#include <httpd.h>

#include "httpd/config.h"
#include "lib/format.h"
#include "lib/session.h"

/**
 * The session of one client request. It belongs to the root of everything that the request became
 * (internal redirects, error documents, subrequests), lives in the root's pool, and is loaded at
 * most once, by whichever hook asks first.
 */
typedef struct ss_request_t {
    request_rec *root;
    const ss_server_conf_t *conf;
    ss_session_t *session; /* never NULL; empty when the cookie was refused */
    ss_state_e state;      /* what the client's cookie was */
    ss_provenance_t from;  /* where a valid session came from */
    apr_time_t now;        /* of this request, for every judgement */
    int cookies;           /* cookies of our name that the client sent */
    int companions;        /* and of the companion's */
    int ended;             /* ended on demand: delete the cookie, even a refused one */
    int untouched;         /* this request must not renew it */
    int may_renew;         /* does the answering request allow a renewal? */
    int env_published;     /* did a request of the chain export variables? */

    /* the cookie as it was sealed last */
    int sealed;                  /* is the rest defined? */
    unsigned sealed_generation;  /* of the session */
    const char *set_cookie;      /* NULL: nothing is to be written */
    const char *set_companion;   /* a second cookie that goes with it, or NULL */
    apr_size_t over;             /* bytes that the cookie would exceed the limit by */
    const char *written;         /* the Set-Cookie value in the response's header, if any */
    unsigned written_generation; /* what the client has, as far as we know */
} ss_request_t;

/** The first request of the chain that `r` belongs to. */
request_rec *ss_request_root(request_rec *r);

/** The session of `r`, loaded now if it was not before; NULL when this server has no keys. */
ss_request_t *ss_request_get(request_rec *r);

/** The session of `r` if something loaded it, else NULL. */
ss_request_t *ss_request_peek(request_rec *r);

/** May requests here change the session? */
int ss_request_may_change(const request_rec *r);

/** End the session on demand. */
void ss_request_end(ss_request_t *req);

/** Let this session take the place of the other, usually a changed copy of it. */
void ss_request_replace(ss_request_t *req, ss_session_t *session);

/** Drop every change: the session is again what the client's cookie holds, and nothing will be
 * written. */
void ss_request_revert(ss_request_t *req);

/**
 * The Set-Cookie value that the response must carry, or NULL for none, and its companion's in
 * req->set_companion: sealed anew only when the session changed since the last call, so that a
 * second run of a filter cannot differ.
 *
 * @return  APR_SUCCESS; APR_ENOSPC when the session does not fit (req->over says by how much);
 *          anything else: libcrypto failed. The client then keeps the cookie it has.
 */
apr_status_t ss_request_seal(ss_request_t *req, const char **set_cookie);

#endif
