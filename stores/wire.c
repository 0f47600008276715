/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "stores/wire.h"

#define CHUNK (16 * 1024) /* bytes that are read at a time: a record of TLS */

/** What a step of reading or writing came to. */
typedef struct step_t {
    apr_size_t len;   /* bytes; 0: wait for wire->wanted */
    const char *over; /* why the connection is at its end, or NULL */
} step_t;

/** One call: until when, and where its memory and its failure go. */
typedef struct call_t {
    apr_time_t until;
    const char **why;
    apr_pool_t *pool;
} call_t;

static ss_wire_e lost(const ss_wire_t *wire, const call_t *call, const char *what)
{
    *call->why = apr_pstrcat(call->pool, wire->shown, ": ", what, NULL);
    return SS_WIRE_LOST;
}

static ss_wire_e late(const ss_wire_t *wire, const call_t *call, const char *what)
{
    *call->why = apr_pstrcat(call->pool, wire->shown, ": ", what, NULL);
    return SS_WIRE_LATE;
}

static const char *error_text(int error, apr_pool_t *pool)
{
    char text[120];

    return apr_pstrdup(pool, apr_strerror(error, text, sizeof(text)));
}

/*
 * Steps: none of them waits
 */

static step_t step_of_socket(ss_wire_t *wire, ssize_t rv, short event, apr_pool_t *pool)
{
    step_t step = { 0, NULL };

    if (rv > 0) {
        step.len = (apr_size_t)rv;
    }
    else if (rv == 0) {
        step.over = "the connection was closed";
    }
    else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        wire->wanted = event;
    }
    else {
        step.over = error_text(errno, pool);
    }
    return step;
}

static step_t step_of_tls(ss_wire_t *wire, int rv, apr_pool_t *pool)
{
    step_t step = { 0, NULL };

    if (rv > 0) {
        step.len = (apr_size_t)rv;
        return step;
    }
    switch (SSL_get_error(wire->tls, rv)) {
    case SSL_ERROR_WANT_READ:
        wire->wanted = POLLIN;
        break;
    case SSL_ERROR_WANT_WRITE:
        wire->wanted = POLLOUT;
        break;
    case SSL_ERROR_ZERO_RETURN:
        step.over = "the connection was closed";
        break;
    default:
        step.over = ss_tls_failure(wire->tls, pool);
    }
    return step;
}

/* OpenSSL tells failures by a queue of the thread, in which others may have left something. */

static step_t step_handshake(ss_wire_t *wire, apr_pool_t *pool)
{
    ERR_clear_error();
    return step_of_tls(wire, SSL_do_handshake(wire->tls), pool);
}

static step_t step_read(ss_wire_t *wire, char *room, apr_size_t size, apr_pool_t *pool)
{
    if (wire->tls == NULL) {
        return step_of_socket(wire, recv(wire->socket, room, size, 0), POLLIN, pool);
    }
    ERR_clear_error();
    return step_of_tls(wire, SSL_read(wire->tls, room, (int)size), pool);
}

static step_t step_write(ss_wire_t *wire, signed_session_bytes_t bytes, apr_pool_t *pool)
{
    if (wire->tls == NULL) {
        return step_of_socket(wire, send(wire->socket, bytes.data, bytes.len, MSG_NOSIGNAL),
                              POLLOUT, pool);
    }
    ERR_clear_error();
    return step_of_tls(wire, SSL_write(wire->tls, bytes.data, (int)bytes.len), pool);
}

/* For wire->wanted. */
static ss_wire_e await(ss_wire_t *wire, const call_t *call, const char *when_late)
{
    struct pollfd poll_ = { wire->socket, wire->wanted, 0 };

    for (;;) {
        apr_interval_time_t left = call->until - ss_clock_now();
        int rv = left <= 0 ? 0 : poll(&poll_, 1, (int)((left + 999) / 1000));

        if (rv > 0) {
            return SS_WIRE_DONE;
        }
        if (rv == 0) {
            return late(wire, call, when_late);
        }
        if (errno != EINTR) {
            return lost(wire, call, error_text(errno, call->pool));
        }
    }
}

/*
 * Connecting
 */

static apr_status_t end_wire(void *data)
{
    ss_wire_t *wire = data;

    SSL_free(wire->tls);
    if (wire->socket >= 0) {
        close(wire->socket);
    }
    return APR_SUCCESS;
}

static ss_wire_t *make_wire(const ss_route_t *route, apr_pool_t *pool)
{
    ss_wire_t *wire;
    apr_pool_t *own;

    if (apr_pool_create_unmanaged_ex(&own, apr_pool_abort_get(pool), NULL) != APR_SUCCESS) {
        return NULL;
    }
    wire = apr_pcalloc(own, sizeof(*wire));
    wire->pool = own;
    wire->shown = apr_pstrdup(own, route->address->shown);
    wire->socket = -1;
    apr_pool_cleanup_register(own, wire, end_wire, apr_pool_cleanup_null);
    wire->reader = ss_reader_create(own);
    if (wire->reader == NULL) {
        apr_pool_destroy(own);
        return NULL;
    }
    return wire;
}

static int open_socket(const ss_address_t *address)
{
    int yes = 1;
    int fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && address->socket.ss_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    }
    return fd;
}

static ss_wire_e reach(ss_wire_t *wire, const ss_address_t *address, const call_t *call)
{
    int error = 0;
    socklen_t size = sizeof(error);
    ss_wire_e rv;

    wire->socket = open_socket(address);
    if (wire->socket < 0) {
        return lost(wire, call, error_text(errno, call->pool));
    }
    if (connect(wire->socket, (const struct sockaddr *)&address->socket, address->len) == 0) {
        return SS_WIRE_DONE;
    }
    if (errno != EINPROGRESS && errno != EINTR) {
        return lost(wire, call, error_text(errno, call->pool));
    }
    wire->wanted = POLLOUT;
    rv = await(wire, call, "no connection in time");
    if (rv != SS_WIRE_DONE) {
        return rv;
    }
    if (getsockopt(wire->socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        return lost(wire, call, error_text(error != 0 ? error : errno, call->pool));
    }
    return SS_WIRE_DONE;
}

static ss_wire_e shake_hands(ss_wire_t *wire, const ss_route_t *route, const call_t *call)
{
    wire->tls = ss_tls_begin(route->tls, wire->socket, route->name);
    if (wire->tls == NULL) {
        return lost(wire, call, "OpenSSL has no memory");
    }
    for (;;) {
        step_t step = step_handshake(wire, call->pool);
        ss_wire_e rv;

        if (step.over != NULL) {
            return lost(wire, call, step.over);
        }
        if (step.len > 0) {
            return SS_WIRE_DONE;
        }
        rv = await(wire, call, "no end of the TLS handshake in time");
        if (rv != SS_WIRE_DONE) {
            return rv;
        }
    }
}

ss_wire_e ss_wire_connect(ss_wire_t **wire, const ss_route_t *route, apr_time_t until,
                          const char **why, apr_pool_t *pool)
{
    const call_t call = { until, why, pool };
    ss_wire_t *made = make_wire(route, pool);
    ss_wire_e rv;

    *wire = NULL;
    if (made == NULL) {
        *why = "no memory";
        return SS_WIRE_LOST;
    }
    rv = reach(made, route->address, &call);
    if (rv == SS_WIRE_DONE && route->tls != NULL) {
        rv = shake_hands(made, route, &call);
    }
    if (rv != SS_WIRE_DONE) {
        ss_wire_close(made);
        return rv;
    }
    *wire = made;
    return SS_WIRE_DONE;
}

void ss_wire_close(ss_wire_t *wire)
{
    apr_pool_destroy(wire->pool);
}

/*
 * Commands and replies
 */

int ss_wire_is_quiet(ss_wire_t *wire)
{
    char byte;
    step_t step = step_read(wire, &byte, 1, wire->pool);

    return step.len == 0 && step.over == NULL;
}

static ss_wire_e send_all(ss_wire_t *wire, signed_session_bytes_t bytes, const call_t *call)
{
    while (bytes.len > 0) {
        step_t step = step_write(wire, bytes, call->pool);
        ss_wire_e rv = step.over != NULL ? lost(wire, call, step.over)
                       : step.len > 0    ? SS_WIRE_DONE
                                         : await(wire, call, "it does not read");

        if (rv != SS_WIRE_DONE) {
            return rv;
        }
        bytes.data += step.len;
        bytes.len -= step.len;
    }
    return SS_WIRE_DONE;
}

/* What has come so far: how many replies are missing still, or -1 when it is none of ours. */
static int take(ss_reply_t *replies, int count, int missing, ss_wire_t *wire)
{
    apr_status_t rv = APR_SUCCESS;

    while (missing > 0 && rv == APR_SUCCESS) {
        rv = ss_reader_next(&replies[count - missing], wire->reader);
        missing -= rv == APR_SUCCESS;
    }
    if (rv == APR_EAGAIN) {
        return missing;
    }
    /* a reply too many says that those before it may have been another's */
    return rv == APR_SUCCESS && ss_reader_is_empty(wire->reader) ? 0 : -1;
}

static ss_wire_e receive(ss_wire_t *wire, ss_reply_t *replies, int count, const call_t *call)
{
    char room[CHUNK];
    int missing = count;
    ss_wire_e rv = SS_WIRE_DONE;

    /* the answer is hardly ever there at once; TLS may have taken it from the socket already */
    wire->wanted = POLLIN;
    if (wire->tls == NULL) {
        rv = await(wire, call, "no answer in time");
    }
    while (rv == SS_WIRE_DONE && missing > 0) {
        step_t step = step_read(wire, room, sizeof(room), call->pool);

        if (step.over != NULL) {
            return lost(wire, call, step.over);
        }
        if (ss_reader_feed(wire->reader, room, step.len) != APR_SUCCESS) {
            return lost(wire, call, "the answer is too long");
        }
        missing = take(replies, count, missing, wire);
        rv = step.len == 0 ? await(wire, call, "no answer in time") : SS_WIRE_DONE;
    }
    return missing < 0 ? lost(wire, call, "what it answers is not what Redis says") : rv;
}

ss_wire_e ss_wire_ask(ss_wire_t *wire, ss_reply_t *replies, int count,
                      signed_session_bytes_t request, apr_time_t until, const char **why,
                      apr_pool_t *pool)
{
    const call_t call = { until, why, pool };
    ss_wire_e rv;

    ss_reader_begin(wire->reader, pool);
    rv = send_all(wire, request, &call);
    return rv == SS_WIRE_DONE ? receive(wire, replies, count, &call) : rv;
}
