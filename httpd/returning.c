/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/caller.h"
#include "httpd/identity.h"
#include "httpd/log.h"
#include "httpd/returning.h"
#include "httpd/rules.h"
#include "httpd/saving.h"
#include "httpd/visit.h"
#include "lib/encode.h"
#include "lib/return_path.h"

/* mod_auth_form's handlers answer themselves, and only then is it known who has logged in. */
static int is_form_handler(const char *handler)
{
    static const char *const names[] = { "form-login-handler", "form-logout-handler",
                                         "form-redirect-handler", NULL };

    for (int i = 0; names[i] != NULL; i++) {
        if (handler != NULL && strcmp(handler, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int is_asked(const request_rec *r, const ss_return_conf_t *way_back)
{
    return way_back->param != NULL && r->main == NULL && r->method_number != M_OPTIONS &&
           r->method_number != M_TRACE && !ss_caller_is_error(r) && !is_form_handler(r->handler);
}

/* Without its query and a slash at its end, which mod_dir adds; absent when it is none. */
static ss_bytes_t plain_path(const char *path, apr_pool_t *pool)
{
    ss_bytes_t decoded;

    if (path == NULL ||
        ss_percent_decode(&decoded, ss_bytes(path, strcspn(path, "?")), 0, pool) != APR_SUCCESS) {
        return ss_absent;
    }
    decoded.len -= decoded.len > 1 && decoded.data[decoded.len - 1] == '/';
    return decoded;
}

/* Has the client asked for this? mod_dir may have given the request another address since. */
static int is_here(request_rec *r, const char *path)
{
    ss_bytes_t asked = plain_path(ss_visit_root(r)->parsed_uri.path, r->pool);

    return asked.data != NULL && ss_bytes_equal(plain_path(path, r->pool), asked);
}

/* Where to? NULL: nowhere but here. */
static const char *target_of(request_rec *r, const ss_return_conf_t *way_back)
{
    const char *target = ss_return_path_read(ss_query_find(r->args, way_back->param), r->pool);

    if (target != NULL) {
        return target;
    }
    return is_here(r, way_back->path) ? NULL : way_back->path;
}

/* Will the client have a session that names a user? Its own, or the one that this response is about
 * to begin. */
static int holds_user(request_rec *r, ss_visit_t *visit)
{
    const char *set_cookie;

    ss_rules_apply(r);
    if (ss_saving_seal(visit, 0, &set_cookie) != APR_SUCCESS) {
        ss_visit_undo_rules(visit); /* it is not saved */
    }
    return ss_identity_of(visit, r) != NULL;
}

/* What is to be done is another thing for a browser without a cookie and for a login that stores
 * somebody under another key. */
static int refuse(request_rec *r, const ss_visit_t *visit)
{
    const char *key = ss_dir_conf(r)->user.key;

    if (ss_visit_has_session(visit)) {
        ss_log(r, APLOG_WARNING, "SS0213",
               "SignedSessionReturn leads nobody back: there is a session, but it names no user in "
               "its key \"%s\"; let the login store one there, or name its key in "
               "SignedSessionUser, here as well",
               key);
        apr_table_setn(r->notes, "error-notes",
                       "<br />\nYou are not logged in: this server does not know who you are.");
    }
    else {
        ss_log(r, APLOG_WARNING, "SS0213",
               "SignedSessionReturn leads nobody back: no session came, and nothing here stores a "
               "user in its key \"%s\"; the browser has not kept the cookie (it refuses cookies, "
               "the cookie is Secure and this is http, or its Path or Domain is another one), "
               "SameSite=Strict keeps it away on the way from another site, or the login is "
               "missing",
               key);
        apr_table_setn(r->notes, "error-notes",
                       "<br />\nYou are not logged in here: your browser did not keep the "
                       "session's cookie. Allow cookies for this site, and log in again.");
    }
    return HTTP_FORBIDDEN;
}

int ss_returning_run(request_rec *r)
{
    const ss_return_conf_t *way_back = &ss_dir_conf(r)->way_back;
    const char *target;
    ss_visit_t *visit;
    int status;

    if (!is_asked(r, way_back)) {
        return DECLINED;
    }
    if (ss_visit_enter(&visit, r) != SS_ACCESS_READY) {
        ss_log(r, APLOG_ERR, "SS0214",
               "SignedSessionReturn leads nobody back, because sessions are off here: add "
               "\"SignedSession On\" to this location");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    target = target_of(r, way_back);
    if (target == NULL) {
        return DECLINED;
    }
    status = ap_discard_request_body(r);
    if (status != OK) {
        return status;
    }
    visit->returning.answered = 1;
    if (!holds_user(r, visit)) {
        return refuse(r, visit);
    }
    apr_table_setn(r->headers_out, "Location", target);
    return HTTP_SEE_OTHER;
}
