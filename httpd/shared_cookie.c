/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/log.h"
#include "httpd/shared_cookie.h"
#include "httpd/strip.h"
#include "lib/cookie.h"

/** Looks for the last Set-Cookie that sets this cookie. */
typedef struct search_t {
    const ss_cookie_t *cookie;
    const char *line;
} search_t;

static int note_line(void *search_, const char *header, const char *value)
{
    search_t *search = search_;

    (void)header;
    if (ss_cookie_is_named(value, search->cookie->name) &&
        ss_cookie_is_scoped(value, search->cookie)) {
        search->line = value;
    }
    return 1;
}

/* The last line that sets this cookie; NULL when there is none. */
static const char *line_in(request_rec *r, const ss_cookie_t *cookie)
{
    search_t search = { cookie, NULL };

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

/* Note what the application wrote, of the cookie and of its companion. */
static void note_cookie(request_rec *r, ss_visit_t *visit, const char *line)
{
    const ss_cookie_t companion = ss_config_companion(visit->conf);
    apr_pool_t *pool = visit->root->pool;
    ss_candidates_t *candidates = apr_pcalloc(pool, sizeof(*candidates));

    line = apr_pstrdup(pool, line);
    candidates->fetch = ss_visit_fetch;
    candidates->baton = visit;
    candidates->came = candidates->count = 1;
    candidates->values[0] = ss_cookie_value(line);
    visit->shared_cookie.line = line;
    visit->shared_cookie.companion_line = NULL;
    line = companion.name == NULL ? NULL : line_in(r, &companion);
    if (line != NULL) {
        line = apr_pstrdup(pool, line);
        candidates->companion_count = 1;
        candidates->companions[0] = ss_cookie_value(line);
        visit->shared_cookie.companion_line = line;
    }
    visit->shared_cookie.wrote = candidates;
}

/* The visit's session is from now on what the application wrote, with our changes on top. Returns
 * its state. */
static ss_state_e adopt(ss_visit_t *visit)
{
    const ss_candidates_t *wrote = visit->shared_cookie.wrote;
    ss_opened_t opened;
    ss_state_e state =
        ss_candidates_open(&opened, wrote, &visit->conf->sealing, visit->now, visit->root->pool);

    visit->shared_cookie.wrote = NULL;
    if (state == SS_VALID) {
        ss_visit_adopt(visit, &opened, wrote);
        visit->shared_cookie.is_adopted = 1;
    }
    return state;
}

/* Where no application shares the cookie, one that sets it owns another cookie of our name. */
static void tell_of_other_owner(request_rec *r, const ss_visit_t *visit, const char *line)
{
    static volatile apr_uint32_t told;
    const apr_array_header_t *seals = visit->conf->sealing.seals;

    for (int i = 0; i < seals->nelts; i++) {
        if (APR_ARRAY_IDX(seals, i, ss_seal_t).format->traits & SS_FORMAT_FOREIGN) {
            return;
        }
    }
    if (!ss_strip_is_ours(ss_cookie_value(line), r) && ss_log_is_time(&told, visit->now)) {
        ss_log(
            r, APLOG_WARNING, "SS0311",
            "an application sets a cookie of the name \"%s\" that is not this server's: give one "
            "of the two another name (SignedSessionCookie), or each will overwrite the other's",
            visit->conf->cookie.name);
    }
}

/* It is a logout as any other: copies of the cookie are not to go on. */
static void pass_deletion(ss_visit_t *visit)
{
    visit->shared_cookie.wrote = NULL;
    ss_visit_revert(visit);
    ss_visit_adopt(visit, NULL, NULL);
    ss_visit_change(visit, &ss_change_end);
}

int ss_shared_cookie_settle(request_rec *r, ss_visit_t *visit)
{
    const char *line = line_in(r, &visit->conf->cookie);
    /* what we wrote into this response ourselves does not count */
    int is_theirs = line != NULL && line != visit->response.written;
    ss_state_e state;

    visit->shared_cookie.deletes = is_theirs && ss_cookie_is_deletion(line, visit->now);
    if (visit->shared_cookie.deletes) {
        pass_deletion(visit);
        return 1;
    }
    if (is_theirs) {
        tell_of_other_owner(r, visit, line);
        note_cookie(r, visit, line);
    }
    /* that a session begins anew is no change: it began with what the application wrote */
    if (!ss_draft_has_changes(visit->draft)) {
        if (is_theirs) {
            ss_visit_revert(visit);
        }
        return is_theirs;
    }
    /* also when the response that it stood in was given up: what comes instead is newer */
    state = visit->shared_cookie.wrote != NULL ? adopt(visit) : SS_VALID;
    if (state != SS_VALID) {
        ss_log(r, APLOG_ERR, "SS0309",
               "the application set the session cookie itself, to something that cannot be opened "
               "(%s): it passes, and what was changed here is lost",
               ss_state_name(state));
        ss_visit_revert(visit);
    }
    return is_theirs;
}

int ss_shared_cookie_passes(request_rec *r)
{
    return line_in(r, &ss_server_conf(r->server)->cookie) != NULL;
}
