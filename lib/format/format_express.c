/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Cookies of Express with cookie-session and Keygrip. They are two: NAME holds standard base64 of
 * the JSON document, NAME.sig the HMAC-SHA-1 over "NAME=value", in base64url. Its key is the secret
 * itself. Neither says when it was written.
 */
#include "lib/encode.h"
#include "lib/format/format.h"
#include "lib/json/json.h"

static apr_status_t derive(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                           apr_pool_t *pool)
{
    ss_mac_t *mac;
    apr_status_t rv = ss_mac_create(&mac, SS_SHA1, secret, pool);

    (void)binding; /* the name is in what is signed, not in the key */
    key->mac = mac;
    return rv;
}

/* "NAME=value" */
static ss_bytes_t signed_part(const char *name, ss_bytes_t value, apr_pool_t *pool)
{
    apr_size_t name_len = strlen(name);
    char *text = apr_palloc(pool, name_len + 1 + value.len);

    memcpy(text, name, name_len);
    text[name_len] = '=';
    memcpy(text + name_len + 1, value.data, value.len);
    return ss_bytes(text, name_len + 1 + value.len);
}

static int read_signature(ss_bytes_t *signature, ss_bytes_t companion, apr_pool_t *pool)
{
    return companion.data != NULL &&
           ss_base64_decode(SS_BASE64URL, signature, companion, pool) == APR_SUCCESS &&
           signature->len == SS_SHA1_SIZE;
}

static ss_state_e open_value(ss_payload_t *payload, const ss_sealed_t *cookie,
                             const ss_seal_t *seal, apr_pool_t *pool)
{
    ss_bytes_t signature, text;

    if (ss_base64_decode(SS_BASE64, &text, cookie->value, pool) != APR_SUCCESS) {
        text = ss_absent;
    }
    if (!read_signature(&signature, cookie->companion, pool) ||
        !ss_keyring_verify(&payload->key, seal->keys,
                           signed_part(seal->cookie_name, cookie->value, pool), signature)) {
        return text.data == NULL ? SS_MALFORMED : SS_BAD_SIGNATURE;
    }
    payload->text = text;
    memset(&payload->stamp, 0, sizeof(payload->stamp));
    payload->stamp.created = payload->stamp.renewed = SS_NO_TIME;
    return SS_VALID;
}

static apr_status_t seal_value(ss_sealed_t *cookie, const ss_payload_t *payload,
                               const ss_seal_t *seal, apr_pool_t *pool)
{
    char *value = apr_palloc(pool, ss_base64_size(SS_BASE64, payload->text.len));
    char *companion = apr_palloc(pool, ss_base64_size(SS_BASE64URL, SS_SHA1_SIZE));
    unsigned char signature[SS_SHA1_SIZE];
    apr_status_t rv;

    cookie->value = ss_bytes(value, ss_base64_encode(SS_BASE64, value, payload->text));
    rv = ss_mac_compute(seal->keys->keys[0].mac, signature,
                        signed_part(seal->cookie_name, cookie->value, pool));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    cookie->companion =
        ss_bytes(companion, ss_base64_encode(SS_BASE64URL, companion,
                                             ss_bytes((const char *)signature, SS_SHA1_SIZE)));
    return APR_SUCCESS;
}

static ss_likeness_e look(ss_look_t *look, const ss_sealed_t *cookie, const ss_format_t *format,
                          apr_pool_t *pool)
{
    ss_bytes_t text, signature;

    (void)format;
    if (ss_base64_decode(SS_BASE64, &text, cookie->value, pool) != APR_SUCCESS) {
        look->why = "its value is not base64";
        return SS_UNLIKE;
    }
    ss_look_bytes(look, "session", SS_PART_JSON, text);
    if (ss_json_check(NULL, text, SS_JSON_STRICT, NULL) != APR_SUCCESS) {
        look->why = "its value is no JSON";
        return SS_UNLIKE;
    }
    if (cookie->companion.data == NULL) {
        look->why = "the other cookie, with the signature, is missing: give both, as NAME=VALUE; "
                    "NAME.sig=SIGNATURE";
        return SS_POSSIBLE;
    }
    if (!read_signature(&signature, cookie->companion, pool)) {
        look->why = "its signature is not 27 characters of base64url (HMAC-SHA-1)";
        return SS_POSSIBLE;
    }
    ss_look_bytes(look, "signature", SS_PART_BINARY, signature);
    return SS_LIKELY;
}

const ss_format_t ss_format_express = { .name = "express",
                                        .traits = SS_FORMAT_FOREIGN,
                                        .idle_days = 14,
                                        .companion = ".sig",
                                        .derive = derive,
                                        .open = open_value,
                                        .seal = seal_value,
                                        .look = look };
