/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdlib.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <openssl/crypto.h>

#include "stores/place.h"
#include "stores/redis.h"
#include "stores/wire.h"

#define IDLE_MAX apr_time_from_sec(60) /* a firewall may have forgotten an older connection */
#define TRIES 2
#define ERROR_SHOWN 200 /* bytes of a server's error */

#define TRUSTING "any" /* what is expected: no token has three bytes */

/* KEYS: the session. ARGV: the token that is expected, nothing, or TRUSTING; the record; how long
 * in milliseconds. Large records are handed to the script only where they are the answer. */
static const char save_script[] =
    "if ARGV[1]~='" TRUSTING "' then "
    "local t=redis.call('GETRANGE',KEYS[1],0,11) "
    "if t~=ARGV[1] then if t=='' then return false end return redis.call('GET',KEYS[1]) end end "
    "redis.call('SET',KEYS[1],ARGV[2],'PX',ARGV[3]) return 1";
/* SHA-1 of it, not computed here, because OpenSSL may be told to refuse that. */
static const char save_name[] = "5b60d8248a8eaca44d1012eb560bbce8cea5f910";

/** What a child has of a store. */
typedef struct child_t {
    apr_thread_mutex_t *mutex; /* over `idle` */
    ss_wire_t *idle;           /* connections, the last used first */
    ss_resolver_t *resolver;
    volatile apr_uint32_t preferred; /* address that is tried first */
    volatile apr_uint32_t has_asked; /* how the server evicts */
} child_t;

typedef struct redis_t {
    ss_redis_settings_t settings;
    ss_place_t place;
    SSL_CTX *tls;         /* NULL: none */
    const char *key_head; /* what stands before an id */
    child_t *child;       /* from `open` on */
} redis_t;

/** A load or a save. */
typedef struct call_t {
    redis_t *redis;
    child_t *child;
    apr_time_t until;
    const char **why;
    apr_pool_t *pool;
} call_t;

#define WORDS_MAX 7

/** A command. */
typedef struct question_t {
    signed_session_bytes_t words[WORDS_MAX];
    int count;
    int is_script; /* called by its name, which the server may not know */
} question_t;

/** Its reply. */
typedef struct answer_t {
    ss_reply_t reply;
    const char *shown; /* whose it is */
    int tries;         /* it took; behind the first, nobody knows whether those before it counted */
} answer_t;

static signed_session_bytes_t bytes_of(const char *text)
{
    const signed_session_bytes_t bytes = { (const unsigned char *)text, strlen(text) };

    return bytes;
}

/*
 * Errors
 */

/* clang-format off */
static const struct error_t {
    const char *word; /* in the server's text: where a script met the error, not at its beginning */
    signed_session_store_e answer;
    const char *advice;
} errors[] = {
    { "OOM ",        SIGNED_SESSION_STORE_FULL,        "its maxmemory is used up" },
    { "MISCONF ",    SIGNED_SESSION_STORE_FULL,        "it cannot write to its disk" },
    { "NOREPLICAS ", SIGNED_SESSION_STORE_FULL,        "it wants more replicas" },
    { "NOAUTH ",     SIGNED_SESSION_STORE_UNAVAILABLE, "SignedSessionRedisAuth names a password" },
    { "WRONGPASS ",  SIGNED_SESSION_STORE_UNAVAILABLE, "SignedSessionRedisAuth names another user or password" },
    { "NOPERM ",     SIGNED_SESSION_STORE_UNAVAILABLE, "its ACL must allow +get +set +getrange +eval +evalsha on our keys" },
    { "can't access", SIGNED_SESSION_STORE_UNAVAILABLE, "its ACL must allow our keys" },
    { "READONLY ",   SIGNED_SESSION_STORE_UNAVAILABLE, "it is a replica" },
    { "MOVED ",      SIGNED_SESSION_STORE_UNAVAILABLE, "it is part of a Redis Cluster, which is not supported" },
    { "",            SIGNED_SESSION_STORE_UNAVAILABLE, NULL },
};
/* clang-format on */

static int is_error(const ss_reply_t *reply, const char *word)
{
    return reply->kind == SS_REPLY_ERROR && strstr((const char *)reply->bytes.data, word) != NULL;
}

/* As one line; without the arguments of an unknown command, among which a password may be. */
static const char *text_of(const ss_reply_t *reply, apr_pool_t *pool)
{
    char *text = apr_pstrndup(pool, (const char *)reply->bytes.data,
                              reply->bytes.len < ERROR_SHOWN ? reply->bytes.len : ERROR_SHOWN);
    char *arguments = strstr(text, ", with args");

    if (arguments != NULL) {
        *arguments = '\0';
    }
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == '\x7f') {
            *at = '?';
        }
    }
    return text;
}

static signed_session_store_e refuse(const call_t *call, const char *shown, const ss_reply_t *reply)
{
    const struct error_t *row = errors;

    if (reply->kind != SS_REPLY_ERROR) {
        *call->why = apr_pstrcat(call->pool, shown, ": that was no answer to our command", NULL);
        return SIGNED_SESSION_STORE_UNAVAILABLE;
    }
    while (!is_error(reply, row->word)) {
        row++;
    }
    *call->why = apr_pstrcat(
        call->pool, shown, ": ", text_of(reply, call->pool), row->advice == NULL ? "" : " (",
        row->advice == NULL ? "" : row->advice, row->advice == NULL ? "" : ")", NULL);
    return row->answer;
}

/*
 * Connections
 */

static ss_wire_t *take_idle(child_t *child)
{
    ss_wire_t *wire;

    apr_thread_mutex_lock(child->mutex);
    wire = child->idle;
    child->idle = wire == NULL ? NULL : wire->next;
    apr_thread_mutex_unlock(child->mutex);
    return wire;
}

static void put_aside(child_t *child, ss_wire_t *wire)
{
    wire->used = ss_clock_now();
    apr_thread_mutex_lock(child->mutex);
    wire->next = child->idle;
    child->idle = wire;
    apr_thread_mutex_unlock(child->mutex);
}

static apr_status_t close_idle(void *child)
{
    for (ss_wire_t *wire = take_idle(child); wire != NULL; wire = take_idle(child)) {
        ss_wire_close(wire);
    }
    return APR_SUCCESS;
}

/** What is said first on a connection. */
typedef struct greeting_t {
    signed_session_bytes_t request;
    int count;
    int is_needed[4];
    int asks_policy; /* in the last of them */
} greeting_t;

static void say(greeting_t *greeting, int is_needed, const char *const *words, apr_pool_t *pool)
{
    signed_session_bytes_t bytes[3], one;
    unsigned char *all;
    int count = 0;

    for (; words[count] != NULL; count++) {
        bytes[count] = bytes_of(words[count]);
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
    const ss_redis_auth_t *auth = call->redis->settings.auth;

    memset(greeting, 0, sizeof(*greeting));
    if (auth != NULL && auth->password != NULL && auth->user != NULL) {
        SAY(greeting, 1, call->pool, "AUTH", auth->user, auth->password);
    }
    else if (auth != NULL && auth->password != NULL) {
        SAY(greeting, 1, call->pool, "AUTH", auth->password);
    }
    if (call->redis->place.database != 0) {
        SAY(greeting, 1, call->pool, "SELECT", apr_itoa(call->pool, call->redis->place.database));
    }
    SAY(greeting, 0, call->pool, "CLIENT", "SETNAME", "mod_signed_session");
    if (apr_atomic_read32(&call->child->has_asked) == 0) {
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
    const ss_redis_settings_t *settings = &call->redis->settings;
    const char *text = (const char *)reply->bytes.data;
    const char *limit, *policy;

    if (reply->kind != SS_REPLY_BYTES || apr_atomic_cas32(&call->child->has_asked, 1, 0) != 0) {
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
            (greeting->is_needed[i] || is_error(&replies[i], "max number of clients"))) {
            refuse(call, shown, &replies[i]);
            return 0;
        }
    }
    return 1;
}

static int greet(ss_wire_t *wire, const call_t *call)
{
    greeting_t greeting;
    ss_reply_t replies[4];
    ss_wire_e rv;

    compose(&greeting, call);
    rv = ss_wire_ask(wire, replies, greeting.count, greeting.request, call->until, call->why,
                     call->pool);
    OPENSSL_cleanse((unsigned char *)greeting.request.data, greeting.request.len);
    if (rv != SS_WIRE_DONE || !is_welcome(&greeting, replies, wire->shown, call)) {
        return 0;
    }
    if (greeting.asks_policy) {
        judge_policy(call, &replies[greeting.count - 1]);
    }
    return 1;
}

static ss_wire_t *connect_to(const ss_address_t *address, const call_t *call)
{
    const redis_t *redis = call->redis;
    const ss_route_t route = { address, redis->tls,
                               redis->settings.tls_name != NULL ? redis->settings.tls_name
                                                                : address->host };
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
    child_t *child = call->child;
    apr_uint32_t first = apr_atomic_read32(&child->preferred);
    const char *all = NULL;
    ss_addresses_t addresses;

    if (ss_resolver_addresses(&addresses, child->resolver, call->until, call->why, call->pool) !=
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
            apr_atomic_set32(&child->preferred, (apr_uint32_t)index);
            return wire;
        }
        all = all == NULL ? *call->why : apr_pstrcat(call->pool, all, "; ", *call->why, NULL);
    }
    *call->why = all;
    ss_resolver_refresh(child->resolver);
    return NULL;
}

static ss_wire_t *take_wire(const call_t *call)
{
    for (ss_wire_t *wire = take_idle(call->child); wire != NULL; wire = take_idle(call->child)) {
        if (ss_clock_now() < wire->used + IDLE_MAX && ss_wire_is_quiet(wire)) {
            return wire;
        }
        ss_wire_close(wire);
    }
    return connect_anywhere(call);
}

/* It was the primary once, and so were the others that lead there. */
static void turn_away(const call_t *call)
{
    apr_atomic_inc32(&call->child->preferred);
    close_idle(call->child);
}

/*
 * Questions
 */

static ss_wire_e converse(ss_reply_t *reply, ss_wire_t *wire, question_t *question,
                          const call_t *call)
{
    ss_wire_e rv =
        ss_wire_ask(wire, reply, 1, ss_resp_format(question->words, question->count, call->pool),
                    call->until, call->why, call->pool);

    if (rv == SS_WIRE_DONE && question->is_script && is_error(reply, "NOSCRIPT ")) {
        question->words[0] = bytes_of("EVAL");
        question->words[1] = bytes_of(save_script);
        rv = ss_wire_ask(wire, reply, 1,
                         ss_resp_format(question->words, question->count, call->pool), call->until,
                         call->why, call->pool);
    }
    return rv;
}

/* Ask, and once more on another connection when the answer was lost, or was that of a replica.
 * FALSE: there is none. */
static int ask(answer_t *answer, question_t *question, const call_t *call)
{
    for (answer->tries = 1;; answer->tries++) {
        ss_wire_t *wire = take_wire(call);
        ss_wire_e rv;

        if (wire == NULL) {
            return 0;
        }
        answer->shown = wire->shown;
        rv = converse(&answer->reply, wire, question, call);
        if (rv == SS_WIRE_DONE && !is_error(&answer->reply, "READONLY ")) {
            put_aside(call->child, wire);
            return 1;
        }
        ss_wire_close(wire);
        if (rv == SS_WIRE_DONE) {
            turn_away(call);
        }
        if (rv == SS_WIRE_LATE || answer->tries == TRIES || ss_clock_now() >= call->until) {
            return rv == SS_WIRE_DONE;
        }
    }
}

static signed_session_bytes_t key_of(const redis_t *redis, const unsigned char *id,
                                     apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    apr_size_t len = strlen(redis->key_head);
    char *key = apr_palloc(pool, len + 2 * SIGNED_SESSION_ID_SIZE + 1), *out = key + len;
    signed_session_bytes_t bytes = { (const unsigned char *)key, 0 };

    memcpy(key, redis->key_head, len);
    for (int i = 0; i < SIGNED_SESSION_ID_SIZE; i++) {
        *out++ = digits[id[i] >> 4];
        *out++ = digits[id[i] & 15];
    }
    *out++ = '}';
    bytes.len = (apr_size_t)(out - key);
    return bytes;
}

static signed_session_bytes_t expectation(const unsigned char *token)
{
    static const unsigned char nothing[SIGNED_SESSION_TOKEN_SIZE];
    signed_session_bytes_t bytes = { token, SIGNED_SESSION_TOKEN_SIZE };

    if (token == NULL) {
        bytes = bytes_of(TRUSTING);
    }
    else if (memcmp(token, nothing, sizeof(nothing)) == 0) {
        bytes.len = 0;
    }
    return bytes;
}

static const char *milliseconds(apr_interval_time_t ttl, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_TIME_T_FMT, (ttl + 999) / 1000);
}

static call_t call_of(void *store, apr_time_t deadline, const char **why, apr_pool_t *pool)
{
    redis_t *redis = store;
    const call_t call = { redis, redis->child, ss_clock_until(deadline), why, pool };

    return call;
}

/*
 * The store
 */

const char *ss_redis_configure(void **store, const signed_session_place_t *place,
                               const ss_redis_settings_t *settings, apr_pool_t *pconf)
{
    redis_t *redis = apr_pcalloc(pconf, sizeof(*redis));
    int is_safe = strcmp(place->name, "rediss") == 0;
    const char *why = ss_place_parse(&redis->place, place->words, pconf);

    *store = redis;
    redis->settings = *settings;
    redis->key_head = apr_pstrcat(pconf, settings->prefix, "s:{", NULL);
    if (why == NULL && is_safe && *place->words == '/' && place->words[1] != '/') {
        why = "TLS is for //HOST:PORT, not for the socket of this machine: redis:/PATH";
    }
    return why == NULL && is_safe ? ss_tls_create(&redis->tls, &settings->tls, pconf) : why;
}

void ss_redis_open(void *store, apr_pool_t *pchild)
{
    redis_t *redis = store;
    child_t *child = apr_pcalloc(pchild, sizeof(*child));

    apr_thread_mutex_create(&child->mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    child->resolver = ss_resolver_create(redis->place.endpoints, pchild);
    apr_pool_cleanup_register(pchild, child, close_idle, apr_pool_cleanup_null);
    redis->child = child;
}

/* A key that is no string is somebody else's: as if it were a record that does not open. */
static signed_session_bytes_t foreign(void)
{
    return bytes_of("");
}

signed_session_store_e ss_redis_load(void *store, const unsigned char *id,
                                     signed_session_bytes_t *value, apr_time_t deadline,
                                     const char **why, apr_pool_t *pool)
{
    const call_t call = call_of(store, deadline, why, pool);
    question_t question = { { bytes_of("GET"), key_of(call.redis, id, pool) }, 2, 0 };
    answer_t answer;

    if (!ask(&answer, &question, &call)) {
        return SIGNED_SESSION_STORE_UNAVAILABLE;
    }
    if (answer.reply.kind == SS_REPLY_NIL) {
        return SIGNED_SESSION_STORE_ABSENT;
    }
    if (answer.reply.kind != SS_REPLY_BYTES && !is_error(&answer.reply, "WRONGTYPE ")) {
        return refuse(&call, answer.shown, &answer.reply);
    }
    *value = answer.reply.kind == SS_REPLY_BYTES ? answer.reply.bytes : foreign();
    return SIGNED_SESSION_STORE_FOUND;
}

/* The answer to an earlier try was lost: then what is in our way is what it has saved. */
static int is_ours(const answer_t *answer, const signed_session_bytes_t *value)
{
    return answer->tries > 1 && answer->reply.bytes.len >= SIGNED_SESSION_TOKEN_SIZE &&
           memcmp(answer->reply.bytes.data, value->data, SIGNED_SESSION_TOKEN_SIZE) == 0;
}

signed_session_store_e ss_redis_save(void *store, const unsigned char *id,
                                     const unsigned char *expected,
                                     const signed_session_bytes_t *value, apr_interval_time_t ttl,
                                     signed_session_bytes_t *current, apr_time_t deadline,
                                     const char **why, apr_pool_t *pool)
{
    const call_t call = call_of(store, deadline, why, pool);
    question_t question = { { bytes_of("EVALSHA"), bytes_of(save_name), bytes_of("1"),
                              key_of(call.redis, id, pool), expectation(expected), *value,
                              bytes_of(milliseconds(ttl, pool)) },
                            WORDS_MAX,
                            1 };
    answer_t answer;

    if (!ask(&answer, &question, &call)) {
        return SIGNED_SESSION_STORE_UNAVAILABLE;
    }
    switch (answer.reply.kind) {
    case SS_REPLY_NUMBER:
        return SIGNED_SESSION_STORE_SAVED;
    case SS_REPLY_NIL:
        return SIGNED_SESSION_STORE_ABSENT;
    case SS_REPLY_BYTES:
        *current = answer.reply.bytes;
        return is_ours(&answer, value) ? SIGNED_SESSION_STORE_SAVED : SIGNED_SESSION_STORE_CONFLICT;
    default:
        if (is_error(&answer.reply, "WRONGTYPE ")) {
            *current = foreign();
            return SIGNED_SESSION_STORE_CONFLICT;
        }
        return refuse(&call, answer.shown, &answer.reply);
    }
}
