/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/draft.h"

typedef enum turn_e {
    SAME_SUBJECT,
    NEW_SUBJECT,    /* nobody has become somebody, or somebody nobody */
    ANOTHER_SUBJECT /* somebody has become somebody else */
} turn_e;

static const apr_array_header_t no_keys = { NULL, sizeof(const char *), 0, 0, NULL };

struct ss_draft_t {
    apr_pool_t *pool;
    ss_session_t *base;          /* what the changes are made on; never changed itself */
    ss_session_t *session;       /* with the changes; `base` while there are none */
    apr_array_header_t *changes; /* ss_change_t, in order; NULL before the first */
    const apr_array_header_t
        *anew;          /* begun anew: these keys of `base` are left; NULL: it was not */
    int adopted;        /* an application wrote `base` in this visit: it stays */
    ss_bytes_t subject; /* the key that names the subject, or absent */
    turn_e turn;        /* what the changes have made of the subject */
    unsigned version, changed_at;
};

ss_draft_t *ss_draft_create(ss_session_t *session, ss_bytes_t subject, apr_pool_t *pool)
{
    ss_draft_t *draft = apr_pcalloc(pool, sizeof(*draft));

    draft->pool = pool;
    draft->base = draft->session = session;
    draft->subject = subject;
    return draft;
}

ss_session_t *ss_draft_session(const ss_draft_t *draft)
{
    return draft->session;
}

/* The session, for one who is about to change it. */
static ss_session_t *own_session(ss_draft_t *draft)
{
    if (draft->session == draft->base) {
        draft->session = ss_session_copy(draft->base, draft->pool);
    }
    return draft->session;
}

static int count_of(const ss_draft_t *draft)
{
    return draft->changes == NULL ? 0 : draft->changes->nelts;
}

static void note_change(ss_draft_t *draft)
{
    draft->changed_at = ++draft->version;
}

/* Absent when it is nobody. */
static ss_json_t subject_of(const ss_draft_t *draft, const ss_session_t *session)
{
    ss_json_t subject =
        draft->subject.data == NULL ? ss_json_absent : ss_session_get(session, draft->subject);

    /* two quotes with nothing between them are an empty string */
    return subject.raw.data != NULL && ss_json_kind(subject) == SS_JSON_STRING &&
                   subject.raw.len > 2
               ? subject
               : ss_json_absent;
}

/* What modules keep says that somebody has logged in there. */
static int hides(const ss_session_t *session)
{
    return ss_session_hidden(session).raw.data != NULL;
}

#define MODULES_USER "-user" /* mod_auth_form keeps whom it has checked as REALM-user */

static int is_user(ss_bytes_t name)
{
    apr_size_t len = sizeof(MODULES_USER) - 1;

    return name.len >= len && memcmp(name.data + name.len - len, MODULES_USER, len) == 0;
}

/* Whom modules have logged in; absent when they do not say. */
static ss_json_t modules_user_of(const ss_draft_t *draft, const ss_session_t *session)
{
    ss_json_t hidden = ss_session_hidden(session);
    const apr_array_header_t *entries =
        hidden.raw.data == NULL ? NULL : ss_json_members(hidden, draft->pool);

    for (int i = 0; entries != NULL && i < entries->nelts; i++) {
        const ss_json_member_t *entry = &APR_ARRAY_IDX(entries, i, ss_json_member_t);

        if (is_user(entry->name)) {
            return entry->value;
        }
    }
    return ss_json_absent;
}

/* Are these two people? Of nobody that cannot be said. */
static int are_two(const ss_draft_t *draft, ss_json_t a, ss_json_t b)
{
    return a.raw.data != NULL && b.raw.data != NULL && !ss_json_equal(a, b, draft->pool);
}

static turn_e turn_of(const ss_draft_t *draft)
{
    ss_json_t before = subject_of(draft, draft->base), after = subject_of(draft, draft->session);
    int was_known = before.raw.data != NULL, is_known = after.raw.data != NULL;

    if (are_two(draft, before, after)) {
        return ANOTHER_SUBJECT;
    }
    if (hides(draft->base) || hides(draft->session)) {
        ss_json_t user_before = modules_user_of(draft, draft->base);
        ss_json_t user_after = modules_user_of(draft, draft->session);

        if (are_two(draft, user_before, user_after) ||
            (!was_known && are_two(draft, user_before, after)) ||
            (user_before.raw.data == NULL && are_two(draft, before, user_after))) {
            return ANOTHER_SUBJECT;
        }
    }
    /* who is known by name stays who he is, whatever modules keep: an old login does not become a
     * new one by theirs */
    return was_known == is_known && (was_known || hides(draft->base) == hides(draft->session))
               ? SAME_SUBJECT
               : NEW_SUBJECT;
}

static void make_all(ss_draft_t *draft)
{
    for (int i = 0; i < count_of(draft); i++) {
        ss_change_make(own_session(draft), &APR_ARRAY_IDX(draft->changes, i, ss_change_t));
    }
}

static int has_change(const ss_draft_t *draft, ss_change_e kind)
{
    for (int i = 0; i < count_of(draft); i++) {
        if (APR_ARRAY_IDX(draft->changes, i, ss_change_t).kind == kind) {
            return 1;
        }
    }
    return 0;
}

/* Has a bound session begun anew with the subject that it had, and without a login? Whoever has
 * copied its cookies could make himself an unbound one else. */
static int stays_bound(const ss_draft_t *draft)
{
    return draft->anew != NULL && !draft->adopted &&
           ss_stamp_is_bound(ss_session_stamp(draft->base)) &&
           subject_of(draft, draft->session).raw.data != NULL &&
           !has_change(draft, SS_CHANGE_LOGIN);
}

/* Make everything again that has been asked for. */
static void make_again(ss_draft_t *draft)
{
    draft->version++;
    draft->session = draft->base;
    if (draft->anew != NULL && !draft->adopted) {
        ss_session_begin_anew(own_session(draft), draft->anew);
    }
    make_all(draft);
    draft->turn = turn_of(draft);
    if (draft->turn == ANOTHER_SUBJECT && !draft->adopted) {
        draft->session = draft->base;
        ss_session_clear(own_session(draft));
        make_all(draft);
    }
    else if (draft->turn != SAME_SUBJECT) {
        ss_session_renew_identity(own_session(draft));
    }
    else if (stays_bound(draft)) {
        ss_session_stay_bound(own_session(draft), ss_session_stamp(draft->base));
    }
}

int ss_draft_make(ss_draft_t *draft, const ss_change_t *change)
{
    ss_session_t *session = own_session(draft);
    unsigned before = ss_session_generation(session);

    if (!ss_change_make(session, change)) {
        return 0;
    }
    if (draft->changes == NULL) {
        draft->changes = apr_array_make(draft->pool, 1, sizeof(ss_change_t));
    }
    APR_ARRAY_PUSH(draft->changes, ss_change_t) = ss_change_copy(change, draft->pool);
    if (ss_session_generation(session) != before) {
        note_change(draft);
    }
    else if (change->kind == SS_CHANGE_END) {
        draft->version++; /* nothing to end but a refused cookie */
    }
    if (turn_of(draft) != draft->turn) {
        make_again(draft);
        draft->changed_at = draft->version;
    }
    return 1;
}

void ss_draft_begin_anew(ss_draft_t *draft, const apr_array_header_t *keep)
{
    draft->anew = keep != NULL ? keep : &no_keys;
    make_again(draft);
    note_change(draft);
}

ss_draft_mark_t ss_draft_mark(const ss_draft_t *draft)
{
    const ss_draft_mark_t mark = { count_of(draft), draft->anew };

    return mark;
}

void ss_draft_return(ss_draft_t *draft, ss_draft_mark_t mark)
{
    if (mark.changes < count_of(draft) || (mark.anew == NULL && draft->anew != NULL)) {
        if (draft->changes != NULL && mark.changes < count_of(draft)) {
            draft->changes->nelts = mark.changes;
        }
        draft->anew = draft->anew == NULL ? NULL : mark.anew;
        make_again(draft);
    }
}

void ss_draft_revert(ss_draft_t *draft)
{
    const ss_draft_mark_t start = { 0, NULL };

    ss_draft_return(draft, start);
}

void ss_draft_adopt(ss_draft_t *draft, ss_session_t *session)
{
    draft->base = session;
    draft->adopted = 1;
    make_again(draft);
}

void ss_draft_rebase(ss_draft_t *draft, ss_session_t *session)
{
    draft->base = session;
    make_again(draft);
}

int ss_draft_has_changes(const ss_draft_t *draft)
{
    return count_of(draft) > 0;
}

int ss_draft_was_ended(const ss_draft_t *draft)
{
    return has_change(draft, SS_CHANGE_END);
}

int ss_draft_was_login(const ss_draft_t *draft)
{
    return has_change(draft, SS_CHANGE_LOGIN);
}

int ss_draft_has_ended(const ss_draft_t *draft)
{
    return draft->anew != NULL || ss_draft_was_ended(draft);
}

unsigned ss_draft_version(const ss_draft_t *draft)
{
    return draft->version;
}

unsigned ss_draft_changed_at(const ss_draft_t *draft)
{
    return draft->changed_at;
}
