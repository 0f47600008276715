/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * The native format. All integers big-endian, the whole in base64url:
 *
 *   0  1   version, 1
 *   1  1   flags: 0 signed, 1 encrypted, 2 a reference; and 4 when it is bound to a browser's key
 *   2  2   key id: picks the key in one step, however many secrets are configured
 *   4  6   renewed, seconds since 1970
 *  10  6   created, seconds since 1970
 *  16  16  session id
 *  32  4   write counter
 *  36  33  if it is bound: the key, a compressed point of P-256. What follows begins 33 bytes later
 *
 * Signed:
 *  36  n   the JSON document
 * 36+n 32  HMAC-SHA-256 over everything before
 *
 * Encrypted with XAES-256-GCM, bound to the 36 or 69 bytes before:
 *  36  24  nonce
 *  60  n   the JSON document, encrypted
 * 60+n 16  tag
 *
 * A reference to a document that a store keeps under the session id:
 *  36  32  HMAC-SHA-256 over everything before
 *
 * All kinds are always read. Releases before 0.2 take a reference, and what is bound, for
 * malformed.
 */
#include <apr_lib.h>
#include <apr_strings.h>

#include "lib/encode.h"
#include "lib/format/format.h"
#include "lib/numbers.h"

#define VERSION 1
#define FLAGS_SIGNED 0
#define FLAGS_ENCRYPTED 1
#define FLAGS_REFERENCE 2
#define FLAG_BOUND 4 /* beside one of these */

enum {
    AT_VERSION = 0,
    AT_FLAGS = 1,
    AT_KEY_ID = 2,
    AT_RENEWED = 4,
    AT_CREATED = 10,
    AT_SESSION_ID = 16,
    AT_COUNTER = 32,
    HEADER_SIZE = 36,
    AT_POINT = HEADER_SIZE,
    BOUND_HEADER_SIZE = AT_POINT + SS_POINT_SIZE,
    TIME_SIZE = 6,
    ENCRYPTED_SIZE = SS_AEAD_NONCE_SIZE + SS_AEAD_TAG_SIZE,
    START_CHARACTERS = 8 /* of base64url, for version, flags and key id */
};

#define SALT "mod_signed_session v1"

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

static apr_status_t derive_mac(const ss_mac_t **key, const char *purpose, ss_bytes_t secret,
                               const ss_binding_t *binding, apr_pool_t *pool)
{
    unsigned char derived[SS_SHA256_SIZE];
    ss_mac_t *mac = NULL;
    apr_status_t rv = derive_bytes(derived, sizeof(derived), purpose, secret, binding, pool);

    if (rv == APR_SUCCESS) {
        rv = ss_mac_create(&mac, SS_SHA256, ss_bytes((const char *)derived, sizeof(derived)), pool);
        ss_wipe(derived, sizeof(derived));
    }
    *key = mac;
    return rv;
}

static apr_status_t derive_aead(const ss_aead_t **key, const char *purpose, ss_bytes_t secret,
                                const ss_binding_t *binding, apr_pool_t *pool)
{
    unsigned char derived[SS_AEAD_KEY_SIZE];
    ss_aead_t *aead = NULL;
    apr_status_t rv = derive_bytes(derived, sizeof(derived), purpose, secret, binding, pool);

    if (rv == APR_SUCCESS) {
        rv = ss_aead_create(&aead, derived, pool);
        ss_wipe(derived, sizeof(derived));
    }
    *key = aead;
    return rv;
}

static apr_status_t derive(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                           apr_pool_t *pool)
{
    unsigned char id[2];
    apr_status_t rv = derive_bytes(id, sizeof(id), "key id", secret, binding, pool);

    key->id = (apr_uint16_t)(id[0] << 8 | id[1]);
    if (rv == APR_SUCCESS) {
        rv = derive_mac(&key->mac, "sign", secret, binding, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = derive_aead(&key->aead, "encrypt", secret, binding, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = derive_aead(&key->store, "store", secret, binding, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = derive_mac(&key->identifier, "identifier", secret, binding, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = derive_mac(&key->proof, "proof", secret, binding, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = derive_mac(&key->challenge, "challenge", secret, binding, pool);
    }
    return rv;
}

/*
 * Opening
 */

/* Does this key hold? `text` is then the document; `header` is how many bytes are in front of it.
 */
typedef int try_key_fn(ss_bytes_t *text, const ss_key_t *key, ss_bytes_t raw, apr_size_t header,
                       apr_pool_t *pool);

static int try_signed(ss_bytes_t *text, const ss_key_t *key, ss_bytes_t raw, apr_size_t header,
                      apr_pool_t *pool)
{
    apr_size_t signed_size = raw.len - SS_SHA256_SIZE;

    (void)pool;
    *text = ss_bytes(raw.data + header, signed_size - header);
    return ss_mac_verify(key->mac, ss_bytes(raw.data, signed_size),
                         ss_bytes(raw.data + signed_size, SS_SHA256_SIZE));
}

static int try_encrypted(ss_bytes_t *text, const ss_key_t *key, ss_bytes_t raw, apr_size_t header,
                         apr_pool_t *pool)
{
    apr_size_t nonce_end = header + SS_AEAD_NONCE_SIZE;
    ss_bytes_t sealed = ss_bytes(raw.data + nonce_end, raw.len - nonce_end);
    apr_size_t size = sealed.len - SS_AEAD_TAG_SIZE;
    unsigned char *out = apr_palloc(pool, size + 1); /* never NULL, not even for nothing */

    *text = ss_bytes((const char *)out, size);
    return ss_aead_open(key->aead, out, (const unsigned char *)raw.data + header, sealed,
                        ss_bytes(raw.data, header));
}

/* What the flags say; flags that do not stand here have no meaning. */
/* clang-format off */
static const struct kind_t {
    const char *name;    /* NULL: no kind */
    apr_size_t header;   /* bytes in front of what follows */
    apr_size_t size_min; /* of a cookie with an empty document */
    try_key_fn *try_key;
} kinds[] = {
    [FLAGS_SIGNED] =
        { "signed", HEADER_SIZE, HEADER_SIZE + SS_SHA256_SIZE, try_signed },
    [FLAGS_ENCRYPTED] =
        { "encrypted", HEADER_SIZE, HEADER_SIZE + ENCRYPTED_SIZE, try_encrypted },
    [FLAGS_REFERENCE] =
        { "reference", HEADER_SIZE, HEADER_SIZE + SS_SHA256_SIZE, try_signed },
    [FLAGS_SIGNED | FLAG_BOUND] =
        { "signed, bound", BOUND_HEADER_SIZE, BOUND_HEADER_SIZE + SS_SHA256_SIZE, try_signed },
    [FLAGS_ENCRYPTED | FLAG_BOUND] =
        { "encrypted, bound", BOUND_HEADER_SIZE, BOUND_HEADER_SIZE + ENCRYPTED_SIZE, try_encrypted },
    [FLAGS_REFERENCE | FLAG_BOUND] =
        { "reference, bound", BOUND_HEADER_SIZE, BOUND_HEADER_SIZE + SS_SHA256_SIZE, try_signed },
};
/* clang-format on */

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* For a cookie that `decode` has accepted. */
static const struct kind_t *kind_of(ss_bytes_t raw)
{
    return &kinds[(int)raw.data[AT_FLAGS]];
}

static int is_bound(ss_bytes_t raw)
{
    return (raw.data[AT_FLAGS] & FLAG_BOUND) != 0;
}

static int is_reference(ss_bytes_t raw)
{
    return (raw.data[AT_FLAGS] & ~FLAG_BOUND) == FLAGS_REFERENCE;
}

static int is_encrypted(ss_bytes_t raw)
{
    return (raw.data[AT_FLAGS] & ~FLAG_BOUND) == FLAGS_ENCRYPTED;
}

/* For people who copied a part of a cookie, or more than one. */
static const char *why_undecoded(ss_bytes_t value, apr_pool_t *pool)
{
    for (apr_size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if (!apr_isalnum(c) && c != '-' && c != '_') {
            const char *shown = apr_psprintf(pool, c >= ' ' && c <= '~' ? "%c" : "\\x%02x", (int)c);

            return apr_psprintf(pool, "it is not base64url: \"%s\" is none of its characters",
                                shown);
        }
    }
    return "it ends in the middle of a byte: it was cut short, or its end altered";
}

/* The bytes of a cookie. Returns NULL, or what is wrong with its shape. */
static const char *decode(ss_bytes_t *raw, ss_bytes_t value, apr_pool_t *pool)
{
    if (ss_base64_decode(SS_BASE64URL, raw, value, pool) != APR_SUCCESS) {
        return why_undecoded(value, pool);
    }
    if (raw->len < HEADER_SIZE) {
        return "it is shorter than the header of 36 bytes: it was cut short, or is something else";
    }
    if (raw->data[AT_VERSION] != VERSION) {
        return "its version is not 1";
    }
    if ((unsigned char)raw->data[AT_FLAGS] >= KINDS || kind_of(*raw)->name == NULL) {
        return "it has flags that have no meaning";
    }
    if (raw->len < kind_of(*raw)->size_min) {
        return "it is too short for a signature: it was cut short";
    }
    if (is_bound(*raw) && raw->data[AT_POINT] != 2 && raw->data[AT_POINT] != 3) {
        return "the key that it is bound to is no compressed point";
    }
    if (is_reference(*raw) && raw->len > kind_of(*raw)->size_min) {
        return "it is too long for a reference to a store";
    }
    return NULL;
}

/* Which key fits? Two secrets may share an id: each of them is tried. */
static ss_state_e verify(ss_payload_t *payload, ss_bytes_t raw, const ss_keyring_t *keys,
                         apr_pool_t *pool)
{
    apr_uint16_t id = (apr_uint16_t)ss_number_get(raw.data + AT_KEY_ID, 2);
    const struct kind_t *kind = kind_of(raw);
    const ss_key_t *end = keys->keys + keys->count;
    ss_state_e state = SS_UNKNOWN_KEY;

    for (const ss_key_t *key = keys->keys; key < end; key++) {
        if (key->id != id) {
            continue;
        }
        if (kind->try_key(&payload->text, key, raw, kind->header, pool)) {
            payload->key = (int)(key - keys->keys);
            return SS_VALID;
        }
        state = SS_BAD_SIGNATURE;
    }
    return state;
}

static ss_state_e open_value(ss_payload_t *payload, const ss_sealed_t *cookie,
                             const ss_seal_t *seal, apr_pool_t *pool)
{
    ss_bytes_t raw;
    ss_state_e state;

    if (decode(&raw, cookie->value, pool) != NULL) {
        return SS_MALFORMED;
    }
    state = verify(payload, raw, seal->keys, pool);
    if (state != SS_VALID) {
        return state;
    }
    if (is_bound(raw)) {
        /* whether it lies on the curve was seen when it was sealed, and would cost ten times what
         * the rest of this does */
        memcpy(payload->stamp.point, raw.data + AT_POINT, SS_POINT_SIZE);
    }
    payload->is_reference = is_reference(raw);
    payload->stamp.renewed = (apr_int64_t)ss_number_get(raw.data + AT_RENEWED, TIME_SIZE);
    payload->stamp.created = (apr_int64_t)ss_number_get(raw.data + AT_CREATED, TIME_SIZE);
    payload->stamp.counter = (apr_uint32_t)ss_number_get(raw.data + AT_COUNTER, 4);
    memcpy(payload->stamp.id, raw.data + AT_SESSION_ID, SS_SESSION_ID_SIZE);
    return SS_VALID;
}

/*
 * Sealing
 */

static void put_header(char *raw, int flags, apr_uint16_t key_id, const ss_stamp_t *stamp)
{
    raw[AT_VERSION] = VERSION;
    raw[AT_FLAGS] = (char)flags;
    ss_number_put(raw + AT_KEY_ID, 2, key_id);
    ss_number_put(raw + AT_RENEWED, TIME_SIZE, (apr_uint64_t)stamp->renewed);
    ss_number_put(raw + AT_CREATED, TIME_SIZE, (apr_uint64_t)stamp->created);
    memcpy(raw + AT_SESSION_ID, stamp->id, SS_SESSION_ID_SIZE);
    ss_number_put(raw + AT_COUNTER, 4, stamp->counter);
    if (flags & FLAG_BOUND) {
        memcpy(raw + AT_POINT, stamp->point, SS_POINT_SIZE);
    }
}

static apr_status_t sign(char *raw, apr_size_t header, ss_bytes_t text, const ss_key_t *key)
{
    apr_size_t signed_size = header + text.len;

    memcpy(raw + header, text.data, text.len);
    return ss_mac_compute(key->mac, (unsigned char *)raw + signed_size, ss_bytes(raw, signed_size));
}

static apr_status_t encrypt(char *raw, apr_size_t header, ss_bytes_t text, const ss_key_t *key,
                            ss_random_fn *random)
{
    unsigned char *nonce = (unsigned char *)raw + header;
    apr_status_t rv = random(nonce, SS_AEAD_NONCE_SIZE);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return ss_aead_seal(key->aead, nonce + SS_AEAD_NONCE_SIZE, nonce, text, ss_bytes(raw, header));
}

static int flags_of(const ss_payload_t *payload, const ss_seal_t *seal)
{
    int flags = ss_stamp_is_bound(&payload->stamp) ? FLAG_BOUND : 0;

    if (payload->is_reference) {
        return flags | FLAGS_REFERENCE;
    }
    return flags | (seal->encrypt ? FLAGS_ENCRYPTED : FLAGS_SIGNED);
}

static apr_status_t seal_value(ss_sealed_t *cookie, const ss_payload_t *payload,
                               const ss_seal_t *seal, apr_pool_t *pool)
{
    const ss_key_t *key = &seal->keys->keys[0];
    int flags = flags_of(payload, seal);
    ss_bytes_t text = payload->is_reference ? ss_bytes("", 0) : payload->text;
    apr_size_t size = kinds[flags].size_min + text.len, header = kinds[flags].header;
    char *raw = apr_palloc(pool, size), *value;
    apr_status_t rv;

    put_header(raw, flags, key->id, &payload->stamp);
    rv = is_encrypted(ss_bytes(raw, size)) ? encrypt(raw, header, text, key, seal->random)
                                           : sign(raw, header, text, key);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    value = apr_palloc(pool, ss_base64_size(SS_BASE64URL, size));
    cookie->value = ss_bytes(value, ss_base64_encode(SS_BASE64URL, value, ss_bytes(raw, size)));
    return APR_SUCCESS;
}

/*
 * Looking
 */

static void look_at_rest(ss_look_t *look, ss_bytes_t raw)
{
    apr_size_t at = kind_of(raw)->header, nonce_end = at + SS_AEAD_NONCE_SIZE, end;

    if (is_bound(raw)) {
        ss_look_bytes(look, "bound to", SS_PART_BINARY,
                      ss_bytes(raw.data + AT_POINT, SS_POINT_SIZE));
    }
    if (is_encrypted(raw)) {
        end = raw.len - SS_AEAD_TAG_SIZE;
        ss_look_bytes(look, "nonce", SS_PART_BINARY, ss_bytes(raw.data + at, SS_AEAD_NONCE_SIZE));
        ss_look_bytes(look, "ciphertext", SS_PART_BINARY,
                      ss_bytes(raw.data + nonce_end, end - nonce_end));
        ss_look_bytes(look, "tag", SS_PART_BINARY, ss_bytes(raw.data + end, SS_AEAD_TAG_SIZE));
        return;
    }
    end = raw.len - SS_SHA256_SIZE;
    if (!is_reference(raw)) {
        ss_look_bytes(look, "session", SS_PART_JSON, ss_bytes(raw.data + at, end - at));
    }
    ss_look_bytes(look, "signature", SS_PART_BINARY, ss_bytes(raw.data + end, SS_SHA256_SIZE));
}

static ss_likeness_e look(ss_look_t *look, const ss_sealed_t *cookie, const ss_format_t *format,
                          apr_pool_t *pool)
{
    ss_bytes_t raw;

    (void)format;
    look->why = decode(&raw, cookie->value, pool);
    if (look->why == NULL && is_bound(raw) &&
        !ss_point_is_valid((const unsigned char *)raw.data + AT_POINT, pool)) {
        look->why = "the key that it is bound to is no point of P-256";
    }
    if (look->why != NULL) {
        return SS_UNLIKE;
    }
    ss_look_number(look, "version", SS_PART_NUMBER, raw.data[AT_VERSION], 1);
    ss_look_number(look, "flags", SS_PART_NUMBER, raw.data[AT_FLAGS], 1);
    ss_look_bytes(look, "kind", SS_PART_TEXT, ss_bytes_of(kind_of(raw)->name));
    ss_look_bytes(look, "key id", SS_PART_BINARY, ss_bytes(raw.data + AT_KEY_ID, 2));
    ss_look_number(look, "renewed", SS_PART_TIME,
                   (apr_int64_t)ss_number_get(raw.data + AT_RENEWED, TIME_SIZE), TIME_SIZE);
    ss_look_number(look, "created", SS_PART_TIME,
                   (apr_int64_t)ss_number_get(raw.data + AT_CREATED, TIME_SIZE), TIME_SIZE);
    ss_look_bytes(look, "session id", SS_PART_BINARY,
                  ss_bytes(raw.data + AT_SESSION_ID, SS_SESSION_ID_SIZE));
    ss_look_number(look, "counter", SS_PART_NUMBER,
                   (apr_int64_t)ss_number_get(raw.data + AT_COUNTER, 4), 4);
    look_at_rest(look, raw);
    return SS_LIKELY;
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
        if (keys->keys[i].id == ss_number_get(start.data + AT_KEY_ID, 2)) {
            return 1;
        }
    }
    return 0;
}

const ss_format_t ss_format_native = { .name = "native",
                                       .traits = SS_FORMAT_TIMED | SS_FORMAT_CREATED |
                                                 SS_FORMAT_BOUND | SS_FORMAT_SECRECY,
                                       .idle_days = 14,
                                       .derive = derive,
                                       .open = open_value,
                                       .seal = seal_value,
                                       .look = look,
                                       .resembles = resembles };
