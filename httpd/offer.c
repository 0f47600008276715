/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/caller.h"
#include "httpd/counters.h"
#include "httpd/offer.h"
#include "httpd/revoking.h"

#define REGISTRATION "Secure-Session-Registration"
#define SKIPPED "Secure-Session-Skipped"

int ss_offer_is_https(request_rec *r)
{
    return strcmp(ap_http_scheme(r), "https") == 0;
}

/* What a browser has signed is good for minutes: no log of the server's is to have it. */
void ss_offer_drop(request_rec *r)
{
    apr_table_unset(r->headers_in, SS_OFFER_RESPONSE);
    apr_table_unset(r->headers_in, SS_OFFER_IDENTIFIER);
    apr_table_unset(r->headers_in, SKIPPED);
}

int ss_offer_is_endpoint(const request_rec *r)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);

    return ss_proving_is_on(conf) && r->main == NULL && r->prev == NULL &&
           r->proxyreq == PROXYREQ_NONE && r->parsed_uri.path != NULL &&
           strcmp(r->parsed_uri.path, conf->bind.path) == 0;
}

void ss_offer_scrub(request_rec *r)
{
    if (ss_proving_is_on(ss_server_conf(r->server)) && !ss_offer_is_endpoint(r)) {
        ss_offer_drop(r);
    }
}

const char *ss_offer_challenge(ss_challenge_e purpose, const ss_server_conf_t *conf,
                               const ss_stamp_t *stamp, apr_time_t now, apr_pool_t *pool)
{
    ss_bytes_t value;

    return ss_challenge_make(&value, purpose, stamp, ss_proving_keys(conf), now, pool) ==
                   APR_SUCCESS
               ? apr_pstrmemdup(pool, value.data, value.len)
               : NULL;
}

/* From another site the registration would come without the cookie, and a signature be wasted. */
static int may_offer(request_rec *r)
{
    request_rec *root = ss_visit_root(r);

    return ss_offer_is_https(r) && root->method_number == M_GET && !root->header_only &&
           ss_caller_says(root, "Sec-Fetch-Mode", "navigate") &&
           (ss_caller_says(root, "Sec-Fetch-Site", "none") ||
            ss_caller_says(root, "Sec-Fetch-Site", "same-origin")) &&
           !ss_caller_is_bystander(root);
}

/* The stamp of the native cookie that the client has, or is about to have; NULL: it has none, or
 * one that cannot be bound. */
static const ss_stamp_t *stamp_to_bind(const ss_visit_t *visit, ss_stamp_t *room)
{
    const ss_stamp_t *stamp = ss_session_stamp(ss_visit_session(visit));
    const ss_format_t *native = ss_sealing_written(&visit->conf->sealing);

    if (visit->opened.is_replaced || ss_stamp_is_bound(stamp) ||
        ss_revoking_subject(visit->conf, ss_visit_session(visit), visit->root->pool).data == NULL) {
        return NULL;
    }
    if (visit->saving.set_cookie != NULL) {
        *room = *stamp;
        memcpy(room->id, visit->saving.id, SS_SESSION_ID_SIZE);
        return room;
    }
    return visit->opened.format == native ? stamp : NULL;
}

void ss_offer_decide(request_rec *r, ss_visit_t *visit)
{
    ss_stamp_t room;
    const ss_stamp_t *stamp;

    visit->offer.challenge = NULL;
    if (!ss_proving_is_on(visit->conf) || ss_dir_conf(r)->mode != SS_ON || !may_offer(r)) {
        return;
    }
    stamp = stamp_to_bind(visit, &room);
    if (stamp != NULL) {
        visit->offer.challenge = ss_offer_challenge(SS_CHALLENGE_REGISTRATION, visit->conf, stamp,
                                                    visit->now, visit->root->pool);
    }
}

void ss_offer_write(request_rec *r, const ss_visit_t *visit)
{
    if (visit->offer.challenge == NULL) {
        return;
    }
    apr_table_unset(r->headers_out, REGISTRATION);
    apr_table_setn(r->err_headers_out, REGISTRATION,
                   apr_psprintf(r->pool, "(ES256);path=\"%s\";challenge=\"%s\"",
                                visit->conf->bind.path, visit->offer.challenge));
    ss_count(SS_COUNT_BINDINGS + SS_BINDING_OFFERED);
}
