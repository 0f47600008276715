/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SENTINEL_H
#define SS_SENTINEL_H

#include "stores/wire.h"

/* Redis Sentinel: which of several servers is the primary now. What a sentinel says is a hint: it
 * may have been away, or cut off from the others, so that the caller looks whom it finds there. */

#define SS_HOST_MAX 253 /* bytes of a name, RFC 1035 2.3.4 */

/** Where the primary is. */
typedef struct ss_primary_t {
    char
        host[SS_HOST_MAX + 1]; /* an address; or a name, where the sentinels are told to use them */
    apr_port_t port;           /* 0: nobody knows */
} ss_primary_t;

/**
 * Ask one sentinel, on a connection of its own. No password is sent.
 *
 * @param primary  out: whom it names
 * @param name     what it calls it
 * @param why      out, in `pool`: only on failure
 * @return         FALSE: it is not reached, knows no such primary, or answers something else
 */
int ss_sentinel_ask(ss_primary_t *primary, const ss_route_t *route, const char *name,
                    apr_time_t until, const char **why, apr_pool_t *pool);

#endif
