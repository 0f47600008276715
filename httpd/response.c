/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Output filters. "Harvest" is the first to see what the handler has left, and takes the
 * application's update out. "Mark" sits behind mod_headers, so that it has the last word on who may
 * store the response, and before mod_cache stores it; without a mod_cache "write" does it. "Write"
 * sits behind that, so that our cookie is never stored. These run for main requests only, on the
 * normal and on the error path.
 *
 * What a subrequest answers becomes part of a page, without its header; but mod_cache may store it
 * alone, and give it to whoever asks for it by its own address. "Part" marks it before that.
 *
 * There is no "already written" flag: httpd drops headers on several error paths and runs the
 * filters again, so writing means removing our cookie by name and adding it.
 */
#include <http_core.h>
#include <http_connection.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "httpd/response.h"
#include "httpd/caller.h"
#include "httpd/counters.h"
#include "httpd/earned.h"
#include "httpd/form_login.h"
#include "httpd/strip.h"
#include "httpd/log.h"
#include "httpd/marks.h"
#include "httpd/offer.h"
#include "httpd/proving.h"
#include "httpd/session_rec.h"
#include "httpd/visit.h"
#include "httpd/rules.h"
#include "httpd/saving.h"
#include "httpd/shared_cookie.h"
#include "httpd/unsaved.h"
#include "httpd/update.h"
#include "lib/cookie.h"

static ap_filter_rec_t *harvest_filter, *mark_filter, *write_filter, *part_filter, *precede_filter;
static ap_filter_rec_t *includes_filter; /* of mod_include, or NULL */
static ap_filter_rec_t *cache_filter;    /* with which mod_cache stores responses, or NULL */

/* Does the cookie of a session that was revoked go? Not with a part of a page, which may still be
 * under way while the login in front of it gives the browser another cookie of that name. */
static int is_to_be_deleted(const request_rec *r, const ss_visit_t *visit)
{
    return visit->state == SS_REVOKED && ss_dir_conf(r)->mode == SS_ON &&
           ss_session_is_empty(ss_visit_session(visit)) && !ss_caller_is_part(visit->root);
}

/* Will there be a cookie, ours or the application's? A session that cannot be sealed is left as the
 * client has it. */
static int settle_cookie(request_rec *r, ss_visit_t *visit)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);
    int is_theirs = ss_shared_cookie_settle(r, visit);
    int may_renew = dir->mode == SS_ON && dir->touch && !visit->endpoint.only_asked && !is_theirs &&
                    ss_session_is_due(ss_visit_session(visit), &visit->conf->lifetime, visit->now);
    const char *set_cookie;
    apr_status_t rv;

    visit->response.may_renew = may_renew;
    if (is_to_be_deleted(r, visit)) {
        ss_visit_change(visit, &ss_change_end);
    }
    rv = ss_saving_seal(visit, may_renew, &set_cookie);
    if (ss_saving_is_too_large(rv) && visit->ruled) {
        ss_log(r, APLOG_ERR, "SS0310",
               "what SignedSessionSet and its like would have changed was not saved, because the "
               "session would be too large; what applications changed is: store less in this place "
               "(%s)",
               ss_unsaved_of(visit, rv).log);
        ss_visit_undo_rules(visit);
        rv = ss_saving_seal(visit, may_renew, &set_cookie);
    }
    if (rv != APR_SUCCESS) {
        ss_unsaved_t unsaved = ss_unsaved_of(visit, rv);

        ss_count(SS_COUNT_REFUSALS + (int)unsaved.kind);
        ss_log_text(r, unsaved.level, unsaved.log);
    }
    if (rv != APR_SUCCESS) {
        ss_visit_revert(visit);
    }
    return is_theirs || set_cookie != NULL;
}

/* In HTTP/0.9, and when a handler prints the header itself, where HTTP/2 has its own; and when the
 * response was broken off. */
static int has_no_header(const request_rec *r)
{
    const ss_visit_t *visit = ss_visit_known(r);

    return (r->assbackwards && r->proto_num < HTTP_VERSION(2, 0)) ||
           (visit != NULL && visit->response.is_broken_off);
}

/* Is there a session cookie of the application? */
static int has_their_cookie(request_rec *r)
{
    return ss_dir_conf(r)->mode != SS_OFF && ss_shared_cookie_passes(r);
}

static void prepare_response(request_rec *r, ss_step_t *step)
{
    ss_visit_t *visit;

    ss_strip_restore(r);
    ss_form_login_settle(r);
    ss_update_take(r);
    ss_session_rec_take(r);
    ss_rules_apply(r); /* what applications changed comes first */
    visit = ss_visit_loaded(r);
    /* nothing is saved that the client is not told of */
    step->is_private =
        visit != NULL && !has_no_header(r) ? settle_cookie(r, visit) : has_their_cookie(r);
    if (visit != NULL && !has_no_header(r)) {
        ss_offer_decide(r, visit);
    }
    step->prepared = 1;
}

static void mark_response(request_rec *r, ss_step_t *step)
{
    ss_marks_set(r, step);
    step->marked = 1;
}

/* There will be no response: mod_proxy has found its backend dead, and wants the client to see the
 * same. httpd's own filter for the header gets out of the way as well. */
static int is_broken_off(apr_bucket_brigade *brigade)
{
    for (const apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade); bucket = APR_BUCKET_NEXT(bucket)) {
        if (AP_BUCKET_IS_EOC(bucket)) {
            return 1;
        }
    }
    return 0;
}

/* Every filter of ours does its work once. An author of .htaccess may have named it, too
 * (SetOutputFilter): that one has no step, and does nothing. */
static apr_status_t pass(ap_filter_t *f, apr_bucket_brigade *brigade,
                         void (*work)(request_rec *r, ss_step_t *step))
{
    if (is_broken_off(brigade)) {
        ss_visit_begin(f->r)->response.is_broken_off = 1;
    }
    else if (f->ctx != NULL) {
        work(f->r, f->ctx);
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, brigade);
}

static apr_status_t harvest(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    return pass(f, brigade, prepare_response);
}

/* Where mod_cache stores a response before "harvest" and "mark" have their turn. */
static void precede(request_rec *r, ss_step_t *step)
{
    prepare_response(r, step);
    ss_marks_set(r, step);
}

static apr_status_t precede_cache(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    return pass(f, brigade, precede);
}

static apr_status_t mark(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    return pass(f, brigade, mark_response);
}

static void mark_part(request_rec *r, ss_step_t *step)
{
    ss_strip_restore(r);
    ss_update_drop(r);
    step->is_private = has_their_cookie(r);
    ss_marks_set(r, step);
}

static apr_status_t pass_part(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    return pass(f, brigade, mark_part);
}

typedef struct others_t {
    apr_table_t *kept;
    const ss_cookie_t *ours;
} others_t;

static int keep_other(void *others_, const char *header, const char *value)
{
    others_t *others = others_;

    if (!ss_cookie_is_named(value, others->ours->name) ||
        !ss_cookie_is_scoped(value, others->ours)) {
        apr_table_addn(others->kept, header, value);
    }
    return 1;
}

static int add_back(void *table, const char *header, const char *value)
{
    apr_table_addn(table, header, value);
    return 1;
}

/* Remove every Set-Cookie that sets this cookie, whoever wrote it, and leave the others in their
 * order. */
static void remove_from(request_rec *r, apr_table_t *table, const ss_cookie_t *cookie)
{
    others_t others = { NULL, cookie };

    if (apr_table_get(table, "Set-Cookie") == NULL) {
        return;
    }
    others.kept = apr_table_make(r->pool, 4);
    apr_table_do(keep_other, &others, table, "Set-Cookie", NULL);
    apr_table_unset(table, "Set-Cookie");
    apr_table_do(add_back, table, others.kept, NULL);
}

static void remove_cookie(request_rec *r, const ss_cookie_t *cookie)
{
    remove_from(r, r->headers_out, cookie);
    remove_from(r, r->err_headers_out, cookie);
}

/* The session's, and those that go with it. */
static void remove_cookies(request_rec *r, const ss_server_conf_t *conf)
{
    const ss_cookie_t companion = ss_config_companion(conf);

    remove_cookie(r, &conf->cookie);
    if (companion.name != NULL) {
        remove_cookie(r, &companion);
    }
    if (ss_proving_is_on(conf)) {
        const ss_cookie_t proof = ss_proving_cookie(conf);

        remove_cookie(r, &proof);
    }
}

/* Whoever logs in so comes back as nobody, and nothing else would say why. */
static void tell_of_lost_cookie(request_rec *r, const ss_visit_t *visit)
{
    static volatile apr_uint32_t told;

    if (visit->conf->cookie.secure == SS_SECURE_ON && ss_caller_is_by_http(r) &&
        ss_log_is_time(&told, visit->now)) {
        ss_log(r, APLOG_WARNING, "SS0313",
               "a browser that came by http gets a cookie that is Secure, and does not keep it: "
               "lead it to https (where a proxy ends TLS, write ServerName https://...), or let "
               "SignedSessionCookie say Secure=auto");
    }
}

void ss_response_write(request_rec *r, ss_visit_t *visit)
{
    const char *set_cookie;

    if (ss_saving_seal(visit, visit->response.may_renew, &set_cookie) != APR_SUCCESS) {
        return;
    }
    visit->response.version = ss_draft_version(visit->draft);
    if (visit->shared_cookie.deletes && visit->response.written == NULL) {
        return; /* the application's own line says it */
    }
    if (set_cookie != NULL || visit->response.written != NULL) {
        remove_cookies(r, visit->conf);
    }
    if (set_cookie != NULL) {
        apr_table_addn(r->err_headers_out, "Set-Cookie", set_cookie);
        tell_of_lost_cookie(r, visit);
    }
    if (visit->saving.set_companion != NULL) {
        apr_table_addn(r->err_headers_out, "Set-Cookie", visit->saving.set_companion);
    }
    if (visit->saving.set_proof != NULL) {
        apr_table_addn(r->err_headers_out, "Set-Cookie", visit->saving.set_proof);
    }
    visit->response.written = set_cookie;
}

static void finish_response(request_rec *r, ss_step_t *step)
{
    ss_visit_t *visit;

    if (has_no_header(r)) {
        return;
    }
    if (!step->prepared) {
        /* mod_cache answers, and has dropped every filter before its own: what stands there was
         * said to somebody else */
        ss_update_drop(r);
        prepare_response(r, step);
    }
    if (!step->marked) {
        mark_response(r, step);
    }
    visit = ss_visit_loaded(r);
    if (visit != NULL) {
        ss_response_write(r, visit);
        ss_offer_write(r, visit);
    }
}

static apr_status_t write_out(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    return pass(f, brigade, finish_response);
}

void ss_response_register(void)
{
    /* before mod_headers */
    harvest_filter = ap_register_output_filter("SIGNED_SESSION_HARVEST", harvest, NULL,
                                               AP_FTYPE_CONTENT_SET - 1);
    /* behind mod_headers, which is of the same type and inserted before; before mod_cache's
     * CACHE_SAVE (CONTENT_SET + 1) */
    mark_filter =
        ap_register_output_filter("SIGNED_SESSION_MARK", mark, NULL, AP_FTYPE_CONTENT_SET);
    /* behind that, and before the header of the response is printed in HTTP/1.1 and HTTP/2 */
    write_filter = ap_register_output_filter("SIGNED_SESSION_WRITE", write_out, NULL,
                                             AP_FTYPE_CONTENT_SET + 5);
    /* before mod_cache's CACHE_SAVE_SUBREQ (CONTENT_SET - 1) */
    part_filter =
        ap_register_output_filter("SIGNED_SESSION_PART", pass_part, NULL, AP_FTYPE_CONTENT_SET - 2);
    /* before everything else */
    precede_filter = ap_register_output_filter("SIGNED_SESSION_PRECEDE", precede_cache, NULL,
                                               AP_FTYPE_RESOURCE - 1);
}

int ss_response_start(ss_start_t *start)
{
    (void)start;
    cache_filter = ap_get_output_filter_handle("CACHE_SAVE");
    includes_filter = ap_get_output_filter_handle("INCLUDES");
    return OK;
}

static ap_filter_t *find_filter(request_rec *r, const ap_filter_rec_t *wanted)
{
    ap_filter_t *f = r->output_filters;

    while (f != NULL && f->frec != wanted) {
        f = f->next;
    }
    return f;
}

static void insert(request_rec *r, ss_step_t *step)
{
    ap_filter_t *early = ss_visit_known(r) == NULL ? NULL : find_filter(r, mark_filter);

    if (early != NULL) {
        ap_remove_output_filter(early); /* it stands before mod_headers */
    }
    step->prepared = step->marked = 0; /* another response */
    ap_add_output_filter_handle(harvest_filter, step, r, r->connection);
    if (cache_filter != NULL) {
        ap_add_output_filter_handle(mark_filter, step, r, r->connection);
    }
    ap_add_output_filter_handle(write_filter, step, r, r->connection);
}

/* Returns whether that is news. */
static int note_included(request_rec *r, ss_included_e included)
{
    ss_step_t *step = ss_visit_step(r);

    if (step->included >= included) {
        return 0;
    }
    step->included = included;
    return 1;
}

/* Is this mod_include's filter, or one of mod_filter's, which may become it? */
static int may_be_includes(request_rec *r, const ap_filter_t *f)
{
    return f->frec == includes_filter ||
           (f->frec->providers != NULL && (ap_allow_options(r) & OPT_INCLUDES));
}

/* The header of a page with commands leaves before the first of them is run, and so does that of a
 * listing before its last entries are asked for: they may include what varies with the session. */
static int may_include(request_rec *r)
{
    const ap_filter_t *f = r->output_filters;

    if (ss_server_conf(r->server)->sealing.seals == NULL || !ss_dir_conf(r)->vary) {
        return 0;
    }
    if (r->finfo.filetype == APR_DIR &&
        (r->handler == NULL || strcmp(r->handler, DIR_MAGIC_TYPE) == 0)) {
        return 1;
    }
    while (includes_filter != NULL && f != NULL && !may_be_includes(r, f)) {
        f = f->next;
    }
    return includes_filter != NULL && f != NULL;
}

static int is_on(const ss_dir_conf_t *dir)
{
    return dir->mode != SS_OFF;
}

void ss_response_insert(request_rec *r)
{
    int includes = may_include(r);

    if (!includes && !ss_visit_any_place(r, is_on) &&
        ss_server_conf(r->server)->gathered.updates->nelts == 0 && ss_visit_known(r) == NULL) {
        return;
    }
    if (includes) {
        note_included(r, SS_INCLUDED_VARYING);
    }
    if (r->main == NULL) {
        insert(r, ss_visit_step(r));
    }
    else if (cache_filter != NULL) {
        ap_add_output_filter_handle(part_filter, ss_visit_step(r), r, r->connection);
    }
}

void ss_response_watch(request_rec *r)
{
    if (r->main == NULL && find_filter(r, mark_filter) == NULL &&
        find_filter(r, write_filter) == NULL) {
        ap_add_output_filter_handle(mark_filter, ss_visit_step(r), r, r->connection);
    }
}

void ss_response_precede_cache(request_rec *r)
{
    ap_filter_t *f = r->output_filters;

    if (cache_filter == NULL || r->main != NULL || find_filter(r, harvest_filter) == NULL) {
        return;
    }
    while (f != NULL && f->frec != cache_filter && f->frec != harvest_filter) {
        f = f->next;
    }
    if (f != NULL && f->frec == cache_filter) {
        ap_add_output_filter_handle(precede_filter, ss_visit_step(r), r, r->connection);
    }
}

void ss_response_include(request_rec *r)
{
    int is_news = 0;

    if (r->main == NULL || !ss_marks_is_varying(r)) {
        return;
    }
    for (; r->main != NULL; r = r->main) {
        is_news = note_included(r->main,
                                ss_marks_is_let_in(r) ? SS_INCLUDED_PRIVATE : SS_INCLUDED_VARYING);
    }
    if (is_news) {
        /* where no filter of ours was inserted, what the subrequest answers would pass one by: its
         * own filters lead into the main request's as they are now */
        ss_marks_set(r, ss_visit_step(r));
        ss_response_watch(r);
    }
}

void ss_response_insert_error(request_rec *r)
{
    ss_response_insert(r);
    if (r->main == NULL) {
        ss_earned_note_failure(r);
        /* headers_out is cleared right after this hook: the last chance for a proxied response that
         * an error document replaces */
        ss_update_take(r);
    }
}

static int has_late_note(const request_rec *r, const ss_visit_t *visit)
{
    for (; r != NULL; r = r->next) {
        if (ss_dir_conf(r)->mode == SS_ON && ss_update_note(r, visit) != NULL) {
            return 1;
        }
    }
    return 0;
}

int ss_response_report_late_change(request_rec *r)
{
    const ss_visit_t *visit = ss_visit_loaded(r);

    if (has_late_note(r, visit) ||
        (visit != NULL && ss_draft_changed_at(visit->draft) > visit->response.version)) {
        ss_count(SS_COUNT_REFUSALS + SS_REFUSED_TOO_LATE);
        ss_log(r, APLOG_WARNING, "SS0301",
               "the session was changed after the response's header had left, or in a response "
               "without one: the change is lost");
    }
    return DECLINED;
}
