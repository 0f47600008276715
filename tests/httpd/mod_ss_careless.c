/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* For tests only: the store "careless" is "file" but for one thing. It saves over whatever is
 * there, so that of two requests which change a session at the same time one loses its change, and
 * what has ended comes back. A test of such things that is content with it sees nothing. */

#include "ap_provider.h"
#include "httpd.h"
#include "http_config.h"

#include "mod_signed_session_store.h"

module AP_MODULE_DECLARE_DATA ss_careless_module;

static const signed_session_store_t *file_store(void)
{
    return ap_lookup_provider(SIGNED_SESSION_STORE_GROUP, "file", SIGNED_SESSION_STORE_VERSION);
}

static const char *configure(void **store, const signed_session_place_t *place, apr_pool_t *pconf)
{
    return file_store()->configure(store, place, pconf);
}

static const char *prepare(void *store, apr_pool_t *ptemp)
{
    return file_store()->prepare(store, ptemp);
}

static void open_store(void *store, apr_pool_t *pchild)
{
    file_store()->open(store, pchild);
}

static signed_session_store_e load(void *store, const unsigned char *id,
                                   signed_session_bytes_t *value, apr_time_t deadline,
                                   const char **why, apr_pool_t *pool)
{
    return file_store()->load(store, id, value, deadline, why, pool);
}

static signed_session_store_e save(void *store, const unsigned char *id,
                                   const unsigned char *expected,
                                   const signed_session_bytes_t *value, apr_interval_time_t ttl,
                                   signed_session_bytes_t *current, apr_time_t deadline,
                                   const char **why, apr_pool_t *pool)
{
    (void)expected;
    return file_store()->save(store, id, NULL, value, ttl, current, deadline, why, pool);
}

static const signed_session_store_t careless = { 0, configure, prepare, open_store, load, save };

static void register_hooks(apr_pool_t *pool)
{
    ap_register_provider(pool, SIGNED_SESSION_STORE_GROUP, "careless", SIGNED_SESSION_STORE_VERSION,
                         &careless);
}

AP_DECLARE_MODULE(ss_careless)
= { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE };
