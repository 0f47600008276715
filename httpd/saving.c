/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <http_protocol.h>

#include "httpd/keeping.h"
#include "httpd/log.h"
#include "httpd/proving.h"
#include "httpd/revoking.h"
#include "httpd/saving.h"
#include "httpd/stores.h"

static int is_https(const ss_visit_t *visit)
{
    return strcmp(ap_http_scheme(visit->root), "https") == 0;
}

/* What proves that the client has a session's key goes with the session. */
static void drop_proof(ss_visit_t *visit)
{
    apr_pool_t *pool = visit->root->pool;

    if (ss_proving_is_on(visit->conf) && ss_proving_count(visit->conf, visit->header) > 0) {
        const ss_cookie_t proof = ss_proving_cookie(visit->conf);

        visit->saving.set_proof = ss_cookie_print_deletion(&proof, is_https(visit), pool);
    }
}

static void print_deletion(ss_visit_t *visit)
{
    apr_pool_t *pool = visit->root->pool;

    drop_proof(visit);

    visit->saving.set_cookie =
        ss_cookie_print_deletion(&visit->conf->cookie, is_https(visit), pool);
    if (visit->companions > 0) {
        ss_cookie_t companion = ss_config_companion(visit->conf);

        visit->saving.set_companion = ss_cookie_print_deletion(&companion, is_https(visit), pool);
    }
}

/* As an application wrote it, or as it is configured. `line` is NULL, or what the application
 * wrote. */
static const char *print_as(const ss_visit_t *visit, const char *line, const ss_cookie_t *cookie,
                            ss_bytes_t value, apr_int64_t max_age)
{
    return visit->shared_cookie.is_adopted && line != NULL
               ? ss_cookie_with_value(line, value, visit->root->pool)
               : ss_cookie_print(cookie, value, max_age, is_https(visit), visit->root->pool);
}

/* After a migration away from a format with two cookies its companion goes with the first write. */
static void print_cookie(ss_visit_t *visit, const ss_sealed_t *sealed, apr_int64_t max_age)
{
    ss_cookie_t companion = ss_config_companion(visit->conf);

    visit->saving.set_cookie =
        print_as(visit, visit->shared_cookie.line, &visit->conf->cookie, sealed->value, max_age);
    if (sealed->companion.data != NULL) {
        visit->saving.set_companion = print_as(visit, visit->shared_cookie.companion_line,
                                               &companion, sealed->companion, max_age);
    }
    else if (visit->companions > 0) {
        visit->saving.set_companion =
            ss_cookie_print_deletion(&companion, is_https(visit), visit->root->pool);
    }
}

/* The same where the client's cookie is one that only its application may overwrite: it may be
 * ended, and then that is all. */
static apr_status_t print_owned(ss_visit_t *visit)
{
    ss_session_t *session = ss_visit_session(visit);

    if (!ss_draft_was_ended(visit->draft)) {
        return ss_session_is_changed(session) ? SS_OWNED : APR_SUCCESS;
    }
    print_deletion(visit);
    if (!ss_session_is_empty(session)) {
        ss_log(visit->root, APLOG_ERR, "SS0312", "the session was ended, but not begun anew: %s",
               ss_format_refusal(SS_OWNED));
    }
    return APR_SUCCESS;
}

/* The same where nobody has proved that it is his session, or it should have been bound: it stays
 * as it is, unless it is ended here, or a new one begins. */
static int may_replace(const ss_visit_t *visit)
{
    ss_session_t *session = ss_visit_session(visit);

    if (ss_session_is_empty(session)) {
        return ss_draft_was_ended(visit->draft);
    }
    return ss_draft_has_ended(visit->draft) || ss_draft_was_login(visit->draft) ||
           ss_revoking_subject(visit->conf, session, visit->root->pool).data != NULL;
}

static int is_nobodys(const ss_visit_t *visit)
{
    return visit->state == SS_UNPROVEN || visit->state == SS_UNBOUND;
}

static int has_store(const ss_visit_t *visit)
{
    return ss_stores_has_store(visit->conf->stores);
}

/* The client's session is over: its cookie goes, and its record is closed. Returns whether it is.
 */
static int is_over(const ss_visit_t *visit)
{
    return ss_session_is_changed(ss_visit_session(visit)) || ss_draft_has_ended(visit->draft);
}

static void print_nothing(ss_visit_t *visit, apr_time_t deadline)
{
    int over = is_over(visit);

    if (has_store(visit) || (over && ss_revoking_is_on(visit->conf))) {
        ss_keeping_end(visit, over, deadline);
    }
    if (over && visit->cookies + visit->companions > 0) {
        print_deletion(visit);
    }
}

/* The same where nobody knows what the client's session is: it stays, unless the place goes on
 * without it. */
static apr_status_t print_unavailable(ss_visit_t *visit, apr_time_t deadline)
{
    if (!ss_session_is_empty(ss_visit_session(visit))) {
        return SS_STORE_UNAVAILABLE;
    }
    if (visit->outage.is_anonymous) {
        print_nothing(visit, deadline);
    }
    return APR_SUCCESS;
}

/* A session that begins in the second in which its user was logged out everywhere is not one of
 * those. Of a framework's cookie the only time is the one that it is signed at. */
static void date_behind_revocations(ss_stamp_t *stamp, const ss_visit_t *visit)
{
    const ss_sealing_t *how = &visit->conf->sealing;
    ss_session_t *session = ss_visit_session(visit);
    int has_creation = (ss_sealing_written(how)->traits & SS_FORMAT_CREATED) != 0;
    apr_int64_t back = has_creation ? 0 : ss_lifetime_head_start(how->lifetime);
    apr_int64_t *dated = has_creation ? &stamp->created : &stamp->renewed;
    apr_int64_t earliest;

    if (has_creation && ss_session_stamp(session)->created != SS_NO_TIME) {
        return; /* it began before */
    }
    earliest = ss_revoking_earliest(visit->conf, session, visit->now, visit->root->pool) + back;
    if (*dated < earliest) {
        *dated = earliest;
    }
}

static int is_migration(const ss_visit_t *visit)
{
    return visit->opened.format != NULL &&
           visit->opened.format != ss_sealing_written(&visit->conf->sealing);
}

/* What the next cookie says of the session. One that begins in this visit has the same id each
 * time. */
static apr_status_t stamp_of(ss_stamp_t *stamp, ss_visit_t *visit)
{
    ss_session_t *session = ss_visit_session(visit);
    apr_status_t rv = ss_sealing_stamp(stamp, session, &visit->conf->sealing, visit->now);

    if (rv == APR_SUCCESS && ss_session_stamp(session)->counter == 0 && has_store(visit)) {
        rv = ss_keeping_new_id(stamp->id, visit);
    }
    if (rv == APR_SUCCESS && is_migration(visit) && visit->conf->bind.kind == SS_BIND_REQUIRED) {
        stamp->created = stamp->renewed; /* from now on it has to be bound */
    }
    if (rv == APR_SUCCESS && ss_revoking_is_on(visit->conf)) {
        date_behind_revocations(stamp, visit);
    }
    return rv;
}

/* A session that has outgrown the cookie goes back there when it leaves room for a while. */
static int is_crowded(const ss_visit_t *visit, const ss_sealed_t *cookie)
{
    const ss_sealing_t *how = &visit->conf->sealing;

    return visit->opened.is_stored && ss_sealing_size(cookie, how) > how->max_size / 4 * 3;
}

static apr_status_t put_into_cookie(ss_sealing_result_t *result, ss_visit_t *visit,
                                    ss_stamp_t stamp)
{
    apr_status_t rv;

    if (has_store(visit)) {
        stamp.counter = ss_keeping_counter(visit, &stamp);
    }
    rv = ss_sealing_hold(result, ss_visit_session(visit), &stamp, &visit->conf->sealing,
                         visit->root->pool);
    visit->saving.over = result->over;
    return rv == APR_SUCCESS && is_crowded(visit, &result->cookie) ? APR_ENOSPC : rv;
}

static apr_status_t put_into_store(ss_sealing_result_t *result, ss_visit_t *visit, int place,
                                   ss_stamp_t stamp, int renewing, apr_time_t deadline)
{
    apr_status_t rv = ss_keeping_save(visit, place, &stamp, renewing, deadline);

    return rv != APR_SUCCESS
               ? rv
               : ss_sealing_refer(result, &stamp, &visit->conf->sealing, visit->root->pool);
}

int ss_saving_is_too_large(apr_status_t rv)
{
    return rv == APR_ENOSPC || rv == SS_STORED_TOO_LARGE || rv == SS_STORED_TOO_WIDE;
}

/* Has the client's session been revoked since it was loaded, or been given another id? It must not
 * go on under another id, or with another time of creation. That this visit has revoked it itself
 * is another matter. */
static apr_status_t judge_again(const ss_visit_t *visit)
{
    int is_replaced = 0;
    int is_ours = visit->revoke.is_done || visit->keeping.is_struck;

    if (!ss_revoking_is_on(visit->conf) || visit->state != SS_VALID || is_ours) {
        return APR_SUCCESS;
    }
    switch (ss_revoking_judge(visit->conf, visit->opened.session, &is_replaced, visit->now,
                              visit->root->pool)) {
    case SS_REVOKED:
        return SS_ENDED_MEANWHILE;
    case SS_UNAVAILABLE:
        return SS_STORE_UNAVAILABLE;
    default:
        return is_replaced ? SS_REPLACED_CHANGE : APR_SUCCESS;
    }
}

/* Another server, which lists the stores in another order, has moved it from this one to a later
 * one, where it was loaded from: it stays there. Whether it has ended is seen there, too. */
static int has_moved_on(const ss_visit_t *visit, int place, apr_status_t rv)
{
    return rv == SS_ENDED_MEANWHILE && visit->opened.is_stored && place < visit->opened.place;
}

/* Into the first place that it fits into. */
static apr_status_t put(ss_sealing_result_t *result, ss_visit_t *visit, int renewing,
                        apr_time_t deadline)
{
    const ss_stores_t *stores = visit->conf->stores;
    ss_stamp_t stamp;
    int place = 0;
    apr_status_t rv = judge_again(visit);

    if (rv == APR_SUCCESS) {
        rv = stamp_of(&stamp, visit);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    do {
        rv = ss_stores_is_cookie(stores, place)
                 ? put_into_cookie(result, visit, stamp)
                 : put_into_store(result, visit, place, stamp, renewing, deadline);
    } while ((ss_saving_is_too_large(rv) || ss_format_refusal(rv) != NULL ||
              has_moved_on(visit, place, rv)) &&
             ++place < ss_stores_count(stores));
    if (rv == APR_SUCCESS && ss_revoking_is_on(visit->conf)) {
        rv = ss_keeping_strike_old(visit, place, &stamp, deadline);
    }
    return rv == APR_SUCCESS && ss_stores_has_store(stores)
               ? ss_keeping_close_others(visit, place, &stamp, deadline)
               : rv;
}

/* What the response must carry; the session decides, nothing is remembered here. */
static apr_status_t print(ss_visit_t *visit, int renewing, apr_time_t deadline)
{
    ss_session_t *session = ss_visit_session(visit);
    ss_sealing_result_t result;
    apr_status_t rv;

    visit->saving.set_cookie = visit->saving.set_companion = visit->saving.set_proof = NULL;
    memset(visit->saving.id, 0, sizeof(visit->saving.id));
    if (visit->opened.is_owned) {
        return print_owned(visit);
    }
    if (is_nobodys(visit) && !may_replace(visit)) {
        return ss_session_is_changed(session) ? SS_UNPROVEN_CHANGE : APR_SUCCESS;
    }
    if (visit->opened.is_replaced) {
        return SS_REPLACED_CHANGE; /* and it must not take the place of the new cookie */
    }
    if (visit->state == SS_UNAVAILABLE) {
        return print_unavailable(visit, deadline);
    }
    if (ss_session_is_empty(session)) {
        print_nothing(visit, deadline);
        return APR_SUCCESS;
    }
    if (visit->opened.is_closed) {
        return SS_ENDED_MEANWHILE; /* a new session would take the place of what has followed */
    }
    if (!ss_session_is_changed(session) && !renewing && !ss_keeping_differs(visit)) {
        return APR_SUCCESS;
    }
    rv = put(&result, visit, renewing, deadline);
    if (rv == APR_SUCCESS) {
        memcpy(visit->saving.id, result.stamp.id, sizeof(visit->saving.id));
        if (!ss_stamp_is_bound(&result.stamp)) {
            drop_proof(visit);
        }
        print_cookie(visit, &result.cookie,
                     ss_sealing_max_age(session, &result.stamp, &visit->conf->sealing, visit->now));
    }
    return rv;
}

/* Whose changes wait for each other in this child; NULL: there is nobody to wait for. */
static const unsigned char *id_to_lock(const ss_visit_t *visit)
{
    return has_store(visit) && visit->state == SS_VALID
               ? ss_session_stamp(visit->opened.session)->id
               : NULL;
}

/* Who has waited for the others until there was no time left gives up; but a session must end. */
static apr_time_t deadline_behind(const ss_visit_t *visit, apr_time_t deadline)
{
    int ends = ss_draft_has_ended(visit->draft) || ss_session_is_empty(ss_visit_session(visit));
    apr_time_t now = apr_time_now();

    return ends && now >= deadline ? now + visit->conf->store_timeout : deadline;
}

/* Until it is done, or time is up: each time that another request was faster the session is another
 * one. The time includes waiting for the others. */
static apr_status_t print_in_time(ss_visit_t *visit, int renewing)
{
    apr_time_t deadline = has_store(visit) ? apr_time_now() + visit->conf->store_timeout : 0;
    const unsigned char *id = id_to_lock(visit);
    apr_status_t rv = SS_REBASED;

    if (id != NULL) {
        ss_stores_lock(visit->conf->stores, id);
        deadline = deadline_behind(visit, deadline);
    }
    while (rv == SS_REBASED && (!has_store(visit) || apr_time_now() < deadline)) {
        rv = print(visit, renewing, deadline);
    }
    if (id != NULL) {
        ss_stores_unlock(visit->conf->stores, id);
    }
    return rv == SS_REBASED ? SS_CONTENDED : rv;
}

/* Is there anything to be done at all? */
static int is_idle(ss_visit_t *visit, int renewing)
{
    return !renewing && !ss_draft_has_ended(visit->draft) &&
           !ss_session_is_changed(ss_visit_session(visit)) && !ss_keeping_differs(visit);
}

apr_status_t ss_saving_seal(ss_visit_t *visit, int may_renew, const char **set_cookie)
{
    ss_saving_note_t *saving = &visit->saving;
    int renewing = may_renew && !visit->untouched && !visit->opened.is_replaced;
    apr_status_t rv = APR_SUCCESS;

    if (!saving->is_defined || saving->version != ss_draft_version(visit->draft) ||
        saving->renewing != renewing) {
        if (is_idle(visit, renewing)) {
            saving->set_cookie = saving->set_companion = saving->set_proof = NULL;
        }
        else {
            rv = print_in_time(visit, renewing);
        }
        saving->is_defined = rv == APR_SUCCESS;
        saving->version = ss_draft_version(visit->draft);
        saving->renewing = renewing;
    }
    *set_cookie = saving->set_cookie;
    return rv;
}
