/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/guard.h"
#include "httpd/hide.h"
#include "httpd/request.h"
#include "httpd/rules.h"
#include "httpd/update.h"
#include "httpd/value.h"
#include "httpd/vars.h"
#include "lib/json.h"
#include "lib/names.h"

#define KEY_NOTE "session:"
#define KEY_VARIABLE "SESSION_"
#define REDIRECT "REDIRECT_"
#define HEADER "HTTP_"

static const char *text_of(ss_request_t *req)
{
    ss_bytes_t view = ss_session_view(req->session);

    return apr_pstrmemdup(req->root->pool, view.data, view.len);
}

static const char *state_of(ss_request_t *req)
{
    return ss_state_name(req->state);
}

/** What is shown of every session, besides its keys. */
static const struct {
    const char *note;
    const char *variable;
    const char *(*value)(ss_request_t *req);
} vars[] = {
    /* clang-format off */
    { "session",       "SESSION",              text_of },
    { "session-state", "SIGNED_SESSION_STATE", state_of },
    /* clang-format on */
};

#define VARS ((int)(sizeof(vars) / sizeof(vars[0])))

/** A top-level key as it is shown. */
typedef struct shown_t {
    ss_bytes_t name;   /* "session:KEY" or "SESSION_KEY", terminated */
    const char *value; /* NULL: another key has the same name, so neither is shown alone */
} shown_t;

static char *prefixed(const char *prefix, apr_size_t len, ss_bytes_t key, apr_pool_t *pool)
{
    char *name = apr_palloc(pool, len + key.len + 1);

    memcpy(name, prefix, len);
    memcpy(name + len, key.data, key.len);
    name[len + key.len] = '\0';
    return name;
}

static char *note_name(ss_bytes_t key, apr_pool_t *pool)
{
    return prefixed(KEY_NOTE, sizeof(KEY_NOTE) - 1, key, pool);
}

/* Every byte that no shell could use becomes an underscore. */
static char *variable_name(ss_bytes_t key, apr_pool_t *pool)
{
    char *name = prefixed(KEY_VARIABLE, sizeof(KEY_VARIABLE) - 1, key, pool);

    for (char *at = name + sizeof(KEY_VARIABLE) - 1; *at != '\0'; at++) {
        if (!apr_isascii(*at) || !apr_isalnum(*at)) {
            *at = '_';
        }
    }
    return name;
}

/* httpd's tables compare names without case: of two names that are then the same, none is shown. */
static void drop_collisions(apr_array_header_t *shown, shown_t *added)
{
    for (int i = 0; i < shown->nelts - 1; i++) {
        shown_t *other = &APR_ARRAY_IDX(shown, i, shown_t);

        if (other->name.len == added->name.len &&
            strcasecmp(other->name.data, added->name.data) == 0) {
            other->value = added->value = NULL;
        }
    }
}

/* `may_collide`: can two keys have the same name? */
static void show_keys(apr_table_t *table, ss_request_t *req, int may_collide,
                      char *(*name_of)(ss_bytes_t key, apr_pool_t *pool))
{
    const apr_array_header_t *members = ss_session_members(req->session);
    apr_pool_t *pool = req->root->pool;
    apr_array_header_t *shown;
    ss_names_t names = { { 0 } };

    if (members->nelts == 0) {
        return;
    }
    shown = apr_array_make(pool, members->nelts, sizeof(shown_t));
    for (int i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (ss_json_is_plain(member->name)) {
            shown_t *added = apr_array_push(shown);

            added->name = ss_bytes_of(name_of(member->name, pool));
            added->value = ss_value_text(member->value, pool);
            if (may_collide && ss_names_add(&names, added->name)) {
                drop_collisions(shown, added);
            }
        }
    }
    for (int i = 0; i < shown->nelts; i++) {
        const shown_t *key = &APR_ARRAY_IDX(shown, i, shown_t);

        if (key->value != NULL) {
            apr_table_addn(table, key->name.data, key->value);
        }
    }
}

static void publish_notes(request_rec *r, ss_request_t *req)
{
    for (int i = 0; i < VARS; i++) {
        apr_table_setn(r->notes, vars[i].note, vars[i].value(req));
    }
    show_keys(r->notes, req, ss_session_has_alike(req->session), note_name);
}

static void publish_environment(request_rec *r, ss_request_t *req)
{
    for (int i = 0; i < VARS; i++) {
        apr_table_setn(r->subprocess_env, vars[i].variable, vars[i].value(req));
    }
    show_keys(r->subprocess_env, req, 1, variable_name);
    req->shown = 1;
}

static int is_our_variable(const char *name)
{
    for (int i = 0; i < VARS; i++) {
        if (strcmp(name, vars[i].variable) == 0) {
            return 1;
        }
    }
    return strncmp(name, KEY_VARIABLE, sizeof(KEY_VARIABLE) - 1) == 0;
}

/* What of a variable of an earlier request this one may see; NULL: nothing. An earlier script's
 * request headers are among them. */
static const char *still_shown(request_rec *r, const char *name, const char *value)
{
    while (strncmp(name, REDIRECT, sizeof(REDIRECT) - 1) == 0) {
        name += sizeof(REDIRECT) - 1;
    }
    if (strcmp(name, HEADER "COOKIE") == 0) {
        return ss_hide_in(r, value);
    }
    if (strncmp(name, HEADER, sizeof(HEADER) - 1) == 0) {
        return ss_guard_covers(r, name + sizeof(HEADER) - 1) ? NULL : value;
    }
    return is_our_variable(name) ? NULL : value;
}

/* A subrequest inherits the environment, a redirected request gets it with REDIRECT_ in front: what
 * an earlier request of the chain was shown is not for this one, unless it says so itself. */
static void withdraw_environment(request_rec *r)
{
    const apr_array_header_t *entries = apr_table_elts(r->subprocess_env);
    apr_table_t *kept = apr_table_make(r->pool, entries->nelts);

    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);
        const char *value = still_shown(r, entry->key, entry->val);

        if (value != NULL) {
            apr_table_addn(kept, entry->key, value);
        }
    }
    r->subprocess_env = kept;
}

/* A later request of the chain, or a subrequest: what an earlier one was shown is not for it. */
static void withdraw(request_rec *r)
{
    const ss_request_t *req = ss_request_find(r);

    if (req != NULL && (req->shown || req->hide != SS_HIDE_NOTHING)) {
        withdraw_environment(r);
    }
    ss_guard_scrub(r);
}

int ss_vars_begin(request_rec *r)
{
    if (r->prev != NULL) {
        ss_update_take_predecessor(r);
        ss_hide_decide(r->prev); /* it may have been refused before its fixups */
        ss_hide_restore(r);
    }
    ss_guard_scrub(r);
    return DECLINED;
}

int ss_vars_publish(request_rec *r)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);
    ss_request_t *req = NULL;

    if (dir->mode != SS_OFF) {
        req = ss_request_get(r);
        if (req == NULL) {
            ss_log(r, APLOG_CRIT, "SS0112", "sessions cannot be used here: %s",
                   ss_server_conf(r->server)->unusable);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    ss_hide_decide(r);
    if (r->prev != NULL || r->main != NULL) {
        withdraw(r);
    }
    if (r->main == NULL && ss_server_conf(r->server)->has_rules) {
        ss_rules_note_step(r);
    }
    if (req != NULL) {
        publish_notes(r, req);
        if (dir->env) {
            publish_environment(r, req);
        }
        ss_guard_forward(r);
    }
    return DECLINED;
}
