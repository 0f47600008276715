/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#include <apr_strings.h>

#include "stores/address.h"

#define REFRESH_INTERVAL apr_time_from_sec(1)

/* Of its creator and of the thread that looks up, whoever is the last: a child that ends does not
 * wait for a name server. So all of it is in a pool that has no parent. */
struct ss_resolver_t {
    pthread_mutex_t mutex; /* over all below */
    pthread_cond_t looked; /* a thread has ended */
    int users;
    int is_running; /* there is a thread */
    apr_time_t ended;
    int failure; /* of getaddrinfo */
    const char *failed;
    ss_addresses_t found;

    const apr_array_header_t *endpoints; /* never changed, as the rest */
    const char **shown;                  /* one for each of them */
    int has_names;
    apr_pool_t *pool;
};

apr_time_t ss_clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return apr_time_from_sec((apr_time_t)now.tv_sec) + now.tv_nsec / 1000;
}

/*
 * Looking up
 */

static void add(ss_addresses_t *found, const struct sockaddr *socket, socklen_t len,
                const char *host, const char *shown)
{
    if (found->count < SS_ADDRESSES_MAX) {
        ss_address_t *address = &found->at[found->count++];

        memcpy(&address->socket, socket, len);
        address->len = len;
        address->host = host;
        address->shown = shown;
    }
}

static void add_path(ss_addresses_t *found, const char *path)
{
    struct sockaddr_un socket = { .sun_family = AF_UNIX };

    apr_cpystrn(socket.sun_path, path, sizeof(socket.sun_path));
    add(found, (struct sockaddr *)&socket, sizeof(socket), path, path);
}

/* 0, or what getaddrinfo says. */
static int add_host(ss_addresses_t *found, const ss_endpoint_t *endpoint, const char *shown,
                    int flags)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = flags | AI_NUMERICSERV };
    struct addrinfo *list;
    char port[6];
    int failure;

    apr_snprintf(port, sizeof(port), "%d", endpoint->port);
    failure = getaddrinfo(endpoint->host, port, &hints, &list);
    if (failure == 0) {
        for (const struct addrinfo *one = list; one != NULL; one = one->ai_next) {
            add(found, one->ai_addr, one->ai_addrlen, endpoint->host, shown);
        }
        freeaddrinfo(list);
    }
    return failure;
}

/* All endpoints: the last failure, and whose it was. Names that have no address stand back behind
 * those that have. */
static int look_up(ss_addresses_t *found, const char **failed, const ss_resolver_t *resolver,
                   int flags)
{
    int failure = 0;

    found->count = 0;
    for (int i = 0; i < resolver->endpoints->nelts; i++) {
        const ss_endpoint_t *endpoint = &APR_ARRAY_IDX(resolver->endpoints, i, const ss_endpoint_t);

        if (endpoint->port == 0) {
            add_path(found, endpoint->host);
        }
        else {
            int rv = add_host(found, endpoint, resolver->shown[i], flags);

            if (rv != 0) {
                failure = rv;
                *failed = endpoint->host;
            }
        }
    }
    return failure;
}

/*
 * The thread
 */

/* With the mutex, which is free afterwards. */
static void leave(ss_resolver_t *resolver)
{
    int is_last = --resolver->users == 0;

    pthread_mutex_unlock(&resolver->mutex);
    if (is_last) {
        pthread_cond_destroy(&resolver->looked);
        pthread_mutex_destroy(&resolver->mutex);
        apr_pool_destroy(resolver->pool);
    }
}

static void *run(void *data)
{
    ss_resolver_t *resolver = data;
    ss_addresses_t found;
    const char *failed = NULL;
    int failure = look_up(&found, &failed, resolver, 0);

    pthread_mutex_lock(&resolver->mutex);
    if (found.count > 0) {
        resolver->found = found;
    }
    resolver->failure = failure;
    resolver->failed = failed;
    resolver->is_running = 0;
    resolver->ended = ss_clock_now();
    pthread_cond_broadcast(&resolver->looked);
    leave(resolver);
    return NULL;
}

/* With the mutex. httpd's signals are for its own threads. */
static void start(ss_resolver_t *resolver)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;

    if (!resolver->has_names || resolver->is_running ||
        ss_clock_now() < resolver->ended + REFRESH_INTERVAL) {
        return;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, run, resolver) == 0) {
        resolver->is_running = 1;
        resolver->users++;
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/*
 * For its users
 */

static apr_status_t forsake(void *data)
{
    ss_resolver_t *resolver = data;

    pthread_mutex_lock(&resolver->mutex);
    leave(resolver);
    return APR_SUCCESS;
}

static const char *show(const ss_endpoint_t *endpoint, apr_pool_t *pool)
{
    int is_ipv6 = strchr(endpoint->host, ':') != NULL;

    return endpoint->port == 0
               ? endpoint->host
               : apr_psprintf(pool, is_ipv6 ? "[%s]:%d" : "%s:%d", endpoint->host, endpoint->port);
}

static void copy_endpoints(ss_resolver_t *resolver, const apr_array_header_t *endpoints)
{
    apr_array_header_t *copy = apr_array_copy(resolver->pool, endpoints);

    resolver->endpoints = copy;
    resolver->shown = apr_palloc(resolver->pool, (apr_size_t)copy->nelts * sizeof(char *));
    for (int i = 0; i < copy->nelts; i++) {
        ss_endpoint_t *endpoint = &APR_ARRAY_IDX(copy, i, ss_endpoint_t);

        endpoint->host = apr_pstrdup(resolver->pool, endpoint->host);
        resolver->shown[i] = show(endpoint, resolver->pool);
    }
}

ss_resolver_t *ss_resolver_create(const apr_array_header_t *endpoints, apr_pool_t *pool)
{
    ss_resolver_t *resolver;
    pthread_condattr_t attributes;
    apr_pool_t *own;

    if (apr_pool_create_unmanaged_ex(&own, apr_pool_abort_get(pool), NULL) != APR_SUCCESS) {
        return NULL;
    }
    resolver = apr_pcalloc(own, sizeof(*resolver));
    resolver->pool = own;
    resolver->users = 1;
    resolver->ended = ss_clock_now() - REFRESH_INTERVAL;
    copy_endpoints(resolver, endpoints);
    pthread_mutex_init(&resolver->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&resolver->looked, &attributes);
    pthread_condattr_destroy(&attributes);
    apr_pool_cleanup_register(pool, resolver, forsake, apr_pool_cleanup_null);

    resolver->has_names =
        look_up(&resolver->found, &resolver->failed, resolver, AI_NUMERICHOST) != 0;
    if (resolver->has_names) {
        /* all in their order, when all are known */
        resolver->found.count = 0;
        pthread_mutex_lock(&resolver->mutex);
        start(resolver);
        pthread_mutex_unlock(&resolver->mutex);
    }
    return resolver;
}

static struct timespec timespec_of(apr_time_t time)
{
    const struct timespec result = { (time_t)apr_time_sec(time), (long)apr_time_usec(time) * 1000 };

    return result;
}

apr_status_t ss_resolver_addresses(ss_addresses_t *addresses, ss_resolver_t *resolver,
                                   apr_time_t until, const char **why, apr_pool_t *pool)
{
    const struct timespec end = timespec_of(until);
    apr_status_t rv = APR_SUCCESS;
    int waited = 0;

    pthread_mutex_lock(&resolver->mutex);
    if (resolver->found.count == 0) {
        start(resolver);
    }
    while (resolver->found.count == 0 && resolver->is_running && waited == 0) {
        waited = pthread_cond_timedwait(&resolver->looked, &resolver->mutex, &end);
    }
    *addresses = resolver->found;
    if (addresses->count == 0 && resolver->is_running) {
        rv = APR_TIMEUP;
        *why = "its name is still being looked up";
    }
    else if (addresses->count == 0) {
        rv = APR_EGENERAL;
        *why = resolver->failed == NULL
                   ? "no thread could be started that looks its name up"
                   : apr_psprintf(pool, "%s has no address: %s", resolver->failed,
                                  gai_strerror(resolver->failure));
    }
    pthread_mutex_unlock(&resolver->mutex);
    return rv;
}

void ss_resolver_refresh(ss_resolver_t *resolver)
{
    pthread_mutex_lock(&resolver->mutex);
    start(resolver);
    pthread_mutex_unlock(&resolver->mutex);
}
