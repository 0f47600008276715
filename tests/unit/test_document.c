/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/document.h"
#include "tests/unit/values.h"

/* clang-format off */
static const struct {
    const char *what, *text;
    int is_compact, has_alike, has_outline;
} documents[] = {
    { "nothing", "{}", 1, 0, 1 },
    { "one of each kind", "{\"s\":\"x\",\"n\":-1.50e3,\"t\":true,\"f\":false,\"z\":null,\"a\":[1],"
                          "\"o\":{\"s\":\"\"}}", 1, 0, 1 },
    { "empty name, empty value", "{\"\":\"\"}", 1, 0, 1 },
    { "beyond ASCII", "{\"n\xC3\xA9\":\"\xE2\x82\xAC\"}", 1, 0, 1 },
    { "escapes in a value", "{\"a\":\"x\\ny\"}", 1, 0, 1 },
    { "escapes in a name", "{\"a\\u0062\":1}", 1, 0, 0 },
    { "DEL in both", "{\"a\x7F\":\"x\x7F\"}", 1, 0, 1 },
    { "white space inside", "{\"a\": 1}", 0, 0, 1 },
    { "white space around", " {\"a\":1}", 0, 0, 1 },
    { "white space behind", "{\"a\":1}\n", 0, 0, 1 },
    { "white space in a string only", "{\"a b\":\"c d\"}", 1, 0, 1 },
    { "NaN", "{\"a\":NaN}", 0, 0, 1 },
    { "minus infinity, deep inside", "{\"a\":[-Infinity]}", 0, 0, 1 },
    { "NaN in a string only", "{\"NaN\":\"Infinity\"}", 1, 0, 1 },
    { "names that differ in case", "{\"User\":1,\"user\":2}", 1, 1, 1 },
    { "something hidden", "{\"a\":1,\"mod_session\":{\"x\":\"y\"},\"b\":2}", 1, 0, 1 },
    { "a name twice", "{\"a\":1,\"b\":2,\"a\":3}", 1, 0, 1 },
};
/* clang-format on */

static ss_document_t document_of(const char *text)
{
    ss_document_t document;

    ck_assert_int_eq(ss_document_read(&document, exact_of(text), pool), APR_SUCCESS);
    return document;
}

/* What is known at once must be what a closer look would find. */
static void judge_member(const ss_json_member_t *member, const char *what)
{
    ss_bytes_t name = ss_json_decode(member->quoted, pool), text = member->value.raw;

    assert_bytes(member->name, name, what);
    if (member->is_simple) {
        ck_assert_msg(ss_json_is_plain(name), "%s: simple, but not plain", what);
    }
    if (member->text.data != NULL) {
        if (ss_json_kind(member->value) == SS_JSON_STRING) {
            text = ss_json_decode(member->value, pool);
        }
        assert_bytes(member->text, text, what);
        ck_assert_msg(ss_json_is_plain(text), "%s: a text, but not plain", what);
    }
}

START_TEST(knows_what_a_closer_look_would_find)
{
    const char *what = documents[_i].what;
    ss_document_t document = document_of(documents[_i].text);
    ss_bytes_t compact = ss_json_compact(document.value, SS_JSON_FINITE, pool).raw;

    ck_assert_msg(document.is_compact == documents[_i].is_compact, "%s", what);
    ck_assert_msg(document.is_compact ==
                      (compact.data == document.text.data && compact.len == document.text.len),
                  "%s", what);
    ck_assert_msg(document.has_alike == documents[_i].has_alike, "%s", what);
    for (int i = 0; i < document.members->nelts; i++) {
        judge_member(&APR_ARRAY_IDX(document.members, i, ss_json_member_t), what);
    }
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *text;
    int hidden;
} hidings[] = {
    { "nothing",           "{\"a\":1,\"mod_sessions\":2}",                        0 },
    { "first",             "{\"mod_session\":{},\"a\":1}",                        1 },
    { "last",              "{\"a\":1,\"mod_session\":{}}",                        2 },
    { "with escapes",      "{\"a\":1,\"mod\\u005Fsession\":{}}",                  2 },
    { "twice: the last",   "{\"mod_session\":1,\"a\":1,\"mod_session\":2}",       2 },
    { "deeper is nothing", "{\"a\":{\"mod_session\":1}}",                         0 },
};
/* clang-format on */

START_TEST(knows_where_something_hides)
{
    ck_assert_msg(document_of(hidings[_i].text).hidden == hidings[_i].hidden, "%s",
                  hidings[_i].what);
}
END_TEST

static void assert_same(const ss_json_member_t *a, const ss_json_member_t *b, const char *what)
{
    assert_bytes(a->name, b->name, what);
    assert_bytes(a->quoted.raw, b->quoted.raw, what);
    assert_bytes(a->value.raw, b->value.raw, what);
    assert_bytes(a->text, b->text, what);
    ck_assert_msg((a->text.data == NULL) == (b->text.data == NULL), "%s", what);
    ck_assert_msg(a->is_simple == b->is_simple, "%s", what);
}

START_TEST(an_outline_gives_the_same_document)
{
    const char *what = documents[_i].what;
    ss_document_t document = document_of(documents[_i].text), again;
    ss_bytes_t copy = exact_of(documents[_i].text);
    ss_outline_t *outline = apr_palloc(pool, ss_outline_size(&document));

    ck_assert_msg((ss_outline_size(&document) > 0) == documents[_i].has_outline, "%s", what);
    if (!documents[_i].has_outline) {
        return;
    }
    ss_outline_draw(outline, &document);
    ss_outline_follow(&again, outline, copy, pool);
    ck_assert_ptr_eq(again.text.data, copy.data);
    assert_bytes(again.value.raw, document.value.raw, what);
    ck_assert_int_eq(again.is_compact, document.is_compact);
    ck_assert_int_eq(again.has_alike, document.has_alike);
    ck_assert_int_eq(again.hidden, document.hidden);
    ck_assert_int_eq(again.members->nelts, document.members->nelts);
    for (int i = 0; i < again.members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(again.members, i, ss_json_member_t);

        assert_same(member, &APR_ARRAY_IDX(document.members, i, ss_json_member_t), what);
        ck_assert(member->value.raw.data > copy.data &&
                  member->value.raw.data < copy.data + copy.len);
    }
}
END_TEST

START_TEST(an_outline_has_a_limit)
{
    ss_document_t document;
    const char *text;

    text = apr_psprintf(pool, "{\"a\":\"%0*d\"}", SS_OUTLINE_TEXT - 8, 0);
    document = document_of(text);
    ck_assert_uint_eq(document.text.len, SS_OUTLINE_TEXT);
    ck_assert_uint_gt(ss_outline_size(&document), 0);
    text = apr_psprintf(pool, "{\"a\":\"%0*d\"}", SS_OUTLINE_TEXT - 7, 0);
    document = document_of(text);
    ck_assert_uint_eq(ss_outline_size(&document), 0);
}
END_TEST

START_TEST(only_the_last_of_a_name_counts)
{
    ss_document_t document = document_of("{\"a\":1,\"A\":2,\"b\":3,\"a\":4,\"\\u0061\":5}");
    const ss_json_member_t *member = (const ss_json_member_t *)document.members->elts;

    ck_assert_int_eq(document.members->nelts, 3);
    assert_bytes(member[0].name, ss_bytes_of("A"), "first");
    assert_value(member[2].value, "5", "last");
    ck_assert(document.has_alike);
}
END_TEST

/* More than the set of names can tell apart, a third of them doubles. */
START_TEST(only_the_last_of_a_name_counts_among_many)
{
    enum { NAMES = 400 };
    const char *text = "{\"\":0";
    ss_document_t document;

    for (int i = 0; i < NAMES * 3 / 2; i++) {
        text = apr_psprintf(pool, "%s,\"n%d\":%d", text, i % NAMES, i);
    }
    document = document_of(apr_pstrcat(pool, text, "}", NULL));
    ck_assert_int_eq(document.members->nelts, 1 + NAMES);
    ck_assert(!document.has_alike);
    for (int i = 1; i <= NAMES; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(document.members, i, ss_json_member_t);
        int number = i + NAMES / 2 - 1; /* the first 200 stand there again behind the others */

        assert_bytes(member->name, ss_bytes_of(apr_psprintf(pool, "n%d", number % NAMES)), "name");
        assert_value(member->value, apr_psprintf(pool, "%d", number), "value");
    }
    document = document_of(apr_pstrcat(pool, text, ",\"N7\":1}", NULL));
    ck_assert_int_eq(document.members->nelts, 2 + NAMES);
    ck_assert(document.has_alike);
}
END_TEST

START_TEST(refuses_what_is_no_object)
{
    ss_document_t document;

    ck_assert_int_eq(ss_document_read(&document, exact_of("[1]"), pool), APR_EINVAL);
    ck_assert_ptr_null(document.text.data);
    ck_assert_ptr_null(document.members);
}
END_TEST

/* Strings are read eight bytes at a time: so every byte at every place of two such steps. */
START_TEST(every_byte_at_every_place_of_a_string)
{
    enum { SIZE = 17, FIRST = 6 /* behind {"a":" */ };
    int is_fine = _i >= 0x20 && _i < 0x7F && _i != '"' && _i != '\\';

    for (int place = 0; place < SIZE; place++) {
        char *text = apr_psprintf(pool, "{\"a\":\"%.*s\"}", SIZE, "01234567890123456");
        ss_document_t document;
        const ss_json_member_t *member;
        apr_status_t rv;

        text[FIRST + place] = (char)_i;
        rv = ss_document_read(&document, exact(text, FIRST + SIZE + 2), pool);
        ck_assert_msg((rv == APR_SUCCESS) == (is_fine || _i == 0x7F), "byte %d at %d", _i, place);
        if (rv == APR_SUCCESS) {
            member = (const ss_json_member_t *)document.members->elts;
            ck_assert_msg((member->text.data != NULL) == is_fine, "byte %d at %d", _i, place);
            ck_assert_uint_eq(member->value.raw.len, SIZE + 2);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document");
    TCase *tcase = unit_case(suite, "document");

    tcase_add_loop_test(tcase, knows_what_a_closer_look_would_find, 0, COUNT(documents));
    tcase_add_loop_test(tcase, knows_where_something_hides, 0, COUNT(hidings));
    tcase_add_loop_test(tcase, an_outline_gives_the_same_document, 0, COUNT(documents));
    tcase_add_loop_test(tcase, every_byte_at_every_place_of_a_string, 0, 256);
    tcase_add_test(tcase, an_outline_has_a_limit);
    tcase_add_test(tcase, only_the_last_of_a_name_counts);
    tcase_add_test(tcase, only_the_last_of_a_name_counts_among_many);
    tcase_add_test(tcase, refuses_what_is_no_object);
    return unit_run(suite);
}
