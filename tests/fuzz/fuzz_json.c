/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/json/json_text.h"
#include "lib/session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/naive_json.h"

static int is_json(ss_bytes_t text, ss_json_read_e how)
{
    return ss_json_check(NULL, text, how, NULL) == APR_SUCCESS;
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
static void judge_compact(ss_json_t value, ss_json_write_e how, apr_pool_t *pool)
{
    ss_json_read_e reading = (how & SS_JSON_FINITE) != 0 ? SS_JSON_STRICT : SS_JSON_PYTHON;
    ss_json_t compact = ss_json_compact(value, how, pool);
    ss_json_t again = ss_json_compact(compact, how, pool);

    MUST(is_json(compact.raw, reading));
    MUST(again.raw.data == compact.raw.data && again.raw.len == compact.raw.len);
    if (reading == SS_JSON_PYTHON || is_json(value.raw, SS_JSON_STRICT)) {
        MUST(ss_json_equal(value, compact, pool));
    }
    for (apr_size_t i = 0; i < compact.raw.len && (how & SS_JSON_ASCII) != 0; i++) {
        MUST(compact.raw.data[i] >= 0x20 && compact.raw.data[i] < 0x7F);
    }
}

static void judge_string(ss_bytes_t text, apr_pool_t *pool)
{
    ss_json_t quoted = ss_json_quote(text, pool);

    MUST((quoted.raw.data != NULL) == ss_utf8_is_valid(text));
    if (quoted.raw.data != NULL) {
        MUST(is_json(quoted.raw, SS_JSON_STRICT) && ss_json_kind(quoted) == SS_JSON_STRING);
        MUST(ss_bytes_equal(ss_json_decode(quoted, pool), text));
    }
}

/* Setting a member and setting it back, in a session made of this document. */
static void judge_session(ss_bytes_t text, apr_pool_t *pool)
{
    static const ss_stamp_t stamp = { 1, 1, { 1 }, 1, { 0 } };
    ss_bytes_t name = ss_bytes_of("name");
    ss_json_t value = fuzz_json(ss_bytes_of("[\"value\"]")), before, after;
    ss_session_t *session;
    int is_object = ss_session_load(&session, text, &stamp, pool) == APR_SUCCESS;

    MUST(is_object ==
         (is_json(text, SS_JSON_PYTHON) && text.data[strspn(text.data, " \t\r\n")] == '{'));
    if (!is_object) {
        return;
    }

    MUST(ss_session_text(session).data == text.data && !ss_session_is_changed(session));
    MUST(is_json(ss_session_view(session).raw, SS_JSON_STRICT));

    before = ss_session_get(session, name);
    ss_session_set(session, name, value);
    after = ss_session_get(session, name);
    if (before.raw.data != NULL && ss_json_equal(before, value, pool)) {
        MUST(after.raw.data == before.raw.data); /* what is there already keeps its spelling */
    }
    else {
        MUST(ss_bytes_equal(after.raw, value.raw));
    }
    MUST(is_json(ss_session_text(session), SS_JSON_PYTHON));
    if (before.raw.data != NULL) {
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
    ss_outline_t *outline;
    int has_outline;

    if (ss_document_read(&document, text, pool) != APR_SUCCESS) {
        return;
    }
    MUST(document.is_compact ==
         (document.value.raw.len == text.len &&
          ss_json_compact(document.value, SS_JSON_FINITE, pool).raw.data == text.data));
    has_outline = ss_outline_size(&document) > 0;
    if (has_outline) {
        outline = apr_palloc(pool, ss_outline_size(&document));
        ss_outline_draw(outline, &document);
        ss_outline_follow(&again, outline, text, pool);
        MUST(again.members->nelts == document.members->nelts);
        MUST(again.value.raw.data == document.value.raw.data);
        MUST(again.value.raw.len == document.value.raw.len);
    }
    for (int i = 0; i < document.members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(document.members, i, ss_json_member_t);
        int is_string = ss_json_kind(member->value) == SS_JSON_STRING;
        ss_bytes_t said = is_string ? ss_json_decode(member->value, pool) : member->value.raw;

        MUST(!member->is_simple || ss_json_is_plain(ss_json_decode(member->quoted, pool)));
        MUST(member->text.data == NULL ||
             (ss_bytes_equal(member->text, said) && ss_json_is_plain(said)));
        if (has_outline) {
            const ss_json_member_t *same = &APR_ARRAY_IDX(again.members, i, ss_json_member_t);

            MUST(same->name.data == member->name.data && same->name.len == member->name.len);
            MUST(same->quoted.raw.data == member->quoted.raw.data);
            MUST(same->quoted.raw.len == member->quoted.raw.len);
            MUST(same->value.raw.data == member->value.raw.data);
            MUST(same->value.raw.len == member->value.raw.len);
            MUST(same->text.data == member->text.data && same->text.len == member->text.len);
            MUST(same->is_simple == member->is_simple);
        }
    }
}

/* Nothing but printable ASCII, and no escapes? */
static int is_simple(ss_bytes_t text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~' || text.data[i] == '\\') {
            return 0;
        }
    }
    return 1;
}

static void judge_member(const ss_json_member_t *member, const ss_json_node_t *node)
{
    ss_json_kind_e kind = ss_json_kind(member->value);
    int has_text = kind == SS_JSON_STRING ? is_simple(member->value.raw)
                                          : kind != SS_JSON_OBJECT && kind != SS_JSON_ARRAY &&
                                                kind != SS_JSON_NOT_FINITE;

    MUST(member->quoted.raw.data == node->name.raw.data);
    MUST(member->quoted.raw.len == node->name.raw.len);
    MUST(member->value.raw.data == node->value.raw.data);
    MUST(member->value.raw.len == node->value.raw.len);
    MUST(member->is_simple == is_simple(node->name.raw));
    MUST((member->text.data != NULL) == has_text);
}

/* Members are gathered in steps of their own: what they are is what nodes say, and a fault is the
 * one that a check finds. */
static void judge_object(ss_bytes_t text, ss_json_read_e how, apr_pool_t *pool)
{
    ss_json_error_t error, same;
    ss_json_object_t object;
    ss_json_t value;
    const ss_json_node_t *nodes, *node;
    int is_good = ss_json_check(&value, text, how, &error) == APR_SUCCESS;

    if (ss_json_object(&object, text, how, &same, pool) != APR_SUCCESS) {
        MUST(object.members == NULL && object.value.raw.data == NULL);
        judge_error(text, &same);
        MUST(is_good ? ss_json_kind(value) != SS_JSON_OBJECT
                     : error.offset == same.offset && strcmp(error.wanted, same.wanted) == 0);
        return;
    }
    MUST(is_good && object.value.raw.data == value.raw.data);
    MUST(object.value.raw.len == value.raw.len);
    nodes = ss_json_nodes(value, pool);
    node = ss_json_first(nodes);
    for (int i = 0; i < object.members->nelts; i++, node = ss_json_next(nodes, node)) {
        MUST(node != NULL);
        judge_member(&APR_ARRAY_IDX(object.members, i, ss_json_member_t), node);
    }
    MUST(node == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t text = fuzz_bytes(data, size);
    int strict = is_json(text, SS_JSON_STRICT), python;
    ss_json_t value, input;
    ss_json_error_t error;

    python = ss_json_check(&value, text, SS_JSON_PYTHON, &error) == APR_SUCCESS;
    MUST(python || !strict);
    if (!python) {
        judge_error(text, &error);
    }
    if (ss_json_check_input(&input, text, &error, pool) == APR_SUCCESS) {
        MUST(strict && !naive_has_doubles(input, pool));
    }
    else {
        judge_error(text, &error);
    }
    judge_object(text, SS_JSON_PYTHON, pool);
    judge_object(text, SS_JSON_STRICT, pool);

    judge_string(text, pool);
    if (python) {
        judge_compact(value, SS_JSON_AS_IS, pool);
        judge_compact(value, SS_JSON_ASCII, pool);
        judge_compact(value, SS_JSON_FINITE, pool);
        judge_compact(value, SS_JSON_ASCII_AND_FINITE, pool);
        judge_session(text, pool);
        judge_document(text, pool);
        MUST(ss_json_adds_tag(ss_json_absent, value, pool) == ss_json_has_tag(value));
        MUST(!ss_json_adds_tag(value, value, pool));
    }

    apr_pool_destroy(pool);
    return 0;
}
