/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>

#include "httpd/auth_type.h"
#include "httpd/caller.h"
#include "httpd/earned.h"

/** Who was let in where, in a subrequest. */
typedef struct lookup_t {
    const ap_conf_vector_t *place; /* known by its address, the last of that address counts */
    const char *user;
} lookup_t;

static void note_lookup(request_rec *r)
{
    request_rec *whole = r->main;
    ss_step_t *step = ss_visit_step(whole);
    lookup_t *lookup;

    if (step->handled) {
        return; /* it is part of the answer */
    }
    if (step->lookups == NULL) {
        step->lookups = apr_array_make(whole->pool, 1, sizeof(lookup_t));
    }
    lookup = apr_array_push(step->lookups);
    lookup->place = r->per_dir_config;
    lookup->user = r->user == NULL ? NULL : apr_pstrdup(whole->pool, r->user);
}

void ss_earned_note_fixups(request_rec *r)
{
    ss_step_t *step = ss_visit_step(r);

    step->shown = 1;
    step->user = r->user;
    if (r->main != NULL) {
        note_lookup(r);
    }
}

void ss_earned_note_failure(request_rec *r)
{
    ss_visit_step(r)->failed = 1;
}

void ss_earned_note_handler(request_rec *r)
{
    ss_visit_step(r)->handled = 1;
}

/* An ErrorDocument at another host makes a redirect of a refusal. Its address may be an expression
 * that says something else each time. */
static int is_refusal_elsewhere(request_rec *r, int refusal)
{
    const char *document = r->status == HTTP_MOVED_TEMPORARILY && ss_visit_step(r)->failed
                               ? ap_response_code_string(r, ap_index_of_response(refusal))
                               : NULL;

    return document != NULL && ap_is_url(document);
}

/* Whoever gives it, also behind an error document that says something else: a backend may refuse,
 * too. */
static int is_refusal(request_rec *r)
{
    static const int refusals[] = { HTTP_UNAUTHORIZED, HTTP_FORBIDDEN,
                                    HTTP_PROXY_AUTHENTICATION_REQUIRED };

    for (apr_size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (r->status == refusals[i] || is_refusal_elsewhere(r, refusals[i])) {
            return 1;
        }
    }
    return 0;
}

int ss_earned_is_refused(request_rec *r)
{
    while (r != NULL && !is_refusal(r)) {
        r = r->prev;
    }
    return r != NULL;
}

/* mod_dir has given the request another place: was it let in there as who it is? */
static int is_let_in_elsewhere(const request_rec *r, const ss_step_t *step)
{
    for (int i = step->lookups == NULL ? 0 : step->lookups->nelts; i-- > 0;) {
        const lookup_t *lookup = &APR_ARRAY_IDX(step->lookups, i, lookup_t);

        if (lookup->place == r->per_dir_config) {
            return ss_text_equal(lookup->user, r->user);
        }
    }
    return 0;
}

static const char *fault_of_step(request_rec *r)
{
    const ss_step_t *step = ss_visit_step(r);

    if (is_refusal(r)) {
        return "it is a refusal";
    }
    if (!step->shown || !step->handled) {
        return "it was answered before all access checks had passed";
    }
    if (!ss_text_equal(step->user, r->user)) {
        return "its user changed after the access checks";
    }
    if (step->place != r->per_dir_config && !is_let_in_elsewhere(r, step)) {
        return "it was led to another place after the access checks, and not let in there as the "
               "same user";
    }
    if (ss_auth_type(r) != SS_AUTH_NONE && (r->user == NULL || r->user[0] == '\0')) {
        return "its place needs a login, and nobody is logged in";
    }
    return NULL;
}

/* Did a cookie of ours come, be it too old? Anybody can plant another one of that name. */
static int has_come(const ss_visit_t *visit)
{
    return visit->state == SS_VALID || visit->state == SS_EXPIRED_IDLE ||
           visit->state == SS_EXPIRED_ABSOLUTE || visit->state == SS_FROM_FUTURE ||
           visit->state == SS_REVOKED || visit->state == SS_UNAVAILABLE ||
           visit->state == SS_UNPROVEN || visit->state == SS_UNBOUND;
}

/* Is our cookie missing only because SameSite has kept it away from a request that another site
 * caused? The client may well have a session, with which a new one must not interfere. */
static int is_kept_away(const ss_visit_t *visit, const char *same_site)
{
    const request_rec *root = visit->root;

    if (has_come(visit)) {
        return 0;
    }
    /* a Lax cookie travels with navigations by GET */
    return strcmp(same_site, "Strict") == 0 || root->method_number != M_GET ||
           !ss_caller_says(root, "Sec-Fetch-Dest", "document");
}

/* May another site have caused the visit to replace the visitor's session? A cookie with
 * SameSite=None comes with every image; what the visitor sees happen is a navigation. */
const char *ss_earned_caller_fault(const ss_visit_t *visit)
{
    const char *same_site = visit->conf->cookie.same_site;
    const ss_caller_t caller = ss_caller_of(visit->root);

    if (!ss_caller_says(visit->root, "Sec-Fetch-Site", "cross-site")) {
        return NULL;
    }
    if (strcmp(same_site, "None") != 0) {
        return is_kept_away(visit, same_site)
                   ? "another site caused it, and SameSite has kept the cookie away"
                   : NULL;
    }
    return ss_caller_says(visit->root, "Sec-Fetch-Mode", "navigate") ||
                   ss_origin_is_trusted(&caller)
               ? NULL
               : "another site caused it, and it is no navigation";
}

const char *ss_earned_fault(const ss_visit_t *visit, request_rec *r)
{
    const char *fault = ss_earned_caller_fault(visit);

    if (fault == NULL) {
        fault = fault_of_step(r);
    }
    while (fault == NULL && r->prev != NULL) {
        r = r->prev;
        fault = fault_of_step(r);
    }
    return fault == NULL ? NULL
                         : apr_psprintf(r->pool, "the response for %s: %s",
                                        r->uri != NULL ? r->uri : "-", fault);
}
