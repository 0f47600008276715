/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/keeping.h"
#include "httpd/unsaved.h"

/** What a place limits, in words. */
typedef struct bound_t {
    const char *number, *what, *what_for_client, *directive;
} bound_t;

static const bound_t of_cookie = { "SS0302", "its cookie would be", "its cookie would be",
                                   "SignedSessionMaxSize" };
static const bound_t of_record = { "SS0406", "its JSON text is", "it would be",
                                   "SignedSessionStoreMaxSize" };

static ss_unsaved_t too_large(const ss_visit_t *visit, const bound_t *bound, apr_size_t over,
                              apr_size_t limit)
{
    apr_pool_t *pool = visit->root->pool;
    const char *excess =
        apr_psprintf(pool, "%" APR_SIZE_T_FMT " bytes over the limit of %" APR_SIZE_T_FMT " (%s)",
                     over, limit, bound->directive);
    const ss_unsaved_t unsaved = {
        HTTP_REQUEST_ENTITY_TOO_LARGE, APLOG_ERR, SS_REFUSED_TOO_LARGE,
        apr_psprintf(pool, "%s: the session was not saved: %s %s: keep less in it", bound->number,
                     bound->what, excess),
        apr_psprintf(pool, "The session would not fit: %s %s.", bound->what_for_client, excess)
    };

    return unsaved;
}

static ss_unsaved_t of_store(const ss_visit_t *visit, int status, const char *fallback,
                             const char *detail)
{
    const char *why = visit->keeping.why != NULL ? visit->keeping.why : fallback;
    const ss_unsaved_t unsaved = {
        status, APLOG_ERR,
        status == HTTP_INSUFFICIENT_STORAGE ? SS_REFUSED_FULL : SS_REFUSED_UNAVAILABLE,
        apr_psprintf(visit->root->pool, "SS0402: the session was not saved: %s", why), detail
    };

    return unsaved;
}

static ss_unsaved_t unended(const ss_visit_t *visit)
{
    const ss_unsaved_t unsaved = {
        HTTP_SERVICE_UNAVAILABLE, APLOG_ERR, SS_REFUSED_UNAVAILABLE,
        apr_psprintf(visit->root->pool,
                     "SS0515: the session was not bound to the browser's key, because its cookie "
                     "from before could not be revoked: %s",
                     visit->keeping.why),
        "SS0515: The session was not bound: its old cookie cannot be revoked at the moment."
    };

    return unsaved;
}

static ss_unsaved_t of_format(const ss_visit_t *visit, apr_status_t rv)
{
    apr_pool_t *pool = visit->root->pool;
    const char *refusal = ss_format_refusal(rv);
    const ss_unsaved_t unsaved = {
        HTTP_REQUEST_ENTITY_TOO_LARGE, APLOG_ERR, SS_REFUSED_TOO_LARGE,
        apr_psprintf(pool, "SS0312: the session was not saved: %s", refusal),
        apr_psprintf(pool, "The session could not be opened again: %s.", refusal)
    };
    static const ss_unsaved_t unsealed = {
        HTTP_INTERNAL_SERVER_ERROR, APLOG_ERR, SS_REFUSED_UNSEALED,
        "SS0306: the session was not saved: OpenSSL or zlib failed to seal it",
        "The session could not be sealed."
    };

    return refusal == NULL ? unsealed : unsaved;
}

ss_unsaved_t ss_unsaved_of(const ss_visit_t *visit, apr_status_t rv)
{
    static const ss_unsaved_t ended = {
        HTTP_CONFLICT, APLOG_WARNING, SS_REFUSED_ENDED,
        "SS0403: the session was not saved: it was ended meanwhile",
        "SS0403: The session was ended meanwhile, by another request."
    };
    static const ss_unsaved_t contended = {
        HTTP_CONFLICT, APLOG_ERR, SS_REFUSED_CONTENDED,
        "SS0402: the session was not saved: other requests change it all the time",
        "SS0402: Other requests change the session all the time: try again."
    };
    static const ss_unsaved_t unproven = {
        HTTP_CONFLICT, APLOG_DEBUG, SS_REFUSED_UNPROVEN,
        "SS0513: the session was not saved: the browser has not proved that it has its key, or it "
        "was not bound in time",
        "SS0513: This browser has not proved that the session is its own: log in again."
    };
    static const ss_unsaved_t replaced = {
        HTTP_CONFLICT, APLOG_DEBUG, SS_REFUSED_REPLACED,
        "SS0514: the session was not saved: it was bound to the browser's key a moment ago, and "
        "this request still came with the cookie from before",
        "SS0514: The session has just been bound to this browser: try again."
    };
    static const ss_unsaved_t too_wide = {
        HTTP_REQUEST_ENTITY_TOO_LARGE, APLOG_ERR, SS_REFUSED_TOO_LARGE,
        "SS0406: the session was not saved: a stored session has at most " APR_STRINGIFY(
            SS_STORED_KEYS_MAX) " top-level keys",
        "The session would have more than " APR_STRINGIFY(SS_STORED_KEYS_MAX) " top-level keys."
    };

    switch (rv) {
    case APR_ENOSPC:
        return too_large(visit, &of_cookie, visit->saving.over, visit->conf->max_size);
    case SS_STORED_TOO_LARGE:
        return too_large(visit, &of_record, visit->keeping.over, visit->conf->store_max_size);
    case SS_STORED_TOO_WIDE:
        return too_wide;
    case SS_ENDED_MEANWHILE:
        return ended;
    case SS_CONTENDED:
        return contended;
    case SS_UNPROVEN_CHANGE:
        return unproven;
    case SS_REPLACED_CHANGE:
        return replaced;
    case SS_UNENDED_CHANGE:
        return unended(visit);
    case SS_RECORD_UNREADABLE:
        return of_store(visit, HTTP_SERVICE_UNAVAILABLE, "its record does not open",
                        "SS0402: The session cannot be read at the moment.");
    case SS_STORE_FULL:
        return of_store(visit, HTTP_INSUFFICIENT_STORAGE, "the store is full",
                        "SS0402: There is no room for the session at the moment.");
    case SS_STORE_UNAVAILABLE:
        return of_store(visit, HTTP_SERVICE_UNAVAILABLE, "it could not be loaded",
                        "SS0402: The session cannot be saved at the moment: try again later. The "
                        "change may have been made.");
    default:
        return of_format(visit, rv);
    }
}
