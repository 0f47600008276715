/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REDIS_H
#define SS_REDIS_H

#include "mod_signed_session_store.h"
#include "stores/settings.h"

/*
 * Sessions in Redis, or in Valkey: a string for each, called PREFIX, "s:{", the id in hexadecimal
 * digits, "}". Loading is GET; saving is one script, which compares and writes. The functions are
 * those of mod_signed_session_store.h, but for ss_redis_configure, which wants more than a place.
 *
 * A user of the server needs ~PREFIX* +get +set +getrange +eval +evalsha, and where they are used
 * +auth and +select; +info and +client|setname are welcome.
 */

/**
 * As `configure` of a store, where place->name is "redis", "rediss", "redis+sentinel" or
 * "rediss+sentinel".
 *
 * @param settings  copied; what its members lead to must live as long as `pconf`
 */
const char *ss_redis_configure(void **store, const signed_session_place_t *place,
                               const ss_redis_settings_t *settings, apr_pool_t *pconf);

void ss_redis_open(void *store, apr_pool_t *pchild);

signed_session_store_e ss_redis_load(void *store, const unsigned char *id,
                                     signed_session_bytes_t *value, apr_time_t deadline,
                                     const char **why, apr_pool_t *pool);

signed_session_store_e ss_redis_save(void *store, const unsigned char *id,
                                     const unsigned char *expected,
                                     const signed_session_bytes_t *value, apr_interval_time_t ttl,
                                     signed_session_bytes_t *current, apr_time_t deadline,
                                     const char **why, apr_pool_t *pool);

#endif
