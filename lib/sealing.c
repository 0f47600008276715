/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/cookie.h"
#include "lib/sealing.h"

/*
 * Keys
 */

apr_status_t ss_sealing_init(ss_sealing_t *how, const apr_array_header_t *formats,
                             const apr_array_header_t *secrets, const ss_binding_t *binding,
                             apr_pool_t *pool)
{
    apr_array_header_t *seals = apr_array_make(pool, formats->nelts, sizeof(ss_seal_t));

    how->companion_name = NULL;
    how->takes_last = 0;
    for (int i = 0; i < formats->nelts; i++) {
        const ss_format_t *format = APR_ARRAY_IDX(formats, i, const ss_format_t *);
        ss_seal_t *seal = apr_array_push(seals);
        ss_keyring_t *keys;
        apr_status_t rv = ss_keyring_create(&keys, secrets, format->derive, binding, pool);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        seal->format = format;
        seal->keys = keys;
        seal->cookie_name = binding->cookie_name;
        how->takes_last |= (format->traits & SS_FORMAT_LAST) != 0;
        if (format->companion != NULL) {
            how->companion_name = apr_pstrcat(pool, binding->cookie_name, format->companion, NULL);
        }
    }
    how->cookie_name = binding->cookie_name;
    how->seals = seals;
    return APR_SUCCESS;
}

const ss_format_t *ss_sealing_written(const ss_sealing_t *how)
{
    return APR_ARRAY_IDX(how->seals, 0, ss_seal_t).format;
}

/*
 * Opening
 */

static int at_most(int came)
{
    return came < SS_CANDIDATES_MAX ? came : SS_CANDIDATES_MAX;
}

void ss_sealing_find(ss_candidates_t *candidates, const char *header, const ss_sealing_t *how)
{
    candidates->came = ss_cookie_find(candidates->values, SS_CANDIDATES_MAX,
                                      how->takes_last ? SS_COOKIE_LAST : SS_COOKIE_FIRST, header,
                                      how->cookie_name);
    candidates->count = at_most(candidates->came);
    candidates->companion_count = 0;
    if (how->companion_name != NULL) {
        candidates->companion_count =
            at_most(ss_cookie_find(candidates->companions, SS_CANDIDATES_MAX, SS_COOKIE_FIRST,
                                   header, how->companion_name));
    }
}

apr_size_t ss_sealing_size(const ss_sealed_t *cookie, const ss_sealing_t *how)
{
    apr_size_t size = strlen(how->cookie_name) + cookie->value.len;

    if (cookie->companion.data != NULL) {
        size += strlen(how->companion_name) + cookie->companion.len;
    }
    return size;
}

/** One call of ss_sealing_open. */
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

/* A cookie at first sight: does its signature hold, is it of our time, and is it a session? */
static ss_state_e examine(ss_memory_item_t *item, ss_sealed_t *cookie, const opening_t *opening)
{
    const ss_sealing_t *how = opening->how;
    ss_payload_t payload;
    ss_state_e state = verify(&payload, &item->format, cookie, opening);

    if (state != SS_VALID) {
        return state;
    }
    item->stamp = payload.stamp;
    item->key = payload.key;
    state = ss_lifetime_judge(&item->stamp, how->lifetime, opening->now);
    if (state != SS_VALID) {
        return state;
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

static int is_native(const ss_format_t *format)
{
    return !(format->traits & SS_FORMAT_FOREIGN);
}

ss_session_t *ss_sealing_create(const ss_sealing_t *how, apr_pool_t *pool)
{
    ss_session_t *session = ss_session_create(pool);

    if (is_native(ss_sealing_written(how))) {
        ss_session_reserve(session, 0);
    }
    return session;
}

static ss_session_t *session_of(const ss_memory_item_t *item, const opening_t *opening)
{
    ss_session_t *session = ss_session_of(&item->document, &item->stamp, opening->pool);

    if (is_native(item->format) || is_native(ss_sealing_written(opening->how))) {
        ss_session_reserve(session, is_native(item->format));
    }
    return session;
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
                : examine(&item, &cookie, opening);
    if (state == SS_VALID) {
        opened->session = session_of(&item, opening);
        opened->format = item.format;
        opened->key = item.key;
        opened->size = ss_sealing_size(&cookie, how);
    }
    else if (item.format != NULL) {
        opened->judged = item.stamp;
    }
    opened->is_owned = is_owned(item.format, state);
    return state;
}

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
    return is_newer(ss_session_stamp(later->session), ss_session_stamp(earlier->session));
}

ss_state_e ss_sealing_open(ss_opened_t *opened, const ss_candidates_t *candidates,
                           const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool)
{
    const opening_t opening = { candidates, how, now, pool };
    ss_state_e first = SS_NONE;
    ss_stamp_t judged;
    int owned = 0;

    memset(opened, 0, sizeof(*opened));
    for (int i = 0; i < candidates->count; i++) {
        ss_opened_t found = { .session = NULL };
        ss_state_e state = open_value(&found, candidates->values[i], &opening);

        if (state == SS_VALID && (opened->session == NULL || wins(&found, opened, how))) {
            *opened = found;
        }
        owned |= found.is_owned;
        if (first == SS_NONE) {
            first = state;
            judged = found.judged;
        }
    }
    opened->is_owned = owned;
    if (opened->session != NULL) {
        return SS_VALID;
    }
    if (first != SS_NONE) {
        opened->judged = judged;
    }
    return first;
}

/*
 * Sealing
 */

ss_seal_t ss_sealing_as(const ss_sealing_t *how, int format)
{
    ss_seal_t seal = APR_ARRAY_IDX(how->seals, format, ss_seal_t);

    seal.random = how->random;
    seal.encrypt = how->encrypt;
    return seal;
}

static void date_back(ss_stamp_t *stamp, const ss_format_t *format, const ss_lifetime_t *lifetime)
{
    apr_int64_t back = ss_lifetime_head_start(lifetime);

    if ((format->traits & SS_FORMAT_FOREIGN) && stamp->renewed > back) {
        stamp->renewed -= back;
    }
}

/* What is hidden is for the native format, and there for nobody's eyes. */
static void fill_payload(ss_payload_t *payload, ss_seal_t *seal, ss_session_t *session)
{
    int hides = ss_session_hidden(session).raw.data != NULL;

    payload->json = ss_session_json(session);
    payload->text =
        hides && !is_native(seal->format) ? payload->json.raw : ss_session_text(session);
    seal->encrypt |= hides;
}

apr_status_t ss_sealing_seal(ss_sealing_result_t *result, ss_session_t *session,
                             const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool)
{
    static const ss_sealed_t nothing = { { NULL, 0 }, { NULL, 0 } };
    ss_seal_t seal = ss_sealing_as(how, 0);
    ss_payload_t payload;
    apr_size_t size;
    apr_status_t rv;

    result->cookie = nothing;
    result->over = 0;
    rv = ss_stamp_next(&payload.stamp, ss_session_stamp(session), ss_session_is_changed(session),
                       now, how->random);
    result->stamp = payload.stamp;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    date_back(&payload.stamp, seal.format, how->lifetime);
    fill_payload(&payload, &seal, session);
    rv = seal.format->seal(&result->cookie, &payload, &seal, pool);
    if (rv != APR_SUCCESS) {
        result->cookie = nothing;
        return rv;
    }
    size = ss_sealing_size(&result->cookie, how);
    if (size > how->max_size) {
        result->over = size - how->max_size;
        result->cookie = nothing;
        return APR_ENOSPC;
    }
    return APR_SUCCESS;
}

apr_int64_t ss_sealing_max_age(const ss_session_t *session, const ss_stamp_t *stamp,
                               const ss_sealing_t *how, apr_time_t now)
{
    const ss_format_t *format = ss_sealing_written(how);
    apr_int64_t standard;

    if (!how->lifetime->persistent) {
        return -1;
    }
    standard = ss_lifetime_left(stamp, how->lifetime, now);
    return format->max_age == NULL ? standard : format->max_age(session, standard);
}
