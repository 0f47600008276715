/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/format.h"

extern const ss_format_t ss_format_native;
extern const ss_format_t ss_format_starlette;

const ss_format_t *const ss_formats[] = { &ss_format_native, &ss_format_starlette, NULL };

const ss_format_t *ss_format_named(const char *name)
{
    for (const ss_format_t *const *format = ss_formats; *format != NULL; format++) {
        if (strcmp((*format)->name, name) == 0) {
            return *format;
        }
    }
    return NULL;
}

const char *ss_format_names(apr_pool_t *pool)
{
    const char *names = ss_formats[0]->name;

    for (const ss_format_t *const *format = ss_formats + 1; *format != NULL; format++) {
        names = apr_pstrcat(pool, names, ", ", (*format)->name, NULL);
    }
    return names;
}

/* A cookie whose signature holds: is it of our time, and is it a session? */
static ss_state_e admit(ss_session_t **session, const ss_payload_t *payload,
                        const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool)
{
    ss_state_e state = ss_session_judge(&payload->stamp, how->lifetime, now);

    if (state == SS_VALID &&
        ss_session_load(session, payload->text, &payload->stamp, pool) != APR_SUCCESS) {
        state = SS_MALFORMED;
    }
    return state;
}

static ss_state_e open_value(ss_session_t **session, ss_provenance_t *from, ss_bytes_t value,
                             const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool)
{
    const ss_seal_t *seals = (const ss_seal_t *)how->seals->elts;
    apr_size_t size = strlen(how->cookie_name) + value.len;
    ss_state_e refused = SS_MALFORMED;

    if (size > SS_COOKIE_MAX) {
        return SS_TOO_LARGE;
    }
    for (int i = 0; i < how->seals->nelts; i++) {
        ss_payload_t payload;
        int key;
        ss_state_e state = seals[i].format->open(&payload, &key, value, seals[i].keys, pool);

        if (state == SS_VALID) {
            from->format = seals[i].format;
            from->key = key;
            from->size = size;
            return admit(session, &payload, how, now, pool);
        }
        /* "Malformed" only says that it is not this format's; another one may know better. */
        if (refused == SS_MALFORMED) {
            refused = state;
        }
    }
    return refused;
}

ss_state_e ss_format_open(ss_session_t **session, ss_provenance_t *from, const ss_bytes_t values[],
                          int count, const ss_sealing_t *how, apr_time_t now, apr_pool_t *pool)
{
    ss_state_e first = SS_NONE;

    *session = NULL;
    for (int i = 0; i < count && i < SS_CANDIDATES_MAX; i++) {
        ss_state_e state = open_value(session, from, values[i], how, now, pool);

        if (state == SS_VALID) {
            return SS_VALID;
        }
        if (first == SS_NONE) {
            first = state;
        }
    }
    memset(from, 0, sizeof(*from));
    return first;
}

apr_status_t ss_format_seal(ss_bytes_t *value, ss_stamp_t *stamp, apr_size_t *over,
                            ss_session_t *session, const ss_sealing_t *how, apr_time_t now,
                            apr_pool_t *pool)
{
    const ss_seal_t *seal = (const ss_seal_t *)how->seals->elts;
    ss_payload_t payload;
    apr_size_t size;
    apr_status_t rv;

    *value = ss_bytes(NULL, 0);
    *over = 0;
    rv = ss_session_next_stamp(&payload.stamp, session, now, how->random);
    *stamp = payload.stamp;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    payload.text = ss_session_text(session);
    rv = seal->format->seal(value, &payload, seal->keys, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    size = strlen(how->cookie_name) + value->len;
    if (size > how->max_size) {
        *over = size - how->max_size;
        *value = ss_bytes(NULL, 0);
        return APR_ENOSPC;
    }
    return APR_SUCCESS;
}
