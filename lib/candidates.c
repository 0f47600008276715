/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <string.h>

#include "lib/candidates.h"
#include "lib/cookie.h"

static int at_most(int came)
{
    return came < SS_CANDIDATES_MAX ? came : SS_CANDIDATES_MAX;
}

void ss_candidates_find(ss_candidates_t *candidates, const char *header, const ss_sealing_t *how)
{
    candidates->came = ss_cookie_find(candidates->values, SS_CANDIDATES_MAX,
                                      how->takes_last ? SS_COOKIE_LAST : SS_COOKIE_FIRST, header,
                                      how->cookie_name);
    candidates->count = at_most(candidates->came);
    candidates->companion_count = 0;
    candidates->fetch = NULL;
    candidates->judge = NULL;
    candidates->prove = NULL;
    if (how->companion_name != NULL) {
        candidates->companion_count =
            at_most(ss_cookie_find(candidates->companions, SS_CANDIDATES_MAX, SS_COOKIE_FIRST,
                                   header, how->companion_name));
    }
}

/** One call of ss_candidates_open. */
typedef struct opening_t {
    const ss_candidates_t *candidates;
    const ss_sealing_t *how;
    apr_time_t now;
    apr_pool_t *pool;
} opening_t;

/* Try one format. Where it has companions, each of them may be the one that belongs to the value;
 * `cookie` is set to what fitted. */
static ss_state_e open_as(ss_payload_t *payload, ss_sealed_t *cookie, const ss_seal_t *seal,
                          const opening_t *opening)
{
    const ss_candidates_t *candidates = opening->candidates;
    int companions = seal->format->companion != NULL ? candidates->companion_count : 0;
    ss_state_e state;
    int i = 0;

    do {
        cookie->companion = i < companions ? candidates->companions[i] : ss_bytes(NULL, 0);
        state = seal->format->open(payload, cookie, seal, opening->pool);
    } while (state != SS_VALID && ++i < companions);
    return state;
}

/* Has this cookie proved valid before, alone or with the first companion? With a later one it may
 * have, too; but then an earlier one may be valid as well, by another key, and would count. */
static int recall(ss_memory_item_t *item, ss_sealed_t *cookie, const opening_t *opening)
{
    const ss_candidates_t *candidates = opening->candidates;
    const ss_sealing_t *how = opening->how;

    if (how->memory == NULL) {
        return 0;
    }
    for (int i = -1; i < candidates->companion_count && i < 1; i++) {
        cookie->companion = i < 0 ? ss_bytes(NULL, 0) : candidates->companions[i];
        if (ss_memory_recall(how->memory, item, cookie, how, opening->pool)) {
            return 1;
        }
    }
    cookie->companion = ss_bytes(NULL, 0);
    return 0;
}

/* Try every format that is accepted. `payload` and `format` are defined when SS_VALID. */
static ss_state_e verify(ss_payload_t *payload, const ss_format_t **format, ss_sealed_t *cookie,
                         const opening_t *opening)
{
    const apr_array_header_t *seals = opening->how->seals;
    ss_state_e refused = SS_MALFORMED;

    for (int i = 0; i < seals->nelts; i++) {
        const ss_seal_t *seal = &APR_ARRAY_IDX(seals, i, ss_seal_t);
        ss_state_e state = open_as(payload, cookie, seal, opening);

        if (state == SS_VALID) {
            *format = seal->format;
            return SS_VALID;
        }
        /* "Malformed" only says that it is not this format's; another one may know better. */
        if (refused == SS_MALFORMED) {
            refused = state;
        }
    }
    return refused;
}

/* Whose key is it bound to? */
static ss_state_e prove(const ss_stamp_t *stamp, const opening_t *opening)
{
    const ss_candidates_t *candidates = opening->candidates;

    return candidates->prove == NULL || !ss_stamp_is_bound(stamp)
               ? SS_VALID
               : candidates->prove(candidates->baton, stamp);
}

/* The session that a reference leads to, in one of the stores from opened->place on. */
static ss_state_e follow_to(ss_opened_t *opened, ss_memory_item_t *item, int *is_closed,
                            const opening_t *opening)
{
    const ss_candidates_t *candidates = opening->candidates;
    ss_fetched_e fetched = SS_FETCHED_NOTHING;
    ss_unpacked_t unpacked;
    apr_uint32_t counter;
    ss_bytes_t bytes;

    *is_closed = 0;
    if (candidates->fetch != NULL) {
        fetched = candidates->fetch(candidates->baton, &bytes, &opened->place, item->stamp.id,
                                    opening->pool);
    }
    if (fetched == SS_FETCH_FAILED) {
        return SS_UNAVAILABLE;
    }
    if (fetched == SS_FETCHED_NOTHING) {
        return SS_EXPIRED_IDLE;
    }
    opened->record = ss_sealing_unpack(&unpacked, bytes, &item->stamp, opening->how, opening->pool);
    if (opened->record != SS_VALID) {
        return opened->record;
    }
    opened->record = SS_NONE;
    *is_closed = unpacked.session == NULL;
    if (*is_closed) {
        return SS_EXPIRED_IDLE;
    }
    opened->session = unpacked.session;
    opened->is_stored = 1;
    opened->is_replaced = unpacked.is_replaced;
    memcpy(opened->token, unpacked.token, SS_TOKEN_SIZE);
    counter = ss_session_stamp(unpacked.session)->counter;
    opened->lost = item->stamp.counter > counter ? item->stamp.counter - counter : 0;
    item->stamp.counter = counter;
    item->key = unpacked.key;
    return SS_VALID;
}

/* A session has ended where all of its records are closed; with one in a later store it has moved
 * there, by a server that lists them in another order. */
static ss_state_e follow(ss_opened_t *opened, ss_memory_item_t *item, const opening_t *opening)
{
    int is_closed, was_closed = 0;
    ss_state_e state;

    if (prove(&item->stamp, opening) != SS_VALID) {
        return SS_UNPROVEN; /* a store is not troubled by whoever has only copied a cookie */
    }
    opened->place = 0;
    for (;;) {
        state = follow_to(opened, item, &is_closed, opening);
        if (!is_closed) {
            break;
        }
        was_closed = 1;
        opened->place++;
    }
    opened->is_gone = state == SS_EXPIRED_IDLE;
    opened->is_closed = opened->is_gone && was_closed;
    return state;
}

/* A cookie at first sight: does its signature hold, is it of our time, and is it a session? */
static ss_state_e examine(ss_opened_t *opened, ss_memory_item_t *item, ss_sealed_t *cookie,
                          const opening_t *opening)
{
    const ss_sealing_t *how = opening->how;
    ss_payload_t payload;
    ss_state_e state;

    memset(&payload, 0, sizeof(payload));
    state = verify(&payload, &item->format, cookie, opening);
    if (state != SS_VALID) {
        return state;
    }
    item->stamp = payload.stamp;
    item->key = payload.key;
    state = ss_lifetime_judge(&item->stamp, how->lifetime, opening->now);
    if (state != SS_VALID) {
        return state;
    }
    if (payload.is_reference) {
        return follow(opened, item, opening);
    }
    if (payload.text.data == NULL ||
        ss_document_read(&item->document, payload.text, opening->pool) != APR_SUCCESS) {
        return SS_MALFORMED;
    }
    if (how->memory != NULL) {
        ss_memory_keep(how->memory, item, cookie, how);
    }
    return SS_VALID;
}

/* May only the application overwrite a cookie, of which `format` has found the signature right? An
 * expired one is nobody's. */
static int is_owned(const ss_format_t *format, ss_state_e state)
{
    return format != NULL && (format->traits & SS_FORMAT_FOREIGN) &&
           (state == SS_MALFORMED || state == SS_FROM_FUTURE);
}

/*
 * One of them
 */

static ss_state_e judge(ss_opened_t *opened, const opening_t *opening)
{
    const ss_candidates_t *candidates = opening->candidates;

    return candidates->judge == NULL ? SS_VALID : candidates->judge(candidates->baton, opened);
}

static ss_state_e open_value(ss_opened_t *opened, ss_bytes_t value, const opening_t *opening)
{
    const ss_sealing_t *how = opening->how;
    ss_sealed_t cookie = { value, { NULL, 0 } };
    ss_memory_item_t item;
    ss_state_e state;

    item.format = NULL; /* until a signature is found right */
    if (ss_sealing_size(&cookie, how) > SS_COOKIE_MAX) {
        return SS_TOO_LARGE;
    }
    state = recall(&item, &cookie, opening)
                ? ss_lifetime_judge(&item.stamp, how->lifetime, opening->now)
                : examine(opened, &item, &cookie, opening);
    if (state == SS_VALID) {
        if (!opened->is_stored) {
            opened->session = ss_sealing_session(&item, how, opening->pool);
        }
        state = judge(opened, opening);
    }
    if (state == SS_VALID && !opened->is_stored) {
        state = prove(&item.stamp, opening);
    }
    if (state == SS_VALID) {
        opened->format = item.format;
        opened->key = item.key;
        opened->size = ss_sealing_size(&cookie, how);
    }
    else if (item.format != NULL) {
        opened->session = NULL;
        opened->is_stored = 0;
        opened->judged = item.stamp;
    }
    opened->is_owned = is_owned(item.format, state);
    return state;
}

/*
 * Which of them
 */

static int is_newer(const ss_stamp_t *a, const ss_stamp_t *b)
{
    return a->renewed != b->renewed ? a->renewed > b->renewed : a->counter > b->counter;
}

/* The place of a format among those that are accepted. */
static int rank_of(const ss_format_t *format, const ss_sealing_t *how)
{
    int rank = 0;

    while (APR_ARRAY_IDX(how->seals, rank, ss_seal_t).format != format) {
        rank++;
    }
    return rank;
}

/* Does a cookie that came later in the header win over a valid one before it? A browser keeps one
 * for each Path and Domain, so the old one of a change of these comes, too, and perhaps first. */
static int wins(const ss_opened_t *later, const ss_opened_t *earlier, const ss_sealing_t *how)
{
    if (later->format != earlier->format) {
        return rank_of(later->format, how) < rank_of(earlier->format, how);
    }
    if (later->format->traits & SS_FORMAT_FOREIGN) {
        return (later->format->traits & SS_FORMAT_LAST) != 0;
    }
    if (later->is_replaced != earlier->is_replaced) {
        return earlier->is_replaced;
    }
    return is_newer(ss_session_stamp(later->session), ss_session_stamp(earlier->session));
}

/* Does a session count though there is another one, with this stamp, that cannot be loaded? An
 * outage must not bring back what that one has replaced. */
static int outweighs(const ss_opened_t *opened, const ss_stamp_t *unavailable)
{
    return opened->session != NULL && !(opened->format->traits & SS_FORMAT_FOREIGN) &&
           is_newer(ss_session_stamp(opened->session), unavailable);
}

ss_state_e ss_candidates_open(ss_opened_t *opened, const ss_candidates_t *candidates,
                              const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool)
{
    const opening_t opening = { candidates, how, now, pool };
    ss_state_e first = SS_NONE, record = SS_NONE;
    ss_stamp_t judged, unavailable;
    int owned = 0, is_gone = 0, is_closed = 0, is_unavailable = 0;

    memset(opened, 0, sizeof(*opened));
    for (int i = 0; i < candidates->count; i++) {
        ss_opened_t found = { .session = NULL };
        ss_state_e state = open_value(&found, candidates->values[i], &opening);

        if (state == SS_VALID && (opened->session == NULL || wins(&found, opened, how))) {
            *opened = found;
        }
        if (state == SS_UNAVAILABLE && (!is_unavailable || is_newer(&found.judged, &unavailable))) {
            unavailable = found.judged;
            is_unavailable = 1;
        }
        owned |= found.is_owned;
        is_closed |= found.is_closed;
        record = found.record != SS_NONE ? found.record : record;
        if (first == SS_NONE) {
            first = state;
            judged = found.judged;
            is_gone = found.is_gone;
        }
    }
    if (is_unavailable && !outweighs(opened, &unavailable)) {
        memset(opened, 0, sizeof(*opened));
        first = SS_UNAVAILABLE;
        judged = unavailable;
    }
    opened->is_owned = owned;
    opened->record = record;
    if (opened->session != NULL) {
        return SS_VALID;
    }
    if (first != SS_NONE) {
        opened->judged = judged;
        opened->is_gone = is_gone;
        opened->is_closed = is_closed;
    }
    return first;
}
