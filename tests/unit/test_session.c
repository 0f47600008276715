/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>

#include "lib/session.h"
#include "tests/unit/unit.h"

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */
#define SECONDS(n) apr_time_from_sec(n)

static const ss_stamp_t stamp = { NOW - 100, NOW - 1000, { 1, 2, 3 }, 7 };

static ss_session_t *loaded(const char *text)
{
    ss_session_t *session;

    ck_assert_int_eq(ss_session_load(&session, exact_of(text), &stamp, pool), APR_SUCCESS);
    return session;
}

static void set(ss_session_t *session, const char *name, const char *value)
{
    ss_session_set(session, ss_bytes_of(name), exact_of(value));
}

static int unset(ss_session_t *session, const char *name)
{
    return ss_session_unset(session, ss_bytes_of(name));
}

static void merge(ss_session_t *session, const char *patch)
{
    ss_session_merge(session, exact_of(patch));
}

static void replace(ss_session_t *session, const char *object)
{
    ss_session_replace(session, exact_of(object));
}

static void assert_text(ss_session_t *session, const char *want, const char *what)
{
    assert_bytes(ss_session_text(session), ss_bytes_of(want), what);
}

static apr_status_t sevens(void *out, apr_size_t len)
{
    memset(out, 7, len);
    return APR_SUCCESS;
}

static apr_status_t no_random(void *out, apr_size_t len)
{
    (void)out;
    (void)len;
    return APR_EGENERAL;
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
    assert_bytes(ss_session_view(session), ss_bytes_of("{}"), "view");
    ck_assert_ptr_null(ss_session_get(session, ss_bytes_of("a")).data);
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
    assert_bytes(ss_session_view(session),
                 ss_bytes_of("{\"b\":1.00,\"a\":[null],\"\\u0062\":2,\"c\":null}"), "view");
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
        assert_bytes(APR_ARRAY_IDX(members, i, ss_json_member_t).value, ss_bytes_of(values[i]),
                     "member");
    }
    assert_bytes(ss_session_get(session, ss_bytes_of("a")), ss_bytes_of("3"), "a");
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

        assert_bytes(ss_session_get(session, name), ss_bytes_of(apr_itoa(pool, i)), name.data);
    }
}
END_TEST

/* One step of a change: the operation, then its arguments. */
typedef struct step_t {
    enum { END, SET, UNSET, UPDATE, MERGE, REPLACE, CLEAR, REVERT } what;
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
        ss_session_update(session, exact_of(step->a));
        break;
    case REPLACE:
        replace(session, step->a);
        break;
    case CLEAR:
        ss_session_clear(session);
        break;
    case REVERT:
        ss_session_revert(session);
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
      "{\"a\":1.0,\"b\":{\"d\":null},\"n\":null}", 1, 2, 1 },
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

    ss_session_merge(session, ss_bytes_of("[1]"));
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

    ck_assert_int_eq(ss_session_next_stamp(&next, session, SECONDS(NOW), sevens), APR_SUCCESS);
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

    ss_session_set(session, ss_bytes_of(name), ss_bytes_of(value));
    ss_session_merge(session, ss_bytes_of(patch));
    memset(name, '!', sizeof(name));
    memset(value, '!', sizeof(value));
    memset(patch, '!', sizeof(patch));
    assert_text(session, "{\"name\":[1],\"a\":{\"b\":1}}", "set and merged");
    assert_bytes(ss_session_get(session, ss_bytes_of("name")), ss_bytes_of("[1]"), "name");

    ss_session_replace(session, ss_bytes_of(object));
    memset(object, '!', sizeof(object));
    assert_text(session, "{\"x\":2}", "replaced");
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *loaded; /* NULL: a new session */
    step_t steps[4];
} reversions[] = {
    { "a set member",               DOCUMENT, AFTER({ SET, "a", "2" }) },
    { "a removed member",           DOCUMENT, AFTER({ UNSET, "a", NULL }) },
    { "another document",           DOCUMENT, AFTER({ REPLACE, "{\"x\":1}", NULL }) },
    { "an end",                     DOCUMENT, AFTER({ CLEAR, NULL, NULL }) },
    { "an end and a new beginning", DOCUMENT, AFTER({ CLEAR, NULL, NULL }, { SET, "x", "1" }) },
    { "nothing",                    DOCUMENT, AFTER({ MERGE, "{}", NULL }) },
    { "twice",                      DOCUMENT, AFTER({ CLEAR, NULL, NULL }, { REVERT, NULL, NULL }) },
    { "a change of a new session",  NULL, AFTER({ SET, "a", "1" }) },
    { "the end of a new session",   NULL, AFTER({ SET, "a", "1" }, { CLEAR, NULL, NULL }) },
    { "a change of an empty one",   "{ }", AFTER({ SET, "a", "1" }) }
};
/* clang-format on */

START_TEST(reverts_to_what_the_cookie_holds)
{
    const char *text = reversions[_i].loaded, *what = reversions[_i].what;
    ss_session_t *session = text != NULL ? loaded(text) : ss_session_create(pool);
    unsigned generation;

    for (const step_t *step = reversions[_i].steps; step->what != END; step++) {
        take(session, step);
    }
    generation = ss_session_generation(session);
    ss_session_revert(session);

    if (text == NULL || strcmp(text, "{ }") == 0) {
        ck_assert_msg(ss_session_is_empty(session), "%s", what);
    }
    else {
        assert_text(session, text, what);
        ck_assert_msg(memcmp(ss_session_stamp(session), &stamp, sizeof(stamp)) == 0, "%s: stamp",
                      what);
    }
    ck_assert_msg(!ss_session_is_changed(session), "%s: changed", what);
    ck_assert_msg(ss_session_generation(session) >= generation, "%s: generation", what);

    /* and life goes on */
    set(session, "new", "1");
    assert_bytes(ss_session_get(session, ss_bytes_of("new")), ss_bytes_of("1"), what);
    ck_assert_msg(ss_session_is_changed(session), "%s: changed again", what);
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

    ck_assert_int_eq(ss_session_next_stamp(&next, copy, SECONDS(NOW), no_random), APR_SUCCESS);
    ck_assert_msg(memcmp(next.id, stamp.id, sizeof(next.id)) == 0, "it is the same session");
    ss_session_revert(copy);
    assert_text(copy, DOCUMENT, "the copy, reverted");
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
static ss_bytes_t deep(int levels)
{
    char *text = apr_palloc(pool, 2 * levels);

    memset(text, '[', levels);
    memset(text + levels, ']', levels);
    return exact(text, 2 * levels);
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

    assert_bytes(ss_session_view(session), ss_bytes_of("{\"a\":null}"), "loaded");
    set(session, "b", "1");
    assert_bytes(ss_session_view(session), ss_bytes_of("{\"a\":null,\"b\":1}"), "set");
    assert_text(session, "{\"a\":NaN,\"b\":1}", "what is sealed keeps NaN");
    ss_session_clear(session);
    assert_bytes(ss_session_view(session), ss_bytes_of("{}"), "cleared");
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    apr_int64_t renewed, created; /* seconds before now; AT_NO_TIME: SS_NO_TIME */
    apr_int64_t idle, absolute;   /* seconds, or SS_FOREVER */
    ss_state_e state;
} ages[] = {
#define AT_NO_TIME APR_INT64_MIN
    { "fresh",                           0,   0,          60,         600,        SS_VALID },
    { "as old as the idle timeout",      60,  60,         60,         600,        SS_VALID },
    { "a second older",                  61,  61,         60,         600,        SS_EXPIRED_IDLE },
    { "as old as the absolute timeout",  0,   600,        60,         600,        SS_VALID },
    { "older than the absolute timeout", 0,   601,        60,         600,        SS_EXPIRED_ABSOLUTE },
    { "older than both",                 700, 700,        60,         600,        SS_EXPIRED_IDLE },
    { "without timeouts",                999, 999,        SS_FOREVER, SS_FOREVER, SS_VALID },
    { "without idle timeout",            700, 700,        SS_FOREVER, 600,        SS_EXPIRED_ABSOLUTE },
    { "without creation time",           60,  AT_NO_TIME, 60,         600,        SS_VALID },
    { "without any time",                AT_NO_TIME, AT_NO_TIME, 1,   1,          SS_VALID },
    { "ahead by the skew",               -30, -30,        60,         600,        SS_VALID },
    { "ahead by more",                   -31, 0,          60,         600,        SS_FROM_FUTURE },
    { "created ahead by more",           0,   -31,        60,         600,        SS_FROM_FUTURE },
    { "created ahead, renewed too long ago", 99, -31,     60,         600,        SS_FROM_FUTURE },
    { "ahead, without timeouts",         -31, 0,          SS_FOREVER, SS_FOREVER, SS_FROM_FUTURE }
};
/* clang-format on */

static apr_int64_t at(apr_int64_t age)
{
    return age == AT_NO_TIME ? SS_NO_TIME : NOW - age;
}

static apr_interval_time_t span(apr_int64_t seconds)
{
    return seconds == SS_FOREVER ? SS_FOREVER : SECONDS(seconds);
}

START_TEST(judges_ages)
{
    ss_stamp_t old = { at(ages[_i].renewed), at(ages[_i].created), { 0 }, 0 };
    ss_lifetime_t lifetime = {
        span(ages[_i].idle), span(ages[_i].absolute), SECONDS(30), { SS_RENEW_NEVER, 0, 0 }, 1
    };

    ck_assert_msg(ss_session_judge(&old, &lifetime, SECONDS(NOW)) == ages[_i].state, "%s",
                  ages[_i].what);
    /* parts of a second do not count */
    ck_assert_msg(ss_session_judge(&old, &lifetime, SECONDS(NOW) + 999999) == ages[_i].state,
                  "%s, late in the second", ages[_i].what);
}
END_TEST

START_TEST(judges_extreme_stamps)
{
    static const ss_lifetime_t lifetime = {
        SECONDS(60), SECONDS(600), SECONDS(30), { SS_RENEW_NEVER, 0, 0 }, 1
    };
    ss_stamp_t last = { APR_INT64_MAX, APR_INT64_MAX, { 0 }, 0 }, first = { 0, 0, { 0 }, 0 };

    ck_assert_int_eq(ss_session_judge(&last, &lifetime, SECONDS(NOW)), SS_FROM_FUTURE);
    ck_assert_int_eq(ss_session_judge(&first, &lifetime, SECONDS(NOW)), SS_EXPIRED_IDLE);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    apr_int64_t age; /* of the stamp, in seconds */
    apr_int64_t idle;
    ss_renew_t renew;
    int due;
} renewals[] = {
    { "always, at once",                  0,          1000,       { SS_RENEW_ALWAYS, 0, 0 },            1 },
    { "always, without a time",           AT_NO_TIME, 1000,       { SS_RENEW_ALWAYS, 0, 0 },            1 },
    { "never, however old",               999,        1000,       { SS_RENEW_NEVER, 0, 0 },             0 },
    { "before a tenth has passed",        99,         1000,       { SS_RENEW_PERCENT, 10, 0 },          0 },
    { "after a tenth has passed",         100,        1000,       { SS_RENEW_PERCENT, 10, 0 },          1 },
    { "a tenth of an odd timeout, early", 1,          15,         { SS_RENEW_PERCENT, 10, 0 },          0 },
    { "a tenth of an odd timeout",        2,          15,         { SS_RENEW_PERCENT, 10, 0 },          1 },
    { "no percent",                       0,          1000,       { SS_RENEW_PERCENT, 0, 0 },           1 },
    { "no percent, from a fast clock",    -5,         1000,       { SS_RENEW_PERCENT, 0, 0 },           0 },
    { "all of it, a second early",        999,        1000,       { SS_RENEW_PERCENT, 100, 0 },         0 },
    { "all of it",                        1000,       1000,       { SS_RENEW_PERCENT, 100, 0 },         1 },
    { "a percentage of forever",          9999,       SS_FOREVER, { SS_RENEW_PERCENT, 0, 0 },           0 },
    { "a percentage without a time",      AT_NO_TIME, 1000,       { SS_RENEW_PERCENT, 0, 0 },           0 },
    { "before the duration",              59,         1000,       { SS_RENEW_AFTER, 0, SECONDS(60) },   0 },
    { "after the duration",               60,         SS_FOREVER, { SS_RENEW_AFTER, 0, SECONDS(60) },   1 },
    { "a duration without a time",        AT_NO_TIME, 1000,       { SS_RENEW_AFTER, 0, SECONDS(60) },   0 }
};
/* clang-format on */

START_TEST(renews_in_time)
{
    ss_stamp_t old = { at(renewals[_i].age), SS_NO_TIME, { 0 }, 1 };
    ss_lifetime_t lifetime = { span(renewals[_i].idle), SS_FOREVER, 0, renewals[_i].renew, 1 };
    ss_session_t *session;

    ck_assert_int_eq(ss_session_load(&session, exact_of("{\"a\":1}"), &old, pool), APR_SUCCESS);
    ck_assert_msg(ss_session_is_due(session, &lifetime, SECONDS(NOW)) == renewals[_i].due, "%s",
                  renewals[_i].what);
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

/* clang-format off */
static const struct {
    const char *what;
    ss_stamp_t from;
    int change;
    ss_stamp_t to;
} stamps[] = {
    { "a renewal",                     { 5, 4, { 9 }, 3 }, 0, { NOW, 4, { 9 }, 3 } },
    { "a change",                      { 5, 4, { 9 }, 3 }, 1, { NOW, 4, { 9 }, 4 } },
    { "a change at the maximum",       { 5, 4, { 9 }, APR_UINT32_MAX }, 1, { NOW, 4, { 9 }, APR_UINT32_MAX } },
    { "a change just below",           { 5, 4, { 9 }, APR_UINT32_MAX - 1 }, 1, { NOW, 4, { 9 }, APR_UINT32_MAX } },
    { "a format without creation",     { 5, SS_NO_TIME, { 0 }, 0 }, 1,
      { NOW, 5, { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 }, 1 } },
    { "a format with creation, no id", { 5, 4, { 0 }, 0 }, 0,
      { NOW, 4, { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 }, 1 } },
    { "a format without any time",     { SS_NO_TIME, SS_NO_TIME, { 0 }, 0 }, 0,
      { NOW, NOW, { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 }, 1 } }
};
/* clang-format on */

START_TEST(stamps_the_next_cookie)
{
    const ss_stamp_t *want = &stamps[_i].to;
    const char *what = stamps[_i].what;
    ss_session_t *session;
    ss_stamp_t next;

    ck_assert_int_eq(ss_session_load(&session, exact_of("{\"a\":1}"), &stamps[_i].from, pool),
                     APR_SUCCESS);
    if (stamps[_i].change) {
        set(session, "a", "2");
    }

    ck_assert_int_eq(ss_session_next_stamp(&next, session, SECONDS(NOW) + 999999, sevens),
                     APR_SUCCESS);
    ck_assert_msg(next.renewed == want->renewed, "%s: renewed", what);
    ck_assert_msg(next.created == want->created, "%s: created", what);
    ck_assert_msg(next.counter == want->counter, "%s: counter", what);
    ck_assert_msg(memcmp(next.id, want->id, sizeof(want->id)) == 0, "%s: id", what);
}
END_TEST

START_TEST(needs_random_only_for_a_new_id)
{
    ss_session_t *session = loaded("{\"a\":1}");
    ss_stamp_t next;

    ck_assert_int_eq(ss_session_next_stamp(&next, session, SECONDS(NOW), no_random), APR_SUCCESS);
    ss_session_clear(session);
    ck_assert_int_eq(ss_session_next_stamp(&next, session, SECONDS(NOW), no_random), APR_EGENERAL);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what;
    apr_int64_t renewed, created; /* seconds before now */
    apr_int64_t idle, absolute;
    apr_int64_t expires, absolute_expires;
} lifetimes[] = {
    { "just sealed",                     0,          0,          60,         600,        60, 600 },
    { "less left of the absolute one",   0,          590,        60,         600,        10, 10 },
    { "the last second",                 0,          600,        60,         600,        0,  0 },
    { "over",                            99,         700,        60,         600,        0,  0 },
    { "sealed a while ago",              20,         20,         60,         600,        40, 580 },
    { "no absolute timeout",             0,          590,        60,         SS_FOREVER, 60, -1 },
    { "no creation time",                0,          AT_NO_TIME, 60,         600,        60, -1 },
    { "no idle timeout",                 0,          0,          SS_FOREVER, 600,        600, 600 },
    { "no timeout",                      0,          0,          SS_FOREVER, SS_FOREVER, -1, -1 },
    { "no time at all",                  AT_NO_TIME, AT_NO_TIME, 60,         600,        60, -1 },
    { "a fast clock lengthens nothing",  -20,        -20,        60,         600,        60, 600 }
};
/* clang-format on */

START_TEST(says_how_long_it_lives)
{
    ss_stamp_t sealed = { at(lifetimes[_i].renewed), at(lifetimes[_i].created), { 0 }, 1 };
    ss_lifetime_t lifetime = { span(lifetimes[_i].idle),
                               span(lifetimes[_i].absolute),
                               SECONDS(30),
                               { SS_RENEW_NEVER, 0, 0 },
                               1 };
    apr_int64_t expires = ss_session_expires_in(&sealed, &lifetime, SECONDS(NOW));
    apr_int64_t absolute = ss_session_absolute_expires_in(&sealed, &lifetime, SECONDS(NOW));

    ck_assert_msg(expires == lifetimes[_i].expires, "%s: %d", lifetimes[_i].what, (int)expires);
    ck_assert_msg(absolute == lifetimes[_i].absolute_expires, "%s: absolute %d", lifetimes[_i].what,
                  (int)absolute);
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
    tcase_add_loop_test(tcase, reverts_to_what_the_cookie_holds, 0, COUNT(reversions));
    tcase_add_test(tcase, says_what_unset_found);
    tcase_add_test(tcase, the_view_follows_the_document);

    tcase = unit_case(suite, "life");
    tcase_add_loop_test(tcase, judges_ages, 0, COUNT(ages));
    tcase_add_test(tcase, judges_extreme_stamps);
    tcase_add_loop_test(tcase, renews_in_time, 0, COUNT(renewals));
    tcase_add_test(tcase, renews_only_what_a_cookie_holds);
    tcase_add_loop_test(tcase, stamps_the_next_cookie, 0, COUNT(stamps));
    tcase_add_test(tcase, needs_random_only_for_a_new_id);
    tcase_add_loop_test(tcase, says_how_long_it_lives, 0, COUNT(lifetimes));

    return unit_run(suite);
}
