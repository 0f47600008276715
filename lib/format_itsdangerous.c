/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Cookies that frameworks sign with the Python library itsdangerous: payload.time.signature.
 *
 * The time is the big-endian number of seconds since 1970 without leading zero bytes, in base64url;
 * the signature is HMAC-SHA-1 over "payload.time", in base64url. The library's own reader accepts
 * several spellings of one signature; ours accepts the one that the library writes.
 *
 * Starlette and FastAPI: the payload is standard base64 of the JSON document, and the key is
 * SHA-1 over the signer's salt, the word "signer" and the secret.
 */
#include "lib/encode.h"
#include "lib/format.h"

#define TIME_SIZE_MAX 6 /* bytes: 2^48 seconds, as far as the native format reaches */

static apr_status_t derive_starlette(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                                     apr_pool_t *pool)
{
    const ss_bytes_t slices[] = { ss_bytes_of("itsdangerous.Signer"), ss_bytes_of("signer"),
                                  secret };
    unsigned char derived[SS_SHA1_SIZE];
    ss_mac_t *mac = NULL;
    apr_status_t rv;

    (void)binding; /* the framework binds its cookies to the secret alone */
    rv = ss_hash(SS_SHA1, derived, slices, 3);
    if (rv == APR_SUCCESS) {
        rv = ss_mac_create(&mac, SS_SHA1, ss_bytes((const char *)derived, sizeof(derived)), pool);
        ss_wipe(derived, sizeof(derived));
    }
    key->mac = mac;
    return rv;
}

/* Cut `text` at its last dot. FALSE when there is none. */
static int split_right(ss_bytes_t *head, ss_bytes_t *tail, ss_bytes_t text)
{
    for (apr_size_t i = text.len; i > 0; i--) {
        if (text.data[i - 1] == '.') {
            *head = ss_bytes(text.data, i - 1);
            *tail = ss_bytes(text.data + i, text.len - i);
            return 1;
        }
    }
    return 0;
}

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

/* Returns the number of characters written to `out`, which has room for base64url of TIME_SIZE_MAX.
 */
static apr_size_t write_time(char *out, apr_int64_t seconds)
{
    char raw[TIME_SIZE_MAX];
    int at = TIME_SIZE_MAX;

    for (; seconds > 0 && at > 0; seconds >>= 8) {
        raw[--at] = (char)(seconds & 0xff);
    }
    return ss_base64_encode(SS_BASE64URL, out, ss_bytes(raw + at, TIME_SIZE_MAX - at));
}

static ss_state_e verify(int *key, ss_bytes_t signed_part, ss_bytes_t signature,
                         const ss_keyring_t *keys)
{
    for (int i = 0; i < keys->count; i++) {
        if (ss_mac_verify(keys->keys[i].mac, signed_part, signature)) {
            *key = i;
            return SS_VALID;
        }
    }
    return SS_BAD_SIGNATURE;
}

static ss_state_e open_starlette(ss_payload_t *payload, int *key, ss_bytes_t value,
                                 const ss_keyring_t *keys, apr_pool_t *pool)
{
    ss_bytes_t signed_part, encoded, time, signature;
    ss_state_e state;

    if (!split_right(&signed_part, &signature, value) ||
        !split_right(&encoded, &time, signed_part)) {
        return SS_MALFORMED;
    }
    if (ss_base64_decode(SS_BASE64URL, &signature, signature, pool) != APR_SUCCESS ||
        signature.len != SS_SHA1_SIZE) {
        return SS_BAD_SIGNATURE;
    }
    state = verify(key, signed_part, signature, keys);
    if (state != SS_VALID) {
        return state;
    }
    memset(&payload->stamp, 0, sizeof(payload->stamp));
    payload->stamp.created = SS_NO_TIME;
    if (!read_time(&payload->stamp.renewed, time, pool) ||
        ss_base64_decode(SS_BASE64, &payload->text, encoded, pool) != APR_SUCCESS) {
        return SS_MALFORMED;
    }
    return SS_VALID;
}

static apr_status_t seal_starlette(ss_bytes_t *value, const ss_payload_t *payload,
                                   const ss_keyring_t *keys, apr_pool_t *pool)
{
    apr_size_t room = ss_base64_size(SS_BASE64, payload->text.len) + 1 +
                      ss_base64_size(SS_BASE64URL, TIME_SIZE_MAX) + 1 +
                      ss_base64_size(SS_BASE64URL, SS_SHA1_SIZE);
    char *text = apr_palloc(pool, room);
    unsigned char signature[SS_SHA1_SIZE];
    apr_size_t len;
    apr_status_t rv;

    len = ss_base64_encode(SS_BASE64, text, payload->text);
    text[len++] = '.';
    len += write_time(text + len, payload->stamp.renewed);
    rv = ss_mac_compute(keys->keys[0].mac, signature, ss_bytes(text, len));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    text[len++] = '.';
    len += ss_base64_encode(SS_BASE64URL, text + len,
                            ss_bytes((const char *)signature, sizeof(signature)));
    *value = ss_bytes(text, len);
    return APR_SUCCESS;
}

const ss_format_t ss_format_starlette = { .name = "starlette",
                                          .traits = SS_FORMAT_TIMED | SS_FORMAT_FOREIGN,
                                          .derive = derive_starlette,
                                          .open = open_starlette,
                                          .seal = seal_starlette };
