/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "httpd/endpoint.h"
#include "httpd/log.h"
#include "lib/form.h"
#include "lib/json.h"

/* Say no. A body that was not read ends the connection: otherwise httpd reads the rest of it after
 * the handler, and a limit that is hit then replaces this answer. */
int ss_endpoint_refuse(ss_call_t *call, int status, const char *detail)
{
    if (call->body.data == NULL && ap_request_has_body(call->r)) {
        call->r->connection->keepalive = AP_CONN_CLOSE;
    }
    return ss_answer_problem(call->r, status, detail);
}

static const char *number_or_null(apr_pool_t *pool, apr_int64_t number)
{
    return number < 0 ? "null" : apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
}

static int answer_meta(ss_call_t *call)
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

int ss_endpoint_get(ss_call_t *call)
{
    if (call->r->args != NULL && strcmp(call->r->args, "meta") == 0) {
        return answer_meta(call);
    }
    return ss_answer_json(call->r, HTTP_OK, ss_session_view(call->req->session));
}

static int no_such_key(ss_call_t *call)
{
    return ss_endpoint_refuse(call, HTTP_NOT_FOUND,
                              apr_psprintf(call->r->pool, "The session has no key \"%.*s\".",
                                           (int)call->key.len, call->key.data));
}

int ss_endpoint_get_key(ss_call_t *call)
{
    ss_bytes_t value = ss_session_get(call->req->session, call->key);

    if (value.data == NULL) {
        return no_such_key(call);
    }
    return ss_answer_json(call->r, HTTP_OK, ss_json_compact(value, SS_JSON_FINITE, call->r->pool));
}

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

static int not_writable(ss_call_t *call, ss_bytes_t key)
{
    return ss_answer_problem(
        call->r, HTTP_FORBIDDEN,
        apr_psprintf(call->r->pool,
                     "SS0202: \"%.*s\" may not be written here: add \"SignedSessionWritable "
                     "%.*s\" to this location",
                     (int)key.len, key.data, (int)key.len, key.data));
}

/* In a format with type tags they are the application's alone. */
static int adds_tag(const ss_call_t *call)
{
    return ss_sealing_written(&call->req->conf->sealing)->traits & SS_FORMAT_TAGGED &&
           ((call->body.data != NULL && ss_json_has_tag(call->body)) ||
            ss_json_adds_tag(ss_session_text(call->req->session), ss_session_text(call->draft),
                             call->r->pool));
}

static int too_large(ss_call_t *call)
{
    return ss_answer_problem(
        call->r, HTTP_REQUEST_ENTITY_TOO_LARGE,
        apr_psprintf(call->r->pool,
                     "The session would not fit: its cookie would be %" APR_SIZE_T_FMT
                     " bytes over the limit of %" APR_SIZE_T_FMT " (SignedSessionMaxSize).",
                     call->req->over, call->req->conf->max_size));
}

/* Make the draft the session if every key it touches is writable here and its cookie fits;
 * otherwise nothing has changed. Returns OK, or DONE when a refusal was answered. */
static int accept_draft(ss_call_t *call)
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
    if (adds_tag(call)) {
        ss_answer_problem(call->r, HTTP_BAD_REQUEST,
                          "An object whose only key begins with a blank is a type tag in this "
                          "format, which only the application may write.");
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
        ss_log(call->r, APLOG_ERR, "SS0306",
               "the session was not saved: OpenSSL failed to seal it");
        ss_endpoint_refuse(call, HTTP_INTERNAL_SERVER_ERROR, "The session could not be sealed.");
    }
    return DONE;
}

/* Returns whether the body is JSON that may go into a session; otherwise a 400 has been answered.
 */
static int body_is_json(ss_call_t *call, int must_be_object)
{
    ss_json_error_t error;

    if (ss_json_check_input(call->body, &error, call->r->pool) != APR_SUCCESS) {
        ss_endpoint_refuse(call, HTTP_BAD_REQUEST,
                           apr_psprintf(call->r->pool,
                                        "Malformed JSON: line %d, column %d: expected %s.",
                                        error.line, error.column, error.wanted));
        return 0;
    }
    if (must_be_object &&
        ss_json_kind(ss_json_compact(call->body, 0, call->r->pool)) != SS_JSON_OBJECT) {
        ss_endpoint_refuse(call, HTTP_BAD_REQUEST,
                           "A JSON object is expected here: {\"key\": value, ...}.");
        return 0;
    }
    return 1;
}

int ss_endpoint_put_key(ss_call_t *call)
{
    int is_new = ss_session_get(call->req->session, call->key).data == NULL;

    if (!body_is_json(call, 0)) {
        return OK;
    }
    ss_session_set(call->draft, call->key, call->body);
    if (ss_json_check(ss_session_text(call->draft), SS_JSON_PYTHON, NULL) != APR_SUCCESS) {
        /* the one thing that a value may be alone and not as a member */
        return ss_endpoint_refuse(call, HTTP_BAD_REQUEST,
                                  apr_psprintf(call->r->pool,
                                               "The value nests too deep: a session has at most %d "
                                               "levels, itself included.",
                                               SS_JSON_DEPTH_MAX));
    }
    if (accept_draft(call) != OK) {
        return OK;
    }
    return ss_answer_empty(call->r, is_new ? HTTP_CREATED : HTTP_NO_CONTENT);
}

int ss_endpoint_put(ss_call_t *call)
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

static int answer_new_session(ss_call_t *call)
{
    if (accept_draft(call) != OK) {
        return OK;
    }
    return ss_answer_json(call->r, HTTP_OK, ss_session_view(call->req->session));
}

int ss_endpoint_patch(ss_call_t *call)
{
    if (!body_is_json(call, 1)) {
        return OK;
    }
    ss_session_merge(call->draft, call->body);
    return answer_new_session(call);
}

int ss_endpoint_post_json(ss_call_t *call)
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

int ss_endpoint_post_form(ss_call_t *call)
{
    apr_array_header_t *fields;
    const char *why;

    if (ss_form_parse(&fields, &why, call->body, call->r->pool) != APR_SUCCESS) {
        return ss_endpoint_refuse(call, HTTP_BAD_REQUEST, why);
    }
    call->body = object_of(fields, call->r->pool);
    return ss_endpoint_post_json(call);
}

int ss_endpoint_delete_key(ss_call_t *call)
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
int ss_endpoint_delete(ss_call_t *call)
{
    ss_request_end(call->req);
    return ss_answer_empty(call->r, HTTP_NO_CONTENT);
}
