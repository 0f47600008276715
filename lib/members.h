/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_MEMBERS_H
#define SS_MEMBERS_H

#include <apr_tables.h>

#include "lib/base.h"
#include "lib/json/json.h"

/* The top-level members of a session, ss_json_member_t in an array in which no name stands twice,
 * and what changes them. Values that are put there are not copied: they must live as long as the
 * array, and so must `pool`. */

/** The others in the same order, in `pool`. `place`: which one goes, from 1. */
apr_array_header_t *ss_members_without(const apr_array_header_t *members, int place,
                                       apr_pool_t *pool);

/** What setting one member has come to. */
typedef enum ss_members_set_e {
    SS_MEMBERS_SAME, /* it was there, with a value that means the same */
    SS_MEMBERS_CHANGED,
    SS_MEMBERS_BAD_NAME /* which is not UTF-8, and nothing that JSON could hold */
} ss_members_set_e;

/** Give a member a value; a new one is the last. */
ss_members_set_e ss_members_set(apr_array_header_t *members, ss_bytes_t name, ss_json_t value,
                                apr_pool_t *pool);

/** Remove a member. Returns whether it was there. */
int ss_members_unset(apr_array_header_t *members, ss_bytes_t name);

/** Apply the members of a JSON merge patch (RFC 7396). Returns whether that changed anything. */
int ss_members_merge(apr_array_header_t *members, const apr_array_header_t *patch,
                     apr_pool_t *pool);

/** Set every one of `others` as it stands there. Returns whether that changed anything. */
int ss_members_update(apr_array_header_t *members, const apr_array_header_t *others,
                      apr_pool_t *pool);

/** Where a member means the same in `old`, it is spelled as it is there. */
void ss_members_keep_spelling(apr_array_header_t *members, const apr_array_header_t *old,
                              apr_pool_t *pool);

/** Has each member one of its name among `others`, whose value means the same? */
int ss_members_are_among(const apr_array_header_t *members, const apr_array_header_t *others,
                         apr_pool_t *pool);

#endif
