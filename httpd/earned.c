/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#include "httpd/earned.h"

/** What one request of a chain was like when its fixups ran. */
typedef struct step_t {
    const request_rec *r;
    const char *user; /* r->user then */
} step_t;

void ss_earned_note_step(request_rec *r)
{
    ss_visit_t *visit = ss_visit_begin(r);
    step_t *step;

    if (visit->earned.steps == NULL) {
        visit->earned.steps = apr_array_make(visit->root->pool, 1, sizeof(step_t));
    }
    step = apr_array_push(visit->earned.steps);
    step->r = r;
    step->user = r->user;
}

static const step_t *step_of(const ss_visit_t *visit, const request_rec *r)
{
    const apr_array_header_t *steps = visit->earned.steps;

    for (int i = 0; steps != NULL && i < steps->nelts; i++) {
        const step_t *step = &APR_ARRAY_IDX(steps, i, step_t);

        if (step->r == r) {
            return step;
        }
    }
    return NULL;
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

static const char *fault_of_step(const ss_visit_t *visit, request_rec *r)
{
    const step_t *step = step_of(visit, r);

    if (step == NULL) {
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

const char *ss_earned_fault(const ss_visit_t *visit, request_rec *r)
{
    const char *fault = NULL;

    for (; r != NULL && fault == NULL; r = r->prev) {
        fault = fault_of_step(visit, r);
        if (fault != NULL) {
            fault = apr_psprintf(visit->root->pool, "the response for %s: %s",
                                 r->uri != NULL ? r->uri : "-", fault);
        }
    }
    return fault;
}
