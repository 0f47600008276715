/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef FORMATS_H
#define FORMATS_H

#include "lib/candidates.h"
#include "lib/sealing.h"
#include "tests/randoms.h"
#include "tests/unit/values.h"

/* Sealing and opening with a fixed clock and fixed random bytes, for test programs about formats.
 */

#define SECRET_1 "first secret of the unit tests, 0123456789"
#define SECRET_2 "second secret of the unit tests, 0123456789"
#define NOW apr_time_from_sec(1767225600) /* 2026-01-01T00:00:00Z */

static const ss_lifetime_t lifetime = {
    apr_time_from_sec(3600), SS_FOREVER, apr_time_from_sec(30), { SS_RENEW_NEVER, 0, 0 }, 1
};

/** How far a format dates back what it seals. */
static inline apr_int64_t back_of(const ss_format_t *format)
{
    return format->traits & SS_FORMAT_FOREIGN ? apr_time_sec(lifetime.skew) : 0;
}

/** With any secrets and formats; each list ends with NULL. */
static inline ss_sealing_t sealing_with(const char *const secrets[], const char *const formats[],
                                        const char *cookie_name, const char *audience)
{
    const ss_binding_t binding = { cookie_name, audience };
    apr_array_header_t *texts = apr_array_make(pool, 2, sizeof(ss_secret_t));
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const ss_format_t *));
    ss_sealing_t how = { .lifetime = &lifetime, .max_size = SS_COOKIE_MAX, .random = all_sevens };

    for (; *secrets != NULL; secrets++) {
        ss_secret_t *secret = apr_array_push(texts);

        secret->text = ss_bytes_of(*secrets);
        secret->origin = "a test";
    }
    for (; *formats != NULL; formats++) {
        ck_assert_ptr_nonnull(ss_format_named(*formats));
        APR_ARRAY_PUSH(list, const ss_format_t *) = ss_format_named(*formats);
    }
    ck_assert_int_eq(ss_sealing_init(&how, list, texts, &binding, pool), APR_SUCCESS);
    return how;
}

/** With up to two secrets and up to two formats; NULL leaves one out. */
static inline ss_sealing_t sealing(const char *first, const char *second, const char *emit,
                                   const char *accept, const char *cookie_name,
                                   const char *audience)
{
    const char *const secrets[] = { first, second, NULL };
    const char *const formats[] = { emit, accept, NULL };

    return sealing_with(secrets, formats, cookie_name, audience);
}

static inline ss_sealing_t one(const char *format)
{
    return sealing(SECRET_1, NULL, format, NULL, "session", "");
}

/** ss_candidates_open, for tests that want the session alone. */
static inline ss_state_e open_found(ss_session_t **session, ss_opened_t *opened,
                                    const ss_candidates_t *found, const ss_sealing_t *how,
                                    apr_time_t now)
{
    ss_state_e state = ss_candidates_open(opened, found, how, now, pool);

    *session = opened->session;
    return state;
}

static inline ss_sealed_t seal_session(ss_session_t *session, const ss_sealing_t *how,
                                       apr_time_t now)
{
    ss_sealing_result_t result;

    ck_assert_int_eq(ss_sealing_seal(&result, session, how, now, pool), APR_SUCCESS);
    ck_assert_uint_eq(result.over, 0);
    ck_assert_int_eq(result.cookie.companion.data != NULL,
                     ss_sealing_written(how)->companion != NULL);
    return result.cookie;
}

static inline ss_sealed_t seal_text(const char *json, const ss_sealing_t *how, apr_time_t now)
{
    ss_session_t *session = ss_session_create(pool);

    ss_session_replace(session, checked(ss_bytes_of(json)));
    return seal_session(session, how, now);
}

/** A cookie without a companion. */
static inline ss_sealed_t alone(ss_bytes_t value)
{
    const ss_sealed_t cookie = { value, { NULL, 0 } };

    return cookie;
}

/** What a request with these cookies carries. */
static inline ss_candidates_t candidates(const ss_sealed_t cookies[], int count)
{
    ss_candidates_t found = { .count = 0, .companion_count = 0 };

    for (int i = 0; i < count; i++) {
        ss_bytes_t value = cookies[i].value, companion = cookies[i].companion;

        found.values[found.count++] = exact(value.data, value.len);
        if (companion.data != NULL) {
            found.companions[found.companion_count++] = exact(companion.data, companion.len);
        }
    }
    return found;
}

static inline ss_state_e open_one(ss_session_t **session, ss_sealed_t cookie,
                                  const ss_sealing_t *how, apr_time_t now)
{
    ss_candidates_t found = candidates(&cookie, 1);
    ss_opened_t from;
    ss_state_e state = open_found(session, &from, &found, how, now);

    ck_assert_int_eq(state == SS_VALID, *session != NULL);
    ck_assert_int_eq(state == SS_VALID, from.format != NULL);
    return state;
}

/** Flip each bit of one of the cookie's values, which `part` points to. */
static inline void flip_bits(ss_sealed_t *cookie, ss_bytes_t *part, const ss_sealing_t *how)
{
    const ss_bytes_t whole = *part;
    ss_session_t *session;

    for (apr_size_t i = 0; i < whole.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            char *copy = apr_pmemdup(pool, whole.data, whole.len);

            copy[i] = (char)(copy[i] ^ (1 << bit));
            *part = ss_bytes(copy, whole.len);
            ck_assert_msg(open_one(&session, *cookie, how, NOW) != SS_VALID, "%s: byte %d, bit %d",
                          ss_sealing_written(how)->name, (int)i, bit);
        }
    }
    *part = whole;
}

/** Shorten and lengthen one of the cookie's values. */
static inline void stretch(ss_sealed_t *cookie, ss_bytes_t *part, const ss_sealing_t *how)
{
    const char *more[] = { "A", "=", ".", ":", "AAAA", "\xff" };
    const ss_bytes_t whole = *part;
    ss_session_t *session;

    for (apr_size_t len = 0; len < whole.len; len++) {
        *part = ss_bytes(whole.data, len);
        ck_assert_int_ne(open_one(&session, *cookie, how, NOW), SS_VALID);
    }
    for (int i = 0; whole.data != NULL && i < COUNT(more); i++) {
        *part = ss_bytes_of(apr_psprintf(pool, "%.*s%s", (int)whole.len, whole.data, more[i]));
        ck_assert_int_ne(open_one(&session, *cookie, how, NOW), SS_VALID);
    }
    *part = whole;
}

static inline int formats_count(void)
{
    int count = 0;

    while (ss_formats[count] != NULL) {
        count++;
    }
    return count;
}

/* In a loop test over ss_formats. */
#define FORMAT (ss_formats[_i]->name)
#define HAS_TRAIT(trait) ((ss_formats[_i]->traits & (trait)) != 0)

#endif
