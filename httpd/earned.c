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

void ss_earned_note_fixups(request_rec *r)
{
    ss_step_t *step = ss_visit_step(r);

    step->shown = 1;
    step->user = r->user;
}

void ss_earned_note_handler(request_rec *r)
{
    ss_visit_step(r)->handled = 1;
}

static int is_same_user(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* An ErrorDocument at another host makes a redirect of a refusal. */
static int is_refusal_elsewhere(request_rec *r, int refusal)
{
    const char *location =
        r->status == HTTP_MOVED_TEMPORARILY ? apr_table_get(r->headers_out, "Location") : NULL;
    const char *document =
        location == NULL ? NULL : ap_response_code_string(r, ap_index_of_response(refusal));

    return document != NULL && strcmp(location, document) == 0;
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

static const char *fault_of_step(request_rec *r)
{
    const ss_step_t *step = ss_visit_step(r);

    if (is_refusal(r)) {
        return "it is a refusal";
    }
    if (!step->shown || !step->handled) {
        return "it was answered before all access checks had passed";
    }
    if (!is_same_user(step->user, r->user)) {
        return "its user changed after the access checks";
    }
    if (ss_auth_type(r) != SS_AUTH_NONE && (r->user == NULL || r->user[0] == '\0')) {
        return "its place needs a login, and nobody is logged in";
    }
    return NULL;
}

/* Is our cookie missing only because SameSite has kept it away from a request that another site
 * caused? The client may well have a session, with which a new one must not interfere. */
static int is_kept_away(const ss_visit_t *visit, const char *same_site)
{
    const request_rec *root = visit->root;

    if (visit->cookies > 0) {
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

    for (request_rec *step = r; step != NULL && fault == NULL; step = step->prev) {
        fault = fault_of_step(step);
        r = step;
    }
    return fault == NULL ? NULL
                         : apr_psprintf(r->pool, "the response for %s: %s",
                                        r->uri != NULL ? r->uri : "-", fault);
}
