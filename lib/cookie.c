/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/cookie.h"

#include <apr_cstr.h>
#include <apr_date.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "lib/option.h"

#define ATTRIBUTE_MAX 1024 /* bytes of a value: browsers ignore a longer one (RFC 6265bis 5.6) */
#define HOST_NAME_MAX_SIZE 253
#define LABEL_MAX_SIZE 63
#define LABEL_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

/*
 * The arguments of SignedSessionCookie
 */

/* Understands one attribute. `value` is NULL when there is no '='. Returns NULL, or what is wrong
 * and what is accepted. */
typedef const char *attribute_fn(ss_cookie_t *cookie, const char *value, apr_pool_t *pool);

/* Which of the words, whatever its case; -1 when it is none of them. */
static int index_of(const char *const words[], const char *text)
{
    int i;

    for (i = 0; text != NULL && words[i] != NULL; i++) {
        if (apr_cstr_casecmp(words[i], text) == 0) {
            return i;
        }
    }

    return -1;
}

static int take_switch(int *on, const char *value)
{
    static const char *const words[] = { "off", "on", NULL };
    int index = value == NULL ? 1 : index_of(words, value);

    *on = index;
    return index >= 0;
}

static const char *take_path(ss_cookie_t *cookie, const char *value, apr_pool_t *pool)
{
    if (value == NULL || value[0] != '/') {
        return "Path must begin with \"/\", as in Path=/ or Path=/shop";
    }

    cookie->path = apr_pstrdup(pool, value);
    return NULL;
}

/* Labels of letters, digits and inner hyphens (RFC 1123 section 2.1). */
static int is_host_name(const char *text)
{
    const char *label;
    apr_size_t size;

    for (label = text;; label += size + 1) {
        size = strcspn(label, ".");
        if (size == 0 || size > LABEL_MAX_SIZE || strspn(label, LABEL_BYTES) < size ||
            label[0] == '-' || label[size - 1] == '-') {
            return 0;
        }
        if (label[size] == '\0') {
            return strlen(text) <= HOST_NAME_MAX_SIZE;
        }
    }
}

static const char *take_domain(ss_cookie_t *cookie, const char *value, apr_pool_t *pool)
{
    if (value != NULL && value[0] == '.') {
        return "Domain begins with a dot: drop it, subdomains are included anyway";
    }
    if (value == NULL || !is_host_name(value)) {
        return "Domain must be a host name, as in Domain=example.com";
    }

    cookie->domain = apr_pstrdup(pool, value);
    return NULL;
}

static const char *take_same_site(ss_cookie_t *cookie, const char *value, apr_pool_t *pool)
{
    static const char *const words[] = { "Lax", "Strict", "None", NULL };
    int index = index_of(words, value);

    (void)pool;
    if (index < 0) {
        return "SameSite must be Lax, Strict or None";
    }

    cookie->same_site = words[index];
    return NULL;
}

static const char *take_priority(ss_cookie_t *cookie, const char *value, apr_pool_t *pool)
{
    static const char *const words[] = { "Low", "Medium", "High", NULL };
    int index = index_of(words, value);

    (void)pool;
    if (index < 0) {
        return "Priority must be Low, Medium or High";
    }

    cookie->priority = words[index];
    return NULL;
}

static const char *take_http_only(ss_cookie_t *cookie, const char *value, apr_pool_t *pool)
{
    (void)pool;
    return take_switch(&cookie->http_only, value)
               ? NULL
               : "HttpOnly must be HttpOnly, HttpOnly=on or HttpOnly=off";
}

static const char *take_partitioned(ss_cookie_t *cookie, const char *value, apr_pool_t *pool)
{
    (void)pool;
    return take_switch(&cookie->partitioned, value)
               ? NULL
               : "Partitioned must be Partitioned, Partitioned=on or Partitioned=off";
}

static const char *take_secure(ss_cookie_t *cookie, const char *value, apr_pool_t *pool)
{
    static const char *const words[] = { "auto", "on", "off", NULL };
    static const ss_secure_e meanings[] = { SS_SECURE_AUTO, SS_SECURE_ON, SS_SECURE_OFF };
    int index = index_of(words, value != NULL ? value : "on");

    (void)pool;
    if (index < 0) {
        return "Secure must be Secure, Secure=auto, Secure=on or Secure=off";
    }

    cookie->secure = meanings[index];
    return NULL;
}

/* clang-format off */
static const struct {
    const char *name;
    attribute_fn *take;
} attributes[] = {
    { "Path",        take_path },
    { "Domain",      take_domain },
    { "SameSite",    take_same_site },
    { "HttpOnly",    take_http_only },
    { "Secure",      take_secure },
    { "Partitioned", take_partitioned },
    { "Priority",    take_priority },
    { NULL,          NULL }
};
/* clang-format on */

static int has_forbidden_byte(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == ';' || (unsigned char)*text < 0x20 || *text == 0x7F) {
            return 1;
        }
    }

    return 0;
}

/* One attribute; `seen` has a bit for each row that was there already. */
static const char *take_attribute(ss_cookie_t *cookie, unsigned *seen, const char *text,
                                  apr_pool_t *pool)
{
    const char *equals = strchr(text, '=');
    const char *name = equals != NULL ? apr_pstrmemdup(pool, text, equals - text) : text;
    int i;

    if (has_forbidden_byte(text)) {
        return "an attribute holds ';' or a control character: write each attribute as an argument "
               "of its own, without ';'";
    }
    if (equals != NULL && strlen(equals + 1) > ATTRIBUTE_MAX) {
        return "an attribute is over " APR_STRINGIFY(ATTRIBUTE_MAX) " bytes: browsers ignore it";
    }

    for (i = 0; attributes[i].name != NULL; i++) {
        if (apr_cstr_casecmp(attributes[i].name, name) == 0) {
            if ((*seen & 1u << i) != 0) {
                return apr_psprintf(pool, "%s is there twice: write it once", attributes[i].name);
            }
            *seen |= 1u << i;
            return attributes[i].take(cookie, equals != NULL ? equals + 1 : NULL, pool);
        }
    }

    return apr_psprintf(pool,
                        "unknown attribute \"%.64s\": accepted are Path=, Domain=, SameSite=, "
                        "HttpOnly, Secure, Partitioned, Priority=",
                        name);
}

/*
 * What browsers refuse
 */

#define NEEDS_SECURE 1
#define NEEDS_HTTP_ONLY 2
#define NEEDS_HOST 4 /* Path=/ and no Domain */

/* clang-format off */
static const struct {
    const char *prefix;
    int needs;
} prefixes[] = {
    { "__Secure-",    NEEDS_SECURE },
    { "__Host-",      NEEDS_SECURE | NEEDS_HOST },
    { "__Http-",      NEEDS_SECURE | NEEDS_HTTP_ONLY },
    { "__Host-Http-", NEEDS_SECURE | NEEDS_HTTP_ONLY | NEEDS_HOST },
    { NULL,           0 }
};
/* clang-format on */

/* Browsers compare prefixes without case, since servers that compare names so exist. */
static const char *judge_prefix(const ss_cookie_t *cookie, const char *prefix, int needs,
                                apr_pool_t *pool)
{
    if (apr_cstr_casecmpn(cookie->name, prefix, strlen(prefix)) != 0) {
        return NULL;
    }
    if ((needs & NEEDS_SECURE) != 0 && cookie->secure != SS_SECURE_ON) {
        return apr_psprintf(pool, "browsers refuse a %s cookie without Secure: add Secure=on",
                            prefix);
    }
    if ((needs & NEEDS_HOST) != 0 && cookie->domain != NULL) {
        return apr_psprintf(pool, "browsers refuse a %s cookie with Domain: remove it", prefix);
    }
    if ((needs & NEEDS_HOST) != 0 && strcmp(cookie->path, "/") != 0) {
        return apr_psprintf(pool, "browsers refuse a %s cookie with another Path than Path=/",
                            prefix);
    }
    if ((needs & NEEDS_HTTP_ONLY) != 0 && !cookie->http_only) {
        return apr_psprintf(pool, "browsers refuse a %s cookie without HttpOnly: add HttpOnly",
                            prefix);
    }

    return NULL;
}

static const char *judge(const ss_cookie_t *cookie, apr_pool_t *pool)
{
    const char *why;
    int i;

    for (i = 0; prefixes[i].prefix != NULL; i++) {
        why = judge_prefix(cookie, prefixes[i].prefix, prefixes[i].needs, pool);
        if (why != NULL) {
            return why;
        }
    }
    if (cookie->secure == SS_SECURE_ON) {
        return NULL;
    }
    if (strcmp(cookie->same_site, "None") == 0) {
        return "browsers refuse SameSite=None without Secure: add Secure=on";
    }
    if (cookie->partitioned) {
        return "browsers refuse Partitioned without Secure: add Secure=on";
    }

    return NULL;
}

const char *ss_cookie_parse(ss_cookie_t *cookie, int argc, const char *const argv[],
                            apr_pool_t *pool)
{
    static const ss_cookie_t defaults = { NULL, "/", NULL, "Lax", NULL, 1, 0, SS_SECURE_AUTO };
    const char *why;
    unsigned seen = 0;
    int i;

    if (!ss_option_is_token(argv[0])) {
        return "the name must be a token of RFC 6265: letters, digits and !#$%&'*+-.^_`|~";
    }

    *cookie = defaults;
    cookie->name = apr_pstrdup(pool, argv[0]);
    for (i = 1; i < argc; i++) {
        why = take_attribute(cookie, &seen, argv[i], pool);
        if (why != NULL) {
            return why;
        }
    }

    return judge(cookie, pool);
}

/*
 * Headers
 */

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

static const char *pair_end(const char *at)
{
    const char *semicolon = strchr(at, ';');

    return semicolon != NULL ? semicolon : at + strlen(at);
}

/* The value of a pair called `name`; {NULL, 0} for any other pair. */
static ss_bytes_t value_of(ss_bytes_t pair, ss_bytes_t name)
{
    if (pair.len > name.len && pair.data[name.len] == '=' &&
        memcmp(pair.data, name.data, name.len) == 0) {
        return ss_bytes(pair.data + name.len + 1, pair.len - name.len - 1);
    }
    return ss_bytes(NULL, 0);
}

int ss_cookie_find(ss_bytes_t values[], int max, const char *header, const char *name)
{
    const ss_bytes_t wanted = ss_bytes_of(name);
    const char *end = header;
    int count = 0;

    for (; header != NULL && count < max; header = *end == ';' ? end + 1 : NULL) {
        ss_bytes_t value;

        end = pair_end(header);
        value = value_of(trim(header, end), wanted);
        if (value.data != NULL) {
            values[count++] = value;
        }
    }

    return count;
}

/* Does this pair go? */
static int is_removed(ss_bytes_t pair, ss_bytes_t name, ss_cookie_is_fn *is, const void *data)
{
    ss_bytes_t value = value_of(pair, name);

    return value.data != NULL && (is == NULL || is(value, data));
}

const char *ss_cookie_strip(const char *header, const char *name, ss_cookie_is_fn *is,
                            const void *data, apr_pool_t *pool)
{
    const ss_bytes_t unwanted = ss_bytes_of(name);
    const char *at = header, *end = header;
    char *kept = NULL, *out = NULL;
    int removed = 0;

    for (; at != NULL; at = *end == ';' ? end + 1 : NULL) {
        ss_bytes_t pair;

        end = pair_end(at);
        pair = trim(at, end);
        if (is_removed(pair, unwanted, is, data)) {
            removed++;
        }
        else if (pair.len > 0) {
            if (kept == NULL) {
                kept = out = apr_palloc(pool, 2 * strlen(at) + 1); /* a ";" may become "; " */
            }
            else {
                *out++ = ';';
                *out++ = ' ';
            }
            memcpy(out, pair.data, pair.len);
            out += pair.len;
        }
    }
    if (removed == 0) {
        return header;
    }
    if (kept != NULL) {
        *out = '\0';
    }
    return kept;
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

    return equals == NULL ? ss_bytes(end, 0) : trim(equals + 1, end);
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

static const char *flag(int on, const char *text)
{
    return on ? text : "";
}

/* `life` is how long the cookie lives, as attributes. */
static const char *print(const ss_cookie_t *cookie, ss_bytes_t value, const char *life, int https,
                         apr_pool_t *pool)
{
    int secure = cookie->secure == SS_SECURE_ON || (cookie->secure == SS_SECURE_AUTO && https);

    return apr_pstrcat(pool, cookie->name, "=", apr_pstrmemdup(pool, value.data, value.len),
                       "; Path=", cookie->path, flag(cookie->domain != NULL, "; Domain="),
                       flag(cookie->domain != NULL, cookie->domain), life,
                       flag(cookie->http_only, "; HttpOnly"), flag(secure, "; Secure"),
                       "; SameSite=", cookie->same_site, flag(cookie->partitioned, "; Partitioned"),
                       flag(cookie->priority != NULL, "; Priority="),
                       flag(cookie->priority != NULL, cookie->priority), NULL);
}

const char *ss_cookie_print(const ss_cookie_t *cookie, ss_bytes_t value, apr_int64_t max_age,
                            int https, apr_pool_t *pool)
{
    const char *life =
        max_age < 0 ? "" : apr_psprintf(pool, "; Max-Age=%" APR_INT64_T_FMT, max_age);

    return print(cookie, value, life, https, pool);
}

const char *ss_cookie_print_deletion(const ss_cookie_t *cookie, int https, apr_pool_t *pool)
{
    return print(cookie, ss_bytes_of(""), "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                 https, pool);
}
