/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "httpd/counters.h"
#include "httpd/endpoint.h"
#include "httpd/inspector/inspector.h"
#include "httpd/keeping.h"
#include "httpd/log.h"
#include "httpd/saving.h"
#include "httpd/stores.h"
#include "httpd/unsaved.h"
#include "lib/form.h"
#include "lib/json/json.h"

#define SAY_JSON "the body was read as a form; for JSON say \"Content-Type: application/json\""

/* Say no. A body that was not read ends the connection: otherwise httpd reads the rest of it after
 * the handler, and a limit that is hit then replaces this answer. */
void ss_endpoint_refuse(ss_call_t *call, int status, const char *detail)
{
    if (call->body.data == NULL && ap_request_has_body(call->r)) {
        call->r->connection->keepalive = AP_CONN_CLOSE;
    }
    ss_answer_problem(call->r, status, detail);
}

/* Where a valid session lives. */
static const char *place_of(const ss_visit_t *visit)
{
    return visit->opened.is_stored ? ss_stores_name(visit->conf->stores, visit->opened.place)
                                   : "cookie";
}

/* Of what its size is limited by: the text in a store, else the cookie. */
static apr_size_t bytes_used(const ss_visit_t *visit)
{
    return visit->opened.is_stored ? ss_session_text(visit->opened.session).len
                                   : visit->opened.size;
}

static apr_size_t room_of(const ss_visit_t *visit)
{
    return visit->opened.is_stored ? visit->conf->store_max_size : visit->conf->max_size;
}

/* What is known of a valid session besides its content. */
static const char *describe(const ss_visit_t *visit, apr_pool_t *pool)
{
    const ss_lifetime_t *lifetime = &visit->conf->lifetime;
    const ss_stamp_t *stamp = ss_session_stamp(ss_visit_session(visit));
    apr_size_t used = bytes_used(visit), room = room_of(visit);

    return apr_psprintf(
        pool,
        "{\"state\":\"%s\",\"cookies\":%d,\"format\":\"%s\",\"key\":%d,"
        "\"created\":%s,\"renewed\":%s,\"expires_in\":%s,\"absolute_expires_in\":%s,"
        "\"store\":\"%s\",\"counter\":%s,"
        "\"bytes_used\":%" APR_SIZE_T_FMT ",\"bytes_left\":%" APR_SIZE_T_FMT "}",
        ss_state_name(visit->state), visit->cookies, visit->opened.format->name, visit->opened.key,
        ss_lifetime_print(stamp->created, pool), ss_lifetime_print(stamp->renewed, pool),
        ss_lifetime_print(ss_lifetime_left(stamp, lifetime, visit->now), pool),
        ss_lifetime_print(ss_lifetime_absolute_left(stamp, lifetime, visit->now), pool),
        place_of(visit),
        ss_lifetime_print(stamp->counter == 0 ? SS_NO_TIME : (apr_int64_t)stamp->counter, pool),
        used, room > used ? room - used : 0);
}

static void answer_meta(ss_call_t *call)
{
    ss_visit_t *visit = call->visit;
    const char *json = visit->state == SS_VALID
                           ? describe(visit, call->r->pool)
                           : apr_psprintf(call->r->pool, "{\"state\":\"%s\",\"cookies\":%d}",
                                          ss_state_name(visit->state), visit->cookies);

    visit->endpoint.only_asked = 1;
    ss_answer_json(call->r, HTTP_OK, ss_bytes_of(json));
}

static int is_secret(const ss_call_t *call)
{
    return ss_config_hides(call->visit->conf, call->dir);
}

static void refuse_secret(ss_call_t *call)
{
    ss_endpoint_refuse(call, HTTP_FORBIDDEN,
                       "SS0216: with SignedSessionEncrypt On nobody is shown what a session holds: "
                       "add \"SignedSessionReveal On\" to this location if its visitors may see "
                       "their own");
}

/* Whoever looks at a session must not renew it by that. */
static void answer_page(ss_call_t *call)
{
    call->visit->endpoint.only_asked = 1;
    ss_inspector_answer(call->r, call->visit);
}

void ss_endpoint_get(ss_call_t *call)
{
    if (call->dir->inspector) {
        apr_table_mergen(call->r->headers_out, "Vary", "Accept");
    }
    if (call->dir->inspector && ss_inspector_is_wanted(call->r)) {
        answer_page(call);
    }
    else if (call->r->args != NULL && strcmp(call->r->args, "meta") == 0) {
        answer_meta(call);
    }
    else if (is_secret(call)) {
        refuse_secret(call);
    }
    else {
        ss_answer_json(call->r, HTTP_OK, ss_session_view(ss_visit_session(call->visit)).raw);
    }
}

static void no_such_key(ss_call_t *call)
{
    ss_endpoint_refuse(call, HTTP_NOT_FOUND,
                       apr_psprintf(call->r->pool, "The session has no key \"%.*s\".",
                                    (int)call->key.len, call->key.data));
}

void ss_endpoint_get_key(ss_call_t *call)
{
    ss_json_t value = ss_session_get(ss_visit_session(call->visit), call->key);

    if (is_secret(call)) {
        refuse_secret(call);
    }
    else if (value.raw.data == NULL) {
        no_such_key(call);
    }
    else {
        ss_answer_json(call->r, HTTP_OK, ss_json_compact(value, SS_JSON_FINITE, call->r->pool).raw);
    }
}

/* The first key whose value differs in `after`; keys that are new there count, too. */
static int find_touched(ss_bytes_t *touched, const ss_keys_t *writable, const ss_session_t *before,
                        const ss_session_t *after, apr_pool_t *pool)
{
    const apr_array_header_t *members = ss_session_members(before);
    const apr_array_header_t *others = ss_session_members(after);
    const int *numbers = ss_json_match(members, others, pool);

    for (int i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if ((numbers[i] < 0 ||
             !ss_json_equal(member->value,
                            APR_ARRAY_IDX(others, numbers[i], ss_json_member_t).value, pool)) &&
            !ss_keys_include(writable, member->name)) {
            *touched = member->name;
            return 1;
        }
    }
    return 0;
}

static void refuse_key(ss_call_t *call, ss_bytes_t key)
{
    apr_pool_t *pool = call->r->pool;
    const char *fix =
        call->is_json_as_form
            ? SAY_JSON
            : apr_psprintf(pool,
                           "add \"SignedSessionWritable %.*s\" to this location, unless "
                           "something is decided by it",
                           (int)key.len, key.data);

    ss_count(SS_COUNT_REFUSALS + SS_REFUSED_KEY);
    ss_answer_problem(call->r, HTTP_FORBIDDEN,
                      apr_psprintf(pool, "SS0202: \"%.*s\" may not be written here: %s",
                                   (int)key.len, key.data, fix));
}

/* Each of these returns whether it has answered with a refusal. */

/* The first key that a change names and that is not writable. Whoever may not see a value must not
 * find out by writing it, either: that would be no change, and allowed. */
static int find_named(ss_bytes_t *named, const ss_call_t *call, ss_change_e kind)
{
    const apr_array_header_t *members;

    *named = call->key;
    if (kind == SS_CHANGE_SET) {
        return !ss_keys_include(&call->dir->writable, call->key);
    }
    if (call->value.raw.data == NULL) {
        return 0;
    }
    members = ss_json_members(call->value, call->r->pool);
    for (int i = 0; i < members->nelts; i++) {
        *named = APR_ARRAY_IDX(members, i, ss_json_member_t).name;
        if (!ss_keys_include(&call->dir->writable, *named)) {
            return 1;
        }
    }
    return 0;
}

static int is_refused_key(ss_call_t *call, const ss_session_t *before, const ss_change_t *change)
{
    ss_session_t *after = ss_session_copy(before, call->r->pool);
    const ss_keys_t *writable = &call->dir->writable;
    ss_bytes_t key;

    /* what it asks for, not what follows from it: somebody else gets a new session */
    ss_change_make(after, change);
    if ((is_secret(call) && find_named(&key, call, change->kind)) ||
        find_touched(&key, writable, before, after, call->r->pool) ||
        find_touched(&key, writable, after, before, call->r->pool)) {
        refuse_key(call, key);
        return 1;
    }
    return 0;
}

static int is_refused_tag(ss_call_t *call, ss_session_t *before)
{
    if (ss_visit_made_tag(call->visit, before, call->value)) {
        ss_answer_problem(call->r, HTTP_BAD_REQUEST,
                          "An object whose only key begins with a blank is a type tag in this "
                          "format, which only the application may write.");
        return 1;
    }
    return 0;
}

static void refuse_unsaved(ss_call_t *call, apr_status_t rv)
{
    ss_unsaved_t unsaved = ss_unsaved_of(call->visit, rv);

    ss_count(SS_COUNT_REFUSALS + (int)unsaved.kind);
    if (unsaved.status >= HTTP_INTERNAL_SERVER_ERROR) {
        ss_log_text(call->r, unsaved.level, unsaved.log);
    }
    ss_answer_problem(call->r, unsaved.status, unsaved.detail);
}

/* Can the session, as it is now, be saved? Then it is. */
static int is_refused_saving(ss_call_t *call)
{
    const char *set_cookie;
    apr_status_t rv = ss_saving_seal(call->visit, 0, &set_cookie);

    if (rv != APR_SUCCESS) {
        refuse_unsaved(call, rv);
    }
    return rv != APR_SUCCESS;
}

static void refuse_impossible(ss_call_t *call, ss_change_e kind)
{
    const ss_session_t *session = ss_visit_session(call->visit);

    if (kind != SS_CHANGE_SET || ss_session_is_reserved(session, call->key)) {
        ss_endpoint_refuse(call, HTTP_FORBIDDEN,
                           "SS0224: \"" SS_SESSION_HIDDEN "\" may not be written by anybody: "
                           "modules of httpd keep their entries there.");
    }
    else {
        ss_endpoint_refuse(call, HTTP_BAD_REQUEST,
                           apr_psprintf(call->r->pool,
                                        "The value nests too deep: a session has at most %d "
                                        "levels, itself included.",
                                        SS_JSON_DEPTH_MAX));
    }
}

/* Change the session if every key that this touches is writable here, and if it can be saved.
 * Returns whether it was changed; otherwise a refusal has been answered. */
static int make_change(ss_call_t *call, ss_change_e kind)
{
    const ss_change_t change = { kind, call->key, call->value };
    ss_draft_mark_t mark = ss_visit_mark(call->visit);
    ss_session_t *before = ss_session_copy(ss_visit_session(call->visit), call->visit->root->pool);

    if (!ss_visit_change(call->visit, &change)) {
        refuse_impossible(call, kind);
        return 0;
    }
    if (is_refused_key(call, before, &change) || is_refused_tag(call, before) ||
        is_refused_saving(call)) {
        ss_visit_return(call->visit, mark);
        return 0;
    }
    return 1;
}

/* Returns whether the body is JSON that may go into a session; otherwise a 400 has been answered.
 */
static int body_is_json(ss_call_t *call, int must_be_object)
{
    ss_json_error_t error;

    if (ss_json_check_input(&call->value, call->body, &error, call->r->pool) != APR_SUCCESS) {
        ss_endpoint_refuse(call, HTTP_BAD_REQUEST,
                           call->is_json_as_form
                               ? "No key is like this: " SAY_JSON "."
                               : apr_psprintf(call->r->pool,
                                              "Malformed JSON: line %d, column %d: expected %s.",
                                              error.line, error.column, error.wanted));
        return 0;
    }
    if (must_be_object && ss_json_kind(call->value) != SS_JSON_OBJECT) {
        ss_endpoint_refuse(call, HTTP_BAD_REQUEST,
                           "A JSON object is expected here: {\"key\": value, ...}.");
        return 0;
    }
    return 1;
}

void ss_endpoint_put_key(ss_call_t *call)
{
    int is_new = ss_session_get(ss_visit_session(call->visit), call->key).raw.data == NULL;

    if (body_is_json(call, 0) && make_change(call, SS_CHANGE_SET)) {
        ss_answer_empty(call->r, is_new ? HTTP_CREATED : HTTP_NO_CONTENT);
    }
}

void ss_endpoint_put(ss_call_t *call)
{
    if (body_is_json(call, 1) && make_change(call, SS_CHANGE_REPLACE)) {
        ss_answer_empty(call->r, HTTP_NO_CONTENT);
    }
}

/* Change the session by an object, and answer with the new one, if it may be seen. */
static void take_object(ss_call_t *call, ss_change_e kind)
{
    if (!body_is_json(call, 1) || !make_change(call, kind)) {
        return;
    }
    if (is_secret(call)) {
        ss_answer_empty(call->r, HTTP_NO_CONTENT);
    }
    else {
        ss_answer_json(call->r, HTTP_OK, ss_session_view(ss_visit_session(call->visit)).raw);
    }
}

void ss_endpoint_patch(ss_call_t *call)
{
    take_object(call, SS_CHANGE_MERGE);
}

void ss_endpoint_post_json(ss_call_t *call)
{
    take_object(call, SS_CHANGE_UPDATE);
}

/* The fields of a form as one JSON object, whose names may yet be unfit. */
static ss_bytes_t object_of(const apr_array_header_t *fields, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, fields->nelts, sizeof(ss_json_member_t));

    for (int i = 0; i < fields->nelts; i++) {
        const ss_form_field_t *field = &APR_ARRAY_IDX(fields, i, ss_form_field_t);
        ss_json_member_t *member = apr_array_push(members);

        member->quoted = ss_json_quote(field->name, pool);
        member->value = ss_json_quote(field->value, pool);
    }
    return ss_json_print(members, pool).raw;
}

static int begins_like_json(const apr_array_header_t *fields)
{
    ss_bytes_t name =
        fields->nelts == 0 ? ss_absent : APR_ARRAY_IDX(fields, 0, ss_form_field_t).name;

    return name.len > 0 && (name.data[0] == '{' || name.data[0] == '[');
}

void ss_endpoint_post_form(ss_call_t *call)
{
    apr_array_header_t *fields;
    const char *why;

    if (ss_form_parse(&fields, &why, call->body, call->r->pool) != APR_SUCCESS) {
        ss_endpoint_refuse(call, HTTP_BAD_REQUEST, why);
        return;
    }
    call->is_json_as_form = begins_like_json(fields);
    call->body = object_of(fields, call->r->pool);
    ss_endpoint_post_json(call);
}

void ss_endpoint_delete_key(ss_call_t *call)
{
    if (ss_session_get(ss_visit_session(call->visit), call->key).raw.data == NULL) {
        no_such_key(call);
    }
    else if (make_change(call, SS_CHANGE_UNSET)) {
        ss_answer_empty(call->r, HTTP_NO_CONTENT);
    }
}

/* Always allowed: a client can drop its cookie anyway. */
void ss_endpoint_delete(ss_call_t *call)
{
    const char *set_cookie;
    apr_status_t rv;

    ss_visit_change(call->visit, &ss_change_end);
    rv = ss_saving_seal(call->visit, 0, &set_cookie);
    if (rv == SS_REPLACED_CHANGE) {
        refuse_unsaved(call, rv);
    }
    else if (rv != APR_SUCCESS || call->visit->keeping.unended != NULL) {
        ss_answer_problem(call->r, HTTP_SERVICE_UNAVAILABLE,
                          "SS0404: The session has ended in this browser, but a copy of its cookie "
                          "may go on: try again later.");
    }
    else {
        ss_answer_empty(call->r, HTTP_NO_CONTENT);
    }
}
