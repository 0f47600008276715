/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ADDRESS_H
#define SS_ADDRESS_H

#include <sys/socket.h>

#include <apr_network_io.h>
#include <apr_tables.h>
#include <apr_time.h>

/* Where a server is. Looking a name up may take half a minute and cannot be told to hurry, so it is
 * done by a thread of its own, and never by who needs the address. */

#define SS_ADDRESSES_MAX 8

/** A server as it is configured. */
typedef struct ss_endpoint_t {
    const char *host; /* a name, an IPv4 or an IPv6 address; or the path of a socket */
    apr_port_t port;  /* 0: it is a path */
} ss_endpoint_t;

/** One place to connect to. */
typedef struct ss_address_t {
    struct sockaddr_storage socket;
    socklen_t len;
    const char *host;  /* of its endpoint */
    const char *shown; /* for messages: host and port, or the path */
} ss_address_t;

typedef struct ss_addresses_t {
    int count;
    ss_address_t at[SS_ADDRESSES_MAX];
} ss_addresses_t;

typedef struct ss_resolver_t ss_resolver_t;

/** The clock of every `until`: microseconds, which nobody sets back. */
apr_time_t ss_clock_now(void);

/**
 * Begin to look names up. Does not wait: what is a number or a path is known at once, and a thread
 * cares for the rest.
 *
 * @param endpoints  array of ss_endpoint_t, copied
 * @param pool       when it ends, nobody may ask any more
 * @return           any number of threads may use it
 */
ss_resolver_t *ss_resolver_create(const apr_array_header_t *endpoints, apr_pool_t *pool);

/**
 * What is known; where nothing is, wait for it.
 *
 * @param addresses  out: a copy, in the order of the endpoints; its texts live as long as the
 * resolver
 * @param why        out, only on failure
 * @return           APR_SUCCESS; APR_TIMEUP; or APR_EGENERAL when no name has an address
 */
apr_status_t ss_resolver_addresses(ss_addresses_t *addresses, ss_resolver_t *resolver,
                                   apr_time_t until, const char **why, apr_pool_t *pool);

/** None of them is reached: names may have new ones. Looked up again in the background, at most
 * once a second; the old ones hold until then. */
void ss_resolver_refresh(ss_resolver_t *resolver);

#endif
