/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
/*
 * A rule that stores something is earned by access. httpd sets r->user before it checks the
 * password, an error document may inherit it, and a Redirect is answered before any check: so every
 * request of the chain must have reached its fixups, and have had there the user that it has now.
 * What only takes away (SignedSessionUnset, SignedSessionClear On) always applies.
 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#include "httpd/log.h"
#include "httpd/visit.h"
#include "httpd/rules.h"
#include "lib/encode.h"

void ss_rules_note_step(request_rec *r)
{
    ss_visit_t *visit = ss_visit_of(r);
    ss_step_t *step;

    if (visit->steps == NULL) {
        visit->steps = apr_array_make(visit->root->pool, 1, sizeof(ss_step_t));
    }
    step = apr_array_push(visit->steps);
    step->r = r;
    step->user = r->user;
}

static const ss_step_t *step_of(const ss_visit_t *visit, const request_rec *r)
{
    for (int i = 0; visit->steps != NULL && i < visit->steps->nelts; i++) {
        const ss_step_t *step = &APR_ARRAY_IDX(visit->steps, i, ss_step_t);

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

/* Returns NULL, or why this request gives no right to store anything. */
static const char *fault_of_step(const ss_visit_t *visit, request_rec *r)
{
    const ss_step_t *step = step_of(visit, r);

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

static int is_earned(const ss_visit_t *visit, request_rec *r)
{
    for (; r != NULL; r = r->prev) {
        const char *fault = fault_of_step(visit, r);

        if (fault != NULL) {
            ss_log(r, APLOG_DEBUG, "SS0307",
                   "SignedSessionSet and SignedSessionClear Before do not apply to the response "
                   "for %s: %s",
                   r->uri != NULL ? r->uri : "-", fault);
            return 0;
        }
    }
    return 1;
}

/* Does any request of the chain have this Clear, where sessions may be changed? */
static int has_clear(const request_rec *r, ss_clear_e clear)
{
    for (; r != NULL; r = r->prev) {
        if (ss_visit_may_change(r) && ss_dir_conf(r)->clear == clear) {
            return 1;
        }
    }
    return 0;
}

static void set(request_rec *r, ss_visit_t *visit, const ss_rule_t *rule)
{
    ss_change_t change = { SS_CHANGE_SET, rule->key, { NULL, 0 } };
    const char *error = NULL;
    const char *text = ap_expr_str_exec(r, rule->value, &error);

    if (error != NULL) {
        ss_log(r, APLOG_ERR, "SS0308", "SignedSessionSet %s: the expression failed: %s",
               rule->key.data, error);
    }
    else if (text != NULL && text[0] != '\0') {
        change.value = ss_json_quote(ss_bytes_of(text), r->pool);
        if (change.value.data != NULL) { /* else it is not UTF-8 */
            ss_visit_change(visit, &change);
        }
    }
}

static void apply_rules(request_rec *r, ss_visit_t *visit, int earned)
{
    const apr_array_header_t *rules = ss_dir_conf(r)->rules;

    if (r->prev != NULL) {
        apply_rules(r->prev, visit, earned);
    }
    if (rules == NULL || !ss_visit_may_change(r)) {
        return;
    }
    for (int i = 0; i < rules->nelts; i++) {
        const ss_rule_t *rule = &APR_ARRAY_IDX(rules, i, ss_rule_t);
        const ss_change_t unset = { SS_CHANGE_UNSET, rule->key, { NULL, 0 } };

        if (rule->value == NULL) {
            ss_visit_change(visit, &unset);
        }
        else if (earned) {
            set(r, visit, rule);
        }
    }
}

/* Is there any rule in the chain at all? */
static int has_rules(const request_rec *r)
{
    for (; r != NULL; r = r->prev) {
        const ss_dir_conf_t *dir = ss_dir_conf(r);

        if (dir->mode == SS_ON && (dir->rules != NULL || dir->clear != SS_CLEAR_OFF)) {
            return 1;
        }
    }
    return 0;
}

void ss_rules_apply(request_rec *r)
{
    static const ss_change_t end = { SS_CHANGE_END, { NULL, 0 }, { NULL, 0 } };
    ss_visit_t *visit;
    int earned;

    if (!ss_server_conf(r->server)->has_rules) {
        return;
    }
    if (!has_rules(r)) {
        visit = ss_visit_peek(r);
        if (visit != NULL) {
            /* an error document that failed, and leaves the answer to `r`, may have had some */
            ss_visit_undo_rules(visit);
        }
        return;
    }
    visit = ss_visit_get(r);
    if (visit == NULL) {
        return;
    }
    earned = is_earned(visit, r);
    ss_visit_begin_rules(visit);
    if (earned && has_clear(r, SS_CLEAR_BEFORE)) {
        ss_visit_begin_anew(visit);
    }
    apply_rules(r, visit, earned);
    if (has_clear(r, SS_CLEAR_ON)) {
        ss_visit_change(visit, &end);
    }
    ss_visit_end_rules(visit);
}
