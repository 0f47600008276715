/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdlib.h>

#include <check.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

#include "lib/base.h"

/* What every test program shares. A program is one file, so everything here is static. */

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/** Made anew for each test, and destroyed after it. */
static apr_pool_t *pool;

static inline void unit_setup(void)
{
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
}

static inline void unit_teardown(void)
{
    apr_pool_destroy(pool);
}

/** A test case of `suite`, with the pool above. */
static inline TCase *unit_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, unit_setup, unit_teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/** Run a suite and return the exit status of the program. */
static inline int unit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    apr_initialize();
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline apr_status_t unit_free(void *data)
{
    free(data);
    return APR_SUCCESS;
}

/**
 * A copy with not one byte to spare. A pool rounds up and hides a parser that reads too far; behind
 * this copy the address sanitizer sees the first byte. Freed with `pool`.
 */
static inline ss_bytes_t exact(const char *text, apr_size_t len)
{
    char *copy = malloc(len);

    ck_assert_ptr_nonnull(copy);
    if (len > 0) {
        memcpy(copy, text, len);
    }
    apr_pool_cleanup_register(pool, copy, unit_free, apr_pool_cleanup_null);
    return ss_bytes(copy, len);
}

/** The bytes of a terminated string, as `exact` copies them. */
static inline ss_bytes_t exact_of(const char *text)
{
    return exact(text, strlen(text));
}

/** The bytes that a text of hexadecimal digits, as RFCs print them, stands for. */
static inline ss_bytes_t unhex(const char *digits)
{
    apr_size_t len = strlen(digits) / 2;
    char *bytes = apr_palloc(pool, len + 1);

    for (apr_size_t i = 0; i < len; i++) {
        char pair[] = { digits[2 * i], digits[2 * i + 1], '\0' };

        bytes[i] = (char)strtol(pair, NULL, 16);
    }
    return exact(bytes, len);
}

/** Fails, and says `what`, unless the bytes are the same. */
static inline void assert_bytes(ss_bytes_t got, ss_bytes_t want, const char *what)
{
    ck_assert_msg(ss_bytes_equal(got, want), "%s: got \"%.*s\", wanted \"%.*s\"", what,
                  (int)got.len, got.data == NULL ? "" : got.data, (int)want.len,
                  want.data == NULL ? "" : want.data);
}

/** The same where nothing may be wanted: NULL, for absent bytes. */
static inline void assert_bytes_or_none(ss_bytes_t got, const char *want, const char *what)
{
    ck_assert_msg((got.data == NULL) == (want == NULL), "%s: got %s", what,
                  got.data == NULL ? "nothing" : "something");
    assert_bytes(got, want == NULL ? ss_absent : ss_bytes_of(want), what);
}

/* `levels` times `open`, then `middle`, then as many times `close`. */
static inline char *nested(int levels, const char *open, const char *middle, const char *close)
{
    apr_size_t size = levels * (strlen(open) + strlen(close)) + strlen(middle) + 1;
    char *text = apr_palloc(pool, size), *out = text;
    int i;

    for (i = 0; i < levels; i++) {
        out = apr_cpystrn(out, open, size);
    }
    out = apr_cpystrn(out, middle, size);
    for (i = 0; i < levels; i++) {
        out = apr_cpystrn(out, close, size);
    }
    return text;
}

#endif
