/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <apr_strings.h>

#include "stores/redis_place.h"

#define OF_SERVER                                                                                  \
    "accepted are //HOST:PORT, or several with commas between them (names of one server), "        \
    "perhaps with /DATABASE behind, and the /PATH of a socket"
#define OF_SENTINELS                                                                               \
    "accepted are //HOST:PORT/NAME, where a sentinel is and how it calls the primary, or several " \
    "HOST:PORT with commas between them, perhaps with /DATABASE behind the name"

#define DIGITS "0123456789"
#define IN_NAMES DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._"
#define IN_IPV6 DIGITS "abcdefABCDEF:."
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/** What may stand before the colon. */
typedef struct scheme_t {
    const char *name;
    int is_safe;
    int has_sentinels;
    apr_port_t port; /* where none is written */
    const char *usage;
} scheme_t;

/* clang-format off */
static const scheme_t schemes[] = {
    { "redis",           0, 0, SS_REDIS_PORT,    OF_SERVER },
    { "rediss",          1, 0, SS_REDIS_PORT,    OF_SERVER },
    { "redis+sentinel",  0, 1, SS_SENTINEL_PORT, OF_SENTINELS },
    { "rediss+sentinel", 1, 1, SS_SENTINEL_PORT, OF_SENTINELS },
};
/* clang-format on */

/* -1: it is none, or none of these. */
static int number_of(const char *text, int min, int max)
{
    apr_size_t len = strspn(text, DIGITS);
    long number = len > 0 && len < 10 && text[len] == '\0' ? strtol(text, NULL, 10) : -1;

    return number >= min && number <= max ? (int)number : -1;
}

/* The length of what stands for the host, brackets included; 0 when it is none. */
static apr_size_t host_length(const char *text)
{
    apr_size_t len;

    if (*text != '[') {
        return strspn(text, IN_NAMES);
    }
    len = 1 + strspn(text + 1, IN_IPV6);
    return len > 1 && text[len] == ']' ? len + 1 : 0;
}

static const char *add_host(ss_redis_place_t *place, const char *text, const scheme_t *scheme,
                            apr_pool_t *pool)
{
    apr_size_t len = host_length(text);
    const char *rest = text + len;
    int in_brackets = *text == '[';
    int port = *rest == '\0' ? scheme->port : *rest == ':' ? number_of(rest + 1, 1, 65535) : -1;
    ss_endpoint_t *endpoint;

    if (len == 0 || port < 0) {
        return apr_psprintf(pool, "\"%s\" is no HOST:PORT: %s", text, scheme->usage);
    }
    endpoint = apr_array_push(place->endpoints);
    endpoint->host = apr_pstrmemdup(pool, text + in_brackets, len - 2 * (apr_size_t)in_brackets);
    endpoint->port = (apr_port_t)port;
    return NULL;
}

/* The text ends there; what stood behind it, or NULL. */
static char *cut(char *text, char separator)
{
    char *found = strchr(text, separator);

    if (found != NULL) {
        *found++ = '\0';
    }
    return found;
}

static const char *add_hosts(ss_redis_place_t *place, char *list, const scheme_t *scheme,
                             apr_pool_t *pool)
{
    const char *why = NULL;

    while (why == NULL && list != NULL) {
        char *rest = cut(list, ',');

        why = add_host(place, list, scheme, pool);
        list = rest;
    }
    return why;
}

/* HOSTS[/DATABASE], or HOSTS/NAME[/DATABASE]. */
static const char *add_all(ss_redis_place_t *place, const char *text, const scheme_t *scheme,
                           apr_pool_t *pool)
{
    char *list = apr_pstrdup(pool, text);
    char *rest = cut(list, '/');

    if (scheme->has_sentinels) {
        place->primary = rest == NULL ? "" : rest;
        rest = rest == NULL ? NULL : cut(rest, '/');
        if (*place->primary == '\0' || place->primary[strspn(place->primary, IN_NAMES)] != '\0') {
            return apr_psprintf(pool, "\"%s\" is no name of a primary: %s", place->primary,
                                scheme->usage);
        }
    }
    place->database = rest == NULL || *rest == '\0' ? 0 : number_of(rest, 0, INT_MAX);
    if (place->database < 0) {
        return apr_psprintf(pool, "\"%s\" is no number of a database: %s", rest, scheme->usage);
    }
    return add_hosts(place, list, scheme, pool);
}

static const char *add_path(ss_redis_place_t *place, const char *path, apr_pool_t *pool)
{
    ss_endpoint_t *endpoint;

    if (place->is_safe) {
        return "TLS is for //HOST:PORT, not for the socket of this machine: redis:/PATH";
    }
    if (strlen(path) > SOCKET_PATH_MAX) {
        return apr_psprintf(pool, "the path of a socket has at most %d bytes",
                            (int)SOCKET_PATH_MAX);
    }
    endpoint = apr_array_push(place->endpoints);
    endpoint->host = apr_pstrdup(pool, path);
    endpoint->port = 0;
    return NULL;
}

const char *ss_redis_place_parse(ss_redis_place_t *place, const char *name, const char *words,
                                 apr_pool_t *pool)
{
    const scheme_t *scheme = schemes;

    while (strcmp(scheme->name, name) != 0) {
        scheme++;
    }
    place->is_safe = scheme->is_safe;
    place->endpoints = apr_array_make(pool, 1, sizeof(ss_endpoint_t));
    place->primary = NULL;
    place->database = 0;
    if (!scheme->has_sentinels && words[0] == '/' && words[1] != '/' && words[1] != '\0') {
        return add_path(place, words, pool);
    }
    if (strncmp(words, "//", 2) != 0) {
        return scheme->usage;
    }
    /* the text is not repeated */
    if (strchr(words, '@') != NULL) {
        return "no password may stand here, nor a user: SignedSessionRedisAuth says where they are";
    }
    return add_all(place, words + 2, scheme, pool);
}
