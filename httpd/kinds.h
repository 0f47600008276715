/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_KINDS_H
#define SS_KINDS_H

#include "httpd/config.h"

/* What the parsers of several kinds of directives have in common. */

/** The message that this word is none of those that are accepted. */
const char *ss_kind_not_accepted(const char *word, const char *accepted, const ss_line_t *line);

/** Is it this word? Case does not count. */
int ss_kind_is_word(const char *text, const char *word);

/** Words as a list of names: const char *. */
const apr_array_header_t *ss_kind_names(int count, const char *const words[], apr_pool_t *pool);

/** NULL when all of these may be keys, else what is wrong. Names are separated by blanks; a comma
 * is a slip that would open, or remove, another key than was meant. */
const char *ss_kind_fault_of_keys(int count, const char *const words[], const ss_line_t *line);

/** The same for one key that decides something: an empty name is a slip, too. */
const char *ss_kind_fault_of_key(const char *key, const ss_line_t *line);

#endif
