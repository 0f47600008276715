/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * A record. All integers big-endian:
 *
 *   0  12  token: 4 bytes write counter, 8 random
 *  12  1   version, 1
 *  13  1   flags: 1 when it is closed, 2 when it is replaced, else 0
 *  14  2   key id, as in the native cookie
 *  16  24  nonce
 *  40  n   the JSON document, encrypted with XAES-256-GCM: bound to the session id and the 16 bytes
 *          in front of the nonce
 * 40+n 16  tag
 */
#include "lib/numbers.h"
#include "lib/record.h"

#define VERSION 1
#define FLAGS_CLOSED 1
#define FLAGS_REPLACED 2

enum {
    AT_COUNTER = 0,
    AT_RANDOM = 4,
    AT_VERSION = 12,
    AT_FLAGS = 13,
    AT_KEY_ID = 14,
    AT_NONCE = 16,
    AT_TEXT = AT_NONCE + SS_AEAD_NONCE_SIZE
};

apr_uint32_t ss_record_counter(const unsigned char *token)
{
    return (apr_uint32_t)ss_number_get((const char *)token + AT_COUNTER, 4);
}

/* What the text is bound to, in `bound`. */
static ss_bytes_t binding_of(char bound[SS_SESSION_ID_SIZE + AT_NONCE], const char *raw,
                             const unsigned char *id)
{
    memcpy(bound, id, SS_SESSION_ID_SIZE);
    memcpy(bound + SS_SESSION_ID_SIZE, raw, AT_NONCE);
    return ss_bytes(bound, SS_SESSION_ID_SIZE + AT_NONCE);
}

static int has_shape(ss_bytes_t bytes)
{
    return bytes.len >= SS_RECORD_OVERHEAD && bytes.data[AT_VERSION] == VERSION &&
           (bytes.data[AT_FLAGS] == 0 || bytes.data[AT_FLAGS] == FLAGS_REPLACED ||
            (bytes.data[AT_FLAGS] == FLAGS_CLOSED && bytes.len == SS_RECORD_OVERHEAD));
}

int ss_record_is_replaced(ss_bytes_t bytes)
{
    return bytes.data[AT_FLAGS] == FLAGS_REPLACED;
}

ss_state_e ss_record_open(ss_record_t *record, ss_bytes_t bytes, const unsigned char *id,
                          const ss_keyring_t *keys, apr_pool_t *pool)
{
    char bound[SS_SESSION_ID_SIZE + AT_NONCE];
    ss_state_e state = SS_UNKNOWN_KEY;
    ss_bytes_t sealed, binding;
    apr_uint16_t key_id;
    unsigned char *text;

    if (!has_shape(bytes)) {
        return SS_MALFORMED;
    }
    key_id = (apr_uint16_t)ss_number_get(bytes.data + AT_KEY_ID, 2);
    sealed = ss_bytes(bytes.data + AT_TEXT, bytes.len - AT_TEXT);
    binding = binding_of(bound, bytes.data, id);
    text = apr_palloc(pool, sealed.len); /* with room for the tag, so never for nothing */
    for (int i = 0; i < keys->count; i++) {
        if (keys->keys[i].id != key_id) {
            continue;
        }
        state = SS_MALFORMED;
        if (ss_aead_open(keys->keys[i].store, text, (const unsigned char *)bytes.data + AT_NONCE,
                         sealed, binding)) {
            memcpy(record->token, bytes.data, SS_TOKEN_SIZE);
            record->is_closed = bytes.data[AT_FLAGS] == FLAGS_CLOSED;
            record->is_replaced = ss_record_is_replaced(bytes);
            record->text = ss_bytes((const char *)text, sealed.len - SS_AEAD_TAG_SIZE);
            record->key = i;
            return SS_VALID;
        }
    }
    return state;
}

apr_status_t ss_record_seal(ss_bytes_t *bytes, ss_record_t *record, apr_uint32_t counter,
                            const unsigned char *id, const ss_keyring_t *keys, ss_random_fn *random,
                            apr_pool_t *pool)
{
    const ss_key_t *key = &keys->keys[0];
    ss_bytes_t text = record->is_closed ? ss_bytes("", 0) : record->text;
    char bound[SS_SESSION_ID_SIZE + AT_NONCE];
    apr_size_t size = SS_RECORD_OVERHEAD + text.len;
    char *raw = apr_palloc(pool, size);
    apr_status_t rv;

    ss_number_put(raw + AT_COUNTER, 4, counter);
    raw[AT_VERSION] = VERSION;
    raw[AT_FLAGS] = record->is_closed ? FLAGS_CLOSED : record->is_replaced ? FLAGS_REPLACED : 0;
    ss_number_put(raw + AT_KEY_ID, 2, key->id);
    rv = random(raw + AT_RANDOM, AT_VERSION - AT_RANDOM);
    if (rv == APR_SUCCESS) {
        rv = random(raw + AT_NONCE, SS_AEAD_NONCE_SIZE);
    }
    if (rv == APR_SUCCESS) {
        rv = ss_aead_seal(key->store, (unsigned char *)raw + AT_TEXT,
                          (const unsigned char *)raw + AT_NONCE, text, binding_of(bound, raw, id));
    }
    memcpy(record->token, raw, SS_TOKEN_SIZE);
    record->key = 0;
    *bytes = ss_bytes(raw, size);
    return rv;
}
