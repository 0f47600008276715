/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef RANDOMS_H
#define RANDOMS_H

#include <string.h>

#include <apr_errno.h>

/* Random sources (ss_random_fn) of which a test knows what comes. */

static inline apr_status_t all_sevens(void *out, apr_size_t len)
{
    memset(out, 7, len);
    return APR_SUCCESS;
}

static inline apr_status_t no_random(void *out, apr_size_t len)
{
    (void)out;
    (void)len;
    return APR_EGENERAL;
}

#endif
