/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_CHANGE_H
#define SS_CHANGE_H

#include <apr_tables.h>

#include "lib/session.h"

/* A change of a session as a value: it can be made, remembered, and made again on another session.
 */

typedef enum ss_change_e {
    SS_CHANGE_SET, /* one top-level member */
    SS_CHANGE_UNSET,
    SS_CHANGE_UPDATE,  /* every top-level member of an object, as SS_CHANGE_SET */
    SS_CHANGE_MERGE,   /* a JSON merge patch that is an object */
    SS_CHANGE_REPLACE, /* the whole document */
    SS_CHANGE_HIDE,    /* what only modules see: an object, or absent */
    SS_CHANGE_END,     /* end the session */
    SS_CHANGE_LOGIN,   /* somebody has logged in: the same document in a new session */
    SS_CHANGE_ALONE,   /* the others of its subject are over: likewise, but bound as it was */
    SS_CHANGE_BIND     /* to a browser's key: likewise, but for its time of creation */
} ss_change_e;

typedef struct ss_change_t {
    ss_change_e kind;
    ss_bytes_t name; /* SET, UNSET; BIND: the point, SS_POINT_SIZE bytes */
    ss_json_t value; /* SET, UPDATE, MERGE, REPLACE, HIDE: what ss_json_check_input accepted */
} ss_change_t;

/** The change that ends a session. */
extern const ss_change_t ss_change_end;

/** The change that a login is, whatever else it sets. */
extern const ss_change_t ss_change_login;

/** The change that comes with the revocation of all other sessions of its subject. */
extern const ss_change_t ss_change_alone;

/** May a session have a key of this name, wherever a change comes from? UTF-8 without control
 * characters. */
SS_MUST_USE int ss_key_is_acceptable(ss_bytes_t name);

/** Make a change. Returns whether it is possible: see lib/session.h. */
int ss_change_make(ss_session_t *session, const ss_change_t *change);

/** The same change with memory of its own. */
ss_change_t ss_change_copy(const ss_change_t *change, apr_pool_t *pool);

#endif
