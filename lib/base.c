/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/base.h"

/* clang-format off */
static const char *const names[SS_STATES] = {
    [SS_NONE]             = "none",
    [SS_VALID]            = "valid",
    [SS_MALFORMED]        = "malformed",
    [SS_TOO_LARGE]        = "too-large",
    [SS_UNKNOWN_KEY]      = "unknown-key",
    [SS_BAD_SIGNATURE]    = "bad-signature",
    [SS_EXPIRED_IDLE]     = "expired-idle",
    [SS_EXPIRED_ABSOLUTE] = "expired-absolute",
    [SS_FROM_FUTURE]      = "from-future",
    [SS_REVOKED]          = "revoked",
    [SS_UNAVAILABLE]      = "unavailable",
    [SS_UNPROVEN]         = "unproven",
    [SS_UNBOUND]          = "unbound",
};
/* clang-format on */

const char *ss_state_name(ss_state_e state)
{
    return names[state];
}

static int is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

ss_bytes_t ss_bytes_trim(ss_bytes_t bytes)
{
    while (bytes.len > 0 && is_white(bytes.data[0])) {
        bytes.data++;
        bytes.len--;
    }
    while (bytes.len > 0 && is_white(bytes.data[bytes.len - 1])) {
        bytes.len--;
    }
    return bytes;
}

void ss_out_of_memory(apr_pool_t *pool)
{
    apr_abortfunc_t out_of_memory = apr_pool_abort_get(pool);

    if (out_of_memory != NULL) {
        out_of_memory(APR_ENOMEM);
    }
}
