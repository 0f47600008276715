/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/proving.h"
#include "httpd/strip.h"
#include "httpd/visit.h"

int ss_strip_is_ours(ss_bytes_t value, const void *r_)
{
    const request_rec *r = r_;
    const apr_array_header_t *seals = ss_server_conf(r->server)->sealing.seals;

    for (int i = 0; i < seals->nelts; i++) {
        const ss_seal_t *seal = &APR_ARRAY_IDX(seals, i, ss_seal_t);

        if (seal->format->resembles != NULL &&
            seal->format->resembles(value, seal->keys, r->pool)) {
            return 1;
        }
    }
    return 0;
}

/* Is it a good cookie that counts for nothing here? */
static int is_withheld(const request_rec *r)
{
    const ss_visit_t *visit = ss_visit_loaded(r);

    return visit != NULL && (visit->state == SS_REVOKED || visit->state == SS_UNPROVEN ||
                             visit->state == SS_UNBOUND);
}

static ss_strip_extent_e wanted_here(request_rec *r)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);
    const ss_dir_conf_t *dir = ss_dir_conf(r);

    if (conf->sealing.seals == NULL) {
        return SS_STRIP_NOTHING;
    }
    if (is_withheld(r)) {
        return SS_STRIP_ALL; /* applications that read the cookie themselves do not know */
    }
    if (dir->strip == SS_STRIP_OFF) {
        return SS_STRIP_NOTHING;
    }
    if (dir->strip == SS_STRIP_ON) {
        return SS_STRIP_ALL;
    }
    /* a tenant who switches sessions off does not thereby get the cookie of the others; what does
     * not look like ours is an application's own, whose login would never end without it */
    return conf->gathered.in_use != NULL || dir->mode != SS_OFF ? SS_STRIP_NATIVE
                                                                : SS_STRIP_NOTHING;
}

/* Did the client send a cookie of ours? Once loaded, that is known. */
static int has_cookie(request_rec *r)
{
    const ss_visit_t *visit = ss_visit_loaded(r);
    ss_candidates_t found;

    if (visit != NULL) {
        return visit->cookies + visit->companions > 0;
    }
    ss_candidates_find(&found, apr_table_get(r->headers_in, "Cookie"),
                       &ss_server_conf(r->server)->sealing);
    return found.count + found.companion_count > 0;
}

/* Did it send a proof that it has a bound session's key? */
static int has_proof(request_rec *r)
{
    const ss_server_conf_t *conf = ss_server_conf(r->server);

    return ss_proving_is_on(conf) &&
           ss_proving_count(conf, apr_table_get(r->headers_in, "Cookie")) > 0;
}

void ss_strip_decide(request_rec *r)
{
    ss_strip_extent_e wanted = wanted_here(r);
    ss_visit_t *visit;

    if (wanted == SS_STRIP_NOTHING || (!has_cookie(r) && !has_proof(r))) {
        return;
    }
    visit = ss_visit_begin(r);
    if (visit->strip.extent < wanted) {
        visit->strip.extent = wanted;
    }
}

static int is_proof(ss_bytes_t value, const void *r_)
{
    const request_rec *r = r_;

    return ss_proof_resembles(value, ss_proving_keys(ss_server_conf(r->server)), r->pool);
}

/* Without the proofs that go with a bound session, or all cookies of their name. */
static const char *without_proofs(request_rec *r, const ss_visit_t *visit, const char *header)
{
    const ss_server_conf_t *conf = visit->conf;
    int only_ours = visit->strip.extent == SS_STRIP_NATIVE;

    return header == NULL || !ss_proving_is_on(conf)
               ? header
               : ss_cookie_strip(header, ss_proving_cookie(conf).name, only_ours ? is_proof : NULL,
                                 r, r->pool);
}

/* Is this the client's header, and our cookie all of it, so that nothing has to be looked for? */
static int holds_nothing_else(const request_rec *r, const ss_visit_t *visit, const char *header)
{
    return header == visit->header && visit->alone.data != NULL &&
           (visit->strip.extent == SS_STRIP_ALL || visit->is_native ||
            ss_strip_is_ours(visit->alone, r));
}

const char *ss_strip_from(request_rec *r, const ss_visit_t *visit, const char *header)
{
    const ss_sealing_t *how;

    if (visit == NULL || visit->strip.extent == SS_STRIP_NOTHING) {
        return header;
    }
    if (holds_nothing_else(r, visit, header)) {
        return NULL;
    }
    header = without_proofs(r, visit, header);
    how = &visit->conf->sealing;
    if (header == NULL) {
        return NULL;
    }
    if (visit->strip.extent == SS_STRIP_NATIVE) {
        return ss_cookie_strip(header, how->cookie_name, ss_strip_is_ours, r, r->pool);
    }
    header = ss_cookie_strip(header, how->cookie_name, NULL, NULL, r->pool);
    if (header != NULL && how->companion_name != NULL) {
        header = ss_cookie_strip(header, how->companion_name, NULL, NULL, r->pool);
    }
    return header;
}

/* Where it is noted what is hidden in the headers of `r`: internal redirects hand the table on. */
static ss_step_t *holder_of(request_rec *r)
{
    while (r->prev != NULL) {
        r = r->prev;
    }
    return ss_visit_step(r);
}

/* A subrequest shares the table of its main request, whose mod_cache reads it, too. */
static void own_headers(request_rec *r)
{
    if (r->main != NULL && r->headers_in == r->main->headers_in) {
        r->headers_in = apr_table_copy(r->pool, r->headers_in);
    }
}

static void set_cookie(request_rec *r, const char *header)
{
    if (header == NULL) {
        apr_table_unset(r->headers_in, "Cookie");
    }
    else {
        apr_table_setn(r->headers_in, "Cookie", header);
    }
}

void ss_strip_show_client(request_rec *r)
{
    const ss_visit_t *visit = ss_visit_known(r);
    const char *header;

    if (visit == NULL) {
        return;
    }
    header = apr_table_get(r->headers_in, "Cookie");
    if (!ss_text_equal(header, visit->header)) {
        own_headers(r);
        holder_of(r)->edited = header == NULL ? "" : header;
        set_cookie(r, visit->header);
    }
}

/* What others have made of the header is for the handler. */
static void show_edited(request_rec *r, ss_step_t *holder)
{
    if (holder->edited != NULL) {
        set_cookie(r, holder->edited[0] == '\0' ? NULL : holder->edited);
        holder->edited = NULL;
        holder->is_hidden = 1;
    }
}

void ss_strip_cookie(request_rec *r, ss_visit_t *visit)
{
    const char *header, *rest;

    show_edited(r, holder_of(r));
    header = apr_table_get(r->headers_in, "Cookie");
    rest = header == NULL ? NULL : ss_strip_from(r, visit, header);
    if (rest != header) {
        own_headers(r);
        holder_of(r)->is_hidden = 1;
        set_cookie(r, rest);
    }
}

void ss_strip_restore(request_rec *r)
{
    const ss_visit_t *visit = ss_visit_known(r);
    ss_step_t *holder = visit == NULL ? NULL : holder_of(r);

    if (holder != NULL && holder->is_hidden) {
        set_cookie(r, visit->header);
        holder->is_hidden = 0;
    }
}
