/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REFUSAL_H
#define SS_REFUSAL_H

#include "stores/resp.h"

/* What a server says when it does not do as it is told. */

/** Is it an error with this in its text? Where a script met the error it does not stand at the
 * beginning. */
int ss_reply_is_error(const ss_reply_t *reply, const char *word);

/**
 * A reply that is not what was asked for, in words.
 *
 * @param shown  the server
 * @param why    out, in `pool`: one line; no argument of ours is in it
 * @return       SIGNED_SESSION_STORE_FULL, when it has written nothing and can still be read;
 * SIGNED_SESSION_STORE_UNAVAILABLE
 */
signed_session_store_e ss_reply_refuse(const ss_reply_t *reply, const char *shown, const char **why,
                                       apr_pool_t *pool);

#endif
