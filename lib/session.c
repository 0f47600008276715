/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/members.h"
#include "lib/session.h"

struct ss_session_t {
    apr_pool_t *pool;
    ss_document_t loaded;              /* what the cookie holds; without text when there is none */
    const apr_array_header_t *members; /* of the session: ss_json_member_t, no name twice */
    apr_array_header_t *own;           /* the same, once they may be changed; else NULL */
    ss_json_t json;                    /* of the members; absent until somebody asks */
    ss_json_t view;                    /* likewise, for readers */
    int reserves;                      /* is SS_SESSION_HIDDEN no member here? */
    ss_json_t hidden, loaded_hidden;   /* what stands there, now and in the cookie; or absent */
    int alike;                         /* may two names differ in nothing but case? */
    int differs;                       /* from the cookie; known once there is a json */
    int ended;                         /* since it was loaded */
    ss_stamp_t stamp;
    unsigned generation;
};

static const ss_stamp_t new_stamp = { SS_NO_TIME, SS_NO_TIME, { 0 }, 0, { 0 } };
static const apr_array_header_t no_members = { NULL, sizeof(ss_json_member_t), 0, 0, NULL };

/*
 * Life
 */

ss_session_t *ss_session_create(apr_pool_t *pool)
{
    ss_session_t *session = apr_pcalloc(pool, sizeof(*session));

    session->pool = pool;
    session->members = &no_members;
    session->stamp = new_stamp;
    return session;
}

ss_session_t *ss_session_of(const ss_document_t *document, const ss_stamp_t *stamp,
                            apr_pool_t *pool)
{
    ss_session_t *session = apr_pcalloc(pool, sizeof(*session));

    session->pool = pool;
    session->loaded = *document;
    session->members = document->members;
    session->json = document->value;
    session->view = document->is_compact ? document->value : ss_json_absent;
    session->alike = document->has_alike;
    session->stamp = *stamp;
    return session;
}

apr_status_t ss_session_load(ss_session_t **session, ss_bytes_t text, const ss_stamp_t *stamp,
                             apr_pool_t *pool)
{
    ss_document_t document;
    apr_status_t rv = ss_document_read(&document, text, pool);

    *session = rv == APR_SUCCESS ? ss_session_of(&document, stamp, pool) : NULL;
    return rv;
}

ss_session_t *ss_session_copy(const ss_session_t *session, apr_pool_t *pool)
{
    ss_session_t *copy = apr_pmemdup(pool, session, sizeof(*session));

    copy->pool = pool;
    if (session->own != NULL) {
        copy->members = copy->own = apr_array_copy(pool, session->own);
    }
    return copy;
}

/* The members, for one who may change them: what the cookie holds stays as it is. */
static apr_array_header_t *own_members(ss_session_t *session)
{
    if (session->own == NULL) {
        session->members = session->own = apr_array_copy(session->pool, session->members);
    }
    return session->own;
}

/*
 * What only modules see
 */

void ss_session_reserve(ss_session_t *session, int keep)
{
    int place = session->loaded.hidden;

    session->reserves = 1;
    if (place == 0) {
        return;
    }
    if (keep) {
        session->hidden = APR_ARRAY_IDX(session->members, place - 1, ss_json_member_t).value;
        session->loaded_hidden = session->hidden;
    }
    session->members = session->loaded.members =
        ss_members_without(session->members, place, session->pool);
    session->json = ss_json_print(session->members, session->pool);
    session->view = ss_json_absent;
    if (!keep) {
        /* as if the cookie had not held it */
        session->loaded.value = session->json;
        session->loaded.text = session->json.raw;
    }
}

int ss_session_is_reserved(const ss_session_t *session, ss_bytes_t name)
{
    return session->reserves && ss_bytes_equal(name, ss_bytes_of(SS_SESSION_HIDDEN));
}

ss_json_t ss_session_hidden(const ss_session_t *session)
{
    return session->hidden;
}

static int is_same_value(ss_json_t a, ss_json_t b, apr_pool_t *pool)
{
    if (a.raw.data == NULL || b.raw.data == NULL) {
        return a.raw.data == b.raw.data;
    }
    return a.raw.data == b.raw.data || ss_json_equal(a, b, pool);
}

/*
 * Reading
 */

/* Is this value still a slice of what the cookie holds? */
static int is_untouched(const ss_session_t *session, ss_json_t value)
{
    ss_bytes_t loaded = session->loaded.text;

    return value.raw.data >= loaded.data && value.raw.data < loaded.data + loaded.len;
}

/* The members whose values are no longer those of the cookie. */
static apr_array_header_t *touched_members(const ss_session_t *session)
{
    apr_array_header_t *touched = apr_array_make(session->pool, 1, sizeof(ss_json_member_t));

    for (int i = 0; i < session->members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(session->members, i, ss_json_member_t);

        if (!is_untouched(session, member->value)) {
            APR_ARRAY_PUSH(touched, ss_json_member_t) = *member;
        }
    }
    return touched;
}

/* Does the document mean something else than what the cookie holds? Only values that were touched
 * are compared. */
static int differs_from_cookie(const ss_session_t *session)
{
    const apr_array_header_t *loaded = session->loaded.members;

    if (session->loaded.text.data == NULL) {
        return !ss_session_is_empty(session);
    }
    if (session->members->nelts != loaded->nelts ||
        !is_same_value(session->hidden, session->loaded_hidden, session->pool)) {
        return 1;
    }
    return !ss_members_are_among(touched_members(session), loaded, session->pool);
}

/* Never changed, or set and set back: the cookie is still good, to the byte. */
static int is_as_loaded(const ss_session_t *session)
{
    return !session->differs && !session->ended && session->loaded.text.data != NULL;
}

ss_json_t ss_session_json(ss_session_t *session)
{
    if (session->json.raw.data != NULL) {
        return session->json;
    }

    session->differs = differs_from_cookie(session);
    if (session->members->nelts == 0) {
        session->json = ss_json_empty;
    }
    else if (is_as_loaded(session) && session->loaded_hidden.raw.data == NULL) {
        session->json = session->loaded.value;
    }
    else {
        session->json = ss_json_print(session->members, session->pool);
    }
    return session->json;
}

/* The members and what is hidden behind them. */
static ss_json_t print_whole(const ss_session_t *session)
{
    apr_array_header_t *all = apr_array_copy(session->pool, session->members);
    ss_json_member_t *member = apr_array_push(all);

    member->quoted.raw = ss_bytes_of("\"" SS_SESSION_HIDDEN "\"");
    member->value = session->hidden;
    return ss_json_print(all, session->pool);
}

ss_bytes_t ss_session_text(ss_session_t *session)
{
    ss_json_t json = ss_session_json(session); /* finds out whether it differs */

    if (is_as_loaded(session)) {
        return session->loaded.text;
    }
    return session->hidden.raw.data == NULL ? json.raw : print_whole(session).raw;
}

ss_json_t ss_session_view(ss_session_t *session)
{
    if (session->view.raw.data == NULL) {
        session->view =
            session->members->nelts == 0
                ? ss_json_empty
                : ss_json_compact(ss_session_json(session), SS_JSON_FINITE, session->pool);
    }
    return session->view;
}

const apr_array_header_t *ss_session_members(const ss_session_t *session)
{
    return session->members;
}

int ss_session_has_alike(const ss_session_t *session)
{
    return session->alike;
}

ss_json_t ss_session_get(const ss_session_t *session, ss_bytes_t name)
{
    const ss_json_member_t *member = ss_json_find(session->members, name);

    return member != NULL ? member->value : ss_json_absent;
}

const ss_stamp_t *ss_session_stamp(const ss_session_t *session)
{
    return &session->stamp;
}

apr_int64_t ss_session_created(const ss_session_t *session, apr_time_t now)
{
    int is_new = session->loaded.text.data == NULL || session->ended;

    return is_new && session->stamp.created == SS_NO_TIME ? apr_time_sec(now)
                                                          : session->stamp.created;
}

int ss_session_is_empty(const ss_session_t *session)
{
    return session->members->nelts == 0 && session->hidden.raw.data == NULL;
}

int ss_session_is_changed(ss_session_t *session)
{
    ss_session_json(session); /* finds out whether it differs */
    return session->differs || (session->ended && session->loaded.text.data != NULL);
}

unsigned ss_session_generation(const ss_session_t *session)
{
    return session->generation;
}

/*
 * Changing
 */

/* The document is another one. An empty one ends the session, so that what follows gets a new id.
 */
static void changed(ss_session_t *session)
{
    session->generation++;
    session->json = ss_json_absent;
    session->view = ss_json_absent;
    session->alike = 1;

    if (ss_session_is_empty(session)) {
        session->ended = 1;
        session->stamp = new_stamp;
    }
}

/* A compact copy that lives as long as the session. */
static ss_json_t keep(ss_session_t *session, ss_json_t value)
{
    ss_json_t compact = ss_json_compact(value, SS_JSON_AS_IS, session->pool);

    return compact.raw.data == value.raw.data ? ss_json_copy(value, session->pool) : compact;
}

int ss_session_set(ss_session_t *session, ss_bytes_t name, ss_json_t value)
{
    ss_members_set_e done;

    if (ss_session_is_reserved(session, name) || ss_json_depth(value) >= SS_JSON_DEPTH_MAX) {
        return 0;
    }
    done = ss_members_set(own_members(session), name, keep(session, value), session->pool);
    if (done == SS_MEMBERS_CHANGED) {
        changed(session);
    }
    return done != SS_MEMBERS_BAD_NAME;
}

int ss_session_unset(ss_session_t *session, ss_bytes_t name)
{
    int was_there = ss_members_unset(own_members(session), name);

    if (was_there) {
        changed(session);
    }
    return was_there;
}

/* May these be written: is there none that is reserved? */
static int may_write(const ss_session_t *session, const apr_array_header_t *members)
{
    return !session->reserves || ss_document_find_hidden(members) == 0;
}

typedef int change_fn(apr_array_header_t *members, const apr_array_header_t *changes,
                      apr_pool_t *pool);

/* Change each member that an object names. Returns whether that may be. */
static int change_members(ss_session_t *session, ss_json_t object, change_fn *change)
{
    const apr_array_header_t *changes = ss_json_members(keep(session, object), session->pool);

    if (changes == NULL) {
        return 1; /* no object: it changes nothing of a session */
    }
    if (!may_write(session, changes)) {
        return 0;
    }
    if (change(own_members(session), changes, session->pool)) {
        changed(session);
    }
    return 1;
}

int ss_session_merge(ss_session_t *session, ss_json_t patch)
{
    if (ss_json_kind(patch) == SS_JSON_NULL) {
        ss_session_clear(session);
        return 1;
    }
    return change_members(session, patch, ss_members_merge);
}

int ss_session_update(ss_session_t *session, ss_json_t object)
{
    return change_members(session, object, ss_members_update);
}

/* Is this what the session is, and all that it is? */
static int is_whole(ss_session_t *session, ss_json_t object)
{
    return session->hidden.raw.data == NULL &&
           ss_json_equal(ss_session_json(session), object, session->pool);
}

int ss_session_replace(ss_session_t *session, ss_json_t object)
{
    apr_array_header_t *members;

    object = keep(session, object);
    members = ss_json_members(object, session->pool);
    if (members == NULL || is_whole(session, object)) {
        return 1;
    }
    if (!may_write(session, members)) {
        return 0;
    }
    ss_members_keep_spelling(members, session->members, session->pool);
    session->members = session->own = members;
    session->hidden = ss_json_absent;
    changed(session);
    return 1;
}

int ss_session_hide(ss_session_t *session, ss_json_t object)
{
    if (!session->reserves) {
        return 0;
    }
    if (!is_same_value(session->hidden, object, session->pool)) {
        session->hidden = object.raw.data == NULL ? object : keep(session, object);
        changed(session);
    }
    return 1;
}

void ss_session_clear(ss_session_t *session)
{
    if (!ss_session_is_empty(session)) {
        session->members = &no_members;
        session->own = NULL;
        session->hidden = ss_json_absent;
        changed(session);
    }

    session->ended = 1;
    session->stamp = new_stamp;
}

static int is_among(const apr_array_header_t *names, ss_bytes_t name)
{
    for (int i = 0; names != NULL && i < names->nelts; i++) {
        if (ss_bytes_equal(ss_bytes_of(APR_ARRAY_IDX(names, i, const char *)), name)) {
            return 1;
        }
    }
    return 0;
}

void ss_session_begin_anew(ss_session_t *session, const apr_array_header_t *names)
{
    const apr_array_header_t *old = session->members;

    ss_session_clear(session);
    for (int i = 0; i < old->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(old, i, ss_json_member_t);

        if (is_among(names, member->name)) {
            APR_ARRAY_PUSH(own_members(session), ss_json_member_t) = *member;
            changed(session);
        }
    }
}

void ss_session_renew_identity(ss_session_t *session)
{
    if (!ss_session_is_empty(session)) {
        changed(session);
        session->ended = 1;
        session->stamp = new_stamp;
    }
}

void ss_session_stay_bound(ss_session_t *session, const ss_stamp_t *bound)
{
    ss_session_renew_identity(session);
    if (!ss_session_is_empty(session)) {
        session->stamp.counter = bound->counter;
        memcpy(session->stamp.id, bound->id, SS_SESSION_ID_SIZE);
        memcpy(session->stamp.point, bound->point, SS_POINT_SIZE);
    }
}

void ss_session_bind(ss_session_t *session, const unsigned char *point)
{
    apr_int64_t created = session->stamp.created;

    ss_session_renew_identity(session);
    if (!ss_session_is_empty(session)) {
        session->stamp.created = created;
        memcpy(session->stamp.point, point, SS_POINT_SIZE);
    }
}

int ss_session_is_due(const ss_session_t *session, const ss_lifetime_t *lifetime, apr_time_t now)
{
    return !ss_session_is_empty(session) && session->loaded.text.data != NULL && !session->ended &&
           ss_lifetime_is_due(&session->stamp, lifetime, now);
}
