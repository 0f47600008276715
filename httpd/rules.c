/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * A rule that stores something is earned by access (httpd/earned.h). What only takes away
 * (SignedSessionUnset, SignedSessionClear On) applies whatever the answer is, but not to what
 * another site does behind the visitor's back.
 */
#include <ap_expr.h>

#include "httpd/auth_type.h"
#include "httpd/caller.h"
#include "httpd/earned.h"
#include "httpd/log.h"
#include "httpd/rules.h"
#include "lib/split.h"

static int is_earned(const ss_visit_t *visit, request_rec *r)
{
    const char *fault = ss_earned_fault(visit, r);

    if (fault != NULL) {
        ss_log(r, APLOG_DEBUG, "SS0307",
               "SignedSessionSet and SignedSessionClear Before do not apply to %s", fault);
    }
    return fault == NULL;
}

/* Does any request of the chain have this Clear, where sessions may be changed? */
static int has_clear(const request_rec *r, ss_clear_e clear)
{
    for (; r != NULL; r = r->prev) {
        if (ss_visit_may_change(r) && ss_dir_conf(r)->clear.kind == clear) {
            return 1;
        }
    }
    return 0;
}

static const apr_array_header_t *common(const apr_array_header_t *a, const apr_array_header_t *b,
                                        apr_pool_t *pool)
{
    const ss_keys_t others = { 0, b };
    apr_array_header_t *both = apr_array_make(pool, a->nelts, sizeof(const char *));

    for (int i = 0; i < a->nelts; i++) {
        const char *name = APR_ARRAY_IDX(a, i, const char *);

        if (ss_keys_include(&others, ss_bytes_of(name))) {
            APR_ARRAY_PUSH(both, const char *) = name;
        }
    }
    return both;
}

/* What every SignedSessionClear Before of the chain leaves; NULL: there is none. */
static const apr_array_header_t *kept_keys(const request_rec *r)
{
    const apr_array_header_t *keep = NULL;

    for (; r != NULL; r = r->prev) {
        const ss_clear_conf_t *clear = &ss_dir_conf(r)->clear;

        if (ss_visit_may_change(r) && clear->kind == SS_CLEAR_BEFORE) {
            keep = keep == NULL ? clear->keep : common(keep, clear->keep, r->pool);
        }
    }
    return keep;
}

/* Does this rule log somebody in? Where a login leads back from, it does whoever was there before;
 * but not who is known by nothing else than the session itself. */
static int is_login(request_rec *r, const ss_visit_t *visit, const ss_rule_t *rule)
{
    return ss_dir_conf(r)->way_back.param != NULL &&
           ss_bytes_equal(rule->key, ss_bytes_of(visit->conf->subject)) &&
           ss_auth_type(r) != SS_AUTH_OURS;
}

static void set(request_rec *r, ss_visit_t *visit, const ss_rule_t *rule)
{
    ss_change_t change = { SS_CHANGE_SET, rule->key, ss_json_absent };
    const char *error = NULL;
    const char *text = ap_expr_str_exec(r, rule->value, &error);

    if (error != NULL) {
        ss_log(r, APLOG_ERR, "SS0308", "SignedSessionSet %s: the expression failed: %s",
               rule->key.data, error);
    }
    else if (text != NULL && text[0] != '\0') {
        change.value = rule->separator == NULL
                           ? ss_json_quote(ss_bytes_of(text), r->pool)
                           : ss_split(ss_bytes_of(text), ss_bytes_of(rule->separator), r->pool);
        if (change.value.raw.data == NULL) {
            return; /* it is not UTF-8, or nothing but separators */
        }
        ss_visit_change(visit, &change);
        if (is_login(r, visit, rule)) {
            ss_visit_change(visit, &ss_change_login);
        }
    }
}

/** What rules may do in this visit. */
typedef struct leave_t {
    int earned;    /* store something */
    int take_away; /* remove something */
} leave_t;

static void apply_rules(request_rec *r, ss_visit_t *visit, const leave_t *leave)
{
    const apr_array_header_t *rules = ss_dir_conf(r)->rules;

    if (r->prev != NULL) {
        apply_rules(r->prev, visit, leave);
    }
    if (rules == NULL || !ss_visit_may_change(r)) {
        return;
    }
    for (int i = 0; i < rules->nelts; i++) {
        const ss_rule_t *rule = &APR_ARRAY_IDX(rules, i, ss_rule_t);
        const ss_change_t unset = { SS_CHANGE_UNSET, rule->key, ss_json_absent };

        if (rule->value != NULL && leave->earned) {
            set(r, visit, rule);
        }
        if (rule->value == NULL && leave->take_away) {
            ss_visit_change(visit, &unset);
        }
    }
}

/* Is there any rule in the chain at all? */
static int has_rules(const request_rec *r)
{
    for (; r != NULL; r = r->prev) {
        const ss_dir_conf_t *dir = ss_dir_conf(r);

        if (dir->mode == SS_ON && (dir->rules != NULL || dir->clear.kind != SS_CLEAR_OFF)) {
            return 1;
        }
    }
    return 0;
}

static int takes_key_away(const apr_array_header_t *rules)
{
    for (int i = 0; rules != NULL && i < rules->nelts; i++) {
        if (APR_ARRAY_IDX(rules, i, ss_rule_t).value == NULL) {
            return 1;
        }
    }
    return 0;
}

int ss_rules_take_away(const request_rec *r)
{
    for (; r != NULL && ss_server_conf(r->server)->gathered.has_rules; r = r->prev) {
        const ss_dir_conf_t *dir = ss_dir_conf(r);

        if (dir->mode == SS_ON && (dir->clear.kind == SS_CLEAR_ON || takes_key_away(dir->rules))) {
            return 1;
        }
    }
    return 0;
}

void ss_rules_apply(request_rec *r)
{
    const apr_array_header_t *keep;
    ss_visit_t *visit;
    leave_t leave;

    if (!ss_server_conf(r->server)->gathered.has_rules) {
        return;
    }
    if (!has_rules(r)) {
        visit = ss_visit_loaded(r);
        if (visit != NULL) {
            /* an error document that failed, and leaves the answer to `r`, may have had some */
            ss_visit_undo_rules(visit);
        }
        return;
    }
    visit = ss_visit_load(r);
    if (visit == NULL) {
        return;
    }
    leave.earned = is_earned(visit, r);
    leave.take_away = !ss_caller_is_bystander(r);
    keep = kept_keys(r);
    ss_visit_begin_rules(visit);
    if (leave.earned && keep != NULL) {
        ss_draft_begin_anew(visit->draft, keep);
    }
    apply_rules(r, visit, &leave);
    if (leave.take_away && has_clear(r, SS_CLEAR_ON)) {
        ss_visit_change(visit, &ss_change_end);
    }
    ss_visit_end_rules(visit);
}
