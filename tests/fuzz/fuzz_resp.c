/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "stores/resp.h"
#include "tests/fuzz/fuzz.h"

#define REPLIES_MAX 64

/** What a reader has made of some bytes. */
typedef struct result_t {
    ss_reply_t replies[REPLIES_MAX];
    int count;
    apr_status_t end;
} result_t;

static void look(const ss_reply_t *reply, size_t size)
{
    MUST(reply->bytes.len <= size);
    MUST(reply->kind == SS_REPLY_NIL || reply->kind == SS_REPLY_NUMBER
             ? reply->bytes.len == 0
             : reply->bytes.data[reply->bytes.len] == '\0');
    MUST(reply->second.len == 0 || reply->kind == SS_REPLY_PAIR);
    MUST(reply->second.len <= size && reply->second.data[reply->second.len] == '\0');
}

/* All that is there; APR_EAGAIN: the rest is still to come. */
static void take(result_t *result, ss_reader_t *reader, size_t size)
{
    result->end = APR_SUCCESS;
    while (result->end == APR_SUCCESS && result->count < REPLIES_MAX) {
        result->end = ss_reader_next(&result->replies[result->count], reader);
        if (result->end == APR_SUCCESS) {
            look(&result->replies[result->count++], size);
        }
    }
}

static void read_in_pieces(result_t *result, ss_bytes_t input, size_t piece, apr_pool_t *pool)
{
    ss_reader_t *reader = ss_reader_create(pool);
    size_t size = input.len;

    MUST(reader != NULL);
    ss_reader_begin(reader, pool);
    result->count = 0;
    result->end = APR_EAGAIN;
    while (input.len > 0 && result->end == APR_EAGAIN) {
        /* not a byte to spare behind a piece */
        ss_bytes_t part =
            fuzz_exact(ss_bytes(input.data, input.len < piece ? input.len : piece), pool);

        MUST(ss_reader_feed(reader, part.data, part.len) == APR_SUCCESS);
        input = ss_bytes(input.data + part.len, input.len - part.len);
        take(result, reader, size);
    }
}

static void assert_same(const result_t *a, const result_t *b)
{
    MUST(a->count == b->count && a->end == b->end);
    for (int i = 0; i < a->count; i++) {
        const ss_reply_t *one = &a->replies[i], *other = &b->replies[i];

        MUST(one->kind == other->kind && one->number == other->number);
        MUST(one->bytes.len == other->bytes.len &&
             memcmp(one->bytes.data, other->bytes.data, one->bytes.len) == 0);
        MUST(one->second.len == other->second.len &&
             memcmp(one->second.data, other->second.data, one->second.len) == 0);
    }
}

/* What a server sends. However it is cut into pieces, it is the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = { 1, 2, 7, 64 };
    apr_pool_t *pool = fuzz_pool();
    result_t whole, cut;

    read_in_pieces(&whole, fuzz_bytes(data, size), size + 1, pool);
    for (int i = 0; i < 4 && size <= SS_LINE_MAX; i++) {
        read_in_pieces(&cut, fuzz_bytes(data, size), pieces[i], pool);
        assert_same(&whole, &cut);
    }
    apr_pool_destroy(pool);
    return 0;
}
