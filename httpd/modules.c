/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Modules that keep something in the sessions of mod_session do so by four optional functions, and
 * by nothing else of it. Where SignedSessionModules is On these are ours, and the entries are what
 * one of our sessions hides. Elsewhere they are those that were there before, so that a place with
 * mod_session keeps its own cookie.
 *
 * mod_auth_form sets r->user before it checks the password, and calls ap_session_set only after it
 * was right: that call is what SignedSessionLogin listens to. It is made before Require is asked.
 */
#include <apr_optional.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#include "httpd/caller.h"
#include "httpd/earned.h"
#include "httpd/form_login.h"
#include "httpd/log.h"
#include "httpd/modules.h"
#include "httpd/session_rec.h"
#include "httpd/response.h"

/* Those of mod_session, or NULL: found anew whenever the configuration is read. */
static APR_OPTIONAL_FN_TYPE(ap_session_load) * load_before;
static APR_OPTIONAL_FN_TYPE(ap_session_save) * save_before;
static APR_OPTIONAL_FN_TYPE(ap_session_get) * get_before;
static APR_OPTIONAL_FN_TYPE(ap_session_set) * set_before;

static int is_ours(const request_rec *r)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);

    return dir->modules || dir->login != NULL;
}

/* Once in each visit: whoever asks does so several times. */
static int is_first_complaint(request_rec *r)
{
    ss_visit_t *visit = ss_visit_begin(r);
    int is_first = !visit->modules.complained;

    visit->modules.complained = 1;
    return is_first;
}

/* The visit where its session may be used; else NULL, and the log says why. */
static ss_visit_t *enter(request_rec *r)
{
    ss_visit_t *visit;

    if (ss_visit_enter(&visit, r) == SS_ACCESS_OFF && is_first_complaint(r)) {
        ss_log(r, APLOG_ERR, "SS0221",
               "SignedSessionModules and SignedSessionLogin have no effect here, because "
               "sessions are off: add \"SignedSession On\" to this location");
    }
    return visit;
}

/* What SignedSessionLogin stores is for no module to read. Whoever has a record with entries may
 * look at all of them. */
static session_rec *record_for(request_rec *r, ss_visit_t *visit)
{
    session_rec *session;

    if (!ss_dir_conf(r)->modules) {
        return ss_session_rec_blank(r->pool);
    }
    session = ss_session_rec_of(r, visit);
    if (!apr_is_empty_table(session->entries)) {
        visit->modules.told = 1;
        ss_response_include(r);
    }
    return session;
}

/*
 * Logins
 */

/* mod_auth_form keeps a user as "REALM-user", and takes him out when he logs out. Without a realm
 * user and password come under the same name. */
static int is_user(request_rec *r, const char *key)
{
    const char *realm = ap_auth_name(r);

    return realm != NULL &&
           strcmp(key, apr_pstrcat(r->pool, realm, "-" MOD_SESSION_USER, NULL)) == 0;
}

static void hear_login(request_rec *r, ss_visit_t *visit, const char *key, const char *value)
{
    if (ap_auth_name(r) == NULL && is_first_complaint(r)) {
        ss_log(r, APLOG_ERR, "SS0222",
               "SignedSessionLogin stores no login here, because the place has no realm: add an "
               "AuthName");
    }
    if (!is_user(r, key)) {
        return;
    }
    if (value == NULL) {
        ss_visit_change(visit, &ss_change_end);
    }
    else {
        ss_form_login_begin(r, visit, value);
    }
}

/* NULL, or why nothing is to be kept, or taken out where there is no `value`: an image of another
 * site may make a browser negotiate, and a form of its own log somebody in. */
static const char *fault_of_caller(request_rec *r, const ss_visit_t *visit, const char *value)
{
    if (value != NULL) {
        return ss_earned_caller_fault(visit);
    }
    return ss_caller_is_bystander(r) ? "another site or a prefetch caused it" : NULL;
}

/*
 * The functions
 */

static apr_status_t ap_session_load(request_rec *r, session_rec **z)
{
    ss_visit_t *visit;

    *z = NULL;
    if (is_ours(r)) {
        visit = enter(r);
        *z = visit == NULL ? NULL : record_for(r, visit);
        return APR_SUCCESS;
    }
    if (load_before != NULL) {
        return load_before(r, z);
    }
    if (is_first_complaint(r)) {
        ss_log(r, APLOG_ERR, "SS0223",
               "a module asks for its session, but mod_session is not loaded, and neither "
               "SignedSessionModules nor SignedSessionLogin is on here: add one of them, or load "
               "mod_session");
    }
    return APR_SUCCESS;
}

static apr_status_t ap_session_save(request_rec *r, session_rec *z)
{
    if (is_ours(r)) {
        ss_session_rec_take(r);
        return APR_SUCCESS;
    }
    return save_before == NULL ? APR_SUCCESS : save_before(r, z);
}

static apr_status_t ap_session_get(request_rec *r, session_rec *z, const char *key,
                                   const char **value)
{
    ss_visit_t *visit;

    if (!is_ours(r)) {
        return get_before == NULL ? APR_SUCCESS : get_before(r, z, key, value);
    }
    visit = enter(r);
    *value = visit == NULL ? NULL : apr_table_get(record_for(r, visit)->entries, key);
    return APR_SUCCESS;
}

static apr_status_t set_entry(request_rec *r, ss_visit_t *visit, const char *key, const char *value)
{
    session_rec *session = ss_session_rec_of(r, visit);

    if (!ss_session_rec_accepts(key) || (value != NULL && !ss_session_rec_accepts(value))) {
        ss_log(r, APLOG_ERR, "SS0324",
               "what a module wanted to keep was dropped: it is not UTF-8: send the login form as "
               "UTF-8");
        return APR_EINVAL;
    }
    if (value == NULL) {
        apr_table_unset(session->entries, key);
    }
    else {
        apr_table_set(session->entries, key, value);
    }
    session->dirty = 1;
    ss_session_rec_keep(visit);
    if (value != NULL && is_user(r, key)) {
        ss_visit_change(visit, &ss_change_login); /* of whoever it was before, too */
    }
    return APR_SUCCESS;
}

/* Whose record `z` is does not count: the place of `r` decides. */
static apr_status_t ap_session_set(request_rec *r, session_rec *z, const char *key,
                                   const char *value)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);
    const char *fault;
    ss_visit_t *visit;

    if (!is_ours(r)) {
        return set_before == NULL ? APR_SUCCESS : set_before(r, z, key, value);
    }
    visit = enter(r);
    if (visit == NULL) {
        return APR_SUCCESS;
    }
    if (!ss_visit_may_change(r)) {
        if (is_first_complaint(r)) {
            ss_log(r, APLOG_ERR, "SS0321",
                   "what a module wanted to keep was dropped, because sessions are read-only here: "
                   "add \"SignedSession On\" to this location");
        }
        return APR_SUCCESS;
    }
    fault = fault_of_caller(r, visit, value);
    if (fault != NULL) {
        ss_log(r, APLOG_DEBUG, "SS0323", "a module may not change the session here: %s", fault);
        return APR_SUCCESS;
    }
    if (dir->login != NULL) {
        hear_login(r, visit, key, value);
    }
    return dir->modules ? set_entry(r, visit, key, value) : APR_SUCCESS;
}

int ss_modules_replace(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)pconf;
    (void)plog;
    (void)ptemp;
    load_before = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    save_before = APR_RETRIEVE_OPTIONAL_FN(ap_session_save);
    get_before = APR_RETRIEVE_OPTIONAL_FN(ap_session_get);
    set_before = APR_RETRIEVE_OPTIONAL_FN(ap_session_set);
    APR_REGISTER_OPTIONAL_FN(ap_session_load);
    APR_REGISTER_OPTIONAL_FN(ap_session_save);
    APR_REGISTER_OPTIONAL_FN(ap_session_get);
    APR_REGISTER_OPTIONAL_FN(ap_session_set);
    return OK;
}
