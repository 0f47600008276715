/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "httpd/body.h"
#include "httpd/counters.h"
#include "httpd/endpoint.h"
#include "httpd/routes.h"
#include "httpd/location.h"
#include "httpd/visit.h"
#include "lib/field.h"
#include "lib/json/json.h"
#include "httpd/caller.h"

typedef enum scope_e { SESSION, KEY } scope_e;

static const struct route_t {
    int method;
    const char *name;
    scope_e scope;
    const char *type; /* of the body; NULL: the method takes none */
    ss_endpoint_fn *answer;
} routes[] = {
    /* clang-format off */
    { M_GET,    "GET, HEAD", SESSION, NULL,                                ss_endpoint_get },
    { M_PUT,    "PUT",       SESSION, "application/json",                  ss_endpoint_put },
    { M_PATCH,  "PATCH",     SESSION, "application/merge-patch+json",      ss_endpoint_patch },
    { M_POST,   "POST",      SESSION, "application/json",                  ss_endpoint_post_json },
    { M_POST,   NULL,        SESSION, "application/x-www-form-urlencoded", ss_endpoint_post_form },
    { M_DELETE, "DELETE",    SESSION, NULL,                                ss_endpoint_delete },
    { M_GET,    "GET, HEAD", KEY,     NULL,                                ss_endpoint_get_key },
    { M_PUT,    "PUT",       KEY,     "application/json",                  ss_endpoint_put_key },
    { M_DELETE, "DELETE",    KEY,     NULL,                                ss_endpoint_delete_key },
    /* clang-format on */
};

typedef struct route_t route_t;

#define ROUTES ((int)(sizeof(routes) / sizeof(routes[0])))

/* Every method of this scope, for Allow. */
static const char *methods_of(scope_e scope, apr_pool_t *pool)
{
    const char *methods = "OPTIONS";

    for (int i = 0; i < ROUTES; i++) {
        if (routes[i].scope == scope && routes[i].name != NULL) {
            methods = apr_pstrcat(pool, methods, ", ", routes[i].name, NULL);
        }
    }
    return methods;
}

/* `wanted` is set to the content types of this method when none of them is the request's. */
static const route_t *find_route(const char **wanted, int *method_known, const ss_call_t *call,
                                 scope_e scope)
{
    const char *type = apr_table_get(call->r->headers_in, "Content-Type");

    *wanted = NULL;
    *method_known = 0;
    for (int i = 0; i < ROUTES; i++) {
        const route_t *route = &routes[i];

        if (route->scope != scope || route->method != call->r->method_number) {
            continue;
        }
        *method_known = 1;
        if (route->type == NULL || ss_field_is_type(type, route->type)) {
            *wanted = NULL;
            return route;
        }
        *wanted = *wanted == NULL ? route->type
                                  : apr_pstrcat(call->r->pool, *wanted, " or ", route->type, NULL);
    }
    return NULL;
}

/* Let the pages of a trusted origin read the answer, and ask before they change something. */
static void allow_trusted_origin(const ss_call_t *call, const ss_caller_t *caller,
                                 const char *methods)
{
    apr_table_t *headers = call->r->headers_out;

    if (call->dir->trusted == NULL) {
        return;
    }
    apr_table_mergen(headers, "Vary", "Origin");
    if (!ss_origin_is_trusted(caller)) {
        return;
    }
    apr_table_setn(headers, "Access-Control-Allow-Origin", caller->origin);
    apr_table_setn(headers, "Access-Control-Allow-Credentials", "true");
    if (call->r->method_number == M_OPTIONS) {
        apr_table_setn(headers, "Access-Control-Allow-Methods", methods);
        apr_table_setn(headers, "Access-Control-Allow-Headers", "Content-Type");
    }
}

static void refuse_long_body(ss_call_t *call)
{
    ss_endpoint_refuse(call, HTTP_REQUEST_ENTITY_TOO_LARGE,
                       apr_psprintf(call->r->pool, "A body has at most %d bytes.", SS_BODY_MAX));
}

/* What the head of a changing request alone can refuse, before its body is read; `wanted` are the
 * content types when `route` is NULL, as the request's is none of them. Returns whether a refusal
 * was answered. */
static int is_refused_by_head(ss_call_t *call, const ss_caller_t *caller, const route_t *route,
                              const char *wanted)
{
    if (!ss_origin_may_change(caller)) {
        ss_count(SS_COUNT_REFUSALS + SS_REFUSED_CROSS_SITE);
        ss_endpoint_refuse(call, HTTP_FORBIDDEN,
                           "SS0204: a page of another origin may not change the session: add its "
                           "origin to SignedSessionTrustedOrigin if it should");
    }
    else if (call->dir->mode == SS_READ_ONLY) {
        ss_count(SS_COUNT_REFUSALS + SS_REFUSED_READ_ONLY);
        ss_endpoint_refuse(call, HTTP_CONFLICT,
                           "SS0205: sessions are read-only here: \"SignedSession On\" in this "
                           "location would allow changes");
    }
    else if (call->visit->opened.is_owned &&
             (route == NULL || route->answer != ss_endpoint_delete)) {
        ss_endpoint_refuse(call, HTTP_CONFLICT,
                           "SS0208: the session cookie is an application's, which can read it "
                           "though it cannot be used here: it may only be ended (DELETE)");
    }
    else if (route == NULL) {
        ss_endpoint_refuse(call, HTTP_UNSUPPORTED_MEDIA_TYPE,
                           apr_psprintf(call->r->pool, "The Content-Type must be %s.", wanted));
    }
    else if (ss_body_is_announced_too_long(call->r)) {
        refuse_long_body(call);
    }
    else {
        return 0;
    }
    return 1;
}

/* Returns what the handler is to return. */
static int run_route(ss_call_t *call, const route_t *route)
{
    int status =
        route->type == NULL ? ap_discard_request_body(call->r) : ss_body_read(&call->body, call->r);

    if (route->type != NULL && status == HTTP_REQUEST_ENTITY_TOO_LARGE) {
        refuse_long_body(call);
        return OK;
    }
    if (status == OK) {
        route->answer(call);
    }
    return status;
}

static int dispatch(ss_call_t *call)
{
    scope_e scope = call->key.len == 0 ? SESSION : KEY;
    const char *methods = methods_of(scope, call->r->pool);
    const ss_caller_t caller = ss_caller_of(call->r);
    const route_t *route;
    const char *wanted;
    int method_known;

    allow_trusted_origin(call, &caller, methods);
    if (call->r->method_number == M_OPTIONS) {
        apr_table_setn(call->r->headers_out, "Allow", methods);
        ss_answer_empty(call->r, HTTP_OK);
        return OK;
    }
    route = find_route(&wanted, &method_known, call, scope);
    if (!method_known) {
        apr_table_setn(call->r->headers_out, "Allow", methods);
        ss_endpoint_refuse(call, HTTP_METHOD_NOT_ALLOWED,
                           apr_psprintf(call->r->pool, "Allowed here: %s.", methods));
        return OK;
    }
    if ((route == NULL || route->method != M_GET) &&
        (is_refused_by_head(call, &caller, route, wanted) || route == NULL)) {
        return OK;
    }
    if (!ss_key_is_acceptable(call->key)) {
        ss_endpoint_refuse(call, HTTP_BAD_REQUEST,
                           "A key must be UTF-8 without control characters.");
        return OK;
    }
    return run_route(call, route);
}

int ss_routes_claim(request_rec *r)
{
    /* A directory of that name would have mod_dir redirect to it, and look for an index there;
     * without a file mod_speling looks for one of a similar name. Both are content with anything
     * else. */
    if (ss_location_has(r, SS_ROUTES_HANDLER)) {
        r->finfo.filetype = APR_UNKFILE;
    }
    return DECLINED;
}

int ss_routes_run(request_rec *r)
{
    ss_call_t call;

    memset(&call, 0, sizeof(call));
    call.r = r;
    call.dir = ss_dir_conf(r);
    switch (ss_visit_enter(&call.visit, r)) {
    case SS_ACCESS_OFF:
        ss_endpoint_refuse(&call, HTTP_INTERNAL_SERVER_ERROR,
                           "SS0201: SignedSession must be On to use the session here: add "
                           "\"SignedSession On\" to this location");
        return OK;
    case SS_ACCESS_NO_KEYS:
        return HTTP_INTERNAL_SERVER_ERROR;
    default:
        break;
    }
    ss_location_path(&call.key, r, SS_ROUTES_HANDLER);
    return dispatch(&call);
}
