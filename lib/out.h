/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_OUT_H
#define SS_OUT_H

#include <assert.h>

#include "lib/base.h"

/**
 * Room for bytes that are written one after the other. The writer knows beforehand how much it
 * needs; a sum that is wrong would spoil its neighbours in the pool, where no sanitizer sees it, so
 * builds with one, or with SS_ASSERT_ROOM, check each step.
 *
 * Passed and returned by value, so that it stays in registers: out = ss_out_put(out, bytes).
 */
typedef struct ss_out_t {
    char *at;
    const char *end;
} ss_out_t;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SS_ASSERT_ROOM
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SS_ASSERT_ROOM
#endif

static inline void ss_out_need(ss_out_t out, apr_size_t len)
{
#ifdef SS_ASSERT_ROOM
    assert((apr_size_t)(out.end - out.at) >= len);
#else
    (void)out;
    (void)len;
#endif
}

static inline ss_out_t ss_out_create(apr_size_t size, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, size);
    ss_out_t out = { text, text + size };

    return out;
}

static inline ss_out_t ss_out_put_char(ss_out_t out, char c)
{
    ss_out_need(out, 1);
    *out.at++ = c;
    return out;
}

/** The bytes may be none, but not absent. */
static inline ss_out_t ss_out_put(ss_out_t out, ss_bytes_t bytes)
{
    ss_out_need(out, bytes.len);
    memcpy(out.at, bytes.data, bytes.len);
    out.at += bytes.len;
    return out;
}

/** What has been written between two moments of one writer. */
static inline ss_bytes_t ss_out_slice(ss_out_t start, ss_out_t out)
{
    return ss_bytes(start.at, out.at - start.at);
}

#endif
