/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_DRAFT_H
#define SS_DRAFT_H

#include "lib/change.h"

/**
 * The changes of one visit: a session as it was found, and what has been changed since. Changes are
 * remembered, so that they can be taken back, or made again on another session.
 *
 * A session has a subject: whom a string of its document names that is not empty. Changes that give
 * it one, or take it away, leave the document, and give it a new id and a new time of creation:
 * whoever has planted or copied a session before the login has no part in what follows. Changes
 * that make it another one's begin a new session, of which nothing is left but what they write: of
 * what an application wrote itself (ss_draft_adopt) that is all. Whom a module has logged in
 * (ss_session_hide) is known to that module alone: where something begins or ceases to be hidden,
 * nobody has become somebody, or somebody nobody.
 *
 * Everything lives in the pool it was created in. Not for two threads at a time.
 */
typedef struct ss_draft_t ss_draft_t;

/** A place in the changes to return to; good for as long as the draft. */
typedef struct ss_draft_mark_t {
    int changes;
    const apr_array_header_t *anew;
} ss_draft_mark_t;

/** Begin with a session as a cookie held it, or an empty one. It is the draft's from now on.
 *
 * @param subject  the top-level key that names the subject; ss_absent: there is none */
ss_draft_t *ss_draft_create(ss_session_t *session, ss_bytes_t subject, apr_pool_t *pool);

/** The session with every change so far. The next change may put another object in its place. */
ss_session_t *ss_draft_session(const ss_draft_t *draft);

/** Make a change, and remember it; its memory may be short-lived. Returns whether it is possible:
 * see ss_change_make. */
int ss_draft_make(ss_draft_t *draft, const ss_change_t *change);

/**
 * Begin a new session (new id, created, counter) that holds only what was changed since the draft
 * began, or what an application wrote itself, and these keys of the old one. The subject may be
 * among the keys, but when it becomes another one nothing of the old session stays.
 *
 * @param keep  const char *; must live as long as the draft; empty or NULL: none
 */
void ss_draft_begin_anew(ss_draft_t *draft, const apr_array_header_t *keep);

ss_draft_mark_t ss_draft_mark(const ss_draft_t *draft);

/** Take back every change made since `mark`; what was taken back since then stays so. */
void ss_draft_return(ss_draft_t *draft, ss_draft_mark_t mark);

/** Take back every change. */
void ss_draft_revert(ss_draft_t *draft);

/**
 * An application has written the session itself: that is the newer truth, and all changes are made
 * again on it. It is not what ss_draft_begin_anew drops.
 *
 * @param session  what the application wrote; the draft's from now on
 */
void ss_draft_adopt(ss_draft_t *draft, ss_session_t *session);

/**
 * Somebody else has saved the session meanwhile: make all changes again on what is there now.
 *
 * @param session  what is there; the draft's from now on
 */
void ss_draft_rebase(ss_draft_t *draft, ss_session_t *session);

/** Has anything been asked for since the draft began? That it then makes no difference does not
 * count here. */
int ss_draft_has_changes(const ss_draft_t *draft);

/** Was the session ended by a change? */
int ss_draft_was_ended(const ss_draft_t *draft);

/** Has somebody logged in: is SS_CHANGE_LOGIN among the changes? */
int ss_draft_was_login(const ss_draft_t *draft);

/** Was it ended by a change, or begun anew? Its cookie then goes, even one that was refused. */
int ss_draft_has_ended(const ss_draft_t *draft);

/** Another number whenever the session may be another one; it only grows, whatever is taken back.
 */
unsigned ss_draft_version(const ss_draft_t *draft);

/** The version at which a change last made a difference; what was only taken back does not count.
 */
unsigned ss_draft_changed_at(const ss_draft_t *draft);

#endif
