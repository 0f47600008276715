/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "lib/sealing.h"
#include "tests/fuzz/fuzz.h"

/*
 * The native format a second time, slow and plain, from the text of docs/formats.md and the RFCs:
 * HKDF of one-shot HMACs, CMAC as libcrypto has it, base64url a character at a time. For every
 * cookie both must come to the same state, document and stamp.
 */

#define NAME "session"
#define AUDIENCE "shop"
#define HEADER 36
#define NONCE 24
#define TAG 16
#define MAC 32

static const char *const secrets[] = {
    "correct-horse-battery-staple-0123456789",
    "Zk4-second_secret.Vn82qLwTy6hRb1XcPe0Mj",
};
#define SECRETS ((int)(sizeof(secrets) / sizeof(secrets[0])))

typedef unsigned char byte_t;

/* --- primitives --- */

static void hmac(byte_t out[MAC], const void *key, size_t key_len, const void *text, size_t len)
{
    unsigned size = 0;

    MUST(HMAC(EVP_sha256(), key, (int)key_len, text, len, out, &size) != NULL && size == MAC);
}

/* RFC 5869, for up to 32 bytes: the first block is enough. */
static void derive(byte_t out[MAC], const char *purpose, int secret)
{
    static const char salt[] = "mod_signed_session v1";
    byte_t prk[MAC], info[64];
    size_t len = strlen(purpose) + 1;

    memcpy(info, purpose, len);
    memcpy(info + len, NAME, sizeof(NAME));
    len += sizeof(NAME);
    memcpy(info + len, AUDIENCE, strlen(AUDIENCE));
    len += strlen(AUDIENCE);
    info[len++] = 1;
    hmac(prk, salt, strlen(salt), secrets[secret], strlen(secrets[secret]));
    hmac(out, prk, sizeof(prk), info, len);
}

/* The key of one message in XAES-256-GCM: CMAC of 00, counter, 'X', 00, first half of the nonce. */
static void derive_message_key(byte_t out[32], const byte_t key[32], const byte_t *nonce)
{
    size_t len;

    for (byte_t i = 0; i < 2; i++) {
        byte_t block[16] = { 0, (byte_t)(i + 1), 'X', 0 };

        memcpy(block + 4, nonce, 12);
        MUST(EVP_Q_mac(NULL, "CMAC", NULL, "AES-256-CBC", NULL, key, 32, block, sizeof(block),
                       out + 16 * i, 16, &len) != NULL);
        MUST(len == 16);
    }
}

/* Encrypts or decrypts `len` bytes in place; the tag is written or checked. */
static int gcm(int encrypt, const byte_t key[32], const byte_t *nonce, const byte_t *header,
               byte_t *text, size_t len, byte_t *tag)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    byte_t message_key[32], rest[16];
    int out, good;

    derive_message_key(message_key, key, nonce);
    MUST(EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, message_key, nonce + 12, encrypt));
    MUST(EVP_CipherUpdate(context, NULL, &out, header, HEADER));
    MUST(EVP_CipherUpdate(context, text, &out, text, (int)len));
    if (!encrypt) {
        MUST(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG, tag));
    }
    good = EVP_CipherFinal_ex(context, rest, &out);
    if (encrypt) {
        MUST(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG, tag));
    }
    EVP_CIPHER_CTX_free(context);
    return good;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static ss_bytes_t to_base64url(const byte_t *raw, size_t len, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 2 * len + 4);
    size_t bits = 8 * len, at = 0;

    for (size_t bit = 0; bit < bits; bit += 6) {
        unsigned digit = 0;

        for (size_t i = bit; i < bit + 6; i++) {
            digit = digit << 1 | (i < bits && (raw[i / 8] >> (7 - i % 8) & 1));
        }
        text[at++] = digits[digit];
    }
    return ss_bytes(text, at);
}

/* Returns the number of bytes, or -1 for another spelling than that of to_base64url. */
static int from_base64url(byte_t *raw, ss_bytes_t text, apr_pool_t *pool)
{
    size_t len = text.len * 6 / 8;

    memset(raw, 0, len + 1);
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.data[i] == '\0' ? NULL : strchr(digits, text.data[i]);

        if (digit == NULL) {
            return -1;
        }
        for (size_t bit = 0; bit < 6; bit++) {
            size_t at = 6 * i + bit;

            if (((digit - digits) >> (5 - bit) & 1) != 0 && at / 8 < len) {
                raw[at / 8] |= (byte_t)(0x80 >> at % 8);
            }
        }
    }
    return ss_bytes_equal(to_base64url(raw, len, pool), text) ? (int)len : -1;
}

/* --- the format --- */

static apr_int64_t number(const byte_t *raw, int size)
{
    apr_int64_t value = 0;

    for (int i = 0; i < size; i++) {
        value = value * 256 + raw[i];
    }
    return value;
}

static int has_key_id(const byte_t *raw, int secret)
{
    byte_t id[MAC];

    derive(id, "key id", secret);
    return raw[2] == id[0] && raw[3] == id[1];
}

static int open_signed(ss_bytes_t *text, byte_t *raw, size_t len, int secret)
{
    byte_t key[MAC], mac[MAC];

    derive(key, "sign", secret);
    hmac(mac, key, sizeof(key), raw, len - MAC);
    *text = ss_bytes((const char *)raw + HEADER, len - MAC - HEADER);
    return memcmp(mac, raw + len - MAC, MAC) == 0;
}

static int open_encrypted(ss_bytes_t *text, byte_t *raw, size_t len, int secret)
{
    byte_t key[MAC], *start = raw + HEADER + NONCE;
    size_t size = len - HEADER - NONCE - TAG;

    derive(key, "encrypt", secret);
    *text = ss_bytes((const char *)start, size);
    return gcm(0, key, raw + HEADER, raw, start, size, start + size);
}

static ss_state_e open_slowly(ss_payload_t *payload, ss_bytes_t value, apr_pool_t *pool)
{
    byte_t *raw = apr_palloc(pool, value.len + 1);
    int len = from_base64url(raw, value, pool);
    int least = len >= HEADER && raw[1] == 1 ? HEADER + NONCE + TAG : HEADER + MAC;

    if (len < least || raw[0] != 1 || raw[1] > 1) {
        return SS_MALFORMED;
    }
    for (int i = 0; i < SECRETS; i++) {
        if (!has_key_id(raw, i)) {
            continue;
        }
        payload->key = i;
        payload->stamp.renewed = number(raw + 4, 6);
        payload->stamp.created = number(raw + 10, 6);
        memcpy(payload->stamp.id, raw + 16, SS_SESSION_ID_SIZE);
        payload->stamp.counter = (apr_uint32_t)number(raw + 32, 4);
        return (raw[1] == 1 ? open_encrypted : open_signed)(&payload->text, raw, (size_t)len, i)
                   ? SS_VALID
                   : SS_BAD_SIGNATURE;
    }
    return SS_UNKNOWN_KEY;
}

/* --- what is opened --- */

static const ss_keyring_t *keys_of(const ss_format_t *format, apr_pool_t *pool)
{
    static const ss_binding_t binding = { NAME, AUDIENCE };
    apr_array_header_t *all = apr_array_make(pool, SECRETS, sizeof(ss_secret_t));
    ss_keyring_t *keys;

    for (int i = 0; i < SECRETS; i++) {
        ss_secret_t *secret = apr_array_push(all);

        secret->text = ss_bytes_of(secrets[i]);
        secret->origin = "fuzz";
    }
    MUST(ss_keyring_create(&keys, all, format->derive, &binding, pool) == APR_SUCCESS);
    return keys;
}

static void judge(ss_bytes_t value, apr_pool_t *pool)
{
    const ss_format_t *format = ss_format_named("native");
    const ss_sealed_t cookie = { value, { NULL, 0 } };
    const ss_seal_t seal = { .format = format, .keys = keys_of(format, pool), .cookie_name = NAME };
    ss_payload_t got, want;
    ss_state_e state;

    state = open_slowly(&want, value, pool);
    MUST(format->open(&got, &cookie, &seal, pool) == state);
    if (state == SS_VALID) {
        MUST(ss_bytes_equal(got.text, want.text) && got.key == want.key);
        MUST(got.stamp.renewed == want.stamp.renewed && got.stamp.created == want.stamp.created);
        MUST(got.stamp.counter == want.stamp.counter);
        MUST(memcmp(got.stamp.id, want.stamp.id, SS_SESSION_ID_SIZE) == 0);
    }
}

/* Make a cookie of these bytes that is right in every respect: version, flags, key id, and
 * signature or tag. */
static ss_bytes_t seal_slowly(ss_bytes_t input, int encrypted, int secret, apr_pool_t *pool)
{
    size_t front = encrypted ? HEADER + NONCE : HEADER, back = encrypted ? TAG : MAC;
    size_t len = input.len > front ? input.len : front;
    byte_t *raw = apr_pcalloc(pool, len + back), key[MAC], id[MAC];

    memcpy(raw, input.data, input.len);
    derive(id, "key id", secret);
    raw[0] = 1;
    raw[1] = (byte_t)encrypted;
    memcpy(raw + 2, id, 2);
    derive(key, encrypted ? "encrypt" : "sign", secret);
    if (encrypted) {
        MUST(gcm(1, key, raw + HEADER, raw, raw + front, len - front, raw + len));
    }
    else {
        hmac(raw + len, key, sizeof(key), raw, len);
    }
    return to_base64url(raw, len + back, pool);
}

/* Change a good cookie in one place, cut its end off, or add to it. */
static ss_bytes_t altered(ss_bytes_t cookie, const byte_t edit[3], apr_pool_t *pool)
{
    size_t at = ((size_t)edit[1] << 8 | edit[2]) % cookie.len;
    char *copy = apr_pstrmemdup(pool, cookie.data, cookie.len + 1);

    switch (edit[0] % 4) {
    case 0:
        return cookie;
    case 1:
        copy[at] = (char)(copy[at] ^ (1 << edit[0] / 4 % 8));
        return ss_bytes(copy, cookie.len);
    case 2:
        return ss_bytes(copy, at);
    default:
        copy[cookie.len] = (char)edit[1];
        return ss_bytes(copy, cookie.len + 1);
    }
}

/* Input: a byte of choices; three that alter; then a cookie as it is, or the bytes that are sealed.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    if (size >= 4) {
        ss_bytes_t input = fuzz_bytes(data + 4, size - 4);
        ss_bytes_t sealed = seal_slowly(input, data[0] & 1, data[0] >> 1 & 1, pool);

        judge(input, pool);
        judge(fuzz_exact(altered(sealed, data + 1, pool), pool), pool);
    }

    apr_pool_destroy(pool);
    return 0;
}
