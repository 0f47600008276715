/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/session.h"

#include <apr_cstr.h>
#include <apr_strings.h>

#include "lib/names.h"

#define MEMBERS_AT_FIRST 8

struct ss_session_t {
    apr_pool_t *pool;
    ss_bytes_t loaded;           /* what the cookie holds; {NULL, 0} without a cookie */
    int loaded_count;            /* members there */
    apr_array_header_t *members; /* the document: ss_json_member_t, no name twice */
    ss_bytes_t text;             /* of the members; {NULL, 0} until somebody asks */
    ss_bytes_t view;             /* likewise, for readers */
    int alike;                   /* may two names differ in nothing but case? */
    int differs;                 /* from the cookie; known once there is a text */
    int ended;                   /* since it was loaded */
    ss_stamp_t stamp;
    ss_stamp_t loaded_stamp;
    unsigned generation;
};

static const ss_bytes_t absent = { NULL, 0 };
static const ss_stamp_t new_stamp = { SS_NO_TIME, SS_NO_TIME, { 0 }, 0 };

/*
 * Life
 */

ss_session_t *ss_session_create(apr_pool_t *pool)
{
    ss_session_t *session = apr_pcalloc(pool, sizeof(*session));

    session->pool = pool;
    session->members = apr_array_make(pool, MEMBERS_AT_FIRST, sizeof(ss_json_member_t));
    session->stamp = new_stamp;
    return session;
}

/* Among `count` members: drop one that is called `name`, and tell whether another one is called the
 * same but for case. */
static int drop_double(ss_json_member_t *members, int count, ss_bytes_t name)
{
    int alike = 0;

    while (--count >= 0) {
        if (ss_bytes_equal(members[count].name, name)) {
            members[count].value = absent;
        }
        else if (members[count].name.len == name.len &&
                 apr_cstr_casecmpn(members[count].name.data, name.data, name.len) == 0) {
            alike = 1;
        }
    }
    return alike;
}

/* Of members with one name keep the last, as frameworks do when they read. Usually there are none,
 * and the set of names already says so. Returns whether two names differ in nothing but case. */
static int drop_doubles(apr_array_header_t *members)
{
    ss_json_member_t *member = (ss_json_member_t *)members->elts;
    ss_names_t names = { { 0 } };
    int count = 0, alike = 0, i;

    for (i = 0; i < members->nelts; i++) {
        if (ss_names_add(&names, member[i].name)) {
            alike |= drop_double(member, i, member[i].name);
        }
    }

    for (i = 0; i < members->nelts; i++) {
        if (member[i].value.data != NULL) {
            member[count++] = member[i];
        }
    }
    members->nelts = count;
    return alike;
}

apr_status_t ss_session_load(ss_session_t **session, ss_bytes_t text, const ss_stamp_t *stamp,
                             apr_pool_t *pool)
{
    apr_array_header_t *members;
    apr_status_t rv;
    int alike;

    *session = NULL;

    rv = ss_json_members(&members, text, SS_JSON_PYTHON, NULL, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    alike = drop_doubles(members);

    *session = apr_pcalloc(pool, sizeof(**session));
    (*session)->pool = pool;
    (*session)->loaded = (*session)->text = text;
    (*session)->loaded_count = members->nelts;
    (*session)->alike = alike;
    (*session)->members = members;
    (*session)->stamp = (*session)->loaded_stamp = *stamp;
    return APR_SUCCESS;
}

ss_session_t *ss_session_copy(const ss_session_t *session, apr_pool_t *pool)
{
    ss_session_t *copy = apr_pmemdup(pool, session, sizeof(*session));

    copy->pool = pool;
    copy->members = apr_array_copy(pool, session->members);
    return copy;
}

/*
 * Reading
 */

static char *put_bytes(char *out, ss_bytes_t bytes)
{
    memcpy(out, bytes.data, bytes.len);
    return out + bytes.len;
}

static ss_bytes_t print_members(const apr_array_header_t *members, apr_pool_t *pool)
{
    const ss_json_member_t *member = (const ss_json_member_t *)members->elts;
    apr_size_t size = sizeof("{}");
    char *text, *out;
    int i;

    for (i = 0; i < members->nelts; i++) {
        size += member[i].quoted.len + member[i].value.len + sizeof(":,");
    }

    text = out = apr_palloc(pool, size);
    *out++ = '{';
    for (i = 0; i < members->nelts; i++) {
        if (i > 0) {
            *out++ = ',';
        }
        out = put_bytes(out, member[i].quoted);
        *out++ = ':';
        out = put_bytes(out, member[i].value);
    }
    *out++ = '}';

    return ss_bytes(text, out - text);
}

/* Is this value still a slice of what the cookie holds? */
static int is_untouched(const ss_session_t *session, ss_bytes_t value)
{
    return value.data >= session->loaded.data &&
           value.data < session->loaded.data + session->loaded.len;
}

/* The value that the cookie holds for a name; of duplicates the last counts. */
static ss_bytes_t loaded_value(const apr_array_header_t *loaded, ss_bytes_t name)
{
    int i;

    for (i = loaded->nelts - 1; i >= 0; i--) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(loaded, i, ss_json_member_t);

        if (ss_bytes_equal(member->name, name)) {
            return member->value;
        }
    }
    return absent;
}

/* Does the document mean something else than what the cookie holds? Only values that were touched
 * are compared. */
static int differs_from_cookie(ss_session_t *session)
{
    apr_array_header_t *loaded = NULL;
    int i;

    if (session->loaded.data == NULL) {
        return !ss_session_is_empty(session);
    }
    if (session->members->nelts != session->loaded_count) {
        return 1;
    }
    for (i = 0; i < session->members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(session->members, i, ss_json_member_t);
        ss_bytes_t before;

        if (is_untouched(session, member->value)) {
            continue;
        }
        if (loaded == NULL) {
            ss_json_members(&loaded, session->loaded, SS_JSON_PYTHON, NULL, session->pool);
        }
        before = loaded_value(loaded, member->name);
        if (before.data == NULL || !ss_json_equal(before, member->value, session->pool)) {
            return 1;
        }
    }
    return 0;
}

ss_bytes_t ss_session_text(ss_session_t *session)
{
    if (session->text.data != NULL) {
        return session->text;
    }

    session->differs = differs_from_cookie(session);
    if (ss_session_is_empty(session)) {
        session->text = ss_bytes("{}", 2);
    }
    /* set and set back: the cookie is still good, to the byte */
    else if (!session->differs && !session->ended && session->loaded.data != NULL) {
        session->text = session->loaded;
    }
    else {
        session->text = print_members(session->members, session->pool);
    }
    return session->text;
}

ss_bytes_t ss_session_view(ss_session_t *session)
{
    if (session->view.data == NULL) {
        session->view =
            ss_session_is_empty(session)
                ? ss_bytes("{}", 2)
                : ss_json_compact(ss_session_text(session), SS_JSON_FINITE, session->pool);
    }

    return session->view;
}

const apr_array_header_t *ss_session_members(const ss_session_t *session)
{
    return session->members;
}

static ss_json_member_t *find(const ss_session_t *session, ss_bytes_t name)
{
    ss_json_member_t *member = (ss_json_member_t *)session->members->elts;
    int i;

    for (i = 0; i < session->members->nelts; i++) {
        if (ss_bytes_equal(member[i].name, name)) {
            return &member[i];
        }
    }

    return NULL;
}

int ss_session_has_alike(const ss_session_t *session)
{
    return session->alike;
}

ss_bytes_t ss_session_get(const ss_session_t *session, ss_bytes_t name)
{
    const ss_json_member_t *member = find(session, name);

    return member != NULL ? member->value : absent;
}

const ss_stamp_t *ss_session_stamp(const ss_session_t *session)
{
    return &session->stamp;
}

int ss_session_is_empty(const ss_session_t *session)
{
    return session->members->nelts == 0;
}

int ss_session_is_changed(ss_session_t *session)
{
    ss_session_text(session); /* finds out whether it differs */

    return session->differs || (session->ended && session->loaded.data != NULL);
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
    session->text = absent;
    session->view = absent;
    session->alike = 1;

    if (ss_session_is_empty(session)) {
        session->ended = 1;
        session->stamp = new_stamp;
    }
}

/* A compact copy that lives as long as the session. There is no white space around it either. */
static ss_bytes_t keep(ss_session_t *session, ss_bytes_t value)
{
    ss_bytes_t compact = ss_json_compact(value, 0, session->pool);

    if (compact.data == value.data) {
        compact.data = apr_pmemdup(session->pool, value.data, value.len);
    }
    return compact;
}

static void remove_member(ss_session_t *session, ss_json_member_t *member)
{
    apr_array_header_t *members = session->members;
    const ss_json_member_t *end = (ss_json_member_t *)members->elts + members->nelts;

    memmove(member, member + 1, (const char *)end - (const char *)(member + 1));
    members->nelts--;
}

int ss_session_set(ss_session_t *session, ss_bytes_t name, ss_bytes_t value)
{
    ss_json_member_t *member = find(session, name);

    if (ss_json_depth(value) >= SS_JSON_DEPTH_MAX) {
        return 0;
    }
    value = keep(session, value);
    if (member == NULL) {
        ss_bytes_t quoted = ss_json_quote(name, session->pool);

        if (quoted.data == NULL) {
            return 0; /* not UTF-8: nothing that JSON could hold */
        }
        member = apr_array_push(session->members);
        member->quoted = quoted;
        member->name = ss_json_decode(quoted, session->pool);
    }
    else if (ss_json_equal(member->value, value, session->pool)) {
        return 1;
    }

    member->value = value;
    changed(session);
    return 1;
}

int ss_session_unset(ss_session_t *session, ss_bytes_t name)
{
    ss_json_member_t *member = find(session, name);

    if (member == NULL) {
        return 0;
    }

    remove_member(session, member);
    changed(session);
    return 1;
}

/* Apply one member of a merge patch; returns whether that changed anything. */
static int merge_member(ss_session_t *session, const ss_json_member_t *patch)
{
    ss_json_member_t *member = find(session, patch->name);
    ss_bytes_t value;

    if (ss_json_kind(patch->value) == SS_JSON_NULL) {
        if (member != NULL) {
            remove_member(session, member);
        }
        return member != NULL;
    }

    value = ss_json_merge(member != NULL ? member->value : absent, patch->value, session->pool);
    if (member == NULL) {
        member = apr_array_push(session->members);
        *member = *patch;
    }
    else if (ss_json_equal(member->value, value, session->pool)) {
        return 0;
    }
    member->value = value;
    return 1;
}

void ss_session_merge(ss_session_t *session, ss_bytes_t patch)
{
    apr_array_header_t *members;
    int count = 0, i;

    patch = keep(session, patch);
    if (ss_json_kind(patch) == SS_JSON_NULL) {
        ss_session_clear(session);
        return;
    }
    if (ss_json_members(&members, patch, 0, NULL, session->pool) != APR_SUCCESS) {
        return; /* neither an object nor null: no patch of a session */
    }

    for (i = 0; i < members->nelts; i++) {
        count += merge_member(session, &APR_ARRAY_IDX(members, i, ss_json_member_t));
    }
    if (count > 0) {
        changed(session);
    }
}

void ss_session_update(ss_session_t *session, ss_bytes_t object)
{
    apr_array_header_t *members;
    int i;

    if (ss_json_members(&members, object, 0, NULL, session->pool) != APR_SUCCESS) {
        return;
    }
    for (i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        ss_session_set(session, member->name, member->value);
    }
}

void ss_session_replace(ss_session_t *session, ss_bytes_t object)
{
    apr_array_header_t *members;
    int i;

    object = keep(session, object);
    if (ss_json_equal(ss_session_text(session), object, session->pool) ||
        ss_json_members(&members, object, 0, NULL, session->pool) != APR_SUCCESS) {
        return;
    }

    /* what stays keeps its spelling */
    for (i = 0; i < members->nelts; i++) {
        ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);
        const ss_json_member_t *old = find(session, member->name);

        if (old != NULL && ss_json_equal(old->value, member->value, session->pool)) {
            *member = *old;
        }
    }

    session->members = members;
    changed(session);
}

void ss_session_clear(ss_session_t *session)
{
    if (!ss_session_is_empty(session)) {
        apr_array_clear(session->members);
        changed(session);
    }

    session->ended = 1;
    session->stamp = new_stamp;
}

void ss_session_revert(ss_session_t *session)
{
    ss_session_t *loaded = NULL;
    unsigned generation = session->generation + 1;

    if (session->loaded.data == NULL ||
        ss_session_load(&loaded, session->loaded, &session->loaded_stamp, session->pool) !=
            APR_SUCCESS) {
        loaded = ss_session_create(session->pool);
    }

    *session = *loaded;
    session->generation = generation;
}

/*
 * The next cookie; times in whole seconds
 */

int ss_session_is_due(const ss_session_t *session, const ss_lifetime_t *lifetime, apr_time_t now)
{
    const ss_renew_t *renew = &lifetime->renew;
    apr_int64_t age;

    if (ss_session_is_empty(session) || session->loaded.data == NULL || session->ended) {
        return 0;
    }
    if (session->stamp.renewed == SS_NO_TIME) {
        return renew->kind == SS_RENEW_ALWAYS;
    }

    age = apr_time_sec(now) - session->stamp.renewed;
    switch (renew->kind) {
    case SS_RENEW_ALWAYS:
        return 1;
    case SS_RENEW_AFTER:
        return age >= apr_time_sec(renew->after);
    case SS_RENEW_PERCENT:
        return lifetime->idle != SS_FOREVER &&
               age * 100 >= apr_time_sec(lifetime->idle) * renew->percent;
    default:
        return 0;
    }
}

apr_status_t ss_session_next_stamp(ss_stamp_t *stamp, ss_session_t *session, apr_time_t now,
                                   ss_random_fn *random)
{
    *stamp = session->stamp;
    stamp->renewed = apr_time_sec(now);

    if (stamp->created == SS_NO_TIME) {
        stamp->created =
            session->stamp.renewed != SS_NO_TIME ? session->stamp.renewed : stamp->renewed;
    }
    /* a new session, or one that comes from a format without ids */
    if (stamp->counter == 0) {
        stamp->counter = 1;
        return random(stamp->id, sizeof(stamp->id));
    }
    if (stamp->counter < APR_UINT32_MAX && ss_session_is_changed(session)) {
        stamp->counter++;
    }

    return APR_SUCCESS;
}
