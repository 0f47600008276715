/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stddef.h>

#include "lib/encode.h"
#include "lib/numbers.h"
#include "lib/proof.h"

#define VERSION 1
#define TIME_SIZE 6
#define KEY_ID_SIZE 2
#define SHORT_MAC_SIZE 16
#define WHOLE_MAX 68 /* bytes of the longest of them */

enum { PROOF_KEY_ID = 1, PROOF_TIME = 3, PROOF_HEAD = 9 };
enum { CHALLENGE_PURPOSE = 1, CHALLENGE_KEY_ID = 2, CHALLENGE_TIME = 4, CHALLENGE_HEAD = 10 };
enum { IDENTIFIER_KEY_ID = 1, IDENTIFIER_ID = 3, IDENTIFIER_POINT = 19, IDENTIFIER_HEAD = 52 };

#define ABOUT_MAX (SS_SESSION_ID_SIZE + SS_POINT_SIZE)

/* One of the three kinds. */
typedef struct kind_t {
    apr_size_t size;   /* characters */
    apr_size_t head;   /* bytes in front of the HMAC */
    apr_size_t mac;    /* bytes of the HMAC */
    apr_size_t key_id; /* where it stands */
    apr_size_t key;    /* offset in ss_key_t */
} kind_t;

static const kind_t proof = { SS_PROOF_SIZE, PROOF_HEAD, SS_SHA256_SIZE, PROOF_KEY_ID,
                              offsetof(ss_key_t, proof) };
static const kind_t challenge = { SS_CHALLENGE_SIZE, CHALLENGE_HEAD, SHORT_MAC_SIZE,
                                  CHALLENGE_KEY_ID, offsetof(ss_key_t, challenge) };
static const kind_t identifier = { SS_IDENTIFIER_SIZE, IDENTIFIER_HEAD, SHORT_MAC_SIZE,
                                   IDENTIFIER_KEY_ID, offsetof(ss_key_t, identifier) };

static apr_status_t mac_of(unsigned char mac[SS_SHA256_SIZE], const kind_t *kind,
                           const ss_key_t *key, const char *raw, ss_bytes_t about)
{
    const ss_mac_t *keyed = *(const ss_mac_t *const *)((const char *)key + kind->key);
    char text[IDENTIFIER_HEAD + ABOUT_MAX];

    memcpy(text, raw, kind->head);
    memcpy(text + kind->head, about.data, about.len);
    return ss_mac_compute(keyed, mac, ss_bytes(text, kind->head + about.len));
}

/* What is said of a session, in `room`. */
static ss_bytes_t about_session(char room[ABOUT_MAX], const ss_stamp_t *stamp, int with_point)
{
    memcpy(room, stamp->id, SS_SESSION_ID_SIZE);
    memcpy(room + SS_SESSION_ID_SIZE, stamp->point, SS_POINT_SIZE);
    return ss_bytes(room, with_point ? ABOUT_MAX : SS_SESSION_ID_SIZE);
}

/* Version, key id and HMAC around what is said; the rest of the head is there. */
static apr_status_t seal(ss_bytes_t *value, const kind_t *kind, char *raw, ss_bytes_t about,
                         const ss_keyring_t *keys, apr_pool_t *pool)
{
    unsigned char mac[SS_SHA256_SIZE];
    char *text = apr_palloc(pool, kind->size);
    apr_status_t rv;

    raw[0] = VERSION;
    ss_number_put(raw + kind->key_id, KEY_ID_SIZE, keys->keys[0].id);
    rv = mac_of(mac, kind, &keys->keys[0], raw, about);
    memcpy(raw + kind->head, mac, kind->mac);
    *value = ss_absent;
    if (rv == APR_SUCCESS) {
        ss_bytes_t whole = ss_bytes(raw, kind->head + kind->mac);

        *value = ss_bytes(text, ss_base64_encode(SS_BASE64URL, text, whole));
    }
    return rv;
}

/* Its bytes, or NULL when it has not the shape of this kind. */
static const char *decode(const kind_t *kind, ss_bytes_t value, apr_pool_t *pool)
{
    ss_bytes_t raw;

    return value.len != kind->size ||
                   ss_base64_decode(SS_BASE64URL, &raw, value, pool) != APR_SUCCESS ||
                   raw.data[0] != VERSION
               ? NULL
               : raw.data;
}

#define PROOF_HEAD_CHARACTERS ((PROOF_HEAD + 2) / 3 * 4)

/* Version, key id and time of a proof, which stand in characters of their own; or NULL when it has
 * not the shape of one. */
static const char *decode_head_of_proof(ss_bytes_t value, apr_pool_t *pool)
{
    ss_bytes_t raw;

    return value.len != SS_PROOF_SIZE ||
                   ss_base64_decode(SS_BASE64URL, &raw, ss_bytes(value.data, PROOF_HEAD_CHARACTERS),
                                    pool) != APR_SUCCESS ||
                   raw.data[0] != VERSION
               ? NULL
               : raw.data;
}

/* Two secrets may share an id: each of them is tried. */
static int is_sealed(const kind_t *kind, const char *raw, ss_bytes_t about,
                     const ss_keyring_t *keys, apr_pool_t *pool)
{
    apr_uint16_t id = (apr_uint16_t)ss_number_get(raw + kind->key_id, KEY_ID_SIZE);
    unsigned char mac[SS_SHA256_SIZE];

    for (int i = 0; i < keys->count; i++) {
        if (keys->keys[i].id != id) {
            continue;
        }
        if (mac_of(mac, kind, &keys->keys[i], raw, about) != APR_SUCCESS) {
            ss_out_of_memory(pool);
            return 0;
        }
        if (ss_equal(mac, raw + kind->head, kind->mac)) {
            return 1;
        }
    }
    return 0;
}

static int is_in_time(const char *raw, apr_interval_time_t limit, const ss_proof_time_t *time)
{
    const ss_lifetime_t lifetime = { .idle = limit, .absolute = SS_FOREVER, .skew = time->skew };
    const ss_stamp_t stamp = { .renewed = (apr_int64_t)ss_number_get(raw, TIME_SIZE),
                               .created = SS_NO_TIME };

    return ss_lifetime_judge(&stamp, &lifetime, time->now) == SS_VALID;
}

static void put_time(char *raw, apr_time_t now)
{
    ss_number_put(raw, TIME_SIZE, (apr_uint64_t)apr_time_sec(now));
}

apr_status_t ss_proof_make(ss_bytes_t *value, const ss_stamp_t *stamp, const ss_keyring_t *keys,
                           apr_time_t now, apr_pool_t *pool)
{
    char raw[WHOLE_MAX], room[ABOUT_MAX];

    put_time(raw + PROOF_TIME, now);
    return seal(value, &proof, raw, about_session(room, stamp, 1), keys, pool);
}

/* The same for one that may be remembered: like a cookie without a session, whose companion is what
 * it is about. Cookies and records are remembered by other addresses than that of the keys. */
static int is_sealed_proof(ss_bytes_t value, ss_bytes_t about, const ss_keyring_t *keys,
                           ss_memory_t *memory, apr_pool_t *pool)
{
    static const apr_array_header_t no_members = { NULL, sizeof(ss_json_member_t), 0, 0, NULL };
    const ss_sealed_t cookie = { value, about };
    ss_memory_item_t item = { .format = NULL };
    const char *raw;

    if (memory != NULL && ss_memory_recall(memory, &item, &cookie, keys->keys, pool)) {
        return 1;
    }
    raw = decode(&proof, value, pool);
    if (raw == NULL || !is_sealed(&proof, raw, about, keys, pool)) {
        return 0;
    }
    if (memory != NULL) {
        item.document.text = item.document.value.raw = ss_bytes("", 0);
        item.document.members = &no_members;
        ss_memory_keep(memory, &item, &cookie, keys->keys);
    }
    return 1;
}

int ss_proof_holds(ss_bytes_t value, const ss_stamp_t *stamp, const ss_keyring_t *keys,
                   const ss_proof_time_t *time, ss_memory_t *memory, apr_pool_t *pool)
{
    const char *head = decode_head_of_proof(value, pool);
    char room[ABOUT_MAX];

    return head != NULL && is_in_time(head + PROOF_TIME, time->lifetime, time) &&
           is_sealed_proof(value, about_session(room, stamp, 1), keys, memory, pool);
}

int ss_proof_resembles(ss_bytes_t value, const ss_keyring_t *keys, apr_pool_t *pool)
{
    const char *head = decode_head_of_proof(value, pool);

    for (int i = 0; head != NULL && i < keys->count; i++) {
        if (keys->keys[i].id == ss_number_get(head + PROOF_KEY_ID, KEY_ID_SIZE)) {
            return 1;
        }
    }
    return 0;
}

apr_status_t ss_challenge_make(ss_bytes_t *value, ss_challenge_e purpose, const ss_stamp_t *stamp,
                               const ss_keyring_t *keys, apr_time_t now, apr_pool_t *pool)
{
    char raw[WHOLE_MAX], room[ABOUT_MAX];

    raw[CHALLENGE_PURPOSE] = (char)purpose;
    put_time(raw + CHALLENGE_TIME, now);
    return seal(value, &challenge, raw, about_session(room, stamp, purpose == SS_CHALLENGE_REFRESH),
                keys, pool);
}

int ss_challenge_holds(ss_bytes_t value, ss_challenge_e purpose, const ss_stamp_t *stamp,
                       const ss_keyring_t *keys, const ss_proof_time_t *time, apr_pool_t *pool)
{
    const char *raw = decode(&challenge, value, pool);
    char room[ABOUT_MAX];

    return raw != NULL && raw[CHALLENGE_PURPOSE] == (char)purpose &&
           is_in_time(raw + CHALLENGE_TIME, SS_CHALLENGE_LIFETIME, time) &&
           is_sealed(&challenge, raw, about_session(room, stamp, purpose == SS_CHALLENGE_REFRESH),
                     keys, pool);
}

apr_status_t ss_identifier_make(ss_bytes_t *value, const ss_stamp_t *stamp,
                                const ss_keyring_t *keys, apr_pool_t *pool)
{
    char raw[WHOLE_MAX];

    memcpy(raw + IDENTIFIER_ID, stamp->id, SS_SESSION_ID_SIZE);
    memcpy(raw + IDENTIFIER_POINT, stamp->point, SS_POINT_SIZE);
    return seal(value, &identifier, raw, ss_bytes("", 0), keys, pool);
}

int ss_identifier_open(ss_stamp_t *stamp, ss_bytes_t value, const ss_keyring_t *keys,
                       apr_pool_t *pool)
{
    const char *raw = decode(&identifier, value, pool);

    memset(stamp, 0, sizeof(*stamp));
    if (raw == NULL || !is_sealed(&identifier, raw, ss_bytes("", 0), keys, pool)) {
        return 0;
    }
    memcpy(stamp->id, raw + IDENTIFIER_ID, SS_SESSION_ID_SIZE);
    memcpy(stamp->point, raw + IDENTIFIER_POINT, SS_POINT_SIZE);
    return 1;
}

int ss_identifier_resembles(ss_bytes_t value, apr_pool_t *pool)
{
    return decode(&identifier, value, pool) != NULL;
}
