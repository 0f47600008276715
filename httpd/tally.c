/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/counters.h"
#include "httpd/tally.h"
#include "httpd/visit.h"

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

int ss_tally_request(request_rec *r)
{
    const ss_visit_t *visit = ss_visit_loaded(r);

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
    if (visit->response.written != NULL) {
        ss_count(SS_COUNT_WRITES + (int)reason_of(visit));
    }
    return DECLINED;
}
