/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/visit.h"
#include "lib/value.h"
#include "httpd/vars.h"
#include "lib/field.h"
#include "lib/json/json.h"
#include "lib/names.h"
#include "lib/out.h"

#define PREFIX_SIZE 8
#define VARIABLE_MAX 16000 /* bytes of a text: mod_proxy_fcgi drops variables over 16384 */
#define KEY_NOTE "session:"
#define KEY_VARIABLE "SESSION_"

_Static_assert(sizeof(KEY_NOTE) - 1 == PREFIX_SIZE && sizeof(KEY_VARIABLE) - 1 == PREFIX_SIZE,
               "both prefixes are copied with one size");

/** A session as it is shown in one kind of table, made once for each version of it and for every
 * request that it is shown to. */
typedef struct ss_rendered_t {
    const struct ss_rendered_t *older; /* of another version, or NULL */
    unsigned version;                  /* of the draft */
    const char *json, *state;          /* the whole session, and what the cookie was */
    const struct shown_t *keys;        /* `text` is terminated, or ss_absent */
    int count;
    const char *start, *end; /* all texts are between them */
} ss_rendered_t;

/* `visit` and `rendered` are NULL when nothing had to be loaded to see that there is no session. */

static const char *text_of(const ss_visit_t *visit, const ss_rendered_t *rendered)
{
    (void)visit;
    return rendered == NULL ? "{}" : rendered->json;
}

static const char *state_of(const ss_visit_t *visit, const ss_rendered_t *rendered)
{
    return rendered != NULL ? rendered->state
                            : ss_state_name(visit == NULL ? SS_NONE : visit->state);
}

/** What is shown of every session, besides its keys. The first note stands before the keys' notes,
 * the others behind them. */
static const struct {
    const char *note;
    const char *variable;
    const char *(*value)(const ss_visit_t *visit, const ss_rendered_t *rendered);
} vars[] = {
    /* clang-format off */
    { "session",       "SESSION",              text_of },
    { "session-state", "SIGNED_SESSION_STATE", state_of },
    /* clang-format on */
};

#define VARS ((int)(sizeof(vars) / sizeof(vars[0])))

/** A top-level key as it is shown. */
typedef struct shown_t {
    ss_bytes_t name; /* at first the key alone, then "session:KEY" or "SESSION_KEY", terminated */
    ss_bytes_t text; /* ss_absent: not shown alone */
} shown_t;

/** How keys are shown in one place. */
typedef struct showing_t {
    const char *prefix; /* PREFIX_SIZE bytes */
    int for_shells;     /* does every byte that no shell could use become an underscore? */
    int may_collide;    /* can two keys have the same name? */
} showing_t;

static ss_out_t put_terminated(ss_out_t out, ss_bytes_t text)
{
    out = ss_out_put(out, text);
    return ss_out_put_char(out, '\0');
}

static void replace_bytes(char *at, const char *end)
{
    for (; at < end; at++) {
        if (!apr_isascii(*at) || !apr_isalnum(*at)) {
            *at = '_';
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

            added->name = member->name;
            added->text =
                member->text.data != NULL ? member->text : ss_value_slice(member->value, pool);
            *room += PREFIX_SIZE + added->name.len + 1 + added->text.len + 1;
        }
    }
    return count;
}

/* Write each name, and its text behind it. */
static ss_out_t put_keys(ss_out_t out, shown_t *shown, int count, const showing_t *how)
{
    for (const shown_t *end = shown + count; shown < end; shown++) {
        ss_out_t start = out;

        out = ss_out_put(out, ss_bytes(how->prefix, PREFIX_SIZE));
        out = ss_out_put(out, shown->name);
        if (how->for_shells) {
            replace_bytes(start.at + PREFIX_SIZE, out.at);
        }
        shown->name = ss_out_slice(start, out);
        out = ss_out_put_char(out, '\0');
        if (shown->text.data != NULL) {
            const char *text = out.at;

            out = put_terminated(out, shown->text);
            shown->text.data = text;
        }
    }
    return out;
}

/* httpd's tables compare names without case: of several that are then the same, none is shown. */
static void drop_collisions(shown_t *shown, int count, apr_pool_t *pool)
{
    ss_index_t names = ss_index_create(count, pool);

    for (int i = 0; i < count; i++) {
        ss_index_add(&names, shown[i].name);
    }
    if (!ss_index_may_have_alike(&names, pool)) {
        return;
    }
    ss_index_sort(&names, pool);
    for (int i = 1; i < count; i++) {
        if (ss_index_is_alike(&names, i)) {
            shown[names.entries[i - 1].number].text = ss_absent;
            shown[names.entries[i].number].text = ss_absent;
        }
    }
}

static const ss_rendered_t *render(const ss_visit_t *visit, const showing_t *how,
                                   const ss_rendered_t *older)
{
    ss_session_t *session = ss_visit_session(visit);
    const apr_array_header_t *members = ss_session_members(session);
    ss_bytes_t json = ss_session_view(session).raw;
    ss_bytes_t state = ss_bytes_of(ss_state_name(visit->state));
    apr_pool_t *pool = visit->root->pool;
    ss_rendered_t *rendered = apr_palloc(pool, sizeof(*rendered));
    shown_t *shown = apr_palloc(pool, members->nelts * sizeof(*shown));
    apr_size_t room;
    ss_out_t out;

    rendered->older = older;
    rendered->version = ss_draft_version(visit->draft);
    rendered->count = gather(shown, &room, members, pool);
    rendered->keys = shown;
    out = ss_out_create(room + json.len + 1 + state.len + 1, pool);
    rendered->start = rendered->json = out.at;
    out = put_terminated(out, json);
    rendered->state = out.at;
    out = put_terminated(out, state);
    rendered->end = put_keys(out, shown, rendered->count, how).at;
    if (how->may_collide) {
        drop_collisions(shown, rendered->count, pool);
    }
    return rendered;
}

/* The session as it is now. */
static const ss_rendered_t *rendered_as(const ss_rendered_t **known, const ss_visit_t *visit,
                                        const showing_t *how)
{
    if (*known == NULL || (*known)->version != ss_draft_version(visit->draft)) {
        *known = render(visit, how, *known);
    }
    return *known;
}

typedef void put_fn(apr_table_t *table, const char *key, const char *value);

static void show_keys(apr_table_t *table, const ss_rendered_t *rendered)
{
    for (int i = 0; i < rendered->count; i++) {
        if (rendered->keys[i].text.data != NULL) {
            apr_table_addn(table, rendered->keys[i].name.data, rendered->keys[i].text.data);
        }
    }
}

void ss_vars_show_notes(request_rec *r, ss_visit_t *visit)
{
    /* usually nobody has set a note before, and nothing is to be replaced */
    put_fn *put_note = apr_is_empty_table(r->notes) ? apr_table_addn : apr_table_setn;
    const ss_rendered_t *rendered = NULL;

    if (visit != NULL) {
        const showing_t how = { KEY_NOTE, 0, ss_session_has_alike(ss_visit_session(visit)) };

        rendered = rendered_as(&visit->vars.as_notes, visit, &how);
    }
    put_note(r->notes, vars[0].note, vars[0].value(visit, rendered));
    if (rendered != NULL) {
        show_keys(r->notes, rendered);
    }
    for (int i = 1; i < VARS; i++) {
        put_note(r->notes, vars[i].note, vars[i].value(visit, rendered));
    }
    if (visit != NULL) {
        visit->vars.notes = apr_table_elts(r->notes)->nelts;
    }
}

/* A longer one would keep a script from being started, or be dropped by mod_proxy_fcgi. */
static int is_exportable(const char *text, request_rec *r, const ss_visit_t *visit)
{
    static volatile apr_uint32_t told;

    if (strlen(text) <= VARIABLE_MAX) {
        return 1;
    }
    if (ss_log_is_time(&told, visit->now)) {
        ss_log(
            r, APLOG_WARNING, "SS0420",
            "a variable of the session is missing in the environment: it would have more than %d "
            "bytes",
            VARIABLE_MAX);
    }
    return 0;
}

void ss_vars_export(request_rec *r, ss_visit_t *visit)
{
    static const showing_t how = { KEY_VARIABLE, 1, 1 };
    const ss_rendered_t *rendered = rendered_as(&visit->vars.as_variables, visit, &how);
    int all_fit = rendered->end - rendered->start <= VARIABLE_MAX;

    for (int i = 0; i < VARS; i++) {
        const char *text = vars[i].value(visit, rendered);

        if (all_fit || is_exportable(text, r, visit)) {
            apr_table_addn(r->subprocess_env, vars[i].variable, text);
        }
    }
    for (int i = 0; i < rendered->count; i++) {
        const shown_t *shown = &rendered->keys[i];

        if (shown->text.data != NULL && (all_fit || is_exportable(shown->text.data, r, visit))) {
            apr_table_addn(r->subprocess_env, shown->name.data, shown->text.data);
        }
    }
}

static int is_note(const char *name)
{
    for (int i = 0; i < VARS; i++) {
        if (strcmp(name, vars[i].note) == 0) {
            return 1;
        }
    }
    return strncmp(name, KEY_NOTE, PREFIX_SIZE) == 0;
}

void ss_vars_hide_notes(request_rec *r, ss_visit_t *visit)
{
    const apr_array_header_t *notes;

    if (visit->vars.notes == 0) {
        return;
    }
    notes = apr_array_copy(r->pool, apr_table_elts(r->notes));
    apr_table_clear(r->notes);
    for (int i = 0; i < notes->nelts; i++) {
        const apr_table_entry_t *note = &APR_ARRAY_IDX(notes, i, apr_table_entry_t);

        if (!is_note(note->key)) {
            apr_table_addn(r->notes, note->key, note->val);
        }
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
        if (ss_field_is_alike(name, vars[i].variable)) {
            return 1;
        }
    }
    return ss_field_behind(name, KEY_VARIABLE) != NULL;
}

int ss_vars_is_export(const ss_visit_t *visit, const char *value)
{
    const ss_rendered_t *rendered = visit == NULL ? NULL : visit->vars.as_variables;

    /* httpd hands variables on from request to request, with their texts as they are */
    for (; rendered != NULL; rendered = rendered->older) {
        if (value >= rendered->start && value < rendered->end) {
            return 1;
        }
    }
    return 0;
}
