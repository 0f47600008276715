/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* For measurements only: the smallest handlers that use a session, and one that uses none.
 *
 * A handler that does not find the session it is to use answers 500, so that nothing is measured
 * that did not happen. */

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

#include <mod_session.h>

#define KEY "visits"
#define NEW_VALUE "2"
#define FILLER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static APR_OPTIONAL_FN_TYPE(ap_session_load) * session_load;
static APR_OPTIONAL_FN_TYPE(ap_session_get) * session_get;
static APR_OPTIONAL_FN_TYPE(ap_session_set) * session_set;

static int use_nothing(request_rec *r)
{
    (void)r;
    return 1;
}

static int only_vary(request_rec *r)
{
    apr_table_addn(r->headers_out, "Vary", "Cookie");
    return 1;
}

static int read_note(request_rec *r)
{
    return apr_table_get(r->notes, "session:" KEY) != NULL;
}

static int change_by_note(request_rec *r)
{
    apr_table_setn(r->notes, "session-update", "{\"" KEY "\":" NEW_VALUE "}");
    return read_note(r);
}

static int read_mod_session(request_rec *r)
{
    session_rec *session = NULL;
    const char *value = NULL;

    return session_load != NULL && session_load(r, &session) == APR_SUCCESS && session != NULL &&
           session_get(r, session, KEY, &value) == APR_SUCCESS && value != NULL;
}

static int begin_mod_session(request_rec *r)
{
    session_rec *session = NULL;

    return session_load != NULL && session_load(r, &session) == APR_SUCCESS && session != NULL &&
           session_set(r, session, KEY, "1") == APR_SUCCESS &&
           session_set(r, session, "filler", FILLER) == APR_SUCCESS;
}

static int change_mod_session(request_rec *r)
{
    session_rec *session = NULL;

    return read_mod_session(r) && session_load(r, &session) == APR_SUCCESS &&
           session_set(r, session, KEY, NEW_VALUE) == APR_SUCCESS;
}

/* clang-format off */
static const struct {
    const char *handler;
    int (*use)(request_rec *r); /* returns whether there was a session */
} rows[] = {
    { "bench-nothing",            use_nothing },
    { "bench-vary",               only_vary },
    { "bench-read",               read_note },
    { "bench-change",             change_by_note },
    { "bench-mod-session-begin",  begin_mod_session },
    { "bench-mod-session-read",   read_mod_session },
    { "bench-mod-session-change", change_mod_session },
};
/* clang-format on */

static int answer(request_rec *r)
{
    for (size_t i = 0; r->handler != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(r->handler, rows[i].handler) == 0) {
            if (!rows[i].use(r)) {
                return HTTP_INTERNAL_SERVER_ERROR;
            }
            ap_set_content_type(r, "text/plain");
            ap_rputs("a short answer\n", r);
            return OK;
        }
    }
    return DECLINED;
}

static void find_mod_session(void)
{
    session_load = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_get = APR_RETRIEVE_OPTIONAL_FN(ap_session_get);
    session_set = APR_RETRIEVE_OPTIONAL_FN(ap_session_set);
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_optional_fn_retrieve(find_mod_session, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(answer, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(ss_bench)
= { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE };
