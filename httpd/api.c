/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/api.h"
#include "httpd/revoke.h"
#include "httpd/visit.h"
#include "lib/value.h"
#include "lib/encode.h"
#include "lib/json/json.h"
#include "mod_signed_session.h"

static apr_status_t session_to_read(ss_visit_t **visit, request_rec *r)
{
    return ss_visit_enter(visit, r) == SS_ACCESS_READY ? APR_SUCCESS : SIGNED_SESSION_E_OFF;
}

static apr_status_t session_to_change(ss_visit_t **visit, request_rec *r)
{
    apr_status_t rv = session_to_read(visit, r);

    if (rv == APR_SUCCESS && !ss_visit_may_change(r)) {
        rv = SIGNED_SESSION_E_READ_ONLY;
    }
    return rv;
}

static const char *copy_text(ss_visit_t *visit, ss_bytes_t bytes)
{
    return apr_pstrmemdup(visit->root->pool, bytes.data, bytes.len);
}

/* JSON as readers get it. */
static const char *json_of(ss_visit_t *visit, ss_json_t value)
{
    return copy_text(visit, ss_json_compact(value, SS_JSON_FINITE, visit->root->pool).raw);
}

/* Every JSON text that a caller gives goes through here; absent when it is not acceptable. */
static ss_json_t input_of(const char *json, apr_pool_t *pool)
{
    ss_bytes_t text = ss_bytes_of(json);
    ss_json_t value;

    return text.len <= SS_BODY_MAX && ss_json_check_input(&value, text, NULL, pool) == APR_SUCCESS
               ? value
               : ss_json_absent;
}

static apr_status_t signed_session_state(request_rec *r, const char **state)
{
    ss_visit_t *visit;
    apr_status_t rv = session_to_read(&visit, r);

    *state = rv == APR_SUCCESS ? ss_state_name(visit->state) : NULL;
    return rv;
}

static apr_status_t signed_session_get(request_rec *r, const char *path, const char **text)
{
    ss_visit_t *visit;
    apr_status_t rv = session_to_read(&visit, r);
    ss_json_t value;

    *text = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    value = ss_value_find(ss_visit_session(visit), path, visit->root->pool);
    if (value.raw.data != NULL) {
        *text = ss_value_text(value, visit->root->pool);
    }
    return *text == NULL ? APR_NOTFOUND : APR_SUCCESS;
}

static apr_status_t signed_session_get_json(request_rec *r, const char *path, const char **json)
{
    ss_visit_t *visit;
    apr_status_t rv = session_to_read(&visit, r);
    ss_json_t value;

    *json = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    value = path == NULL ? ss_session_json(ss_visit_session(visit))
                         : ss_value_find(ss_visit_session(visit), path, visit->root->pool);
    if (value.raw.data == NULL) {
        return APR_NOTFOUND;
    }
    *json = json_of(visit, value);
    return APR_SUCCESS;
}

static apr_status_t signed_session_each(request_rec *r, signed_session_each_fn *each, void *data)
{
    ss_visit_t *visit;
    apr_status_t rv = session_to_read(&visit, r);
    const apr_array_header_t *members;
    int count;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    members = ss_session_members(ss_visit_session(visit));
    count = members->nelts; /* a caller that adds to them all the same must not go on for ever */
    for (int i = 0; i < count && i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (ss_json_is_plain(member->name) &&
            !each(data, copy_text(visit, member->name), json_of(visit, member->value))) {
            break;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t set_value(ss_visit_t *visit, const char *key, ss_json_t value)
{
    const ss_change_t change = { SS_CHANGE_SET, ss_bytes_of(key), value };

    if (value.raw.data == NULL || value.raw.len > SS_BODY_MAX ||
        !ss_key_is_acceptable(change.name) || !ss_visit_change(visit, &change)) {
        return SIGNED_SESSION_E_INVALID;
    }
    return APR_SUCCESS;
}

static apr_status_t signed_session_set(request_rec *r, const char *key, const char *text)
{
    ss_visit_t *visit;
    apr_status_t rv = session_to_change(&visit, r);

    return rv != APR_SUCCESS
               ? rv
               : set_value(visit, key, ss_json_quote(ss_bytes_of(text), visit->root->pool));
}

static apr_status_t signed_session_set_json(request_rec *r, const char *key, const char *json)
{
    ss_visit_t *visit;
    apr_status_t rv = session_to_change(&visit, r);

    return rv != APR_SUCCESS ? rv : set_value(visit, key, input_of(json, visit->root->pool));
}

static apr_status_t signed_session_unset(request_rec *r, const char *key)
{
    const ss_change_t change = { SS_CHANGE_UNSET, ss_bytes_of(key), ss_json_absent };
    ss_visit_t *visit;
    apr_status_t rv = session_to_change(&visit, r);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (ss_session_get(ss_visit_session(visit), change.name).raw.data == NULL) {
        return APR_NOTFOUND;
    }
    ss_visit_change(visit, &change);
    return APR_SUCCESS;
}

static apr_status_t signed_session_clear(request_rec *r)
{
    ss_visit_t *visit;
    apr_status_t rv = session_to_change(&visit, r);

    if (rv == APR_SUCCESS) {
        ss_visit_change(visit, &ss_change_end);
    }
    return rv;
}

static apr_status_t signed_session_patch(request_rec *r, const char *patch)
{
    ss_change_t change = { SS_CHANGE_MERGE, ss_absent, ss_json_absent };
    ss_visit_t *visit;
    apr_status_t rv = session_to_change(&visit, r);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    change.value = input_of(patch, r->pool);
    if (change.value.raw.data == NULL) {
        return SIGNED_SESSION_E_INVALID;
    }
    switch (ss_json_kind(change.value)) {
    case SS_JSON_NULL:
        return signed_session_clear(r);
    case SS_JSON_OBJECT:
        return ss_visit_change(visit, &change) ? APR_SUCCESS : SIGNED_SESSION_E_INVALID;
    default:
        return SIGNED_SESSION_E_INVALID;
    }
}

static int signed_session_api(void)
{
    return SIGNED_SESSION_API;
}

static apr_status_t signed_session_revoke(request_rec *r, const char *kind, const char *value)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);
    const char *why;
    apr_status_t rv;

    if (conf->sealing.seals == NULL) {
        return SIGNED_SESSION_E_OFF;
    }
    rv = ss_revoke(conf, kind, value == NULL ? ss_absent : ss_bytes_of(value), &why, r->pool);
    return rv == APR_EINVAL ? SIGNED_SESSION_E_INVALID : rv;
}

void ss_api_register(void)
{
    APR_REGISTER_OPTIONAL_FN(signed_session_api);
    APR_REGISTER_OPTIONAL_FN(signed_session_revoke);
    APR_REGISTER_OPTIONAL_FN(signed_session_state);
    APR_REGISTER_OPTIONAL_FN(signed_session_get);
    APR_REGISTER_OPTIONAL_FN(signed_session_get_json);
    APR_REGISTER_OPTIONAL_FN(signed_session_each);
    APR_REGISTER_OPTIONAL_FN(signed_session_set);
    APR_REGISTER_OPTIONAL_FN(signed_session_set_json);
    APR_REGISTER_OPTIONAL_FN(signed_session_unset);
    APR_REGISTER_OPTIONAL_FN(signed_session_clear);
    APR_REGISTER_OPTIONAL_FN(signed_session_patch);
}
