/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ENDPOINT_H
#define SS_ENDPOINT_H

#include <httpd.h>

#include "httpd/config.h"
#include "httpd/visit.h"

/** One call of an endpoint. */
typedef struct ss_call_t {
    request_rec *r;
    const ss_dir_conf_t *dir;
    ss_visit_t *visit;
    ss_bytes_t key; /* empty: the session itself */
    ss_bytes_t body;
    int is_json_as_form; /* is it a form that begins like JSON? Then its sender forgot to say so */
    ss_json_t value;     /* the body, once it has been checked */
} ss_call_t;

/** What an endpoint does, once the head of the request has been accepted and its body read: answers
 * the request. */
typedef void ss_endpoint_fn(ss_call_t *call);

ss_endpoint_fn ss_endpoint_get, ss_endpoint_put, ss_endpoint_patch, ss_endpoint_post_json,
    ss_endpoint_post_form, ss_endpoint_delete, ss_endpoint_get_key, ss_endpoint_put_key,
    ss_endpoint_delete_key;

/** Answer with a problem document. A body that was not read ends the connection. */
void ss_endpoint_refuse(ss_call_t *call, int status, const char *detail);

#endif
