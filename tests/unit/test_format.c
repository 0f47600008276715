/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/formats.h"

/* What holds for every format, and what is true of several at once. Vectors are in test_vectors.c,
 * migrations in test_migration.c. */

static ss_sealing_t encrypting(void)
{
    ss_sealing_t how = one("native");

    how.encrypt = 1;
    return how;
}

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

/* Flip each bit of one of the cookie's values, which `part` points to. */
static void flip_bits(ss_sealed_t *cookie, ss_bytes_t *part, const ss_sealing_t *how)
{
    const ss_bytes_t whole = *part;
    ss_session_t *session;

    for (apr_size_t i = 0; i < whole.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            char *copy = apr_pmemdup(pool, whole.data, whole.len);

            copy[i] = (char)(copy[i] ^ (1 << bit));
            *part = ss_bytes(copy, whole.len);
            ck_assert_msg(open_one(&session, *cookie, how, NOW) != SS_VALID, "%s: byte %d, bit %d",
                          ss_sealing_written(how)->name, (int)i, bit);
        }
    }
    *part = whole;
}

START_TEST(every_bit_of_a_cookie_counts)
{
    const ss_sealing_t how = one(FORMAT);
    ss_sealed_t cookie = seal_text("{\"role\":\"admin\"}", &how, NOW);

    flip_bits(&cookie, &cookie.value, &how);
    flip_bits(&cookie, &cookie.companion, &how);
}
END_TEST

/* Shorten and lengthen one of the cookie's values. */
static void stretch(ss_sealed_t *cookie, ss_bytes_t *part, const ss_sealing_t *how)
{
    const char *more[] = { "A", "=", ".", ":", "AAAA", "\xff" };
    const ss_bytes_t whole = *part;
    ss_session_t *session;

    for (apr_size_t len = 0; len < whole.len; len++) {
        *part = ss_bytes(whole.data, len);
        ck_assert_int_ne(open_one(&session, *cookie, how, NOW), SS_VALID);
    }
    for (int i = 0; whole.data != NULL && i < COUNT(more); i++) {
        *part = ss_bytes_of(apr_psprintf(pool, "%.*s%s", (int)whole.len, whole.data, more[i]));
        ck_assert_int_ne(open_one(&session, *cookie, how, NOW), SS_VALID);
    }
    *part = whole;
}

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
                                 .stamp = { apr_time_sec(NOW), apr_time_sec(NOW), { 0 }, 1 } };
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

START_TEST(a_look_at_a_strange_companion_says_so)
{
    const ss_sealing_t how = one("express");
    ss_sealed_t cookie = seal_text("{\"a\":1}", &how, NOW);
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };

    cookie.companion = exact_of("x");
    ck_assert_int_eq(
        ss_format_named("express")->look(&look, &cookie, ss_format_named("express"), pool),
        SS_POSSIBLE);
    ck_assert_ptr_nonnull(strstr(look.why, "signature"));
}
END_TEST

/*
 * Native
 */

START_TEST(native_cookies_are_bound_to_name_and_audience)
{
    const ss_sealing_t how = one("native");
    const ss_sealing_t others[] = {
        sealing(SECRET_1, NULL, "native", NULL, "other", ""),
        sealing(SECRET_1, NULL, "native", NULL, "session", "shop"),
        /* name and audience must not run into each other */
        sealing(SECRET_1, NULL, "native", NULL, "sessio", "n"),
    };
    ss_session_t *session;

    for (int i = 0; i < COUNT(others); i++) {
        ss_sealing_t secret = others[i];

        secret.encrypt = 1;
        ck_assert_int_ne(open_one(&session, seal_text("{\"a\":1}", &how, NOW), &others[i], NOW),
                         SS_VALID);
        ck_assert_int_ne(open_one(&session, seal_text("{\"a\":1}", &secret, NOW), &how, NOW),
                         SS_VALID);
    }
}
END_TEST

/* With 16 bits of key id, two secrets may share one; both must be tried. */
START_TEST(secrets_with_the_same_key_id_both_open)
{
    const char *owner[65536] = { NULL };
    const char *first = NULL, *second = NULL;

    for (int i = 0; second == NULL; i++) {
        const char *secret = apr_psprintf(pool, "a secret with a number behind it: %d", i);
        const ss_sealing_t how = sealing(secret, NULL, "native", NULL, "session", "");
        apr_uint16_t id = APR_ARRAY_IDX(how.seals, 0, ss_seal_t).keys->keys[0].id;

        first = owner[id];
        second = first == NULL ? NULL : secret;
        owner[id] = secret;
    }
    for (int encrypt = 0; encrypt <= 1; encrypt++) {
        const ss_sealing_t both = sealing(first, second, "native", NULL, "session", "");
        ss_sealing_t only = sealing(second, NULL, "native", NULL, "session", "");
        ss_candidates_t found;
        ss_session_t *session;
        ss_opened_t from;
        ss_sealed_t cookie;

        only.encrypt = encrypt;
        cookie = seal_text("{\"a\":1}", &only, NOW);
        found = candidates(&cookie, 1);
        ck_assert_int_eq(open_found(&session, &from, &found, &both, NOW), SS_VALID);
        ck_assert_int_eq(from.key, 1);
    }
}
END_TEST

START_TEST(both_kinds_open_whatever_is_written)
{
    const ss_sealing_t plain = one("native"), secret = encrypting();
    const char *json = "{\"user\":\"alice\"}";
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, seal_text(json, &secret, NOW), &plain, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of(json), "encrypted");
    ck_assert_int_eq(ss_session_stamp(session)->counter, 1);
    ck_assert_int_eq(open_one(&session, seal_text(json, &plain, NOW), &secret, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of(json), "signed");
}
END_TEST

START_TEST(an_encrypted_cookie_can_be_neither_changed_nor_read)
{
    const ss_sealing_t how = encrypting();
    ss_sealed_t cookie = seal_text("{\"role\":\"admin\"}", &how, NOW);
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };

    flip_bits(&cookie, &cookie.value, &how);
    stretch(&cookie, &cookie.value, &how);

    ck_assert_int_eq(
        ss_format_named("native")->look(&look, &cookie, ss_format_named("native"), pool),
        SS_LIKELY);
    for (int i = 0; i < look.parts->nelts; i++) {
        ck_assert_int_ne(APR_ARRAY_IDX(look.parts, i, ss_part_t).kind, SS_PART_JSON);
    }
}
END_TEST

START_TEST(two_encrypted_cookies_are_never_alike)
{
    ss_sealing_t how = encrypting();
    ss_sealed_t first, second;
    apr_size_t same = 0;

    how.random = ss_random;
    first = seal_text("{\"role\":\"admin\"}", &how, NOW);
    second = seal_text("{\"role\":\"admin\"}", &how, NOW);
    ck_assert_uint_eq(first.value.len, second.value.len);
    for (apr_size_t i = 48; i < first.value.len; i++) { /* behind the header */
        same += first.value.data[i] == second.value.data[i];
    }
    ck_assert_uint_lt(same, (first.value.len - 48) / 4);
}
END_TEST

static apr_status_t no_nonce(void *out, apr_size_t len)
{
    (void)out;
    return len == SS_SESSION_ID_SIZE ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t no_id(void *out, apr_size_t len)
{
    (void)out;
    return len == SS_SESSION_ID_SIZE ? APR_EGENERAL : APR_SUCCESS;
}

START_TEST(without_a_nonce_or_an_id_nothing_is_sealed)
{
    ss_sealing_t how = encrypting();
    ss_session_t *session = ss_session_create(pool);
    ss_sealing_result_t result;

    how.random = _i == 0 ? no_nonce : no_id;
    ss_session_replace(session, value_of("{\"a\":1}"));
    ck_assert_int_eq(ss_sealing_seal(&result, session, &how, NOW, pool), APR_EGENERAL);
    ck_assert_ptr_null(result.cookie.value.data);
}
END_TEST

/*
 * Two cookies
 */

START_TEST(half_of_two_cookies_is_refused)
{
    const ss_sealing_t how = one("express");
    ss_sealed_t good = seal_text("{\"user\":\"alice\"}", &how, NOW);
    ss_sealed_t other = seal_text("{\"user\":\"eve\"}", &how, NOW);
    const ss_sealed_t wrong[] = {
        { good.value, { NULL, 0 } },     { good.value, { "", 0 } },
        { good.value, other.companion }, { other.value, good.companion },
        { { "", 0 }, good.companion },
    };
    ss_candidates_t only_companion = { .companion_count = 1, .companions = { good.companion } };
    ss_session_t *session;
    ss_opened_t from;

    for (int i = 0; i < COUNT(wrong); i++) {
        ck_assert_msg(open_one(&session, wrong[i], &how, NOW) == SS_BAD_SIGNATURE, "case %d", i);
    }
    ck_assert_int_eq(open_found(&session, &from, &only_companion, &how, NOW), SS_NONE);
    ck_assert_int_eq(open_one(&session, good, &how, NOW), SS_VALID);
}
END_TEST

START_TEST(the_companion_is_bound_to_the_name)
{
    const ss_sealing_t how = one("express");
    const ss_sealing_t renamed = sealing(SECRET_1, NULL, "express", NULL, "other", "");
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, seal_text("{\"a\":1}", &how, NOW), &renamed, NOW),
                     SS_BAD_SIGNATURE);
}
END_TEST

START_TEST(companions_may_come_in_any_order)
{
    const ss_sealing_t how = one("express");
    ss_sealed_t one_of_them = seal_text("{\"a\":1}", &how, NOW);
    const char *header =
        apr_psprintf(pool, "session.sig=AAAA; x=y; session.sig=%.*s; session=e30=; session=%.*s",
                     (int)one_of_them.companion.len, one_of_them.companion.data,
                     (int)one_of_them.value.len, one_of_them.value.data);
    ss_candidates_t found;
    ss_session_t *session;
    ss_opened_t from;

    ss_sealing_find(&found, header, &how);
    ck_assert_int_eq(found.count, 2);
    ck_assert_int_eq(found.companion_count, 2);
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of("{\"a\":1}"), "second");
}
END_TEST

START_TEST(companions_are_looked_for_only_where_a_format_has_them)
{
    const ss_sealing_t how = one("native");
    ss_candidates_t found;

    ss_sealing_find(&found, "session=a; session.sig=b", &how);
    ck_assert_int_eq(found.count, 1);
    ck_assert_int_eq(found.companion_count, 0);
    ck_assert_ptr_null(how.companion_name);
}
END_TEST

/*
 * What nobody could open again
 */

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

/*
 * Several cookies
 */

static void assert_winner(const ss_sealed_t cookies[], int count, const ss_sealing_t *how,
                          const char *winner)
{
    ss_candidates_t found = candidates(cookies, count);
    ss_session_t *session;
    ss_opened_t from;

    ck_assert_int_eq(open_found(&session, &from, &found, how, NOW), SS_VALID);
    assert_bytes(ss_session_text(session), ss_bytes_of(winner), "the winner");
}

START_TEST(a_cookie_that_does_not_hold_hides_none)
{
    const ss_sealing_t how = one("native");
    ss_sealed_t good = seal_text("{\"a\":1}", &how, NOW), bad = alone(ss_bytes_of("bad"));
    ss_sealed_t late[] = { bad, bad, bad, good }, tampered[] = { good, bad };
    ss_candidates_t found = candidates(late, 4);
    ss_session_t *session;
    ss_opened_t from;

    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_VALID);
    tampered[0].value =
        ss_bytes_of(apr_pstrcat(pool, apr_pstrmemdup(pool, good.value.data, good.value.len - 1),
                                good.value.data[good.value.len - 1] == 'A' ? "E" : "A", NULL));
    found = candidates(tampered, 2);
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_BAD_SIGNATURE);
    found.count = 0;
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_NONE);
    ck_assert_ptr_null(session);
}
END_TEST

/* The header's first cookie is the one before, of another Path or Domain, or the other way round.
 */
START_TEST(of_several_native_cookies_the_newest_wins)
{
    const ss_sealing_t how = one("native");
    ss_sealed_t old = seal_text("{\"a\":1}", &how, NOW - apr_time_from_sec(5)), same, changed;
    ss_sealed_t new = seal_text("{\"a\":2}", &how, NOW);
    ss_session_t *session;

    ck_assert_int_eq(open_one(&session, new, &how, NOW), SS_VALID);
    same = seal_text("{\"a\":3}", &how, NOW);
    ss_session_set(session, ss_bytes_of("a"), checked(ss_bytes_of("4")));
    changed = seal_session(session, &how, NOW); /* in the same second: its counter is higher */
    assert_winner((ss_sealed_t[]){ old, new }, 2, &how, "{\"a\":2}");
    assert_winner((ss_sealed_t[]){ new, old }, 2, &how, "{\"a\":2}");
    assert_winner((ss_sealed_t[]){ new, same }, 2, &how, "{\"a\":2}");
    assert_winner((ss_sealed_t[]){ same, new }, 2, &how, "{\"a\":3}");
    assert_winner((ss_sealed_t[]){ new, changed, old }, 3, &how, "{\"a\":4}");
    assert_winner((ss_sealed_t[]){ changed, old, new }, 3, &how, "{\"a\":4}");
    assert_winner((ss_sealed_t[]){ alone(ss_bytes_of("bad")), old }, 2, &how, "{\"a\":1}");
}
END_TEST

/* Werkzeug's dictionary and the cookies package give the first value, Starlette and Django keep
 * the last, whatever is inside. */
START_TEST(of_several_cookies_of_a_framework_its_own_wins)
{
    static const struct {
        const char *format, *winner;
    } rows[] = { { "starlette", "{\"a\":2}" },
                 { "django", "{\"a\":2}" },
                 { "flask", "{\"a\":1}" },
                 { "express", "{\"a\":1}" } };
    const ss_sealing_t how = one(rows[_i].format);
    ss_sealed_t first = seal_text("{\"a\":1}", &how, NOW), last = seal_text("{\"a\":2}", &how, NOW);

    assert_winner((ss_sealed_t[]){ first, last }, 2, &how, rows[_i].winner);
}
END_TEST

/* However many came: what is in the middle is left out. */
START_TEST(of_many_cookies_of_a_framework_its_own_wins)
{
    static const struct {
        const char *format, *also;
        int winner;
    } rows[] = { { "starlette", NULL, 6 }, { "django", NULL, 6 },        { "flask", NULL, 1 },
                 { "flask", "django", 1 }, { "native", "starlette", 6 }, { "django", "flask", 6 } };
    const ss_sealing_t how = sealing(SECRET_1, NULL, rows[_i].format, rows[_i].also, "session", "");
    const ss_sealing_t theirs =
        one(strcmp(rows[_i].format, "native") == 0 ? rows[_i].also : rows[_i].format);
    const char *header = "";
    ss_candidates_t found;
    ss_session_t *session;
    ss_opened_t from;

    for (int i = 1; i <= 6; i++) {
        ss_sealed_t cookie = seal_text(apr_psprintf(pool, "{\"a\":%d}", i), &theirs, NOW);

        header = apr_psprintf(pool, "%s; session=%.*s", header, (int)cookie.value.len,
                              cookie.value.data);
    }
    ss_sealing_find(&found, header, &how);
    ck_assert_int_eq(found.came, 6);
    ck_assert_int_eq(found.count, SS_CANDIDATES_MAX);
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_VALID);
    assert_bytes(ss_session_text(session),
                 ss_bytes_of(apr_psprintf(pool, "{\"a\":%d}", rows[_i].winner)), "the winner");
}
END_TEST

START_TEST(of_two_formats_the_written_one_wins)
{
    const ss_sealing_t old = one("starlette");
    const ss_sealing_t how = sealing(SECRET_1, NULL, "native", "starlette", "session", "");
    ss_sealed_t theirs = seal_text("{\"a\":1}", &old, NOW);
    ss_sealed_t ours = seal_text("{\"a\":2}", &how, NOW - apr_time_from_sec(5));

    assert_winner((ss_sealed_t[]){ theirs, ours }, 2, &how, "{\"a\":2}");
    assert_winner((ss_sealed_t[]){ ours, theirs }, 2, &how, "{\"a\":2}");
}
END_TEST

START_TEST(no_more_cookies_are_tried_than_that)
{
    const ss_sealing_t how = one("native");
    ss_sealed_t good = seal_text("{\"a\":1}", &how, NOW);
    const char *header =
        apr_psprintf(pool, "session=bad; session=bad; session=bad; session=bad; session=%.*s",
                     (int)good.value.len, good.value.data);
    ss_candidates_t found;
    ss_session_t *session;
    ss_opened_t from;

    ss_sealing_find(&found, header, &how);
    ck_assert_int_eq(open_found(&session, &from, &found, &how, NOW), SS_MALFORMED);
}
END_TEST

START_TEST(a_cookie_over_the_limit_is_not_even_verified)
{
    const ss_sealing_t how = one("native");
    char *big = apr_palloc(pool, SS_COOKIE_MAX);
    ss_session_t *session;

    memset(big, 'A', SS_COOKIE_MAX);
    ck_assert_int_eq(open_one(&session, alone(ss_bytes(big, SS_COOKIE_MAX - 7)), &how, NOW),
                     SS_MALFORMED);
    ck_assert_int_eq(open_one(&session, alone(ss_bytes(big, SS_COOKIE_MAX - 6)), &how, NOW),
                     SS_TOO_LARGE);
}
END_TEST

static int resembles(ss_bytes_t value, const ss_sealing_t *how)
{
    const ss_seal_t *seal = &APR_ARRAY_IDX(how->seals, 0, ss_seal_t);

    return seal->format->resembles(exact(value.data, value.len), seal->keys, pool);
}

/* So that it can be hidden without being verified: only version and key id count. */
START_TEST(a_native_cookie_is_known_by_its_beginning)
{
    const ss_sealing_t how = sealing(SECRET_2, SECRET_1, "native", NULL, "session", "");
    const ss_sealing_t old = one("native"), foreign = one("starlette"), secret = encrypting();
    const ss_sealing_t other = sealing(SECRET_1, NULL, "native", NULL, "other", "");
    ss_bytes_t value = seal_text("{\"a\":1}", &old, NOW).value;
    char *copy = apr_pstrmemdup(pool, value.data, value.len);

    ck_assert(resembles(seal_text("{\"a\":1}", &how, NOW).value, &how));
    ck_assert(resembles(seal_text("{\"a\":1}", &secret, NOW).value, &old));
    ck_assert_msg(resembles(value, &how), "an older secret");
    ck_assert_msg(!resembles(seal_text("{\"a\":1}", &how, NOW).value, &old), "a newer secret");
    ck_assert_msg(!resembles(value, &other), "another cookie name");
    ck_assert_msg(!resembles(seal_text("{\"a\":1}", &foreign, NOW).value, &how), "another format");
    ck_assert_ptr_null(ss_format_named("starlette")->resembles);

    for (apr_size_t len = 0; len <= value.len; len++) {
        ck_assert_msg(resembles(ss_bytes(value.data, len), &how) == (len >= 8), "%d characters",
                      (int)len);
    }
    copy[value.len - 1] = '!';
    ck_assert_msg(resembles(ss_bytes(copy, value.len), &how), "nothing behind it is looked at");
    copy[0] = copy[0] == 'B' ? 'C' : 'B';
    ck_assert_msg(!resembles(ss_bytes(copy, value.len), &how), "another version");
    copy[0] = '!';
    ck_assert_msg(!resembles(ss_bytes(copy, value.len), &how), "no base64url");
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

/*
 * What the document says about its life
 */

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
    ss_stamp_t stamp = { apr_time_sec(NOW), apr_time_sec(NOW), { 0 }, 1 };

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
    TCase *each = unit_case(suite, "each format");
    TCase *native = unit_case(suite, "native");
    TCase *two = unit_case(suite, "two cookies");
    TCase *all = unit_case(suite, "all formats");
    int count = formats_count();

    tcase_add_loop_test(each, what_is_sealed_opens, 0, count);
    tcase_add_loop_test(each, every_bit_of_a_cookie_counts, 0, count);
    tcase_add_loop_test(each, a_shorter_or_longer_cookie_is_refused, 0, count);
    tcase_add_loop_test(each, an_old_secret_still_opens_and_says_which, 0, count);
    tcase_add_loop_test(each, a_dropped_secret_no_longer_opens, 0, count);
    tcase_add_loop_test(each, time_is_judged_after_the_signature, 0, count);
    tcase_add_loop_test(each, a_sealed_document_that_is_no_object_is_malformed, 0, count);
    tcase_add_loop_test(each, formats_do_not_open_each_other, 0, count);
    tcase_add_loop_test(each, a_cookie_that_does_not_fit_is_not_sealed, 0, count);
    tcase_add_loop_test(each, a_look_needs_no_secret, 0, count);
    tcase_add_loop_test(each, a_look_at_something_else_says_why_not, 0, count);

    tcase_add_test(native, native_cookies_are_bound_to_name_and_audience);
    tcase_add_test(native, secrets_with_the_same_key_id_both_open);
    tcase_add_test(native, both_kinds_open_whatever_is_written);
    tcase_add_test(native, an_encrypted_cookie_can_be_neither_changed_nor_read);
    tcase_add_test(native, two_encrypted_cookies_are_never_alike);
    tcase_add_loop_test(native, without_a_nonce_or_an_id_nothing_is_sealed, 0, 2);

    tcase_add_test(two, half_of_two_cookies_is_refused);
    tcase_add_test(two, a_look_at_a_strange_companion_says_so);
    tcase_add_test(two, the_companion_is_bound_to_the_name);
    tcase_add_test(two, companions_may_come_in_any_order);
    tcase_add_test(two, companions_are_looked_for_only_where_a_format_has_them);

    tcase_add_loop_test(all, nothing_is_sealed_that_cannot_be_opened, 0, COUNT(unreadable));
    tcase_add_loop_test(all, what_frameworks_read_is_dated_back, 0, formats_count());
    tcase_add_test(all, a_cookie_that_does_not_hold_hides_none);
    tcase_add_test(all, of_several_native_cookies_the_newest_wins);
    tcase_add_loop_test(all, of_several_cookies_of_a_framework_its_own_wins, 0, 4);
    tcase_add_loop_test(all, of_many_cookies_of_a_framework_its_own_wins, 0, 6);
    tcase_add_test(all, of_two_formats_the_written_one_wins);
    tcase_add_test(all, no_more_cookies_are_tried_than_that);
    tcase_add_test(all, a_cookie_over_the_limit_is_not_even_verified);
    tcase_add_test(all, a_native_cookie_is_known_by_its_beginning);
    tcase_add_test(all, nothing_unsigned_opens);
    tcase_add_loop_test(all, the_document_may_decide_max_age, 0, COUNT(ages));
    return unit_run(suite);
}
