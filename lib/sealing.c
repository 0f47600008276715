/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

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
 * Sessions
 */

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

ss_session_t *ss_sealing_session(const ss_memory_item_t *item, const ss_sealing_t *how,
                                 apr_pool_t *pool)
{
    ss_session_t *session = ss_session_of(&item->document, &item->stamp, pool);

    if (is_native(item->format) || is_native(ss_sealing_written(how))) {
        ss_session_reserve(session, is_native(item->format));
    }
    return session;
}

/*
 * Sealing
 */

apr_size_t ss_sealing_size(const ss_sealed_t *cookie, const ss_sealing_t *how)
{
    apr_size_t size = strlen(how->cookie_name) + cookie->value.len;

    if (cookie->companion.data != NULL) {
        size += strlen(how->companion_name) + cookie->companion.len;
    }
    return size;
}

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

apr_status_t ss_sealing_stamp(ss_stamp_t *stamp, ss_session_t *session, const ss_sealing_t *how,
                              apr_time_t now)
{
    return ss_stamp_next(stamp, ss_session_stamp(session), ss_session_is_changed(session), now,
                         how->random);
}

apr_status_t ss_sealing_hold(ss_sealing_result_t *result, ss_session_t *session,
                             const ss_stamp_t *stamp, const ss_sealing_t *how, apr_pool_t *pool)
{
    static const ss_sealed_t nothing = { { NULL, 0 }, { NULL, 0 } };
    ss_seal_t seal = ss_sealing_as(how, 0);
    ss_payload_t payload = { .stamp = *stamp };
    apr_size_t size;
    apr_status_t rv;

    result->cookie = nothing;
    result->over = 0;
    result->stamp = *stamp;
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

apr_status_t ss_sealing_seal(ss_sealing_result_t *result, ss_session_t *session,
                             const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool)
{
    ss_stamp_t stamp;
    apr_status_t rv = ss_sealing_stamp(&stamp, session, how, now);

    if (rv != APR_SUCCESS) {
        memset(result, 0, sizeof(*result));
        return rv;
    }
    return ss_sealing_hold(result, session, &stamp, how, pool);
}

apr_status_t ss_sealing_refer(ss_sealing_result_t *result, const ss_stamp_t *stamp,
                              const ss_sealing_t *how, apr_pool_t *pool)
{
    const ss_seal_t seal = ss_sealing_as(how, 0);
    const ss_payload_t payload = { .stamp = *stamp, .is_reference = 1 };

    memset(result, 0, sizeof(*result));
    result->stamp = *stamp;
    return seal.format->seal(&result->cookie, &payload, &seal, pool);
}

/*
 * Records
 */

/* The keys that records are sealed with: where there are stores, native is written. */
static const ss_keyring_t *record_keys(const ss_sealing_t *how)
{
    return APR_ARRAY_IDX(how->seals, 0, ss_seal_t).keys;
}

apr_status_t ss_sealing_pack(ss_bytes_t *bytes, unsigned char *token, ss_session_t *session,
                             const ss_stamp_t *stamp, const ss_sealing_t *how, apr_pool_t *pool)
{
    ss_record_t record = { .is_closed = session == NULL };
    apr_status_t rv;

    record.text = session == NULL ? ss_absent : ss_session_text(session);
    rv = ss_record_seal(bytes, &record, stamp->counter, stamp->id, record_keys(how), how->random,
                        pool);
    memcpy(token, record.token, SS_TOKEN_SIZE);
    return rv;
}

apr_status_t ss_sealing_pack_replaced(ss_bytes_t *bytes, unsigned char *token, ss_bytes_t text,
                                      const ss_stamp_t *stamp, const ss_sealing_t *how,
                                      apr_pool_t *pool)
{
    ss_record_t record = { .is_replaced = 1, .text = text };
    apr_status_t rv = ss_record_seal(bytes, &record, stamp->counter, stamp->id, record_keys(how),
                                     how->random, pool);

    memcpy(token, record.token, SS_TOKEN_SIZE);
    return rv;
}

/* A record's document. One that was opened before is remembered as cookies are, by all its bytes
 * and by whose it is. `item` has its format and its stamp. */
static ss_state_e read_record(ss_memory_item_t *item, int *is_closed, ss_bytes_t bytes,
                              const ss_sealing_t *how, apr_pool_t *pool)
{
    const ss_bytes_t id = ss_bytes((const char *)item->stamp.id, SS_SESSION_ID_SIZE);
    const ss_sealed_t whole = { bytes, id };
    ss_memory_item_t known;
    ss_record_t record;
    ss_state_e state;

    *is_closed = 0;
    if (how->memory != NULL &&
        ss_memory_recall(how->memory, &known, &whole, record_keys(how), pool)) {
        item->document = known.document;
        item->key = known.key;
        return SS_VALID;
    }
    state = ss_record_open(&record, bytes, item->stamp.id, record_keys(how), pool);
    if (state != SS_VALID) {
        return state;
    }
    item->key = record.key;
    *is_closed = record.is_closed;
    if (record.is_closed) {
        return SS_VALID;
    }
    if (ss_document_read(&item->document, record.text, pool) != APR_SUCCESS) {
        return SS_MALFORMED;
    }
    if (how->memory != NULL) {
        ss_memory_keep(how->memory, item, &whole, record_keys(how));
    }
    return SS_VALID;
}

ss_state_e ss_sealing_unpack(ss_unpacked_t *unpacked, ss_bytes_t bytes, const ss_stamp_t *stamp,
                             const ss_sealing_t *how, apr_pool_t *pool)
{
    ss_memory_item_t item = { .format = ss_sealing_written(how), .stamp = *stamp };
    int is_closed;
    ss_state_e state = read_record(&item, &is_closed, bytes, how, pool);

    if (state != SS_VALID) {
        return state;
    }
    memcpy(unpacked->token, bytes.data, SS_TOKEN_SIZE);
    unpacked->is_replaced = ss_record_is_replaced(bytes);
    unpacked->key = item.key;
    item.stamp.counter = ss_record_counter(unpacked->token);
    unpacked->session = is_closed ? NULL : ss_sealing_session(&item, how, pool);
    return SS_VALID;
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
