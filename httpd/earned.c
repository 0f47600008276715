/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

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

static int needs_user(request_rec *r)
{
    const char *type = ap_auth_type(r);

    return type != NULL && ap_cstr_casecmp(type, "None") != 0;
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
    if (needs_user(r) && (r->user == NULL || r->user[0] == '\0')) {
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

const char *ss_earned_fault(request_rec *r)
{
    const char *fault = is_refusal(r->status) ? "it is a refusal" : NULL;

    for (request_rec *step = r; step != NULL && fault == NULL; step = step->prev) {
        fault = fault_of_step(step);
        r = step;
    }
    return fault == NULL ? NULL
                         : apr_psprintf(r->pool, "the response for %s: %s",
                                        r->uri != NULL ? r->uri : "-", fault);
}
