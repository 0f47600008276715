/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "httpd/body.h"

#define READ_SIZE 8192

/** A body as far as it has been read. */
typedef struct reading_t {
    char *text;
    apr_size_t len;
    int at_end;
} reading_t;

int ss_body_is_announced_too_long(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return length != NULL && apr_atoi64(length) > SS_BODY_MAX;
}

/* Returns OK or HTTP_REQUEST_ENTITY_TOO_LARGE. */
static int append(reading_t *reading, apr_bucket_brigade *brigade)
{
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade);
         bucket != APR_BRIGADE_SENTINEL(brigade) && !reading->at_end;
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t len;

        if (APR_BUCKET_IS_EOS(bucket)) {
            reading->at_end = 1;
            continue;
        }
        if (APR_BUCKET_IS_METADATA(bucket)) {
            continue;
        }
        if (apr_bucket_read(bucket, &data, &len, APR_BLOCK_READ) != APR_SUCCESS) {
            return HTTP_BAD_REQUEST;
        }
        if (len > SS_BODY_MAX - reading->len) {
            return HTTP_REQUEST_ENTITY_TOO_LARGE;
        }
        memcpy(reading->text + reading->len, data, len);
        reading->len += len;
    }
    return OK;
}

int ss_body_read(ss_bytes_t *body, request_rec *r)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    reading_t reading = { apr_palloc(r->pool, SS_BODY_MAX), 0, 0 };
    int result = OK;

    /* not ap_get_client_block, which loses the reason of a failure */
    while (result == OK && !reading.at_end) {
        apr_status_t rv =
            ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, READ_SIZE);

        result = rv == APR_SUCCESS ? append(&reading, brigade)
                                   : ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
        apr_brigade_cleanup(brigade);
    }
    apr_brigade_destroy(brigade);
    *body = result == OK ? ss_bytes(reading.text, reading.len) : ss_absent;
    return result;
}
