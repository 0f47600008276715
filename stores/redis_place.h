/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REDIS_PLACE_H
#define SS_REDIS_PLACE_H

#include "stores/address.h"

/* The words of a place in Redis: //HOST[:PORT][,HOST[:PORT]...][/DB], or /PATH of a socket. */

#define SS_REDIS_PORT 6379

typedef struct ss_redis_place_t {
    apr_array_header_t *endpoints; /* ss_endpoint_t */
    int database;
} ss_redis_place_t;

/**
 * Understand them.
 *
 * @param place  out: in `pool`
 * @return       NULL, or what is wrong and what is accepted; where a password may be in it, without
 * the words
 */
const char *ss_redis_place_parse(ss_redis_place_t *place, const char *words, apr_pool_t *pool);

#endif
