/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <string.h>

#include <hiredis/hiredis.h>

#include "stores/resp.h"

#define HEAD_MAX 24 /* bytes before a word: a letter, a number, the end of the line */
#define END "\r\n"

struct ss_reader_t {
    redisReader *reader;
    apr_size_t taken; /* bytes since the last ss_reader_begin */
    apr_pool_t *pool; /* of the replies */
};

/*
 * Commands
 */

static char *put_head(char *out, char letter, apr_size_t number)
{
    char digits[HEAD_MAX], *at = digits + sizeof(digits);
    apr_size_t len;

    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    len = (apr_size_t)(digits + sizeof(digits) - at);
    *out++ = letter;
    memcpy(out, at, len);
    memcpy(out + len, END, 2);
    return out + len + 2;
}

signed_session_bytes_t ss_resp_format(const signed_session_bytes_t *words, int count,
                                      apr_pool_t *pool)
{
    signed_session_bytes_t command;
    apr_size_t size = HEAD_MAX;
    char *text, *out;

    for (int i = 0; i < count; i++) {
        size += HEAD_MAX + words[i].len + 2;
    }
    text = apr_palloc(pool, size);
    out = put_head(text, '*', (apr_size_t)count);
    for (int i = 0; i < count; i++) {
        out = put_head(out, '$', words[i].len);
        if (words[i].len > 0) {
            memcpy(out, words[i].data, words[i].len);
        }
        memcpy(out + words[i].len, END, 2);
        out += words[i].len + 2;
    }
    command.data = (const unsigned char *)text;
    command.len = (apr_size_t)(out - text);
    return command;
}

/*
 * Replies: hiredis calls these for what it finds. NULL is a refusal.
 */

static ss_reply_t *make(const redisReadTask *task, ss_reply_e kind)
{
    const ss_reader_t *reader = task->privdata;
    ss_reply_t *reply = apr_palloc(reader->pool, sizeof(*reply));

    reply->kind = kind;
    reply->bytes.data = (const unsigned char *)"";
    reply->bytes.len = 0;
    reply->second = reply->bytes;
    reply->number = 0;
    return reply;
}

static signed_session_bytes_t copy_of(const redisReadTask *task, const char *text, size_t len)
{
    const ss_reader_t *reader = task->privdata;
    char *copy = apr_palloc(reader->pool, len + 1);
    const signed_session_bytes_t bytes = { (const unsigned char *)copy, len };

    memcpy(copy, text, len);
    copy[len] = '\0';
    return bytes;
}

static void *add_to_pair(const redisReadTask *task, const char *text, size_t len)
{
    ss_reply_t *pair = task->parent->obj;

    if (task->type != REDIS_REPLY_STRING) {
        return NULL;
    }
    *(task->idx == 0 ? &pair->bytes : &pair->second) = copy_of(task, text, len);
    return pair;
}

static void *make_text(const redisReadTask *task, char *text, size_t len)
{
    ss_reply_t *reply;

    if (task->parent != NULL) {
        return add_to_pair(task, text, len);
    }
    switch (task->type) {
    case REDIS_REPLY_STRING:
        reply = make(task, SS_REPLY_BYTES);
        break;
    case REDIS_REPLY_STATUS:
        reply = make(task, SS_REPLY_STATUS);
        break;
    case REDIS_REPLY_ERROR:
        reply = make(task, SS_REPLY_ERROR);
        break;
    default:
        return NULL;
    }
    reply->bytes = copy_of(task, text, len);
    return reply;
}

static void *make_number(const redisReadTask *task, long long number)
{
    ss_reply_t *reply = task->parent == NULL ? make(task, SS_REPLY_NUMBER) : NULL;

    if (reply != NULL) {
        reply->number = number;
    }
    return reply;
}

static void *make_nil(const redisReadTask *task)
{
    return task->parent == NULL ? make(task, SS_REPLY_NIL) : NULL;
}

#if HIREDIS_MAJOR >= 1
typedef size_t elements_t;
#else
typedef int elements_t;
#endif

static void *make_pair(const redisReadTask *task, elements_t count)
{
    return task->parent == NULL && task->type == REDIS_REPLY_ARRAY && count == 2
               ? make(task, SS_REPLY_PAIR)
               : NULL;
}

#if HIREDIS_MAJOR >= 1
/* Without these, hiredis would hand a small number over as if it were our object. */

static void *refuse_double(const redisReadTask *task, double number, char *text, size_t len)
{
    (void)task;
    (void)number;
    (void)text;
    (void)len;
    return NULL;
}

static void *refuse_boolean(const redisReadTask *task, int boolean)
{
    (void)task;
    (void)boolean;
    return NULL;
}
#endif

/* The pool does it. */
static void leave_alone(void *reply)
{
    (void)reply;
}

static const redisReplyObjectFunctions functions = {
    .createString = make_text,
    .createArray = make_pair,
    .createInteger = make_number,
    .createNil = make_nil,
    .freeObject = leave_alone,
#if HIREDIS_MAJOR >= 1
    .createDouble = refuse_double,
    .createBool = refuse_boolean,
#endif
};

static apr_status_t end_reader(void *data)
{
    redisReaderFree(data);
    return APR_SUCCESS;
}

ss_reader_t *ss_reader_create(apr_pool_t *pool)
{
    ss_reader_t *reader = apr_pcalloc(pool, sizeof(*reader));

    reader->reader = redisReaderCreateWithFunctions((redisReplyObjectFunctions *)&functions);
    if (reader->reader == NULL) {
        return NULL;
    }
    /* not by hiredis's macro, which casts it to an int */
    reader->reader->privdata = reader;
    apr_pool_cleanup_register(pool, reader->reader, end_reader, apr_pool_cleanup_null);
    return reader;
}

void ss_reader_begin(ss_reader_t *reader, apr_pool_t *pool)
{
    reader->pool = pool;
    reader->taken = 0;
}

apr_status_t ss_reader_feed(ss_reader_t *reader, const char *data, apr_size_t len)
{
    if (len > SS_REPLIES_MAX - reader->taken) {
        return APR_EGENERAL;
    }
    reader->taken += len;
    return redisReaderFeed(reader->reader, data, len) == REDIS_OK ? APR_SUCCESS : APR_EGENERAL;
}

/* hiredis looks for the end of a line from its beginning, at each of its pieces: one that never
 * ends would cost the square of its length. In front of more than a line's bytes stands the length
 * of a string. */
static int is_endless(const redisReader *reader)
{
    const char *pending = reader->buf + reader->pos;

    return reader->len - reader->pos > SS_LINE_MAX &&
           strncmp(pending + strspn(pending, "0123456789"), END, 2) != 0;
}

apr_status_t ss_reader_next(ss_reply_t *reply, ss_reader_t *reader)
{
    void *made = NULL;

    if (redisReaderGetReply(reader->reader, &made) != REDIS_OK) {
        return APR_EGENERAL;
    }
    if (made == NULL) {
        return is_endless(reader->reader) ? APR_EGENERAL : APR_EAGAIN;
    }
    *reply = *(const ss_reply_t *)made;
    return APR_SUCCESS;
}

int ss_reader_is_empty(const ss_reader_t *reader)
{
    return reader->reader->pos == reader->reader->len;
}
