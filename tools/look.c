/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tools/ssctl.h"

/* A cookie as one format would see it. */

ss_sealed_t cookie_as(const ss_format_t *format, const ss_candidates_t *found)
{
    ss_sealed_t cookie = { found->values[0], { NULL, 0 } };

    if (format->companion != NULL && found->companion_count > 0) {
        cookie.companion = found->companions[0];
    }
    return cookie;
}

guess_t look_as(const ss_format_t *format, const ss_candidates_t *found, apr_pool_t *pool)
{
    guess_t guess = { format, SS_UNLIKE, { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL } };
    const ss_sealed_t cookie = cookie_as(format, found);

    guess.likeness = format->look(&guess.look, &cookie, format, pool);
    return guess;
}
