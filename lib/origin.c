/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "lib/origin.h"

#define PORT_MAX 65535

/** Where a server listens, as an Origin or a Host header names it. */
typedef struct place_t {
    ss_bytes_t host; /* an IPv6 address in its brackets */
    int port;
} place_t;

typedef struct scheme_t {
    const char *name;
    int port;
} scheme_t;

static const scheme_t schemes[] = { { "http", 80 }, { "https", 443 }, { NULL, 0 } };

/* What may not stand behind scheme:// */
/* clang-format off */
static const struct {
    char mark;
    const char *part;
} unwanted[] = {
    { '@', "user information" },
    { '/', "path, not even a single /" },
    { '?', "query" },
    { '#', "fragment" },
};
/* clang-format on */

/* The scheme called by the first `len` bytes of `text`, or NULL. */
static const scheme_t *scheme_named(const char *text, apr_size_t len)
{
    for (const scheme_t *scheme = schemes; scheme->name != NULL; scheme++) {
        if (strlen(scheme->name) == len && apr_cstr_casecmpn(scheme->name, text, len) == 0) {
            return scheme;
        }
    }
    return NULL;
}

/* Length of the host at the beginning; 0 when there is none. Other alphabets come as punycode. */
static apr_size_t host_length(const char *text)
{
    apr_size_t len;

    if (*text != '[') {
        return strspn(text, "-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    }
    len = 1 + strspn(text + 1, ":.0123456789ABCDEFabcdef");
    return len > 1 && text[len] == ']' ? len + 1 : 0;
}

/* The port that is the whole of `text`; 0 when it is none. */
static int port_of(const char *text)
{
    int port = 0;

    for (; *text >= '0' && *text <= '9' && port <= PORT_MAX; text++) {
        port = port * 10 + (*text - '0');
    }
    return *text == '\0' && port <= PORT_MAX ? port : 0;
}

/* Understand `host[:port]`. Returns whether it is one. */
static int parse_place(place_t *place, const char *text, const scheme_t *scheme)
{
    apr_size_t len = host_length(text);

    place->host = ss_bytes(text, len);
    place->port = scheme->port;
    if (text[len] == ':') {
        place->port = port_of(text + len + 1);
        return len > 0 && place->port != 0;
    }
    return len > 0 && text[len] == '\0';
}

/* Understand `scheme://host[:port]`. Returns its scheme, or NULL when it is no such origin. */
static const scheme_t *parse_origin(place_t *place, const char *text)
{
    const char *colon = strstr(text, "://");
    const scheme_t *scheme = colon == NULL ? NULL : scheme_named(text, (apr_size_t)(colon - text));

    return scheme != NULL && parse_place(place, colon + 3, scheme) ? scheme : NULL;
}

static const char *fault_of(const char *text, apr_pool_t *pool)
{
    const char *colon = strstr(text, "://");
    const char *rest = colon == NULL ? text : colon + 3;

    for (apr_size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
        if (strchr(rest, unwanted[i].mark) != NULL) {
            return apr_pstrcat(pool, "an origin has no ", unwanted[i].part, NULL);
        }
    }
    return "it is not the origin of a page";
}

const char *ss_origin_parse(const char **origin, const char *text, apr_pool_t *pool)
{
    place_t place;
    const scheme_t *scheme = parse_origin(&place, text);
    char *host;

    if (scheme == NULL) {
        return apr_psprintf(pool,
                            "\"%s\" is not accepted, %s; accepted is scheme://host[:port], with "
                            "http or https",
                            text, fault_of(text, pool));
    }
    host = apr_pstrmemdup(pool, place.host.data, place.host.len);
    for (char *c = host; *c != '\0'; c++) {
        *c = apr_tolower(*c);
    }
    if (place.port == scheme->port) {
        *origin = apr_pstrcat(pool, scheme->name, "://", host, NULL);
    }
    else {
        *origin = apr_psprintf(pool, "%s://%s:%d", scheme->name, host, place.port);
    }
    return NULL;
}

int ss_origin_is_trusted(const ss_caller_t *caller)
{
    if (caller->origin == NULL || caller->trusted == NULL) {
        return 0;
    }
    for (int i = 0; i < caller->trusted->nelts; i++) {
        if (strcmp(caller->origin, APR_ARRAY_IDX(caller->trusted, i, const char *)) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Do Origin and Host name the same place? */
static int is_same_place(const ss_caller_t *caller)
{
    const scheme_t *scheme = scheme_named(caller->scheme, strlen(caller->scheme));
    place_t theirs, ours;

    return caller->host != NULL && scheme != NULL &&
           parse_origin(&theirs, caller->origin) != NULL &&
           parse_place(&ours, caller->host, scheme) && theirs.port == ours.port &&
           theirs.host.len == ours.host.len &&
           apr_cstr_casecmpn(theirs.host.data, ours.host.data, ours.host.len) == 0;
}

int ss_origin_may_change(const ss_caller_t *caller)
{
    const char *site = caller->sec_fetch_site;

    if (site != NULL && (strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)) {
        return 1;
    }
    if (ss_origin_is_trusted(caller)) {
        return 1;
    }
    if (site != NULL) {
        return 0;
    }
    return caller->origin == NULL || is_same_place(caller);
}
