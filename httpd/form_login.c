/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/earned.h"
#include "httpd/form_login.h"
#include "httpd/log.h"

void ss_form_login_begin(request_rec *r, ss_visit_t *visit, const char *user)
{
    const ss_clear_conf_t *clear = &ss_dir_conf(r)->clear;
    const ss_bytes_t name = ss_bytes_of(user);
    const ss_change_t change = { SS_CHANGE_SET, ss_bytes_of(ss_dir_conf(r)->login),
                                 ss_json_quote(name, r->pool) };

    if (name.len == 0 || !ss_key_is_acceptable(name)) {
        ss_log(r, APLOG_ERR, "SS0322",
               "SignedSessionLogin does not store a login: its name is empty, not UTF-8, or has "
               "control characters");
        return;
    }
    if (!visit->form_login.is_stored) {
        visit->form_login.is_stored = 1;
        visit->form_login.before = ss_visit_mark(visit);
    }
    ss_visit_undo_rules(visit);
    ss_draft_begin_anew(visit->draft, clear->kind == SS_CLEAR_BEFORE ? clear->keep : NULL);
    ss_visit_change(visit, &change);
    ss_visit_change(visit, &ss_change_login);
}

void ss_form_login_settle(request_rec *r)
{
    ss_visit_t *visit = ss_visit_loaded(r);

    if (visit != NULL && visit->form_login.is_stored && ss_earned_is_refused(r)) {
        visit->form_login.is_stored = 0;
        ss_visit_return(visit, visit->form_login.before);
        ss_log(r, APLOG_DEBUG, "SS0325",
               "SignedSessionLogin stores no login: the password was right, but the request was "
               "refused");
    }
}
