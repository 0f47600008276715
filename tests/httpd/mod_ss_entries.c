/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* For tests only: does what modules do that were made for mod_session. The request header X-Calls
 * has calls separated by "|", each a function and its arguments separated by tabs; the answer has a
 * line for each. */

#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

#include <apr_strings.h>
#include <mod_session.h>

static APR_OPTIONAL_FN_TYPE(ap_session_load) * session_load;
static APR_OPTIONAL_FN_TYPE(ap_session_save) * session_save;
static APR_OPTIONAL_FN_TYPE(ap_session_get) * session_get;
static APR_OPTIONAL_FN_TYPE(ap_session_set) * session_set;

static int fetch(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)pconf;
    (void)plog;
    (void)ptemp;
    (void)s;
    session_load = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_save = APR_RETRIEVE_OPTIONAL_FN(ap_session_save);
    session_get = APR_RETRIEVE_OPTIONAL_FN(ap_session_get);
    session_set = APR_RETRIEVE_OPTIONAL_FN(ap_session_set);
    return OK;
}

static int print_entry(void *r, const char *key, const char *value)
{
    ap_rprintf(r, "%s=%s;", key, value);
    return 1;
}

static void call(request_rec *r, session_rec *z, const char *function, const char *key,
                 const char *value)
{
    const char *got = NULL;

    if (strcmp(function, "get") == 0) {
        session_get(r, z, key, &got);
        ap_rputs(got == NULL ? "-" : got, r);
    }
    else if (strcmp(function, "get-by-itself") == 0) {
        session_get(r, NULL, key, &got);
        ap_rputs(got == NULL ? "-" : got, r);
    }
    else if (strcmp(function, "set") == 0) {
        ap_rputs(session_set(r, z, key, value) == APR_SUCCESS ? "ok" : "refused", r);
    }
    else if (strcmp(function, "edit") == 0) {
        apr_table_set(z->entries, key, value);
        z->dirty = 1;
    }
    else if (strcmp(function, "save") == 0) {
        session_save(r, z);
    }
    else if (strcmp(function, "list") == 0 && z != NULL) {
        apr_table_do(print_entry, r, z->entries, NULL);
    }
    else if (strcmp(function, "flush") == 0) {
        ap_rflush(r);
    }
    ap_rputs("\n", r);
}

static int answer(request_rec *r)
{
    char *rest = apr_pstrdup(r->pool, apr_table_get(r->headers_in, "X-Calls"));
    session_rec *z = NULL;
    char *line, *state;

    if (r->handler == NULL || strcmp(r->handler, "ss-entries") != 0) {
        return DECLINED;
    }
    ap_set_content_type(r, "text/plain");
    if (session_load == NULL) {
        ap_rputs("no mod_session\n", r);
        return OK;
    }
    session_load(r, &z);
    if (z == NULL) {
        ap_rputs("no session\n", r);
    }
    for (line = apr_strtok(rest, "|", &state); line != NULL; line = apr_strtok(NULL, "|", &state)) {
        char *last;
        const char *function = apr_strtok(line, "\t", &last);
        const char *key = apr_strtok(NULL, "\t", &last);

        call(r, z, function, key, apr_strtok(NULL, "\t", &last));
    }
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_post_config(fetch, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(answer, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(ss_entries)
= {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks,
#ifdef AP_MODULE_FLAG_NONE
    AP_MODULE_FLAG_NONE,
#endif
};
