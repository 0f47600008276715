/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/auth_type.h"
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

static const char *fault_of_step(request_rec *r)
{
    const ss_step_t *step = ss_visit_step(r);

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

/* Whoever gives it: a backend may refuse, too. */
static int is_refusal(int status)
{
    return status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN ||
           status == HTTP_PROXY_AUTHENTICATION_REQUIRED;
}

/* Sent by browsers, and never by a script of a page. */
static int is_said(const request_rec *r, const char *header, const char *value)
{
    const char *said = apr_table_get(r->headers_in, header);

    return said != NULL && strcmp(said, value) == 0;
}

int ss_earned_is_bystander(request_rec *r)
{
    const char *purpose = apr_table_get(r->headers_in, "Sec-Purpose");

    return (purpose != NULL && strncmp(purpose, "prefetch", sizeof("prefetch") - 1) == 0) ||
           (is_said(r, "Sec-Fetch-Site", "cross-site") &&
            !is_said(r, "Sec-Fetch-Dest", "document"));
}

/* Is our cookie missing only because SameSite has kept it away from a request that another site
 * caused? The client may well have a session, with which a new one must not interfere. */
static int is_kept_away(const ss_visit_t *visit)
{
    const char *same_site = visit->conf->cookie.same_site;
    const request_rec *root = visit->root;

    if (visit->cookies > 0 || strcmp(same_site, "None") == 0 ||
        !is_said(root, "Sec-Fetch-Site", "cross-site")) {
        return 0;
    }
    /* a Lax cookie travels with navigations by GET */
    return strcmp(same_site, "Strict") == 0 || root->method_number != M_GET ||
           !is_said(root, "Sec-Fetch-Dest", "document");
}

static const char *fault_of_answer(const ss_visit_t *visit, const request_rec *r)
{
    if (is_refusal(r->status)) {
        return "it is a refusal";
    }
    return is_kept_away(visit) ? "another site caused it, and SameSite has kept the cookie away"
                               : NULL;
}

const char *ss_earned_fault(const ss_visit_t *visit, request_rec *r)
{
    const char *fault = fault_of_answer(visit, r);

    for (request_rec *step = r; step != NULL && fault == NULL; step = step->prev) {
        fault = fault_of_step(step);
        r = step;
    }
    return fault == NULL ? NULL
                         : apr_psprintf(r->pool, "the response for %s: %s",
                                        r->uri != NULL ? r->uri : "-", fault);
}
