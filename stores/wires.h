/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_WIRES_H
#define SS_WIRES_H

#include "stores/redis_place.h"
#include "stores/settings.h"
#include "stores/wire.h"

/* The connections of a child to one server, or to the one of several that their sentinels name. Any
 * number of threads may use them. */

typedef struct ss_wires_t ss_wires_t;

/** Does not wait. Both arguments, and what they lead to, must live as long as `pool`. */
ss_wires_t *ss_wires_create(const ss_redis_place_t *place, const ss_redis_settings_t *settings,
                            SSL_CTX *tls, apr_pool_t *pool);

/**
 * One of them: who took it alone uses it, and then puts it back or closes it.
 *
 * The one that was used last, when it still holds, else a new one, on which we have said who we
 * are.
 *
 * @param now  by ss_clock_now(), or a little before
 * @param why  out, in `pool`: where there is none
 * @return     NULL: no address can be reached by `until`
 */
ss_wire_t *ss_wires_take(ss_wires_t *wires, apr_time_t now, apr_time_t until, const char **why,
                         apr_pool_t *pool);

/** A new one, whatever is there: after one that was lost, when the others may be, too. Else as
 * above. */
ss_wire_t *ss_wires_connect(ss_wires_t *wires, apr_time_t until, const char **why,
                            apr_pool_t *pool);

/** After a reply that was the whole answer.
 *
 * @param now  as above */
void ss_wires_put(ss_wires_t *wires, ss_wire_t *wire, apr_time_t now);

/** After anything else: close it. Where there are sentinels, another server may be the primary by
 * now: they are asked again, and what leads to the old one is not used any more. */
void ss_wires_drop(ss_wires_t *wires, ss_wire_t *wire);

/** It leads to a replica: close it, and all others that do, and begin with the next address. */
void ss_wires_turn_away(ss_wires_t *wires, ss_wire_t *wire);

#endif
