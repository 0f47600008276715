/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Cookies of Starlette's and FastAPI's SessionMiddleware: payload.time.signature, signed with the
 * Python library itsdangerous.
 *
 * The payload is standard base64 of the JSON document; the signature is HMAC-SHA-1, whose key is
 * SHA-1 over the signer's salt, the word "signer" and the secret.
 */
#include "lib/encode.h"
#include "lib/format/stamped.h"

static apr_status_t derive(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                           apr_pool_t *pool)
{
    const ss_bytes_t slices[] = { ss_bytes_of("itsdangerous.Signer"), ss_bytes_of("signer"),
                                  secret };
    unsigned char derived[SS_SHA1_SIZE];
    apr_status_t rv;

    (void)binding; /* the framework binds its cookies to the secret alone */
    rv = ss_hash(SS_SHA1, derived, slices, 3);
    return rv == APR_SUCCESS ? ss_stamped_key(key, SS_SHA1, derived, pool) : rv;
}

static int decode(ss_bytes_t *text, ss_bytes_t payload, apr_pool_t *pool)
{
    return ss_base64_decode(SS_BASE64, text, payload, pool) == APR_SUCCESS;
}

static apr_status_t encode(ss_bytes_t *payload, ss_bytes_t text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, ss_base64_size(SS_BASE64, text.len));

    *payload = ss_bytes(out, ss_base64_encode(SS_BASE64, out, text));
    return APR_SUCCESS;
}

static const ss_stamped_t starlette = {
    '.', SS_SHA1, ss_stamped_read_time, ss_stamped_write_time, decode, encode
};

static int has_any(ss_bytes_t text, const char *characters)
{
    for (; *characters != '\0'; characters++) {
        if (text.len > 0 && memchr(text.data, *characters, text.len) != NULL) {
            return 1;
        }
    }
    return 0;
}

/* Without padding and the like a payload may be of either framework. Starlette's JSON has blanks,
 * Flask's has none. */
static ss_likeness_e look(ss_look_t *look, const ss_sealed_t *cookie, const ss_format_t *format,
                          apr_pool_t *pool)
{
    ss_likeness_e likeness = ss_stamped_look(look, cookie, format, pool);

    if (likeness == SS_POSSIBLE &&
        (has_any(cookie->value, "=+/") || ss_stamped_is_spaced(look, pool))) {
        return SS_LIKELY;
    }
    return likeness;
}

const ss_format_t ss_format_starlette = { .name = "starlette",
                                          .traits =
                                              SS_FORMAT_TIMED | SS_FORMAT_FOREIGN | SS_FORMAT_LAST,
                                          .idle_days = 14,
                                          .kind = &starlette,
                                          .derive = derive,
                                          .open = ss_stamped_open,
                                          .seal = ss_stamped_seal,
                                          .look = look };
