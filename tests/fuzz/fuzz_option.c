/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/cookie_option.h"
#include "lib/option.h"
#include "lib/origin.h"
#include "tests/fuzz/fuzz.h"

#define CENTURY (APR_INT64_C(100) * 366 * 24 * 60 * 60)
#define ARGUMENTS_MAX 8

/* What was understood, written the shortest way, means the same. */
static void judge_duration(const char *text, apr_pool_t *pool)
{
    apr_interval_time_t duration, again, timeout;

    if (ss_option_duration(&duration, text) == NULL) {
        const char *seconds = apr_psprintf(pool, "%" APR_TIME_T_FMT "s", apr_time_sec(duration));

        MUST(duration >= 0 && apr_time_sec(duration) <= CENTURY && apr_time_usec(duration) == 0);
        MUST(ss_option_duration(&again, seconds) == NULL && again == duration);
        MUST((ss_option_timeout(&timeout, text) == NULL) == (duration > 0));
    }
    if (ss_option_timeout(&timeout, text) == NULL) {
        MUST(timeout > 0 || timeout == SS_FOREVER);
    }
}

static void judge_renew(const char *text)
{
    ss_renew_t renew;

    if (ss_option_renew(&renew, text) == NULL) {
        MUST(renew.kind <= SS_RENEW_NEVER);
        MUST(renew.kind != SS_RENEW_PERCENT || (renew.percent >= 0 && renew.percent <= 100));
        MUST(renew.kind != SS_RENEW_AFTER || renew.after >= 0);
    }
}

static void judge_size(const char *text)
{
    apr_size_t size;

    if (ss_option_size(&size, text) == NULL) {
        MUST(size >= 1 && size <= SS_COOKIE_MAX);
    }
}

/* The printed spelling is the one that it is brought into. */
static void judge_origin(const char *text, apr_pool_t *pool)
{
    const char *origin, *again;

    if (ss_origin_parse(&origin, text, pool) == NULL) {
        MUST(ss_origin_parse(&again, origin, pool) == NULL && strcmp(origin, again) == 0);
        MUST(strncmp(origin, "http://", 7) == 0 || strncmp(origin, "https://", 8) == 0);
    }
}

/* An accepted cookie is one attribute after the other, and none besides ours. */
static void judge_set_cookie(const char *text, const char *name)
{
    int attributes = 0;

    MUST(ss_cookie_is_named(text, name));
    for (; *text != '\0'; text++) {
        MUST((unsigned char)*text >= 0x20 && *text != 0x7F);
        attributes += *text == ';';
    }
    MUST(attributes >= 2 && attributes <= 9);
}

static void judge_cookie(int argc, const char *const argv[], apr_pool_t *pool)
{
    ss_cookie_t cookie;

    if (ss_cookie_option_parse(&cookie, argc, argv, pool) == NULL) {
        MUST(ss_option_is_token(cookie.name) && cookie.path[0] == '/');
        judge_set_cookie(ss_cookie_print(&cookie, ss_bytes_of("v"), 1, 0, pool), cookie.name);
        judge_set_cookie(ss_cookie_print_deletion(&cookie, 1, pool), cookie.name);
    }
}

/* Input: words that end with NUL. Each is tried as every kind of option, all together as the
 * arguments of SignedSessionCookie. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    const char *words[ARGUMENTS_MAX];
    int count = 0;

    do {
        words[count] = fuzz_text(&input, pool);
        judge_duration(words[count], pool);
        judge_renew(words[count]);
        judge_size(words[count]);
        judge_origin(words[count], pool);
        count++;
    } while (input.len > 0 && count < ARGUMENTS_MAX);
    judge_cookie(count, words, pool);

    apr_pool_destroy(pool);
    return 0;
}
