/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FACTS_H
#define SS_FACTS_H

#include "httpd/visit.h"

/* What can be said of a session besides its keys: `%{session::NAME}` in expressions, `%{:NAME}^SS`
 * in the log. */

/** Is this the name of a fact: does it begin with a colon? A key that does is none that expressions
 * or the log can ask for. */
int ss_facts_is_name(const char *name);

/** NULL when there is such a fact, else what is wrong and which there are. `name` with its colon.
 */
const char *ss_facts_fault(const char *name, apr_pool_t *pool);

/**
 * A fact about the session of `r`.
 *
 * @param visit  loaded
 * @param name   with its colon
 * @return       in the pool of `r`, or static; NULL when it is not known of this session, or never
 */
const char *ss_facts_text(const ss_visit_t *visit, const char *name, request_rec *r);

/** The id of a session for people: lines of a log can be joined by it, and no cookie be recognized.
 * NULL when `secret_id`, of SS_SESSION_ID_SIZE bytes, is all zero. */
const char *ss_facts_id_of(const ss_visit_t *visit, const unsigned char *secret_id,
                           apr_pool_t *pool);

#endif
