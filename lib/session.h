/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SESSION_H
#define SS_SESSION_H

#include <apr_tables.h>

#include "lib/base.h"
#include "lib/document.h"
#include "lib/json/json.h"
#include "lib/lifetime.h"

/** A document and its life. Everything it holds lives in the pool it was created in. Not for two
 * threads at a time. */
typedef struct ss_session_t ss_session_t;

/** An empty session that no cookie holds yet. */
ss_session_t *ss_session_create(apr_pool_t *pool);

/** A session as a cookie held it. The document must live as long as `pool`. */
ss_session_t *ss_session_of(const ss_document_t *document, const ss_stamp_t *stamp,
                            apr_pool_t *pool);

/**
 * The same from its text.
 *
 * @param session  out; NULL unless successful
 * @param text     the document; not copied, must live as long as `pool`
 * @return         APR_SUCCESS, or APR_EINVAL when the text is not a JSON object (SS_JSON_PYTHON is
 * allowed)
 */
SS_MUST_USE apr_status_t ss_session_load(ss_session_t **session, ss_bytes_t text,
                                         const ss_stamp_t *stamp, apr_pool_t *pool);

/**
 * From now on the session reserves the top-level member SS_SESSION_HIDDEN, in which httpd's modules
 * keep entries of their own, logins among them. It is then no member of the document: nothing below
 * reads it or writes it, but for ss_session_hidden and ss_session_hide, and it stays whatever else
 * is changed, until the session is ended or replaced as a whole. To be called before anything else
 * is.
 *
 * @param keep  does what the cookie holds there stay, hidden? Else it is as if it held none */
void ss_session_reserve(ss_session_t *session, int keep);

/** Is this the name of a member that the session reserves? */
int ss_session_is_reserved(const ss_session_t *session, ss_bytes_t name);

/** What is hidden; absent when there is nothing. */
ss_json_t ss_session_hidden(const ss_session_t *session);

/** The document as a cookie is to hold it, what is hidden included. Exactly what was loaded while
 * nothing changed, white space around it included. */
ss_bytes_t ss_session_text(ss_session_t *session);

/** The document: an object. */
ss_json_t ss_session_json(ss_session_t *session);

/** The document for readers: compact, NaN and the infinities as null. */
ss_json_t ss_session_view(ss_session_t *session);

/** Top-level members in order, names unique (of duplicates in a framework's cookie only the last):
 * ss_json_member_t. */
const apr_array_header_t *ss_session_members(const ss_session_t *session);

/** May two top-level names differ in nothing but ASCII case? 0 is certain; after a change it is 1.
 */
int ss_session_has_alike(const ss_session_t *session);

/** The value of a top-level member; absent when there is none. */
ss_json_t ss_session_get(const ss_session_t *session, ss_bytes_t name);

/** What the cookie said; for a new session the times are SS_NO_TIME and the counter is 0. */
const ss_stamp_t *ss_session_stamp(const ss_session_t *session);

/** When the session was created, in seconds since 1970: `now` for one that begins now, SS_NO_TIME
 * when its cookie does not say. */
apr_int64_t ss_session_created(const ss_session_t *session, apr_time_t now);

/*
 * Changes. `value`, `patch` and `object` have passed ss_json_check_input and are copied. Setting
 * what is already there is no change. A session that is emptied ends: what is set afterwards
 * belongs to a new one (new id, created, counter). What would write a reserved member is not
 * possible, and changes nothing at all.
 */

/**
 * Set one top-level member. Returns whether that is possible: `name` must be UTF-8, and the value
 * not so deep that the session would nest more than SS_JSON_DEPTH_MAX levels, itself included.
 */
int ss_session_set(ss_session_t *session, ss_bytes_t name, ss_json_t value);

/** Remove one top-level member. Returns whether it was there. */
int ss_session_unset(ss_session_t *session, ss_bytes_t name);

/** Apply a JSON merge patch (RFC 7396) that is an object, or `null`, which ends the session.
 * Returns whether that is possible. */
int ss_session_merge(ss_session_t *session, ss_json_t patch);

/**
 * Set every top-level member of `object`, as update() does in Python: nothing is merged below.
 * Names keep the spelling that they have there, so one with a lone surrogate is stored, too. Too
 * deep a value cannot be, as `object` around it is no deeper than a session. Returns whether that
 * is possible.
 */
int ss_session_update(ss_session_t *session, ss_json_t object);

/** Make `object` the whole document; what was hidden is gone. Returns whether that is possible. */
int ss_session_replace(ss_session_t *session, ss_json_t object);

/** Hide this object; absent: nothing is hidden from now on. Returns whether that is possible: the
 * session must reserve a member for it. */
int ss_session_hide(ss_session_t *session, ss_json_t object);

/** End the session: empty, and whatever follows is a new one. */
void ss_session_clear(ss_session_t *session);

/** Begin a new session (new id, created, counter) with these members of the old one, and no others.
 *
 * @param names  const char *; NULL: none stays */
void ss_session_begin_anew(ss_session_t *session, const apr_array_header_t *names);

/** The same document in a new session: whoever knew the old one's id knows nothing of this one. An
 * empty one stays as it is. */
void ss_session_renew_identity(ss_session_t *session);

/** The same, where nobody has logged in: a session that is bound, with this stamp, stays bound, and
 * keeps the id by which its browser knows the binding. Its time of creation alone is new. */
void ss_session_stay_bound(ss_session_t *session, const ss_stamp_t *bound);

/**
 * Bind the session to a browser's key: the same document and the same time of creation under a new
 * id, so that whoever has copied the cookie from before has no part in it. An empty session stays
 * as it is. Whatever else begins a new session drops the binding.
 *
 * @param point  SS_POINT_SIZE bytes that ss_point_is_valid accepts
 */
void ss_session_bind(ss_session_t *session, const unsigned char *point);

/** A session of its own with the same document and history, for changes that may yet be refused. */
ss_session_t *ss_session_copy(const ss_session_t *session, apr_pool_t *pool);

/** Has it neither a member nor anything hidden? */
int ss_session_is_empty(const ss_session_t *session);

/** Does the document differ from what the cookie holds, or did the session end and begin anew? */
int ss_session_is_changed(ss_session_t *session);

/** Counts changes made here, from 0: the same number means the same document. */
unsigned ss_session_generation(const ss_session_t *session);

/** Is an unchanged session to be re-sealed? Never an empty one, or one without a cookie. */
int ss_session_is_due(const ss_session_t *session, const ss_lifetime_t *lifetime, apr_time_t now);

#endif
