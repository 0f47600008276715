/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/option.h"

#include <apr_cstr.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define DAY (24 * 60 * 60)
#define DURATION_MAX (100 * APR_INT64_C(365) * DAY) /* seconds: later sums cannot overflow */

#define DURATION "a duration such as 90, 90s, 15min, 12h, 14d or 2w, at most 100 years"

/* clang-format off */
static const struct {
    const char *unit;
    int seconds;
} units[] = {
    { "",    1 },
    { "s",   1 },
    { "min", 60 },
    { "h",   60 * 60 },
    { "d",   DAY },
    { "w",   7 * DAY },
};
/* clang-format on */

/* Read the digits at the beginning. Returns what follows them; NULL when there are none, or more
 * than `max`. */
static const char *read_number(apr_int64_t *number, const char *text, apr_int64_t max)
{
    const char *at = text;

    *number = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        *number = *number * 10 + (*at - '0');
        if (*number > max) {
            return NULL;
        }
    }
    return at == text ? NULL : at;
}

const char *ss_option_duration(apr_interval_time_t *duration, const char *text)
{
    apr_int64_t number;
    const char *unit = read_number(&number, text, DURATION_MAX);

    for (int i = 0; unit != NULL && i < (int)(sizeof(units) / sizeof(units[0])); i++) {
        if (strcmp(unit, units[i].unit) == 0 && number <= DURATION_MAX / units[i].seconds) {
            *duration = apr_time_from_sec(number * units[i].seconds);
            return NULL;
        }
    }
    return DURATION;
}

const char *ss_option_timeout(apr_interval_time_t *timeout, const char *text)
{
    apr_interval_time_t duration;

    if (apr_cstr_casecmp(text, "none") == 0) {
        *timeout = SS_FOREVER;
        return NULL;
    }
    if (ss_option_duration(&duration, text) != NULL || duration == 0) {
        return DURATION " and above 0, or none";
    }
    *timeout = duration;
    return NULL;
}

const char *ss_option_renew(ss_renew_t *renew, const char *text)
{
    ss_renew_t parsed = { SS_RENEW_PERCENT, 0, 0 };
    apr_int64_t number;
    const char *unit = read_number(&number, text, 100);

    if (unit != NULL && strcmp(unit, "%") == 0) {
        parsed.percent = (int)number;
    }
    else if (apr_cstr_casecmp(text, "always") == 0) {
        parsed.kind = SS_RENEW_ALWAYS;
    }
    else if (apr_cstr_casecmp(text, "never") == 0) {
        parsed.kind = SS_RENEW_NEVER;
    }
    else if (ss_option_duration(&parsed.after, text) == NULL) {
        parsed.kind = SS_RENEW_AFTER;
    }
    else {
        return "a percentage of the idle timeout from 0% to 100%, " DURATION ", always or never";
    }
    *renew = parsed;
    return NULL;
}

const char *ss_option_wait(apr_interval_time_t *wait, const char *text)
{
    apr_interval_time_t parsed;
    apr_int64_t number;
    const char *unit = read_number(&number, text, 10 * 1000);

    if (unit != NULL && strcmp(unit, "ms") == 0) {
        parsed = apr_time_from_msec(number);
    }
    else if (ss_option_duration(&parsed, text) != NULL) {
        parsed = 0;
    }
    if (parsed < apr_time_from_msec(10) || parsed > apr_time_from_sec(10)) {
        return "a duration such as 200ms or 2s, from 10ms to 10s";
    }
    *wait = parsed;
    return NULL;
}

/* clang-format off */
static const struct {
    const char *unit;
    apr_int64_t bytes;
} multiples[] = {
    { "",  1 },
    { "K", 1024 },
    { "M", 1024 * 1024 },
    { "G", 1024 * 1024 * 1024 },
};
/* clang-format on */

#define SIZE_MAX_OF_ALL ((apr_int64_t)1 << 50)

/* Returns whether it is a number of bytes from `min` to `max`. */
static int read_size(apr_size_t *size, const char *text, apr_int64_t min, apr_int64_t max)
{
    apr_int64_t number;
    const char *unit = read_number(&number, text, SIZE_MAX_OF_ALL);

    for (int i = 0; unit != NULL && i < (int)(sizeof(multiples) / sizeof(multiples[0])); i++) {
        if (strcmp(unit, multiples[i].unit) == 0 && number <= max / multiples[i].bytes &&
            number * multiples[i].bytes >= min) {
            *size = (apr_size_t)(number * multiples[i].bytes);
            return 1;
        }
    }
    return 0;
}

const char *ss_option_size(apr_size_t *size, const char *text)
{
    return read_size(size, text, 1, SS_COOKIE_MAX)
               ? NULL
               : "a number of bytes from 1 to " APR_STRINGIFY(SS_COOKIE_MAX);
}

const char *ss_option_store_size(apr_size_t *size, const char *text)
{
    return read_size(size, text, SS_STORE_SIZE_MIN, SS_STORE_SIZE_MAX)
               ? NULL
               : "a number of bytes such as 8192 or 64K, from 4K to 1M";
}

const char *ss_option_space(apr_size_t *space, const char *text)
{
    return read_size(space, text, 1024 * 1024, SIZE_MAX_OF_ALL)
               ? NULL
               : "a number of bytes such as 256M or 2G, from 1M";
}

int ss_option_is_token(const char *text)
{
    static const char characters[] = "!#$%&'*+-.^_`|~0123456789"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return *text != '\0' && text[strspn(text, characters)] == '\0';
}

/* clang-format off */
static const char *const taken[] = {
    "age", "allow", "alt-svc", "alt-used", "authentication-info", "authorization", "cache-control",
    "cdn-cache-control", "clear-site-data", "connection", "cookie", "cookie2", "date", "dav", "depth",
    "destination", "dnt", "early-data", "etag", "expect", "expect-ct", "expires", "forwarded", "from",
    "host", "http2-settings", "if", "keep-alive", "last-event-id", "last-modified", "link", "location",
    "lock-token", "max-forwards", "negotiate", "origin", "origin-agent-cluster", "overwrite", "p3p",
    "permissions-policy", "pragma", "priority", "range", "referer", "referrer-policy", "refresh",
    "retry-after", "server", "server-timing", "set-cookie", "set-cookie2", "sourcemap", "status",
    "strict-transport-security", "surrogate-control", "tcn", "te", "timeout", "timing-allow-origin",
    "trailer", "transfer-encoding", "upgrade", "upgrade-insecure-requests", "user-agent", "variant-vary",
    "vary", "via", "want-digest", "warning", "www-authenticate", "x-accel-redirect",
    "x-content-type-options", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
    "x-forwarded-proto", "x-forwarded-server", "x-frame-options", "x-sendfile", "x-xss-protection", NULL
};

/* and all that begin so, or are the part before the last "-" */
static const char *const taken_families[] = {
    "accept-", "access-control-", "content-", "cross-origin-", "if-", "proxy-", "sec-", NULL
};
/* clang-format on */

/* The character as the most careless reader sees it. */
static char folded(char c)
{
    return apr_isalnum(c) ? (char)apr_tolower(c) : '-';
}

/* Returns how much of `known` the name begins with. */
static apr_size_t common(const char *name, const char *known)
{
    apr_size_t len = 0;

    while (known[len] != '\0' && name[len] != '\0' && folded(name[len]) == known[len]) {
        len++;
    }
    return len;
}

int ss_option_is_taken(const char *name)
{
    for (int i = 0; taken[i] != NULL; i++) {
        apr_size_t len = common(name, taken[i]);

        if (name[len] == '\0' && taken[i][len] == '\0') {
            return 1;
        }
    }
    for (int i = 0; taken_families[i] != NULL; i++) {
        apr_size_t len = common(name, taken_families[i]);

        if (taken_families[i][len] == '\0' ||
            (name[len] == '\0' && taken_families[i][len] == '-')) {
            return 1;
        }
    }
    return 0;
}

/* What is behind the last slash, up to a blank. */
static const char *file_of(const char *path, apr_pool_t *pool)
{
    const char *end = path + strcspn(path, " \t");
    const char *name = end;

    while (name > path && name[-1] != '/') {
        name--;
    }
    return apr_pstrmemdup(pool, name, end - name);
}

const char *ss_option_public(const char *word, apr_pool_t *pool)
{
    apr_size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz+-");
    const char *rest = word + len + 1;

    if (len == 0 || word[len] != ':') {
        return word;
    }
    if (strncmp(rest, "//", 2) == 0) {
        apr_size_t authority = strcspn(rest + 2, "/?");
        const char *at = memchr(rest + 2, '@', authority);

        return at == NULL ? word
                          : apr_pstrcat(pool, apr_pstrmemdup(pool, word, len), "://", at + 1, NULL);
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, word, len), ":", file_of(rest, pool), NULL);
}
