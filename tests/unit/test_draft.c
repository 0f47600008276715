/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/draft.h"
#include "tests/unit/values.h"

static const ss_stamp_t stamp = { 1767225600, 1767225600, { 1, 2, 3 }, 7, { 0 } };

#define DOCUMENT "{ \"a\": 1.0, \"b\": {\"c\": [1, 2]} }"

/* `text` is NULL for a session that no cookie holds. */
static ss_session_t *session_of(const char *text)
{
    ss_session_t *session;

    if (text == NULL) {
        return ss_session_create(pool);
    }
    ck_assert_int_eq(ss_session_load(&session, exact_of(text), &stamp, pool), APR_SUCCESS);
    ss_session_reserve(session, 1);
    return session;
}

static ss_draft_t *draft_of(const char *text)
{
    return ss_draft_create(session_of(text), ss_bytes_of("user"), pool);
}

static void assert_text(const ss_draft_t *draft, const char *want, const char *what)
{
    assert_bytes(ss_session_text(ss_draft_session(draft)), ss_bytes_of(want), what);
}

/** One step of a story. */
typedef struct step_t {
    enum {
        STOP,
        SET,
        UNSET,
        MERGE,
        REPLACE,
        FINISH,
        LOGIN,
        ALONE,
        HIDE,
        ANEW,
        MARK,
        RETURN,
        REVERT,
        ADOPT
    } verb;
    const char *a, *b;
} step_t;

static int change(ss_draft_t *draft, ss_change_e kind, const char *name, const char *value)
{
    const ss_change_t made = { kind, name == NULL ? ss_absent : exact_of(name),
                               value_or_none(value) };

    return ss_draft_make(draft, &made);
}

/* Up to two names. */
static const apr_array_header_t *names_of(const step_t *step)
{
    apr_array_header_t *names = apr_array_make(pool, 2, sizeof(const char *));

    if (step->a == NULL && step->b == NULL) {
        return NULL;
    }
    if (step->a != NULL) {
        APR_ARRAY_PUSH(names, const char *) = step->a;
    }
    if (step->b != NULL) {
        APR_ARRAY_PUSH(names, const char *) = step->b;
    }
    return names;
}

static void take(ss_draft_t *draft, ss_draft_mark_t *mark, const step_t *step)
{
    switch (step->verb) {
    case SET:
        ck_assert(change(draft, SS_CHANGE_SET, step->a, step->b));
        break;
    case UNSET:
        ck_assert(change(draft, SS_CHANGE_UNSET, step->a, NULL));
        break;
    case MERGE:
        ck_assert(change(draft, SS_CHANGE_MERGE, NULL, step->a));
        break;
    case REPLACE:
        ck_assert(change(draft, SS_CHANGE_REPLACE, NULL, step->a));
        break;
    case FINISH:
        ck_assert(ss_draft_make(draft, &ss_change_end));
        break;
    case LOGIN:
        ck_assert(ss_draft_make(draft, &ss_change_login));
        break;
    case ALONE:
        ck_assert(ss_draft_make(draft, &ss_change_alone));
        break;
    case HIDE:
        ck_assert(change(draft, SS_CHANGE_HIDE, NULL, step->a));
        break;
    case ANEW:
        ss_draft_begin_anew(draft, names_of(step));
        break;
    case MARK:
        *mark = ss_draft_mark(draft);
        break;
    case RETURN:
        ss_draft_return(draft, *mark);
        break;
    case REVERT:
        ss_draft_revert(draft);
        break;
    case ADOPT:
        ss_draft_adopt(draft, session_of(step->a));
        break;
    case STOP:
        break;
    }
}

static void tell(ss_draft_t *draft, const step_t *steps)
{
    ss_draft_mark_t mark = ss_draft_mark(draft);

    for (; steps->verb != STOP; steps++) {
        take(draft, &mark, steps);
    }
}

/* clang-format off */
static const struct {
    const char *what, *from;
    step_t steps[7];
    const char *to;
} stories[] = {
    { "changes are made in order", DOCUMENT,
      { { SET, "a", "2" }, { MERGE, "{\"a\":3,\"n\":{\"x\":1}}", 0 }, { UNSET, "b", 0 } },
      "{\"a\":3,\"n\":{\"x\":1}}" },
    { "what was made since a mark is taken back", "{\"a\":1}",
      { { SET, "b", "2" }, { MARK, 0, 0 }, { SET, "c", "3" }, { UNSET, "a", 0 }, { RETURN, 0, 0 } },
      "{\"a\":1,\"b\":2}" },
    { "twice to the same mark", "{\"a\":1}",
      { { MARK, 0, 0 }, { SET, "c", "3" }, { RETURN, 0, 0 }, { SET, "d", "4" }, { RETURN, 0, 0 } },
      "{\"a\":1}" },
    { "a mark does not bring back what was reverted since", "{\"a\":1}",
      { { SET, "b", "2" }, { MARK, 0, 0 }, { REVERT, 0, 0 }, { RETURN, 0, 0 } },
      "{\"a\":1}" },
    { "anew: only what was changed is left", "{\"a\":1,\"b\":2}",
      { { SET, "c", "3" }, { ANEW, 0, 0 }, { SET, "d", "4" } },
      "{\"c\":3,\"d\":4}" },
    { "somebody else has nothing of what modules kept", "{\"user\":\"a\",\"mod_session\":{\"x\":\"y\"}}",
      { { SET, "user", "\"b\"" } },
      "{\"user\":\"b\"}" },
    { "nor does a new beginning, whatever stays", "{\"a\":1,\"mod_session\":{\"x\":\"y\"}}",
      { { ANEW, "a", "mod_session" } },
      "{\"a\":1}" },
    { "what modules keep now is there again", "{\"user\":\"a\",\"mod_session\":{\"x\":\"y\"}}",
      { { HIDE, "{\"x\":\"z\"}", 0 }, { SET, "user", "\"b\"" } },
      "{\"user\":\"b\",\"mod_session\":{\"x\":\"z\"}}" },
    { "a new beginning is taken back, too", "{\"a\":1}",
      { { SET, "c", "3" }, { MARK, 0, 0 }, { ANEW, 0, 0 }, { RETURN, 0, 0 } },
      "{\"a\":1,\"c\":3}" },
    { "what an application wrote gets the changes", "{\"user\":\"alice\",\"old\":1}",
      { { SET, "rule", "1" }, { ADOPT, "{\"user\":\"bob\"}", 0 } },
      "{\"user\":\"bob\",\"rule\":1}" },
    { "and is what is returned to", "{\"user\":\"alice\"}",
      { { MARK, 0, 0 }, { SET, "rule", "1" }, { ADOPT, "{\"user\":\"bob\"}", 0 }, { RETURN, 0, 0 }, { SET, "rule", "2" } },
      "{\"user\":\"bob\",\"rule\":2}" },
    { "and what a revert leaves", "{\"user\":\"alice\"}",
      { { SET, "rule", "1" }, { ADOPT, "{\"user\":\"bob\"}", 0 }, { REVERT, 0, 0 } },
      "{\"user\":\"bob\"}" },
    { "a new beginning does not drop it", "{\"user\":\"alice\",\"old\":1}",
      { { ANEW, 0, 0 }, { SET, "rule", "1" }, { ADOPT, "{\"user\":\"bob\"}", 0 } },
      "{\"user\":\"bob\",\"rule\":1}" },
    { "nor one that comes later", "{\"user\":\"alice\",\"old\":1}",
      { { ADOPT, "{\"user\":\"bob\"}", 0 }, { ANEW, 0, 0 }, { SET, "rule", "1" } },
      "{\"user\":\"bob\",\"rule\":1}" },
    { "an end that was asked for comes after what it wrote", "{\"user\":\"alice\"}",
      { { FINISH, 0, 0 }, { ADOPT, "{\"user\":\"bob\"}", 0 } },
      "{}" },
    { "the later of two that it wrote counts", "{\"user\":\"alice\"}",
      { { SET, "rule", "1" }, { ADOPT, "{\"n\":1}", 0 }, { ADOPT, "{\"n\":2}", 0 } },
      "{\"n\":2,\"rule\":1}" },
    { "anew, but for some keys", "{\"a\":1.0,\"b\":2,\"c\":3}",
      { { ANEW, "c", "a" }, { SET, "d", "4" } },
      "{\"a\":1.0,\"c\":3,\"d\":4}" },
    { "a login leaves the document", DOCUMENT,
      { { LOGIN, 0, 0 } },
      "{\"a\":1.0,\"b\":{\"c\": [1, 2]}}" },
    { "nobody becomes somebody", "{\"cart\":1}",
      { { SET, "user", "\"bob\"" }, { SET, "n", "1" } },
      "{\"cart\":1,\"user\":\"bob\",\"n\":1}" },
    { "somebody becomes somebody else", "{\"user\":\"alice\",\"cart\":1}",
      { { SET, "n", "1" }, { SET, "user", "\"bob\"" }, { SET, "m", "2" } },
      "{\"n\":1,\"user\":\"bob\",\"m\":2}" },
    { "also by a patch that does not name the rest", "{\"user\":\"alice\",\"cart\":{\"x\":1}}",
      { { MERGE, "{\"user\":\"bob\",\"cart\":{\"y\":2}}", 0 } },
      "{\"user\":\"bob\",\"cart\":{\"y\":2}}" },
    { "also anew with keys that stay", "{\"user\":\"alice\",\"cart\":1}",
      { { ANEW, "cart", "user" }, { SET, "user", "\"bob\"" } },
      "{\"user\":\"bob\"}" },
    { "somebody becomes himself again", "{\"user\":\"alice\",\"cart\":1}",
      { { SET, "user", "\"bob\"" }, { SET, "n", "1" }, { SET, "user", "\"alice\"" } },
      "{\"user\":\"alice\",\"cart\":1,\"n\":1}" },
    { "somebody becomes nobody", "{\"user\":\"alice\",\"cart\":1}",
      { { UNSET, "user", 0 } },
      "{\"cart\":1}" },
    { "an empty name and a list name nobody", "{\"user\":\"\",\"cart\":1}",
      { { SET, "user", "[\"bob\"]" }, { SET, "user", "\"alice\"" } },
      "{\"user\":\"alice\",\"cart\":1}" },
    { "what makes him another one is taken back", "{\"user\":\"alice\",\"cart\":1}",
      { { MARK, 0, 0 }, { SET, "user", "\"bob\"" }, { RETURN, 0, 0 } },
      "{\"user\":\"alice\",\"cart\":1}" },
    { "what an application wrote stays, whoever it becomes", "{\"user\":\"alice\",\"old\":1}",
      { { SET, "user", "\"carol\"" }, { ADOPT, "{\"user\":\"bob\",\"n\":1}", 0 } },
      "{\"user\":\"carol\",\"n\":1}" },
    { "a mark brings back neither changes nor a beginning", "{\"a\":1}",
      { { SET, "b", "2" }, { ANEW, 0, 0 }, { MARK, 0, 0 }, { REVERT, 0, 0 }, { ANEW, "a", 0 }, { RETURN, 0, 0 } },
      "{\"a\":1}" },
    { "after an end a new session begins", "{\"a\":1}",
      { { FINISH, 0, 0 }, { SET, "b", "2" } },
      "{\"b\":2}" },
};
/* clang-format on */

START_TEST(ends_as_it_should)
{
    ss_draft_t *draft = draft_of(stories[_i].from);

    tell(draft, stories[_i].steps);
    assert_text(draft, stories[_i].to, stories[_i].what);
}
END_TEST

START_TEST(each_step_of_a_session_that_may_have_changed_is_another_version)
{
    const step_t *step = stories[_i].steps;
    ss_draft_t *draft = draft_of(stories[_i].from);
    ss_draft_mark_t mark = ss_draft_mark(draft);

    for (; step->verb != STOP; step++) {
        unsigned before = ss_draft_version(draft);
        const char *text = apr_pstrmemdup(pool, ss_session_text(ss_draft_session(draft)).data,
                                          ss_session_text(ss_draft_session(draft)).len);

        take(draft, &mark, step);
        ck_assert_msg(
            ss_draft_version(draft) > before ||
                ss_bytes_equal(ss_session_text(ss_draft_session(draft)), ss_bytes_of(text)),
            "%s", stories[_i].what);
        ck_assert_uint_ge(ss_draft_version(draft), before);
        ck_assert_uint_le(ss_draft_changed_at(draft), ss_draft_version(draft));
    }
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *from;
    step_t steps[4];
} reversions[] = {
    { "a set member",               DOCUMENT, { { SET, "a", "2" } } },
    { "a removed member",           DOCUMENT, { { UNSET, "a", 0 } } },
    { "another document",           DOCUMENT, { { REPLACE, "{\"x\":1}", 0 } } },
    { "an end",                     DOCUMENT, { { FINISH, 0, 0 } } },
    { "an end and a new beginning", DOCUMENT, { { FINISH, 0, 0 }, { SET, "x", "1" } } },
    { "begun anew",                 DOCUMENT, { { ANEW, 0, 0 }, { SET, "x", "1" } } },
    { "nothing",                    DOCUMENT, { { MERGE, "{}", 0 } } },
    { "twice",                      DOCUMENT, { { FINISH, 0, 0 }, { REVERT, 0, 0 } } },
    { "a change of a new session",  NULL,     { { SET, "a", "1" } } },
    { "the end of a new session",   NULL,     { { SET, "a", "1" }, { FINISH, 0, 0 } } },
    { "a change of an empty one",   "{ }",    { { SET, "a", "1" } } },
};
/* clang-format on */

START_TEST(reverts_to_what_the_cookie_holds)
{
    const char *text = reversions[_i].from, *what = reversions[_i].what;
    ss_draft_t *draft = draft_of(text);

    tell(draft, reversions[_i].steps);
    ss_draft_revert(draft);
    if (text == NULL || strcmp(text, "{ }") == 0) {
        ck_assert_msg(ss_session_is_empty(ss_draft_session(draft)), "%s", what);
    }
    else {
        assert_text(draft, text, what);
        ck_assert_msg(memcmp(ss_session_stamp(ss_draft_session(draft)), &stamp, sizeof(stamp)) == 0,
                      "%s: stamp", what);
    }
    ck_assert_msg(!ss_session_is_changed(ss_draft_session(draft)), "%s: changed", what);
    ck_assert_msg(!ss_draft_has_changes(draft) && !ss_draft_has_ended(draft), "%s: pending", what);

    /* and life goes on */
    ck_assert(change(draft, SS_CHANGE_SET, "new", "1"));
    ck_assert_msg(ss_session_is_changed(ss_draft_session(draft)), "%s: changed again", what);
}
END_TEST

START_TEST(what_is_not_possible_is_not_remembered)
{
    ss_draft_t *draft = draft_of("{\"a\":1}");

    ck_assert(!change(draft, SS_CHANGE_SET, "\xff", "1"));
    ck_assert(!ss_draft_has_changes(draft));
    ck_assert_uint_eq(ss_draft_version(draft), 0);
}
END_TEST

START_TEST(a_change_outlives_its_memory)
{
    apr_pool_t *own = pool, *passing;
    ss_draft_t *draft = draft_of("{\"a\":1}");

    apr_pool_create(&passing, own);
    pool = passing;
    ck_assert(change(draft, SS_CHANGE_SET, "b", "2"));
    apr_pool_destroy(passing);
    pool = own;
    ss_draft_adopt(draft, session_of("{\"c\":3}"));
    assert_text(draft, "{\"c\":3,\"b\":2}", "made again");
}
END_TEST

/* Whoever has written the session asks whether it was changed since. */
START_TEST(only_what_made_a_difference_counts_as_a_change)
{
    ss_draft_t *draft = draft_of("{\"a\":1}");
    ss_draft_mark_t mark = ss_draft_mark(draft);
    unsigned written;

    ck_assert(change(draft, SS_CHANGE_SET, "rule", "1"));
    written = ss_draft_version(draft);

    ss_draft_return(draft, mark);
    ck_assert_uint_gt(ss_draft_version(draft), written);
    ck_assert_uint_le(ss_draft_changed_at(draft), written);

    ck_assert(change(draft, SS_CHANGE_SET, "a", "1"));
    ck_assert_uint_le(ss_draft_changed_at(draft), written);

    ck_assert(change(draft, SS_CHANGE_SET, "late", "1"));
    ck_assert_uint_gt(ss_draft_changed_at(draft), written);
}
END_TEST

/* clang-format off */
static const struct {
    const char *what, *from;
    step_t steps[4];
    int is_new; /* is the session that is left a new one? */
} identities[] = {
    { "a change",                      "{\"cart\":1}", { { SET, "n", "1" } }, 0 },
    { "nobody becomes somebody",       "{\"cart\":1}", { { SET, "user", "\"bob\"" } }, 1 },
    { "and is nobody again",           "{\"cart\":1}", { { SET, "user", "\"bob\"" }, { UNSET, "user", 0 } }, 0 },
    { "somebody becomes nobody",       "{\"user\":\"a\",\"n\":1}", { { UNSET, "user", 0 } }, 1 },
    { "a list is nobody",              "{\"user\":\"a\",\"n\":1}", { { SET, "user", "[]" } }, 1 },
    { "somebody becomes another",      "{\"user\":\"a\"}", { { SET, "user", "\"b\"" } }, 1 },
    { "and himself again",             "{\"user\":\"a\"}", { { SET, "user", "\"b\"" }, { SET, "user", "\"a\"" } }, 0 },
    { "the same by another spelling",  "{\"user\":\"a\"}", { { SET, "user", "\"\\u0061\"" } }, 0 },
    { "the same",                      "{\"user\":\"a\"}", { { SET, "user", "\"a\"" } }, 0 },
    { "a login of the same",           "{\"user\":\"a\"}", { { LOGIN, 0, 0 } }, 1 },
    { "which is taken back",           "{\"user\":\"a\"}", { { MARK, 0, 0 }, { LOGIN, 0, 0 }, { RETURN, 0, 0 } }, 0 },
    { "a module logs somebody in",     "{\"cart\":1}", { { HIDE, "{\"x\":\"y\"}", 0 } }, 1 },
    { "and out again",                 "{\"cart\":1}", { { HIDE, "{\"x\":\"y\"}", 0 }, { HIDE, NULL, 0 } }, 0 },
    { "a module logs somebody out",    "{\"n\":1,\"mod_session\":{\"x\":\"y\"}}", { { HIDE, NULL, 0 } }, 1 },
    { "a module changes its entries",  "{\"n\":1,\"mod_session\":{\"x\":\"y\"}}", { { HIDE, "{\"x\":\"z\"}", 0 } }, 0 },
    { "with a key that stays",         "{\"user\":\"a\",\"n\":1}", { { ANEW, "n", "user" } }, 1 },
};
/* clang-format on */

START_TEST(a_subject_has_a_session_of_its_own)
{
    const ss_stamp_t *got;
    ss_draft_t *draft = draft_of(identities[_i].from);
    ss_session_t *session;

    tell(draft, identities[_i].steps);
    session = ss_draft_session(draft);
    got = ss_session_stamp(session);
    ck_assert_msg((got->counter == 0) == identities[_i].is_new, "%s", identities[_i].what);
    ck_assert_msg(ss_session_created(session, apr_time_from_sec(2000000000)) ==
                      (identities[_i].is_new ? 2000000000 : stamp.created),
                  "%s", identities[_i].what);
    ck_assert_msg(!identities[_i].is_new || ss_session_is_changed(session), "%s",
                  identities[_i].what);
}
END_TEST

/* Of a bound session: does it stay bound, under its id? */
/* clang-format off */
static const struct {
    const char *what;
    step_t steps[5];
    int stays;
} bindings[] = {
    { "nothing happens",              { { SET, "n", "1" } }, 1 },
    { "the others are over",          { { ALONE, 0, 0 } }, 1 },
    { "anew with its subject",        { { ANEW, "user", 0 } }, 1 },
    { "anew and set again",           { { ANEW, "cart", 0 }, { SET, "user", "\"a\"" } }, 1 },
    { "both",                         { { ANEW, "user", 0 }, { ALONE, 0, 0 } }, 1 },
    { "anew, and other changes",      { { ANEW, "user", 0 }, { SET, "n", "1" }, { UNSET, "cart", 0 } }, 1 },
    { "a login",                      { { LOGIN, 0, 0 } }, 0 },
    { "a login of the same subject",  { { ANEW, "cart", 0 }, { SET, "user", "\"a\"" }, { LOGIN, 0, 0 } }, 0 },
    { "and the others are over",      { { ANEW, "user", 0 }, { LOGIN, 0, 0 }, { ALONE, 0, 0 } }, 0 },
    { "a login is made again",        { { LOGIN, 0, 0 }, { ANEW, "user", 0 } }, 0 },
    { "a login is taken back",        { { ANEW, "user", 0 }, { MARK, 0, 0 }, { LOGIN, 0, 0 }, { RETURN, 0, 0 } }, 1 },
    { "another subject",              { { SET, "user", "\"b\"" } }, 0 },
    { "anew with another subject",    { { ANEW, "user", 0 }, { SET, "user", "\"b\"" } }, 0 },
    { "nobody is left",               { { ANEW, "cart", 0 } }, 0 },
    { "its subject is taken out",     { { UNSET, "user", 0 } }, 0 },
    { "it ends, and another begins",  { { FINISH, 0, 0 }, { SET, "user", "\"a\"" } }, 0 },
};
/* clang-format on */

START_TEST(only_a_login_drops_a_binding)
{
    const char *what = bindings[_i].what;
    ss_stamp_t bound = stamp;
    const ss_stamp_t *got;
    ss_session_t *session;
    ss_draft_t *draft;

    bound.point[0] = 2;
    ck_assert_int_eq(
        ss_session_load(&session, exact_of("{\"user\":\"a\",\"cart\":1}"), &bound, pool),
        APR_SUCCESS);
    draft = ss_draft_create(session, ss_bytes_of("user"), pool);
    tell(draft, bindings[_i].steps);
    got = ss_session_stamp(ss_draft_session(draft));
    ck_assert_msg(ss_stamp_is_bound(got) == bindings[_i].stays, "%s", what);
    ck_assert_msg((memcmp(got->id, bound.id, sizeof(bound.id)) == 0) == bindings[_i].stays, "%s",
                  what);
}
END_TEST

/* A refused cookie goes, although there is no session in it to end. */
START_TEST(an_end_of_nothing_is_an_end)
{
    ss_draft_t *draft = draft_of(NULL);

    ck_assert(!ss_draft_has_ended(draft));
    ck_assert(ss_draft_make(draft, &ss_change_end));
    ck_assert(ss_draft_has_ended(draft) && ss_draft_was_ended(draft));
    ck_assert_uint_gt(ss_draft_version(draft), 0);
}
END_TEST

START_TEST(to_begin_anew_is_no_change_that_ends)
{
    ss_draft_t *draft = draft_of(DOCUMENT);

    ss_draft_begin_anew(draft, NULL);
    ck_assert(ss_draft_has_ended(draft) && !ss_draft_was_ended(draft));
}
END_TEST

START_TEST(nothing_is_copied_until_something_changes)
{
    ss_session_t *session = session_of(DOCUMENT);
    ss_draft_t *draft = ss_draft_create(session, ss_absent, pool);

    ck_assert_ptr_eq(ss_draft_session(draft), session);
    ck_assert(change(draft, SS_CHANGE_SET, "a", "2"));
    ck_assert_ptr_ne(ss_draft_session(draft), session);
    ck_assert(!ss_session_is_changed(session));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("draft");
    TCase *tcase = unit_case(suite, "draft");

    tcase_add_loop_test(tcase, ends_as_it_should, 0, COUNT(stories));
    tcase_add_loop_test(tcase, each_step_of_a_session_that_may_have_changed_is_another_version, 0,
                        COUNT(stories));
    tcase_add_loop_test(tcase, reverts_to_what_the_cookie_holds, 0, COUNT(reversions));
    tcase_add_test(tcase, what_is_not_possible_is_not_remembered);
    tcase_add_test(tcase, a_change_outlives_its_memory);
    tcase_add_test(tcase, only_what_made_a_difference_counts_as_a_change);
    tcase_add_loop_test(tcase, a_subject_has_a_session_of_its_own, 0, COUNT(identities));
    tcase_add_loop_test(tcase, only_a_login_drops_a_binding, 0, COUNT(bindings));
    tcase_add_test(tcase, an_end_of_nothing_is_an_end);
    tcase_add_test(tcase, to_begin_anew_is_no_change_that_ends);
    tcase_add_test(tcase, nothing_is_copied_until_something_changes);
    return unit_run(suite);
}
