/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/draft.h"

struct ss_draft_t {
    apr_pool_t *pool;
    ss_session_t *base;          /* what the changes are made on; never changed itself */
    ss_session_t *session;       /* with the changes; `base` while there are none */
    apr_array_header_t *changes; /* ss_change_t, in order; NULL before the first */
    int anew;                    /* begun anew: nothing of `base` is left, unless */
    int adopted;                 /* an application wrote it in this visit */
    unsigned version, changed_at;
};

ss_draft_t *ss_draft_create(ss_session_t *session, apr_pool_t *pool)
{
    ss_draft_t *draft = apr_pcalloc(pool, sizeof(*draft));

    draft->pool = pool;
    draft->base = draft->session = session;
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
    return 1;
}

/* Make everything again that has been asked for. */
static void make_again(ss_draft_t *draft)
{
    draft->version++;
    draft->session = draft->base;
    if (draft->anew && !draft->adopted) {
        ss_session_clear(own_session(draft));
    }
    for (int i = 0; i < count_of(draft); i++) {
        ss_change_make(own_session(draft), &APR_ARRAY_IDX(draft->changes, i, ss_change_t));
    }
}

void ss_draft_begin_anew(ss_draft_t *draft)
{
    draft->anew = 1;
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
    if (mark.changes < count_of(draft) || mark.anew < draft->anew) {
        if (draft->changes != NULL) {
            draft->changes->nelts = mark.changes;
        }
        draft->anew = mark.anew;
        make_again(draft);
    }
}

void ss_draft_revert(ss_draft_t *draft)
{
    const ss_draft_mark_t start = { 0, 0 };

    ss_draft_return(draft, start);
}

void ss_draft_adopt(ss_draft_t *draft, ss_session_t *session)
{
    draft->base = session;
    draft->adopted = 1;
    make_again(draft);
}

int ss_draft_has_changes(const ss_draft_t *draft)
{
    return count_of(draft) > 0;
}

int ss_draft_was_ended(const ss_draft_t *draft)
{
    for (int i = 0; i < count_of(draft); i++) {
        if (APR_ARRAY_IDX(draft->changes, i, ss_change_t).kind == SS_CHANGE_END) {
            return 1;
        }
    }
    return 0;
}

int ss_draft_has_ended(const ss_draft_t *draft)
{
    return draft->anew || ss_draft_was_ended(draft);
}

unsigned ss_draft_version(const ss_draft_t *draft)
{
    return draft->version;
}

unsigned ss_draft_changed_at(const ss_draft_t *draft)
{
    return draft->changed_at;
}
