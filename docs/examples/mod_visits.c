/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * An example: a handler that counts the visits of each browser in its session, built and tested
 * with every test run. It needs nothing but mod_signed_session.h:
 *
 *     apxs -c mod_visits.c
 *
 *     <Location "/visits">
 *         SetHandler visits
 *         SignedSession On
 *     </Location>
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

#include <apr_strings.h>

#include <mod_signed_session.h>

static APR_OPTIONAL_FN_TYPE(signed_session_get) * session_get;
static APR_OPTIONAL_FN_TYPE(signed_session_set_json) * session_set_json;

/* The functions are absent where mod_signed_session is not loaded; so fetch them, and ask. */
static void fetch(void)
{
    session_get = APR_RETRIEVE_OPTIONAL_FN(signed_session_get);
    session_set_json = APR_RETRIEVE_OPTIONAL_FN(signed_session_set_json);
}

static int count_visit(request_rec *r)
{
    const char *before = NULL;
    apr_status_t rv;
    apr_int64_t visits;

    if (r->handler == NULL || strcmp(r->handler, "visits") != 0) {
        return DECLINED;
    }
    if (session_get == NULL) {
        return HTTP_NOT_IMPLEMENTED;
    }

    rv = session_get(r, "visits", &before);
    visits = rv == APR_SUCCESS ? apr_atoi64(before) + 1 : 1;
    if (rv == SIGNED_SESSION_E_OFF) {
        return HTTP_FORBIDDEN;
    }

    /* Before the first byte of the answer: later the cookie could not be sent any more. */
    rv = session_set_json(r, "visits", apr_psprintf(r->pool, "%" APR_INT64_T_FMT, visits));
    ap_set_content_type(r, "text/plain");
    ap_rprintf(r, "visits=%" APR_INT64_T_FMT "%s\n", visits,
               rv == APR_SUCCESS ? "" : " (not kept)");
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_optional_fn_retrieve(fetch, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(count_visit, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(visits)
= {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#ifdef AP_MODULE_FLAG_NONE
    AP_MODULE_FLAG_NONE,
#endif
};
