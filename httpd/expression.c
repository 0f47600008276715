/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_optional.h>
#include <apr_strings.h>
#include <httpd.h>
#include <mod_log_config.h>

#include "httpd/event.h"
#include "httpd/expression.h"
#include "httpd/facts.h"
#include "httpd/response.h"
#include "httpd/visit.h"
#include "lib/value.h"

#define FUNCTION "session"
#define LOG_FORMAT "^SS"
#define EVENT ":event" /* in the log alone */

/* A value or a fact. NULL when there is no such value, or none that may leave alone. */
static const char *value_at(request_rec *r, const char *path, apr_pool_t *pool)
{
    ss_visit_t *visit = ss_visit_load(r);
    ss_json_t value;

    if (visit == NULL) {
        return NULL;
    }
    if (ss_facts_is_name(path)) {
        return ss_facts_text(visit, path, r);
    }
    value = ss_value_find(ss_visit_session(visit), path, pool);
    return value.raw.data == NULL ? NULL : ss_value_text(value, pool);
}

/* The response depends on the session from now on, whether or not sessions are on at this place. */
static void note_question(ap_expr_eval_ctx_t *ctx, ss_visit_t *visit)
{
    const module *authz_core = ap_find_linked_module("mod_authz_core.c");

    visit->expression.asked = 1;
    ss_response_watch(ctx->r);
    ss_response_include(ctx->r);
    if (authz_core != NULL && ctx->info->module_index == authz_core->module_index) {
        visit->expression.required = 1; /* a Require expr */
    }
}

/* Without keys nobody knows whether there is a session: an empty value would let in whoever
 * "Require not" keeps out. */
static const char *fail(ap_expr_eval_ctx_t *ctx)
{
    const char *why = ss_server_conf(ctx->r->server)->unusable;

    *ctx->err =
        apr_pstrcat(ctx->p, "the session cannot be read: ",
                    why != NULL ? why : "no secret is configured (SignedSessionSecret)", NULL);
    return "";
}

static const char *evaluate(ap_expr_eval_ctx_t *ctx, const void *data, const char *path)
{
    ss_visit_t *visit;
    const char *text;

    (void)data;
    if (ctx->r == NULL) {
        return ""; /* while the configuration is read, or for a connection */
    }
    visit = ss_visit_load(ctx->r);
    if (visit == NULL) {
        return fail(ctx);
    }
    if (ctx->vary_this != NULL) {
        *ctx->vary_this = *ctx->vary_this == NULL
                              ? "Cookie"
                              : apr_pstrcat(ctx->p, *ctx->vary_this, ", Cookie", NULL);
    }
    note_question(ctx, visit);
    text = value_at(ctx->r, path, ctx->p);
    return text == NULL ? "" : text;
}

int ss_expression_look_up(ap_expr_lookup_parms *parms)
{
    if (parms->type != AP_EXPR_FUNC_STRING || ap_cstr_casecmp(parms->name, FUNCTION) != 0) {
        return DECLINED;
    }
    if (parms->arg != NULL && ss_facts_is_name(parms->arg)) {
        *parms->err = ss_facts_fault(parms->arg, parms->ptemp);
    }
    *parms->func = (const void *)evaluate;
    *parms->data = NULL;
    return *parms->err == NULL ? OK : !OK;
}

static const char *log_value(request_rec *r, char *path)
{
    const char *text;

    if (strcmp(path, EVENT) == 0) {
        const ss_visit_t *visit = ss_visit_loaded(r);

        return visit == NULL ? NULL : ss_event_print(visit, r); /* JSON has escapes of its own */
    }
    text = value_at(r, path, r->pool);

    return text == NULL ? NULL : ap_escape_logitem(r->pool, text);
}

int ss_expression_register_log(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    APR_OPTIONAL_FN_TYPE(ap_register_log_handler) *register_handler =
        APR_RETRIEVE_OPTIONAL_FN(ap_register_log_handler);

    (void)plog;
    (void)ptemp;
    if (register_handler != NULL) {
        register_handler(pconf, LOG_FORMAT, log_value, 0);
    }
    return OK;
}
