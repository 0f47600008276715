/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#include "httpd/auth_type.h"
#include "httpd/identity.h"
#include "httpd/log.h"
#include "httpd/login.h"
#include "httpd/response.h"
#include "lib/value.h"

const char *ss_identity_of(const ss_visit_t *visit, const request_rec *r)
{
    const ss_user_conf_t *conf = &ss_dir_conf(r)->user;
    ss_json_t value = ss_value_find(ss_visit_session(visit), conf->key, r->pool);
    apr_size_t len = strlen(conf->prefix);
    const char *text;

    if (value.raw.data == NULL || ss_json_kind(value) != SS_JSON_STRING) {
        return NULL;
    }
    text = ss_value_text(value, r->pool);
    return text != NULL && strncmp(text, conf->prefix, len) == 0 && text[len] != '\0' ? text + len
                                                                                      : NULL;
}

/* For all of httpd. */
static void name_user(request_rec *r, const char *user)
{
    r->user = (char *)user;
    r->ap_auth_type = user == NULL ? NULL : (char *)ap_auth_type(r);
}

int ss_identity_check(request_rec *r)
{
    ss_visit_t *visit;
    const char *user;

    if (ss_auth_type(r) != SS_AUTH_OURS) {
        return DECLINED;
    }
    switch (ss_visit_enter(&visit, r)) {
    case SS_ACCESS_OFF:
        ss_log(r, APLOG_ERR, "SS0210",
               "AuthType signed-session knows nobody here, because sessions are off: add "
               "\"SignedSession On\" to this location");
        return HTTP_INTERNAL_SERVER_ERROR;
    case SS_ACCESS_NO_KEYS:
        return HTTP_INTERNAL_SERVER_ERROR;
    default:
        break;
    }
    user = ss_identity_of(visit, r);
    visit->identity.known |= user != NULL;
    ss_response_include(r);
    if (user == NULL) {
        ss_log(r, APLOG_DEBUG, "SS0211",
               "nobody is logged in: the session names no user (the client's cookie: %s)",
               ss_state_name(visit->state));
        return ss_login_ask(r, visit);
    }
    name_user(r, user);
    return OK;
}

void ss_identity_settle(request_rec *r)
{
    ss_visit_t *visit;
    const char *user;

    if (ss_dir_conf(r)->mode == SS_OFF || !ss_visit_was_led_here(r) ||
        ss_auth_type(r) != SS_AUTH_OURS || ss_visit_enter(&visit, r) != SS_ACCESS_READY) {
        return;
    }
    user = ss_identity_of(visit, r);
    visit->identity.known |= user != NULL;
    name_user(r, user);
}

typedef int asked_fn(request_rec *r);

/* What do the others say? */
static int judge(request_rec *r, ss_visit_t *visit, asked_fn *ask, int as_new)
{
    const ss_identity_note_t outer = visit->identity;
    int status;

    visit->identity.judged = r;
    visit->identity.as_new = as_new;
    status = ask(r);
    visit->identity.judged = outer.judged;
    visit->identity.as_new = outer.as_new;
    return status;
}

int ss_identity_admit(request_rec *r)
{
    ss_visit_t *visit;
    int status;

    if (!ss_server_conf(r->server)->gathered.has_aliases || ss_auth_type(r) != SS_AUTH_OURS ||
        ss_visit_enter(&visit, r) != SS_ACCESS_READY || visit->identity.judged == r) {
        return DECLINED;
    }
    status = judge(r, visit, ap_run_access_checker_ex, 0);
    if (status != OK || !ss_visit_step(r)->by_alias) {
        return status;
    }
    status = ss_identity_check(r);
    return status == OK ? ap_run_auth_checker(r) : status;
}

int ss_identity_authorize(request_rec *r)
{
    ss_visit_t *visit = ss_visit_loaded(r);
    int status;

    if (visit == NULL || visit->identity.judged == r || ss_auth_type(r) != SS_AUTH_OURS) {
        return DECLINED;
    }
    status = judge(r, visit, ap_run_auth_checker, 0);
    if (status != HTTP_UNAUTHORIZED && status != HTTP_FORBIDDEN) {
        return status; /* which of the two it is, AuthzSendForbiddenOnFailure decides */
    }
    return visit->require.too_old && judge(r, visit, ap_run_auth_checker, 1) == OK
               ? ss_login_ask(r, visit)
               : HTTP_FORBIDDEN;
}
