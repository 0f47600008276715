/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Cookies that frameworks sign with the Python library itsdangerous: payload.time.signature.
 *
 * The time is the big-endian number of seconds since 1970 without leading zero bytes, in base64url;
 * the signature is HMAC-SHA-1.
 *
 * Starlette and FastAPI: the payload is standard base64 of the JSON document, and the key is
 * SHA-1 over the signer's salt, the word "signer" and the secret.
 *
 * Flask: the payload is base64url, perhaps compressed, and the key is HMAC-SHA-1 over a salt, keyed
 * with the secret.
 */
#include "lib/encode.h"
#include "lib/json.h"
#include "lib/stamped.h"

#define TIME_SIZE_MAX 6 /* bytes: 2^48 seconds, as far as the native format reaches */

/*
 * The time
 */

static int read_time(apr_int64_t *seconds, ss_bytes_t text, apr_pool_t *pool)
{
    ss_bytes_t raw;

    if (ss_base64_decode(SS_BASE64URL, &raw, text, pool) != APR_SUCCESS ||
        raw.len > TIME_SIZE_MAX) {
        return 0;
    }
    *seconds = 0;
    for (apr_size_t i = 0; i < raw.len; i++) {
        *seconds = *seconds << 8 | (unsigned char)raw.data[i];
    }
    return 1;
}

static apr_size_t write_time(char *out, apr_int64_t seconds)
{
    char raw[TIME_SIZE_MAX];
    int at = TIME_SIZE_MAX;

    for (; seconds > 0 && at > 0; seconds >>= 8) {
        raw[--at] = (char)(seconds & 0xff);
    }
    return ss_base64_encode(SS_BASE64URL, out, ss_bytes(raw + at, TIME_SIZE_MAX - at));
}

/*
 * Keys
 */

static apr_status_t key_with(ss_key_t *key, unsigned char derived[SS_SHA1_SIZE], apr_pool_t *pool)
{
    ss_mac_t *mac;
    apr_status_t rv =
        ss_mac_create(&mac, SS_SHA1, ss_bytes((const char *)derived, SS_SHA1_SIZE), pool);

    ss_wipe(derived, SS_SHA1_SIZE);
    key->mac = mac;
    return rv;
}

static apr_status_t derive_starlette(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                                     apr_pool_t *pool)
{
    const ss_bytes_t slices[] = { ss_bytes_of("itsdangerous.Signer"), ss_bytes_of("signer"),
                                  secret };
    unsigned char derived[SS_SHA1_SIZE];
    apr_status_t rv;

    (void)binding; /* the framework binds its cookies to the secret alone */
    rv = ss_hash(SS_SHA1, derived, slices, 3);
    return rv == APR_SUCCESS ? key_with(key, derived, pool) : rv;
}

static apr_status_t derive_flask(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                                 apr_pool_t *pool)
{
    unsigned char derived[SS_SHA1_SIZE];
    ss_mac_t *mac;
    apr_status_t rv;

    (void)binding;
    rv = ss_mac_create(&mac, SS_SHA1, secret, pool);
    if (rv == APR_SUCCESS) {
        rv = ss_mac_compute(mac, derived, ss_bytes_of("cookie-session"));
    }
    return rv == APR_SUCCESS ? key_with(key, derived, pool) : rv;
}

/*
 * Starlette
 */

static int decode_starlette(ss_bytes_t *text, ss_bytes_t payload, apr_pool_t *pool)
{
    return ss_base64_decode(SS_BASE64, text, payload, pool) == APR_SUCCESS;
}

static apr_status_t encode_starlette(ss_bytes_t *payload, ss_bytes_t text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, ss_base64_size(SS_BASE64, text.len));

    *payload = ss_bytes(out, ss_base64_encode(SS_BASE64, out, text));
    return APR_SUCCESS;
}

static const ss_stamped_t starlette = { '.',        SS_SHA1,          read_time,
                                        write_time, decode_starlette, encode_starlette };

static ss_state_e open_starlette(ss_payload_t *payload, const ss_sealed_t *cookie,
                                 const ss_keyring_t *keys, const ss_sealing_t *how,
                                 apr_pool_t *pool)
{
    (void)how;
    return ss_stamped_open(payload, cookie->value, keys, &starlette, pool);
}

static apr_status_t seal_starlette(ss_sealed_t *cookie, const ss_payload_t *payload,
                                   const ss_keyring_t *keys, const ss_sealing_t *how,
                                   apr_pool_t *pool)
{
    (void)how;
    return ss_stamped_seal(&cookie->value, payload, keys, &starlette, pool);
}

/* Without padding and the like a payload may be of either framework. Starlette's JSON has blanks,
 * Flask's has none. */
static int is_spaced(const ss_look_t *look, apr_pool_t *pool)
{
    for (int i = 0; i < look->parts->nelts; i++) {
        const ss_part_t *part = &APR_ARRAY_IDX(look->parts, i, ss_part_t);

        if (part->kind == SS_PART_JSON) {
            return ss_json_compact(part->bytes, 0, pool).len < part->bytes.len;
        }
    }
    return 0;
}

static int has_any(ss_bytes_t text, const char *characters)
{
    for (; *characters != '\0'; characters++) {
        if (text.len > 0 && memchr(text.data, *characters, text.len) != NULL) {
            return 1;
        }
    }
    return 0;
}

static ss_likeness_e look_starlette(ss_look_t *look, const ss_sealed_t *cookie, apr_pool_t *pool)
{
    ss_likeness_e likeness = ss_stamped_look(look, cookie->value, &starlette, pool);

    if (likeness == SS_POSSIBLE && (has_any(cookie->value, "=+/") || is_spaced(look, pool))) {
        return SS_LIKELY;
    }
    return likeness;
}

const ss_format_t ss_format_starlette = { .name = "starlette",
                                          .traits = SS_FORMAT_TIMED | SS_FORMAT_FOREIGN,
                                          .idle_days = 14,
                                          .derive = derive_starlette,
                                          .open = open_starlette,
                                          .seal = seal_starlette,
                                          .look = look_starlette };

/*
 * Flask
 */

static const ss_stamped_t flask = { '.',        SS_SHA1,           read_time,
                                    write_time, ss_stamped_unpack, ss_stamped_pack };

static ss_state_e open_flask(ss_payload_t *payload, const ss_sealed_t *cookie,
                             const ss_keyring_t *keys, const ss_sealing_t *how, apr_pool_t *pool)
{
    (void)how;
    return ss_stamped_open(payload, cookie->value, keys, &flask, pool);
}

static apr_status_t seal_flask(ss_sealed_t *cookie, const ss_payload_t *payload,
                               const ss_keyring_t *keys, const ss_sealing_t *how, apr_pool_t *pool)
{
    (void)how;
    return ss_stamped_seal(&cookie->value, payload, keys, &flask, pool);
}

static ss_likeness_e look_flask(ss_look_t *look, const ss_sealed_t *cookie, apr_pool_t *pool)
{
    ss_likeness_e likeness = ss_stamped_look(look, cookie->value, &flask, pool);

    return likeness == SS_POSSIBLE && !is_spaced(look, pool) ? SS_LIKELY : likeness;
}

/* Flask's cookies end with the browser until the application makes a session permanent. */
static apr_int64_t max_age_flask(const ss_session_t *session, apr_int64_t standard)
{
    ss_bytes_t permanent = ss_session_get(session, ss_bytes_of("_permanent"));

    return permanent.data != NULL && ss_json_is_true(permanent) ? standard : -1;
}

const ss_format_t ss_format_flask = { .name = "flask",
                                      .traits =
                                          SS_FORMAT_TIMED | SS_FORMAT_FOREIGN | SS_FORMAT_TAGGED,
                                      .idle_days = 31,
                                      .derive = derive_flask,
                                      .open = open_flask,
                                      .seal = seal_flask,
                                      .look = look_flask,
                                      .max_age = max_age_flask };
