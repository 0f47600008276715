/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <string.h>

#include <apr_strings.h>

#include "stores/redis.h"
#include "stores/refusal.h"
#include "stores/wires.h"

#define TRIES 2

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

typedef struct redis_t {
    ss_redis_settings_t settings;
    ss_redis_place_t place;
    SSL_CTX *tls;                    /* NULL: none */
    signed_session_bytes_t key_head; /* what stands before an id: of a key, */
    signed_session_bytes_t get_head; /* and of the command that loads it */
    char hex[256][2];                /* the digits of each byte */
    ss_wires_t *wires;               /* of this child: from `open` on */
} redis_t;

/** A load or a save. */
typedef struct call_t {
    redis_t *redis;
    apr_time_t began, until; /* by ss_clock_now() */
    const char **why;
    apr_pool_t *pool;
} call_t;

#define WORDS_MAX 7

/** A command. */
typedef struct question_t {
    signed_session_bytes_t request; /* as it is sent */
    signed_session_bytes_t words[WORDS_MAX];
    int is_script; /* called by its name, which the server may not know: then by its words */
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
 * Questions
 */

static ss_wire_e converse(ss_reply_t *reply, ss_wire_t *wire, question_t *question,
                          const call_t *call)
{
    ss_wire_e rv =
        ss_wire_ask(wire, reply, 1, question->request, call->until, call->why, call->pool);

    if (rv == SS_WIRE_DONE && question->is_script && ss_reply_is_error(reply, "NOSCRIPT ")) {
        question->words[0] = bytes_of("EVAL");
        question->words[1] = bytes_of(save_script);
        question->request = ss_resp_format(question->words, WORDS_MAX, call->pool);
        rv = ss_wire_ask(wire, reply, 1, question->request, call->until, call->why, call->pool);
    }
    return rv;
}

/* A replica; or a primary that its replicas have left, because another one has taken its place. */
static int is_of_another(const ss_reply_t *reply, const redis_t *redis)
{
    return ss_reply_is_error(reply, "READONLY ") ||
           (redis->place.primary != NULL && ss_reply_is_error(reply, "NOREPLICAS "));
}

/* Ask, and once more on a new connection when the answer was lost, or was that of another server.
 * FALSE: there is none. */
static int ask(answer_t *answer, question_t *question, const call_t *call)
{
    ss_wires_t *wires = call->redis->wires;
    ss_wire_t *wire = ss_wires_take(wires, call->began, call->until, call->why, call->pool);

    for (answer->tries = 1; wire != NULL; answer->tries++) {
        ss_wire_e rv = converse(&answer->reply, wire, question, call);

        answer->shown = apr_pstrdup(call->pool, wire->shown);
        if (rv == SS_WIRE_DONE && !is_of_another(&answer->reply, call->redis)) {
            ss_wires_put(wires, wire, call->began);
            return 1;
        }
        if (rv == SS_WIRE_DONE) {
            ss_wires_turn_away(wires, wire);
        }
        else {
            ss_wires_drop(wires, wire);
        }
        if (rv == SS_WIRE_LATE || answer->tries == TRIES || ss_clock_now() >= call->until) {
            return rv == SS_WIRE_DONE;
        }
        wire = ss_wires_connect(wires, call->until, call->why, call->pool);
    }
    return 0;
}

/* Loading is what nearly every request does: its command is made beforehand, but for the id. */

#define ID_DIGITS ((apr_size_t)2 * SIGNED_SESSION_ID_SIZE)
#define KEY_END "}"
#define GET_END KEY_END "\r\n"

static void prepare_texts(redis_t *redis, const char *prefix, apr_pool_t *pool)
{
    static const char no_id[ID_DIGITS + 1] = "00000000000000000000000000000000";
    signed_session_bytes_t words[2];

    redis->key_head = bytes_of(apr_pstrcat(pool, prefix, "s:{", NULL));
    words[0] = bytes_of("GET");
    words[1] = bytes_of(apr_pstrcat(pool, prefix, "s:{", no_id, KEY_END, NULL));
    redis->get_head = ss_resp_format(words, 2, pool);
    redis->get_head.len -= ID_DIGITS + sizeof(GET_END) - 1;
    for (int i = 0; i < 256; i++) {
        redis->hex[i][0] = "0123456789abcdef"[i >> 4];
        redis->hex[i][1] = "0123456789abcdef"[i & 15];
    }
}

/* Head, the id in hexadecimal digits, end. */
static signed_session_bytes_t around_id(const redis_t *redis, signed_session_bytes_t head,
                                        const unsigned char *id, const char *end,
                                        apr_size_t end_len, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, head.len + ID_DIGITS + end_len), *out = text + head.len;
    signed_session_bytes_t bytes = { (const unsigned char *)text, head.len + ID_DIGITS + end_len };

    memcpy(text, head.data, head.len);
    for (int i = 0; i < SIGNED_SESSION_ID_SIZE; i++, out += 2) {
        memcpy(out, redis->hex[id[i]], 2);
    }
    memcpy(out, end, end_len);
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
    apr_time_t now = ss_clock_now();
    const call_t call = { store, now, now + (deadline - apr_time_now()), why, pool };

    return call;
}

/*
 * The store
 */

const char *ss_redis_configure(void **store, const signed_session_place_t *place,
                               const ss_redis_settings_t *settings, apr_pool_t *pconf)
{
    redis_t *redis = apr_pcalloc(pconf, sizeof(*redis));
    const char *why = ss_redis_place_parse(&redis->place, place->name, place->words, pconf);

    *store = redis;
    redis->settings = *settings;
    prepare_texts(redis, settings->prefix, pconf);
    return why == NULL && redis->place.is_safe ? ss_tls_create(&redis->tls, &settings->tls, pconf)
                                               : why;
}

void ss_redis_open(void *store, apr_pool_t *pchild)
{
    redis_t *redis = store;

    redis->wires = ss_wires_create(&redis->place, &redis->settings, redis->tls, pchild);
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
    question_t question;
    answer_t answer;

    question.is_script = 0;
    question.request =
        around_id(call.redis, call.redis->get_head, id, GET_END, sizeof(GET_END) - 1, pool);
    if (!ask(&answer, &question, &call)) {
        return SIGNED_SESSION_STORE_UNAVAILABLE;
    }
    if (answer.reply.kind == SS_REPLY_NIL) {
        return SIGNED_SESSION_STORE_ABSENT;
    }
    if (answer.reply.kind != SS_REPLY_BYTES && !ss_reply_is_error(&answer.reply, "WRONGTYPE ")) {
        return ss_reply_refuse(&answer.reply, answer.shown, why, pool);
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
    question_t question = {
        .words = { bytes_of("EVALSHA"), bytes_of(save_name), bytes_of("1"),
                   around_id(call.redis, call.redis->key_head, id, KEY_END, sizeof(KEY_END) - 1,
                             pool),
                   expectation(expected), *value, bytes_of(milliseconds(ttl, pool)) },
        .is_script = 1,
    };
    answer_t answer;

    question.request = ss_resp_format(question.words, WORDS_MAX, pool);
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
        if (ss_reply_is_error(&answer.reply, "WRONGTYPE ")) {
            *current = foreign();
            return SIGNED_SESSION_STORE_CONFLICT;
        }
        return ss_reply_refuse(&answer.reply, answer.shown, why, pool);
    }
}
