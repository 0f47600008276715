/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_NEGATED_H
#define SS_NEGATED_H

#include <httpd.h>
#include <http_config.h>

#include "httpd/part.h"

/* Which lines of the configuration keep people out, rather than let them in: a Require behind "not"
 * or within <RequireNone>. Of an <AuthzProviderAlias> that is known when everything was read. */

/**
 * From the parser of a provider: does what is being parsed keep people out?
 *
 * @param is_negated  set now, and of an alias once more when httpd starts; lives as long as the
 *                    configuration
 */
void ss_negated_note(const cmd_parms *cmd, int *is_negated);

/** Start-up: the lines that name an alias. Those of .htaccess, which are read later, count for
 * themselves: "Require not ALIAS" belongs into the server's configuration. */
ss_part_fn ss_negated_settle;

#endif
