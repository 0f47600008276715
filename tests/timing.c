/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>
#include <stdlib.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "lib/encode.h"
#include "lib/sealing.h"
#include "lib/memory.h"

/* Compares signatures again and again, for whoever counts the instructions: make check-timing.
 *
 *     timing WHAT PLACE
 *
 * WHAT is a row of the table below. PLACE says where the signature that comes in is wrong: the
 * number of a byte, "all", or "none". */

#define ROUNDS 2000
#define NOW apr_time_from_sec(1767225600) /* 2026-01-01T00:00:00Z */
#define SECRET "correct-horse-battery-staple-0123456789"
#define DOCUMENT "{\"a\":123}"

typedef struct place_t {
    apr_size_t from, to;
} place_t;

static void must(int condition)
{
    if (!condition) {
        abort();
    }
}

static void spoil(unsigned char *signature, place_t place)
{
    for (apr_size_t i = place.from; i < place.to; i++) {
        signature[i] ^= 0x55;
    }
}

static apr_status_t all_sevens(void *out, apr_size_t len)
{
    memset(out, 7, len);
    return APR_SUCCESS;
}

/* --- what is run --- */

static void run_equal(place_t place, apr_pool_t *pool)
{
    unsigned char right[SS_SHA256_SIZE], wrong[SS_SHA256_SIZE];

    must(ss_hash(SS_SHA256, right, NULL, 0) == APR_SUCCESS && pool != NULL);
    memcpy(wrong, right, sizeof(wrong));
    spoil(wrong, place);
    for (int i = 0; i < ROUNDS; i++) {
        must(ss_equal(right, wrong, sizeof(right)) == (place.from == place.to));
    }
}

static void run_verify(place_t place, apr_pool_t *pool)
{
    ss_bytes_t text = ss_bytes_of(DOCUMENT);
    unsigned char signature[SS_SHA256_SIZE];
    ss_mac_t *mac;

    must(ss_mac_create(&mac, SS_SHA256, ss_bytes_of(SECRET), pool) == APR_SUCCESS);
    must(ss_mac_compute(mac, signature, text) == APR_SUCCESS);
    spoil(signature, place);
    for (int i = 0; i < ROUNDS; i++) {
        must(ss_mac_verify(mac, text, ss_bytes((const char *)signature, sizeof(signature))) ==
             (place.from == place.to));
    }
}

static ss_sealing_t sealing(apr_pool_t *pool)
{
    static const ss_lifetime_t lifetime = {
        SS_FOREVER, SS_FOREVER, 0, { SS_RENEW_NEVER, 0, 0 }, 1
    };
    static const ss_binding_t binding = { "session", "" };
    ss_sealing_t how = { .lifetime = &lifetime, .max_size = SS_COOKIE_MAX, .random = all_sevens };
    apr_array_header_t *formats = apr_array_make(pool, 1, sizeof(const ss_format_t *));
    apr_array_header_t *secrets = apr_array_make(pool, 1, sizeof(ss_secret_t));

    APR_ARRAY_PUSH(formats, const ss_format_t *) = ss_format_named("native");
    ((ss_secret_t *)apr_array_push(secrets))->text = ss_bytes_of(SECRET);
    must(ss_sealing_init(&how, formats, secrets, &binding, pool) == APR_SUCCESS);
    return how;
}

static ss_bytes_t sealed(const ss_sealing_t *how, apr_pool_t *pool)
{
    ss_session_t *session = ss_session_create(pool);
    ss_sealing_result_t result;
    ss_json_t document;

    must(ss_json_check(&document, ss_bytes_of(DOCUMENT), SS_JSON_STRICT, NULL) == APR_SUCCESS);
    ss_session_replace(session, document);
    must(ss_sealing_seal(&result, session, how, NOW, pool) == APR_SUCCESS);
    return result.cookie.value;
}

/* The cookie with its signature, the last `size` bytes, spoilt. */
static ss_bytes_t spoilt(ss_bytes_t value, apr_size_t size, place_t place, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, value.len);
    ss_bytes_t raw;

    must(ss_base64_decode(SS_BASE64URL, &raw, value, pool) == APR_SUCCESS);
    spoil((unsigned char *)raw.data + raw.len - size, place);
    must(ss_base64_encode(SS_BASE64URL, text, raw) == value.len);
    return ss_bytes(text, value.len);
}

static void open_often(ss_bytes_t value, int is_valid, const ss_sealing_t *how, apr_pool_t *pool)
{
    const ss_candidates_t found = { .values = { value }, .count = 1 };
    apr_pool_t *request;

    must(apr_pool_create(&request, pool) == APR_SUCCESS);
    for (int i = 0; i < ROUNDS; i++) {
        ss_opened_t opened;

        must(ss_sealing_open(&opened, &found, how, NOW, request) ==
             (is_valid ? SS_VALID : SS_BAD_SIGNATURE));
        apr_pool_clear(request);
    }
}

static void run_signed(place_t place, apr_pool_t *pool)
{
    const ss_sealing_t how = sealing(pool);
    ss_bytes_t value = spoilt(sealed(&how, pool), SS_SHA256_SIZE, place, pool);

    open_often(value, place.from == place.to, &how, pool);
}

static void run_encrypted(place_t place, apr_pool_t *pool)
{
    ss_sealing_t how = sealing(pool);

    how.encrypt = 1;
    open_often(spoilt(sealed(&how, pool), SS_AEAD_TAG_SIZE, place, pool), place.from == place.to,
               &how, pool);
}

/* While the memory holds the valid cookie. Its last characters say where the memory looks: only
 * what is the same there is compared. */
static void run_remembered(place_t place, apr_pool_t *pool)
{
    ss_sealing_t how = sealing(pool);
    ss_bytes_t value = sealed(&how, pool);

    how.memory = ss_memory_create(pool);
    open_often(value, 1, &how, pool);
    open_often(spoilt(value, SS_SHA256_SIZE, place, pool), place.from == place.to, &how, pool);
}

/* clang-format off */
static const struct {
    const char *name;
    void (*run)(place_t place, apr_pool_t *pool);
    apr_size_t size; /* of what is compared */
} rows[] = {
    { "equal",      run_equal,      SS_SHA256_SIZE },
    { "verify",     run_verify,     SS_SHA256_SIZE },
    { "signed",     run_signed,     SS_SHA256_SIZE },
    { "encrypted",  run_encrypted,  SS_AEAD_TAG_SIZE },
    { "remembered", run_remembered, 20 },
};
/* clang-format on */

static place_t place_of(const char *text, apr_size_t size)
{
    place_t place = { 0, 0 };

    if (strcmp(text, "all") == 0) {
        place.to = size;
    }
    else if (strcmp(text, "none") != 0) {
        place.from = (apr_size_t)atoi(text);
        place.to = place.from + 1;
    }
    must(place.to <= size);
    return place;
}

int main(int argc, char *argv[])
{
    int status = EXIT_FAILURE;
    apr_pool_t *pool;

    must(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS);
    for (size_t i = 0; argc == 3 && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(argv[1], rows[i].name) == 0) {
            rows[i].run(place_of(argv[2], rows[i].size), pool);
            status = EXIT_SUCCESS;
        }
    }
    if (status != EXIT_SUCCESS) {
        fprintf(stderr, "usage: timing WHAT PLACE\n");
    }
    apr_terminate();
    return status;
}
