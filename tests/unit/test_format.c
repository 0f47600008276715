/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/formats.h"

/* What holds for every format. What only native cookies do is in test_format_native.c, what takes
 * two cookies in test_companion.c, which of several cookies counts in test_candidates.c; vectors
 * are in test_vectors.c, migrations in test_migration.c. */

START_TEST(what_is_sealed_opens)
{
    const ss_sealing_t how = one(FORMAT);
    const char *json = "{\"user\":\"Zo\xc3\xab\",\"n\":[1,2.50,null,{\"\":true}]}";
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, seal_text(json, &how, NOW), &how, NOW), SS_VALID);
    /* not byte for byte: Django's documents are ASCII */
    ck_assert_msg(ss_json_equal(ss_session_json(session), value_of(json), pool), "%s", FORMAT);
    ck_assert_int_eq(ss_session_stamp(session)->renewed,
                     HAS_TRAIT(SS_FORMAT_TIMED) ? apr_time_sec(NOW) - back_of(ss_formats[_i])
                                                : SS_NO_TIME);
}
END_TEST

START_TEST(every_bit_of_a_cookie_counts)
{
    const ss_sealing_t how = one(FORMAT);
    ss_sealed_t cookie = seal_text("{\"role\":\"admin\"}", &how, NOW);

    flip_bits(&cookie, &cookie.value, &how);
    flip_bits(&cookie, &cookie.companion, &how);
}
END_TEST

START_TEST(a_shorter_or_longer_cookie_is_refused)
{
    const ss_sealing_t how = one(FORMAT);
    ss_sealed_t cookie = seal_text("{\"role\":\"admin\"}", &how, NOW);

    stretch(&cookie, &cookie.value, &how);
    stretch(&cookie, &cookie.companion, &how);
}
END_TEST

START_TEST(an_old_secret_still_opens_and_says_which)
{
    const ss_sealing_t old = one(FORMAT);
    const ss_sealing_t rotated = sealing(SECRET_2, SECRET_1, FORMAT, NULL, "session", "");
    ss_sealed_t cookie = seal_text("{\"a\":1}", &old, NOW);
    ss_candidates_t found = candidates(&cookie, 1);
    ss_session_t *session;
    ss_opened_t from;

    ck_assert_int_eq(open_found(&session, &from, &found, &rotated, NOW), SS_VALID);
    ck_assert_int_eq(from.key, 1);
    ck_assert_str_eq(from.format->name, FORMAT);
    ck_assert_uint_eq(from.size, ss_sealing_size(&cookie, &rotated));

    cookie = seal_text("{\"a\":1}", &rotated, NOW);
    found = candidates(&cookie, 1);
    ck_assert_int_eq(open_found(&session, &from, &found, &rotated, NOW), SS_VALID);
    ck_assert_int_eq(from.key, 0);
}
END_TEST

START_TEST(a_dropped_secret_no_longer_opens)
{
    const ss_sealing_t old = one(FORMAT);
    const ss_sealing_t now = sealing(SECRET_2, NULL, FORMAT, NULL, "session", "");
    ss_session_t *session;
    ss_state_e want = strcmp(FORMAT, "native") == 0 ? SS_UNKNOWN_KEY : SS_BAD_SIGNATURE;

    ck_assert_int_eq(open_one(&session, seal_text("{\"a\":1}", &old, NOW), &now, NOW), want);
}
END_TEST

START_TEST(time_is_judged_after_the_signature)
{
    const ss_sealing_t how = one(FORMAT);
    ss_sealed_t cookie = seal_text("{\"a\":1}", &how, NOW);
    int timed = HAS_TRAIT(SS_FORMAT_TIMED);
    apr_time_t sealed = NOW - apr_time_from_sec(back_of(ss_formats[_i]));
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, cookie, &how, sealed + apr_time_from_sec(3600)), SS_VALID);
    ck_assert_int_eq(open_one(&session, cookie, &how, sealed + apr_time_from_sec(3601)),
                     timed ? SS_EXPIRED_IDLE : SS_VALID);
    ck_assert_int_eq(open_one(&session, cookie, &how, sealed - apr_time_from_sec(30)), SS_VALID);
    ck_assert_int_eq(open_one(&session, cookie, &how, sealed - apr_time_from_sec(31)),
                     timed ? SS_FROM_FUTURE : SS_VALID);
}
END_TEST

START_TEST(a_sealed_document_that_is_no_object_is_malformed)
{
    const ss_sealing_t how = one(FORMAT);
    const ss_seal_t seal = ss_sealing_as(&how, 0);
    const char *texts[] = { "null", "[]", "\"a\"", "1", "", "{", "{}x", "\xff" };
    ss_session_t *session;

    for (int i = 0; i < COUNT(texts); i++) {
        ss_payload_t payload = { .text = ss_bytes_of(texts[i]),
                                 .stamp = {
                                     apr_time_sec(NOW), apr_time_sec(NOW), { 0 }, 1, { 0 } } };
        ss_sealed_t cookie = alone(ss_absent);
        ss_candidates_t found;
        ss_opened_t opened;

        if (ss_json_check(&payload.json, payload.text, SS_JSON_PYTHON, NULL) != APR_SUCCESS) {
            payload.json = ss_json_absent;
        }
        ck_assert_int_eq(seal.format->seal(&cookie, &payload, &seal, pool), APR_SUCCESS);
        found = candidates(&cookie, 1);
        ck_assert_msg(open_found(&session, &opened, &found, &how, NOW) == SS_MALFORMED, "%s: %s",
                      FORMAT, texts[i]);
        /* its application knows what it has signed */
        ck_assert_int_eq(opened.is_owned, (seal.format->traits & SS_FORMAT_FOREIGN) != 0);
    }
}
END_TEST

START_TEST(formats_do_not_open_each_other)
{
    const ss_sealing_t how = one(FORMAT);
    ss_session_t *session;

    for (int other = 0; ss_formats[other] != NULL; other++) {
        if (other != _i) {
            const ss_sealing_t its = one(ss_formats[other]->name);

            ck_assert_int_ne(open_one(&session, seal_text("{\"a\":1}", &its, NOW), &how, NOW),
                             SS_VALID);
        }
    }
}
END_TEST

START_TEST(a_cookie_that_does_not_fit_is_not_sealed)
{
    ss_sealing_t how = one(FORMAT);
    ss_session_t *session = ss_session_create(pool);
    ss_sealing_result_t result;
    ss_sealed_t cookie;

    ss_session_replace(session, value_of("{\"key\":\"0123456789\"}"));
    cookie = seal_session(session, &how, NOW);
    how.max_size = ss_sealing_size(&cookie, &how);
    ck_assert_int_eq(ss_sealing_seal(&result, session, &how, NOW, pool), APR_SUCCESS);
    how.max_size -= 3;
    ck_assert_int_eq(ss_sealing_seal(&result, session, &how, NOW, pool), APR_ENOSPC);
    ck_assert_uint_eq(result.over, 3);
    ck_assert_ptr_null(result.cookie.value.data);
    ck_assert_ptr_null(result.cookie.companion.data);
}
END_TEST

/* What anybody can see must be what is there, and its own format must be the most likely one. */
START_TEST(a_look_needs_no_secret)
{
    const ss_sealing_t how = one(FORMAT);
    ss_sealed_t cookie = seal_text("{\"user\":\"alice\"}", &how, NOW);
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };
    int found = 0;

    ck_assert_int_eq(ss_formats[_i]->look(&look, &cookie, ss_formats[_i], pool), SS_LIKELY);
    ck_assert_ptr_null(look.why);
    for (int i = 0; i < look.parts->nelts; i++) {
        const ss_part_t *part = &APR_ARRAY_IDX(look.parts, i, ss_part_t);

        if (part->kind == SS_PART_JSON) {
            assert_bytes(part->bytes, ss_bytes_of("{\"user\":\"alice\"}"), FORMAT);
            found = 1;
        }
        if (strcmp(part->name, "renewed") == 0) {
            ck_assert_int_eq(part->number, apr_time_sec(NOW) - back_of(ss_formats[_i]));
        }
    }
    ck_assert_int_eq(found, 1);
}
END_TEST

START_TEST(a_look_at_something_else_says_why_not)
{
    const char *values[] = { "",        "x",    "....",
                             "::",      "e30",  "e30.x.y",
                             "e30:x:y", "\xff", ".eJw.aVW5AA.AAAAAAAAAAAAAAAAAAAAAAAAAAA" };

    for (int i = 0; i < COUNT(values); i++) {
        ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };
        ss_sealed_t cookie = alone(exact_of(values[i]));

        ck_assert_int_eq(ss_formats[_i]->look(&look, &cookie, ss_formats[_i], pool), SS_UNLIKE);
        ck_assert_ptr_nonnull(look.why);
    }
}
END_TEST

/* A framework refuses what is one second ahead of its own clock. */
START_TEST(what_frameworks_read_is_dated_back)
{
    static const struct {
        int idle, skew, back;
    } rows[] = { { 3600, 30, 30 }, { 60, 30, 6 }, { 3600, 0, 0 }, { 5, 30, 0 }, { -1, 30, 30 } };
    int foreign = HAS_TRAIT(SS_FORMAT_FOREIGN);

    for (int i = 0; i < COUNT(rows); i++) {
        ss_lifetime_t other = lifetime;
        ss_sealing_t how = one(FORMAT);
        ss_session_t *session;

        other.idle = rows[i].idle < 0 ? SS_FOREVER : apr_time_from_sec(rows[i].idle);
        other.skew = apr_time_from_sec(rows[i].skew);
        how.lifetime = &other;
        ck_assert_int_eq(open_one(&session, seal_text("{\"a\":1}", &how, NOW), &how, NOW),
                         SS_VALID);
        ck_assert_int_eq(ss_session_stamp(session)->renewed,
                         HAS_TRAIT(SS_FORMAT_TIMED)
                             ? apr_time_sec(NOW) - (foreign ? rows[i].back : 0)
                             : SS_NO_TIME);
    }
}
END_TEST

/* Other shapes that bare JSON and base64 have: nothing without a signature is ever accepted. */
START_TEST(nothing_unsigned_opens)
{
    const char *values[] = { "",       "{}",         "e30",    "e30=",         "e30=.aVW5AA",
                             "..",     "e30..",      ".e30",   "null",         "\"\"",
                             "a.b.c.", "eyJhIjoxfQ", "e30:0:", "e30:1vb66i:A", "::" };
    const char *const secrets[] = { SECRET_1, NULL };
    const char *const formats[] = { "native", "starlette", "flask", "django", "express", NULL };
    const ss_sealing_t how = sealing_with(secrets, formats, "session", "");
    ss_session_t *session;

    for (int i = 0; i < COUNT(values); i++) {
        ck_assert_int_ne(open_one(&session, alone(ss_bytes_of(values[i])), &how, NOW), SS_VALID);
    }
}
END_TEST

static apr_status_t status_of(ss_json_t document, const char *format, ss_sealing_result_t *result)
{
    const ss_sealing_t how = one(format);
    ss_session_t *session = ss_session_create(pool);

    ss_session_replace(session, document);
    return ss_sealing_seal(result, session, &how, NOW, pool);
}

/* {"a":LEFT, `size` times `c`, RIGHT} */
static ss_json_t document_of(const char *left, char c, int size, const char *right)
{
    char *middle = apr_palloc(pool, size + 1);

    memset(middle, c, size);
    middle[size] = '\0';
    return value_of(apr_pstrcat(pool, "{\"a\":", left, middle, right, "}", NULL));
}

/* clang-format off */
static const struct {
    const char *what, *format, *left;
    char c;
    int size;
    const char *right;
    apr_status_t want;
} unreadable[] = {
    { "64 KiB of JSON",                     "flask",     "\"", 'x', 65528, "\"", APR_SUCCESS },
    { "a byte more",                        "flask",     "\"", 'x', 65529, "\"", SS_TOO_MUCH_TEXT },
    { "the same for Django",                "django",    "\"", 'x', 65528, "\"", APR_SUCCESS },
    { "a byte more for Django",             "django",    "\"", 'x', 65529, "\"", SS_TOO_MUCH_TEXT },
    { "bytes that Django's escapes become", "django",    "\"\xc3\xbc", 'x', 65523, "\"", SS_TOO_MUCH_TEXT },
    { "others do not compress",             "starlette", "\"", 'x', 65529, "\"", APR_ENOSPC },
    { "4300 digits",                        "flask",     "",   '1', 4300,  "",   APR_SUCCESS },
    { "one more",                           "flask",     "",   '1', 4301,  "",   SS_LONG_INTEGER },
    { "below zero",                         "flask",     "-",  '1', 4300,  "",   APR_SUCCESS },
    { "one more below zero",                "flask",     "-",  '1', 4301,  "",   SS_LONG_INTEGER },
    { "for Django",                         "django",    "",   '1', 4301,  "",   SS_LONG_INTEGER },
    { "for Starlette",                      "starlette", "",   '1', 4301,  "",   SS_LONG_INTEGER },
    { "inside an array",                    "flask",     "[1,\"\\\"\",", '1', 4301, "]", SS_LONG_INTEGER },
    { "a fraction",                         "flask",     "0.", '1', 4301,  "",   APR_SUCCESS },
    { "before a fraction",                  "flask",     "",   '1', 4301,  ".0", APR_SUCCESS },
    { "with an exponent",                   "flask",     "",   '1', 4301,  "e1", APR_SUCCESS },
    { "in an exponent",                     "flask",     "1e-", '1', 4301, "",   APR_SUCCESS },
    { "in a string",                        "flask",     "\"", '1', 4301,  "\"", APR_SUCCESS },
};
/* clang-format on */

START_TEST(nothing_is_sealed_that_cannot_be_opened)
{
    ss_sealing_result_t result;
    apr_status_t rv = status_of(document_of(unreadable[_i].left, unreadable[_i].c,
                                            unreadable[_i].size, unreadable[_i].right),
                                unreadable[_i].format, &result);

    ck_assert_msg(rv == unreadable[_i].want, "%s: %d", unreadable[_i].what, rv);
    ck_assert_int_eq(rv == APR_SUCCESS, result.cookie.value.data != NULL);
    ck_assert_int_eq(rv > APR_OS_START_USERERR && rv < APR_OS_START_SYSERR,
                     ss_format_refusal(rv) != NULL);
}
END_TEST

#define LIFE 3600

/* clang-format off */
static const struct {
    const char *format, *json;
    apr_int64_t max_age;
} ages[] = {
    { "native",    "{\"a\":1}",                                     LIFE },
    { "starlette", "{\"_permanent\":false}",                        LIFE },
    { "express",   "{\"a\":1}",                                     LIFE },
    { "flask",     "{\"a\":1}",                                     -1 },
    { "flask",     "{\"_permanent\":true,\"a\":1}",                 LIFE },
    { "flask",     "{\"_permanent\":false,\"a\":1}",                -1 },
    { "flask",     "{\"_permanent\":0}",                            -1 },
    { "flask",     "{\"_permanent\":1}",                            LIFE },
    { "django",    "{\"a\":1}",                                     LIFE },
    { "django",    "{\"_session_expiry\":300}",                     300 },
    { "django",    "{\"_session_expiry\":0}",                       -1 },
    { "django",    "{\"_session_expiry\":null}",                    LIFE },
    { "django",    "{\"_session_expiry\":-5}",                      0 },
    { "django",    "{\"_session_expiry\":31536000}",                31536000 },
    { "django",    "{\"_session_expiry\":1e3}",                     -1 },
    { "django",    "{\"_session_expiry\":99999999999999999999999}", -1 },
    { "django",    "{\"_session_expiry\":\"2026-01-01T00:00:00\"}", -1 },
};
/* clang-format on */

START_TEST(the_document_may_decide_max_age)
{
    ss_sealing_t how = one(ages[_i].format);
    ss_lifetime_t brief = lifetime;
    ss_session_t *session = ss_session_create(pool);
    ss_stamp_t stamp = { apr_time_sec(NOW), apr_time_sec(NOW), { 0 }, 1, { 0 } };

    ss_session_replace(session, value_of(ages[_i].json));
    ck_assert_int_eq(ss_sealing_max_age(session, &stamp, &how, NOW), ages[_i].max_age);
    brief.persistent = 0;
    how.lifetime = &brief;
    ck_assert_int_eq(ss_sealing_max_age(session, &stamp, &how, NOW), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *tcase = unit_case(suite, "each format");
    int count = formats_count();

    tcase_add_loop_test(tcase, what_is_sealed_opens, 0, count);
    tcase_add_loop_test(tcase, every_bit_of_a_cookie_counts, 0, count);
    tcase_add_loop_test(tcase, a_shorter_or_longer_cookie_is_refused, 0, count);
    tcase_add_loop_test(tcase, an_old_secret_still_opens_and_says_which, 0, count);
    tcase_add_loop_test(tcase, a_dropped_secret_no_longer_opens, 0, count);
    tcase_add_loop_test(tcase, time_is_judged_after_the_signature, 0, count);
    tcase_add_loop_test(tcase, a_sealed_document_that_is_no_object_is_malformed, 0, count);
    tcase_add_loop_test(tcase, formats_do_not_open_each_other, 0, count);
    tcase_add_loop_test(tcase, a_cookie_that_does_not_fit_is_not_sealed, 0, count);
    tcase_add_loop_test(tcase, a_look_needs_no_secret, 0, count);
    tcase_add_loop_test(tcase, a_look_at_something_else_says_why_not, 0, count);
    tcase_add_loop_test(tcase, what_frameworks_read_is_dated_back, 0, count);

    tcase = unit_case(suite, "all formats");
    tcase_add_test(tcase, nothing_unsigned_opens);
    tcase_add_loop_test(tcase, nothing_is_sealed_that_cannot_be_opened, 0, COUNT(unreadable));
    tcase_add_loop_test(tcase, the_document_may_decide_max_age, 0, COUNT(ages));
    return unit_run(suite);
}
