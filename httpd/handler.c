/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "httpd/body.h"
#include "httpd/handler.h"
#include "httpd/location.h"
#include "httpd/log.h"
#include "httpd/request.h"
#include "lib/encode.h"
#include "lib/field.h"
#include "lib/form.h"
#include "lib/json.h"
#include "lib/origin.h"

#define HANDLER "signed-session"

/** One call of an endpoint. */
typedef struct call_t {
    request_rec *r;
    const ss_dir_conf_t *dir;
    ss_request_t *req;
    ss_bytes_t key;     /* empty: the session itself */
    ss_bytes_t body;
    ss_session_t *draft; /* changing routes: a copy that becomes the session when it is accepted */
} call_t;

typedef int answer_fn(call_t *call);

/* --- reading ------------------------------------------------------------------------------- */

static const char *number_or_null(apr_pool_t *pool, apr_int64_t number)
{
    return number < 0 ? "null" : apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
}

static int answer_meta(call_t *call)
{
    ss_request_t *req = call->req;
    apr_pool_t *pool = call->r->pool;
    const ss_lifetime_t *lifetime = &req->conf->lifetime;
    const ss_stamp_t *stamp = ss_session_stamp(req->session);
    apr_size_t room = req->conf->max_size;
    const char *json;

    req->untouched = 1;
    if (req->state != SS_VALID) {
        json = apr_psprintf(pool, "{\"state\":\"%s\"}", ss_state_name(req->state));
        return ss_answer_json(call->r, HTTP_OK, ss_bytes_of(json));
    }
    json = apr_psprintf(
        pool,
        "{\"state\":\"%s\",\"format\":\"%s\",\"key\":%d,\"created\":%s,\"renewed\":%s,"
        "\"expires_in\":%s,\"absolute_expires_in\":%s,\"bytes_used\":%" APR_SIZE_T_FMT
        ",\"bytes_left\":%" APR_SIZE_T_FMT "}",
        ss_state_name(req->state), req->from.format->name, req->from.key,
        number_or_null(pool, stamp->created), number_or_null(pool, stamp->renewed),
        number_or_null(pool, ss_session_expires_in(stamp, lifetime, req->now)),
        number_or_null(pool, ss_session_absolute_expires_in(stamp, lifetime, req->now)),
        req->from.size, room > req->from.size ? room - req->from.size : 0);
    return ss_answer_json(call->r, HTTP_OK, ss_bytes_of(json));
}

static int get_session(call_t *call)
{
    if (call->r->args != NULL && strcmp(call->r->args, "meta") == 0) {
        return answer_meta(call);
    }
    return ss_answer_json(call->r, HTTP_OK, ss_session_view(call->req->session));
}

static int no_such_key(call_t *call)
{
    return ss_answer_problem(call->r, HTTP_NOT_FOUND,
                             apr_psprintf(call->r->pool, "The session has no key \"%.*s\".",
                                          (int)call->key.len, call->key.data));
}

static int get_key(call_t *call)
{
    ss_bytes_t value = ss_session_get(call->req->session, call->key);

    if (value.data == NULL) {
        return no_such_key(call);
    }
    return ss_answer_json(call->r, HTTP_OK, ss_json_compact(value, SS_JSON_FINITE, call->r->pool));
}

/* --- changing ------------------------------------------------------------------------------ */

/* The first key whose value differs in `after`; keys that are new there count, too. */
static int find_touched(ss_bytes_t *touched, const ss_keys_t *writable, const ss_session_t *before,
                        const ss_session_t *after, apr_pool_t *pool)
{
    const apr_array_header_t *members = ss_session_members(before);

    for (int i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);
        ss_bytes_t other = ss_session_get(after, member->name);

        if ((other.data == NULL || !ss_json_equal(member->value, other, pool)) &&
            !ss_keys_include(writable, member->name)) {
            *touched = member->name;
            return 1;
        }
    }
    return 0;
}

static int not_writable(call_t *call, ss_bytes_t key)
{
    return ss_answer_problem(
        call->r, HTTP_FORBIDDEN,
        apr_psprintf(call->r->pool,
                     "SS0202: \"%.*s\" may not be written here: add \"SignedSessionWritable "
                     "%.*s\" to this location",
                     (int)key.len, key.data, (int)key.len, key.data));
}

static int too_large(call_t *call)
{
    return ss_answer_problem(
        call->r, HTTP_REQUEST_ENTITY_TOO_LARGE,
        apr_psprintf(call->r->pool,
                     "The session would not fit: its cookie would be %" APR_SIZE_T_FMT
                     " bytes over the limit of %" APR_SIZE_T_FMT " (SignedSessionMaxSize).",
                     call->req->over, call->req->conf->max_size));
}

/* Make the draft the session if every key it touches is writable here and its cookie fits; otherwise
 * nothing has changed. Returns OK, or DONE when a refusal was answered. */
static int accept_draft(call_t *call)
{
    ss_request_t *req = call->req;
    ss_session_t *before = req->session;
    const char *set_cookie;
    ss_bytes_t key;
    apr_status_t rv;

    if (find_touched(&key, &call->dir->writable, before, call->draft, call->r->pool) ||
        find_touched(&key, &call->dir->writable, call->draft, before, call->r->pool)) {
        not_writable(call, key);
        return DONE;
    }
    ss_request_replace(req, call->draft);
    rv = ss_request_seal(req, &set_cookie);
    if (rv == APR_SUCCESS) {
        return OK;
    }
    ss_request_replace(req, before);
    if (rv == APR_ENOSPC) {
        too_large(call);
    }
    else {
        ss_log(call->r, APLOG_ERR, "SS0306", "the session was not saved: OpenSSL failed to seal it");
        ss_answer_problem(call->r, HTTP_INTERNAL_SERVER_ERROR, "The session could not be sealed.");
    }
    return DONE;
}

/* Returns whether the body is JSON that may go into a session; otherwise a 400 has been answered. */
static int body_is_json(call_t *call, int must_be_object)
{
    ss_json_error_t error;

    if (ss_json_check_input(call->body, &error, call->r->pool) != APR_SUCCESS) {
        ss_answer_problem(call->r, HTTP_BAD_REQUEST,
                          apr_psprintf(call->r->pool,
                                       "Malformed JSON: line %d, column %d: expected %s.",
                                       error.line, error.column, error.wanted));
        return 0;
    }
    if (must_be_object && ss_json_kind(ss_json_compact(call->body, 0, call->r->pool)) !=
                              SS_JSON_OBJECT) {
        ss_answer_problem(call->r, HTTP_BAD_REQUEST,
                          "A JSON object is expected here: {\"key\": value, ...}.");
        return 0;
    }
    return 1;
}

static int put_key(call_t *call)
{
    int is_new = ss_session_get(call->req->session, call->key).data == NULL;

    if (!body_is_json(call, 0)) {
        return OK;
    }
    ss_session_set(call->draft, call->key, call->body);
    if (accept_draft(call) != OK) {
        return OK;
    }
    return ss_answer_empty(call->r, is_new ? HTTP_CREATED : HTTP_NO_CONTENT);
}

static int put_session(call_t *call)
{
    if (!body_is_json(call, 1)) {
        return OK;
    }
    ss_session_replace(call->draft, call->body);
    if (accept_draft(call) != OK) {
        return OK;
    }
    return ss_answer_empty(call->r, HTTP_NO_CONTENT);
}

static int answer_new_session(call_t *call)
{
    if (accept_draft(call) != OK) {
        return OK;
    }
    return ss_answer_json(call->r, HTTP_OK, ss_session_view(call->req->session));
}

static int patch_session(call_t *call)
{
    if (!body_is_json(call, 1)) {
        return OK;
    }
    ss_session_merge(call->draft, call->body);
    return answer_new_session(call);
}

static int post_json(call_t *call)
{
    apr_array_header_t *members;

    if (!body_is_json(call, 1)) {
        return OK;
    }
    if (ss_json_members(&members, call->body, 0, NULL, call->r->pool) == APR_SUCCESS) {
        for (int i = 0; i < members->nelts; i++) {
            const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

            ss_session_set(call->draft, member->name, member->value);
        }
    }
    return answer_new_session(call);
}

/* The fields of a form as one JSON object, so that it meets the same checks as one. */
static ss_bytes_t object_of(const apr_array_header_t *fields, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, fields->nelts * 4 + 1, sizeof(const char *));
    char *json;

    for (int i = 0; i < fields->nelts; i++) {
        const ss_form_field_t *field = &APR_ARRAY_IDX(fields, i, ss_form_field_t);
        ss_bytes_t name = ss_json_quote(field->name, pool);
        ss_bytes_t value = ss_json_quote(field->value, pool);

        APR_ARRAY_PUSH(parts, const char *) =
            apr_psprintf(pool, "%s%.*s:%.*s", i == 0 ? "" : ",", (int)name.len, name.data,
                         (int)value.len, value.data);
    }
    json = apr_pstrcat(pool, "{", apr_array_pstrcat(pool, parts, '\0'), "}", NULL);
    return ss_bytes_of(json);
}

static int post_form(call_t *call)
{
    apr_array_header_t *fields;
    const char *why;

    if (ss_form_parse(&fields, &why, call->body, call->r->pool) != APR_SUCCESS) {
        return ss_answer_problem(call->r, HTTP_BAD_REQUEST, why);
    }
    call->body = object_of(fields, call->r->pool);
    return post_json(call);
}

static int delete_key(call_t *call)
{
    if (!ss_session_unset(call->draft, call->key)) {
        return no_such_key(call);
    }
    if (accept_draft(call) != OK) {
        return OK;
    }
    return ss_answer_empty(call->r, HTTP_NO_CONTENT);
}

/* Always allowed: a client can drop its cookie anyway. */
static int delete_session(call_t *call)
{
    ss_request_end(call->req);
    return ss_answer_empty(call->r, HTTP_NO_CONTENT);
}

/* --- dispatch ------------------------------------------------------------------------------ */

typedef enum scope_e { SESSION, KEY } scope_e;

static const struct route_t {
    int method;
    const char *name;
    scope_e scope;
    const char *type;    /* of the body; NULL: the method takes none */
    answer_fn *answer;
} routes[] = {
    /* clang-format off */
    { M_GET,    "GET, HEAD", SESSION, NULL,                                get_session },
    { M_PUT,    "PUT",       SESSION, "application/json",                  put_session },
    { M_PATCH,  "PATCH",     SESSION, "application/merge-patch+json",      patch_session },
    { M_POST,   "POST",      SESSION, "application/json",                  post_json },
    { M_POST,   NULL,        SESSION, "application/x-www-form-urlencoded", post_form },
    { M_DELETE, "DELETE",    SESSION, NULL,                                delete_session },
    { M_GET,    "GET, HEAD", KEY,     NULL,                                get_key },
    { M_PUT,    "PUT",       KEY,     "application/json",                  put_key },
    { M_DELETE, "DELETE",    KEY,     NULL,                                delete_key },
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
static const route_t *find_route(const char **wanted, int *method_known, const call_t *call,
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
            return route;
        }
        *wanted = *wanted == NULL
                      ? route->type
                      : apr_pstrcat(call->r->pool, *wanted, " or ", route->type, NULL);
    }
    return NULL;
}

static ss_caller_t caller_of(const call_t *call)
{
    const apr_table_t *headers = call->r->headers_in;
    ss_caller_t caller = { apr_table_get(headers, "Sec-Fetch-Site"),
                           apr_table_get(headers, "Origin"), apr_table_get(headers, "Host"),
                           ap_http_scheme(call->r), call->dir->trusted };

    return caller;
}

/* Let the pages of a trusted origin read the answer, and ask before they change something. */
static void allow_trusted_origin(const call_t *call, const ss_caller_t *caller,
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

/* What the head of a changing request alone can refuse, before its body is read. Returns OK or DONE. */
static int refuse_by_head(call_t *call, const ss_caller_t *caller, const char *wanted)
{
    if (!ss_origin_may_change(caller)) {
        ss_answer_problem(call->r, HTTP_FORBIDDEN,
                          "SS0204: a page of another origin may not change the session: add its "
                          "origin to SignedSessionTrustedOrigin if it should");
    }
    else if (call->dir->mode == SS_READ_ONLY) {
        ss_answer_problem(call->r, HTTP_CONFLICT,
                          "SS0205: sessions are read-only here: \"SignedSession On\" in this "
                          "location would allow changes");
    }
    else if (wanted != NULL) {
        ss_answer_problem(call->r, HTTP_UNSUPPORTED_MEDIA_TYPE,
                          apr_psprintf(call->r->pool, "The Content-Type must be %s.", wanted));
    }
    else if (ss_body_is_announced_too_long(call->r)) {
        ss_answer_problem(call->r, HTTP_REQUEST_ENTITY_TOO_LARGE,
                          apr_psprintf(call->r->pool, "A body has at most %d bytes.", SS_BODY_MAX));
    }
    else {
        return OK;
    }
    return DONE;
}

static int run_route(call_t *call, const route_t *route)
{
    int status = OK;

    if (route->type == NULL) {
        status = ap_discard_request_body(call->r);
    }
    else {
        status = ss_body_read(&call->body, call->r);
        if (status == HTTP_REQUEST_ENTITY_TOO_LARGE) {
            return ss_answer_problem(call->r, status,
                                     apr_psprintf(call->r->pool, "A body has at most %d bytes.",
                                                  SS_BODY_MAX));
        }
    }
    if (status != OK) {
        return status;
    }
    if (route->method != M_GET) {
        call->draft = ss_session_copy(call->req->session, call->req->root->pool);
    }
    return route->answer(call);
}

static int key_is_acceptable(ss_bytes_t key)
{
    return ss_utf8_is_valid(key) && ss_json_is_plain(key);
}

static int dispatch(call_t *call)
{
    scope_e scope = call->key.len == 0 ? SESSION : KEY;
    const char *methods = methods_of(scope, call->r->pool);
    const ss_caller_t caller = caller_of(call);
    const route_t *route;
    const char *wanted;
    int method_known;

    allow_trusted_origin(call, &caller, methods);
    if (call->r->method_number == M_OPTIONS) {
        apr_table_setn(call->r->headers_out, "Allow", methods);
        return ss_answer_empty(call->r, HTTP_OK);
    }
    route = find_route(&wanted, &method_known, call, scope);
    if (!method_known) {
        apr_table_setn(call->r->headers_out, "Allow", methods);
        return ss_answer_problem(call->r, HTTP_METHOD_NOT_ALLOWED,
                                 apr_psprintf(call->r->pool, "Allowed here: %s.", methods));
    }
    if (call->r->method_number != M_GET && refuse_by_head(call, &caller, wanted) != OK) {
        return OK;
    }
    if (!key_is_acceptable(call->key)) {
        return ss_answer_problem(call->r, HTTP_BAD_REQUEST,
                                 "A key must be UTF-8 without control characters.");
    }
    return run_route(call, route);
}

int ss_handler_run(request_rec *r)
{
    call_t call;

    if (r->handler == NULL || strcmp(r->handler, HANDLER) != 0) {
        return DECLINED;
    }
    memset(&call, 0, sizeof(call));
    call.r = r;
    call.dir = ss_dir_conf(r);
    if (call.dir->mode == SS_OFF) {
        return ss_answer_problem(r, HTTP_INTERNAL_SERVER_ERROR,
                                 "SS0201: SignedSession must be On to use the session here: add "
                                 "\"SignedSession On\" to this location");
    }
    call.req = ss_request_get(r);
    if (call.req == NULL) {
        return HTTP_INTERNAL_SERVER_ERROR; /* fixups have logged why, and refused */
    }
    ss_location_path(&call.key, r, HANDLER);
    return dispatch(&call);
}
