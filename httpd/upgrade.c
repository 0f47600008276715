/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_cstr.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "httpd/config.h"
#include "httpd/log.h"
#include "httpd/upgrade.h"

#define INTERIM "HTTP/1.1 1"
#define SWITCHING INTERIM "01 "
#define HEADER_MAX (64 * 1024) /* bytes that are looked at */

static ap_filter_rec_t *watch_filter;

/** A connection on which a 101 may come. */
typedef struct watch_t {
    request_rec *r;
    ap_filter_t *filter;
    apr_bucket_brigade *header; /* a copy of the 101's, as far as it was printed */
    int is_switch;              /* did it begin? */
} watch_t;

/* The first piece of text; absent when there is none. */
static ss_bytes_t beginning_of(apr_bucket_brigade *brigade)
{
    for (apr_bucket *b = APR_BRIGADE_FIRST(brigade); b != APR_BRIGADE_SENTINEL(brigade);
         b = APR_BUCKET_NEXT(b)) {
        const char *text;
        apr_size_t len;

        if (!APR_BUCKET_IS_METADATA(b) &&
            apr_bucket_read(b, &text, &len, APR_BLOCK_READ) == APR_SUCCESS && len > 0) {
            return ss_bytes(text, len);
        }
    }
    return ss_absent;
}

/* Has the header of a response, as it is printed, a line of this name? */
static int has_line(ss_bytes_t header, const char *name)
{
    apr_size_t size = strlen(name);
    const char *end = header.data + header.len, *line = header.data;

    while ((line = memchr(line, '\n', (apr_size_t)(end - line))) != NULL) {
        line++;
        if ((apr_size_t)(end - line) > size && line[size] == ':' &&
            apr_cstr_casecmpn(line, name, size) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The length of the header that `text` begins with; 0: it goes on. */
static apr_size_t header_length(ss_bytes_t text)
{
    static const char end[] = "\r\n\r\n";
    const apr_size_t size = sizeof(end) - 1;

    for (apr_size_t i = 0; i + size <= text.len; i++) {
        if (memcmp(text.data + i, end, size) == 0) {
            return i + size;
        }
    }
    return text.len < HEADER_MAX ? 0 : text.len;
}

/* A long header is printed in several pieces. Returns whether it has come to its end. */
static int take_piece(watch_t *watch, apr_bucket_brigade *piece)
{
    const char *name = ss_dir_conf(watch->r)->update.header;
    apr_pool_t *pool = watch->r->pool;
    apr_size_t len;
    char *text;

    if (apr_brigade_pflatten(piece, &text, &len, pool) != APR_SUCCESS ||
        apr_brigade_write(watch->header, NULL, NULL, text, len) != APR_SUCCESS ||
        apr_brigade_pflatten(watch->header, &text, &len, pool) != APR_SUCCESS) {
        return 1;
    }
    len = header_length(ss_bytes(text, len));
    if (len > 0 && watch->r->next == NULL && /* else a later request answers, watched itself */
        has_line(ss_bytes(text, len), name)) {
        ss_log(watch->r, APLOG_WARNING, "SS0301",
               "the update in the response header %s came with a change of protocol (101), where "
               "no update can be applied: the change is lost",
               name);
    }
    return len > 0;
}

static apr_status_t end_watch(void *watch)
{
    ap_remove_output_filter(((watch_t *)watch)->filter);
    return APR_SUCCESS;
}

static apr_status_t observe(ap_filter_t *f, apr_bucket_brigade *brigade)
{
    watch_t *watch = f->ctx;
    ss_bytes_t text = beginning_of(brigade);
    int is_over = 0;

    watch->is_switch = watch->is_switch || ss_bytes_begin(text, SWITCHING);
    if (watch->is_switch) {
        is_over = take_piece(watch, brigade);
    }
    else if (text.len > 0) {
        is_over = !ss_bytes_begin(text, INTERIM); /* other interim responses may go before it */
    }
    if (is_over) {
        apr_pool_cleanup_run(watch->r->pool, watch, end_watch);
    }
    return ap_pass_brigade(f->next, brigade);
}

void ss_upgrade_register(void)
{
    /* what mod_proxy prints meets no filter of a lower type; mod_ssl comes behind it */
    watch_filter =
        ap_register_output_filter("SIGNED_SESSION_UPGRADE", observe, NULL, AP_FTYPE_CONNECTION);
}

void ss_upgrade_insert(request_rec *r)
{
    watch_t *watch;

    if (r->main != NULL || ss_dir_conf(r)->update.header == NULL ||
        apr_table_get(r->headers_in, "Upgrade") == NULL) {
        return;
    }
    watch = apr_pcalloc(r->pool, sizeof(*watch));
    watch->r = r;
    watch->header = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    /* it is the connection's, which outlives the request that it tells of */
    watch->filter = ap_add_output_filter_handle(watch_filter, watch, NULL, r->connection);
    apr_pool_cleanup_register(r->pool, watch, end_watch, apr_pool_cleanup_null);
}
