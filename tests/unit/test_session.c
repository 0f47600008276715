/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>

#include "lib/session.h"
#include "tests/randoms.h"
#include "tests/unit/values.h"

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */
#define SECONDS(n) apr_time_from_sec(n)

static const ss_stamp_t stamp = { NOW - 100, NOW - 1000, { 1, 2, 3 }, 7, { 0 } };

static ss_session_t *loaded(const char *text)
{
    ss_session_t *session;

    ck_assert_int_eq(ss_session_load(&session, exact_of(text), &stamp, pool), APR_SUCCESS);
    return session;
}

static void set(ss_session_t *session, const char *name, const char *value)
{
    ss_session_set(session, ss_bytes_of(name), value_of(value));
}

static int unset(ss_session_t *session, const char *name)
{
    return ss_session_unset(session, ss_bytes_of(name));
}

static void merge(ss_session_t *session, const char *patch)
{
    ss_session_merge(session, value_of(patch));
}

static void replace(ss_session_t *session, const char *object)
{
    ss_session_replace(session, value_of(object));
}

static void assert_text(ss_session_t *session, const char *want, const char *what)
{
    assert_bytes(ss_session_text(session), ss_bytes_of(want), what);
}

static apr_status_t next_stamp(ss_stamp_t *next, ss_session_t *session, ss_random_fn *random)
{
    return ss_stamp_next(next, ss_session_stamp(session), ss_session_is_changed(session),
                         SECONDS(NOW), random);
}

START_TEST(a_new_session_is_empty)
{
    ss_session_t *session = ss_session_create(pool);

    ck_assert(ss_session_is_empty(session));
    ck_assert(!ss_session_is_changed(session));
    ck_assert_uint_eq(ss_session_generation(session), 0);
    ck_assert_int_eq(ss_session_stamp(session)->renewed, SS_NO_TIME);
    ck_assert_int_eq(ss_session_stamp(session)->created, SS_NO_TIME);
    ck_assert_uint_eq(ss_session_stamp(session)->counter, 0);
    assert_text(session, "{}", "text");
    assert_value(ss_session_view(session), "{}", "view");
    ck_assert_ptr_null(ss_session_get(session, ss_bytes_of("a")).raw.data);
}
END_TEST

START_TEST(loads_only_objects)
{
    static const char *const others[] = { "",     "[]",       "null",  "\"a\"",       "{",
                                          "{}{}", "{\"a\":}", "{a:1}", "{\"\xff\":1}" };
    ss_session_t *session;
    int i;

    for (i = 0; i < COUNT(others); i++) {
        ck_assert_msg(ss_session_load(&session, exact_of(others[i]), &stamp, pool) == APR_EINVAL,
                      "%s", others[i]);
        ck_assert_ptr_null(session);
    }
}
END_TEST

START_TEST(an_untouched_session_keeps_every_byte)
{
    const char *text = " { \"b\" : 1.00,\"a\":[ NaN ] ,\"\\u0062\":2,\"c\":-Infinity}\n";
    ss_session_t *session = loaded(text);

    assert_text(session, text, "text");
    assert_value(ss_session_view(session), "{\"b\":1.00,\"a\":[null],\"\\u0062\":2,\"c\":null}",
                 "view");
    ck_assert(!ss_session_is_changed(session));
    ck_assert_int_eq(memcmp(ss_session_stamp(session), &stamp, sizeof(stamp)), 0);
}
END_TEST

START_TEST(of_duplicates_the_last_counts)
{
    ss_session_t *session = loaded("{\"a\":1,\"b\":2,\"\\u0061\":3,\"c\":4,\"b\":5,\"b\":6}");
    const apr_array_header_t *members = ss_session_members(session);
    static const char *const values[] = { "3", "4", "6" };
    int i;

    ck_assert_int_eq(members->nelts, 3);
    for (i = 0; i < 3; i++) {
        assert_value(APR_ARRAY_IDX(members, i, ss_json_member_t).value, values[i], "member");
    }
    assert_value(ss_session_get(session, ss_bytes_of("a")), "3", "a");
    set(session, "c", "0");
    assert_text(session, "{\"\\u0061\":3,\"c\":0,\"b\":6}", "text");
}
END_TEST

START_TEST(many_names_are_not_taken_for_duplicates)
{
    char *text = apr_palloc(pool, 20000), *out = text;
    ss_session_t *session;
    int i;

    for (i = 0; i < 1000; i++) {
        out += sprintf(out, "%c\"%03d\":%d", i == 0 ? '{' : ',', i, i);
    }
    strcpy(out, "}");

    session = loaded(text);
    ck_assert_int_eq(ss_session_members(session)->nelts, 1000);
    for (i = 0; i < 1000; i++) {
        ss_bytes_t name = ss_bytes_of(apr_psprintf(pool, "%03d", i));

        assert_value(ss_session_get(session, name), apr_itoa(pool, i), name.data);
    }
}
END_TEST

/* One step of a change: the operation, then its arguments. */
typedef struct step_t {
    enum { END, SET, UNSET, UPDATE, MERGE, REPLACE, CLEAR } what;
    const char *a, *b;
} step_t;

static void take(ss_session_t *session, const step_t *step)
{
    switch (step->what) {
    case SET:
        set(session, step->a, step->b);
        break;
    case UNSET:
        unset(session, step->a);
        break;
    case MERGE:
        merge(session, step->a);
        break;
    case UPDATE:
        ss_session_update(session, value_of(step->a));
        break;
    case REPLACE:
        replace(session, step->a);
        break;
    case CLEAR:
        ss_session_clear(session);
        break;
    case END:
        break;
    }
}

#define DOCUMENT "{ \"a\": 1.0, \"b\": {\"c\": [1, 2]} }"
#define AFTER(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            END, NULL, NULL                                                                        \
        }                                                                                          \
    }

/* clang-format off */
static const struct {
    const char *what, *loaded; /* NULL: a new session */
    step_t steps[4];
    const char *text;
    int changed;
    unsigned generation;
    int same; /* does it keep id and creation time? */
} changes[] = {
    { "set a new member",               DOCUMENT, AFTER({ SET, "n", "[ 1, 2 ]" }),
      "{\"a\":1.0,\"b\":{\"c\": [1, 2]},\"n\":[1,2]}", 1, 1, 1 },
    { "set another value",              DOCUMENT, AFTER({ SET, "a", "1" }),
      "{\"a\":1,\"b\":{\"c\": [1, 2]}}", 1, 1, 1 },
    { "set the value that is there",    DOCUMENT, AFTER({ SET, "b", "{\"c\":[1,2]}" }), DOCUMENT, 0, 0, 1 },
    { "set null",                       DOCUMENT, AFTER({ SET, "a", "null" }),
      "{\"a\":null,\"b\":{\"c\": [1, 2]}}", 1, 1, 1 },
    { "set and set back",               DOCUMENT, AFTER({ SET, "a", "2" }, { SET, "a", "1.0" }), DOCUMENT, 0, 2, 1 },
    { "unset and set again, elsewhere", DOCUMENT, AFTER({ UNSET, "a", NULL }, { SET, "a", "1.0" }), DOCUMENT, 0, 2, 1 },
    { "set what needs escapes",         "{\"a\":1}", AFTER({ SET, "\"\n\xc3\xa9", "1" }),
      "{\"a\":1,\"\\\"\\n\xc3\xa9\":1}", 1, 1, 1 },
    { "set the empty name",             "{\"a\":1}", AFTER({ SET, "", "1" }), "{\"a\":1,\"\":1}", 1, 1, 1 },
    { "set a name that is no UTF-8",    "{\"a\":1}", AFTER({ SET, "\xff", "1" }), "{\"a\":1}", 0, 0, 1 },
    { "set a name that was escaped",    "{\"\\u0061\":1}", AFTER({ SET, "a", "2" }), "{\"\\u0061\":2}", 1, 1, 1 },
    { "set a literal dotted name",      "{\"a\":{\"b\":1}}", AFTER({ SET, "a.b", "2" }),
      "{\"a\":{\"b\":1},\"a.b\":2}", 1, 1, 1 },
    { "set, with blanks around",        DOCUMENT, AFTER({ SET, "a", " 1.0\n" }, { SET, "b", "\t[ ] " }), "{\"a\":1.0,\"b\":[]}", 1, 1, 1 },
    { "merge, with blanks around",      "{\"a\":1}", AFTER({ MERGE, " {\"b\" : 2}\n", NULL }), "{\"a\":1,\"b\":2}", 1, 1, 1 },
    { "merge null, with blanks around", "{\"a\":1}", AFTER({ MERGE, "\n null ", NULL }), "{}", 1, 1, 0 },
    { "replace, with blanks around",    "{\"a\":1}", AFTER({ REPLACE, " {\"a\" : 2}\n", NULL }), "{\"a\":2}", 1, 1, 1 },
    { "set in a new session",           NULL, AFTER({ SET, "a", "1" }), "{\"a\":1}", 1, 1, 0 },
    { "set and unset in a new one",     NULL, AFTER({ SET, "a", "1" }, { UNSET, "a", NULL }), "{}", 0, 2, 0 },
    { "unset the first member",         DOCUMENT, AFTER({ UNSET, "a", NULL }), "{\"b\":{\"c\": [1, 2]}}", 1, 1, 1 },
    { "unset what is not there",        DOCUMENT, AFTER({ UNSET, "c", NULL }), DOCUMENT, 0, 0, 1 },
    { "unset the last member",          "{\"a\":1}", AFTER({ UNSET, "a", NULL }), "{}", 1, 1, 0 },
    { "begin anew after the last",      "{\"a\":1}", AFTER({ UNSET, "a", NULL }, { SET, "a", "1" }), "{\"a\":1}", 1, 2, 0 },
    { "merge nothing",                  DOCUMENT, AFTER({ MERGE, "{}", NULL }), DOCUMENT, 0, 0, 1 },
    { "merge what is there",            DOCUMENT, AFTER({ MERGE, "{\"b\":{\"c\":[1,2]}}", NULL }), DOCUMENT, 0, 0, 1 },
    { "merge a null for what is not",   DOCUMENT, AFTER({ MERGE, "{\"x\":null,\"b\":{\"y\":null}}", NULL }), DOCUMENT, 0, 0, 1 },
    { "merge deep inside",              DOCUMENT, AFTER({ MERGE, "{\"b\":{\"d\":{\"e\": null, \"f\": 1}}}", NULL }),
      "{\"a\":1.0,\"b\":{\"c\":[1, 2],\"d\":{\"f\":1}}}", 1, 1, 1 },
    { "merge several members at once",  DOCUMENT, AFTER({ MERGE, "{\"a\":null,\"b\":null,\"z\":{\"n\":null}}", NULL }),
      "{\"z\":{}}", 1, 1, 1 },
    { "merge until nothing is left",    DOCUMENT, AFTER({ MERGE, "{\"a\":null,\"b\":null}", NULL }), "{}", 1, 1, 0 },
    { "merge null",                     DOCUMENT, AFTER({ MERGE, "null", NULL }), "{}", 1, 1, 0 },
    { "merge into a new session",       NULL, AFTER({ MERGE, "{ \"a\": [ 1 ], \"b\": null }", NULL }), "{\"a\":[1]}", 1, 1, 0 },
    { "update",                         DOCUMENT, AFTER({ UPDATE, "{\"b\":{\"d\":null},\"n\":null}", NULL }),
      "{\"a\":1.0,\"b\":{\"d\":null},\"n\":null}", 1, 1, 1 },
    { "update, also a lone surrogate",  "{\"a\":1}", AFTER({ UPDATE, "{\"\\ud800\":3, \"a\":2}", NULL }),
      "{\"a\":2,\"\\ud800\":3}", 1, 1, 1 },
    { "update a lone surrogate",        "{\"\\ud800\":1}", AFTER({ UPDATE, "{\"\\uD800\":2}", NULL }),
      "{\"\\ud800\":2}", 1, 1, 1 },
    { "update nothing",                 DOCUMENT, AFTER({ UPDATE, "{}", NULL }), DOCUMENT, 0, 0, 1 },
    { "update by what is there",        DOCUMENT, AFTER({ UPDATE, "{\"b\":{\"c\":[1,2]}}", NULL }), DOCUMENT, 0, 0, 1 },
    { "update by what is no object",    DOCUMENT, AFTER({ UPDATE, "[1]", NULL }, { UPDATE, "null", NULL }), DOCUMENT, 0, 0, 1 },
    { "update a new session",           NULL, AFTER({ UPDATE, "{\"a\":1}", NULL }), "{\"a\":1}", 1, 1, 0 },
    { "replace by the same",            DOCUMENT, AFTER({ REPLACE, "{\"b\":{\"c\":[1,2]},\"a\":1.0}", NULL }), DOCUMENT, 0, 0, 1 },
    { "replace some",                   DOCUMENT, AFTER({ REPLACE, "{\"b\": {\"c\":[1,2]}, \"n\": [ 1 ]}", NULL }),
      "{\"b\":{\"c\": [1, 2]},\"n\":[1]}", 1, 1, 1 },
    { "replace by nothing",             DOCUMENT, AFTER({ REPLACE, "{ }", NULL }), "{}", 1, 1, 0 },
    { "replace nothing by nothing",     NULL, AFTER({ REPLACE, "{}", NULL }), "{}", 0, 0, 0 },
    { "clear",                          DOCUMENT, AFTER({ CLEAR, NULL, NULL }), "{}", 1, 1, 0 },
    { "clear and begin anew",           "{\"a\":1}", AFTER({ CLEAR, NULL, NULL }, { SET, "a", "1" }), "{\"a\":1}", 1, 2, 0 },
    { "clear a new session",            NULL, AFTER({ CLEAR, NULL, NULL }), "{}", 0, 0, 0 },
    { "clear an empty session",         "{}", AFTER({ CLEAR, NULL, NULL }), "{}", 1, 0, 0 },
    { "clear twice",                    "{\"a\":1}", AFTER({ CLEAR, NULL, NULL }, { CLEAR, NULL, NULL }), "{}", 1, 1, 0 },
    { "fill an empty session",          "{}", AFTER({ SET, "a", "1" }), "{\"a\":1}", 1, 1, 1 }
};
/* clang-format on */

/* Callers have checked that; the session is not left half changed if one has not. */
START_TEST(a_patch_that_is_no_object_changes_nothing)
{
    ss_session_t *session = loaded("{\"a\":1}");

    ss_session_merge(session, value_of("[1]"));
    ck_assert(!ss_session_is_changed(session));
    assert_text(session, "{\"a\":1}", "as it was loaded");
}
END_TEST

START_TEST(changes_the_document)
{
    int row = _i / 2,
        ask = _i % 2; /* every row twice: questions between the steps change nothing */
    const char *what = changes[row].what;
    ss_session_t *session =
        changes[row].loaded != NULL ? loaded(changes[row].loaded) : ss_session_create(pool);
    const step_t *step;
    ss_stamp_t next;

    for (step = changes[row].steps; step->what != END; step++) {
        take(session, step);
        if (ask) {
            ss_session_view(session);
        }
    }

    assert_text(session, changes[row].text, what);
    ck_assert_msg(ss_session_is_changed(session) == changes[row].changed, "%s: changed", what);
    ck_assert_msg(ss_session_generation(session) == changes[row].generation, "%s: generation %u",
                  what, ss_session_generation(session));
    ck_assert_msg(ss_session_is_empty(session) == (strcmp(changes[row].text, "{}") == 0),
                  "%s: empty", what);

    ck_assert_int_eq(next_stamp(&next, session, all_sevens), APR_SUCCESS);
    if (changes[row].same) {
        ck_assert_msg(memcmp(next.id, stamp.id, sizeof(stamp.id)) == 0, "%s: id", what);
        ck_assert_msg(next.created == stamp.created, "%s: created", what);
        ck_assert_msg(next.counter == stamp.counter + changes[row].changed, "%s: counter", what);
    }
    else {
        ck_assert_msg(next.id[0] == 7 && next.id[15] == 7, "%s: new id", what);
        ck_assert_msg(next.created == NOW, "%s: newly created", what);
        ck_assert_msg(next.counter == 1, "%s: first counter", what);
    }
}
END_TEST

START_TEST(copies_what_it_is_given)
{
    char name[] = "name", value[] = "[1]", patch[] = "{\"a\":{\"b\":1}}", object[] = "{\"x\":2}";
    ss_session_t *session = ss_session_create(pool);

    ss_session_set(session, ss_bytes_of(name), checked(ss_bytes_of(value)));
    ss_session_merge(session, checked(ss_bytes_of(patch)));
    memset(name, '!', sizeof(name));
    memset(value, '!', sizeof(value));
    memset(patch, '!', sizeof(patch));
    assert_text(session, "{\"name\":[1],\"a\":{\"b\":1}}", "set and merged");
    assert_value(ss_session_get(session, ss_bytes_of("name")), "[1]", "name");

    ss_session_replace(session, checked(ss_bytes_of(object)));
    memset(object, '!', sizeof(object));
    assert_text(session, "{\"x\":2}", "replaced");
}
END_TEST

START_TEST(a_copy_has_a_life_of_its_own)
{
    ss_session_t *session = loaded(DOCUMENT), *copy;
    ss_stamp_t next;

    set(session, "n", "1");
    copy = ss_session_copy(session, pool);
    assert_text(copy, "{\"a\":1.0,\"b\":{\"c\": [1, 2]},\"n\":1}", "as it was");
    ck_assert_uint_eq(ss_session_generation(copy), ss_session_generation(session));

    set(copy, "a", "2");
    unset(copy, "b");
    assert_text(copy, "{\"a\":2,\"n\":1}", "the copy");
    assert_text(session, "{\"a\":1.0,\"b\":{\"c\": [1, 2]},\"n\":1}", "the original");
    ss_session_clear(session);
    assert_text(copy, "{\"a\":2,\"n\":1}", "the copy, after the original ended");

    ck_assert_int_eq(next_stamp(&next, copy, no_random), APR_SUCCESS);
    ck_assert_msg(memcmp(next.id, stamp.id, sizeof(next.id)) == 0, "it is the same session");
}
END_TEST

START_TEST(a_copy_of_an_untouched_or_new_session)
{
    ss_session_t *copy = ss_session_copy(loaded(DOCUMENT), pool);

    assert_text(copy, DOCUMENT, "loaded");
    ck_assert(!ss_session_is_changed(copy));
    copy = ss_session_copy(ss_session_create(pool), pool);
    ck_assert(ss_session_is_empty(copy) && !ss_session_is_changed(copy));
    set(copy, "a", "1");
    ck_assert(ss_session_is_changed(copy));
}
END_TEST

/* `levels` arrays, one in the other */
static ss_json_t deep(int levels)
{
    char *text = apr_palloc(pool, 2 * levels);

    memset(text, '[', levels);
    memset(text + levels, ']', levels);
    return checked(exact(text, 2 * levels));
}

START_TEST(a_session_nests_no_deeper_than_it_can_be_read)
{
    ss_session_t *session = ss_session_create(pool), *again;

    ck_assert(!ss_session_set(session, ss_bytes_of("a"), deep(SS_JSON_DEPTH_MAX)));
    ck_assert(ss_session_is_empty(session));
    ck_assert(ss_session_set(session, ss_bytes_of("a"), deep(SS_JSON_DEPTH_MAX - 1)));
    ck_assert_int_eq(ss_session_load(&again, ss_session_text(session), &stamp, pool), APR_SUCCESS);
}
END_TEST

START_TEST(says_what_unset_found)
{
    ss_session_t *session = loaded("{\"a\":1,\"b\":2}");

    ck_assert(unset(session, "a"));
    ck_assert(!unset(session, "a"));
    ck_assert(!unset(session, "A"));
    ck_assert_int_eq(ss_session_members(session)->nelts, 1);
}
END_TEST

START_TEST(the_view_follows_the_document)
{
    ss_session_t *session = loaded("{\"a\": NaN}");

    assert_value(ss_session_view(session), "{\"a\":null}", "loaded");
    set(session, "b", "1");
    assert_value(ss_session_view(session), "{\"a\":null,\"b\":1}", "set");
    assert_text(session, "{\"a\":NaN,\"b\":1}", "what is sealed keeps NaN");
    ss_session_clear(session);
    assert_value(ss_session_view(session), "{}", "cleared");
}
END_TEST

START_TEST(renews_only_what_a_cookie_holds)
{
    static const ss_lifetime_t always = { SS_FOREVER, SS_FOREVER, 0, { SS_RENEW_ALWAYS, 0, 0 }, 1 };
    ss_session_t *fresh = ss_session_create(pool), *ended = loaded("{\"a\":1}");

    ck_assert(ss_session_is_due(ended, &always, SECONDS(NOW)));
    ck_assert(!ss_session_is_due(loaded("{}"), &always, SECONDS(NOW)));
    ck_assert(!ss_session_is_due(fresh, &always, SECONDS(NOW)));
    set(fresh, "a", "1");
    ck_assert(!ss_session_is_due(fresh, &always, SECONDS(NOW)));
    ss_session_clear(ended);
    set(ended, "a", "1");
    ck_assert(!ss_session_is_due(ended, &always, SECONDS(NOW)));
}
END_TEST

/*
 * What only modules see
 */

#define HIDING "{\"a\":1, \"mod_session\":{\"realm-user\":\"alice\"},\"b\":2}"
#define HIDDEN "{\"realm-user\":\"alice\"}"
#define SHOWN "{\"a\":1,\"b\":2}"

static ss_session_t *hiding(const char *text)
{
    ss_session_t *session = loaded(text);

    ss_session_reserve(session, 1);
    return session;
}

static int has(const ss_session_t *session, const char *name)
{
    return ss_session_get(session, ss_bytes_of(name)).raw.data != NULL;
}

START_TEST(what_is_hidden_is_no_member)
{
    ss_session_t *session = hiding(HIDING);
    const apr_array_header_t *members = ss_session_members(session);

    assert_value(ss_session_hidden(session), HIDDEN, "hidden");
    assert_value(ss_session_json(session), SHOWN, "json");
    assert_value(ss_session_view(session), SHOWN, "view");
    ck_assert_int_eq(members->nelts, 2);
    ck_assert(!has(session, "mod_session"));
    assert_text(session, HIDING, "what is sealed, to the byte");
    ck_assert(!ss_session_is_changed(session));
    assert_value(ss_session_hidden(ss_session_copy(session, pool)), HIDDEN, "of a copy");
}
END_TEST

START_TEST(a_name_with_escapes_hides_nothing_from_us)
{
    ss_session_t *session = hiding("{\"mod\\u005fsession\":{},\"a\":1}");

    assert_value(ss_session_view(session), "{\"a\":1}", "view");
    assert_value(ss_session_hidden(session), "{}", "hidden");
}
END_TEST

START_TEST(only_this_name_is_reserved)
{
    static const char *const others[] = { "mod_sessio", "mod_session_", "Mod_session", "" };
    ss_session_t *session = hiding("{}");

    for (int i = 0; i < COUNT(others); i++) {
        ck_assert_msg(ss_session_set(session, ss_bytes_of(others[i]), value_of("1")), "%s",
                      others[i]);
        ck_assert(!ss_session_is_reserved(session, ss_bytes_of(others[i])));
    }
    ck_assert(ss_session_is_reserved(session, ss_bytes_of("mod_session")));
    ck_assert(!ss_session_is_reserved(ss_session_create(pool), ss_bytes_of("mod_session")));
}
END_TEST

START_TEST(a_session_that_reserves_nothing_hides_nothing)
{
    ss_session_t *session = loaded(HIDING);

    ck_assert(has(session, "mod_session"));
    ck_assert_ptr_null(ss_session_hidden(session).raw.data);
    ck_assert(!ss_session_hide(session, value_of("{}")));
    ck_assert(ss_session_set(session, ss_bytes_of("mod_session"), value_of("1")));
    assert_text(session, "{\"a\":1,\"mod_session\":1,\"b\":2}", "a member like any other");
}
END_TEST

START_TEST(what_is_not_kept_was_never_there)
{
    ss_session_t *session = loaded(HIDING);

    ss_session_reserve(session, 0);
    ck_assert_ptr_null(ss_session_hidden(session).raw.data);
    ck_assert(!ss_session_is_changed(session));
    assert_text(session, SHOWN, "as it would be renewed");
    set(session, "a", "3");
    set(session, "a", "1");
    ck_assert(!ss_session_is_changed(session));
    assert_text(session, SHOWN, "set and set back");
}
END_TEST

/* Each would write it; the first of each kind also writes something else. */
static const struct {
    const char *what;
    int (*make)(ss_session_t *session, ss_json_t value);
    const char *value;
} forgeries[] = {
    { "update", ss_session_update, "{\"a\":7,\"mod_session\":{\"realm-user\":\"eve\"}}" },
    { "update with escapes", ss_session_update, "{\"\\u006dod_session\":1}" },
    { "merge", ss_session_merge, "{\"a\":7,\"mod_session\":{\"realm-user\":\"eve\"}}" },
    { "merge below it", ss_session_merge, "{\"mod_session\":{\"x\":1}}" },
    { "merge null", ss_session_merge, "{\"mod_session\":null}" },
    { "replace", ss_session_replace, "{\"a\":7,\"mod_session\":{\"realm-user\":\"eve\"}}" },
    { "replace by the same", ss_session_replace, HIDING },
};

START_TEST(nobody_else_writes_it)
{
    ss_session_t *full = hiding(HIDING), *empty = hiding("{}");

    ck_assert_msg(!forgeries[_i].make(full, value_of(forgeries[_i].value)), "%s",
                  forgeries[_i].what);
    assert_text(full, HIDING, forgeries[_i].what);
    ck_assert_uint_eq(ss_session_generation(full), 0);
    ck_assert_msg(!forgeries[_i].make(empty, value_of(forgeries[_i].value)), "%s: new",
                  forgeries[_i].what);
    assert_text(empty, "{}", forgeries[_i].what);
}
END_TEST

START_TEST(nobody_else_sets_or_removes_it)
{
    ss_session_t *session = hiding(HIDING);

    ck_assert(!ss_session_set(session, ss_bytes_of("mod_session"), value_of("{}")));
    ck_assert(!unset(session, "mod_session"));
    ck_assert(!ss_session_is_changed(session));
    assert_text(session, HIDING, "text");
}
END_TEST

START_TEST(it_stays_whatever_else_is_changed)
{
    ss_session_t *session = hiding(HIDING);

    set(session, "a", "3");
    merge(session, "{\"b\":null,\"c\":4}");
    assert_text(session, "{\"a\":3,\"c\":4,\"mod_session\":" HIDDEN "}", "behind the others");
    assert_value(ss_session_view(session), "{\"a\":3,\"c\":4}", "view");
    unset(session, "a");
    unset(session, "c");
    assert_text(session, "{\"mod_session\":" HIDDEN "}", "alone");
    ck_assert(!ss_session_is_empty(session));
    assert_value(ss_session_view(session), "{}", "nothing to see");
    ck_assert_uint_eq(ss_session_stamp(session)->counter, stamp.counter);
    set(session, "a", "1");
    set(session, "b", "2");
    ck_assert(!ss_session_is_changed(session));
    assert_text(session, HIDING, "set back, the cookie is still good");
}
END_TEST

START_TEST(it_goes_with_the_whole_session)
{
    ss_session_t *cleared = hiding(HIDING), *nulled = hiding(HIDING), *replaced = hiding(HIDING),
                 *same = hiding(HIDING), *emptied = hiding(HIDING);

    ss_session_clear(cleared);
    assert_text(cleared, "{}", "cleared");
    ck_assert(ss_session_merge(nulled, value_of("null")));
    assert_text(nulled, "{}", "null");
    replace(replaced, "{\"c\":3}");
    assert_text(replaced, "{\"c\":3}", "replaced");
    replace(same, SHOWN);
    assert_text(same, SHOWN, "replaced by what was shown");
    ck_assert(ss_session_is_changed(same));
    replace(emptied, "{}");
    ck_assert(ss_session_is_empty(emptied) && ss_session_is_changed(emptied));
    ck_assert_int_eq(ss_session_stamp(emptied)->created, SS_NO_TIME);
}
END_TEST

START_TEST(modules_write_it)
{
    ss_session_t *session = hiding("{\"a\":1}");

    ck_assert(ss_session_hide(session, value_of(HIDDEN)));
    ck_assert(ss_session_is_changed(session));
    assert_text(session, "{\"a\":1,\"mod_session\":" HIDDEN "}", "hidden");
    ck_assert_uint_eq(ss_session_generation(session), 1);
    ck_assert(ss_session_hide(session, value_of(HIDDEN)));
    ck_assert_uint_eq(ss_session_generation(session), 1);
    ck_assert(ss_session_hide(session, ss_json_absent));
    ck_assert(!ss_session_is_changed(session));
    assert_text(session, "{\"a\":1}", "nothing is hidden any more");
}
END_TEST

START_TEST(a_session_of_hidden_things_alone_ends_with_them)
{
    ss_session_t *session = hiding("{\"mod_session\":{\"x\":\"y\"}}");

    ck_assert(!ss_session_is_empty(session));
    assert_value(ss_session_json(session), "{}", "json");
    ck_assert(ss_session_hide(session, ss_json_absent));
    ck_assert(ss_session_is_empty(session) && ss_session_is_changed(session));
    ck_assert_int_eq(ss_session_stamp(session)->created, SS_NO_TIME);
}
END_TEST

static const unsigned char point[SS_POINT_SIZE] = { 2, 1 };

START_TEST(a_binding_gives_a_new_id_and_no_new_age)
{
    ss_session_t *session = loaded("{\"a\":1}");
    ss_stamp_t next;

    ss_session_bind(session, point);
    ck_assert(ss_session_is_changed(session));
    assert_text(session, "{\"a\":1}", "text");
    ck_assert_int_eq(ss_session_created(session, SECONDS(NOW)), stamp.created);
    ck_assert_int_eq(next_stamp(&next, session, all_sevens), APR_SUCCESS);
    ck_assert_mem_ne(next.id, stamp.id, sizeof(next.id));
    ck_assert_int_eq(next.created, stamp.created);
    ck_assert_uint_eq(next.counter, 1);
    ck_assert_mem_eq(next.point, point, SS_POINT_SIZE);
}
END_TEST

START_TEST(every_other_new_id_drops_the_binding)
{
    ss_session_t *session = loaded("{\"a\":1}");

    ss_session_bind(session, point);
    switch (_i) {
    case 0:
        ss_session_renew_identity(session);
        break;
    case 1:
        ss_session_clear(session);
        break;
    case 2:
        ss_session_begin_anew(session, NULL);
        break;
    default:
        ss_session_unset(session, ss_bytes_of("a"));
    }
    ck_assert(!ss_stamp_is_bound(ss_session_stamp(session)));
}
END_TEST

START_TEST(a_session_may_begin_anew_and_stay_bound)
{
    ss_session_t *session = loaded("{\"a\":1}");
    ss_stamp_t bound = stamp, next;

    memcpy(bound.point, point, SS_POINT_SIZE);
    ss_session_stay_bound(session, &bound);
    ck_assert(ss_session_is_changed(session));
    ck_assert_int_eq(next_stamp(&next, session, all_sevens), APR_SUCCESS);
    ck_assert_mem_eq(next.id, stamp.id, sizeof(next.id));
    ck_assert_mem_eq(next.point, point, SS_POINT_SIZE);
    ck_assert_int_eq(next.created, NOW);
    ck_assert_uint_eq(next.counter, stamp.counter + 1);
}
END_TEST

START_TEST(an_empty_session_is_not_bound)
{
    ss_session_t *session = ss_session_create(pool);

    ss_session_bind(session, point);
    ck_assert(!ss_session_is_changed(session));
    ck_assert(!ss_stamp_is_bound(ss_session_stamp(session)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = unit_case(suite, "document");

    tcase_add_test(tcase, a_new_session_is_empty);
    tcase_add_test(tcase, loads_only_objects);
    tcase_add_test(tcase, an_untouched_session_keeps_every_byte);
    tcase_add_test(tcase, of_duplicates_the_last_counts);
    tcase_add_test(tcase, many_names_are_not_taken_for_duplicates);
    tcase_add_test(tcase, a_patch_that_is_no_object_changes_nothing);
    tcase_add_loop_test(tcase, changes_the_document, 0, 2 * COUNT(changes));
    tcase_add_test(tcase, copies_what_it_is_given);
    tcase_add_test(tcase, a_copy_has_a_life_of_its_own);
    tcase_add_test(tcase, a_copy_of_an_untouched_or_new_session);
    tcase_add_test(tcase, a_session_nests_no_deeper_than_it_can_be_read);
    tcase_add_test(tcase, says_what_unset_found);
    tcase_add_test(tcase, the_view_follows_the_document);

    tcase_add_test(tcase, renews_only_what_a_cookie_holds);

    tcase = unit_case(suite, "what only modules see");
    tcase_add_test(tcase, what_is_hidden_is_no_member);
    tcase_add_test(tcase, a_name_with_escapes_hides_nothing_from_us);
    tcase_add_test(tcase, only_this_name_is_reserved);
    tcase_add_test(tcase, a_session_that_reserves_nothing_hides_nothing);
    tcase_add_test(tcase, what_is_not_kept_was_never_there);
    tcase_add_loop_test(tcase, nobody_else_writes_it, 0, COUNT(forgeries));
    tcase_add_test(tcase, nobody_else_sets_or_removes_it);
    tcase_add_test(tcase, it_stays_whatever_else_is_changed);
    tcase_add_test(tcase, it_goes_with_the_whole_session);
    tcase_add_test(tcase, modules_write_it);
    tcase_add_test(tcase, a_session_of_hidden_things_alone_ends_with_them);
    tcase = unit_case(suite, "binding");
    tcase_add_test(tcase, a_binding_gives_a_new_id_and_no_new_age);
    tcase_add_test(tcase, a_session_may_begin_anew_and_stay_bound);
    tcase_add_loop_test(tcase, every_other_new_id_drops_the_binding, 0, 4);
    tcase_add_test(tcase, an_empty_session_is_not_bound);
    return unit_run(suite);
}
