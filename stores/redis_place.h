/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REDIS_PLACE_H
#define SS_REDIS_PLACE_H

#include "stores/address.h"

/* The words of a place in Redis.
 *
 * Behind redis: and rediss: //HOST[:PORT][,HOST[:PORT]...][/DATABASE], or, without TLS, /PATH of a
 * socket. Behind redis+sentinel: and rediss+sentinel:
 * //HOST[:PORT][,HOST[:PORT]...]/NAME[/DATABASE], where the hosts are sentinels, and NAME is what
 * they call the primary. */

#define SS_REDIS_PORT 6379
#define SS_SENTINEL_PORT 26379

typedef struct ss_redis_place_t {
    int is_safe;                   /* over TLS, all of it */
    apr_array_header_t *endpoints; /* ss_endpoint_t: of the server, or its sentinels */
    const char *primary;           /* as its sentinels call it; NULL: there are none */
    int database;
} ss_redis_place_t;

/**
 * Understand them.
 *
 * @param place   out: in `pool`
 * @param name    what stood before the colon: one of the four
 * @return        NULL, or what is wrong and what is accepted; where a password may be in it,
 * without the words
 */
const char *ss_redis_place_parse(ss_redis_place_t *place, const char *name, const char *words,
                                 apr_pool_t *pool);

#endif
