/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_cstr.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "lib/cookie_option.h"
#include "lib/option.h"

#define ATTRIBUTE_MAX 1024 /* bytes of a value: browsers ignore a longer one (RFC 6265bis 5.6) */
#define HOST_NAME_MAX_SIZE 253
#define LABEL_MAX_SIZE 63
#define LABEL_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

/*
 * Attributes
 */

/* Understands one attribute. `value` is NULL when there is no '='. Returns NULL, or what is wrong
 * and what is accepted. */
typedef const char *attribute_fn(ss_cookie_t *cookie, const char *value, apr_pool_t *pool);

/* Which of the words, whatever its case; -1 when it is none of them. */
static int index_of(const char *const words[], const char *text)
{
    for (int i = 0; text != NULL && words[i] != NULL; i++) {
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
    apr_size_t size;

    for (const char *label = text;; label += size + 1) {
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

    if (has_forbidden_byte(text)) {
        return "an attribute holds ';' or a control character: write each attribute as an argument "
               "of its own, without ';'";
    }
    if (equals != NULL && strlen(equals + 1) > ATTRIBUTE_MAX) {
        return "an attribute is over " APR_STRINGIFY(ATTRIBUTE_MAX) " bytes: browsers ignore it";
    }
    for (int i = 0; attributes[i].name != NULL; i++) {
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
    for (int i = 0; prefixes[i].prefix != NULL; i++) {
        const char *why = judge_prefix(cookie, prefixes[i].prefix, prefixes[i].needs, pool);

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

const char *ss_cookie_option_parse(ss_cookie_t *cookie, int argc, const char *const argv[],
                                   apr_pool_t *pool)
{
    static const ss_cookie_t defaults = { NULL, "/", NULL, "Lax", NULL, 1, 0, SS_SECURE_AUTO };
    unsigned seen = 0;

    if (!ss_option_is_token(argv[0])) {
        return "the name must be a token of RFC 6265: letters, digits and !#$%&'*+-.^_`|~";
    }
    *cookie = defaults;
    cookie->name = apr_pstrdup(pool, argv[0]);
    for (int i = 1; i < argc; i++) {
        const char *why = take_attribute(cookie, &seen, argv[i], pool);

        if (why != NULL) {
            return why;
        }
    }
    return judge(cookie, pool);
}
