/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/fuzz/slowly.h"

/* Records of stores. For each of them the slow reading and ours must come to the same state, text
 * and token; what is sealed opens, slowly as well; and what opens is a session or is refused. */

#define TOKEN 12
#define HEAD 16 /* bytes in front of the nonce */
#define LEAST (HEAD + NONCE + TAG)
#define BOUND (SS_SESSION_ID_SIZE + HEAD)

static const byte_t ids[2][SS_SESSION_ID_SIZE] = { "0123456789abcde", "0123456789abcdf" };

/* The id of the session, and the head. */
static ss_bytes_t bound_to(byte_t bound[BOUND], const byte_t *id, const byte_t *raw)
{
    memcpy(bound, id, SS_SESSION_ID_SIZE);
    memcpy(bound + SS_SESSION_ID_SIZE, raw, HEAD);
    return bytes_at(bound, BOUND);
}

static ss_state_e open_slowly(ss_record_t *record, ss_bytes_t bytes, const byte_t *id,
                              apr_pool_t *pool)
{
    byte_t *raw = apr_pmemdup(pool, bytes.data, bytes.len), key[MAC], bound[BOUND];
    ss_bytes_t text;

    if (bytes.len < LEAST || raw[TOKEN] != 1 || raw[TOKEN + 1] > 2 ||
        (raw[TOKEN + 1] == 1 && bytes.len > LEAST)) {
        return SS_MALFORMED;
    }
    text = bytes_at(raw + HEAD + NONCE, bytes.len - LEAST);
    for (int i = 0; i < SECRETS; i++) {
        if (has_key_id(raw + TOKEN + 2, i)) {
            derive(key, "store", i);
            memcpy(record->token, raw, TOKEN);
            record->is_closed = raw[TOKEN + 1] == 1;
            record->is_replaced = raw[TOKEN + 1] == 2;
            record->text = text;
            record->key = i;
            return gcm(0, key, raw + HEAD, bound_to(bound, id, raw), text, raw + bytes.len - TAG)
                       ? SS_VALID
                       : SS_MALFORMED;
        }
    }
    return SS_UNKNOWN_KEY;
}

static const ss_keyring_t *keys(apr_pool_t *pool)
{
    return keys_of(ss_format_named("native"), pool);
}

static ss_state_e judge(ss_bytes_t bytes, const byte_t *id, apr_pool_t *pool)
{
    ss_record_t got, want;
    ss_state_e state = open_slowly(&want, bytes, id, pool);

    MUST(ss_record_open(&got, bytes, id, keys(pool), pool) == state);
    if (state == SS_VALID) {
        MUST(ss_bytes_equal(got.text, want.text) && got.key == want.key);
        MUST(got.is_closed == want.is_closed && got.is_replaced == want.is_replaced);
        MUST(memcmp(got.token, want.token, TOKEN) == 0);
        MUST(ss_record_counter(got.token) == (apr_uint32_t)number(want.token, 4));
    }
    return state;
}

/* What the first byte of an input says. */
enum {
    CLOSED = 1,
    SECOND_SECRET = 2,
    ASKED_FOR_ANOTHER = 4,
    SECOND_VERSION = 8,
    CLOSED_WITH_TEXT = 16,
    REPLACED = 32
};

/* Make a record of these bytes: flags, key id and tag are right. The bytes are its token and nonce,
 * too. */
static ss_bytes_t seal_slowly(ss_bytes_t input, int choices, const byte_t *id, apr_pool_t *pool)
{
    size_t front = HEAD + NONCE, len = input.len;
    byte_t *raw, key[MAC], key_id[MAC], bound[BOUND];
    int secret = choices & SECOND_SECRET ? 1 : 0;

    if (len < front || (choices & (CLOSED | CLOSED_WITH_TEXT)) == CLOSED) {
        len = front;
    }
    raw = apr_pcalloc(pool, len + TAG);
    memcpy(raw, input.data, input.len < len ? input.len : len);
    derive(key_id, "key id", secret);
    raw[TOKEN] = choices & SECOND_VERSION ? 2 : 1;
    raw[TOKEN + 1] = choices & CLOSED ? 1 : choices & REPLACED ? 2 : 0;
    memcpy(raw + TOKEN + 2, key_id, 2);
    derive(key, "store", secret);
    MUST(gcm(1, key, raw + HEAD, bound_to(bound, id, raw), bytes_at(raw + front, len - front),
             raw + len));
    return bytes_at(raw, len + TAG);
}

static int is_good(ss_bytes_t record, int choices)
{
    return !(choices & SECOND_VERSION) && (!(choices & CLOSED) || record.len == LEAST);
}

/* What we seal, the slow reading opens. */
static void seal(ss_bytes_t input, int closed, const byte_t *id, apr_pool_t *pool)
{
    ss_record_t record = { .is_closed = closed, .text = input }, opened;
    apr_uint32_t counter = (apr_uint32_t)input.len * 0x01010101u;
    ss_bytes_t bytes;

    MUST(ss_record_seal(&bytes, &record, counter, id, keys(pool), ss_random, pool) == APR_SUCCESS);
    MUST(open_slowly(&opened, bytes, id, pool) == SS_VALID);
    MUST(opened.is_closed == closed && opened.key == 0);
    MUST(ss_bytes_equal(opened.text, closed ? ss_bytes("", 0) : input));
    MUST(memcmp(opened.token, record.token, TOKEN) == 0);
    MUST((apr_uint32_t)number(opened.token, 4) == counter);
}

static ss_sealing_t sealing(apr_pool_t *pool)
{
    static const ss_lifetime_t lifetime = { .idle = SS_FOREVER, .absolute = SS_FOREVER };
    static const ss_binding_t binding = { NAME, AUDIENCE };
    apr_array_header_t *formats = apr_array_make(pool, 1, sizeof(const ss_format_t *));
    apr_array_header_t *all = apr_array_make(pool, SECRETS, sizeof(ss_secret_t));
    ss_sealing_t how = { .lifetime = &lifetime, .random = ss_random };

    APR_ARRAY_PUSH(formats, const ss_format_t *) = ss_format_named("native");
    for (int i = 0; i < SECRETS; i++) {
        APR_ARRAY_PUSH(all, ss_secret_t) = (ss_secret_t){ ss_bytes_of(secrets[i]), "fuzz" };
    }
    MUST(ss_sealing_init(&how, formats, all, &binding, pool) == APR_SUCCESS);
    return how;
}

/* A record that opens holds a session, or is malformed all the same; packed again it is the same.
 */
static void unpack(ss_bytes_t bytes, ss_state_e state, const byte_t *id, apr_pool_t *pool)
{
    ss_sealing_t how = sealing(pool);
    ss_unpacked_t first, second;
    ss_stamp_t stamp = { .counter = 7 };
    unsigned char token[SS_TOKEN_SIZE];
    ss_bytes_t again;
    ss_state_e unpacked;

    memcpy(stamp.id, id, SS_SESSION_ID_SIZE);
    unpacked = ss_sealing_unpack(&first, bytes, &stamp, &how, pool);
    MUST(unpacked == state || (state == SS_VALID && unpacked == SS_MALFORMED));
    if (unpacked != SS_VALID) {
        return;
    }
    MUST(ss_sealing_pack(&again, token, first.session, &stamp, &how, pool) == APR_SUCCESS);
    MUST(ss_sealing_unpack(&second, again, &stamp, &how, pool) == SS_VALID);
    MUST((first.session == NULL) == (second.session == NULL) && second.key == 0);
    MUST(first.session == NULL ||
         ss_bytes_equal(ss_session_text(first.session), ss_session_text(second.session)));
}

/* Input: a byte of choices; three that alter; then a record as it is, or the bytes that are sealed.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();

    if (size >= 4) {
        ss_bytes_t input = fuzz_bytes(data + 4, size - 4), record;
        const byte_t *id = ids[0], *asked = ids[data[0] & ASKED_FOR_ANOTHER ? 1 : 0];

        judge(fuzz_exact(input, pool), id, pool);
        seal(input, data[0] & CLOSED, id, pool);
        record = seal_slowly(input, data[0], id, pool);
        MUST((judge(record, id, pool) == SS_VALID) == is_good(record, data[0]));
        record = fuzz_exact(altered(record, data + 1, pool), pool);
        unpack(record, judge(record, asked, pool), asked, pool);
    }

    apr_pool_destroy(pool);
    return 0;
}
