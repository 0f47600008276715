/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <http_protocol.h>

#include "httpd/bind.h"
#include "httpd/chain.h"
#include "httpd/earned.h"
#include "httpd/forward.h"
#include "httpd/guard.h"
#include "httpd/identity.h"
#include "httpd/offer.h"
#include "httpd/outage.h"
#include "httpd/response.h"
#include "httpd/strip.h"
#include "httpd/update.h"
#include "httpd/vars.h"
#include "lib/field.h"

#define REDIRECT "REDIRECT_"
#define HEADER "HTTP_"

/** Whose variables are looked at. */
typedef struct viewer_t {
    request_rec *r;
    const ss_visit_t *visit; /* known, or NULL */
    int exports;             /* are SESSION and its like ours here? */
} viewer_t;

static const char *without_redirects(const char *name)
{
    for (const char *rest = name; rest != NULL; rest = ss_field_behind(name, REDIRECT)) {
        name = rest;
    }
    return name;
}

/* What of a variable a request may see; NULL: nothing. An earlier script's request headers are
 * among them. Case does not count, as in httpd's own tables, and what a shell could not use as a
 * name becomes an underscore for it: SESSION-role is SESSION_role there. */
static const char *still_shown(const viewer_t *viewer, const apr_table_entry_t *entry)
{
    const char *name = without_redirects(entry->key);
    const char *header = ss_field_behind(name, HEADER);

    if (header != NULL) {
        if (ss_field_is_alike(header, "Cookie")) {
            return ss_strip_from(viewer->r, viewer->visit, entry->val);
        }
        return ss_forward_covers(viewer->r, header) ? NULL : entry->val;
    }
    /* where they are not ours, somebody else's are left alone */
    return ss_vars_is_variable(name) &&
                   (viewer->exports || ss_vars_is_export(viewer->visit, entry->val))
               ? NULL
               : entry->val;
}

static int is_all_shown(const viewer_t *viewer, const apr_array_header_t *entries)
{
    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);

        if (still_shown(viewer, entry) != entry->val) {
            return 0;
        }
    }
    return 1;
}

/* Take out what this request may not see, in a table that others may hold already. */
static void withdraw_variables(const viewer_t *viewer)
{
    apr_table_t *table = viewer->r->subprocess_env;
    const apr_array_header_t *entries;

    if (is_all_shown(viewer, apr_table_elts(table))) {
        return;
    }
    entries = apr_array_copy(viewer->r->pool, apr_table_elts(table));
    apr_table_clear(table);
    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);
        const char *value = still_shown(viewer, entry);

        if (value != NULL) {
            apr_table_addn(table, entry->key, value);
        }
    }
}

/* May there be variables that `r` is not to see? Of one who is the first, and exports nothing, only
 * those that claim to be headers of ours. */
static int may_see_too_much(const viewer_t *viewer)
{
    const request_rec *r = viewer->r;

    return viewer->exports || ss_server_conf(r->server)->reserved->nelts > 0 ||
           (viewer->visit != NULL && (r->prev != NULL || r->main != NULL));
}

static int show(request_rec *r, ss_visit_t *known, ss_visit_t *used)
{
    const viewer_t viewer = { r, known, used != NULL && ss_dir_conf(r)->env };

    if (may_see_too_much(&viewer)) {
        withdraw_variables(&viewer);
    }
    if (viewer.exports) {
        ss_vars_export(r, used);
    }
    if (known == NULL) {
        return OK;
    }
    ss_forward_withdraw(r, known);
    return ss_forward_send(r, used);
}

/* Variables and headers of ours, as `r` is to have them: what an earlier request of the chain has
 * left goes.
 *
 * `known` is the visit, or NULL; `used` the same where the place of `r` uses its session. Returns
 * what the hook is to return when the request cannot go on, else OK. */
static int settle_view(request_rec *r, ss_visit_t *known, ss_visit_t *used)
{
    int is_untouched = known == NULL && ss_server_conf(r->server)->reserved->nelts == 0;

    return is_untouched ? OK /* nobody has shown anything, and no header is ours */
                        : show(r, known, used);
}

int ss_chain_begin(request_rec *r)
{
    if (r->prev != NULL) {
        ss_update_take_predecessor(r);
        ss_strip_decide(r->prev); /* it may have been refused before its fixups */
        ss_strip_restore(r);
    }
    ss_forward_scrub(r);
    ss_offer_scrub(r);
    return DECLINED;
}

/* Does anybody ask later how far this request has come? */
static int is_watched(const request_rec *r)
{
    const ss_gathered_t *gathered = &ss_server_conf(r->server)->gathered;

    return gathered->has_rules || gathered->login_pages->nelts > 0;
}

/* mod_dir and others give a request the configuration of another place after its fixups. */
static void note_place(request_rec *r)
{
    if (is_watched(r)) {
        ss_earned_note_fixups(r);
    }
    if (ss_dir_conf(r)->mode != SS_OFF || is_watched(r)) {
        ss_visit_step(r)->place = r->per_dir_config;
    }
}

/* The visit where the place of `r` uses its session, and there may be one; else NULL. Without a
 * Cookie header there is none, and only the environment of scripts is worth the object of the
 * visit: it must be withdrawn from later requests. */
static ss_visit_t *used_visit(request_rec *r)
{
    if (ss_visit_ask(r) != SS_ACCESS_READY) {
        return NULL;
    }
    return ss_dir_conf(r)->env ? ss_visit_load(r) : ss_visit_load_sent(r);
}

int ss_chain_show(request_rec *r)
{
    ss_access_e access = ss_visit_ask(r);
    ss_visit_t *known = ss_visit_known(r), *used;
    int status;

    if (access == SS_ACCESS_NO_KEYS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    used = used_visit(r);
    /* before anything is withdrawn: what is hidden from this request decides what it may see of
     * the earlier ones'. There is nothing to hide where it was just seen that nothing was sent */
    if (used != NULL || access != SS_ACCESS_READY) {
        ss_strip_decide(r);
    }
    ss_forward_scrub(r); /* the body may have been read since, with trailers */
    status = settle_view(r, used != NULL ? used : known, used);
    note_place(r);
    if (access == SS_ACCESS_READY) {
        ss_vars_show_notes(r, used);
    }
    return status == OK ? DECLINED : status;
}

int ss_chain_look_up(request_rec *r, int lookup)
{
    int status = ss_bind_answer(r, lookup);

    ss_strip_show_client(r); /* whatever `lookup` says: both must find the same */
    return status;
}

int ss_chain_arrive(request_rec *r)
{
    int status;

    ss_strip_show_client(r);
    status = ss_guard_check(r);
    if (status == DECLINED) {
        status = ss_outage_check(r);
    }
    if (status == DECLINED) {
        ss_identity_settle(r);
    }
    return status;
}

int ss_chain_run(request_rec *r)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);
    ss_visit_t *known = ss_visit_known(r), *used = NULL;
    int status;

    if (r->main == NULL && is_watched(r)) {
        ss_earned_note_handler(r);
    }
    if (dir->mode == SS_OFF && known != NULL) {
        ss_vars_hide_notes(r, known);
    }
    if (dir->env || ss_forward_is_on(dir)) {
        used = used_visit(r);
    }
    ss_response_include(r);
    ss_response_precede_cache(r);
    ss_forward_claim(r); /* mod_headers has been there since */
    status = settle_view(r, used != NULL ? used : known, used);
    if (known != NULL) {
        ss_strip_cookie(r, known);
    }
    return status == OK ? DECLINED : status;
}
