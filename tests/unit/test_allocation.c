/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Memory that runs out: that it does, and while a session changes and in what else a request goes
 * through. Keys are in test_allocation_keys.c, cookies in test_allocation_cookies.c. */

#include "lib/cookie_option.h"
#include "lib/deflate.h"
#include "lib/draft.h"
#include "lib/field.h"
#include "lib/form.h"
#include "tests/unit/exhaust.h"
#include "tests/unit/formats.h"

/* Without this, the tests of these programs would prove nothing. */
START_TEST(the_seam_is_seen)
{
    void *volatile got; /* so that the compiler does not know better */
    apr_pool_t *small;

    seam = MALLOC;
    countdown = 1;
    got = malloc(1);
    ck_assert_ptr_null(got);
    countdown = 1;
    got = calloc(1, 1);
    ck_assert_ptr_null(got);
    countdown = 1;
    got = realloc(NULL, 1);
    ck_assert_ptr_null(got);

    small = small_pool();
    countdown = 1;
    if (setjmp(abort_function) == 0) {
        apr_palloc(small, NODE_FILL);
        ck_abort_msg("APR has memory of its own");
    }
    seam = PALLOC;
    countdown = 1;
    if (setjmp(abort_function) == 0) {
        apr_pstrdup(small, "text");
        ck_abort_msg("APR calls its own function");
    }
    apr_pool_destroy(small);
}
END_TEST

/*
 * Changes
 */

#define PATCH "{\"user\":null,\"list\":[1,{\"a\":\"b\"}],\"last\":{\"n\":{\"x\":1}}}"

typedef struct changing_t {
    const char *what;
    ss_change_e kind;
    const char *name, *value;
} changing_t;

/* clang-format off */
static const changing_t changings[] = {
    { "a member is set",        SS_CHANGE_SET,     "last",   "[1, {\"a\" : \"b\"}]" },
    { "a member is new",        SS_CHANGE_SET,     "n\"ew", "\"text\"" },
    { "a member goes",          SS_CHANGE_UNSET,   "list",   "" },
    { "members are updated",    SS_CHANGE_UPDATE,  "",       PATCH },
    { "a patch is merged",      SS_CHANGE_MERGE,   "",       PATCH },
    { "the document is new",    SS_CHANGE_REPLACE, "",       PATCH },
    { "the document stays",     SS_CHANGE_REPLACE, "",       DOCUMENT },
    { "the session ends",       SS_CHANGE_END,     "",       "" },
};
/* clang-format on */

/** A change, and the document that it leads to. */
typedef struct wanted_t {
    ss_change_t change;
    ss_bytes_t text;
} wanted_t;

static ss_session_t *loaded(apr_pool_t *from)
{
    static const ss_stamp_t stamp = { 1, 1, { 0 }, 1, { 0 } };
    ss_session_t *session;

    return ss_session_load(&session, ss_bytes_of(DOCUMENT), &stamp, from) == APR_SUCCESS ? session
                                                                                         : NULL;
}

static outcome_e change_copy(const void *wanted_, apr_pool_t *from)
{
    const wanted_t *wanted = wanted_;
    ss_session_t *before = loaded(from), *session = ss_session_copy(before, from);
    ss_change_t change = ss_change_copy(&wanted->change, from);
    int is_possible = ss_change_make(session, &change);
    ss_bytes_t text = ss_session_text(session);

    ss_session_view(session);
    relent();
    return is_possible && ss_bytes_equal(text, wanted->text) &&
                   ss_bytes_equal(ss_session_text(before), ss_bytes_of(DOCUMENT))
               ? DONE
               : WRONG;
}

static outcome_e take_back(const void *wanted_, apr_pool_t *from)
{
    const wanted_t *wanted = wanted_;
    ss_draft_t *draft = ss_draft_create(loaded(from), ss_bytes_of("user"), from);

    ss_draft_make(draft, &wanted->change);
    ss_draft_revert(draft);
    relent();
    return !ss_session_is_changed(ss_draft_session(draft)) &&
                   ss_bytes_equal(ss_session_text(ss_draft_session(draft)), ss_bytes_of(DOCUMENT))
               ? DONE
               : WRONG;
}

START_TEST(changes)
{
    const changing_t *row = &changings[_i];
    ss_session_t *session = loaded(pool);
    wanted_t wanted = { { row->kind, ss_bytes_of(row->name), json_of(row->value) }, { NULL, 0 } };

    ck_assert_msg(ss_change_make(session, &wanted.change), "%s", row->what);
    wanted.text = ss_session_text(session);
    exhaust(row->what, change_copy, &wanted);
    exhaust(row->what, take_back, &wanted);
}
END_TEST

/*
 * What else a request goes through
 */

static outcome_e check_input(const void *text, apr_pool_t *from)
{
    ss_json_error_t error;

    return ss_json_check_input(NULL, ss_bytes_of(text), &error, from) == APR_SUCCESS ? DONE : WRONG;
}

static outcome_e compact(const void *text, apr_pool_t *from)
{
    ss_json_t ascii = ss_json_compact(json_of(text), SS_JSON_ASCII_AND_FINITE, from);

    relent();
    return ss_json_equal(ascii, json_of(text), pool) ? DONE : WRONG;
}

static outcome_e look_up(const void *text, apr_pool_t *from)
{
    ss_json_t item = ss_json_at(json_of(text), ss_bytes_of("list.1.t"), from);

    return ss_bytes_equal(item.raw, ss_bytes_of("[true,null]")) ? DONE : WRONG;
}

static outcome_e pack(const void *text, apr_pool_t *from)
{
    ss_bytes_t packed, again;

    if (ss_deflate(&packed, ss_bytes_of(text), from) != APR_SUCCESS) {
        return packed.data == NULL ? REFUSED : WRONG;
    }
    if (ss_inflate(&again, packed, from) != APR_SUCCESS) {
        return again.data == NULL ? REFUSED : WRONG;
    }
    return ss_bytes_equal(again, ss_bytes_of(text)) ? DONE : WRONG;
}

static outcome_e strip(const void *text, apr_pool_t *from)
{
    const char *left =
        ss_cookie_strip("a=1; session=2; b=3; session=4", "session", NULL, NULL, from);

    (void)text;
    return strcmp(left, "a=1; b=3") == 0 ? DONE : WRONG;
}

static outcome_e print_cookie(const void *text, apr_pool_t *from)
{
    static const char *const words[] = { "name", "Path=/x", "Domain=example.org", "Priority=High" };
    ss_cookie_t cookie;
    const char *line;

    (void)text;
    if (ss_cookie_option_parse(&cookie, COUNT(words), words, from) != NULL) {
        return WRONG;
    }
    line = ss_cookie_print(&cookie, ss_bytes_of("value"), 60, 1, from);
    return strncmp(line, "name=value; ", 12) == 0 &&
                   ss_cookie_is_deletion(ss_cookie_print_deletion(&cookie, 1, from), NOW)
               ? DONE
               : WRONG;
}

static outcome_e join_fields(const void *text, apr_pool_t *from)
{
    const char *list = ss_field_join("public, max-age=60", "s-maxage=3", from);

    (void)text;
    return strcmp(ss_field_private(list, from), "private, max-age=60") == 0 ? DONE : WRONG;
}

static outcome_e read_form(const void *text, apr_pool_t *from)
{
    apr_array_header_t *fields;
    const char *why;

    (void)text;
    if (ss_form_parse(&fields, &why, ss_bytes_of("a=1&b=%41+c&d"), from) != APR_SUCCESS) {
        return WRONG;
    }
    return fields->nelts == 3 ? DONE : WRONG;
}

static const struct {
    const char *what;
    operation_fn *run;
} others[] = {
    { "input is checked", check_input },       { "JSON becomes ASCII", compact },
    { "a path is followed", look_up },         { "packed and unpacked", pack },
    { "our cookies are taken out", strip },    { "a cookie is printed", print_cookie },
    { "a list becomes private", join_fields }, { "a form is read", read_form },
};

START_TEST(other_work)
{
    exhaust(others[_i].what, others[_i].run, DOCUMENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("allocation");
    TCase *tcase = exhausting_case(suite);

    tcase_add_test(tcase, the_seam_is_seen);
    tcase_add_loop_test(tcase, changes, 0, COUNT(changings));
    tcase_add_loop_test(tcase, other_work, 0, COUNT(others));
    return unit_run(suite);
}
