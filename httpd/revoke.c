/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "httpd/body.h"
#include "httpd/caller.h"
#include "httpd/log.h"
#include "httpd/revoke.h"
#include "httpd/revoking.h"
#include "httpd/stores.h"
#include "lib/field.h"
#include "lib/form.h"

#define FORM "application/x-www-form-urlencoded"

/* Who was revoked himself since the session was loaded revokes nobody, nor does a cookie from
 * before a binding, which anybody may have copied. */
static int is_still_valid(const ss_visit_t *visit)
{
    if (visit->opened.is_replaced) {
        return 0;
    }
    return visit->state != SS_VALID ||
           ss_revoking_judge(visit->conf, visit->opened.session, NULL, visit->now,
                             visit->root->pool) != SS_REVOKED;
}

int ss_revoke_subject(ss_visit_t *visit)
{
    ss_revoke_note_t *note = &visit->revoke;
    const ss_session_t *session =
        visit->state == SS_VALID ? visit->opened.session : ss_visit_session(visit);
    ss_bytes_t subject = ss_revoking_subject(visit->conf, session, visit->root->pool);
    const char *why;

    if (!note->is_asked && subject.data != NULL && is_still_valid(visit)) {
        note->is_asked = 1;
        note->is_done = ss_revoking_add(visit->conf, SS_REVOKED_SUBJECT, subject, &why,
                                        visit->root->pool) == APR_SUCCESS;
        if (!note->is_done) {
            ss_log(visit->root, APLOG_ERR, "SS0422",
                   "the user's other sessions were not revoked: %s", why);
        }
    }
    return note->is_done;
}

/*
 * By kind
 */

/* What must be done besides writing the line: NULL, or what went wrong. */
static const char *close_records(const ss_server_conf_t *conf, const unsigned char *id,
                                 apr_pool_t *pool)
{
    ss_stamp_t stamp = { .counter = 1 };
    unsigned char token[SS_TOKEN_SIZE];
    ss_bytes_t bytes, current;

    memcpy(stamp.id, id, SS_SESSION_ID_SIZE);
    if (!ss_stores_has_store(conf->stores)) {
        return NULL;
    }
    if (ss_sealing_pack(&bytes, token, NULL, &stamp, &conf->sealing, pool) != APR_SUCCESS) {
        return "OpenSSL failed to seal a record";
    }
    for (int place = 0; place < ss_stores_count(conf->stores); place++) {
        ss_store_call_t call = { .stores = conf->stores,
                                 .id = id,
                                 .deadline = apr_time_now() + conf->store_timeout,
                                 .pool = pool };

        signed_session_store_e result;

        if (ss_stores_is_cookie(conf->stores, place)) {
            continue;
        }
        result = ss_stores_close(&call, place, NULL, bytes, &current);
        if (result != SIGNED_SESSION_STORE_SAVED && result != SIGNED_SESSION_STORE_ABSENT) {
            return call.why;
        }
    }
    return NULL;
}

static apr_status_t revoke_id(const ss_server_conf_t *conf, ss_bytes_t digits, const char **why,
                              apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "id %.*s 1", (int)digits.len, digits.data);
    char room[SS_REVOCATION_SUBJECT_MAX];
    ss_revocation_line_t line;

    if (ss_revocation_parse(&line, ss_bytes_of(text), room) != APR_SUCCESS) {
        *why = "An id has 32 hexadecimal digits.";
        return APR_EINVAL;
    }
    *why = close_records(conf, (const unsigned char *)line.value.data, pool);
    return *why != NULL ? APR_EGENERAL
                        : ss_revoking_add(conf, SS_REVOKED_ID, line.value, why, pool);
}

apr_status_t ss_revoke(const ss_server_conf_t *conf, const char *kind, ss_bytes_t value,
                       const char **why, apr_pool_t *pool)
{
    if (strcmp(kind, "subject") == 0) {
        return ss_revoking_add(conf, SS_REVOKED_SUBJECT, value, why, pool);
    }
    if (strcmp(kind, "id") == 0) {
        return revoke_id(conf, value, why, pool);
    }
    if (strcmp(kind, "all") == 0) {
        return ss_revoking_add(conf, SS_REVOKED_ALL, ss_absent, why, pool);
    }
    *why = "Accepted are subject, id and all.";
    return APR_EINVAL;
}

/*
 * The handler
 */

static int is_loopback(const apr_sockaddr_t *address)
{
    const unsigned char *bytes = address->ipaddr_ptr;
    static const unsigned char six[16] = { [15] = 1 };
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (address->ipaddr_len == 4) {
        return bytes[0] == 127;
    }
    return address->ipaddr_len == 16 &&
           (memcmp(bytes, six, sizeof(six)) == 0 ||
            (memcmp(bytes, mapped, sizeof(mapped)) == 0 && bytes[12] == 127));
}

/* Behind a proxy of this machine everybody comes from here. What mod_remoteip has believed of a
 * header is no more than what somebody wrote there, and the header is gone. */
static int is_forwarded(const request_rec *r)
{
    static const char *const signs[] = { "Forwarded", "X-Forwarded-For", "Via", NULL };

    if (r->useragent_addr != r->connection->client_addr) {
        return 1;
    }
    for (int i = 0; signs[i] != NULL; i++) {
        if (apr_table_get(r->headers_in, signs[i]) != NULL) {
            return 1;
        }
    }
    return 0;
}

static int may_revoke(const request_rec *r)
{
    return r->user != NULL || (is_loopback(r->connection->client_addr) && !is_forwarded(r));
}

/* What the head of the request alone can refuse; NULL: nothing. */
static const char *fault_of_head(request_rec *r, int *status)
{
    const ss_caller_t caller = ss_caller_of(r);

    *status = HTTP_FORBIDDEN;
    if (!may_revoke(r)) {
        return "SS0429: sessions are revoked from this machine, without a proxy in between, or by "
               "whoever has logged in: add AuthType and Require to this location";
    }
    if (!ss_origin_may_change(&caller)) {
        return "SS0204: a page of another origin may not revoke sessions: add its origin to "
               "SignedSessionTrustedOrigin if it should";
    }
    *status = HTTP_UNSUPPORTED_MEDIA_TYPE;
    return ss_field_is_type(apr_table_get(r->headers_in, "Content-Type"), FORM)
               ? NULL
               : "The Content-Type must be " FORM ".";
}

/* Revoke what the form says: exactly one thing. */
static apr_status_t revoke_as_said(request_rec *r, ss_bytes_t body, const char **why)
{
    apr_array_header_t *fields;
    const ss_form_field_t *field;
    const char *kind;

    if (ss_form_parse(&fields, why, body, r->pool) != APR_SUCCESS) {
        return APR_EINVAL;
    }
    if (fields->nelts != 1) {
        *why = "One field is expected: subject=NAME, id=HEX or all=yes.";
        return APR_EINVAL;
    }
    field = &APR_ARRAY_IDX(fields, 0, ss_form_field_t);
    kind = apr_pstrmemdup(r->pool, field->name.data, field->name.len);
    if (strcmp(kind, "all") == 0 && !ss_bytes_equal(field->value, ss_bytes_of("yes"))) {
        *why = "To revoke all sessions say all=yes.";
        return APR_EINVAL;
    }
    return ss_revoke(ss_server_conf(r->server), kind, field->value, why, r->pool);
}

static void answer(request_rec *r, apr_status_t rv, const char *why)
{
    if (rv == APR_SUCCESS) {
        ss_answer_empty(r, HTTP_NO_CONTENT);
    }
    else if (rv == APR_EINVAL) {
        ss_answer_problem(r, HTTP_BAD_REQUEST, why);
    }
    else {
        ss_log(r, APLOG_ERR, "SS0423", "nothing was revoked: %s", why);
        ss_answer_problem(r,
                          rv == APR_ENOSPC ? HTTP_INSUFFICIENT_STORAGE : HTTP_SERVICE_UNAVAILABLE,
                          "SS0423: Nothing was revoked, the log says why.");
    }
}

int ss_revoke_run(request_rec *r)
{
    const char *why = NULL;
    ss_bytes_t body;
    apr_status_t rv;
    int status;

    if (r->method_number != M_POST) {
        apr_table_setn(r->headers_out, "Allow", "POST");
        ss_answer_problem(r, HTTP_METHOD_NOT_ALLOWED, "Allowed here: POST.");
        return OK;
    }
    why = fault_of_head(r, &status);
    if (why != NULL) {
        if (ap_request_has_body(r)) {
            r->connection->keepalive = AP_CONN_CLOSE;
        }
        ss_answer_problem(r, status, why);
        return OK;
    }
    status = ss_body_read(&body, r);
    if (status == OK) {
        rv = revoke_as_said(r, body, &why);
        answer(r, rv, why);
    }
    return status;
}
