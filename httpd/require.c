/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <ap_provider.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>
#include <mod_auth.h>

#include "httpd/require.h"
#include "httpd/log.h"
#include "httpd/response.h"
#include "httpd/visit.h"
#include "lib/value.h"
#include "lib/json/json.h"

#define PROVIDER "signed-session"

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

/* httpd may ask twice in one request: nothing here changes anything but the mark. */
static authz_status check(request_rec *r, const char *line, const void *words)
{
    authz_status status = AUTHZ_DENIED;
    ss_visit_t *visit;

    (void)line;
    switch (ss_visit_enter(&visit, r)) {
    case SS_ACCESS_OFF:
        ss_log(r, APLOG_ERR, "SS0206",
               "Require signed-session cannot be judged here, because sessions are off: add "
               "\"SignedSession On\" to this location");
        return AUTHZ_GENERAL_ERROR; /* "denied" would let everybody pass a Require not */
    case SS_ACCESS_NO_KEYS:
        return AUTHZ_GENERAL_ERROR;
    default:
        break;
    }
    if (has(visit, words, r->pool)) {
        visit->require.granted = 1;
        status = AUTHZ_GRANTED;
    }
    else {
        tell_denial(r, visit, words);
    }
    ss_response_include(r);
    return status;
}

static const char *parse(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_array_header_t *words = apr_array_make(cmd->pool, 2, sizeof(const char *));

    while (*line != '\0') {
        APR_ARRAY_PUSH(words, const char *) = ap_getword_conf(cmd->pool, &line);
    }
    APR_ARRAY_PUSH(words, const char *) = NULL;
    *parsed = words->elts;
    ss_gather_require(cmd, APR_ARRAY_IDX(words, 0, const char *));
    return NULL;
}

static const authz_provider provider = { check, parse };

void ss_require_register(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, PROVIDER, AUTHZ_PROVIDER_VERSION,
                              &provider, AP_AUTH_INTERNAL_PER_CONF);
}
