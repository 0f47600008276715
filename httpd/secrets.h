/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SECRETS_H
#define SS_SECRETS_H

#include "httpd/config.h"
#include "httpd/part.h"

/* From SignedSessionSecret to the keys that requests use. Sources are never read in a directive
 * handler, so that "-k stop" works from a shell without the secret. */

/** In the first pass: say on the terminal which variable is unset. Reads nothing. */
ss_part_fn ss_secrets_announce;

/** Read and judge the secrets of every server; make their keys. */
ss_part_fn ss_secrets_settle;

/** The ids of each server's native keys, for whoever looks for the one that a cookie names. */
ss_part_fn ss_secrets_tell;

/** Have these servers a secret in common? */
int ss_secrets_are_shared(ss_start_t *start, const ss_server_conf_t *a, const ss_server_conf_t *b);

#endif
