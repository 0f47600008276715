/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/revocation.h"
#include "tests/fuzz/fuzz.h"

static const unsigned char key[16] = "not so random";

static apr_status_t end_set(void *set)
{
    ss_revocation_destroy(set);
    return APR_SUCCESS;
}

static ss_revocation_t *set_of(ss_bytes_t text, apr_time_t now, ss_revocation_count_t *count,
                               apr_pool_t *pool)
{
    ss_revocation_t *set = ss_revocation_create(key, SS_REVOCATION_MAX, pool);

    apr_pool_cleanup_register(pool, set, end_set, apr_pool_cleanup_null);
    memset(count, 0, sizeof(*count));
    MUST(ss_revocation_read(set, text, now, count) == APR_SUCCESS);
    MUST(count->read <= text.len);
    return set;
}

/* What a line says that holds is found. */
static void look_up(const ss_revocation_t *set, ss_bytes_t text, apr_time_t now)
{
    static const unsigned char no_id[SS_SESSION_ID_SIZE];
    char room[SS_REVOCATION_SUBJECT_MAX];
    ss_revocation_line_t line;
    ss_revocable_t session = { no_id, ss_absent, 0 };

    if (ss_revocation_parse(&line, text, room) != APR_SUCCESS) {
        return;
    }
    if (line.kind == SS_REVOKED_ID) {
        session.id = (const unsigned char *)line.value.data;
        session.created = SS_REVOCATION_TIME_MAX + 2;
    }
    else {
        session.subject = line.value;
        session.created = line.before;
    }
    MUST(line.until < apr_time_sec(now) || ss_revocation_covers(set, &session, now));
}

static void look_up_all(const ss_revocation_t *set, ss_bytes_t text, apr_time_t now)
{
    while (text.len > 0) {
        const char *newline = memchr(text.data, '\n', text.len);
        apr_size_t len = newline == NULL ? text.len : (apr_size_t)(newline - text.data);

        look_up(set, ss_bytes(text.data, len), now);
        len += newline != NULL;
        text = ss_bytes(text.data + len, text.len - len);
    }
}

/* A second that it is, a place to cut at, and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    apr_time_t now = apr_time_from_sec(4 * (apr_time_t)fuzz_byte(&input));
    apr_size_t cut = fuzz_byte(&input), lacked;
    ss_bytes_t text = fuzz_exact(input, pool), first, printed;
    ss_revocation_count_t count, pieces;
    ss_revocation_t *set = set_of(text, now, &count, pool), *again;

    look_up_all(set, text, now);
    printed = ss_revocation_text(set, now, pool);

    /* in two pieces it says no less, though the beginning of an unknown line may say something */
    first = fuzz_exact(ss_bytes(text.data, cut < text.len ? cut : text.len), pool);
    again = set_of(first, now, &pieces, pool);
    MUST(ss_revocation_read(
             again, fuzz_exact(ss_bytes(text.data + pieces.read, text.len - pieces.read), pool),
             now, &pieces) == APR_SUCCESS);
    MUST(memcmp(&count, &pieces, sizeof(count)) == 0);
    MUST(ss_revocation_merge(again, set, now, &lacked) == APR_SUCCESS && lacked == 0);
    MUST(count.unknown > 0 || count.read < text.len ||
         ss_bytes_equal(ss_revocation_text(again, now, pool), printed));

    /* it is the same when it is read from what was printed, which holds nothing else */
    again = set_of(printed, now, &pieces, pool);
    MUST(pieces.unknown == 0 && pieces.past == 0 && pieces.read == printed.len);
    MUST(ss_bytes_equal(ss_revocation_text(again, now, pool), printed));
    ss_revocation_drop(set, now);
    MUST(ss_bytes_equal(ss_revocation_text(set, now, pool), printed));
    MUST(ss_revocation_size(set) == ss_revocation_size(again));

    apr_pool_destroy(pool);
    return 0;
}
