/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/value.h"
#include "tests/unit/values.h"

static const ss_stamp_t stamp = { 1767225600, 1767225600, { 1, 2, 3 }, 7, { 0 } };

static ss_session_t *loaded(const char *text)
{
    ss_session_t *session;

    ck_assert_int_eq(ss_session_load(&session, exact_of(text), &stamp, pool), APR_SUCCESS);
    return session;
}

/* clang-format off */
static const struct {
    const char *what, *value;
    const char *text; /* NULL: it may not leave alone */
} texts[] = {
    { "a string without its quotes",           "\"alice\"",              "alice" },
    { "an empty string",                       "\"\"",                   "" },
    { "a string with escapes, decoded",        "\"a\\/\\\"b\\u00e9\"",   "a/\"b\xc3\xa9" },
    { "a string beyond ASCII, as it is",       "\"Zo\xc3\xab\"",         "Zo\xc3\xab" },
    { "a string of blanks",                    "\"  \"",                 "  " },
    { "a string that looks like a number",     "\"1.0\"",                "1.0" },
    { "a line feed would forge a header",      "\"a\\nSet-Cookie: b\"",  NULL },
    { "a tab is a control character, too",     "\"a\\tb\"",              NULL },
    { "a NUL would end the text",              "\"a\\u0000b\"",          NULL },
    { "DEL, raw",                              "\"a\x7f\"",              NULL },
    { "DEL, escaped",                          "\"\\u007f\"",            NULL },
    { "a lone surrogate is no UTF-8",          "\"\\ud83d\"",            NULL },
    { "a surrogate pair is",                   "\"\\ud83d\\ude00\"",     "\xf0\x9f\x98\x80" },
    { "a number, as it is written",            "-1.50E+3",               "-1.50E+3" },
    { "a number beyond every machine type",    "12345678901234567890",   "12345678901234567890" },
    { "true",                                  "true",                   "true" },
    { "false",                                 "false",                  "false" },
    { "null",                                  "null",                   "null" },
    { "NaN, which readers do not know",        "NaN",                    "null" },
    { "minus infinity",                        "-Infinity",              "null" },
    { "an array, compact",                     "[ 1, \"a b\" ]",         "[1,\"a b\"]" },
    { "an object, compact",                    "{ \"a\" : { } }",        "{\"a\":{}}" },
    { "NaN deep inside",                       "{\"a\":[NaN,1]}",        "{\"a\":[null,1]}" },
    { "what is escaped in an array stays so",  "[\"a\\n\"]",             "[\"a\\n\"]" },
};
/* clang-format on */

START_TEST(a_value_becomes_text)
{
    const char *what = texts[_i].what;
    ss_json_t value = value_of(texts[_i].value);
    ss_bytes_t slice = ss_value_slice(value, pool);
    const char *text = ss_value_text(value, pool);

    if (texts[_i].text == NULL) {
        ck_assert_msg(slice.data == NULL && text == NULL, "%s", what);
        return;
    }
    assert_bytes(slice, ss_bytes_of(texts[_i].text), what);
    ck_assert_msg(text != NULL && strcmp(text, texts[_i].text) == 0, "%s: \"%s\"", what, text);
}
END_TEST

/* The text of a value is copied once, where it has to be terminated, and not before. */
START_TEST(a_slice_is_of_the_value_where_it_can_be)
{
    static const char *const values[] = { "\"alice\"", "-1.5", "true", "[1,{\"a\":null}]" };

    for (int i = 0; i < COUNT(values); i++) {
        ss_json_t value = value_of(values[i]);
        ss_bytes_t slice = ss_value_slice(value, pool);

        ck_assert_msg(slice.data >= value.raw.data &&
                          slice.data + slice.len <= value.raw.data + value.raw.len,
                      "%s", values[i]);
    }
}
END_TEST

#define CART                                                                                       \
    "{\"cart\":{\"items\":[\"pen\",{\"id\":7}]},\"cart.items\":\"mine\",\"a.b\":1,\"\":{\"\":2}}"

/* clang-format off */
static const struct {
    const char *what, *document, *path;
    const char *found; /* NULL: nothing */
} paths[] = {
    { "a key",                               CART, "cart",            "{\"items\":[\"pen\",{\"id\":7}]}" },
    { "a key of a key",                      "{\"a\":{\"b\":1}}", "a.b", "1" },
    { "an item, and a key of it",            CART, "cart.items.1.id", "7" },
    { "a key that has the dots in its name", CART, "cart.items",      "\"mine\"" },
    { "such a key where no path leads",      CART, "a.b",             "1" },
    { "below such a key no path leads",      CART, "a.b.c",           NULL },
    { "a path through a key, not its name",  CART, "cart.items.0",    "\"pen\"" },
    { "the empty key",                       CART, "",                "{\"\":2}" },
    { "a dot alone: an empty key of one",    CART, ".",               "2" },
    { "a key that is not there",             CART, "user",            NULL },
    { "a path that is not there",            CART, "cart.user",       NULL },
    { "an item too far",                     CART, "cart.items.2",    NULL },
    { "another case is another key",         CART, "Cart",            NULL },
    { "null is a value",                     "{\"a\":null}", "a",     "null" },
    { "of a name twice the last",            "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "a.b", "2" },
    { "white space around the document",     " {\"a\":{\"b\": 1 }}\n", "a.b", "1" },
    { "nothing in an empty session",         "{}", "a.b",             NULL },
};
/* clang-format on */

START_TEST(a_path_finds_what_readers_mean)
{
    ss_json_t found = ss_value_find(loaded(paths[_i].document), paths[_i].path, pool);

    assert_bytes_or_none(found.raw, paths[_i].found, paths[_i].what);
}
END_TEST

START_TEST(a_path_finds_what_was_just_set)
{
    ss_session_t *session = loaded("{\"a\":{\"b\":1}}");

    ss_session_set(session, ss_bytes_of("a"), value_of("{\"b\": 2}"));
    assert_value(ss_value_find(session, "a.b", pool), "2", "below a key that was set");
    ss_session_clear(session);
    ck_assert_ptr_null(ss_value_find(session, "a.b", pool).raw.data);
    ck_assert_ptr_null(ss_value_find(ss_session_create(pool), "a.b", pool).raw.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("value");
    TCase *tcase = unit_case(suite, "value");

    tcase_add_loop_test(tcase, a_value_becomes_text, 0, COUNT(texts));
    tcase_add_test(tcase, a_slice_is_of_the_value_where_it_can_be);
    tcase_add_loop_test(tcase, a_path_finds_what_readers_mean, 0, COUNT(paths));
    tcase_add_test(tcase, a_path_finds_what_was_just_set);
    return unit_run(suite);
}
