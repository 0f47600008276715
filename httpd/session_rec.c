/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/earned.h"
#include "httpd/session_rec.h"
#include "lib/encode.h"
#include "lib/json/json.h"

#define ENTRIES_AT_FIRST 8

struct ss_session_rec_t {
    session_rec session;
    ss_json_t known;  /* its entries as the session holds them; absent: there are none */
    unsigned version; /* of the draft when they were compared last */
    int may_change;   /* may what stands in the table be kept? */
};

session_rec *ss_session_rec_blank(apr_pool_t *pool)
{
    session_rec *session = apr_pcalloc(pool, sizeof(*session));

    session->pool = pool;
    session->entries = apr_table_make(pool, ENTRIES_AT_FIRST);
    session->uuid = apr_palloc(pool, sizeof(*session->uuid));
    apr_uuid_get(session->uuid);
    return session;
}

int ss_session_rec_accepts(const char *text)
{
    return ss_utf8_is_valid(ss_bytes_of(text));
}

/* Fill the table with the members that are strings. */
static void fill(apr_table_t *entries, ss_json_t hidden, apr_pool_t *pool)
{
    const apr_array_header_t *members =
        hidden.raw.data == NULL ? NULL : ss_json_members(hidden, pool);

    apr_table_clear(entries);
    for (int i = 0; members != NULL && i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (ss_json_kind(member->value) == SS_JSON_STRING) {
            ss_bytes_t text = ss_json_decode(member->value, pool);

            apr_table_setn(entries, apr_pstrmemdup(pool, member->name.data, member->name.len),
                           apr_pstrmemdup(pool, text.data, text.len));
        }
    }
}

static int add_member(void *members, const char *key, const char *value)
{
    if (ss_session_rec_accepts(key) && ss_session_rec_accepts(value)) {
        ss_json_member_t *member = apr_array_push(members);
        apr_pool_t *pool = ((apr_array_header_t *)members)->pool;

        member->quoted = ss_json_quote(ss_bytes_of(key), pool);
        member->value = ss_json_quote(ss_bytes_of(value), pool);
    }
    return 1;
}

/* The object that a table stands for; absent when it is empty. */
static ss_json_t object_of(const apr_table_t *entries, apr_pool_t *pool)
{
    apr_array_header_t *members = apr_array_make(pool, ENTRIES_AT_FIRST, sizeof(ss_json_member_t));

    apr_table_do(add_member, members, entries, NULL);
    return members->nelts == 0 ? ss_json_absent : ss_json_print(members, pool);
}

/* The session may have been changed, or ended, since the table was filled. */
static void refresh(struct ss_session_rec_t *record, const ss_visit_t *visit)
{
    unsigned version = ss_draft_version(visit->draft);
    ss_json_t hidden;

    if (record->version == version) {
        return;
    }
    record->version = version;
    hidden = ss_session_hidden(ss_visit_session(visit));
    if (!ss_bytes_equal(hidden.raw, record->known.raw)) {
        record->known = hidden;
        fill(record->session.entries, hidden, record->session.pool);
    }
}

static struct ss_session_rec_t *create(const ss_visit_t *visit)
{
    struct ss_session_rec_t *record = apr_pcalloc(visit->root->pool, sizeof(*record));

    record->session = *ss_session_rec_blank(visit->root->pool);
    record->version = ss_draft_version(visit->draft) + 1; /* none: it is to be filled */
    return record;
}

session_rec *ss_session_rec_of(request_rec *r, ss_visit_t *visit)
{
    if (visit->session_rec.record == NULL) {
        visit->session_rec.record = create(visit);
    }
    visit->session_rec.record->may_change =
        ss_visit_may_change(r) && ss_earned_caller_fault(visit) == NULL;
    refresh(visit->session_rec.record, visit);
    return &visit->session_rec.record->session;
}

void ss_session_rec_keep(ss_visit_t *visit)
{
    struct ss_session_rec_t *record = visit->session_rec.record;
    const ss_change_t change = { SS_CHANGE_HIDE, ss_absent,
                                 object_of(record->session.entries, visit->root->pool) };

    if (!ss_bytes_equal(change.value.raw, record->known.raw)) {
        ss_visit_change(visit, &change);
        record->known = change.value;
        record->version = ss_draft_version(visit->draft);
    }
}

void ss_session_rec_take(request_rec *r)
{
    ss_visit_t *visit = ss_visit_loaded(r);

    if (visit != NULL && visit->session_rec.record != NULL &&
        visit->session_rec.record->may_change) {
        refresh(visit->session_rec.record, visit);
        ss_session_rec_keep(visit);
    }
}
