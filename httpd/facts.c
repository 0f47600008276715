/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_escape.h>
#include <apr_strings.h>

#include "httpd/facts.h"
#include "httpd/identity.h"
#include "lib/crypto.h"

#define ID_BYTES 8 /* of the hash that are shown */

typedef const char *fact_fn(const ss_visit_t *visit, request_rec *r);

static const char *state(const ss_visit_t *visit, request_rec *r)
{
    (void)r;
    return ss_state_name(visit->state);
}

static const char *format(const ss_visit_t *visit, request_rec *r)
{
    (void)r;
    return visit->opened.format == NULL ? NULL : visit->opened.format->name;
}

static const char *user(const ss_visit_t *visit, request_rec *r)
{
    return ss_identity_of(visit, r);
}

static const char *number(apr_int64_t value, apr_pool_t *pool)
{
    return value < 0 ? NULL : apr_psprintf(pool, "%" APR_INT64_T_FMT, value);
}

static const ss_stamp_t *stamp_of(const ss_visit_t *visit)
{
    return ss_session_stamp(ss_visit_session(visit));
}

/* SS_NO_TIME without a session, or when nobody knows. */
static apr_int64_t begin_of(const ss_visit_t *visit)
{
    const ss_session_t *session = ss_visit_session(visit);

    return ss_session_is_empty(session) ? SS_NO_TIME : ss_session_created(session, visit->now);
}

static const char *created(const ss_visit_t *visit, request_rec *r)
{
    return number(begin_of(visit), r->pool);
}

static const char *renewed(const ss_visit_t *visit, request_rec *r)
{
    return number(stamp_of(visit)->renewed, r->pool);
}

/* Another server's clock may be ahead. */
static const char *age(const ss_visit_t *visit, request_rec *r)
{
    apr_int64_t begin = begin_of(visit), now = apr_time_sec(visit->now);

    return begin == SS_NO_TIME ? NULL : number(now > begin ? now - begin : 0, r->pool);
}

static const char *expires_in(const ss_visit_t *visit, request_rec *r)
{
    return visit->state != SS_VALID
               ? NULL
               : number(ss_lifetime_left(stamp_of(visit), &visit->conf->lifetime, visit->now),
                        r->pool);
}

static const ss_key_t *first_native_key(const ss_visit_t *visit)
{
    const apr_array_header_t *seals = visit->conf->sealing.seals;

    for (int i = 0; i < seals->nelts; i++) {
        const ss_seal_t *seal = &APR_ARRAY_IDX(seals, i, ss_seal_t);

        if (!(seal->format->traits & SS_FORMAT_FOREIGN)) {
            return &seal->keys->keys[0];
        }
    }
    return NULL;
}

/* The MAC of a cookie begins with its version, and is never one of this text. */
const char *ss_facts_id_of(const ss_visit_t *visit, const unsigned char *secret_id,
                           apr_pool_t *pool)
{
    static const unsigned char none[SS_SESSION_ID_SIZE];
    static const char purpose[] = "id of a session for people";
    const ss_key_t *key = first_native_key(visit);
    unsigned char mac[SS_SHA256_SIZE];
    char text[sizeof(purpose) + SS_SESSION_ID_SIZE];

    if (key == NULL || memcmp(secret_id, none, sizeof(none)) == 0) {
        return NULL;
    }
    memcpy(text, purpose, sizeof(purpose));
    memcpy(text + sizeof(purpose), secret_id, SS_SESSION_ID_SIZE);
    if (ss_mac_compute(key->mac, mac, ss_bytes(text, sizeof(text))) != APR_SUCCESS) {
        return NULL;
    }
    return apr_pescape_hex(pool, mac, ID_BYTES, 0);
}

static const char *id(const ss_visit_t *visit, request_rec *r)
{
    return ss_facts_id_of(visit, stamp_of(visit)->id, r->pool);
}

static const struct {
    const char *name;
    fact_fn *text;
} facts[] = {
    /* clang-format off */
    { ":state",      state },
    { ":user",       user },
    { ":created",    created },
    { ":renewed",    renewed },
    { ":age",        age },
    { ":expires_in", expires_in },
    { ":format",     format },
    { ":id",         id },
    /* clang-format on */
};

#define FACTS ((int)(sizeof(facts) / sizeof(facts[0])))

int ss_facts_is_name(const char *name)
{
    return name[0] == ':';
}

static int find(const char *name)
{
    int i = 0;

    while (i < FACTS && strcmp(facts[i].name, name) != 0) {
        i++;
    }
    return i;
}

const char *ss_facts_fault(const char *name, apr_pool_t *pool)
{
    const char *known = "";

    if (find(name) < FACTS) {
        return NULL;
    }
    for (int i = 0; i < FACTS; i++) {
        known = apr_pstrcat(pool, known, i == 0 ? "" : ", ", facts[i].name, NULL);
    }
    return apr_psprintf(pool, "a session has no \"%s\"; there is %s", name, known);
}

const char *ss_facts_text(const ss_visit_t *visit, const char *name, request_rec *r)
{
    int i = find(name);

    return i < FACTS ? facts[i].text(visit, r) : NULL;
}
