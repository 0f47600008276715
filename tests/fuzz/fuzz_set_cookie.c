/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/cookie.h"
#include "tests/fuzz/fuzz.h"

#define NAME "session"
#define NOW apr_time_from_sec(1767225600) /* 2026-01-01T00:00:00Z */
#define YEAR apr_time_from_sec(366 * 24 * 60 * 60)

/* An application's line, as a browser reads it. */
static void judge_line(const char *line)
{
    ss_bytes_t value = ss_cookie_value(line), sent;

    MUST(value.data >= line && value.data + value.len <= line + strlen(line));
    MUST(value.len == 0 || memchr(value.data, ';', value.len) == NULL);
    if (strncmp(line, NAME "=", strlen(NAME "=")) == 0) {
        /* an attribute may be called so, too */
        MUST(ss_cookie_is_named(line, NAME) &&
             ss_cookie_find(&sent, 1, SS_COOKIE_FIRST, line, NAME) > 0);
        /* a blank before the quotes is the browser's to remove */
        MUST(value.len == 0 || value.data + value.len == sent.data + sent.len ||
             value.data + value.len + 1 == sent.data + sent.len);
    }

    /* time does not bring a deleted cookie back */
    if (ss_cookie_is_deletion(line, NOW)) {
        MUST(ss_cookie_is_deletion(line, NOW + YEAR));
    }
}

/* Our own line with another attribute behind it: of two Max-Age the last counts, and any of them
 * goes before Expires. */
static void judge_attribute(const char *attribute, apr_pool_t *pool)
{
    static const ss_cookie_t cookie = { NAME, "/", NULL, "Lax", NULL, 1, 0, SS_SECURE_AUTO };
    const char *kept = ss_cookie_print(&cookie, ss_bytes_of("v"), 60, 0, pool);
    const char *deleted = ss_cookie_print_deletion(&cookie, 0, pool);
    const char *line = apr_pstrcat(pool, kept, "; ", attribute, "; Max-Age=60", NULL);

    MUST(!ss_cookie_is_deletion(kept, NOW) && ss_cookie_is_deletion(deleted, NOW));
    MUST(ss_cookie_is_named(line, NAME) && !ss_cookie_is_deletion(line, NOW));
    line = apr_pstrcat(pool, kept, "; ", attribute, "; Max-Age=0", NULL);
    MUST(ss_cookie_is_deletion(line, NOW));
    MUST(ss_bytes_equal(ss_cookie_value(line), ss_bytes_of("v")));
}

/* Input: a Set-Cookie line, which is also tried as an attribute. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    const char *line = fuzz_text(&input, pool);

    judge_line(line);
    judge_attribute(line, pool);

    apr_pool_destroy(pool);
    return 0;
}
