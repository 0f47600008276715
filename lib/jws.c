/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/json/json.h"
#include "lib/jws.h"

#define PARTS 3 /* header, payload, signature */

/* Cut it at its dots. */
static int split(ss_bytes_t parts[PARTS], ss_bytes_t text)
{
    int part = 0;

    parts[0] = ss_bytes(text.data, 0);
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '.') {
            parts[part].len++;
        }
        else if (++part < PARTS) {
            parts[part] = ss_bytes(text.data + i + 1, 0);
        }
        else {
            return 0;
        }
    }
    return part == PARTS - 1;
}

/* The members of a part that is an object; NULL when it is none. */
static const apr_array_header_t *members_of(ss_bytes_t part, apr_pool_t *pool)
{
    ss_bytes_t text;
    ss_json_t object;

    if (ss_base64_decode(SS_BASE64URL, &text, part, pool) != APR_SUCCESS ||
        ss_json_check_input(&object, text, NULL, pool) != APR_SUCCESS) {
        return NULL;
    }
    return ss_json_members(object, pool);
}

/* The text of a string among them; absent when there is none of this name. */
static ss_bytes_t text_of(const apr_array_header_t *members, const char *name, apr_pool_t *pool)
{
    const ss_json_member_t *member = ss_json_find(members, ss_bytes_of(name));

    return member == NULL || ss_json_kind(member->value) != SS_JSON_STRING
               ? ss_absent
               : ss_json_decode(member->value, pool);
}

static int says(const apr_array_header_t *members, const char *name, const char *wanted,
                apr_pool_t *pool)
{
    return ss_bytes_equal(text_of(members, name, pool), ss_bytes_of(wanted));
}

/* A coordinate has all of its bytes, zeroes in front included (RFC 7518 section 6.2.1.2). */
static const unsigned char *coordinate_of(const apr_array_header_t *members, const char *name,
                                          apr_pool_t *pool)
{
    ss_bytes_t bytes, text = text_of(members, name, pool);

    return text.data == NULL || ss_base64_decode(SS_BASE64URL, &bytes, text, pool) != APR_SUCCESS ||
                   bytes.len != SS_FIELD_SIZE
               ? NULL
               : (const unsigned char *)bytes.data;
}

static const char *read_key(ss_jws_t *jws, ss_json_t key, apr_pool_t *pool)
{
    const apr_array_header_t *members = ss_json_members(key, pool);
    const unsigned char *x, *y;

    if (members == NULL || !says(members, "kty", "EC", pool) ||
        !says(members, "crv", "P-256", pool)) {
        return "its key is not one of P-256";
    }
    x = coordinate_of(members, "x", pool);
    y = coordinate_of(members, "y", pool);
    if (x == NULL || y == NULL || !ss_point_of(jws->point, x, y, pool)) {
        return "its key is no point of P-256";
    }
    jws->has_key = 1;
    return NULL;
}

static const char *read_header(ss_jws_t *jws, ss_bytes_t part, apr_pool_t *pool)
{
    const apr_array_header_t *members = members_of(part, pool);
    const ss_json_member_t *key;

    if (members == NULL) {
        return "its header is no JSON object in base64url";
    }
    if (!says(members, "alg", "ES256", pool)) {
        return "its algorithm is not ES256";
    }
    if (!says(members, "typ", "dbsc+jwt", pool)) {
        return "its type is not dbsc+jwt";
    }
    if (ss_json_find(members, ss_bytes_of("crit")) != NULL) {
        return "it asks for an extension to be understood";
    }
    key = ss_json_find(members, ss_bytes_of("jwk"));
    return key == NULL ? NULL : read_key(jws, key->value, pool);
}

static const char *read_payload(ss_jws_t *jws, ss_bytes_t part, apr_pool_t *pool)
{
    const apr_array_header_t *members = members_of(part, pool);

    if (members == NULL) {
        return "its payload is no JSON object in base64url";
    }
    jws->challenge = text_of(members, "jti", pool);
    return jws->challenge.data == NULL ? "its payload has no challenge" : NULL;
}

static const char *read_signature(ss_jws_t *jws, ss_bytes_t part, apr_pool_t *pool)
{
    ss_bytes_t signature;

    if (ss_base64_decode(SS_BASE64URL, &signature, part, pool) != APR_SUCCESS ||
        signature.len != SS_ES256_SIZE) {
        return "its signature is not 64 bytes in base64url";
    }
    memcpy(jws->signature, signature.data, SS_ES256_SIZE);
    return NULL;
}

const char *ss_jws_read(ss_jws_t *jws, ss_bytes_t text, apr_pool_t *pool)
{
    ss_bytes_t parts[PARTS];
    const char *why;

    memset(jws, 0, sizeof(*jws));
    if (text.len > SS_JWS_MAX) {
        return "it is too long";
    }
    if (!split(parts, text)) {
        return "it has not three parts";
    }
    why = read_header(jws, parts[0], pool);
    if (why == NULL) {
        why = read_payload(jws, parts[1], pool);
    }
    jws->text = ss_bytes(text.data, parts[0].len + 1 + parts[1].len);
    return why != NULL ? why : read_signature(jws, parts[2], pool);
}

int ss_jws_verify(const ss_jws_t *jws, const unsigned char *point)
{
    return ss_es256_verify(point, jws->text, jws->signature);
}
