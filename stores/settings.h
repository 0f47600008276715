/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SETTINGS_H
#define SS_SETTINGS_H

#include "stores/tls.h"

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

#endif
