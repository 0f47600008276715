/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/counters.h"
#include "httpd/event.h"
#include "httpd/tally.h"
#include "httpd/visit.h"

/* clang-format off */
static const struct {
    const char *event, *reason;
} written[] = {
    [SS_WRITTEN_CREATED]  = { "session.start",  "created" },
    [SS_WRITTEN_CHANGED]  = { "session.change", "changed" },
    [SS_WRITTEN_RENEWED]  = { "session.renew",  "renewed" },
    [SS_WRITTEN_ENDED]    = { "session.end",    "ended" },
    [SS_WRITTEN_MIGRATED] = { "session.change", "migrated" },
};
/* clang-format on */

/* Why a cookie of ours went out. */
static ss_written_e reason_of(const ss_visit_t *visit)
{
    ss_session_t *session = ss_visit_session(visit);

    if (ss_session_is_empty(session)) {
        return SS_WRITTEN_ENDED;
    }
    if (visit->state != SS_VALID || ss_draft_has_ended(visit->draft)) {
        return SS_WRITTEN_CREATED;
    }
    if (visit->opened.format != ss_sealing_written(&visit->conf->sealing)) {
        return SS_WRITTEN_MIGRATED;
    }
    return ss_session_is_changed(session) ? SS_WRITTEN_CHANGED : SS_WRITTEN_RENEWED;
}

/* Cookies that nobody has who came here in the usual way: the others are everyday. */
static int is_suspicious(ss_state_e state)
{
    return state == SS_BAD_SIGNATURE || state == SS_UNKNOWN_KEY || state == SS_FROM_FUTURE;
}

/* What the log calls it. */
static void note_event(request_rec *r, ss_visit_t *visit)
{
    if (visit->response.written != NULL) {
        ss_written_e reason = reason_of(visit);

        ss_count(SS_COUNT_WRITES + (int)reason);
        visit->tally.event = written[reason].event;
        visit->tally.reason = written[reason].reason;
    }
    else if (is_suspicious(visit->state)) {
        visit->tally.event = "session.refused";
    }
    if (visit->tally.event != NULL) {
        apr_table_setn(r->subprocess_env, SS_EVENT_VARIABLE, visit->tally.event);
    }
}

int ss_tally_request(request_rec *r)
{
    ss_visit_t *visit = ss_visit_loaded(r);

    if (visit == NULL) {
        if (ss_dir_conf(r)->mode != SS_OFF) {
            ss_count(SS_COUNT_REQUESTS + SS_NONE); /* there was nothing to load */
        }
        return DECLINED;
    }
    ss_count(SS_COUNT_REQUESTS + (int)visit->state);
    if (visit->state == SS_VALID) {
        ss_count_opened(visit->opened.key, visit->now);
    }
    note_event(r, visit);
    return DECLINED;
}
