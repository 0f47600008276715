/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>
#include <stdlib.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "lib/candidates.h"
#include "lib/encode.h"
#include "lib/memory.h"
#include "tests/one_sealing.h"

/* Compares signatures again and again, for whoever counts the instructions: make check-timing.
 *
 *     timing WHAT PLACE
 *
 * WHAT is a row of the table below. PLACE says where the signature that comes in is wrong: the
 * number of a byte, "all", or "none". */

#define ROUNDS 2000
#define DOCUMENT "{\"a\":123}"

typedef struct place_t {
    apr_size_t from, to;
} place_t;

static void spoil(unsigned char *signature, place_t place)
{
    for (apr_size_t i = place.from; i < place.to; i++) {
        signature[i] ^= 0x55;
    }
}

/* --- what is run --- */

static void run_equal(place_t place, apr_pool_t *pool)
{
    unsigned char right[SS_SHA256_SIZE], wrong[SS_SHA256_SIZE];

    MUST(ss_hash(SS_SHA256, right, NULL, 0) == APR_SUCCESS && pool != NULL);
    memcpy(wrong, right, sizeof(wrong));
    spoil(wrong, place);
    for (int i = 0; i < ROUNDS; i++) {
        MUST(ss_equal(right, wrong, sizeof(right)) == (place.from == place.to));
    }
}

static void run_verify(place_t place, apr_pool_t *pool)
{
    ss_bytes_t text = ss_bytes_of(DOCUMENT);
    unsigned char signature[SS_SHA256_SIZE];
    ss_mac_t *mac;

    MUST(ss_mac_create(&mac, SS_SHA256, ss_bytes_of(SECRET), pool) == APR_SUCCESS);
    MUST(ss_mac_compute(mac, signature, text) == APR_SUCCESS);
    spoil(signature, place);
    for (int i = 0; i < ROUNDS; i++) {
        MUST(ss_mac_verify(mac, text, ss_bytes((const char *)signature, sizeof(signature))) ==
             (place.from == place.to));
    }
}

static ss_bytes_t sealed(const ss_sealing_t *how, apr_pool_t *pool)
{
    ss_session_t *session = ss_session_create(pool);
    ss_sealing_result_t result;
    ss_json_t document;

    MUST(ss_json_check(&document, ss_bytes_of(DOCUMENT), SS_JSON_STRICT, NULL) == APR_SUCCESS);
    ss_session_replace(session, document);
    MUST(ss_sealing_seal(&result, session, how, NOW, pool) == APR_SUCCESS);
    return result.cookie.value;
}

/* The cookie with its signature, the last `size` bytes, spoilt. */
static ss_bytes_t spoilt(ss_bytes_t value, apr_size_t size, place_t place, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, value.len);
    ss_bytes_t raw;

    MUST(ss_base64_decode(SS_BASE64URL, &raw, value, pool) == APR_SUCCESS);
    spoil((unsigned char *)raw.data + raw.len - size, place);
    MUST(ss_base64_encode(SS_BASE64URL, text, raw) == value.len);
    return ss_bytes(text, value.len);
}

static void open_often(ss_bytes_t value, int is_valid, const ss_sealing_t *how, apr_pool_t *pool)
{
    const ss_candidates_t found = { .values = { value }, .count = 1 };
    apr_pool_t *request;

    MUST(apr_pool_create(&request, pool) == APR_SUCCESS);
    for (int i = 0; i < ROUNDS; i++) {
        ss_opened_t opened;

        MUST(ss_candidates_open(&opened, &found, how, NOW, request) ==
             (is_valid ? SS_VALID : SS_BAD_SIGNATURE));
        apr_pool_clear(request);
    }
}

static void run_signed(place_t place, apr_pool_t *pool)
{
    const ss_sealing_t how = one_sealing(ss_format_named("native"), pool);
    ss_bytes_t value = spoilt(sealed(&how, pool), SS_SHA256_SIZE, place, pool);

    open_often(value, place.from == place.to, &how, pool);
}

static void run_encrypted(place_t place, apr_pool_t *pool)
{
    ss_sealing_t how = one_sealing(ss_format_named("native"), pool);

    how.encrypt = 1;
    open_often(spoilt(sealed(&how, pool), SS_AEAD_TAG_SIZE, place, pool), place.from == place.to,
               &how, pool);
}

/* While the memory holds the valid cookie. Its last characters say where the memory looks: only
 * what is the same there is compared. */
static void run_remembered(place_t place, apr_pool_t *pool)
{
    ss_sealing_t how = one_sealing(ss_format_named("native"), pool);
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
    MUST(place.to <= size);
    return place;
}

int main(int argc, char *argv[])
{
    int status = EXIT_FAILURE;
    apr_pool_t *pool;

    MUST(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS);
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
