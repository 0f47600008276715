/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>

#include "lib/format/stamped.h"

#include "lib/deflate.h"
#include "lib/encode.h"
#include "lib/json/json_text.h"

#define TIME_SIZE_MAX 6 /* bytes: 2^48 seconds, as far as the native format reaches */

/* Of an integer that Python reads from text: sys.get_int_max_str_digits. */
#define DIGITS_MAX 4300

/** The slices of a cookie's value. */
typedef struct parts_t {
    ss_bytes_t signed_part; /* payload, separator, time */
    ss_bytes_t payload, time, signature;
} parts_t;

/* Cut `text` at its last separator: a payload may hold it, too. FALSE when there is none. */
static int split_right(ss_bytes_t *head, ss_bytes_t *tail, ss_bytes_t text, char separator)
{
    for (apr_size_t i = text.len; i > 0; i--) {
        if (text.data[i - 1] == separator) {
            *head = ss_bytes(text.data, i - 1);
            *tail = ss_bytes(text.data + i, text.len - i);
            return 1;
        }
    }
    return 0;
}

static int split(parts_t *parts, ss_bytes_t value, char separator)
{
    return split_right(&parts->signed_part, &parts->signature, value, separator) &&
           split_right(&parts->payload, &parts->time, parts->signed_part, separator);
}

/* The bytes of the signature; FALSE when they cannot be one. */
static int read_signature(ss_bytes_t *signature, const parts_t *parts, ss_hash_e hash,
                          apr_pool_t *pool)
{
    return ss_base64_decode(SS_BASE64URL, signature, parts->signature, pool) == APR_SUCCESS &&
           signature->len == ss_hash_size(hash);
}

ss_state_e ss_stamped_open(ss_payload_t *payload, const ss_sealed_t *cookie, const ss_seal_t *seal,
                           apr_pool_t *pool)
{
    const ss_stamped_t *kind = seal->format->kind;
    ss_bytes_t signature;
    parts_t parts;

    if (!split(&parts, cookie->value, kind->separator)) {
        return SS_MALFORMED;
    }
    if (!read_signature(&signature, &parts, kind->hash, pool) ||
        !ss_keyring_verify(&payload->key, seal->keys, parts.signed_part, signature)) {
        return SS_BAD_SIGNATURE;
    }
    memset(&payload->stamp, 0, sizeof(payload->stamp));
    payload->stamp.created = SS_NO_TIME;
    if (!kind->read_time(&payload->stamp.renewed, parts.time, pool)) {
        payload->stamp.renewed = SS_NO_TIME;
        payload->text = ss_absent;
    }
    else if (!kind->decode(&payload->text, parts.payload, pool)) {
        payload->text = ss_absent;
    }
    return SS_VALID;
}

/* Has a checked document an integer that Python would not read? A fraction or an exponent makes a
 * number a float there, which has no such limit. */
static int has_long_integer(ss_json_t document)
{
    const char *at = document.raw.data, *end = at + document.raw.len;

    while (at < end) {
        const char *start = at;

        if (*at == '"') {
            at = ss_json_string_end(at, end);
            continue;
        }
        while (at < end && apr_isdigit(*at)) {
            at++;
        }
        if (at - start > DIGITS_MAX && (at == end || strchr(".eE", *at) == NULL)) {
            return 1;
        }
        /* what is left of a float: its fraction and exponent may be long */
        while (at > start && at < end && (apr_isdigit(*at) || strchr(".eE+-", *at) != NULL)) {
            at++;
        }
        at += at == start;
    }
    return 0;
}

apr_status_t ss_stamped_seal(ss_sealed_t *cookie, const ss_payload_t *payload,
                             const ss_seal_t *seal, apr_pool_t *pool)
{
    const ss_stamped_t *kind = seal->format->kind;
    unsigned char signature[SS_HASH_SIZE_MAX];
    apr_size_t signature_size = ss_hash_size(kind->hash), len;
    ss_bytes_t encoded;
    apr_status_t rv;
    char *text;

    if (has_long_integer(payload->json)) {
        return SS_LONG_INTEGER;
    }
    rv = kind->encode(&encoded, payload->text, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    text = apr_palloc(pool, encoded.len + 1 + SS_STAMP_TIME_MAX + 1 +
                                ss_base64_size(SS_BASE64URL, signature_size));
    memcpy(text, encoded.data, encoded.len);
    len = encoded.len;
    text[len++] = kind->separator;
    len += kind->write_time(text + len, payload->stamp.renewed);
    rv = ss_mac_compute(seal->keys->keys[0].mac, signature, ss_bytes(text, len));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    text[len++] = kind->separator;
    len += ss_base64_encode(SS_BASE64URL, text + len,
                            ss_bytes((const char *)signature, signature_size));
    cookie->value = ss_bytes(text, len);
    return APR_SUCCESS;
}

/* Four characters stand for three bytes, more or less. */
static apr_size_t without_base64(ss_bytes_t text)
{
    return text.len * 3 / 4;
}

ss_likeness_e ss_stamped_look(ss_look_t *look, const ss_sealed_t *cookie, const ss_format_t *format,
                              apr_pool_t *pool)
{
    const ss_stamped_t *kind = format->kind;
    ss_bytes_t text = { NULL, 0 }, signature;
    parts_t parts;
    apr_int64_t seconds;

    if (!split(&parts, cookie->value, kind->separator)) {
        look->why = kind->separator == '.' ? "it has no two dots: payload.time.signature"
                                           : "it has no two colons: payload:time:signature";
        return SS_UNLIKE;
    }
    ss_look_bytes(look, "payload", SS_PART_TEXT, parts.payload);
    if (!kind->decode(&text, parts.payload, pool)) {
        look->why = "its payload cannot be decoded";
        return SS_UNLIKE;
    }
    if (parts.payload.len > 0 && parts.payload.data[0] == '.') {
        ss_look_bytes(look, "kind", SS_PART_TEXT, ss_bytes_of("compressed"));
    }
    ss_look_bytes(look, "session", SS_PART_JSON, text);
    ss_look_size(look, without_base64(parts.payload));
    if (ss_json_check(NULL, text, SS_JSON_PYTHON, NULL) != APR_SUCCESS) {
        look->why = "its payload is no JSON";
        return SS_UNLIKE;
    }
    if (!kind->read_time(&seconds, parts.time, pool)) {
        look->why = "its time cannot be read";
        return SS_UNLIKE;
    }
    ss_look_number(look, "renewed", SS_PART_TIME, seconds, without_base64(parts.time));
    if (!read_signature(&signature, &parts, kind->hash, pool)) {
        look->why = kind->hash == SS_SHA1
                        ? "its signature is not 27 characters of base64url (HMAC-SHA-1)"
                        : "its signature is not 43 characters of base64url (HMAC-SHA-256)";
        return SS_UNLIKE;
    }
    ss_look_bytes(look, "signature", SS_PART_BINARY, signature);
    return SS_POSSIBLE;
}

int ss_stamped_is_spaced(const ss_look_t *look, apr_pool_t *pool)
{
    ss_json_t document;

    for (int i = 0; i < look->parts->nelts; i++) {
        const ss_part_t *part = &APR_ARRAY_IDX(look->parts, i, ss_part_t);

        if (part->kind == SS_PART_JSON &&
            ss_json_check(&document, part->bytes, SS_JSON_PYTHON, NULL) == APR_SUCCESS) {
            return ss_json_compact(document, SS_JSON_AS_IS, pool).raw.len < part->bytes.len;
        }
    }
    return 0;
}

int ss_stamped_unpack(ss_bytes_t *text, ss_bytes_t payload, apr_pool_t *pool)
{
    int packed = payload.len > 0 && payload.data[0] == '.';

    if (packed) {
        payload = ss_bytes(payload.data + 1, payload.len - 1);
    }
    return ss_base64_decode(SS_BASE64URL, text, payload, pool) == APR_SUCCESS &&
           (!packed || ss_inflate(text, *text, pool) == APR_SUCCESS);
}

apr_status_t ss_stamped_pack(ss_bytes_t *payload, ss_bytes_t text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, 1 + ss_base64_size(SS_BASE64URL, text.len));
    apr_size_t len = 0;
    ss_bytes_t packed;
    apr_status_t rv;

    if (text.len > SS_INFLATED_MAX) {
        return SS_TOO_MUCH_TEXT;
    }
    rv = ss_deflate(&packed, text, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (packed.len + 1 < text.len) {
        out[len++] = '.';
        text = packed;
    }
    len += ss_base64_encode(SS_BASE64URL, out + len, text);
    *payload = ss_bytes(out, len);
    return APR_SUCCESS;
}

int ss_stamped_read_time(apr_int64_t *seconds, ss_bytes_t text, apr_pool_t *pool)
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

apr_size_t ss_stamped_write_time(char *out, apr_int64_t seconds)
{
    char raw[TIME_SIZE_MAX];
    int at = TIME_SIZE_MAX;

    for (; seconds > 0 && at > 0; seconds >>= 8) {
        raw[--at] = (char)(seconds & 0xff);
    }
    return ss_base64_encode(SS_BASE64URL, out, ss_bytes(raw + at, TIME_SIZE_MAX - at));
}

apr_status_t ss_stamped_key(ss_key_t *key, ss_hash_e hash, unsigned char *derived, apr_pool_t *pool)
{
    apr_size_t size = ss_hash_size(hash);
    ss_mac_t *mac;
    apr_status_t rv = ss_mac_create(&mac, hash, ss_bytes((const char *)derived, size), pool);

    ss_wipe(derived, size);
    key->mac = mac;
    return rv;
}
