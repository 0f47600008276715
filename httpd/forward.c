/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "httpd/forward.h"
#include "httpd/log.h"
#include "httpd/visit.h"
#include "lib/field.h"
#include "lib/json/json.h"
#include "lib/value.h"

#define HEADER_MAX 8000 /* bytes: httpd accepts 8190, with the name; others less */

int ss_forward_reserve(ss_start_t *start)
{
    const apr_array_header_t *all = apr_array_make(start->scratch, 0, sizeof(const char *));

    if (start->keys == NULL) {
        return OK;
    }
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        if (ss_config_is_own(s, start->main)) {
            all = apr_array_append(start->keys, all, ss_server_conf(s)->gathered.headers);
        }
    }
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        ss_server_conf(s)->reserved = all;
    }
    return OK;
}

static int is_among(const char *name, const apr_array_header_t *names)
{
    for (int i = 0; names != NULL && i < names->nelts; i++) {
        if (ss_field_is_alike(name, APR_ARRAY_IDX(names, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

int ss_forward_covers(const request_rec *r, const char *name)
{
    return is_among(name, ss_server_conf(r->server)->reserved);
}

/** Is this entry to go? `these` is NULL or what it may be one of. */
typedef int is_unwanted_fn(const apr_table_entry_t *entry, const apr_array_header_t *these);

/* `these` are names, const char *. */
static int is_named(const apr_table_entry_t *entry, const apr_array_header_t *these)
{
    return is_among(entry->key, these);
}

/* `these` are texts, const char *, known by their address: httpd hands headers on from request to
 * request as they are. */
static int is_sent(const apr_table_entry_t *entry, const apr_array_header_t *these)
{
    for (int i = 0; i < these->nelts; i++) {
        if (APR_ARRAY_IDX(these, i, const char *) == entry->val) {
            return 1;
        }
    }
    return 0;
}

static int has_unwanted(const apr_array_header_t *entries, is_unwanted_fn *is_unwanted,
                        const apr_array_header_t *these)
{
    for (int i = 0; i < entries->nelts; i++) {
        if (is_unwanted(&APR_ARRAY_IDX(entries, i, apr_table_entry_t), these)) {
            return 1;
        }
    }
    return 0;
}

/* In one pass, in a table that others may hold already. */
static void scrub_table(apr_table_t *table, is_unwanted_fn *is_unwanted,
                        const apr_array_header_t *these, apr_pool_t *pool)
{
    const apr_array_header_t *entries = apr_table_elts(table);

    if (!has_unwanted(entries, is_unwanted, these)) {
        return;
    }
    entries = apr_array_copy(pool, entries);
    apr_table_clear(table);
    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);

        if (!is_unwanted(entry, these)) {
            apr_table_addn(table, entry->key, entry->val);
        }
    }
}

/* A client, or an author of .htaccess, could make mod_proxy drop what we forward.
 *
 * `pool` lives as long as the table, which a subrequest shares with its main request. */
static void scrub_connection(apr_table_t *headers, const apr_array_header_t *names,
                             apr_pool_t *pool)
{
    const char *connection = apr_table_get(headers, "Connection");
    const char *rest;

    if (connection == NULL) {
        return;
    }
    connection = apr_table_getm(pool, headers, "Connection");
    rest = ss_field_without(connection, names, pool);
    if (rest == NULL) {
        apr_table_unset(headers, "Connection");
    }
    else if (rest != connection) {
        apr_table_setn(headers, "Connection", rest);
    }
}

static void scrub(request_rec *r, const apr_array_header_t *names)
{
    if (names == NULL || names->nelts == 0) {
        return;
    }
    scrub_table(r->headers_in, is_named, names, r->pool);
    scrub_table(r->trailers_in, is_named, names, r->pool);
    scrub_connection(r->headers_in, names, ss_visit_root(r)->pool);
}

void ss_forward_scrub(request_rec *r)
{
    scrub(r, ss_server_conf(r->server)->reserved);
}

/* The headers that are sent from here. */
static const apr_array_header_t *names_here(const ss_dir_conf_t *dir, apr_pool_t *pool)
{
    const apr_array_header_t *texts = dir->forward_texts;
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));

    if (dir->forward.header != NULL) {
        APR_ARRAY_PUSH(names, const char *) = dir->forward.header;
    }
    for (int i = 0; texts != NULL && i < texts->nelts; i++) {
        const char *header = APR_ARRAY_IDX(texts, i, ss_forward_text_t).header;

        if (header != NULL) {
            APR_ARRAY_PUSH(names, const char *) = header;
        }
    }
    return names;
}

void ss_forward_claim(request_rec *r)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);

    if (ss_forward_is_on(dir)) {
        scrub(r, names_here(dir, r->pool));
    }
}

void ss_forward_withdraw(request_rec *r, const ss_visit_t *visit)
{
    if (visit->forward.sent != NULL) {
        scrub_table(r->headers_in, is_sent, visit->forward.sent, r->pool);
    }
}

/* The address that this text is known by: a thousand subrequests are sent one. */
static const char *known_text(ss_visit_t *visit, const char *text)
{
    apr_array_header_t *sent = visit->forward.sent;

    if (sent == NULL) {
        sent = visit->forward.sent = apr_array_make(visit->root->pool, 1, sizeof(const char *));
    }
    for (int i = 0; i < sent->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(sent, i, const char *), text) == 0) {
            return APR_ARRAY_IDX(sent, i, const char *);
        }
    }
    text = apr_pstrdup(visit->root->pool, text);
    APR_ARRAY_PUSH(sent, const char *) = text;
    return text;
}

/* The session, or the keys of it that are to be sent; absent when none of them is there. */
static ss_json_t json_of(ss_session_t *session, const ss_keys_t *keys, apr_pool_t *pool)
{
    const apr_array_header_t *members = ss_session_members(session);
    apr_array_header_t *chosen;

    if (keys->all) {
        return ss_session_json(session);
    }
    chosen = apr_array_make(pool, members->nelts, sizeof(ss_json_member_t));
    for (int i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (ss_keys_include(keys, member->name)) {
            APR_ARRAY_PUSH(chosen, ss_json_member_t) = *member;
        }
    }
    return chosen->nelts == 0 ? ss_json_absent : ss_json_print(chosen, pool);
}

/* The same as ASCII; NULL when there is none. */
static const char *text_of(ss_visit_t *visit, const ss_keys_t *keys, apr_pool_t *pool)
{
    ss_forward_note_t *note = &visit->forward;
    unsigned version = ss_draft_version(visit->draft);
    ss_json_t json;
    ss_bytes_t text;

    if (note->json != NULL && note->version == version && note->keys.all == keys->all &&
        note->keys.names == keys->names) {
        return note->json;
    }
    json = json_of(ss_visit_session(visit), keys, pool);
    if (json.raw.data == NULL) {
        return NULL;
    }
    text = ss_json_compact(json, SS_JSON_ASCII_AND_FINITE, pool).raw;
    note->json = known_text(visit, apr_pstrmemdup(pool, text.data, text.len));
    note->version = version;
    note->keys = *keys;
    return note->json;
}

/* Put a header there. Returns whether backends can be expected to accept it. */
static int send_header(request_rec *r, const char *header, const char *text)
{
    apr_size_t len = strlen(text);

    if (len > HEADER_MAX) {
        ss_log(r, APLOG_ERR, "SS0419",
               "the header %s would have %" APR_SIZE_T_FMT
               " bytes, more than backends accept (%d): "
               "name the keys that they need in SignedSessionForward",
               header, len, HEADER_MAX);
        return 0;
    }
    apr_table_setn(r->headers_in, header, text);
    return 1;
}

static int send_session(request_rec *r, ss_visit_t *visit, const ss_forward_conf_t *forward)
{
    const char *text = text_of(visit, &forward->keys, r->pool);

    return text == NULL || send_header(r, forward->header, text);
}

static int send_key(request_rec *r, ss_visit_t *visit, const ss_forward_text_t *forward)
{
    ss_json_t value = ss_value_find(ss_visit_session(visit), forward->key, r->pool);
    const char *text = value.raw.data == NULL ? NULL : ss_value_text(value, r->pool);

    return text == NULL || send_header(r, forward->header, known_text(visit, text));
}

int ss_forward_send(request_rec *r, ss_visit_t *visit)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);
    const apr_array_header_t *texts = dir->forward_texts;
    int sent = 1;

    if (visit == NULL || !ss_forward_is_on(dir) || !ss_visit_has_session(visit) ||
        r->method_number == M_TRACE) { /* whose answer is the request */
        return OK;
    }
    if (dir->forward.header != NULL) {
        sent = send_session(r, visit, &dir->forward);
    }
    for (int i = 0; texts != NULL && i < texts->nelts && sent; i++) {
        const ss_forward_text_t *text = &APR_ARRAY_IDX(texts, i, ss_forward_text_t);

        sent = text->header == NULL || send_key(r, visit, text);
    }
    return sent ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

int ss_forward_is_on(const ss_dir_conf_t *dir)
{
    return dir->forward.header != NULL || dir->forward_texts != NULL;
}

/*
 * Trailers: with MergeTrailers they become headers when the body has been read, by whoever reads
 * it.
 */

static ap_filter_rec_t *trailers_filter;

/* What stands there may have become a header by now, in the place of ours or of an
 * administrator's. */
static void guard_trailers(request_rec *r)
{
    ss_visit_t *visit;

    if (!has_unwanted(apr_table_elts(r->trailers_in), is_named,
                      ss_server_conf(r->server)->reserved)) {
        return;
    }
    ss_forward_scrub(r);
    if (ss_visit_ask(r) == SS_ACCESS_READY && (visit = ss_visit_loaded(r)) != NULL) {
        ss_forward_send(r, visit);
    }
}

static apr_status_t scrub_trailers(ap_filter_t *f, apr_bucket_brigade *brigade,
                                   ap_input_mode_t mode, apr_read_type_e block, apr_off_t bytes)
{
    apr_status_t rv = ap_get_brigade(f->next, brigade, mode, block, bytes);

    if (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(brigade) &&
        APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade))) {
        guard_trailers(f->r);
        ap_remove_input_filter(f);
    }
    return rv;
}

void ss_forward_register(void)
{
    trailers_filter = ap_register_input_filter("SIGNED_SESSION_TRAILERS", scrub_trailers, NULL,
                                               AP_FTYPE_CONTENT_SET);
}

void ss_forward_insert(request_rec *r)
{
    const apr_array_header_t *reserved = ss_server_conf(r->server)->reserved;

    if (r->main == NULL && reserved != NULL && reserved->nelts > 0 && ap_request_has_body(r)) {
        ap_add_input_filter_handle(trailers_filter, NULL, r, r->connection);
    }
}
