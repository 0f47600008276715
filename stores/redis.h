/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REDIS_H
#define SS_REDIS_H

#include "mod_signed_session_store.h"
#include "stores/tls.h"

/*
 * Sessions in Redis, or in Valkey: a string for each, called PREFIX, "s:{", the id in hexadecimal
 * digits, "}". Loading is GET; saving is one script, which compares and writes. The functions are
 * those of mod_signed_session_store.h, but for ss_redis_configure, which wants more than a place.
 *
 * A user of the server needs ~PREFIX* +get +set +getrange +eval +evalsha, and where they are used
 * +auth and +select; +info and +client|setname are welcome.
 */

/** Who we are there. */
typedef struct ss_redis_auth_t {
    const char *user;     /* NULL: the server's default user */
    const char *password; /* NULL: none, and then the user does not count */
} ss_redis_auth_t;

/** What is configured beside the place; 0 is the default of everything but `prefix`. */
typedef struct ss_redis_settings_t {
    const char *prefix;
    const ss_redis_auth_t *auth; /* looked at in `open` and later: until then it may be filled */
    ss_tls_files_t tls;
    const char *tls_name; /* that the certificate must have; NULL: that of the place */
    /** The sessions of this server may vanish: called by any thread, once in each child.
     *
     * @param policy  its maxmemory-policy */
    void (*warn)(const char *policy, void *baton);
    void *baton;
} ss_redis_settings_t;

/**
 * As `configure` of a store, where place->name is "redis" or "rediss".
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
