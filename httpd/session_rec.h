/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SESSION_REC_H
#define SS_SESSION_REC_H

#include <mod_session.h>

#include "httpd/visit.h"

/*
 * What a session hides (lib/session.h), as modules that were made for mod_session know it: a
 * session_rec with a table of entries, keys in any case. There is one in a visit, so that all of
 * them see what one has changed. Its other members mean nothing here: a session of ours has its own
 * times.
 */

/** The record of a visit, with its entries as they are now. What modules change in the table itself
 * is kept when the response starts, if the place of `r` allows it, the last that has asked, and if
 * no other site has caused the visit. */
session_rec *ss_session_rec_of(request_rec *r, ss_visit_t *visit);

/** A record of nothing, which nobody will keep. */
session_rec *ss_session_rec_blank(apr_pool_t *pool);

/** May this text be an entry's key or value? UTF-8. */
int ss_session_rec_accepts(const char *text);

/** Keep the entries as they are in the table. */
void ss_session_rec_keep(ss_visit_t *visit);

/** When the response for `r` starts: keep what modules have changed in the table itself. */
void ss_session_rec_take(request_rec *r);

#endif
