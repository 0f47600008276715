/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <apr_strings.h>

#include "stores/redis_place.h"

#define USAGE                                                                                      \
    "accepted are //HOST:PORT, or several with commas between them (names of one server), "        \
    "perhaps "                                                                                     \
    "with /DATABASE behind, and the /PATH of a socket"

#define DIGITS "0123456789"
#define IN_NAMES DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._"
#define IN_IPV6 DIGITS "abcdefABCDEF:."
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

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

static const char *add_server(ss_redis_place_t *place, const char *text, apr_pool_t *pool)
{
    apr_size_t len = host_length(text);
    const char *rest = text + len;
    int in_brackets = *text == '[';
    int port = *rest == '\0' ? SS_REDIS_PORT : *rest == ':' ? number_of(rest + 1, 1, 65535) : -1;
    ss_endpoint_t *endpoint;

    if (len == 0 || port < 0) {
        return apr_psprintf(pool, "\"%s\" is no HOST:PORT: " USAGE, text);
    }
    endpoint = apr_array_push(place->endpoints);
    endpoint->host = apr_pstrmemdup(pool, text + in_brackets, len - 2 * (apr_size_t)in_brackets);
    endpoint->port = (apr_port_t)port;
    return NULL;
}

static const char *add_servers(ss_redis_place_t *place, const char *text, apr_pool_t *pool)
{
    char *list = apr_pstrdup(pool, text);
    char *slash = strchr(list, '/');
    const char *why = NULL;

    if (slash != NULL) {
        *slash = '\0';
        place->database = slash[1] == '\0' ? 0 : number_of(slash + 1, 0, INT_MAX);
        if (place->database < 0) {
            return apr_psprintf(pool, "\"%s\" is no number of a database: " USAGE, slash + 1);
        }
    }
    while (why == NULL && list != NULL) {
        char *comma = strchr(list, ',');

        if (comma != NULL) {
            *comma++ = '\0';
        }
        why = add_server(place, list, pool);
        list = comma;
    }
    return why;
}

static const char *add_path(ss_redis_place_t *place, const char *path, apr_pool_t *pool)
{
    ss_endpoint_t *endpoint;

    if (strlen(path) > SOCKET_PATH_MAX) {
        return apr_psprintf(pool, "the path of a socket has at most %d bytes",
                            (int)SOCKET_PATH_MAX);
    }
    endpoint = apr_array_push(place->endpoints);
    endpoint->host = apr_pstrdup(pool, path);
    endpoint->port = 0;
    return NULL;
}

const char *ss_redis_place_parse(ss_redis_place_t *place, const char *words, apr_pool_t *pool)
{
    place->endpoints = apr_array_make(pool, 1, sizeof(ss_endpoint_t));
    place->database = 0;
    if (words[0] == '/' && words[1] != '/' && words[1] != '\0') {
        return add_path(place, words, pool);
    }
    if (strncmp(words, "//", 2) != 0) {
        return USAGE;
    }
    /* the text is not repeated */
    if (strchr(words, '@') != NULL) {
        return "no password may stand here, nor a user: SignedSessionRedisAuth says where they are";
    }
    return add_servers(place, words + 2, pool);
}
