/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/counters.h"
#include "httpd/log.h"
#include "httpd/visit.h"
#include "httpd/update.h"
#include "httpd/vars.h"
#include "lib/json/json.h"

#define NOTE "session-update"

/** The values of one response header in both tables of a request. */
typedef struct found_t {
    int count;
    const char *value;
} found_t;

static int note_value(void *found_, const char *name, const char *value)
{
    found_t *found = found_;

    (void)name;
    found->count++;
    found->value = value;
    return 1;
}

/* Returns NULL, or the first key of the patch that may not be touched here. */
static const char *forbidden_key(ss_json_t patch, const ss_keys_t *keys, apr_pool_t *pool)
{
    const apr_array_header_t *members = keys->all ? NULL : ss_json_members(patch, pool);

    if (members == NULL) {
        return NULL;
    }
    for (int i = 0; i < members->nelts; i++) {
        ss_bytes_t name = APR_ARRAY_IDX(members, i, ss_json_member_t).name;

        if (!ss_keys_include(keys, name)) {
            return apr_pstrmemdup(pool, name.data, name.len);
        }
    }
    return NULL;
}

/* Returns NULL, or why that may not be: an update must not make what only others may write. */
static const char *merge(ss_visit_t *visit, ss_json_t patch)
{
    const ss_change_t change = { SS_CHANGE_MERGE, ss_absent, patch };
    ss_draft_mark_t mark = ss_visit_mark(visit);
    ss_session_t *before = ss_session_copy(ss_visit_session(visit), visit->root->pool);

    if (!ss_visit_change(visit, &change)) {
        return "modules of httpd keep their entries in \"" SS_SESSION_HIDDEN
               "\", and nobody else may write it";
    }
    if (ss_visit_made_tag(visit, before, patch)) {
        ss_visit_return(visit, mark);
        return "an object whose only key begins with a blank is a type tag in this format, which "
               "only the application may write";
    }
    return NULL;
}

/* The patch that a text is. Returns NULL, or why it is no update. */
static const char *fault_of(ss_json_t *patch, ss_bytes_t text, const ss_keys_t *keys,
                            apr_pool_t *pool)
{
    ss_json_error_t error;
    const char *key;

    *patch = ss_json_absent;
    if (text.len > SS_BODY_MAX) {
        return apr_psprintf(pool, "it has %" APR_SIZE_T_FMT " bytes, at most %d are accepted",
                            text.len, SS_BODY_MAX);
    }
    if (ss_json_check_input(patch, text, &error, pool) != APR_SUCCESS) {
        return apr_psprintf(pool,
                            "it is not acceptable JSON: at byte %" APR_SIZE_T_FMT ", expected %s",
                            error.offset, error.wanted);
    }
    if (ss_json_kind(*patch) != SS_JSON_OBJECT && ss_json_kind(*patch) != SS_JSON_NULL) {
        return "it is neither a JSON object nor null";
    }
    key = forbidden_key(*patch, keys, pool);
    if (key != NULL) {
        return apr_psprintf(pool, "the key \"%s\" may not be changed from here",
                            ap_escape_logitem(pool, key));
    }
    return NULL;
}

static void apply(request_rec *r, const char *where, const char *text, const ss_keys_t *keys)
{
    ss_visit_t *visit;
    ss_json_t patch;
    const char *fault;

    if (!ss_visit_may_change(r)) {
        ss_count(SS_COUNT_REFUSALS + SS_REFUSED_READ_ONLY);
        ss_log(r, APLOG_WARNING, "SS0304",
               "the update in %s was dropped, because sessions are off or read-only here: add "
               "\"SignedSession On\" to this location",
               where);
        return;
    }
    if (ss_visit_enter(&visit, r) != SS_ACCESS_READY) {
        return; /* fixups have refused the request, and said why */
    }
    fault = fault_of(&patch, ss_bytes_of(text), keys, r->pool);
    if (fault == NULL && ss_json_kind(patch) == SS_JSON_NULL) {
        ss_visit_change(visit, &ss_change_end);
    }
    else if (fault == NULL) {
        fault = merge(visit, patch);
    }
    if (fault != NULL) {
        ss_count(SS_COUNT_REFUSALS + SS_REFUSED_BAD_UPDATE);
        ss_log(r, APLOG_ERR, "SS0303", "the update in %s was ignored: %s", where, fault);
    }
}

/* A table finds its keys by how they begin, and here most begin with "session". */
const char *ss_update_note(const request_rec *r, const ss_visit_t *visit)
{
    return ss_vars_are_alone(r, visit) ? NULL : apr_table_get(r->notes, NOTE);
}

static void take_note(request_rec *r, int is_heard)
{
    static const ss_keys_t every_key = { 1, NULL };
    const char *text = ss_update_note(r, ss_visit_loaded(r));

    if (text != NULL) {
        apr_table_unset(r->notes, NOTE);
        if (!is_heard) {
            apply(r, "the note " NOTE, text, &every_key);
        }
    }
}

static int came_from_cache(const request_rec *r)
{
    const char *age = apr_table_get(r->headers_out, "Age");

    if (age == NULL) {
        age = apr_table_get(r->err_headers_out, "Age");
    }
    return age != NULL && apr_atoi64(age) > 0;
}

/* Whether or not it counts here, an update header never leaves the server. */
static void take_header(request_rec *r, const char *name, int is_heard)
{
    const ss_update_conf_t *update = &ss_dir_conf(r)->update;
    found_t found = { 0, NULL };
    const char *where;

    apr_table_do(note_value, &found, r->headers_out, name, NULL);
    apr_table_do(note_value, &found, r->err_headers_out, name, NULL);
    if (found.count == 0) {
        return;
    }
    apr_table_unset(r->headers_out, name);
    apr_table_unset(r->err_headers_out, name);
    where = apr_pstrcat(r->pool, "the response header ", name, NULL);
    if (is_heard) {
        ss_log(r, APLOG_DEBUG, "SS0305", "%s was removed: no application has sent it", where);
    }
    else if (update->header == NULL || ap_cstr_casecmp(update->header, name) != 0) {
        ss_log(r, APLOG_DEBUG, "SS0305", "%s was removed: it is no update header here", where);
    }
    else if (found.count > 1) {
        ss_log(r, APLOG_ERR, "SS0303", "the update in %s was ignored: it stands there %d times",
               where, found.count);
    }
    else if (came_from_cache(r)) {
        ss_log(r, APLOG_ERR, "SS0303",
               "the update in %s was ignored: the response came out of a cache", where);
    }
    else {
        apply(r, where, found.value, &update->keys);
    }
}

/* Only what the handler itself left counts. When a response is prepared a second time, mod_headers
 * has been there, which any author of .htaccess may tell to set a header or a note. */
static void take_from_one(request_rec *r)
{
    const apr_array_header_t *updates = ss_server_conf(r->server)->gathered.updates;
    ss_step_t *step = ss_visit_step(r);

    take_note(r, step->heard);
    for (int i = 0; i < updates->nelts; i++) {
        take_header(r, APR_ARRAY_IDX(updates, i, const char *), step->heard);
    }
    step->heard = 1;
}

void ss_update_take(request_rec *r)
{
    request_rec *last = r;

    /* An error document that fails leaves the answer to the request that it was meant for. What
     * stands in the table that they share was written by the last of them. */
    while (last->next != NULL) {
        last = last->next;
    }
    for (; last != r; last = last->prev) {
        take_from_one(last);
    }
    take_from_one(r);
}

void ss_update_take_predecessor(request_rec *r)
{
    take_from_one(r->prev);
}

void ss_update_drop(request_rec *r)
{
    ss_visit_step(r)->heard = 1;
    take_from_one(r);
}
