/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* For tests only: a handler that answers in every way a handler can, good or bad.
 *
 * "SetHandler ss-testing" in a location makes /location/CASE/ARGUMENT run the row CASE of the table
 * below. The session is changed through the note that any module may use, with the merge patch of a
 * request header: X-Change before httpd has looked at the request, so that the change exists where
 * no handler runs, X-Change-Late in the handler of this file, just before it answers. The patch of
 * X-Change-Header leaves in the header X-Update, as an application's does.
 *
 * X-Clock: SECONDS moves the clock of a request, by which sessions are judged, forward or back.
 * X-Starve: BYTES leaves no more memory than that until this file's handler answers.
 */

#include <stdlib.h>
#include <sys/resource.h>

#include "httpd.h"
#include "http_config.h"
#include "http_connection.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"

#include "apr_buckets.h"
#include "apr_strings.h"

#define HANDLER_NAME "ss-testing"
#define BIG_BODY (220 * 1024)
#define BITE_MAX ((apr_size_t)1024 * 1024)
#define PIECE_MAX 2048

module AP_MODULE_DECLARE_DATA ss_testing_module;

typedef struct {
    const char *name;
    int (*answer)(request_rec *r);
} case_t;

/* /location/CASE/ARGUMENT: the parts are counted from 0 */
static const char *part_of(request_rec *r, int number)
{
    const char *part = r->uri;
    const char *end;

    do {
        part = strchr(part, '/');
        if (part++ == NULL) {
            return "";
        }
    } while (number-- > 0);

    end = strchr(part, '/');
    return end == NULL ? part : apr_pstrmemdup(r->pool, part, (apr_size_t)(end - part));
}

static int status_of(request_rec *r)
{
    return atoi(part_of(r, 2));
}

static void write_page(request_rec *r)
{
    ap_set_content_type(r, "text/plain");
    ap_rputs("a page of the test handler\n", r);
}

static void write_big_page(request_rec *r)
{
    int i;

    ap_set_content_type(r, "text/plain");
    for (i = 0; i < BIG_BODY / 64; i++) {
        ap_rputs("sixty-four bytes of text in each line, until the body is big...\n", r);
    }
}

static int answer_ok(request_rec *r)
{
    write_page(r);
    return OK;
}

static int answer_empty(request_rec *r)
{
    ap_set_content_type(r, "text/plain");
    return OK;
}

/* For ARGUMENT milliseconds */
static int answer_after_sleeping(request_rec *r)
{
    apr_sleep(apr_time_from_msec(status_of(r)));
    write_page(r);
    return OK;
}

static int answer_done(request_rec *r)
{
    write_page(r);
    return DONE;
}

static int answer_declined(request_rec *r)
{
    (void)r;
    return DECLINED;
}

/* The body is read, as any form handler does: only then limits and "100 Continue" matter. */
static int answer_after_reading(request_rec *r)
{
    int rc = ap_setup_client_block(r, REQUEST_CHUNKED_DECHUNK);

    if (rc == OK) {
        rc = ap_discard_request_body(r);
    }
    if (rc == OK) {
        write_page(r);
    }
    return rc;
}

static int answer_return(request_rec *r)
{
    int code = status_of(r);

    if (code == HTTP_CREATED || ap_is_HTTP_REDIRECT(code)) {
        apr_table_setn(r->headers_out, "Location", "/file.txt");
    }
    return code;
}

static int answer_status(request_rec *r)
{
    r->status = status_of(r);
    if (!AP_STATUS_IS_HEADER_ONLY(r->status)) {
        write_page(r);
    }
    return OK;
}

static int answer_write_return(request_rec *r)
{
    write_page(r);
    return status_of(r);
}

static int answer_flush_return(request_rec *r)
{
    write_page(r);
    ap_rflush(r);
    return status_of(r);
}

static int answer_big_return(request_rec *r)
{
    write_big_page(r);
    return status_of(r);
}

static int answer_stream(request_rec *r)
{
    ap_set_content_type(r, "text/plain");
    ap_rflush(r);
    write_page(r);
    ap_rflush(r);
    write_page(r);
    return OK;
}

static int answer_big(request_rec *r)
{
    write_big_page(r);
    return OK;
}

static int answer_redirect(request_rec *r)
{
    ap_internal_redirect(apr_pstrcat(r->pool, "/", part_of(r, 2), NULL), r);
    return OK;
}

static void run_subrequest(request_rec *r, const char *path)
{
    request_rec *sub = ap_sub_req_lookup_uri(path, r, r->output_filters);

    if (sub->status == HTTP_OK) {
        ap_run_sub_req(sub);
    }
    ap_destroy_sub_req(sub);
}

static int answer_subrequests(request_rec *r)
{
    ap_set_content_type(r, "text/plain");
    run_subrequest(r, "/file.txt");
    run_subrequest(r, "/missing");
    write_page(r);
    return OK;
}

/* A fault on purpose: a string of a subrequest is still in use when the subrequest is not. With
 * ARGUMENT "copy" it is taken over, and there is no fault. */
static int answer_keeping(request_rec *r)
{
    request_rec *sub = ap_sub_req_lookup_uri("/file.txt", r, NULL);
    const char *kept = apr_pstrdup(sub->pool, "a string of the subrequest");

    if (strcmp(part_of(r, 2), "copy") == 0) {
        kept = apr_pstrdup(r->pool, kept);
    }
    ap_destroy_sub_req(sub);
    ap_set_content_type(r, "text/plain");
    ap_rputs(kept, r);
    return OK;
}

/* Another one: the byte ARGUMENT of a block of four. */
static int answer_from_block(request_rec *r)
{
    const char *block = apr_pstrdup(r->pool, "abc");

    ap_set_content_type(r, "text/plain");
    ap_rputc(block[status_of(r)], r);
    return OK;
}

static int pass_bucket(request_rec *r, apr_bucket *bucket)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);

    APR_BRIGADE_INSERT_TAIL(brigade, bucket);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(r->connection->bucket_alloc));
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

static int answer_error_bucket(request_rec *r)
{
    return pass_bucket(
        r, ap_bucket_error_create(status_of(r), NULL, r->pool, r->connection->bucket_alloc));
}

/* End of connection: what mod_proxy passes on when the backend must be seen to have broken off. */
static int answer_eoc(request_rec *r)
{
    r->connection->keepalive = AP_CONN_CLOSE;
    return pass_bucket(r, ap_bucket_eoc_create(r->connection->bucket_alloc));
}

static int answer_bad_header(request_rec *r)
{
    apr_table_setn(r->headers_out, "X-Bad", "a control \001 character");
    write_page(r);
    return OK;
}

static int answer_early_hints(request_rec *r)
{
    r->status = 103; /* HTTP_EARLY_HINTS came with httpd 2.4.63 */
    r->status_line = "103 Early Hints";
    apr_table_setn(r->headers_out, "Link", "</style.css>; rel=preload");
    ap_send_interim_response(r, 1);
    r->status = HTTP_OK;
    r->status_line = NULL;
    write_page(r);
    return OK;
}

static int answer_assbackwards(request_rec *r)
{
    r->assbackwards = 1;
    write_page(r);
    return OK;
}

/** Memory that was taken away from everybody else in this process. */
typedef struct bite_t {
    struct bite_t *next;
} bite_t;

typedef struct hunger_t {
    void *rest; /* that is left to others */
    bite_t *bites;
} hunger_t;

/* Of a child that is not starved: one request may begin to starve before another has ended. */
static struct rlimit usual_limit;

static void note_limit(apr_pool_t *pool, server_rec *s)
{
    (void)pool;
    (void)s;
    getrlimit(RLIMIT_AS, &usual_limit);
}

static apr_status_t end_hunger(void *hunger_)
{
    hunger_t *hunger = hunger_;

    setrlimit(RLIMIT_AS, &usual_limit);
    while (hunger->bites != NULL) {
        bite_t *bite = hunger->bites;

        hunger->bites = bite->next;
        free(bite);
    }
    return APR_SUCCESS;
}

/* Let the system give nothing more, and take all of what it gave already. */
static void take_everything(hunger_t *hunger)
{
    const struct rlimit nothing = { 1, usual_limit.rlim_max };
    apr_size_t size = BITE_MAX;

    setrlimit(RLIMIT_AS, &nothing);
    while (size >= sizeof(bite_t)) {
        bite_t *bite = malloc(size);

        if (bite == NULL) {
            /* small pieces that were freed wait for somebody who wants exactly their size */
            size = size > PIECE_MAX ? size / 2 : size - sizeof(bite_t);
            continue;
        }
        bite->next = hunger->bites;
        hunger->bites = bite;
    }
}

static void starve(request_rec *r, apr_size_t rest)
{
    hunger_t *hunger = apr_pcalloc(r->pool, sizeof(*hunger));

    hunger->rest = malloc(rest);
    apr_pool_cleanup_register(r->pool, hunger, end_hunger, apr_pool_cleanup_null);
    ap_set_module_config(r->request_config, &ss_testing_module, hunger);
    take_everything(hunger);
    free(hunger->rest);
}

static void feed(request_rec *r)
{
    hunger_t *hunger = ap_get_module_config(r->request_config, &ss_testing_module);

    if (hunger != NULL) {
        apr_pool_cleanup_run(r->pool, hunger, end_hunger);
    }
}

/* Until the request ends, libraries find no more than ARGUMENT bytes. httpd's own allocator has
 * some in store: without it httpd itself, which trusts it, would crash. */
static int answer_starving(request_rec *r)
{
    starve(r, (apr_size_t)status_of(r));
    write_page(r);
    return OK;
}

/* Ends in the abort function of the request's pool. */
static int answer_devouring(request_rec *r)
{
    starve(r, 0);
    while (apr_palloc(r->pool, 1024) != NULL) {
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* clang-format off */
static const case_t cases[] = {
    { "ok",           answer_ok },
    { "empty",        answer_empty },
    { "sleep",        answer_after_sleeping },
    { "done",         answer_done },
    { "declined",     answer_declined },
    { "read",         answer_after_reading },
    { "return",       answer_return },
    { "status",       answer_status },
    { "write-return", answer_write_return },
    { "flush-return", answer_flush_return },
    { "big-return",   answer_big_return },
    { "stream",       answer_stream },
    { "big",          answer_big },
    { "redirect",     answer_redirect },
    { "subrequests",  answer_subrequests },
    { "keep",         answer_keeping },
    { "block",        answer_from_block },
    { "error-bucket", answer_error_bucket },
    { "eoc",          answer_eoc },
    { "bad-header",   answer_bad_header },
    { "early-hints",  answer_early_hints },
    { "assbackwards", answer_assbackwards },
    { "starve",       answer_starving },
    { "devour",       answer_devouring },
    { NULL,           NULL }
};
/* clang-format on */

/* Ask for a change in the way that a table and a name in it are. */
static void change_session(request_rec *r, const char *header, apr_table_t *table, const char *name)
{
    const char *patch = apr_table_get(r->headers_in, header);

    if (patch != NULL) {
        apr_table_setn(table, name, patch);
    }
}

static int move_clock(request_rec *r)
{
    const char *seconds = apr_table_get(r->headers_in, "X-Clock");

    if (seconds != NULL && r->main == NULL && r->prev == NULL) {
        r->request_time += apr_time_from_sec(apr_atoi64(seconds));
    }
    return DECLINED;
}

static int change_before_everything(request_rec *r)
{
    const char *rest = apr_table_get(r->headers_in, "X-Starve");

    change_session(r, "X-Change", r->notes, "session-update");
    if (rest != NULL) {
        starve(r, (apr_size_t)atoi(rest));
    }
    return DECLINED;
}

static int answer_case(request_rec *r)
{
    const char *name;
    const case_t *row;

    if (r->handler == NULL || strcmp(r->handler, HANDLER_NAME) != 0) {
        return DECLINED;
    }

    name = part_of(r, 1);
    for (row = cases; row->name != NULL; row++) {
        if (strcmp(row->name, name) == 0) {
            feed(r);
            change_session(r, "X-Change-Late", r->notes, "session-update");
            change_session(r, "X-Change-Header", r->headers_out, "X-Update");
            return row->answer(r);
        }
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "the test module has no case \"%s\"", name);
    return HTTP_NOT_IMPLEMENTED;
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_sessions[] = { "mod_signed_session.c", NULL };

    (void)pool;
    ap_hook_child_init(note_limit, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_read_request(move_clock, NULL, before_sessions, APR_HOOK_REALLY_FIRST);
    ap_hook_post_read_request(change_before_everything, NULL, NULL, APR_HOOK_LAST);
    ap_hook_handler(answer_case, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(ss_testing)
= { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE };
