/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "httpd/bind.h"
#include "httpd/caller.h"
#include "httpd/counters.h"
#include "httpd/log.h"
#include "httpd/offer.h"
#include "httpd/proving.h"
#include "httpd/response.h"
#include "httpd/revoking.h"
#include "httpd/saving.h"
#include "httpd/unsaved.h"
#include "lib/jws.h"

#define CHALLENGE "Secure-Session-Challenge"

static void count(ss_binding_event_e event)
{
    ss_count(SS_COUNT_BINDINGS + (int)event);
}

/* Without the quotes of a string (RFC 8941 section 3.3.3), which Chromium leaves out. NULL: there
 * is no such header. */
static const char *take_header(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_in, name);
    apr_size_t len = value == NULL ? 0 : strlen(value);

    return len >= 2 && value[0] == '"' && value[len - 1] == '"'
               ? apr_pstrmemdup(r->pool, value + 1, len - 2)
               : value;
}

/*
 * The endpoint
 */

static void refuse(request_rec *r, int status, const char *why)
{
    count(SS_BINDING_REFUSED);
    ss_log(r, APLOG_DEBUG, "SS0510", "the session was not bound to the browser's key: %s", why);
    ss_answer_problem(r, status,
                      apr_pstrcat(r->pool, "The session was not bound: ", why, ".", NULL));
}

/* Browsers ask here by themselves, and clients as often as they like. */
static void refuse_unsaved(request_rec *r, ss_unsaved_t unsaved)
{
    static volatile apr_uint32_t told;

    count(SS_BINDING_REFUSED);
    if (unsaved.level >= APLOG_DEBUG || ss_log_is_time(&told, r->request_time)) {
        ss_log_text(r, unsaved.level, unsaved.log);
    }
    ss_answer_problem(r, unsaved.status, unsaved.detail);
}

static void trouble(request_rec *r, const char *why)
{
    static volatile apr_uint32_t told;

    if (ss_log_is_time(&told, r->request_time)) {
        ss_log(r, APLOG_ERR, "SS0511", "whether a session is bound cannot be said: %s", why);
    }
    ss_answer_problem(r, HTTP_SERVICE_UNAVAILABLE, "Try again later.");
}

/* What a browser must find in our Set-Cookie, and nothing else: with Max-Age or Priority Chromium
 * refuses the registration. */
static const char *attributes_of(const ss_cookie_t *cookie, apr_pool_t *pool)
{
    return apr_psprintf(pool, "Path=%s; Secure; HttpOnly; SameSite=%s", cookie->path,
                        cookie->same_site);
}

/* JSON, of bytes that we have written or configured. */
static const char *quoted(const char *text, apr_pool_t *pool)
{
    ss_bytes_t json = ss_json_quote(ss_bytes_of(text), pool).raw;

    return apr_pstrmemdup(pool, json.data, json.len);
}

/* The browser has proved that it has the key: a fresh proof, and what it is to sign next. */
static void answer_bound(request_rec *r, const char *identifier, const ss_stamp_t *stamp)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);
    const ss_cookie_t cookie = ss_proving_cookie(conf);
    const char *challenge =
        ss_offer_challenge(SS_CHALLENGE_REFRESH, conf, stamp, r->request_time, r->pool);
    ss_bytes_t proof;

    if (challenge == NULL || ss_proof_make(&proof, stamp, ss_proving_keys(conf), r->request_time,
                                           r->pool) != APR_SUCCESS) {
        trouble(r, "OpenSSL failed");
        return;
    }
    apr_table_addn(r->err_headers_out, "Set-Cookie",
                   ss_cookie_print(&cookie, proof, apr_time_sec(conf->bind.lifetime), 1, r->pool));
    apr_table_setn(r->headers_out, CHALLENGE,
                   apr_psprintf(r->pool, "\"%s\";id=\"%s\"", challenge, identifier));
    ss_answer_json(r, HTTP_OK,
                   ss_bytes_of(apr_psprintf(
                       r->pool,
                       "{\"session_identifier\":\"%s\",\"refresh_url\":\"%s\","
                       "\"scope\":{\"include_site\":false},\"credentials\":[{\"type\":\"cookie\","
                       "\"name\":%s,\"attributes\":%s}],\"allowed_refresh_initiators\":[\"*\"]}",
                       identifier, conf->bind.path, quoted(cookie.name, r->pool),
                       quoted(attributes_of(&cookie, r->pool), r->pool))));
}

/*
 * Registration
 */

/* Why this request may not bind the session; NULL: it may. */
static const char *fault_of_caller(request_rec *r)
{
    const ss_caller_t caller = ss_caller_of(r);

    if (!ss_offer_is_https(r)) {
        return "it did not come by https";
    }
    return caller.origin == NULL || !ss_caller_says(r, "Sec-Fetch-Site", "same-origin")
               ? "it was not caused by this site"
               : NULL;
}

/* The same for its session. */
static const char *fault_of_session(const ss_visit_t *visit)
{
    const ss_session_t *session = ss_visit_session(visit);

    if (visit->state != SS_VALID) {
        return apr_psprintf(visit->root->pool, "there is no session (%s)",
                            ss_state_name(visit->state));
    }
    if (visit->opened.is_replaced) {
        return "it was bound a moment ago";
    }
    if (visit->opened.format != ss_sealing_written(&visit->conf->sealing)) {
        return "its cookie is not native yet";
    }
    if (ss_stamp_is_bound(ss_session_stamp(session))) {
        return "it is bound already";
    }
    return ss_revoking_subject(visit->conf, session, visit->root->pool).data == NULL
               ? "nobody is logged in"
               : NULL;
}

static const char *fault_of_proof(const ss_jws_t *jws, const ss_visit_t *visit)
{
    const ss_proof_time_t time = ss_proving_time(visit->conf, visit->now);
    apr_pool_t *pool = visit->root->pool;

    if (!jws->has_key) {
        return "there is no key";
    }
    if (!ss_challenge_holds(jws->challenge, SS_CHALLENGE_REGISTRATION,
                            ss_session_stamp(ss_visit_session(visit)), ss_proving_keys(visit->conf),
                            &time, pool)) {
        return "what was signed is no challenge for this session, or too old";
    }
    return ss_jws_verify(jws, jws->point) ? NULL : "the signature is wrong";
}

/* Save it under the new id. Returns whether that was possible; otherwise a refusal was answered. */
static int save_bound(request_rec *r, ss_visit_t *visit, const ss_jws_t *jws)
{
    const ss_change_t change = { SS_CHANGE_BIND, ss_bytes((const char *)jws->point, SS_POINT_SIZE),
                                 ss_json_absent };
    ss_draft_mark_t mark = ss_visit_mark(visit);
    const char *set_cookie;
    apr_status_t rv;

    ss_visit_change(visit, &change);
    rv = ss_saving_seal(visit, 0, &set_cookie);
    if (rv != APR_SUCCESS) {
        refuse_unsaved(r, ss_unsaved_of(visit, rv));
        ss_visit_return(visit, mark);
    }
    ss_response_write(r, visit);
    return rv == APR_SUCCESS;
}

static const char *identifier_of(const ss_server_conf_t *conf, const ss_stamp_t *stamp,
                                 apr_pool_t *pool)
{
    ss_bytes_t value;

    return ss_identifier_make(&value, stamp, ss_proving_keys(conf), pool) == APR_SUCCESS
               ? apr_pstrmemdup(pool, value.data, value.len)
               : NULL;
}

static void bind_to(request_rec *r, ss_visit_t *visit, const ss_jws_t *jws)
{
    ss_stamp_t stamp = { .counter = 0 }; /* only id and point count */
    const char *identifier;

    if (!save_bound(r, visit, jws)) {
        return;
    }
    memcpy(stamp.id, visit->saving.id, SS_SESSION_ID_SIZE);
    memcpy(stamp.point, jws->point, SS_POINT_SIZE);
    identifier = identifier_of(visit->conf, &stamp, r->pool);
    if (identifier == NULL) {
        trouble(r, "OpenSSL failed");
        return;
    }
    count(SS_BINDING_REGISTERED);
    answer_bound(r, identifier, &stamp);
}

static void register_key(request_rec *r, const char *response)
{
    const char *why = fault_of_caller(r);
    ss_visit_t *visit;
    ss_jws_t jws;

    if (why != NULL) {
        refuse(r, HTTP_FORBIDDEN, why);
        return;
    }
    why =
        response == NULL ? "nothing was signed" : ss_jws_read(&jws, ss_bytes_of(response), r->pool);
    if (why != NULL) {
        refuse(r, HTTP_BAD_REQUEST, why);
        return;
    }
    visit = ss_visit_load(r);
    if (visit->state == SS_UNAVAILABLE) {
        trouble(r, "the session could not be loaded");
        return;
    }
    why = fault_of_session(visit);
    if (why == NULL) {
        why = fault_of_proof(&jws, visit);
    }
    if (why != NULL) {
        refuse(r, HTTP_FORBIDDEN, why);
        return;
    }
    bind_to(r, visit, &jws);
}

/*
 * Refresh: judged by the identifier alone, because with links of other sites it comes without the
 * session's cookie. No store is asked. A browser forgets the binding with most answers of 4xx; with
 * 403 it comes again.
 */

/** What the seal of the client's cookie says of its session, if one came. */
typedef struct held_t {
    ss_state_e state; /* SS_VALID, also when it leads to a store, which is not asked; else none */
    ss_stamp_t stamp;
} held_t;

static held_t held_by(request_rec *r)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);
    held_t held = { .state = SS_NONE };
    ss_candidates_t candidates;
    ss_opened_t opened;
    ss_state_e state;

    ss_candidates_find(&candidates, apr_table_get(r->headers_in, "Cookie"), &conf->sealing);
    state = ss_candidates_open(&opened, &candidates, &conf->sealing, r->request_time, r->pool);
    if (state == SS_VALID || opened.is_gone) { /* "gone": it leads to a store */
        held.state = SS_VALID;
        held.stamp = state == SS_VALID ? *ss_session_stamp(opened.session) : opened.judged;
    }
    return held;
}

/* Whose binding is it? Where the secret of the identifier is no more, the session's cookie says it,
 * which has long been sealed with a newer one. Returns whether anybody does. */
static int find_binding(ss_stamp_t *stamp, const char *identifier, const held_t *held,
                        request_rec *r)
{
    const ss_keyring_t *keys = ss_proving_keys(ss_server_conf(r->server));

    if (ss_identifier_open(stamp, ss_bytes_of(identifier), keys, r->pool)) {
        return held->state != SS_VALID || memcmp(held->stamp.id, stamp->id, SS_SESSION_ID_SIZE) ==
                                              0; /* else another session */
    }
    if (held->state == SS_VALID && ss_stamp_is_bound(&held->stamp) &&
        ss_identifier_resembles(ss_bytes_of(identifier), r->pool)) {
        *stamp = held->stamp;
        return 1;
    }
    return 0;
}

/* 200: a 403 would be asked for a proof again, and again. */
static void answer_over(request_rec *r, const char *identifier)
{
    const char *json = quoted(identifier, r->pool);

    count(SS_BINDING_ENDED);
    ss_answer_json(
        r, HTTP_OK,
        ss_bytes_of(apr_psprintf(r->pool, "{\"session_identifier\":%s,\"continue\":false}", json)));
}

static void ask_for_proof(request_rec *r, const char *identifier, const ss_stamp_t *stamp)
{
    const char *challenge = ss_offer_challenge(SS_CHALLENGE_REFRESH, ss_server_conf(r->server),
                                               stamp, r->request_time, r->pool);

    if (challenge == NULL) {
        trouble(r, "OpenSSL failed");
        return;
    }
    count(SS_BINDING_CHALLENGED);
    apr_table_setn(r->headers_out, CHALLENGE,
                   apr_psprintf(r->pool, "\"%s\";id=\"%s\"", challenge, identifier));
    ss_answer_problem(r, HTTP_FORBIDDEN, "Sign the challenge.");
}

/* Why what came proves nothing; NULL: it does. */
static const char *fault_of_refresh(const char *response, const ss_stamp_t *stamp, request_rec *r)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);
    const ss_proof_time_t time = ss_proving_time(conf, r->request_time);
    ss_jws_t jws;
    const char *why = ss_jws_read(&jws, ss_bytes_of(response), r->pool);

    if (why != NULL) {
        return why;
    }
    if (!ss_challenge_holds(jws.challenge, SS_CHALLENGE_REFRESH, stamp, ss_proving_keys(conf),
                            &time, r->pool)) {
        return "what was signed is no challenge of ours for it, or too old";
    }
    return ss_jws_verify(&jws, stamp->point) ? NULL : "the signature is wrong";
}

static void refresh(request_rec *r, const char *identifier, const char *response)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);
    const held_t held = held_by(r);
    ss_state_e state;
    ss_stamp_t stamp;
    const char *why;

    if (!find_binding(&stamp, identifier, &held, r)) {
        answer_over(r, ap_escape_logitem(r->pool, identifier));
        return;
    }
    state = ss_revoking_judge_id(conf, stamp.id, r->request_time, r->pool);
    if (state == SS_UNAVAILABLE) {
        trouble(r, "the revocation log cannot be read");
        return;
    }
    if (state != SS_VALID) {
        answer_over(r, identifier);
        return;
    }
    why = response == NULL ? "none came" : fault_of_refresh(response, &stamp, r);
    if (why != NULL) {
        ss_log(r, APLOG_DEBUG, "SS0512", "a bound session needs a proof of the browser's key: %s",
               why);
        ask_for_proof(r, identifier, &stamp);
        return;
    }
    count(SS_BINDING_REFRESHED);
    answer_bound(r, identifier, &stamp);
}

static void answer(request_rec *r)
{
    const char *response = take_header(r, SS_OFFER_RESPONSE),
               *identifier = take_header(r, SS_OFFER_IDENTIFIER);

    ss_offer_drop(r);
    if (ap_request_has_body(r)) {
        r->connection->keepalive = AP_CONN_CLOSE; /* browsers send none, and nobody reads it */
    }
    if (r->method_number != M_POST) {
        apr_table_setn(r->headers_out, "Allow", "POST");
        ss_answer_problem(r, HTTP_METHOD_NOT_ALLOWED, "Browsers bind sessions here, by POST.");
    }
    else if (ss_server_conf(r->server)->sealing.seals == NULL) {
        trouble(r, "there are no secrets");
    }
    else if (identifier != NULL) {
        refresh(r, identifier, response);
    }
    else {
        register_key(r, response);
    }
}

int ss_bind_answer(request_rec *r, int lookup)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);

    if (lookup || !ss_proving_is_on(conf) || !ss_offer_is_endpoint(r)) {
        return DECLINED;
    }
    answer(r);
    return OK;
}
