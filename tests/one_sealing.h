/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef ONE_SEALING_H
#define ONE_SEALING_H

#include "lib/sealing.h"
#include "tests/must.h"
#include "tests/randoms.h"

#define SECRET "correct-horse-battery-staple-0123456789"
#define NOW apr_time_from_sec(1767225600) /* 2026-01-01T00:00:00Z */

/** With one format and one secret, and cookies that never end. */
static inline ss_sealing_t one_sealing(const ss_format_t *format, apr_pool_t *pool)
{
    static const ss_lifetime_t lifetime = {
        SS_FOREVER, SS_FOREVER, 0, { SS_RENEW_NEVER, 0, 0 }, 1
    };
    static const ss_binding_t binding = { "session", "" };
    ss_sealing_t how = { .lifetime = &lifetime, .max_size = SS_COOKIE_MAX, .random = all_sevens };
    apr_array_header_t *formats = apr_array_make(pool, 1, sizeof(const ss_format_t *));
    apr_array_header_t *secrets = apr_array_make(pool, 1, sizeof(ss_secret_t));

    APR_ARRAY_PUSH(formats, const ss_format_t *) = format;
    ((ss_secret_t *)apr_array_push(secrets))->text = ss_bytes_of(SECRET);
    MUST(ss_sealing_init(&how, formats, secrets, &binding, pool) == APR_SUCCESS);
    return how;
}

#endif
