/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/log.h"
#include "httpd/proving.h"
#include "httpd/revoking.h"
#include "httpd/stores.h"
#include "httpd/visit.h"
#include "lib/cookie.h"

ss_step_t *ss_visit_step(request_rec *r)
{
    ss_step_t *step = ss_visit_step_known(r);

    if (step == NULL) {
        step = apr_pcalloc(r->pool, sizeof(*step));
        if (r->request_config != NULL) {
            ap_set_module_config(r->request_config, &signed_session_module, step);
        }
    }
    return step;
}

/* Once a second in each child is enough while a store is away; the next line says how many there
 * were. */
static void tell_of_outage(const ss_visit_t *visit, const char *why)
{
    static volatile apr_uint32_t told, untold;
    apr_uint32_t second = (apr_uint32_t)apr_time_sec(apr_time_now()), before = told, more;

    if (before == second || apr_atomic_cas32(&told, second, before) != before) {
        apr_atomic_inc32(&untold);
        return;
    }
    more = apr_atomic_xchg32(&untold, 0);
    ss_log(visit->root, APLOG_ERR, "SS0401", "the session could not be loaded from the store: %s%s",
           why,
           more == 0
               ? ""
               : apr_psprintf(visit->root->pool, " (and %u more since this was last said)", more));
}

ss_fetched_e ss_visit_fetch(void *visit_, ss_bytes_t *bytes, int *place, const unsigned char *id,
                            apr_pool_t *pool)
{
    const ss_visit_t *visit = visit_;
    ss_store_call_t call = { .stores = visit->conf->stores,
                             .id = id,
                             .deadline = apr_time_now() + visit->conf->store_timeout,
                             .pool = pool };
    ss_fetched_e fetched = ss_stores_load(&call, bytes, place);

    if (fetched == SS_FETCH_FAILED) {
        tell_of_outage(visit, call.why);
    }
    return fetched;
}

static ss_state_e judge(void *visit_, ss_opened_t *opened)
{
    const ss_visit_t *visit = visit_;
    ss_state_e state = ss_revoking_judge(visit->conf, opened->session, &opened->is_replaced,
                                         visit->now, visit->root->pool);

    return state != SS_VALID || opened->is_replaced
               ? state
               : ss_proving_require(visit->conf, opened->session, visit->now, visit->root->pool);
}

static ss_state_e prove(void *visit_, const ss_stamp_t *stamp)
{
    const ss_visit_t *visit = visit_;

    return ss_proving_judge(visit->conf, visit->header, stamp, visit->now, visit->root->pool);
}

static void tell_of_records(const ss_visit_t *visit)
{
    const ss_opened_t *opened = &visit->opened;

    if (opened->record != SS_NONE) {
        ss_log(visit->root, APLOG_ERR, "SS0405", "the record of a session does not open (%s)",
               ss_state_name(opened->record));
    }
    if (opened->lost > 0) {
        ss_log(visit->root, APLOG_ERR, "SS0407",
               "the store has lost %u changes that were acknowledged", opened->lost);
    }
}

/* Most clients have no other, and what is known of it need not be found out again. */
static void note_lone_cookie(ss_visit_t *visit, const ss_candidates_t *candidates)
{
    if (candidates->came == 1 && ss_cookie_is_alone(candidates->values[0], visit->header,
                                                    visit->conf->sealing.cookie_name)) {
        visit->alone = candidates->values[0];
        visit->is_native = visit->state == SS_VALID && visit->opened.format->resembles != NULL;
    }
}

static void load(ss_visit_t *visit)
{
    const ss_sealing_t *how = &visit->conf->sealing;
    ss_candidates_t candidates;

    ss_candidates_find(&candidates, visit->header, how);
    candidates.fetch = ss_visit_fetch;
    candidates.judge =
        ss_revoking_is_on(visit->conf) || ss_proving_is_on(visit->conf) ? judge : NULL;
    candidates.prove = ss_proving_is_on(visit->conf) ? prove : NULL;
    candidates.baton = visit;
    visit->cookies = candidates.came;
    visit->companions = candidates.companion_count;
    visit->state =
        ss_candidates_open(&visit->opened, &candidates, how, visit->now, visit->root->pool);
    if (visit->state != SS_VALID) {
        visit->opened.session = ss_sealing_create(how, visit->root->pool);
        if (visit->state != SS_NONE && visit->state != SS_UNAVAILABLE) {
            ss_log(visit->root, APLOG_DEBUG, "SS0203",
                   "the client's session cookie was refused: %s", ss_state_name(visit->state));
        }
    }
    note_lone_cookie(visit, &candidates);
    tell_of_records(visit);
    visit->draft = ss_draft_create(visit->opened.session, ss_bytes_of(visit->conf->subject),
                                   visit->root->pool);
}

const ss_dir_conf_t *ss_visit_place_left(const request_rec *r)
{
    const ss_step_t *step = ss_visit_step_known(r);

    return step == NULL || step->place == NULL || step->place == r->per_dir_config
               ? NULL
               : ap_get_module_config(step->place, &signed_session_module);
}

int ss_visit_any_place(request_rec *r, ss_place_fn *holds)
{
    const ss_dir_conf_t *left = ss_visit_place_left(r);

    return holds(ss_dir_conf(r)) || (left != NULL && holds(left));
}

static const char *header_of(const request_rec *root)
{
    return apr_table_get(root->headers_in, "Cookie");
}

static ss_visit_t *create(request_rec *root, const char *header)
{
    ss_visit_t *visit = apr_pcalloc(root->pool, sizeof(*visit));

    visit->root = root;
    visit->conf = ss_server_conf(root->server);
    visit->now = root->request_time;
    visit->header = header;
    ss_visit_step(root)->visit = visit;
    return visit;
}

ss_visit_t *ss_visit_begin(request_rec *r)
{
    request_rec *root = ss_visit_root(r);
    ss_visit_t *visit = ss_visit_known(root);

    return visit != NULL ? visit : create(root, header_of(root));
}

ss_visit_t *ss_visit_load(request_rec *r)
{
    ss_visit_t *visit = ss_visit_loaded(r);

    if (visit != NULL) {
        return visit;
    }
    if (ss_server_conf(ss_visit_root(r)->server)->sealing.seals == NULL) {
        return NULL;
    }
    visit = ss_visit_begin(r);
    load(visit);
    return visit;
}

ss_visit_t *ss_visit_load_sent(request_rec *r)
{
    request_rec *root = ss_visit_root(r);

    if (ss_visit_known(root) == NULL) {
        const char *header = header_of(root);

        if (header == NULL) {
            return NULL;
        }
        create(root, header);
    }
    return ss_visit_load(root);
}

static void tell_of_no_keys(request_rec *r)
{
    ss_visit_t *visit = ss_visit_begin(r);

    if (!visit->told) {
        ss_log(r, APLOG_CRIT, "SS0112", "sessions cannot be used here: %s", visit->conf->unusable);
        visit->told = 1;
    }
}

ss_access_e ss_visit_ask(request_rec *r)
{
    if (ss_dir_conf(r)->mode == SS_OFF) {
        return SS_ACCESS_OFF;
    }
    if (ss_server_conf(r->server)->sealing.seals == NULL) {
        tell_of_no_keys(r);
        return SS_ACCESS_NO_KEYS;
    }
    return SS_ACCESS_READY;
}

ss_access_e ss_visit_enter(ss_visit_t **visit, request_rec *r)
{
    ss_access_e access = ss_visit_ask(r);

    *visit = access == SS_ACCESS_READY ? ss_visit_load(r) : NULL;
    return access;
}

int ss_visit_may_change(const request_rec *r)
{
    return ss_dir_conf(r)->mode == SS_ON;
}

ss_session_t *ss_visit_session(const ss_visit_t *visit)
{
    return ss_draft_session(visit->draft);
}

int ss_visit_has_session(const ss_visit_t *visit)
{
    ss_session_t *session = ss_visit_session(visit);

    return !ss_session_is_empty(session) ||
           (visit->state == SS_VALID && !ss_draft_has_ended(visit->draft) &&
            !ss_session_is_changed(session));
}

/*
 * Changes
 */

int ss_visit_change(ss_visit_t *visit, const ss_change_t *change)
{
    ss_visit_undo_rules(visit);
    return ss_draft_make(visit->draft, change);
}

int ss_visit_made_tag(const ss_visit_t *visit, ss_session_t *before, ss_json_t input)
{
    if (!(ss_sealing_written(&visit->conf->sealing)->traits & SS_FORMAT_TAGGED)) {
        return 0;
    }
    return (input.raw.data != NULL && ss_json_has_tag(input)) ||
           ss_json_adds_tag(ss_session_json(before), ss_session_json(ss_visit_session(visit)),
                            visit->root->pool);
}

void ss_visit_begin_rules(ss_visit_t *visit)
{
    ss_visit_undo_rules(visit);
    visit->before = ss_draft_mark(visit->draft);
    visit->ruled = visit->ruling = 1;
}

void ss_visit_end_rules(ss_visit_t *visit)
{
    visit->ruling = 0;
}

void ss_visit_undo_rules(ss_visit_t *visit)
{
    if (visit->ruled && !visit->ruling) {
        ss_draft_return(visit->draft, visit->before);
        visit->ruled = 0;
    }
}

ss_draft_mark_t ss_visit_mark(ss_visit_t *visit)
{
    ss_visit_undo_rules(visit);
    return ss_draft_mark(visit->draft);
}

void ss_visit_return(ss_visit_t *visit, ss_draft_mark_t mark)
{
    ss_draft_return(visit->draft, mark);
}

void ss_visit_adopt(ss_visit_t *visit, const ss_opened_t *opened, const ss_candidates_t *candidates)
{
    if (opened == NULL) {
        ss_draft_adopt(visit->draft, ss_sealing_create(&visit->conf->sealing, visit->root->pool));
        visit->opened.is_owned = 0;
        return;
    }
    ss_draft_adopt(visit->draft, opened->session);
    visit->opened = *opened;
    visit->cookies = candidates->came;
    visit->companions = candidates->companion_count;
}

void ss_visit_revert(ss_visit_t *visit)
{
    ss_draft_revert(visit->draft);
    visit->ruled = 0;
    visit->untouched = 1;
}
