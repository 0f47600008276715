/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ASKED_KEYS_H
#define SS_ASKED_KEYS_H

#include "httpd/part.h"

/** Start-up: gather the keys that a Require expr or an AuthType asks for, in every server. httpd
 * does not say who it is that an expression is parsed for, so they are looked up once all of the
 * configuration is read.
 */
void ss_asked_keys_gather(ss_start_t *start);

#endif
