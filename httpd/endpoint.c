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
    ss_visit_t *visit = call->visit;
    apr_pool_t *pool = call->r->pool;
    const ss_lifetime_t *lifetime = &visit->conf->lifetime;
    const ss_stamp_t *stamp = ss_session_stamp(visit->session);
    apr_size_t room = visit->conf->max_size;
    const char *json;

    visit->untouched = 1;
    if (visit->state != SS_VALID) {
        json = apr_psprintf(pool, "{\"state\":\"%s\"}", ss_state_name(visit->state));
        return ss_answer_json(call->r, HTTP_OK, ss_bytes_of(json));
    }
    json = apr_psprintf(
        pool,
        "{\"state\":\"%s\",\"format\":\"%s\",\"key\":%d,\"created\":%s,\"renewed\":%s,"
        "\"expires_in\":%s,\"absolute_expires_in\":%s,\"bytes_used\":%" APR_SIZE_T_FMT
        ",\"bytes_left\":%" APR_SIZE_T_FMT "}",
        ss_state_name(visit->state), visit->from.format->name, visit->from.key,
        number_or_null(pool, stamp->created), number_or_null(pool, stamp->renewed),
        number_or_null(pool, ss_session_expires_in(stamp, lifetime, visit->now)),
        number_or_null(pool, ss_session_absolute_expires_in(stamp, lifetime, visit->now)),
        visit->from.size, room > visit->from.size ? room - visit->from.size : 0);
    return ss_answer_json(call->r, HTTP_OK, ss_bytes_of(json));
}

int ss_endpoint_get(ss_call_t *call)
{
    if (call->r->args != NULL && strcmp(call->r->args, "meta") == 0) {
        return answer_meta(call);
    }
    return ss_answer_json(call->r, HTTP_OK, ss_session_view(call->visit->session));
}

static int no_such_key(ss_call_t *call)
{
    return ss_endpoint_refuse(call, HTTP_NOT_FOUND,
                              apr_psprintf(call->r->pool, "The session has no key \"%.*s\".",
                                           (int)call->key.len, call->key.data));
}

int ss_endpoint_get_key(ss_call_t *call)
{
    ss_bytes_t value = ss_session_get(call->visit->session, call->key);

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

static int too_large(ss_call_t *call)
{
    return ss_answer_problem(
        call->r, HTTP_REQUEST_ENTITY_TOO_LARGE,
        apr_psprintf(call->r->pool,
                     "The session would not fit: its cookie would be %" APR_SIZE_T_FMT
                     " bytes over the limit of %" APR_SIZE_T_FMT " (SignedSessionMaxSize).",
                     call->visit->over, call->visit->conf->max_size));
}

/* Returns OK, or DONE when a refusal was answered: nothing has changed then. */
static int refuse_draft(ss_call_t *call, ss_session_t *draft)
{
    const ss_session_t *before = call->visit->session;
    const ss_keys_t *writable = &call->dir->writable;
    ss_bytes_t key;

    if (find_touched(&key, writable, before, draft, call->r->pool) ||
        find_touched(&key, writable, draft, before, call->r->pool)) {
        not_writable(call, key);
        return DONE;
    }
    if (ss_visit_would_tag(call->visit, draft, call->body)) {
        ss_answer_problem(call->r, HTTP_BAD_REQUEST,
                          "An object whose only key begins with a blank is a type tag in this "
                          "format, which only the application may write.");
        return DONE;
    }
    return OK;
}

/* Does the cookie of the session, as it is now, fit? If not, the session is again what it was
 * before. */
static int refuse_size(ss_call_t *call, ss_session_t *before)
{
    const char *set_cookie;
    apr_status_t rv = ss_visit_seal(call->visit, &set_cookie);

    if (rv == APR_SUCCESS) {
        return OK;
    }
    ss_visit_replace(call->visit, before);
    call->visit->changes->nelts--;
    if (rv == APR_ENOSPC) {
        too_large(call);
    }
    else {
        ss_log(call->r, APLOG_ERR, "SS0306",
               "the session was not saved: OpenSSL or zlib failed to seal it");
        ss_endpoint_refuse(call, HTTP_INTERNAL_SERVER_ERROR, "The session could not be sealed.");
    }
    return DONE;
}

/* Change the session if every key that this touches is writable here, and if its cookie fits. */
static int make_change(ss_call_t *call, ss_change_e kind)
{
    const ss_change_t change = { kind, call->key, call->body };
    ss_session_t *before = call->visit->session;
    ss_session_t *draft = ss_session_copy(before, call->visit->root->pool);

    if (!ss_change_make(draft, &change)) {
        ss_endpoint_refuse(call, HTTP_BAD_REQUEST,
                           apr_psprintf(call->r->pool,
                                        "The value nests too deep: a session has at most %d "
                                        "levels, itself included.",
                                        SS_JSON_DEPTH_MAX));
        return DONE;
    }
    if (refuse_draft(call, draft) != OK) {
        return DONE;
    }
    ss_visit_accept(call->visit, draft, &change);
    return refuse_size(call, before);
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
    int is_new = ss_session_get(call->visit->session, call->key).data == NULL;

    if (!body_is_json(call, 0) || make_change(call, SS_CHANGE_SET) != OK) {
        return OK;
    }
    return ss_answer_empty(call->r, is_new ? HTTP_CREATED : HTTP_NO_CONTENT);
}

int ss_endpoint_put(ss_call_t *call)
{
    if (!body_is_json(call, 1) || make_change(call, SS_CHANGE_REPLACE) != OK) {
        return OK;
    }
    return ss_answer_empty(call->r, HTTP_NO_CONTENT);
}

/* Change the session by an object, and answer with the new one. */
static int take_object(ss_call_t *call, ss_change_e kind)
{
    if (!body_is_json(call, 1) || make_change(call, kind) != OK) {
        return OK;
    }
    return ss_answer_json(call->r, HTTP_OK, ss_session_view(call->visit->session));
}

int ss_endpoint_patch(ss_call_t *call)
{
    return take_object(call, SS_CHANGE_MERGE);
}

int ss_endpoint_post_json(ss_call_t *call)
{
    return take_object(call, SS_CHANGE_UPDATE);
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
    if (ss_session_get(call->visit->session, call->key).data == NULL) {
        return no_such_key(call);
    }
    if (make_change(call, SS_CHANGE_UNSET) != OK) {
        return OK;
    }
    return ss_answer_empty(call->r, HTTP_NO_CONTENT);
}

/* Always allowed: a client can drop its cookie anyway. */
int ss_endpoint_delete(ss_call_t *call)
{
    static const ss_change_t end = { SS_CHANGE_END, { NULL, 0 }, { NULL, 0 } };

    ss_visit_change(call->visit, &end);
    return ss_answer_empty(call->r, HTTP_NO_CONTENT);
}
