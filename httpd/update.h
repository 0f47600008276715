/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_UPDATE_H
#define SS_UPDATE_H

#include <httpd.h>

/** The note in which any handler or Lua script leaves a merge patch for the session. */
#define SS_UPDATE_NOTE "session-update"

/**
 * Take what the applications behind `r` and its predecessors in a redirect chain want changed,
 * oldest first: the note and the header of SignedSessionUpdate. Each is judged by the configuration
 * of the request that produced it, removed wherever it stands, and applied once. An invalid one
 * changes nothing and is logged. May run any number of times.
 */
void ss_update_take(request_rec *r);

#endif
