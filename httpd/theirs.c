/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/log.h"
#include "httpd/theirs.h"
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

/* The application's line; what we wrote into this response ourselves does not count. */
static const char *line_in(request_rec *r, const ss_request_t *req)
{
    search_t search = { req->conf->cookie.name, NULL };

    if (apr_table_get(r->headers_out, "Set-Cookie") == NULL &&
        apr_table_get(r->err_headers_out, "Set-Cookie") == NULL) {
        return NULL;
    }
    apr_table_do(note_line, &search, r->headers_out, "Set-Cookie", NULL);
    if (search.line == NULL) {
        apr_table_do(note_line, &search, r->err_headers_out, "Set-Cookie", NULL);
    }
    return search.line != NULL && search.line == req->written ? NULL : search.line;
}

/* Make our changes on top of what the application wrote. Returns its state. */
static ss_state_e rebase(ss_request_t *req, const char *line)
{
    const ss_bytes_t value = ss_cookie_value(line);
    ss_session_t *session;
    ss_provenance_t from;
    ss_state_e state =
        ss_format_open(&session, &from, &value, 1, &req->conf->sealing, req->now, req->root->pool);

    if (state == SS_VALID) {
        ss_change_make_all(session, req->changes);
        ss_request_replace(req, session);
        req->from = from;
        req->cookies = 1; /* the client is about to have it: an end must delete it */
    }
    return state;
}

/* That a session begins anew is none: it began with what the application wrote. */
static int has_changes(const ss_request_t *req)
{
    return req->changes != NULL && req->changes->nelts > 0;
}

int ss_theirs_settle(request_rec *r, ss_request_t *req)
{
    const char *line = line_in(r, req);
    ss_state_e state;

    if (line == NULL) {
        return 0;
    }
    if (!has_changes(req) || ss_cookie_is_deletion(line, req->now)) {
        ss_request_revert(req);
        return 1;
    }
    state = rebase(req, line);
    if (state != SS_VALID) {
        ss_log(r, APLOG_ERR, "SS0309",
               "the application set the session cookie itself, to something that cannot be opened "
               "(%s): it passes, and what was changed here is lost",
               ss_state_name(state));
        ss_request_revert(req);
    }
    return 1;
}
