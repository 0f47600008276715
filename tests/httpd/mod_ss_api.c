/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* For tests only: calls one optional function of mod_signed_session.h for each line of the request
 * header X-Calls, "FUNCTION ARGUMENT ARGUMENT" separated by tabs, calls by "|", and answers with a
 * line for each: its status and result. */

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

#include <apr_strings.h>

#include "mod_signed_session.h"

static APR_OPTIONAL_FN_TYPE(signed_session_api) * session_api;
static APR_OPTIONAL_FN_TYPE(signed_session_state) * session_state;
static APR_OPTIONAL_FN_TYPE(signed_session_get) * session_get;
static APR_OPTIONAL_FN_TYPE(signed_session_get_json) * session_get_json;
static APR_OPTIONAL_FN_TYPE(signed_session_each) * session_each;
static APR_OPTIONAL_FN_TYPE(signed_session_set) * session_set;
static APR_OPTIONAL_FN_TYPE(signed_session_set_json) * session_set_json;
static APR_OPTIONAL_FN_TYPE(signed_session_unset) * session_unset;
static APR_OPTIONAL_FN_TYPE(signed_session_clear) * session_clear;
static APR_OPTIONAL_FN_TYPE(signed_session_patch) * session_patch;
static APR_OPTIONAL_FN_TYPE(signed_session_revoke) * session_revoke;

static void fetch(void)
{
    session_api = APR_RETRIEVE_OPTIONAL_FN(signed_session_api);
    session_state = APR_RETRIEVE_OPTIONAL_FN(signed_session_state);
    session_get = APR_RETRIEVE_OPTIONAL_FN(signed_session_get);
    session_get_json = APR_RETRIEVE_OPTIONAL_FN(signed_session_get_json);
    session_each = APR_RETRIEVE_OPTIONAL_FN(signed_session_each);
    session_set = APR_RETRIEVE_OPTIONAL_FN(signed_session_set);
    session_set_json = APR_RETRIEVE_OPTIONAL_FN(signed_session_set_json);
    session_unset = APR_RETRIEVE_OPTIONAL_FN(signed_session_unset);
    session_clear = APR_RETRIEVE_OPTIONAL_FN(signed_session_clear);
    session_patch = APR_RETRIEVE_OPTIONAL_FN(signed_session_patch);
    session_revoke = APR_RETRIEVE_OPTIONAL_FN(signed_session_revoke);
}

static const char *name_of(apr_status_t rv)
{
    switch (rv) {
    case APR_SUCCESS:
        return "ok";
    case APR_NOTFOUND:
        return "not found";
    case SIGNED_SESSION_E_OFF:
        return "off";
    case SIGNED_SESSION_E_READ_ONLY:
        return "read-only";
    case SIGNED_SESSION_E_INVALID:
        return "invalid";
    case APR_ENOTIMPL:
        return "no log";
    default:
        return "?";
    }
}

static int stop_after_two(void *r, const char *key, const char *json)
{
    request_rec *request = r;
    const char *count = apr_table_get(request->notes, "seen");

    ap_rprintf(request, "%s=%s;", key, json);
    apr_table_setn(request->notes, "seen", count == NULL ? "1" : "2");
    return count == NULL;
}

/* What the header forbids. */
static int add_another(void *r, const char *key, const char *json)
{
    request_rec *request = r;

    ap_rprintf(request, "%s=%s;", key, json);
    session_set(request, apr_pstrcat(request->pool, key, "+", NULL), "added");
    return 1;
}

/* "NULL" stands for no argument, which only the functions that allow it are given. */
static const char *or_null(const char *text)
{
    return strcmp(text, "NULL") == 0 ? NULL : text;
}

static void call(request_rec *r, const char *function, const char *first, const char *second)
{
    const char *result = NULL;
    apr_status_t rv = -1;

    if (strcmp(function, "api") == 0) {
        result = apr_itoa(r->pool, session_api());
        rv = session_api() == SIGNED_SESSION_API ? APR_SUCCESS : APR_EGENERAL;
    }
    else if (strcmp(function, "state") == 0) {
        rv = session_state(r, &result);
    }
    else if (strcmp(function, "get") == 0) {
        rv = session_get(r, first, &result);
    }
    else if (strcmp(function, "get_json") == 0) {
        rv = session_get_json(r, or_null(first), &result);
    }
    else if (strcmp(function, "each") == 0) {
        rv = session_each(r, stop_after_two, r);
    }
    else if (strcmp(function, "each_adding") == 0) {
        rv = session_each(r, add_another, r);
    }
    else if (strcmp(function, "set") == 0) {
        rv = session_set(r, first, second);
    }
    else if (strcmp(function, "set_json") == 0) {
        rv = session_set_json(r, first, second);
    }
    else if (strcmp(function, "unset") == 0) {
        rv = session_unset(r, first);
    }
    else if (strcmp(function, "clear") == 0) {
        rv = session_clear(r);
    }
    else if (strcmp(function, "patch") == 0) {
        rv = session_patch(r, first);
    }
    else if (strcmp(function, "revoke") == 0) {
        rv = session_revoke(r, first, or_null(second));
    }
    else if (strcmp(function, "flush") == 0) {
        rv = ap_rflush(r); /* the header leaves */
    }
    ap_rprintf(r, "%s%s%s\n", name_of(rv), result == NULL ? "" : " ", result == NULL ? "" : result);
}

static void run_calls(request_rec *r)
{
    char *calls = apr_pstrdup(r->pool, apr_table_get(r->headers_in, "X-Calls"));
    char *state = NULL;

    for (char *line = apr_strtok(calls, "|", &state); line != NULL;
         line = apr_strtok(NULL, "|", &state)) {
        char *words = NULL;
        const char *function = apr_strtok(line, "\t", &words);
        const char *first = apr_strtok(NULL, "\t", &words);
        const char *second = first == NULL ? NULL : apr_strtok(NULL, "\t", &words);

        call(r, function, first == NULL ? "" : first, second == NULL ? "" : second);
    }
}

static int answer(request_rec *r)
{
    if (r->handler == NULL || strcmp(r->handler, "ss-api") != 0) {
        return DECLINED;
    }
    ap_set_content_type(r, "text/plain");
    if (session_state == NULL) {
        ap_rputs("absent\n", r);
        return OK;
    }
    run_calls(r);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_optional_fn_retrieve(fetch, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(answer, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(ss_api)
= { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#ifdef AP_MODULE_FLAG_NONE
    AP_MODULE_FLAG_NONE
#endif
};
