/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * The native format. All integers big-endian, the whole in base64url:
 *
 *   0  1   version, 1
 *   1  1   flags: bit 0 is set aside for encrypted payloads, the others must be 0
 *   2  2   key id: picks the key in one step, however many secrets are configured
 *   4  6   renewed, seconds since 1970
 *  10  6   created, seconds since 1970
 *  16  16  session id
 *  32  4   write counter
 *  36  n   the JSON document
 * 36+n 32  HMAC-SHA-256 over everything before
 */
#include "lib/encode.h"
#include "lib/format.h"

#define VERSION 1
#define FLAGS_SIGNED 0

enum {
    AT_VERSION = 0,
    AT_FLAGS = 1,
    AT_KEY_ID = 2,
    AT_RENEWED = 4,
    AT_CREATED = 10,
    AT_SESSION_ID = 16,
    AT_COUNTER = 32,
    HEADER_SIZE = 36,
    TIME_SIZE = 6,
    START_CHARACTERS = 8 /* of base64url, for version, flags and key id */
};

#define SALT "mod_signed_session v1"

static void put_number(char *out, int size, apr_uint64_t number)
{
    for (int i = size - 1; i >= 0; i--) {
        out[i] = (char)(number & 0xff);
        number >>= 8;
    }
}

static apr_uint64_t get_number(const char *in, int size)
{
    apr_uint64_t number = 0;

    for (int i = 0; i < size; i++) {
        number = number << 8 | (unsigned char)in[i];
    }
    return number;
}

/* One secret gives independent keys for each purpose, cookie name and audience (RFC 5869). */
static apr_status_t derive_bytes(unsigned char *out, apr_size_t len, const char *purpose,
                                 ss_bytes_t secret, const ss_binding_t *binding, apr_pool_t *pool)
{
    apr_size_t purpose_size = strlen(purpose) + 1;
    apr_size_t name_size = strlen(binding->cookie_name) + 1;
    apr_size_t audience_len = strlen(binding->audience);
    apr_size_t size = purpose_size + name_size + audience_len;
    char *info = apr_palloc(pool, size);

    memcpy(info, purpose, purpose_size);
    memcpy(info + purpose_size, binding->cookie_name, name_size);
    memcpy(info + purpose_size + name_size, binding->audience, audience_len);
    return ss_hkdf(out, len, secret, ss_bytes_of(SALT), ss_bytes(info, size));
}

static apr_status_t derive(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                           apr_pool_t *pool)
{
    unsigned char sign[SS_SHA256_SIZE], id[2];
    ss_mac_t *mac = NULL;
    apr_status_t rv;

    rv = derive_bytes(id, sizeof(id), "key id", secret, binding, pool);
    if (rv == APR_SUCCESS) {
        rv = derive_bytes(sign, sizeof(sign), "sign", secret, binding, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = ss_mac_create(&mac, SS_SHA256, ss_bytes((const char *)sign, sizeof(sign)), pool);
        ss_wipe(sign, sizeof(sign));
    }
    key->id = (apr_uint16_t)(id[0] << 8 | id[1]);
    key->mac = mac;
    return rv;
}

/* Which key fits? Two secrets may share an id: each of them is tried. */
static ss_state_e verify(int *key, ss_bytes_t signed_part, ss_bytes_t signature,
                         const ss_keyring_t *keys)
{
    apr_uint16_t id = (apr_uint16_t)get_number(signed_part.data + AT_KEY_ID, 2);
    ss_state_e state = SS_UNKNOWN_KEY;

    for (int i = 0; i < keys->count; i++) {
        if (keys->keys[i].id != id) {
            continue;
        }
        if (ss_mac_verify(keys->keys[i].mac, signed_part, signature)) {
            *key = i;
            return SS_VALID;
        }
        state = SS_BAD_SIGNATURE;
    }
    return state;
}

static ss_state_e open_value(ss_payload_t *payload, int *key, ss_bytes_t value,
                             const ss_keyring_t *keys, apr_pool_t *pool)
{
    ss_bytes_t raw;
    apr_size_t signed_size;
    ss_state_e state;

    if (ss_base64_decode(SS_BASE64URL, &raw, value, pool) != APR_SUCCESS ||
        raw.len < HEADER_SIZE + SS_SHA256_SIZE || raw.data[AT_VERSION] != VERSION ||
        raw.data[AT_FLAGS] != FLAGS_SIGNED) {
        return SS_MALFORMED;
    }
    signed_size = raw.len - SS_SHA256_SIZE;
    state = verify(key, ss_bytes(raw.data, signed_size),
                   ss_bytes(raw.data + signed_size, SS_SHA256_SIZE), keys);
    if (state != SS_VALID) {
        return state;
    }
    payload->stamp.renewed = (apr_int64_t)get_number(raw.data + AT_RENEWED, TIME_SIZE);
    payload->stamp.created = (apr_int64_t)get_number(raw.data + AT_CREATED, TIME_SIZE);
    payload->stamp.counter = (apr_uint32_t)get_number(raw.data + AT_COUNTER, 4);
    memcpy(payload->stamp.id, raw.data + AT_SESSION_ID, SS_SESSION_ID_SIZE);
    payload->text = ss_bytes(raw.data + HEADER_SIZE, signed_size - HEADER_SIZE);
    return SS_VALID;
}

static apr_status_t seal_value(ss_bytes_t *value, const ss_payload_t *payload,
                               const ss_keyring_t *keys, apr_pool_t *pool)
{
    const ss_stamp_t *stamp = &payload->stamp;
    apr_size_t signed_size = HEADER_SIZE + payload->text.len;
    apr_size_t size = signed_size + SS_SHA256_SIZE;
    char *raw = apr_palloc(pool, size);
    char *text;
    apr_status_t rv;

    raw[AT_VERSION] = VERSION;
    raw[AT_FLAGS] = FLAGS_SIGNED;
    put_number(raw + AT_KEY_ID, 2, keys->keys[0].id);
    put_number(raw + AT_RENEWED, TIME_SIZE, (apr_uint64_t)stamp->renewed);
    put_number(raw + AT_CREATED, TIME_SIZE, (apr_uint64_t)stamp->created);
    memcpy(raw + AT_SESSION_ID, stamp->id, SS_SESSION_ID_SIZE);
    put_number(raw + AT_COUNTER, 4, stamp->counter);
    memcpy(raw + HEADER_SIZE, payload->text.data, payload->text.len);

    rv = ss_mac_compute(keys->keys[0].mac, (unsigned char *)raw + signed_size,
                        ss_bytes(raw, signed_size));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    text = apr_palloc(pool, ss_base64_size(SS_BASE64URL, size));
    *value = ss_bytes(text, ss_base64_encode(SS_BASE64URL, text, ss_bytes(raw, size)));
    return APR_SUCCESS;
}

static int resembles(ss_bytes_t value, const ss_keyring_t *keys, apr_pool_t *pool)
{
    ss_bytes_t start;

    if (value.len < START_CHARACTERS ||
        ss_base64_decode(SS_BASE64URL, &start, ss_bytes(value.data, START_CHARACTERS), pool) !=
            APR_SUCCESS ||
        start.data[AT_VERSION] != VERSION) {
        return 0;
    }
    for (int i = 0; i < keys->count; i++) {
        if (keys->keys[i].id == get_number(start.data + AT_KEY_ID, 2)) {
            return 1;
        }
    }
    return 0;
}

const ss_format_t ss_format_native = { .name = "native",
                                       .traits =
                                           SS_FORMAT_TIMED | SS_FORMAT_CREATED | SS_FORMAT_BOUND,
                                       .derive = derive,
                                       .open = open_value,
                                       .seal = seal_value,
                                       .resembles = resembles };
