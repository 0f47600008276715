/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/sealing.h"
#include "tests/fuzz/slowly.h"

/* Cookies of the native format. For each of them the slow reading and ours must come to the same
 * state, document and stamp. */

#define HEADER 36
#define POINT 33

/* Flags. */
enum { ENCRYPTED = 1, REFERENCE = 2, BOUND = 4 };

static size_t header_of(int flags)
{
    return flags & BOUND ? HEADER + POINT : HEADER;
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

static int open_signed(ss_bytes_t *text, byte_t *raw, size_t len, int secret)
{
    byte_t key[MAC], mac[MAC];

    derive(key, "sign", secret);
    hmac(mac, key, sizeof(key), raw, len - MAC);
    *text = bytes_at(raw + header_of(raw[1]), len - MAC - header_of(raw[1]));
    return memcmp(mac, raw + len - MAC, MAC) == 0;
}

static int open_encrypted(ss_bytes_t *text, byte_t *raw, size_t len, int secret)
{
    size_t header = header_of(raw[1]), size = len - header - NONCE - TAG;
    byte_t key[MAC], *start = raw + header + NONCE;

    derive(key, "encrypt", secret);
    *text = ss_bytes((const char *)start, size);
    return gcm(0, key, raw + header, bytes_at(raw, header), bytes_at(start, size), start + size);
}

static int has_shape(const byte_t *raw, int len)
{
    int flags = len >= HEADER && raw[0] == 1 ? raw[1] : -1, least;

    if (flags < 0 || flags > 6 || flags == (ENCRYPTED | REFERENCE)) {
        return 0;
    }
    if (flags & BOUND && (len < HEADER + POINT || (raw[HEADER] != 2 && raw[HEADER] != 3))) {
        return 0;
    }
    least = (int)header_of(flags) + (flags & ENCRYPTED ? NONCE + TAG : MAC);
    return flags & REFERENCE ? len == least : len >= least;
}

static ss_state_e open_slowly(ss_payload_t *payload, ss_bytes_t value, apr_pool_t *pool)
{
    byte_t *raw = apr_palloc(pool, value.len + 1);
    int len = from_base64url(raw, value, pool);

    if (!has_shape(raw, len)) {
        return SS_MALFORMED;
    }
    for (int i = 0; i < SECRETS; i++) {
        if (!has_key_id(raw + 2, i)) {
            continue;
        }
        payload->key = i;
        payload->is_reference = (raw[1] & REFERENCE) != 0;
        payload->stamp.renewed = number(raw + 4, 6);
        payload->stamp.created = number(raw + 10, 6);
        memcpy(payload->stamp.id, raw + 16, SS_SESSION_ID_SIZE);
        payload->stamp.counter = (apr_uint32_t)number(raw + 32, 4);
        if (!(raw[1] & ENCRYPTED ? open_encrypted : open_signed)(&payload->text, raw, (size_t)len,
                                                                 i)) {
            return SS_BAD_SIGNATURE;
        }
        if (raw[1] & BOUND) {
            memcpy(payload->stamp.point, raw + HEADER, POINT);
        }
        return SS_VALID;
    }
    return SS_UNKNOWN_KEY;
}

/* --- what is opened --- */

static void judge(ss_bytes_t value, apr_pool_t *pool)
{
    const ss_format_t *format = ss_format_named("native");
    const ss_sealed_t cookie = { value, { NULL, 0 } };
    const ss_seal_t seal = { .format = format, .keys = keys_of(format, pool), .cookie_name = NAME };
    ss_payload_t got = { .key = 0 }, want = { .key = 0 };
    ss_state_e state;

    state = open_slowly(&want, value, pool);
    MUST(format->open(&got, &cookie, &seal, pool) == state);
    if (state == SS_VALID) {
        MUST(ss_bytes_equal(got.text, want.text) && got.key == want.key);
        MUST(got.stamp.renewed == want.stamp.renewed && got.stamp.created == want.stamp.created);
        MUST(got.stamp.counter == want.stamp.counter);
        MUST(memcmp(got.stamp.id, want.stamp.id, SS_SESSION_ID_SIZE) == 0);
        MUST(memcmp(got.stamp.point, want.stamp.point, POINT) == 0);
        MUST(got.is_reference == want.is_reference);
    }
}

/* Make a cookie of these bytes that is right in every respect: version, flags, key id, and
 * signature or tag. Only how a point begins is left to the bytes. */
static ss_bytes_t seal_slowly(ss_bytes_t input, int flags, int secret, apr_pool_t *pool)
{
    size_t header = header_of(flags), front = flags & ENCRYPTED ? header + NONCE : header;
    size_t back = flags & ENCRYPTED ? TAG : MAC;
    size_t len = input.len > front && !(flags & REFERENCE) ? input.len : front;
    byte_t *raw = apr_pcalloc(pool, len + back), key[MAC], id[MAC];

    memcpy(raw, input.data, input.len < len ? input.len : len);
    derive(id, "key id", secret);
    raw[0] = 1;
    raw[1] = (byte_t)flags;
    memcpy(raw + 2, id, 2);
    derive(key, flags & ENCRYPTED ? "encrypt" : "sign", secret);
    if (flags & ENCRYPTED) {
        MUST(gcm(1, key, raw + header, bytes_at(raw, header), bytes_at(raw + front, len - front),
                 raw + len));
    }
    else {
        hmac(raw + len, key, sizeof(key), raw, len);
    }
    return to_base64url(raw, len + back, pool);
}

/* What the first byte of an input says. */
static int flags_of(byte_t choices)
{
    int kind = choices & 8 ? REFERENCE : choices & 1;

    return choices & 4 ? kind | BOUND : kind;
}

/* Input: a byte of choices; three that alter; then a cookie as it is, or the bytes that are sealed.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    if (size >= 4) {
        ss_bytes_t input = fuzz_bytes(data + 4, size - 4);
        ss_bytes_t sealed = seal_slowly(input, flags_of(data[0]), data[0] >> 1 & 1, pool);

        judge(input, pool);
        judge(fuzz_exact(altered(sealed, data + 1, pool), pool), pool);
    }

    apr_pool_destroy(pool);
    return 0;
}
