/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <http_protocol.h>

#include "httpd/chain.h"
#include "httpd/earned.h"
#include "httpd/forward.h"
#include "httpd/strip.h"
#include "httpd/visit.h"
#include "httpd/update.h"
#include "httpd/vars.h"

#define REDIRECT "REDIRECT_"
#define HEADER "HTTP_"

/* What of a variable of an earlier request this one may see; NULL: nothing. An earlier script's
 * request headers are among them. */
static const char *still_shown(request_rec *r, const char *name, const char *value)
{
    while (strncmp(name, REDIRECT, sizeof(REDIRECT) - 1) == 0) {
        name += sizeof(REDIRECT) - 1;
    }
    if (strcmp(name, HEADER "COOKIE") == 0) {
        return ss_strip_from(r, value);
    }
    if (strncmp(name, HEADER, sizeof(HEADER) - 1) == 0) {
        return ss_forward_covers(r, name + sizeof(HEADER) - 1) ? NULL : value;
    }
    return ss_vars_is_variable(name) ? NULL : value;
}

/* A subrequest inherits the environment, a redirected request gets it with REDIRECT_ in front: what
 * an earlier request of the chain was shown is not for this one, unless it says so itself. */
static void withdraw_environment(request_rec *r)
{
    const apr_array_header_t *entries = apr_table_elts(r->subprocess_env);
    apr_table_t *kept = apr_table_make(r->pool, entries->nelts);

    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);
        const char *value = still_shown(r, entry->key, entry->val);

        if (value != NULL) {
            apr_table_addn(kept, entry->key, value);
        }
    }
    r->subprocess_env = kept;
}

/* A later request of the chain, or a subrequest: what an earlier one was shown is not for it. */
static void withdraw(request_rec *r)
{
    const ss_visit_t *visit = ss_visit_known(r);

    if (visit != NULL &&
        (visit->vars.exported || visit->forward.sent || visit->strip.extent != SS_STRIP_NOTHING)) {
        withdraw_environment(r);
    }
    ss_forward_scrub(r);
}

int ss_chain_begin(request_rec *r)
{
    if (r->prev != NULL) {
        ss_update_take_predecessor(r);
        ss_strip_decide(r->prev); /* it may have been refused before its fixups */
        ss_strip_restore(r);
    }
    ss_forward_scrub(r);
    return DECLINED;
}

/* Is there anything to load? Without a Cookie header there is no session, and only the environment
 * of scripts is worth the object of the chain: it must be withdrawn from later requests. */
static int is_worth_loading(request_rec *r)
{
    return ss_dir_conf(r)->env || ss_visit_known(r) != NULL ||
           apr_table_get(r->headers_in, "Cookie") != NULL;
}

int ss_chain_show(request_rec *r)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);
    ss_access_e access = ss_visit_ask(r);
    ss_visit_t *visit = NULL;

    if (access == SS_ACCESS_NO_KEYS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (access == SS_ACCESS_READY && is_worth_loading(r)) {
        visit = ss_visit_load(r);
    }
    /* before anything is withdrawn: what is hidden from this request decides what it may see of
     * the earlier ones' */
    ss_strip_decide(r);
    if (r->prev != NULL || r->main != NULL) {
        withdraw(r);
    }
    if (r->main == NULL && conf->gathered.has_rules) {
        ss_earned_note_step(r);
    }
    if (access == SS_ACCESS_READY) {
        ss_vars_publish(r, visit);
        ss_forward_send(r, visit);
    }
    return DECLINED;
}
