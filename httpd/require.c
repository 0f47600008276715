/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <ap_provider.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include <mod_auth.h>

#include "httpd/auth_type.h"
#include "httpd/require.h"
#include "httpd/log.h"
#include "httpd/response.h"
#include "httpd/visit.h"
#include "lib/option.h"
#include "lib/value.h"
#include "lib/json/json.h"

#define PROVIDER "signed-session"
#define AGE_PROVIDER "signed-session-age"

/** One line. */
typedef struct requirement_t {
    int is_negated;            /* does it keep people out? Then it counts at once when it is met */
    int is_alias;              /* it may stand for many lines, of which some keep people out */
    const char *const *words;  /* behind signed-session, ended by NULL */
    apr_interval_time_t limit; /* behind signed-session-age */
} requirement_t;

/* Is this the value, or an array that has it? */
static int is_value(ss_json_t value, const char *wanted, apr_pool_t *pool)
{
    const char *text;

    if (ss_json_kind(value) == SS_JSON_ARRAY) {
        const apr_array_header_t *items = ss_json_items(value, pool);

        for (int i = 0; i < items->nelts; i++) {
            ss_json_t item = APR_ARRAY_IDX(items, i, ss_json_t);

            if (ss_json_kind(item) != SS_JSON_ARRAY && is_value(item, wanted, pool)) {
                return 1;
            }
        }
        return 0;
    }
    text = ss_value_text(value, pool);
    return text != NULL && strcmp(text, wanted) == 0;
}

/* Has the session a key? An empty one proves nothing, and what modules keep there shows nothing. */
static int has_key(const ss_visit_t *visit)
{
    return ss_session_members(ss_visit_session(visit))->nelts > 0;
}

/* `words` are what stands behind "Require signed-session", ended by NULL. */
static int has(ss_visit_t *visit, const char *const *words, apr_pool_t *pool)
{
    ss_json_t value;

    if (words[0] == NULL) {
        return has_key(visit);
    }
    value = ss_value_find(ss_visit_session(visit), words[0], pool);
    if (value.raw.data == NULL) {
        return 0;
    }
    if (words[1] == NULL) {
        return ss_json_is_true(value);
    }
    for (words++; *words != NULL; words++) {
        if (is_value(value, *words, pool)) {
            return 1;
        }
    }
    return 0;
}

/* "expired-idle, renewed 15d ago; the limit is 14d" */
static const char *tell_state(const ss_visit_t *visit, apr_pool_t *pool)
{
    const char *name = ss_state_name(visit->state);
    ss_untimely_t fault;

    if (visit->opened.is_gone) {
        return apr_psprintf(pool, "%s, no store has its session any more", name);
    }
    ss_lifetime_explain(&fault, visit->state, &visit->opened.judged, &visit->conf->lifetime,
                        visit->now);
    return fault.name == NULL ? name
                              : apr_psprintf(pool,
                                             visit->state == SS_FROM_FUTURE
                                                 ? "%s, %s %s ahead; the skew allowed is %s"
                                                 : "%s, %s %s ago; the limit is %s",
                                             name, fault.name, ss_lifetime_span(fault.age, pool),
                                             ss_lifetime_span(fault.limit, pool));
}

static void tell_denial(request_rec *r, const ss_visit_t *visit, const char *const *words)
{
    const char *fault = "it has no such key, or another value";

    if (!has_key(visit)) {
        fault = "it is empty";
    }
    else if (words[1] == NULL) {
        fault = "it has no such key, or nothing in it";
    }
    ss_log(r, APLOG_DEBUG, "SS0207",
           "the session does not meet \"Require signed-session%s%s\": %s (the client's cookie: %s)",
           words[0] == NULL ? "" : " ", words[0] == NULL ? "" : words[0], fault,
           tell_state(visit, r->pool));
}

/* The door to the session for a line of this name; AUTHZ_NEUTRAL when it may be judged. */
static authz_status enter(ss_visit_t **visit, request_rec *r, const char *name)
{
    switch (ss_visit_enter(visit, r)) {
    case SS_ACCESS_OFF:
        ss_log(
            r, APLOG_ERR, "SS0206",
            "Require %s cannot be judged here, because sessions are off: add \"SignedSession On\" "
            "to this location",
            name);
        return AUTHZ_GENERAL_ERROR; /* "denied" would let everybody pass a Require not */
    case SS_ACCESS_NO_KEYS:
        return AUTHZ_GENERAL_ERROR;
    default:
        return AUTHZ_NEUTRAL;
    }
}

/* Where people log in, "denied" would end the request before anybody has been asked to. But httpd
 * takes "no user yet" behind a "not" for no objection. And another login than ours stays beside:
 * what the session grants, it need not ask for. */
static int waits_for_user(request_rec *r, const requirement_t *requirement, int is_met)
{
    if (r->user != NULL || (is_met && requirement->is_negated)) {
        return 0;
    }
    switch (ss_auth_type(r)) {
    case SS_AUTH_OURS:
        if (is_met && requirement->is_alias) {
            ss_visit_step(r)->by_alias = 1;
            return 0;
        }
        return 1;
    case SS_AUTH_OTHER:
        return !is_met;
    default:
        return 0;
    }
}

/* Either answer depends on the session, also that to a subrequest for the page it is part of. */
static authz_status decide(request_rec *r, ss_visit_t *visit, int is_met)
{
    if (is_met) {
        visit->require.granted = 1;
    }
    ss_response_include(r);
    return is_met ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

/* httpd may ask twice in one request: nothing here changes anything but the mark. */
static authz_status check(request_rec *r, const char *line, const void *requirement_)
{
    const requirement_t *requirement = requirement_;
    ss_visit_t *visit;
    authz_status status = enter(&visit, r, PROVIDER);
    int is_met;

    (void)line;
    if (status != AUTHZ_NEUTRAL) {
        return status;
    }
    is_met = has(visit, requirement->words, r->pool);
    if (waits_for_user(r, requirement, is_met)) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (!is_met) {
        tell_denial(r, visit, requirement->words);
    }
    return decide(r, visit, is_met);
}

/* Seconds since the session was created; -1 when there is none, or nobody knows. */
static apr_int64_t age_of(const ss_visit_t *visit)
{
    const ss_session_t *session = ss_visit_session(visit);
    apr_int64_t created = ss_session_created(session, visit->now);

    if (ss_session_is_empty(session) || created == SS_NO_TIME) {
        return -1;
    }
    /* another server's clock may be ahead */
    return created > apr_time_sec(visit->now) ? 0 : apr_time_sec(visit->now) - created;
}

static authz_status check_age(request_rec *r, const char *line, const void *requirement_)
{
    const requirement_t *requirement = requirement_;
    ss_visit_t *visit;
    authz_status status = enter(&visit, r, AGE_PROVIDER);
    apr_int64_t age;
    int is_met;

    if (status != AUTHZ_NEUTRAL) {
        return status;
    }
    age = visit->identity.as_new ? 0 : age_of(visit);
    is_met = age >= 0 && age <= apr_time_sec(requirement->limit);
    if (waits_for_user(r, requirement, is_met)) {
        return AUTHZ_DENIED_NO_USER;
    }
    if (!is_met) {
        ss_log(r, APLOG_DEBUG, "SS0215",
               "the session does not meet \"Require signed-session-age %s\": %s (the client's "
               "cookie: %s)",
               line, age < 0 ? "it has no time of creation" : "it is older",
               tell_state(visit, r->pool));
        visit->require.too_old = 1;
    }
    return decide(r, visit, is_met);
}

static int is_within_none(const ap_directive_t *line)
{
    while (line != NULL && ap_cstr_casecmp(line->directive, "<RequireNone") != 0) {
        line = line->parent;
    }
    return line != NULL;
}

/* Of an alias nobody knows: httpd parses what it stands for when it reads the alias, and the lines
 * that name it, in .htaccess files, too, without asking us. */
static requirement_t *new_requirement(cmd_parms *cmd)
{
    requirement_t *requirement = apr_pcalloc(cmd->pool, sizeof(*requirement));
    const char *args = cmd->directive->args;

    requirement->is_alias = ap_cstr_casecmp(cmd->directive->directive, "Require") != 0;
    if (requirement->is_alias) {
        ss_gather_alias(cmd);
    }
    else {
        requirement->is_negated =
            ap_cstr_casecmp(ap_getword_conf(cmd->temp_pool, &args), "not") == 0 ||
            is_within_none(cmd->directive);
    }
    return requirement;
}

static const char *parse(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_array_header_t *words = apr_array_make(cmd->pool, 2, sizeof(const char *));
    requirement_t *requirement = new_requirement(cmd);

    while (*line != '\0') {
        APR_ARRAY_PUSH(words, const char *) = ap_getword_conf(cmd->pool, &line);
    }
    APR_ARRAY_PUSH(words, const char *) = NULL;
    requirement->words = (const char *const *)words->elts;
    *parsed = requirement;
    ss_gather_require(cmd, APR_ARRAY_IDX(words, 0, const char *));
    return NULL;
}

static const char *parse_age(cmd_parms *cmd, const char *line, const void **parsed)
{
    requirement_t *requirement = new_requirement(cmd);
    const char *rest = line;
    const char *word = ap_getword_conf(cmd->pool, &rest);
    const char *accepted = ss_option_duration(&requirement->limit, word);

    if (accepted != NULL || *rest != '\0') {
        return apr_psprintf(cmd->pool,
                            "Require " AGE_PROVIDER ": \"%s\" is not accepted; accepted is %s",
                            line, accepted != NULL ? accepted : "one duration");
    }
    *parsed = requirement;
    ss_gather_age(cmd);
    return NULL;
}

static const authz_provider provider = { check, parse };
static const authz_provider age_provider = { check_age, parse_age };

void ss_require_register(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, PROVIDER, AUTHZ_PROVIDER_VERSION,
                              &provider, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, AGE_PROVIDER, AUTHZ_PROVIDER_VERSION,
                              &age_provider, AP_AUTH_INTERNAL_PER_CONF);
}
