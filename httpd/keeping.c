/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/keeping.h"
#include "httpd/log.h"
#include "httpd/revoking.h"
#include "httpd/stores.h"

#define OVERTIME apr_time_from_sec(60) /* that a record outlives its cookie */

static const unsigned char nothing[SS_TOKEN_SIZE];

/* A record of this visit, as a store has it. */
typedef struct ss_kept_t {
    int place;
    unsigned char id[SS_SESSION_ID_SIZE];
    unsigned char token[SS_TOKEN_SIZE];
    ss_bytes_t text; /* ss_absent: it is closed */
    int is_saved;    /* in this visit: it has a whole life before it */
    int is_first;    /* it came with the cookie: its document is what changes are made on */
    int is_over;     /* another request has ended it */
    int is_newer;    /* than the client's cookie says: another request was faster */
} kept_t;

static ss_store_call_t call_of(ss_visit_t *visit, const unsigned char *id, apr_time_t deadline)
{
    const ss_store_call_t call = {
        .stores = visit->conf->stores, .id = id, .deadline = deadline, .pool = visit->root->pool
    };

    return call;
}

static int is_at(const kept_t *kept, int place, const unsigned char *id)
{
    return kept->place == place && memcmp(kept->id, id, SS_SESSION_ID_SIZE) == 0;
}

static kept_t *find(ss_visit_t *visit, int place, const unsigned char *id)
{
    apr_array_header_t *all = visit->keeping.all;

    for (int i = 0; i < all->nelts; i++) {
        kept_t *kept = &APR_ARRAY_IDX(all, i, kept_t);

        if (is_at(kept, place, id)) {
            return kept;
        }
    }
    return NULL;
}

static kept_t *add(ss_visit_t *visit, int place, const unsigned char *id)
{
    kept_t *kept = apr_array_push(visit->keeping.all);

    memset(kept, 0, sizeof(*kept));
    kept->place = place;
    memcpy(kept->id, id, SS_SESSION_ID_SIZE);
    return kept;
}

/* Every record that this visit knows of. What its cookie, or an application's, led to is among
 * them. */
static apr_array_header_t *all_of(ss_visit_t *visit)
{
    const ss_opened_t *opened = &visit->opened;
    const unsigned char *id;

    if (visit->keeping.all == NULL) {
        visit->keeping.all = apr_array_make(visit->root->pool, 2, sizeof(kept_t));
    }
    if (opened->is_stored) {
        id = ss_session_stamp(opened->session)->id;
        if (find(visit, opened->place, id) == NULL) {
            kept_t *kept = add(visit, opened->place, id);

            memcpy(kept->token, opened->token, SS_TOKEN_SIZE);
            kept->text = ss_session_text(opened->session);
            kept->is_first = 1;
        }
    }
    return visit->keeping.all;
}

apr_status_t ss_keeping_new_id(unsigned char *id, ss_visit_t *visit)
{
    ss_keeping_note_t *note = &visit->keeping;
    apr_status_t rv = APR_SUCCESS;

    if (!note->has_new_id) {
        rv = visit->conf->sealing.random(note->new_id, sizeof(note->new_id));
        note->has_new_id = rv == APR_SUCCESS;
    }
    memcpy(id, note->new_id, SS_SESSION_ID_SIZE);
    return rv;
}

static int holds(const kept_t *kept, ss_bytes_t text)
{
    return kept->text.data != NULL && ss_bytes_equal(kept->text, text);
}

int ss_keeping_differs(ss_visit_t *visit)
{
    const apr_array_header_t *all = visit->keeping.all;
    ss_session_t *session = ss_visit_session(visit);

    for (int i = 0; all != NULL && i < all->nelts; i++) {
        const kept_t *kept = &APR_ARRAY_IDX(all, i, kept_t);

        /* what came with the cookie, and was saved or closed here, has to be as the session is; to
         * another one, or a newer one, the client has to be led: a change that it holds already is
         * acknowledged, too */
        if (kept->is_newer && !kept->is_over) {
            return 1;
        }
        if (kept->is_first ? !kept->is_over && (kept->is_saved || kept->text.data == NULL) &&
                                 !holds(kept, ss_session_text(session))
                           : kept->text.data != NULL) {
            return 1;
        }
    }
    return 0;
}

/*
 * Somebody else's
 */

/* Open what is there now. Returns APR_SUCCESS; `session` is NULL when it is closed. */
static apr_status_t read_current(ss_unpacked_t *current, ss_visit_t *visit, const unsigned char *id,
                                 ss_bytes_t bytes)
{
    ss_stamp_t stamp = *ss_session_stamp(visit->opened.session);
    ss_state_e state;

    memcpy(stamp.id, id, SS_SESSION_ID_SIZE);
    state = ss_sealing_unpack(current, bytes, &stamp, &visit->conf->sealing, visit->root->pool);
    if (state != SS_VALID) {
        ss_log(visit->root, APLOG_ERR, "SS0405", "the record of a session does not open (%s)",
               ss_state_name(state));
        return SS_RECORD_UNREADABLE;
    }
    return APR_SUCCESS;
}

static void note_current(kept_t *kept, const ss_unpacked_t *current)
{
    memcpy(kept->token, current->token, SS_TOKEN_SIZE);
    kept->text = current->session == NULL ? ss_absent : ss_session_text(current->session);
}

/* Another request has saved under the id of this session, which is `kept` as far as this visit
 * knows it. */
static apr_status_t meet(ss_visit_t *visit, kept_t *kept, int place, const unsigned char *id,
                         ss_bytes_t bytes)
{
    apr_uint32_t cookie_counter = ss_session_stamp(visit->opened.session)->counter;
    int is_older;
    ss_unpacked_t current;
    apr_status_t rv = read_current(&current, visit, id, bytes);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (current.session == NULL) {
        return SS_ENDED_MEANWHILE;
    }
    if (current.is_replaced) {
        return SS_REPLACED_CHANGE;
    }
    /* a cookie that holds the session itself may be newer: then it takes the record's place */
    is_older = kept == NULL && ss_record_counter(current.token) < cookie_counter;
    kept = kept != NULL ? kept : add(visit, place, id);
    note_current(kept, &current);
    kept->is_newer = 1;
    if (!is_older) {
        ss_draft_rebase(visit->draft, current.session);
    }
    return SS_REBASED;
}

/*
 * Saving
 */

/* Longer than the cookie that leads there. */
static apr_interval_time_t life_of(const ss_visit_t *visit, const ss_stamp_t *stamp)
{
    apr_int64_t left = ss_lifetime_left(stamp, &visit->conf->lifetime, visit->now);

    return apr_time_from_sec(left) + OVERTIME;
}

static apr_status_t fault_of_size(ss_visit_t *visit)
{
    ss_session_t *session = ss_visit_session(visit);
    apr_size_t len = ss_session_text(session).len;

    if (len > visit->conf->store_max_size) {
        visit->keeping.over = len - visit->conf->store_max_size;
        return SS_STORED_TOO_LARGE;
    }
    return ss_session_members(session)->nelts > SS_STORED_KEYS_MAX ? SS_STORED_TOO_WIDE
                                                                   : APR_SUCCESS;
}

static apr_uint32_t next_counter(const kept_t *kept, int is_changed)
{
    apr_uint32_t counter = ss_record_counter(kept->token);

    return counter < APR_UINT32_MAX && is_changed ? counter + 1 : counter;
}

static apr_uint32_t larger(apr_uint32_t a, apr_uint32_t b)
{
    return a > b ? a : b;
}

static void note_saved(ss_visit_t *visit, kept_t *kept, int place, const ss_stamp_t *stamp,
                       const unsigned char *token, ss_bytes_t text)
{
    kept = kept != NULL ? kept : add(visit, place, stamp->id);
    memcpy(kept->token, token, SS_TOKEN_SIZE);
    kept->text = text;
    kept->is_saved = 1;
}

/* Save it over what is known to be there. */
static apr_status_t put(ss_visit_t *visit, kept_t *kept, int place, const ss_stamp_t *stamp,
                        apr_time_t deadline)
{
    ss_session_t *session = ss_visit_session(visit);
    ss_store_call_t call = call_of(visit, stamp->id, deadline);
    unsigned char token[SS_TOKEN_SIZE];
    ss_bytes_t bytes, current;
    apr_status_t rv =
        ss_sealing_pack(&bytes, token, session, stamp, &visit->conf->sealing, visit->root->pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    call.again = visit->keeping.tries++ > 0;
    switch (ss_stores_save(&call, place, kept == NULL ? nothing : kept->token, bytes,
                           life_of(visit, stamp), &current)) {
    case SIGNED_SESSION_STORE_SAVED:
        note_saved(visit, kept, place, stamp, token, ss_session_text(session));
        return APR_SUCCESS;
    case SIGNED_SESSION_STORE_CONFLICT:
        return meet(visit, kept, place, stamp->id, current);
    case SIGNED_SESSION_STORE_ABSENT:
        return SS_ENDED_MEANWHILE;
    case SIGNED_SESSION_STORE_FULL:
        visit->keeping.why = call.why;
        return SS_STORE_FULL;
    default:
        visit->keeping.why = call.why;
        return SS_STORE_UNAVAILABLE;
    }
}

apr_status_t ss_keeping_save(ss_visit_t *visit, int place, ss_stamp_t *stamp, int renewing,
                             apr_time_t deadline)
{
    apr_status_t rv = fault_of_size(visit);
    kept_t *kept;
    int is_changed;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    all_of(visit);
    kept = find(visit, place, stamp->id);
    if (kept != NULL) {
        /* one that has begun anew under its id may be as it was */
        is_changed = !ss_bytes_equal(kept->text, ss_session_text(ss_visit_session(visit))) ||
                     stamp->counter > next_counter(kept, 0);
        stamp->counter = larger(stamp->counter, next_counter(kept, is_changed));
        if (!is_changed && (!renewing || kept->is_saved)) {
            return APR_SUCCESS;
        }
    }
    rv = put(visit, kept, place, stamp, deadline);
    if (rv == SS_REBASED && renewing && !ss_session_is_changed(ss_visit_session(visit))) {
        /* whoever has changed it has renewed it as well */
        find(visit, place, stamp->id)->is_saved = 1;
    }
    return rv;
}

apr_uint32_t ss_keeping_counter(ss_visit_t *visit, const ss_stamp_t *stamp)
{
    const apr_array_header_t *all = all_of(visit);
    apr_uint32_t counter = stamp->counter;

    for (int i = 0; i < all->nelts; i++) {
        const kept_t *kept = &APR_ARRAY_IDX(all, i, kept_t);

        if (memcmp(kept->id, stamp->id, SS_SESSION_ID_SIZE) == 0) {
            counter = larger(counter, next_counter(kept, 1));
        }
    }
    return counter;
}

/*
 * Ending
 */

/* Until when the client's cookie would be accepted. */
static const char *end_of_cookie(const ss_visit_t *visit)
{
    const ss_stamp_t *stamp =
        visit->state == SS_VALID ? ss_session_stamp(visit->opened.session) : &visit->opened.judged;
    apr_int64_t left = ss_lifetime_left(stamp, &visit->conf->lifetime, visit->now);
    char *date = apr_palloc(visit->root->pool, APR_RFC822_DATE_LEN);

    apr_rfc822_date(date, visit->now + apr_time_from_sec(left));
    return date;
}

static void tell_of_unended(ss_visit_t *visit, const char *why)
{
    visit->keeping.unended = why;
    ss_log(visit->root, APLOG_ERR, "SS0404",
           "the session could not be ended for every copy: %s; a copy of its cookie stays valid "
           "until %s",
           why, end_of_cookie(visit));
}

/* Has this visit bound the client's session, which goes on with this stamp? */
static int has_bound(const ss_visit_t *visit, const ss_stamp_t *stamp)
{
    return ss_stamp_is_bound(stamp) && visit->state == SS_VALID &&
           !ss_stamp_is_bound(ss_session_stamp(visit->opened.session));
}

/* What takes a record's place: one that is closed; or, if `lingers`, one that is still read. */
static apr_status_t pack_end(ss_bytes_t *bytes, unsigned char *token, const kept_t *kept,
                             int lingers, ss_visit_t *visit)
{
    const ss_sealing_t *how = &visit->conf->sealing;
    ss_stamp_t stamp = { .counter = next_counter(kept, 1) };

    memcpy(stamp.id, kept->id, SS_SESSION_ID_SIZE);
    return lingers
               ? ss_sealing_pack_replaced(bytes, token, kept->text, &stamp, how, visit->root->pool)
               : ss_sealing_pack(bytes, token, NULL, &stamp, how, visit->root->pool);
}

/* Close a record, over what is expected to be there or over anything (NULL). Returns what the store
 * has answered, in words of ours. */
static apr_status_t close_record(ss_visit_t *visit, kept_t *kept, const unsigned char *expected,
                                 int lingers, apr_time_t deadline)
{
    ss_store_call_t call = call_of(visit, kept->id, deadline);
    unsigned char token[SS_TOKEN_SIZE];
    ss_bytes_t bytes, current;
    ss_unpacked_t there;
    apr_status_t rv = pack_end(&bytes, token, kept, lingers, visit);

    if (rv != APR_SUCCESS) {
        tell_of_unended(visit, "OpenSSL failed to seal its record");
        return APR_SUCCESS;
    }
    switch (lingers ? ss_stores_save(&call, kept->place, expected, bytes,
                                     apr_time_from_sec(SS_REPLACED_LIVES), &current)
                    : ss_stores_close(&call, kept->place, expected, bytes, &current)) {
    case SIGNED_SESSION_STORE_SAVED:
        memcpy(kept->token, token, SS_TOKEN_SIZE);
        break;
    case SIGNED_SESSION_STORE_CONFLICT:
        rv = read_current(&there, visit, kept->id, current);
        if (rv == APR_SUCCESS && there.session != NULL && !there.is_replaced) {
            note_current(kept, &there);
            if (kept->is_first) {
                ss_draft_rebase(visit->draft, there.session);
            }
            return SS_REBASED;
        }
        kept->is_over = rv == APR_SUCCESS;
        break;
    case SIGNED_SESSION_STORE_ABSENT:
        kept->is_over = 1;
        break;
    default:
        if (lingers) {
            visit->keeping.why = call.why;
            return SS_UNENDED_CHANGE;
        }
        tell_of_unended(visit, call.why);
    }
    kept->text = ss_absent;
    return kept->is_over ? SS_ENDED_MEANWHILE : APR_SUCCESS;
}

/* Close the one that has just been saved under a new id. */
static void take_back(ss_visit_t *visit, int place, const unsigned char *id, apr_time_t deadline)
{
    kept_t *kept;

    all_of(visit);
    kept = find(visit, place, id);
    if (kept != NULL) {
        close_record(visit, kept, kept->token, 0, deadline);
    }
}

apr_status_t ss_keeping_close_others(ss_visit_t *visit, int place, const ss_stamp_t *stamp,
                                     apr_time_t deadline)
{
    int is_cookie = ss_stores_is_cookie(visit->conf->stores, place);
    const unsigned char *id = stamp->id;
    apr_array_header_t *all = all_of(visit);

    for (int i = 0; i < all->nelts; i++) {
        kept_t *kept = &APR_ARRAY_IDX(all, i, kept_t);
        int is_same = memcmp(kept->id, id, SS_SESSION_ID_SIZE) == 0;
        apr_status_t rv;

        /* the record of a session that is in the cookie again is left to expire: other cookies may
         * still lead there, and ours has the higher counter */
        if (kept->text.data == NULL || is_at(kept, place, id) || (is_cookie && is_same)) {
            continue;
        }
        rv = close_record(visit, kept, kept->token, has_bound(visit, stamp) && kept->is_first,
                          deadline);
        if ((rv == SS_ENDED_MEANWHILE && kept->is_first) || rv == SS_UNENDED_CHANGE) {
            take_back(visit, place, id, deadline);
            return rv;
        }
        if (rv == SS_REBASED) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* Whose session the client has, or had; NULL: nobody's that a store could know. */
static const unsigned char *id_of_client(const ss_visit_t *visit)
{
    const ss_opened_t *opened = &visit->opened;

    if (visit->state == SS_UNAVAILABLE) {
        return opened->judged.id;
    }
    return opened->format != NULL && !(opened->format->traits & SS_FORMAT_FOREIGN)
               ? ss_session_stamp(opened->session)->id
               : NULL;
}

/* Put an id into the log of revocations, once; in a store there is no room for every logout. */
static void strike(ss_visit_t *visit, const unsigned char *id)
{
    const char *why;

    if (visit->keeping.is_struck || visit->conf->revocation.kind != SS_REVOKING_FILE) {
        return;
    }
    visit->keeping.is_struck = 1;
    if (ss_revoking_add(visit->conf, SS_REVOKED_ID, ss_bytes((const char *)id, SS_SESSION_ID_SIZE),
                        &why, visit->root->pool) != APR_SUCCESS) {
        tell_of_unended(visit, why);
    }
}

/* The id of the cookie from before a binding: what holds it could go on else. Where it leads to a
 * record that says it all, and needs none. */
static apr_status_t strike_replaced(ss_visit_t *visit, const unsigned char *id)
{
    apr_status_t rv;

    if (visit->keeping.is_struck || visit->opened.is_stored) {
        return APR_SUCCESS;
    }
    rv = ss_revoking_add(visit->conf, SS_REVOKED_REPLACED,
                         ss_bytes((const char *)id, SS_SESSION_ID_SIZE), &visit->keeping.why,
                         visit->root->pool);
    visit->keeping.is_struck = rv == APR_SUCCESS;
    if (rv == APR_EEXIST) {
        return SS_REPLACED_CHANGE;
    }
    return rv == APR_SUCCESS ? rv : SS_UNENDED_CHANGE;
}

static int was_somebodys(const ss_visit_t *visit)
{
    return ss_revoking_subject(visit->conf, visit->opened.session, visit->root->pool).data != NULL;
}

apr_status_t ss_keeping_strike_old(ss_visit_t *visit, int place, const ss_stamp_t *stamp,
                                   apr_time_t deadline)
{
    const unsigned char *old = id_of_client(visit);
    apr_status_t rv = APR_SUCCESS;

    if (old == NULL || memcmp(old, stamp->id, SS_SESSION_ID_SIZE) == 0) {
        return APR_SUCCESS;
    }
    if (has_bound(visit, stamp)) {
        rv = strike_replaced(visit, old);
    }
    else if (ss_draft_has_ended(visit->draft) || was_somebodys(visit)) {
        strike(visit, old);
    }
    if (rv != APR_SUCCESS) {
        take_back(visit, place, stamp->id, deadline);
    }
    return rv;
}

void ss_keeping_end(ss_visit_t *visit, int ended, apr_time_t deadline)
{
    const unsigned char *id = ended ? id_of_client(visit) : NULL;
    apr_array_header_t *all = all_of(visit);

    if (id != NULL) {
        strike(visit, id);
    }
    for (int place = 0; id != NULL && place < ss_stores_count(visit->conf->stores); place++) {
        if (!ss_stores_is_cookie(visit->conf->stores, place) && find(visit, place, id) == NULL) {
            add(visit, place, id)->text = ss_bytes("", 0); /* there may be one */
        }
    }
    for (int i = 0; i < all->nelts; i++) {
        kept_t *kept = &APR_ARRAY_IDX(all, i, kept_t);

        if (kept->text.data != NULL && (ended || !kept->is_first)) {
            close_record(visit, kept, NULL, 0, deadline);
        }
    }
}
