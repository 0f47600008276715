/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/candidates.h"
#include "lib/sealing.h"
#include "lib/memory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/randoms.h"

/*
 * Nothing becomes valid by the memory of valid cookies, and nothing looks different. Two virtual
 * hosts share one memory; each request is answered with it and without it, and both must come to
 * the same: state, document, time stamps, format, key, size.
 */

#define NOW apr_time_from_sec(1767225600) /* 2026-01-01T00:00:00Z */
#define HOUR apr_time_from_sec(3600)
#define SECRETS 2
#define HOSTS 2
#define SLOTS 4 /* cookies that requests are made of */
#define FORMATS_MAX 8
#define STEPS_MAX 128

/** A session that was opened with the memory, and the same one without. */
typedef struct pair_t {
    ss_session_t *with, *without;
} pair_t;

static const char *const secrets[SECRETS] = {
    "correct-horse-battery-staple-0123456789",
    "Zk4-second_secret.Vn82qLwTy6hRb1XcPe0Mj",
};

/* What a memory of parsed documents could get wrong. */
static const char *const documents[] = {
    "{}",
    "{\"user\":\"alice\",\"n\":1}",
    "{\"user\":\"mallory\",\"n\":1}",
    " { \"a\" : 1 , \"b\" : [ 1 , 2.50 ] } ",
    "{\"a\":1,\"A\":2,\"a\":3}",
    "{\"\\u0061\":\"\\ud83d\\ude00\",\"x\":{\"y\":{\"z\":null}}}",
    "{\"a\":NaN,\"b\":-Infinity}",
    "{\" t\":[1,2]}",
    "{\"_session_expiry\":60,\"_permanent\":true}",
    "{\"cookie\":{\"maxAge\":1}}",
    "[1,2]",
    "{\"0\":0,\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9}",
};
#define DOCUMENTS (sizeof(documents) / sizeof(documents[0]))

static const apr_time_t times[] = { NOW, NOW + HOUR / 2, NOW + 2 * HOUR, NOW - 2 * HOUR };

/** What one input works with. */
typedef struct world_t {
    ss_sealing_t remembering[HOSTS], forgetting[HOSTS];
    ss_sealed_t slots[SLOTS];
    ss_bytes_t document;       /* the input's own */
    apr_array_header_t *pairs; /* pair_t: sessions that requests still hold */
    apr_pool_t *pool;
} world_t;

/* --- virtual hosts --- */

static const apr_array_header_t *all_formats(int except, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, FORMATS_MAX, sizeof(const ss_format_t *));

    for (int i = 0; ss_formats[i] != NULL; i++) {
        if (i != except) {
            APR_ARRAY_PUSH(list, const ss_format_t *) = ss_formats[i];
        }
    }
    return list;
}

/* With both secrets, the one called `first` in front. */
static ss_sealing_t sealing_of(const apr_array_header_t *formats, int first, const char *audience,
                               apr_pool_t *pool)
{
    static const ss_lifetime_t lifetime = {
        HOUR, 2 * HOUR, apr_time_from_sec(30), { SS_RENEW_NEVER, 0, 0 }, 1
    };
    ss_sealing_t how = { .lifetime = &lifetime, .max_size = SS_COOKIE_MAX, .random = all_sevens };
    apr_array_header_t *texts = apr_array_make(pool, SECRETS, sizeof(ss_secret_t));
    const ss_binding_t binding = { "session", audience };

    for (int i = 0; i < SECRETS; i++) {
        ((ss_secret_t *)apr_array_push(texts))->text = ss_bytes_of(secrets[(first + i) % SECRETS]);
    }
    MUST(ss_sealing_init(&how, formats, texts, &binding, pool) == APR_SUCCESS);
    return how;
}

/* The second one has another audience, the secrets in another order, and one format less. */
static void make_hosts(world_t *world)
{
    ss_memory_t *memory = ss_memory_create(world->pool);
    apr_pool_t *pool = world->pool;

    world->forgetting[0] = sealing_of(all_formats(-1, pool), 0, "shop", pool);
    world->forgetting[1] = sealing_of(all_formats(2, pool), 1, "forum", pool);
    for (int i = 0; i < HOSTS; i++) {
        world->remembering[i] = world->forgetting[i];
        world->remembering[i].memory = memory;
    }
}

/* --- cookies --- */

static ss_sealed_t seal(const ss_sealing_t *how, unsigned format, int encrypt, ss_bytes_t text,
                        apr_pool_t *pool)
{
    ss_seal_t with = ss_sealing_as(how, (int)(format % (unsigned)how->seals->nelts));
    ss_payload_t payload = { .text = text,
                             .stamp = { apr_time_sec(NOW), apr_time_sec(NOW), { 0 }, 1, { 0 } } };
    ss_sealed_t cookie = { { NULL, 0 }, { NULL, 0 } };

    payload.json = fuzz_json(text);
    with.encrypt = encrypt;
    MUST(with.format->seal(&cookie, &payload, &with, pool) == APR_SUCCESS);
    return cookie;
}

/* One bit flipped, cut short, or longer. */
static ss_bytes_t altered(ss_bytes_t text, unsigned edit, unsigned place, apr_pool_t *pool)
{
    size_t at = text.len > 0 ? place * 257 % text.len : 0;
    char *copy = apr_pstrmemdup(pool, text.len > 0 ? text.data : "", text.len);

    switch (text.len > 0 ? edit % 4 : 0) {
    case 0:
        return text;
    case 1:
        copy[at] = (char)(copy[at] ^ (1 << edit / 4 % 8));
        return ss_bytes(copy, text.len);
    case 2:
        return ss_bytes(copy, at);
    default:
        return ss_bytes(apr_pstrcat(pool, copy, "A", NULL), strlen(copy) + 1);
    }
}

/* Five bytes: slot, host and encryption; format; document; which of value and companion is altered,
 * and how; where. */
static void make_cookie(world_t *world, ss_bytes_t *input)
{
    unsigned choices = fuzz_byte(input), format = fuzz_byte(input), which = fuzz_byte(input);
    unsigned edit = fuzz_byte(input), place = fuzz_byte(input);
    ss_sealed_t *slot = &world->slots[choices % SLOTS];
    ss_bytes_t text = which % (DOCUMENTS + 1) == DOCUMENTS
                          ? world->document
                          : ss_bytes_of(documents[which % (DOCUMENTS + 1)]);
    ss_sealed_t cookie = seal(&world->forgetting[choices / SLOTS % HOSTS], format,
                              choices / SLOTS / HOSTS % 2, text, world->pool);

    slot->value = edit & 0x80 ? cookie.value : altered(cookie.value, edit, place, world->pool);
    if (cookie.companion.data != NULL) {
        slot->companion =
            edit & 0x80 ? altered(cookie.companion, edit, place, world->pool) : cookie.companion;
    }
}

/* Two bytes: slot, length; then so many bytes as they are. */
static void take_cookie(world_t *world, ss_bytes_t *input)
{
    ss_sealed_t *slot = &world->slots[fuzz_byte(input) % SLOTS];
    apr_size_t len = fuzz_byte(input);

    len = len < input->len ? len : input->len;
    slot->value = fuzz_exact(ss_bytes(input->data, len), world->pool);
    *input = ss_bytes(input->data + len, input->len - len);
}

/* --- requests --- */

/* Which slots, as bits, and the first of them. */
static int choose(ss_bytes_t chosen[], const world_t *world, unsigned choices, int companions,
                  apr_pool_t *pool)
{
    int count = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        unsigned at = (i + choices / 16) % SLOTS;
        ss_bytes_t bytes = companions ? world->slots[at].companion : world->slots[at].value;

        if ((choices >> at & 1) != 0 && bytes.data != NULL) {
            chosen[count++] = fuzz_exact(bytes, pool);
        }
    }
    return count;
}

static int same_bytes(ss_bytes_t a, ss_bytes_t b)
{
    return (a.data == NULL) == (b.data == NULL) && ss_bytes_equal(a, b);
}

static void compare_sessions(ss_session_t *a, ss_session_t *b)
{
    const apr_array_header_t *ours = ss_session_members(a), *theirs = ss_session_members(b);
    const ss_stamp_t *stamp = ss_session_stamp(a), *other = ss_session_stamp(b);

    MUST(same_bytes(ss_session_text(a), ss_session_text(b)));
    MUST(same_bytes(ss_session_view(a).raw, ss_session_view(b).raw));
    MUST(same_bytes(ss_session_hidden(a).raw, ss_session_hidden(b).raw));
    MUST(ours->nelts == theirs->nelts);
    for (int i = 0; i < ours->nelts; i++) {
        const ss_json_member_t *one = &APR_ARRAY_IDX(ours, i, ss_json_member_t);
        const ss_json_member_t *same = &APR_ARRAY_IDX(theirs, i, ss_json_member_t);

        MUST(same_bytes(one->name, same->name) && same_bytes(one->quoted.raw, same->quoted.raw));
        MUST(same_bytes(one->value.raw, same->value.raw));
        MUST(same_bytes(ss_session_get(a, one->name).raw, one->value.raw));
    }
    MUST(stamp->renewed == other->renewed && stamp->created == other->created);
    MUST(stamp->counter == other->counter);
    MUST(memcmp(stamp->id, other->id, sizeof(stamp->id)) == 0);
    MUST(ss_session_is_empty(a) == ss_session_is_empty(b));
    MUST(ss_session_is_changed(a) == ss_session_is_changed(b));
}

/* Nor may a change be seen by whoever opens the cookie next. */
static void change(ss_session_t *session)
{
    const apr_array_header_t *members = ss_session_members(session);

    if (members->nelts > 0) {
        ss_session_set(session, APR_ARRAY_IDX(members, 0, ss_json_member_t).name,
                       fuzz_json(ss_bytes_of("\"changed\"")));
    }
    ss_session_set(session, ss_bytes_of("new"), fuzz_json(ss_bytes_of("[true]")));
}

/* Whoever keeps a slice of the request instead of a copy sees this. */
static void spoil(ss_bytes_t texts[], int count)
{
    for (int i = 0; i < count; i++) {
        memset((char *)texts[i].data, '!', texts[i].len);
    }
}

/* Three bytes: host, time, and whether the session is held; values; companions. */
static void request(const world_t *world, ss_bytes_t *input)
{
    unsigned choices = fuzz_byte(input), values = fuzz_byte(input), companions = fuzz_byte(input);
    apr_pool_t *pool, *short_lived = fuzz_pool();
    int host = choices & 1, hold = choices & 8;
    apr_time_t now = times[choices / 2 % 4];
    ss_candidates_t found = { .fetch = NULL, .judge = NULL };
    pair_t pair;
    ss_opened_t from, other;
    ss_state_e state;

    pool = hold ? world->pool : short_lived;
    found.count = choose(found.values, world, values, 0, pool);
    found.companion_count = choose(found.companions, world, companions, 1, pool);
    state = ss_candidates_open(&from, &found, &world->remembering[host], now, pool);
    MUST(ss_candidates_open(&other, &found, &world->forgetting[host], now, pool) == state);
    pair.with = from.session;
    pair.without = other.session;
    MUST(from.format == other.format && from.key == other.key && from.size == other.size);
    MUST((pair.with != NULL) == (state == SS_VALID));
    if (state == SS_VALID) {
        compare_sessions(pair.with, pair.without);
        if (hold) {
            APR_ARRAY_PUSH(world->pairs, pair_t) = pair;
        }
        else {
            change(pair.with);
            change(pair.without);
            compare_sessions(pair.with, pair.without);
        }
    }
    if (!hold) {
        spoil(found.values, found.count);
        spoil(found.companions, found.companion_count);
    }

    apr_pool_destroy(short_lived);
}

/* Input: a document, NUL, then steps, each a byte and what it takes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world_t world = { .pool = fuzz_pool() };
    ss_bytes_t input = fuzz_bytes(data, size);

    make_hosts(&world);
    world.pairs = apr_array_make(world.pool, 8, sizeof(pair_t));
    world.document = fuzz_part(&input);
    if (ss_json_check(NULL, world.document, SS_JSON_PYTHON, NULL) != APR_SUCCESS) {
        world.document = ss_bytes_of("\"no object\"");
    }
    for (int i = 0; i < STEPS_MAX && input.len > 0; i++) {
        switch (fuzz_byte(&input) % 4) {
        case 0:
            make_cookie(&world, &input);
            break;
        case 1:
            take_cookie(&world, &input);
            break;
        default:
            request(&world, &input);
            break;
        }
    }

    for (int i = 0; i < world.pairs->nelts; i++) {
        const pair_t *pair = &APR_ARRAY_IDX(world.pairs, i, pair_t);

        compare_sessions(pair->with, pair->without);
    }

    apr_pool_destroy(world.pool);
    return 0;
}
