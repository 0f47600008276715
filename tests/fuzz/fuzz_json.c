/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/session.h"
#include "tests/fuzz/fuzz.h"

static int is_json(ss_bytes_t text, int flags)
{
    return ss_json_check(text, flags, NULL) == APR_SUCCESS;
}

/* The position of an error lies in the text, and its line and column say the same. */
static void judge_error(ss_bytes_t text, const ss_json_error_t *error)
{
    int line = 1, column = 1;
    apr_size_t i;

    MUST(error->wanted != NULL && error->offset <= text.len);
    for (i = 0; i < error->offset; i++) {
        column = text.data[i] == '\n' ? 1 : column + 1;
        line += text.data[i] == '\n';
    }
    MUST(error->line == line && error->column == column);
}

/* What was accepted stays acceptable, and means the same. */
static void judge_compact(ss_bytes_t value, int flags, apr_pool_t *pool)
{
    int python = (flags & SS_JSON_FINITE) != 0 ? 0 : SS_JSON_PYTHON;
    ss_bytes_t compact = ss_json_compact(value, flags, pool);
    ss_bytes_t again = ss_json_compact(compact, flags, pool);
    apr_size_t i;

    MUST(is_json(compact, python));
    MUST(again.data == compact.data && again.len == compact.len);
    if (python || is_json(value, 0)) {
        MUST(ss_json_equal(value, compact, pool));
    }
    for (i = 0; i < compact.len && (flags & SS_JSON_ASCII) != 0; i++) {
        MUST(compact.data[i] >= 0x20 && compact.data[i] < 0x7F);
    }
}

static void judge_string(ss_bytes_t text, apr_pool_t *pool)
{
    ss_bytes_t quoted = ss_json_quote(text, pool);

    MUST((quoted.data != NULL) == ss_utf8_is_valid(text));
    if (quoted.data != NULL) {
        MUST(is_json(quoted, 0) && ss_json_kind(quoted) == SS_JSON_STRING);
        MUST(ss_bytes_equal(ss_json_decode(quoted, pool), text));
    }
}

/* Setting a member and setting it back, in a session made of this document. */
static void judge_session(ss_bytes_t text, apr_pool_t *pool)
{
    static const ss_stamp_t stamp = { 1, 1, { 1 }, 1 };
    ss_bytes_t name = ss_bytes_of("name"), value = ss_bytes_of("[\"value\"]");
    ss_bytes_t before;
    ss_session_t *session;
    int is_object = ss_session_load(&session, text, &stamp, pool) == APR_SUCCESS;

    MUST(is_object ==
         (is_json(text, SS_JSON_PYTHON) && text.data[strspn(text.data, " \t\r\n")] == '{'));
    if (!is_object) {
        return;
    }

    MUST(ss_session_text(session).data == text.data && !ss_session_is_changed(session));
    MUST(is_json(ss_session_view(session), 0));

    before = ss_session_get(session, name);
    ss_session_set(session, name, value);
    MUST(ss_bytes_equal(ss_session_get(session, name), value));
    MUST(is_json(ss_session_text(session), SS_JSON_PYTHON));
    if (before.data != NULL) {
        ss_session_set(session, name, before);
        MUST(!ss_session_is_changed(session) && ss_session_text(session).data == text.data);
    }
    else if (ss_session_members(session)->nelts > 1) {
        ss_session_unset(session, name);
        MUST(!ss_session_is_changed(session) && ss_session_text(session).data == text.data);
    }
}

/* What a document knows of its members is what a closer look finds, and its outline keeps it. */
static void judge_document(ss_bytes_t text, apr_pool_t *pool)
{
    ss_document_t document, again;
    ss_outline_t outline;
    int has_outline;

    if (ss_document_read(&document, text, pool) != APR_SUCCESS) {
        return;
    }
    MUST(document.is_compact == (ss_json_compact(text, SS_JSON_FINITE, pool).data == text.data));
    has_outline = ss_outline_draw(&outline, &document);
    if (has_outline) {
        ss_outline_follow(&again, &outline, text, pool);
        MUST(again.members->nelts == document.members->nelts);
    }
    for (int i = 0; i < document.members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(document.members, i, ss_json_member_t);
        int is_string = ss_json_kind(member->value) == SS_JSON_STRING;
        ss_bytes_t said = is_string ? ss_json_decode(member->value, pool) : member->value;

        MUST(!member->is_simple || ss_json_is_plain(ss_json_decode(member->quoted, pool)));
        MUST(member->text.data == NULL ||
             (ss_bytes_equal(member->text, said) && ss_json_is_plain(said)));
        if (has_outline) {
            const ss_json_member_t *same = &APR_ARRAY_IDX(again.members, i, ss_json_member_t);

            MUST(same->name.data == member->name.data && same->name.len == member->name.len);
            MUST(same->quoted.data == member->quoted.data);
            MUST(same->quoted.len == member->quoted.len);
            MUST(same->value.data == member->value.data && same->value.len == member->value.len);
            MUST(same->text.data == member->text.data && same->text.len == member->text.len);
            MUST(same->is_simple == member->is_simple);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t text = fuzz_bytes(data, size);
    int strict = is_json(text, 0), python;
    apr_array_header_t *members;
    ss_json_error_t error;

    python = ss_json_check(text, SS_JSON_PYTHON, &error) == APR_SUCCESS;
    MUST(python || !strict);
    if (!python) {
        judge_error(text, &error);
    }
    if (ss_json_check_input(text, &error, pool) == APR_SUCCESS) {
        MUST(strict);
    }
    else {
        judge_error(text, &error);
    }
    if (ss_json_members(&members, text, SS_JSON_PYTHON, &error, pool) != APR_SUCCESS) {
        MUST(members == NULL);
        judge_error(text, &error);
    }

    judge_string(text, pool);
    if (python) {
        judge_compact(text, 0, pool);
        judge_compact(text, SS_JSON_ASCII, pool);
        judge_compact(text, SS_JSON_FINITE, pool);
        judge_compact(text, SS_JSON_ASCII | SS_JSON_FINITE, pool);
        judge_session(text, pool);
        judge_document(text, pool);
        MUST(ss_json_adds_tag(ss_bytes(NULL, 0), text, pool) == ss_json_has_tag(text));
        MUST(!ss_json_adds_tag(text, text, pool));
    }

    apr_pool_destroy(pool);
    return 0;
}
