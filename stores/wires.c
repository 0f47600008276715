/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <openssl/crypto.h>

#include "stores/refusal.h"
#include "stores/wires.h"

#define IDLE_MAX apr_time_from_sec(60) /* a firewall may have forgotten an older connection */

struct ss_wires_t {
    apr_thread_mutex_t *mutex; /* over `idle` */
    ss_wire_t *idle;           /* the last used first */
    ss_resolver_t *resolver;
    volatile apr_uint32_t preferred; /* address that is tried first */
    volatile apr_uint32_t has_asked; /* how the server evicts */

    const ss_redis_place_t *place; /* never changed, as the rest */
    const ss_redis_settings_t *settings;
    SSL_CTX *tls; /* NULL: none */
};

/** One request for a connection. */
typedef struct call_t {
    ss_wires_t *wires;
    apr_time_t until;
    const char **why;
    apr_pool_t *pool;
} call_t;

/*
 * Those that nobody uses
 */

static ss_wire_t *take_idle(ss_wires_t *wires)
{
    ss_wire_t *wire;

    apr_thread_mutex_lock(wires->mutex);
    wire = wires->idle;
    wires->idle = wire == NULL ? NULL : wire->next;
    apr_thread_mutex_unlock(wires->mutex);
    return wire;
}

void ss_wires_put(ss_wires_t *wires, ss_wire_t *wire, apr_time_t now)
{
    wire->used = now;
    apr_thread_mutex_lock(wires->mutex);
    wire->next = wires->idle;
    wires->idle = wire;
    apr_thread_mutex_unlock(wires->mutex);
}

static apr_status_t close_idle(void *wires)
{
    for (ss_wire_t *wire = take_idle(wires); wire != NULL; wire = take_idle(wires)) {
        ss_wire_close(wire);
    }
    return APR_SUCCESS;
}

/*
 * What is said first
 */

#define GREETINGS 4

typedef struct greeting_t {
    signed_session_bytes_t request;
    int count;
    int is_needed[GREETINGS];
    int asks_policy; /* in the last of them */
} greeting_t;

static void say(greeting_t *greeting, int is_needed, const char *const *words, apr_pool_t *pool)
{
    signed_session_bytes_t bytes[GREETINGS], one;
    unsigned char *all;
    int count = 0;

    for (; words[count] != NULL; count++) {
        bytes[count].data = (const unsigned char *)words[count];
        bytes[count].len = strlen(words[count]);
    }
    one = ss_resp_format(bytes, count, pool);
    all = apr_palloc(pool, greeting->request.len + one.len);
    if (greeting->count > 0) {
        memcpy(all, greeting->request.data, greeting->request.len);
    }
    memcpy(all + greeting->request.len, one.data, one.len);
    greeting->request.data = all;
    greeting->request.len += one.len;
    greeting->is_needed[greeting->count++] = is_needed;
}

#define SAY(greeting, is_needed, pool, ...)                                                        \
    say(greeting, is_needed, (const char *const[]){ __VA_ARGS__, NULL }, pool)

static void compose(greeting_t *greeting, const call_t *call)
{
    const ss_redis_auth_t *auth = call->wires->settings->auth;

    memset(greeting, 0, sizeof(*greeting));
    if (auth != NULL && auth->password != NULL && auth->user != NULL) {
        SAY(greeting, 1, call->pool, "AUTH", auth->user, auth->password);
    }
    else if (auth != NULL && auth->password != NULL) {
        SAY(greeting, 1, call->pool, "AUTH", auth->password);
    }
    if (call->wires->place->database != 0) {
        SAY(greeting, 1, call->pool, "SELECT", apr_itoa(call->pool, call->wires->place->database));
    }
    SAY(greeting, 0, call->pool, "CLIENT", "SETNAME", "mod_signed_session");
    if (apr_atomic_read32(&call->wires->has_asked) == 0) {
        greeting->asks_policy = 1;
        SAY(greeting, 0, call->pool, "INFO", "memory");
    }
}

/* Of the lines of INFO, the value of one; NULL: it is not there. */
static const char *info_of(const char *text, const char *name, apr_pool_t *pool)
{
    const char *line = strstr(text, name);

    return line == NULL
               ? NULL
               : apr_pstrndup(pool, line + strlen(name), strcspn(line + strlen(name), "\r\n"));
}

/* Sessions have a lifetime, so that every policy but one may throw them away. */
static void judge_policy(const call_t *call, const ss_reply_t *reply)
{
    const ss_redis_settings_t *settings = call->wires->settings;
    const char *text = (const char *)reply->bytes.data;
    const char *limit, *policy;

    if (reply->kind != SS_REPLY_BYTES || apr_atomic_cas32(&call->wires->has_asked, 1, 0) != 0) {
        return;
    }
    limit = info_of(text, "\nmaxmemory:", call->pool);
    policy = info_of(text, "\nmaxmemory_policy:", call->pool);
    if (settings->warn != NULL && limit != NULL && policy != NULL && strcmp(limit, "0") != 0 &&
        strcmp(policy, "noeviction") != 0) {
        settings->warn(policy, settings->baton);
    }
}

/* The server may refuse what is nice to have, but not a connection. */
static int is_welcome(const greeting_t *greeting, const ss_reply_t *replies, const char *shown,
                      const call_t *call)
{
    for (int i = 0; i < greeting->count; i++) {
        if (replies[i].kind == SS_REPLY_ERROR &&
            (greeting->is_needed[i] || ss_reply_is_error(&replies[i], "max number of clients"))) {
            ss_reply_refuse(&replies[i], shown, call->why, call->pool);
            return 0;
        }
    }
    return 1;
}

static int greet(ss_wire_t *wire, const call_t *call)
{
    greeting_t greeting;
    ss_reply_t replies[GREETINGS] = { { .kind = SS_REPLY_NIL } };
    ss_wire_e rv;

    compose(&greeting, call);
    rv = ss_wire_ask(wire, replies, greeting.count, greeting.request, call->until, call->why,
                     call->pool);
    OPENSSL_cleanse((unsigned char *)greeting.request.data, greeting.request.len);
    if (rv != SS_WIRE_DONE && replies[0].kind == SS_REPLY_ERROR) {
        /* a server that is full says so, and closes */
        ss_reply_refuse(&replies[0], wire->shown, call->why, call->pool);
    }
    if (rv != SS_WIRE_DONE || !is_welcome(&greeting, replies, wire->shown, call)) {
        return 0;
    }
    if (greeting.asks_policy) {
        judge_policy(call, &replies[greeting.count - 1]);
    }
    return 1;
}

/*
 * New ones
 */

static ss_wire_t *connect_to(const ss_address_t *address, const call_t *call)
{
    const char *name = call->wires->settings->tls_name;
    const ss_route_t route = { address, call->wires->tls, name != NULL ? name : address->host };
    ss_wire_t *wire;

    if (ss_wire_connect(&wire, &route, call->until, call->why, call->pool) == SS_WIRE_DONE &&
        !greet(wire, call)) {
        ss_wire_close(wire);
        wire = NULL;
    }
    return wire;
}

/* The addresses in turn, from the one that served last; each of them has its share of the time that
 * is left. */
static ss_wire_t *connect_anywhere(const call_t *call)
{
    ss_wires_t *wires = call->wires;
    apr_uint32_t first = apr_atomic_read32(&wires->preferred);
    const char *all = NULL;
    ss_addresses_t addresses;

    if (ss_resolver_addresses(&addresses, wires->resolver, call->until, call->why, call->pool) !=
        APR_SUCCESS) {
        return NULL;
    }
    for (int i = 0; i < addresses.count; i++) {
        int index = (int)((first + (apr_uint32_t)i) % (apr_uint32_t)addresses.count);
        apr_time_t now = ss_clock_now();
        call_t share = *call;
        ss_wire_t *wire;

        share.until = now + (call->until - now) / (addresses.count - i);
        wire = connect_to(&addresses.at[index], &share);
        if (wire != NULL) {
            apr_atomic_set32(&wires->preferred, (apr_uint32_t)index);
            return wire;
        }
        all = all == NULL ? *call->why : apr_pstrcat(call->pool, all, "; ", *call->why, NULL);
    }
    *call->why = all;
    ss_resolver_refresh(wires->resolver);
    return NULL;
}

ss_wire_t *ss_wires_connect(ss_wires_t *wires, apr_time_t until, const char **why, apr_pool_t *pool)
{
    const call_t call = { wires, until, why, pool };

    return connect_anywhere(&call);
}

ss_wire_t *ss_wires_take(ss_wires_t *wires, apr_time_t now, apr_time_t until, const char **why,
                         apr_pool_t *pool)
{
    for (ss_wire_t *wire = take_idle(wires); wire != NULL; wire = take_idle(wires)) {
        if (now < wire->used + IDLE_MAX && ss_wire_is_quiet(wire)) {
            return wire;
        }
        ss_wire_close(wire);
    }
    return ss_wires_connect(wires, until, why, pool);
}

void ss_wires_turn_away(ss_wires_t *wires)
{
    apr_atomic_inc32(&wires->preferred);
    close_idle(wires);
}

ss_wires_t *ss_wires_create(const ss_redis_place_t *place, const ss_redis_settings_t *settings,
                            SSL_CTX *tls, apr_pool_t *pool)
{
    ss_wires_t *wires = apr_pcalloc(pool, sizeof(*wires));

    wires->place = place;
    wires->settings = settings;
    wires->tls = tls;
    apr_thread_mutex_create(&wires->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    wires->resolver = ss_resolver_create(place->endpoints, pool);
    apr_pool_cleanup_register(pool, wires, close_idle, apr_pool_cleanup_null);
    return wires;
}
