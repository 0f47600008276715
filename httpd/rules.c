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
#include "httpd/revoke.h"
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

static int clears(const ss_dir_conf_t *dir)
{
    return dir->mode == SS_ON &&
           (dir->clear.kind == SS_CLEAR_ON || dir->clear.kind == SS_CLEAR_EVERYWHERE);
}

static int clears_everywhere(const ss_dir_conf_t *dir)
{
    return dir->mode == SS_ON && dir->clear.kind == SS_CLEAR_EVERYWHERE;
}

static int clears_others(const ss_dir_conf_t *dir)
{
    return dir->mode == SS_ON && dir->clear.kind == SS_CLEAR_OTHERS;
}

/* Does this hold for any place of the chain? */
static int is_any(request_rec *r, ss_place_fn *holds)
{
    for (; r != NULL; r = r->prev) {
        if (ss_visit_any_place(r, holds)) {
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

static const apr_array_header_t *keep_less(const apr_array_header_t *keep, const ss_dir_conf_t *dir,
                                           apr_pool_t *pool)
{
    if (dir == NULL || dir->mode != SS_ON || dir->clear.kind != SS_CLEAR_BEFORE) {
        return keep;
    }
    return keep == NULL ? dir->clear.keep : common(keep, dir->clear.keep, pool);
}

/* What every SignedSessionClear Before of the chain leaves; NULL: there is none. */
static const apr_array_header_t *kept_keys(const request_rec *r)
{
    const apr_array_header_t *keep = NULL;

    for (; r != NULL; r = r->prev) {
        keep = keep_less(keep, ss_visit_place_left(r), r->pool);
        keep = keep_less(keep, ss_dir_conf(r), r->pool);
    }
    return keep;
}

/* Does this rule log somebody in? Where a login leads back from, it does whoever was there before;
 * but not who is known by nothing else than the session itself, or what modules keep in it. */
static int is_login(request_rec *r, const ss_visit_t *visit, const ss_rule_t *rule)
{
    return ss_dir_conf(r)->way_back.param != NULL &&
           ss_bytes_equal(rule->key, ss_bytes_of(visit->conf->subject)) &&
           ss_auth_type(r) != SS_AUTH_OURS && !visit->modules.told;
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

static void apply_rules_of(const ss_dir_conf_t *dir, request_rec *r, ss_visit_t *visit,
                           const leave_t *leave)
{
    if (dir == NULL || dir->rules == NULL || dir->mode != SS_ON) {
        return;
    }
    for (int i = 0; i < dir->rules->nelts; i++) {
        const ss_rule_t *rule = &APR_ARRAY_IDX(dir->rules, i, ss_rule_t);
        const ss_change_t unset = { SS_CHANGE_UNSET, rule->key, ss_json_absent };

        if (rule->value != NULL && leave->earned) {
            set(r, visit, rule);
        }
        if (rule->value == NULL && leave->take_away) {
            ss_visit_change(visit, &unset);
        }
    }
}

static void apply_rules(request_rec *r, ss_visit_t *visit, const leave_t *leave)
{
    if (r->prev != NULL) {
        apply_rules(r->prev, visit, leave);
    }
    apply_rules_of(ss_visit_place_left(r), r, visit, leave);
    apply_rules_of(ss_dir_conf(r), r, visit, leave);
}

static int has_rules(const ss_dir_conf_t *dir)
{
    return dir->mode == SS_ON && (dir->rules != NULL || dir->clear.kind != SS_CLEAR_OFF);
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

static int takes_away(const ss_dir_conf_t *dir)
{
    return clears(dir) || (dir->mode == SS_ON && takes_key_away(dir->rules));
}

int ss_rules_take_away(request_rec *r)
{
    return ss_server_conf(r->server)->gathered.has_rules && is_any(r, takes_away);
}

void ss_rules_apply(request_rec *r)
{
    const apr_array_header_t *keep;
    ss_visit_t *visit;
    leave_t leave;

    if (!ss_server_conf(r->server)->gathered.has_rules) {
        return;
    }
    if (!is_any(r, has_rules)) {
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
    ss_visit_step(r)->withheld = !leave.take_away || ss_earned_caller_fault(visit) != NULL;
    keep = kept_keys(r);
    ss_visit_begin_rules(visit);
    if (leave.earned && keep != NULL) {
        ss_draft_begin_anew(visit->draft, keep);
    }
    apply_rules(r, visit, &leave);
    if (leave.earned && is_any(r, clears_others) && ss_revoke_subject(visit)) {
        ss_visit_change(visit, &ss_change_alone);
    }
    if (leave.take_away && is_any(r, clears_everywhere)) {
        ss_revoke_subject(visit);
    }
    if (leave.take_away && is_any(r, clears)) {
        ss_visit_change(visit, &ss_change_end);
    }
    ss_visit_end_rules(visit);
}
