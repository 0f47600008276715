/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/visit.h"
#include "lib/value.h"
#include "httpd/vars.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/out.h"

#define PREFIX_SIZE 8
#define KEY_NOTE "session:"
#define KEY_VARIABLE "SESSION_"

_Static_assert(sizeof(KEY_NOTE) - 1 == PREFIX_SIZE && sizeof(KEY_VARIABLE) - 1 == PREFIX_SIZE,
               "both prefixes are copied with one size");

/* `visit` is NULL when nothing had to be loaded to see that there is no session. */

static const char *text_of(ss_visit_t *visit)
{
    ss_bytes_t view;

    if (visit == NULL || ss_session_is_empty(ss_visit_session(visit))) {
        return "{}";
    }
    view = ss_session_view(ss_visit_session(visit)).raw;
    return apr_pstrmemdup(visit->root->pool, view.data, view.len);
}

static const char *state_of(ss_visit_t *visit)
{
    return ss_state_name(visit == NULL ? SS_NONE : visit->state);
}

/** What is shown of every session, besides its keys. The first note stands before the keys' notes,
 * the others behind them. */
static const struct {
    const char *note;
    const char *variable;
    const char *(*value)(ss_visit_t *visit);
} vars[] = {
    /* clang-format off */
    { "session",       "SESSION",              text_of },
    { "session-state", "SIGNED_SESSION_STATE", state_of },
    /* clang-format on */
};

#define VARS ((int)(sizeof(vars) / sizeof(vars[0])))

/** A top-level key as it is shown. */
typedef struct shown_t {
    ss_bytes_t key;
    ss_bytes_t text; /* ss_absent: not shown alone */
    ss_bytes_t name; /* "session:KEY" or "SESSION_KEY", terminated */
} shown_t;

/** How keys are shown in one place. */
typedef struct showing_t {
    const char *prefix; /* PREFIX_SIZE bytes */
    int for_shells;     /* does every byte that no shell could use become an underscore? */
    int may_collide;    /* can two keys have the same name? */
} showing_t;

static void replace_bytes(char *at, const char *end)
{
    for (; at < end; at++) {
        if (!apr_isascii(*at) || !apr_isalnum(*at)) {
            *at = '_';
        }
    }
}

/* httpd's tables compare names without case: of two names that are then the same, none is shown. */
static void drop_collisions(shown_t *shown, int count, shown_t *added)
{
    for (int i = 0; i < count; i++) {
        if (shown[i].name.len == added->name.len &&
            ap_cstr_casecmp(shown[i].name.data, added->name.data) == 0) {
            shown[i].text = added->text = ss_absent;
        }
    }
}

/* Which keys can be shown, and how? Returns how many. `room`: bytes of their names and texts. */
static int gather(shown_t *shown, apr_size_t *room, const apr_array_header_t *members,
                  apr_pool_t *pool)
{
    int count = 0;

    *room = 0;
    for (int i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (member->is_simple || ss_json_is_plain(member->name)) {
            shown_t *added = &shown[count++];

            added->key = member->name;
            added->text =
                member->text.data != NULL ? member->text : ss_value_slice(member->value, pool);
            *room += PREFIX_SIZE + added->key.len + 1 + added->text.len + 1;
        }
    }
    return count;
}

/* Write the names, one behind the other. */
static ss_out_t put_names(ss_out_t out, shown_t *shown, int count, const showing_t *how)
{
    ss_names_t names = { { 0 } };

    for (int i = 0; i < count; i++) {
        ss_out_t start = out;

        out = ss_out_put(out, ss_bytes(how->prefix, PREFIX_SIZE));
        out = ss_out_put(out, shown[i].key);
        if (how->for_shells) {
            replace_bytes(start.at + PREFIX_SIZE, out.at);
        }
        shown[i].name = ss_out_slice(start, out);
        out = ss_out_put_char(out, '\0');
        if (how->may_collide && ss_names_add(&names, shown[i].name)) {
            drop_collisions(shown, i, &shown[i]);
        }
    }
    return out;
}

static void show_keys(apr_table_t *table, ss_visit_t *visit, const showing_t *how)
{
    const apr_array_header_t *members = ss_session_members(ss_visit_session(visit));
    apr_pool_t *pool = visit->root->pool;
    apr_size_t room;
    shown_t *shown;
    ss_out_t out;
    int count;

    if (members->nelts == 0) {
        return;
    }
    shown = apr_palloc(pool, members->nelts * sizeof(*shown));
    count = gather(shown, &room, members, pool);
    out = put_names(ss_out_create(room, pool), shown, count, how);
    for (int i = 0; i < count; i++) {
        if (shown[i].text.data != NULL) {
            apr_table_addn(table, shown[i].name.data, out.at);
            out = ss_out_put(out, shown[i].text);
            out = ss_out_put_char(out, '\0');
        }
    }
}

typedef void put_fn(apr_table_t *table, const char *key, const char *value);

static void publish_notes(request_rec *r, ss_visit_t *visit)
{
    /* usually nobody has set a note before, and nothing is to be replaced */
    put_fn *put = apr_is_empty_table(r->notes) ? apr_table_addn : apr_table_setn;

    put(r->notes, vars[0].note, vars[0].value(visit));
    if (visit != NULL) {
        const showing_t how = { KEY_NOTE, 0, ss_session_has_alike(ss_visit_session(visit)) };

        show_keys(r->notes, visit, &how);
    }
    for (int i = 1; i < VARS; i++) {
        put(r->notes, vars[i].note, vars[i].value(visit));
    }
    if (visit != NULL) {
        visit->vars.notes = apr_table_elts(r->notes)->nelts;
    }
}

static void publish_environment(request_rec *r, ss_visit_t *visit)
{
    const showing_t how = { KEY_VARIABLE, 1, 1 };

    for (int i = 0; i < VARS; i++) {
        apr_table_setn(r->subprocess_env, vars[i].variable, vars[i].value(visit));
    }
    show_keys(r->subprocess_env, visit, &how);
    visit->vars.exported = 1;
}

void ss_vars_publish(request_rec *r, ss_visit_t *visit)
{
    publish_notes(r, visit);
    if (ss_dir_conf(r)->env) {
        publish_environment(r, visit);
    }
}

int ss_vars_are_alone(const request_rec *r, const ss_visit_t *visit)
{
    const apr_array_header_t *notes = apr_table_elts(r->notes);
    const apr_table_entry_t *note = (const apr_table_entry_t *)notes->elts;
    int count = visit != NULL ? visit->vars.notes : VARS;

    return count > 0 && notes->nelts == count && note[0].key == vars[0].note &&
           note[count - 1].key == vars[VARS - 1].note;
}

int ss_vars_is_variable(const char *name)
{
    for (int i = 0; i < VARS; i++) {
        if (strcmp(name, vars[i].variable) == 0) {
            return 1;
        }
    }
    return strncmp(name, KEY_VARIABLE, PREFIX_SIZE) == 0;
}
