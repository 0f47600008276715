/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/formats.h"

/* Sessions that outlive a format or a secret: nobody is logged out. */

#define JSON "{\"user\":\"alice\",\"n\":[1,2.50,{\"\":null}]}"

/* Pair number `i` of formats. */
static const ss_format_t *from_of(int i)
{
    return ss_formats[i / formats_count()];
}

static const ss_format_t *to_of(int i)
{
    return ss_formats[i % formats_count()];
}

static ss_session_t *opened(ss_sealed_t cookie, ss_opened_t *from, const ss_sealing_t *how,
                            apr_time_t now)
{
    ss_candidates_t found = candidates(&cookie, 1);
    ss_session_t *session;

    ck_assert_int_eq(open_found(&session, from, &found, how, now), SS_VALID);
    return session;
}

START_TEST(a_session_goes_from_any_format_to_any_other)
{
    const ss_format_t *from = from_of(_i), *to = to_of(_i);
    const ss_sealing_t before = one(from->name), after = one(to->name);
    const ss_sealing_t migrating =
        sealing(SECRET_1, NULL, to->name, from == to ? NULL : from->name, "session", "");
    apr_time_t later = NOW + apr_time_from_sec(60);
    ss_opened_t where;
    ss_session_t *session = opened(seal_text(JSON, &before, NOW), &where, &migrating, later);

    ck_assert_ptr_eq(where.format, from);
    ss_session_set(session, ss_bytes_of("new"), value_of("true"));
    session = opened(seal_session(session, &migrating, later), &where, &after, later);
    ck_assert_ptr_eq(where.format, to);
    assert_bytes(ss_session_text(session),
                 ss_bytes_of("{\"user\":\"alice\",\"n\":[1,2.50,{\"\":null}],\"new\":true}"),
                 to->name);
}
END_TEST

/* Renewed and not changed: the document arrives byte for byte, blanks and all. */
START_TEST(a_renewal_is_enough)
{
    const ss_sealing_t before = one(from_of(_i)->name);
    const ss_sealing_t migrating =
        sealing(SECRET_1, NULL, to_of(_i)->name, from_of(_i)->name, "session", "");
    const char *json = "{ \"user\": \"Zo\\u00eb\" ,\n\"big\":123456789012345678901234567890 }";
    ss_opened_t where;
    ss_session_t *session = opened(seal_text(json, &before, NOW), &where, &migrating, NOW);
    const char *kept =
        apr_pstrmemdup(pool, ss_session_text(session).data, ss_session_text(session).len);

    session = opened(seal_session(session, &migrating, NOW), &where, &migrating, NOW);
    ck_assert_ptr_eq(where.format, to_of(_i));
    assert_bytes(ss_session_text(session), ss_bytes_of(kept), to_of(_i)->name);
}
END_TEST

START_TEST(the_time_of_creation_is_kept_or_begins)
{
    const ss_format_t *from = ss_formats[_i];
    const ss_sealing_t before = one(from->name);
    const ss_sealing_t migrating =
        sealing(SECRET_1, NULL, "native", _i == 0 ? NULL : from->name, "session", "");
    apr_time_t later = NOW + apr_time_from_sec(60);
    ss_opened_t where;
    ss_session_t *session = opened(seal_text(JSON, &before, NOW), &where, &migrating, later);

    session = opened(seal_session(session, &migrating, later), &where, &migrating, later);
    ck_assert_int_eq(ss_session_stamp(session)->renewed, apr_time_sec(later));
    ck_assert_int_eq(ss_session_stamp(session)->created, HAS_TRAIT(SS_FORMAT_TIMED)
                                                             ? apr_time_sec(NOW) - back_of(from)
                                                             : apr_time_sec(later));
    ck_assert_int_eq(ss_session_stamp(session)->counter, 1);
}
END_TEST

/* What one rotation leaves must not add up. */
START_TEST(ten_rotations_leave_the_size_as_it_is)
{
    const char *secret = SECRET_1;
    ss_sealing_t how = one(FORMAT);
    ss_sealed_t cookie = seal_text(JSON, &how, NOW);
    apr_size_t size = ss_sealing_size(&cookie, &how);

    for (int i = 0; i < 10; i++) {
        const char *next = apr_psprintf(pool, "secret number %d of the unit tests, 0123456789", i);
        ss_opened_t where;
        ss_session_t *session;

        how = sealing(next, secret, FORMAT, NULL, "session", "");
        session = opened(cookie, &where, &how, NOW);
        ck_assert_int_eq(where.key, 1);
        cookie = seal_session(session, &how, NOW);
        ck_assert_uint_eq(ss_sealing_size(&cookie, &how), size);
        session = opened(cookie, &where, &how, NOW);
        ck_assert_int_eq(where.key, 0);
        assert_bytes(ss_session_text(session), ss_bytes_of(JSON), FORMAT);
        secret = next;
    }
}
END_TEST

#define HIDING "{\"user\":\"alice\",\"mod_session\":{\"realm-pw\":\"s3cret\"}}"

/* A session sealed as a server would that reserves a member in native sessions. */
static ss_sealed_t seal_hiding(const ss_sealing_t *how)
{
    ss_session_t *session = ss_sealing_create(how, pool);

    ss_session_set(session, ss_bytes_of("user"), value_of("\"alice\""));
    ck_assert(ss_session_hide(session, value_of("{\"realm-pw\":\"s3cret\"}")));
    return seal_session(session, how, NOW);
}

START_TEST(what_is_hidden_never_gets_into_a_frameworks_cookie)
{
    const ss_format_t *to = ss_formats[_i];
    const ss_sealing_t native = one("native"), after = one(to->name);
    const ss_sealing_t migrating = sealing(SECRET_1, NULL, to->name, "native", "session", "");
    ss_opened_t where;
    ss_session_t *session;

    session = opened(seal_hiding(&native), &where, &migrating, NOW);
    ck_assert(!ss_session_set(session, ss_bytes_of(SS_SESSION_HIDDEN), value_of("1")));
    session = opened(seal_session(session, &migrating, NOW), &where, &after, NOW);
    assert_bytes(ss_session_text(session), ss_bytes_of("{\"user\":\"alice\"}"), FORMAT);
}
END_TEST

START_TEST(what_an_application_wrote_is_never_taken_for_hidden)
{
    const ss_format_t *from = ss_formats[_i];
    const ss_sealing_t native = one("native"), before = one(from->name);
    const ss_sealing_t migrating = sealing(SECRET_1, NULL, "native", from->name, "session", "");
    ss_opened_t where;
    ss_session_t *session;

    session = opened(seal_text(HIDING, &before, NOW), &where, &before, NOW);
    ck_assert_ptr_nonnull(ss_session_get(session, ss_bytes_of(SS_SESSION_HIDDEN)).raw.data);
    session = opened(seal_text(HIDING, &before, NOW), &where, &migrating, NOW);
    ck_assert_ptr_null(ss_session_hidden(session).raw.data);
    ck_assert(!ss_session_is_changed(session));
    session = opened(seal_session(session, &migrating, NOW), &where, &native, NOW);
    ck_assert_ptr_null(ss_session_hidden(session).raw.data);
    assert_bytes(ss_session_text(session), ss_bytes_of("{\"user\":\"alice\"}"), FORMAT);
}
END_TEST

/* Also where SignedSessionEncrypt is Off, as in another virtual host with the same secret. */
START_TEST(what_is_hidden_is_always_encrypted)
{
    const ss_sealing_t plain = one("native");
    ss_sealed_t cookie = seal_hiding(&plain);
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };
    ss_opened_t where;
    ss_session_t *session;

    ss_format_named("native")->look(&look, &cookie, ss_format_named("native"), pool);
    assert_bytes(APR_ARRAY_IDX(look.parts, 2, ss_part_t).bytes, ss_bytes_of("encrypted"), "kind");
    session = opened(cookie, &where, &plain, NOW);
    assert_value(ss_session_hidden(session), "{\"realm-pw\":\"s3cret\"}", "hidden");
    assert_value(ss_session_view(session), "{\"user\":\"alice\"}", "view");
}
END_TEST

START_TEST(encryption_can_be_switched_on_and_off)
{
    ss_sealing_t plain = one("native"), secret = one("native");
    ss_opened_t where;
    ss_session_t *session = opened(seal_text(JSON, &plain, NOW), &where, &plain, NOW);
    ss_sealed_t encrypted;

    secret.encrypt = 1;
    encrypted = seal_session(session, &secret, NOW);
    session = opened(encrypted, &where, &plain, NOW);
    assert_bytes(ss_session_text(session), ss_bytes_of(JSON), "encrypted");
    ck_assert_uint_eq(ss_sealing_size(&encrypted, &secret), where.size);
    session = opened(seal_session(session, &plain, NOW), &where, &secret, NOW);
    assert_bytes(ss_session_text(session), ss_bytes_of(JSON), "signed again");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("migration");
    TCase *formats = unit_case(suite, "formats");
    TCase *secrets = unit_case(suite, "secrets");
    int count = formats_count();

    tcase_add_loop_test(formats, a_session_goes_from_any_format_to_any_other, 0, count * count);
    tcase_add_loop_test(formats, a_renewal_is_enough, 0, count * count);
    tcase_add_loop_test(formats, the_time_of_creation_is_kept_or_begins, 0, count);
    tcase_add_loop_test(secrets, ten_rotations_leave_the_size_as_it_is, 0, count);
    /* behind native, which is the first */
    tcase_add_loop_test(formats, what_is_hidden_never_gets_into_a_frameworks_cookie, 1, count);
    tcase_add_loop_test(formats, what_an_application_wrote_is_never_taken_for_hidden, 1, count);
    tcase_add_test(formats, what_is_hidden_is_always_encrypted);
    tcase_add_test(secrets, encryption_can_be_switched_on_and_off);
    return unit_run(suite);
}
