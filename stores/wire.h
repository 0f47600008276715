/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_WIRE_H
#define SS_WIRE_H

#include "stores/address.h"
#include "stores/resp.h"
#include "stores/tls.h"

/* One connection to a server that speaks RESP. Nothing here waits longer than `until`, whatever the
 * server does: it is one moment for connecting, the handshake of TLS, writing and reading. SIGPIPE
 * must be ignored in the process, because OpenSSL writes without a flag for that. */

/** Used by one thread at a time. Its members are wire.c's, but for the first three. */
typedef struct ss_wire_t {
    struct ss_wire_t *next; /* for who keeps it, as the next two */
    apr_time_t used;        /* when it was put aside, by ss_clock_now() */
    apr_uint32_t epoch;     /* what it was made in */
    const char *shown;      /* where it leads to, for messages */
    int socket;
    SSL *tls;     /* NULL: none */
    short wanted; /* POLLIN or POLLOUT: what the next step waits for */
    ss_reader_t *reader;
    apr_pool_t *pool; /* all of it; has no parent */
} ss_wire_t;

typedef enum ss_wire_e {
    SS_WIRE_DONE,
    SS_WIRE_LOST, /* it is of no more use; another one may be */
    SS_WIRE_LATE  /* it is of no more use, and the time is over */
} ss_wire_e;

/** How to connect. */
typedef struct ss_route_t {
    const ss_address_t *address;
    SSL_CTX *tls;     /* NULL: none */
    const char *name; /* with TLS: in the certificate */
} ss_route_t;

/**
 * Connect.
 *
 * @param wire  out: ss_wire_close() frees it; NULL unless done
 * @param why   out, in `pool`: unless done
 */
ss_wire_e ss_wire_connect(ss_wire_t **wire, const ss_route_t *route, apr_time_t until,
                          const char **why, apr_pool_t *pool);

/**
 * Is nothing there to read, as it must be between a reply and the next command? A server that has
 * closed, and a reply that nobody has asked for, show here.
 */
int ss_wire_is_quiet(ss_wire_t *wire);

/**
 * Send commands and take as many replies, no more and no less. Unless done it must be closed: what
 * still comes would be taken for the answer to something else.
 *
 * @param replies  out: `count` of them, or as many as came; their bytes are in `pool`
 * @param request  `count` commands
 * @param why      out, in `pool`: unless done
 */
ss_wire_e ss_wire_ask(ss_wire_t *wire, ss_reply_t *replies, int count,
                      signed_session_bytes_t request, apr_time_t until, const char **why,
                      apr_pool_t *pool);

void ss_wire_close(ss_wire_t *wire);

#endif
