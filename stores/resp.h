/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_RESP_H
#define SS_RESP_H

#include "mod_signed_session_store.h"

/* What is said on a connection to Redis, RESP2: commands that go out, replies that come in. The
 * only door to hiredis, of which nothing is used but its reader. */

/** Bytes of all replies that are awaited at a time: no record is longer than half of it. */
#define SS_REPLIES_MAX (2 * 1024 * 1024 + 1024)
/** Bytes of a line, such as an error. */
#define SS_LINE_MAX (64 * 1024)

typedef enum ss_reply_e {
    SS_REPLY_NIL,
    SS_REPLY_BYTES,
    SS_REPLY_STATUS, /* a word, such as OK */
    SS_REPLY_NUMBER,
    SS_REPLY_ERROR, /* a word in capitals, and more */
    SS_REPLY_PAIR   /* an array of two that are BYTES: what a sentinel answers */
} ss_reply_e;

typedef struct ss_reply_t {
    ss_reply_e kind;
    signed_session_bytes_t bytes;  /* of all kinds but NIL and NUMBER; a NUL behind them is not
                                      counted */
    signed_session_bytes_t second; /* of a PAIR: likewise */
    apr_int64_t number;
} ss_reply_t;

/** Takes what a server sends apart. Used by one thread at a time. */
typedef struct ss_reader_t ss_reader_t;

/**
 * A command as it is sent.
 *
 * @param words  its name and arguments: any bytes
 * @return       in `pool`
 */
signed_session_bytes_t ss_resp_format(const signed_session_bytes_t *words, int count,
                                      apr_pool_t *pool);

/** In `pool`, whose end ends it; NULL without memory. */
ss_reader_t *ss_reader_create(apr_pool_t *pool);

/** From now on replies are made in this pool; SS_REPLIES_MAX is counted from here. */
void ss_reader_begin(ss_reader_t *reader, apr_pool_t *pool);

/** Some bytes that have come. APR_SUCCESS, or APR_EGENERAL when there are too many. */
apr_status_t ss_reader_feed(ss_reader_t *reader, const char *data, apr_size_t len);

/**
 * The next reply.
 *
 * No command of ours is answered with another array than a pair, or with one of the types of RESP3:
 * where one comes, it is no reply, however long or deep, and nothing of it is built.
 *
 * @return  APR_SUCCESS; APR_EAGAIN when it is not there yet; APR_EGENERAL when what is there is no
 * reply: then the reader is of no more use
 */
apr_status_t ss_reader_next(ss_reply_t *reply, ss_reader_t *reader);

/** Has everything been taken that was fed? */
int ss_reader_is_empty(const ss_reader_t *reader);

#endif
