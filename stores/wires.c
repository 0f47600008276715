/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <openssl/crypto.h>

#include "stores/refusal.h"
#include "stores/sentinel.h"
#include "stores/wires.h"

#define IDLE_MAX apr_time_from_sec(60) /* a firewall may have forgotten an older connection */
/* Nobody tells a primary for some seconds that another one was made in its place, when it was alive
 * all the time: what it takes meanwhile is lost. */
#define CONFIRM_INTERVAL apr_time_from_sec(1)
#define RETRY_INTERVAL apr_time_from_msec(250) /* when a sentinel did not answer */

struct ss_wires_t {
    apr_thread_mutex_t *mutex; /* over the next four */
    ss_wire_t *idle;           /* the last used first */
    apr_uint32_t epoch;   /* what was made in an earlier one leads to who was the server then */
    ss_primary_t primary; /* of this epoch: whom a sentinel named last, */
    apr_time_t due;       /* and when that is to be asked again */

    ss_resolver_t *resolver;         /* of the server, or of its sentinels */
    volatile apr_uint32_t preferred; /* address that is tried first */
    volatile apr_uint32_t has_asked; /* how the server evicts */

    const ss_redis_place_t *place; /* never changed, as the rest */
    const ss_redis_settings_t *settings;
    SSL_CTX *tls; /* NULL: none */
};

/** One request for a connection. */
typedef struct call_t {
    ss_wires_t *wires;
    apr_uint32_t epoch; /* when it began */
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
    int is_good;

    wire->used = now;
    apr_thread_mutex_lock(wires->mutex);
    is_good = wire->epoch == wires->epoch;
    if (is_good) {
        wire->next = wires->idle;
        wires->idle = wire;
    }
    apr_thread_mutex_unlock(wires->mutex);
    if (!is_good) {
        ss_wire_close(wire);
    }
}

static apr_status_t close_idle(void *wires)
{
    for (ss_wire_t *wire = take_idle(wires); wire != NULL; wire = take_idle(wires)) {
        ss_wire_close(wire);
    }
    return APR_SUCCESS;
}

/* The server of this epoch is none any more. FALSE: somebody else has seen that before. */
static int end_epoch(ss_wires_t *wires, apr_uint32_t epoch)
{
    int is_first;

    apr_thread_mutex_lock(wires->mutex);
    is_first = epoch == wires->epoch;
    if (is_first) {
        wires->epoch++;
        wires->primary.port = 0;
    }
    apr_thread_mutex_unlock(wires->mutex);
    if (is_first) {
        close_idle(wires);
    }
    return is_first;
}

void ss_wires_drop(ss_wires_t *wires, ss_wire_t *wire)
{
    if (wires->place->primary != NULL) {
        end_epoch(wires, wire->epoch);
    }
    ss_wire_close(wire);
}

void ss_wires_turn_away(ss_wires_t *wires, ss_wire_t *wire)
{
    if (end_epoch(wires, wire->epoch)) {
        apr_atomic_inc32(&wires->preferred);
    }
    ss_wire_close(wire);
}

/*
 * What is said first
 */

#define GREETINGS 5

typedef struct greeting_t {
    signed_session_bytes_t request;
    int count;
    int is_needed[GREETINGS];
    int role; /* which of them asks for it; -1: none */
    int policy;
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
    greeting->role = greeting->policy = -1;
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
    if (call->wires->place->primary != NULL) {
        greeting->role = greeting->count;
        SAY(greeting, 0, call->pool, "INFO", "replication");
    }
    if (apr_atomic_read32(&call->wires->has_asked) == 0) {
        greeting->policy = greeting->count;
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

/* A sentinel may not know yet that it is no primary any more. Who may not ask the server that has
 * to believe it, and hears of it when something is saved. */
static int is_replica(const greeting_t *greeting, const ss_reply_t *replies, const call_t *call)
{
    const char *role;

    if (greeting->role < 0 || replies[greeting->role].kind != SS_REPLY_BYTES) {
        return 0;
    }
    role = info_of((const char *)replies[greeting->role].bytes.data, "\nrole:", call->pool);
    return role != NULL && strcmp(role, "slave") == 0;
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
    if (is_replica(greeting, replies, call)) {
        *call->why = apr_pstrcat(call->pool, shown, ": it is a replica", NULL);
        return 0;
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
    if (greeting.policy >= 0) {
        judge_policy(call, &replies[greeting.policy]);
    }
    return 1;
}

/*
 * New ones
 */

/* The name that a certificate must have. */
static ss_route_t route_to(const ss_address_t *address, const call_t *call)
{
    const char *name = call->wires->settings->tls_name;
    const ss_route_t route = { address, call->wires->tls, name != NULL ? name : address->host };

    return route;
}

static ss_wire_t *connect_to(const ss_address_t *address, const call_t *call)
{
    const ss_route_t route = route_to(address, call);
    ss_wire_t *wire;

    if (ss_wire_connect(&wire, &route, call->until, call->why, call->pool) != SS_WIRE_DONE) {
        return NULL;
    }
    if (!greet(wire, call)) {
        ss_wire_close(wire);
        return NULL;
    }
    wire->epoch = call->epoch;
    return wire;
}

typedef ss_wire_t *connect_fn(const ss_address_t *address, const call_t *call);

/* The addresses in turn, from this one, which is then the one that served; each of them has its
 * share of the time that is left. */
static ss_wire_t *connect_anywhere(ss_resolver_t *resolver, volatile apr_uint32_t *preferred,
                                   connect_fn *connect, const call_t *call)
{
    apr_uint32_t first = apr_atomic_read32(preferred);
    const char *all = NULL;
    ss_addresses_t addresses;

    if (ss_resolver_addresses(&addresses, resolver, call->until, call->why, call->pool) !=
        APR_SUCCESS) {
        return NULL;
    }
    for (int i = 0; i < addresses.count; i++) {
        int index = (int)((first + (apr_uint32_t)i) % (apr_uint32_t)addresses.count);
        apr_time_t now = ss_clock_now();
        call_t share = *call;
        ss_wire_t *wire;

        share.until = now + (call->until - now) / (addresses.count - i);
        wire = connect(&addresses.at[index], &share);
        if (wire != NULL) {
            apr_atomic_set32(preferred, (apr_uint32_t)index);
            /* a wire lives in a pool, and keeps neither address nor call */
            /* cppcheck-suppress returnDanglingLifetime */
            return wire;
        }
        /* sentinels that agree are wrong for one reason */
        all = all == NULL ? *call->why
              : strstr(all, *call->why) != NULL
                  ? all
                  : apr_pstrcat(call->pool, all, "; ", *call->why, NULL);
    }
    *call->why = all;
    return NULL;
}

static ss_wire_t *connect_to_primary(ss_primary_t *primary, const call_t *call)
{
    const ss_endpoint_t endpoint = { primary->host, primary->port };
    apr_array_header_t *endpoints = apr_array_make(call->pool, 1, sizeof(endpoint));
    volatile apr_uint32_t preferred = 0;

    APR_ARRAY_PUSH(endpoints, ss_endpoint_t) = endpoint;
    return connect_anywhere(ss_resolver_create(endpoints, call->pool), &preferred, connect_to,
                            call);
}

static void remember(const ss_primary_t *primary, apr_time_t asked, const call_t *call)
{
    apr_thread_mutex_lock(call->wires->mutex);
    if (call->epoch == call->wires->epoch) {
        call->wires->primary = *primary;
        call->wires->due = asked + CONFIRM_INTERVAL;
    }
    apr_thread_mutex_unlock(call->wires->mutex);
}

/* To whom this sentinel names. */
static ss_wire_t *connect_by(const ss_address_t *sentinel, const call_t *call)
{
    const ss_route_t route = route_to(sentinel, call);
    apr_time_t now = ss_clock_now();
    ss_primary_t primary;
    ss_wire_t *wire;

    if (!ss_sentinel_ask(&primary, &route, call->wires->place->primary, call->until, call->why,
                         call->pool)) {
        return NULL;
    }
    wire = connect_to_primary(&primary, call);
    if (wire != NULL) {
        remember(&primary, now, call);
    }
    return wire;
}

ss_wire_t *ss_wires_connect(ss_wires_t *wires, apr_time_t until, const char **why, apr_pool_t *pool)
{
    call_t call = { wires, 0, until, why, pool };
    ss_primary_t primary;
    ss_wire_t *wire = NULL;

    apr_thread_mutex_lock(wires->mutex);
    call.epoch = wires->epoch;
    primary = wires->primary;
    apr_thread_mutex_unlock(wires->mutex);
    if (primary.port != 0) {
        apr_time_t now = ss_clock_now();

        call.until = now + (until - now) / 2;
        wire = connect_to_primary(&primary, &call);
        call.until = until;
    }
    if (wire == NULL) {
        wire = connect_anywhere(wires->resolver, &wires->preferred,
                                wires->place->primary == NULL ? connect_to : connect_by, &call);
    }
    if (wire == NULL) {
        ss_resolver_refresh(wires->resolver);
    }
    return wire;
}

/* Is it time to ask for the primary again, and for this thread to do it? */
static int is_due(ss_primary_t *primary, call_t *call, apr_time_t now)
{
    ss_wires_t *wires = call->wires;
    int answer;

    apr_thread_mutex_lock(wires->mutex);
    *primary = wires->primary;
    call->epoch = wires->epoch;
    answer = primary->port != 0 && now >= wires->due;
    if (answer) {
        wires->due = now + RETRY_INTERVAL;
    }
    apr_thread_mutex_unlock(wires->mutex);
    return answer;
}

/* One sentinel, for a part of the time. When it does not answer things stay as they are, and the
 * next one is asked soon. */
static void confirm_primary(ss_wires_t *wires, apr_time_t now, apr_time_t until, apr_pool_t *pool)
{
    const char *why;
    call_t call = { wires, 0, now + (until - now) / 4, &why, pool };
    apr_uint32_t preferred = apr_atomic_read32(&wires->preferred);
    ss_addresses_t addresses;
    ss_primary_t known, primary;
    ss_route_t route;

    if (!is_due(&known, &call, now) ||
        ss_resolver_addresses(&addresses, wires->resolver, call.until, &why, pool) != APR_SUCCESS) {
        return;
    }
    route = route_to(&addresses.at[preferred % (apr_uint32_t)addresses.count], &call);
    if (!ss_sentinel_ask(&primary, &route, wires->place->primary, call.until, &why, pool)) {
        apr_atomic_cas32(&wires->preferred, preferred + 1, preferred);
    }
    else if (primary.port == known.port && strcmp(primary.host, known.host) == 0) {
        remember(&primary, now, &call);
    }
    else {
        end_epoch(wires, call.epoch);
    }
}

ss_wire_t *ss_wires_take(ss_wires_t *wires, apr_time_t now, apr_time_t until, const char **why,
                         apr_pool_t *pool)
{
    if (wires->place->primary != NULL) {
        confirm_primary(wires, now, until, pool);
    }
    for (ss_wire_t *wire = take_idle(wires); wire != NULL; wire = take_idle(wires)) {
        if (now < wire->used + IDLE_MAX && ss_wire_is_quiet(wire)) {
            return wire;
        }
        ss_wires_drop(wires, wire);
    }
    return ss_wires_connect(wires, until, why, pool);
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
