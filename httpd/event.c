/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>
#include <apr_strings.h>

#include "httpd/event.h"
#include "httpd/facts.h"
#include "lib/json/json.h"

/* Members of an object, as they are added. */
typedef struct object_t {
    apr_array_header_t *members; /* ss_json_member_t */
    apr_pool_t *pool;
} object_t;

static void add(object_t *object, const char *name, ss_json_t value)
{
    ss_json_member_t *member = apr_array_push(object->members);

    memset(member, 0, sizeof(*member));
    member->quoted = ss_json_quote(ss_bytes_of(name), object->pool);
    member->value = value;
}

/* Nothing where there is no text, or none that JSON can hold. */
static void add_text(object_t *object, const char *name, const char *text)
{
    ss_json_t value =
        text == NULL ? ss_json_absent : ss_json_quote(ss_bytes_of(text), object->pool);

    if (value.raw.data != NULL) {
        add(object, name, value);
    }
}

static void add_number(object_t *object, const char *name, apr_int64_t number)
{
    const ss_json_t value = { ss_bytes_of(
        apr_psprintf(object->pool, "%" APR_INT64_T_FMT, number)) };

    add(object, name, value);
}

/* RFC 3339, in UTC. */
static const char *time_of(apr_time_t time, apr_pool_t *pool)
{
    apr_time_exp_t parts;

    apr_time_exp_gmt(&parts, time);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
                        parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                        parts.tm_usec);
}

static void add_name(apr_array_header_t *names, ss_bytes_t name, apr_pool_t *pool)
{
    ss_json_t quoted = ss_json_quote(name, pool);

    if (quoted.raw.data != NULL) {
        APR_ARRAY_PUSH(names, const char *) = apr_pstrmemdup(pool, quoted.raw.data, quoted.raw.len);
    }
}

/* Names of `from` that are absent in `to`, or have another value there as well. */
static void add_names(apr_array_header_t *names, const ss_session_t *from, const ss_session_t *to,
                      int only_absent, apr_pool_t *pool)
{
    const apr_array_header_t *members = ss_session_members(from);
    const apr_array_header_t *others = ss_session_members(to);
    const int *numbers = ss_json_match(members, others, pool);

    for (int i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);
        int differs =
            numbers[i] < 0 ||
            (!only_absent &&
             !ss_json_equal(member->value,
                            APR_ARRAY_IDX(others, numbers[i], ss_json_member_t).value, pool));

        if (differs) {
            add_name(names, member->name, pool);
        }
    }
}

/* The keys that this visit has changed, as an array of their names. */
static ss_json_t keys_of(const ss_visit_t *visit, apr_pool_t *pool)
{
    const ss_session_t *before = visit->opened.session, *after = ss_visit_session(visit);
    apr_array_header_t *names = apr_array_make(pool, 4, sizeof(const char *));
    const ss_json_t none = { ss_bytes_of("[]") };
    ss_json_t keys;

    add_names(names, after, before, 0, pool);
    add_names(names, before, after, 1, pool);
    if (names->nelts == 0) {
        return none;
    }
    keys.raw = ss_bytes_of(apr_pstrcat(pool, "[", apr_array_pstrcat(pool, names, ','), "]", NULL));
    return keys;
}

static int is_hex(const char *text, int len)
{
    int zeros = 0;

    for (int i = 0; i < len; i++) {
        if (!apr_isdigit(text[i]) && !(text[i] >= 'a' && text[i] <= 'f')) {
            return 0;
        }
        zeros += text[i] == '0';
    }
    return zeros < len;
}

/* Of "00-TRACE-PARENT-FLAGS" (https://www.w3.org/TR/trace-context/); NULL: there is none. */
static const char *trace_of(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "traceparent");

    return header != NULL && strlen(header) == 55 && strncmp(header, "00-", 3) == 0 &&
                   header[35] == '-' && header[52] == '-' && is_hex(header + 3, 32) &&
                   is_hex(header + 36, 16)
               ? apr_pstrmemdup(r->pool, header + 3, 32)
               : NULL;
}

static void describe_session(object_t *object, const ss_visit_t *visit, request_rec *r)
{
    const ss_session_t *before = visit->opened.session;
    const char *id = ss_facts_id_of(visit, visit->saving.id, r->pool);
    const char *previous = ss_facts_id_of(visit, ss_session_stamp(before)->id, r->pool);

    add_text(object, "state", ss_state_name(visit->state));
    add_text(object, "session.id", id != NULL ? id : previous);
    if (id != NULL && previous != NULL && strcmp(id, previous) != 0) {
        add_text(object, "session.previous_id", previous);
    }
    if (visit->state == SS_VALID) {
        add_number(object, "key", visit->opened.key);
        add_number(object, "counter", ss_session_stamp(before)->counter);
    }
    if (visit->tally.reason != NULL) {
        add_text(object, "reason", visit->tally.reason);
        add(object, "keys", keys_of(visit, r->pool));
    }
}

const char *ss_event_print(const ss_visit_t *visit, request_rec *r)
{
    object_t object = { apr_array_make(r->pool, 16, sizeof(ss_json_member_t)), r->pool };
    ss_json_t json;

    if (visit->tally.event == NULL) {
        return NULL;
    }
    add_text(&object, "time", time_of(r->request_time, r->pool));
    add_text(&object, "event", visit->tally.event);
    describe_session(&object, visit, r);
    add_text(&object, "client.address", r->useragent_ip);
    add_text(&object, "url.path", r->uri == NULL ? NULL : ap_escape_uri(r->pool, r->uri));
    add_number(&object, "http.response.status_code", r->status);
    add_text(&object, "trace_id", trace_of(r));
    json = ss_json_print(object.members, r->pool);
    return apr_pstrmemdup(r->pool, json.raw.data, json.raw.len);
}
