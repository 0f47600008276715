/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/log.h"
#include "httpd/shared_cookie.h"
#include "lib/cookie.h"

/** Looks for the last Set-Cookie of our name. */
typedef struct search_t {
    const char *name;
    const char *line;
} search_t;

static int note_line(void *search_, const char *header, const char *value)
{
    search_t *search = search_;

    (void)header;
    if (ss_cookie_is_named(value, search->name)) {
        search->line = value;
    }
    return 1;
}

/* The last line that sets a cookie of this name; NULL when there is none. */
static const char *line_in(request_rec *r, const char *name)
{
    search_t search = { name, NULL };

    if (apr_table_get(r->headers_out, "Set-Cookie") == NULL &&
        apr_table_get(r->err_headers_out, "Set-Cookie") == NULL) {
        return NULL;
    }
    apr_table_do(note_line, &search, r->headers_out, "Set-Cookie", NULL);
    if (search.line == NULL) {
        apr_table_do(note_line, &search, r->err_headers_out, "Set-Cookie", NULL);
    }
    return search.line;
}

/* What the application wrote, of the cookie and of its companion. */
static ss_candidates_t candidates_in(request_rec *r, const ss_visit_t *visit, const char *line)
{
    const char *companion = visit->conf->sealing.companion_name;
    ss_candidates_t candidates = { .count = 1, .values = { ss_cookie_value(line) } };

    line = companion == NULL ? NULL : line_in(r, companion);
    if (line != NULL) {
        candidates.companions[candidates.companion_count++] = ss_cookie_value(line);
    }
    return candidates;
}

/* Make our changes on top of what the application wrote. Returns its state. */
static ss_state_e rebase(ss_visit_t *visit, const ss_candidates_t *candidates)
{
    ss_session_t *session;
    ss_provenance_t from;
    ss_state_e state = ss_format_open(&session, &from, candidates, &visit->conf->sealing,
                                      visit->now, visit->root->pool);

    if (state == SS_VALID) {
        ss_change_make_all(session, visit->changes);
        ss_visit_replace(visit, session);
        visit->from = from;
        /* the client is about to have them: an end must delete them */
        visit->cookies = candidates->count;
        visit->companions = candidates->companion_count;
    }
    return state;
}

/* That a session begins anew is none: it began with what the application wrote. */
static int has_changes(const ss_visit_t *visit)
{
    return visit->changes != NULL && visit->changes->nelts > 0;
}

int ss_shared_cookie_settle(request_rec *r, ss_visit_t *visit)
{
    const char *line = line_in(r, visit->conf->cookie.name);
    ss_candidates_t candidates;
    ss_state_e state;

    if (line == NULL || line == visit->written) {
        return 0; /* what we wrote into this response ourselves does not count */
    }
    if (!has_changes(visit) || ss_cookie_is_deletion(line, visit->now)) {
        ss_visit_revert(visit);
        return 1;
    }
    candidates = candidates_in(r, visit, line);
    state = rebase(visit, &candidates);
    if (state != SS_VALID) {
        ss_log(r, APLOG_ERR, "SS0309",
               "the application set the session cookie itself, to something that cannot be opened "
               "(%s): it passes, and what was changed here is lost",
               ss_state_name(state));
        ss_visit_revert(visit);
    }
    return 1;
}

int ss_shared_cookie_passes(request_rec *r)
{
    return line_in(r, ss_server_conf(r->server)->cookie.name) != NULL;
}
