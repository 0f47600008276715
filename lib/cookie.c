/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_cstr.h>
#include <apr_date.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "lib/cookie.h"
#include "lib/out.h"

#define DIGITS_MAX 19 /* of a number of 64 bits */

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static ss_bytes_t trim(const char *from, const char *to)
{
    while (from < to && is_blank(*from)) {
        from++;
    }
    while (from < to && is_blank(to[-1])) {
        to--;
    }
    return ss_bytes(from, to - from);
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at)) {
        at++;
    }
    return at;
}

/* One pair of double quotes around a value belongs to the header, not to the value: every framework
 * reads it so, though RFC 6265 section 5.4 would keep it. */
static ss_bytes_t unquote(ss_bytes_t value)
{
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"') {
        return ss_bytes(value.data + 1, value.len - 2);
    }
    return value;
}

/** A pair called as was wanted. */
typedef struct pair_t {
    const char *start, *end; /* from its name to the separator behind it, or to the header's end */
    ss_bytes_t value;
} pair_t;

/* Is the pair that begins at `at` called `name`? `end`: of the whole header. */
static int read_pair(pair_t *pair, const char *at, const char *end, const char *name)
{
    apr_size_t len = strlen(name);
    const char *equals, *semicolon;

    if ((apr_size_t)(end - at) <= len || memcmp(at, name, len) != 0) {
        return 0;
    }
    equals = skip_blanks(at + len);
    if (*equals != '=') {
        return 0;
    }
    semicolon = memchr(equals, ';', (apr_size_t)(end - equals));
    pair->start = at;
    pair->end = semicolon != NULL ? semicolon : end;
    pair->value = unquote(trim(equals + 1, pair->end));
    return 1;
}

/* The next pair called `name` from `at` on, which is where a pair begins or ends; returns whether
 * there is one. Most others differ in the first byte already. */
static int find_pair(pair_t *pair, const char *at, ss_bytes_t header, const char *name)
{
    const char *end = header.data + header.len;

    for (;;) {
        at = skip_blanks(at);
        if (*at == *name && read_pair(pair, at, end, name)) {
            return 1;
        }
        at = memchr(at, ';', (apr_size_t)(end - at));
        if (at == NULL) {
            return 0;
        }
        at++;
    }
}

int ss_cookie_find(ss_bytes_t values[], int max, ss_cookie_end_e which, const char *header,
                   const char *name)
{
    const ss_bytes_t whole = ss_bytes_of(header != NULL ? header : "");
    pair_t pair = { .end = whole.data };
    int count = 0;

    for (; find_pair(&pair, pair.end, whole, name); count++) {
        if (count < max) {
            values[count] = pair.value;
        }
        else if (max > 0 && which == SS_COOKIE_LAST) {
            values[max - 1] = pair.value;
        }
    }
    return count;
}

int ss_cookie_is_alone(ss_bytes_t value, const char *header, const char *name)
{
    return value.data == header + strlen(name) + 1 && value.data[value.len] == '\0';
}

/* The last pair has gone, and what separated it goes, too. */
static char *drop_separator(const char *start, char *out)
{
    while (out > start && is_blank(out[-1])) {
        out--;
    }
    return out > start ? out - 1 : out;
}

static int holds_pairs(const char *header)
{
    while (is_blank(*header) || *header == ';') {
        header++;
    }
    return *header != '\0';
}

const char *ss_cookie_strip(const char *header, const char *name, ss_cookie_is_fn *is,
                            const void *data, apr_pool_t *pool)
{
    const ss_bytes_t whole = ss_bytes_of(header);
    const char *from = header, *end = header + whole.len; /* what is left to be copied */
    pair_t pair = { .end = header };
    char *kept = NULL, *out = NULL;

    while (find_pair(&pair, pair.end, whole, name)) {
        if (is != NULL && !is(pair.value, data)) {
            continue;
        }
        if (kept == NULL) {
            kept = out = apr_palloc(pool, whole.len - (apr_size_t)(pair.end - pair.start) + 1);
        }
        memcpy(out, from, (apr_size_t)(pair.start - from));
        out += pair.start - from;
        from = pair.end < end ? skip_blanks(pair.end + 1) : end;
    }
    if (kept == NULL) {
        return header;
    }
    if (from == end) {
        out = drop_separator(kept, out);
    }
    memcpy(out, from, (apr_size_t)(end - from) + 1);
    return holds_pairs(kept) ? kept : NULL;
}

/* As a browser reads it (RFC 6265 section 5.2). */
int ss_cookie_is_named(const char *set_cookie, const char *name)
{
    const char *equals = set_cookie + strcspn(set_cookie, "=;");

    return *equals == '=' && ss_bytes_equal(trim(set_cookie, equals), ss_bytes_of(name));
}

ss_bytes_t ss_cookie_value(const char *set_cookie)
{
    const char *end = set_cookie + strcspn(set_cookie, ";");
    const char *equals = memchr(set_cookie, '=', (apr_size_t)(end - set_cookie));

    return equals == NULL ? ss_bytes(end, 0) : unquote(trim(equals + 1, end));
}

/* The value of the last attribute of this name, which is the one that counts; {NULL, 0} without
 * one. */
static ss_bytes_t attribute(const char *set_cookie, const char *name)
{
    ss_bytes_t found = { NULL, 0 };

    for (const char *at = strchr(set_cookie, ';'); at != NULL; at = strchr(at + 1, ';')) {
        const char *equals = at + 1 + strcspn(at + 1, "=;");
        ss_bytes_t its_name = trim(at + 1, equals);

        if (*equals == '=' && its_name.len == strlen(name) &&
            apr_cstr_casecmpn(its_name.data, name, its_name.len) == 0) {
            found = trim(equals + 1, equals + strcspn(equals, ";"));
        }
    }
    return found;
}

static int is_same_domain(ss_bytes_t domain, const char *ours)
{
    if (domain.len > 0 && domain.data[0] == '.') { /* browsers skip it */
        domain = ss_bytes(domain.data + 1, domain.len - 1);
    }
    return ours == NULL ? domain.len == 0
                        : domain.len == strlen(ours) &&
                              apr_cstr_casecmpn(domain.data, ours, domain.len) == 0;
}

int ss_cookie_is_scoped(const char *set_cookie, const ss_cookie_t *cookie)
{
    ss_bytes_t path = attribute(set_cookie, "Path");

    /* what does not begin with a slash is no Path, to a browser */
    return (path.len == 0 || path.data[0] != '/' ||
            ss_bytes_equal(path, ss_bytes_of(cookie->path))) &&
           is_same_domain(attribute(set_cookie, "Domain"), cookie->domain);
}

const char *ss_cookie_with_value(const char *set_cookie, ss_bytes_t value, apr_pool_t *pool)
{
    const char *name_end = set_cookie + strcspn(set_cookie, "=;");

    return apr_pstrcat(pool, apr_pstrmemdup(pool, set_cookie, (apr_size_t)(name_end - set_cookie)),
                       "=", apr_pstrmemdup(pool, value.data, value.len),
                       set_cookie + strcspn(set_cookie, ";"), NULL);
}

int ss_cookie_is_deletion(const char *set_cookie, apr_time_t now)
{
    ss_bytes_t max_age = attribute(set_cookie, "Max-Age");
    ss_bytes_t expires = attribute(set_cookie, "Expires");
    char date[64];
    apr_time_t time;

    if (max_age.len > 0 && (max_age.data[0] == '-' || apr_isdigit(max_age.data[0]))) {
        return apr_atoi64(max_age.data) <= 0;
    }
    if (expires.len == 0 || expires.len >= sizeof(date)) {
        return 0;
    }
    memcpy(date, expires.data, expires.len);
    date[expires.len] = '\0';
    time = apr_date_parse_http(date);
    return time != APR_DATE_BAD ? time <= now : strstr(date, "1970") != NULL;
}

/* A part of a line that may be missing. */
static ss_bytes_t part_if(int on, const char *text)
{
    return ss_bytes_of(on ? text : "");
}

/* `life` is how long the cookie lives, as attributes. All parts are measured once, and written
 * once: every change of a session prints such a line. */
static const char *print(const ss_cookie_t *cookie, ss_bytes_t value, ss_bytes_t life, int https,
                         apr_pool_t *pool)
{
    int secure = cookie->secure == SS_SECURE_ON || (cookie->secure == SS_SECURE_AUTO && https);
    const ss_bytes_t parts[] = { ss_bytes_of(cookie->name),
                                 ss_bytes_of("="),
                                 value,
                                 ss_bytes_of("; Path="),
                                 ss_bytes_of(cookie->path),
                                 part_if(cookie->domain != NULL, "; Domain="),
                                 part_if(cookie->domain != NULL, cookie->domain),
                                 life,
                                 part_if(cookie->http_only, "; HttpOnly"),
                                 part_if(secure, "; Secure"),
                                 ss_bytes_of("; SameSite="),
                                 ss_bytes_of(cookie->same_site),
                                 part_if(cookie->partitioned, "; Partitioned"),
                                 part_if(cookie->priority != NULL, "; Priority="),
                                 part_if(cookie->priority != NULL, cookie->priority),
                                 ss_bytes("", 1) };
    apr_size_t size = 0;
    ss_out_t out;
    const char *line;

    for (apr_size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size += parts[i].len;
    }
    out = ss_out_create(size, pool);
    line = out.at;
    for (apr_size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        out = ss_out_put(out, parts[i]);
    }
    return line;
}

const char *ss_cookie_print(const ss_cookie_t *cookie, ss_bytes_t value, apr_int64_t max_age,
                            int https, apr_pool_t *pool)
{
    static const char beginning[] = "; Max-Age=";
    char life[sizeof(beginning) + DIGITS_MAX], *at = life + sizeof(life);

    if (max_age < 0) {
        return print(cookie, value, ss_bytes_of(""), https, pool);
    }
    do {
        *--at = (char)('0' + max_age % 10);
        max_age /= 10;
    } while (max_age > 0);
    at -= sizeof(beginning) - 1;
    memcpy(at, beginning, sizeof(beginning) - 1);
    return print(cookie, value, ss_bytes(at, (apr_size_t)(life + sizeof(life) - at)), https, pool);
}

const char *ss_cookie_print_deletion(const ss_cookie_t *cookie, int https, apr_pool_t *pool)
{
    return print(cookie, ss_bytes_of(""),
                 ss_bytes_of("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), https, pool);
}
