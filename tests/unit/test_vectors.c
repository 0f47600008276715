/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <jansson.h>

#include "tests/unit/formats.h"

/* Cookies that somebody else made: tests/vectors/<format>/vectors.json, for every format. */

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    ck_assert_msg(text != NULL, "a vector has no %s", name);
    return text;
}

static void check_stamp(const json_t *vector, const ss_stamp_t *stamp, const char *what)
{
    const json_t *renewed = json_object_get(vector, "renewed");
    const json_t *created = json_object_get(vector, "created");
    const json_t *counter = json_object_get(vector, "counter");

    ck_assert_msg(stamp->renewed ==
                      (json_is_integer(renewed) ? json_integer_value(renewed) : SS_NO_TIME),
                  "%s", what);
    if (json_is_integer(created)) {
        ck_assert_msg(stamp->created == json_integer_value(created), "%s", what);
    }
    if (json_is_integer(counter)) {
        ck_assert_msg(stamp->counter == json_integer_value(counter), "%s", what);
        assert_bytes(ss_bytes((const char *)stamp->id, sizeof(stamp->id)),
                     unhex(member(vector, "id")), what);
    }
}

/* The nonce of the vector that is being sealed. */
static ss_bytes_t nonce;

static apr_status_t that_nonce(void *out, apr_size_t len)
{
    ck_assert_uint_eq(len, nonce.len);
    memcpy(out, nonce.data, len);
    return APR_SUCCESS;
}

static ss_sealed_t cookie_of(const json_t *vector)
{
    ss_sealed_t cookie = alone(ss_bytes_of(member(vector, "value")));
    const char *companion = json_string_value(json_object_get(vector, "companion"));

    if (companion != NULL) {
        cookie.companion = ss_bytes_of(companion);
    }
    return cookie;
}

/* so that nothing is dated back: the others do not */
static const ss_lifetime_t exact_lifetime = {
    apr_time_from_sec(3600), SS_FOREVER, 0, { SS_RENEW_NEVER, 0, 0 }, 1
};

static ss_sealing_t sealing_of(const json_t *vector, const char *format)
{
    const char *text = json_string_value(json_object_get(vector, "nonce"));
    ss_sealing_t how = sealing(member(vector, "secret"), NULL, format, NULL,
                               member(vector, "cookie_name"), member(vector, "audience"));

    how.lifetime = &exact_lifetime;
    how.encrypt = text != NULL;
    how.random = that_nonce;
    nonce = text != NULL ? unhex(text) : ss_bytes("", 0);
    return how;
}

/* Sealed by us it is the same cookie, byte for byte; but of compressed text there are many
 * spellings, and another zlib chooses another. */
static void check_sealing(ss_session_t *session, ss_bytes_t text, ss_sealed_t cookie,
                          const ss_sealing_t *how, const char *what)
{
    const ss_seal_t seal = ss_sealing_as(how, 0);
    const ss_payload_t payload = { text, ss_session_json(session), *ss_session_stamp(session), 0,
                                   0 };
    ss_sealed_t again = alone(ss_bytes(NULL, 0));
    ss_payload_t opened;

    ck_assert_int_eq(seal.format->seal(&again, &payload, &seal, pool), APR_SUCCESS);
    if (cookie.value.data[0] != '.') {
        assert_bytes(again.value, cookie.value, what);
        assert_bytes(again.companion, cookie.companion, what);
        return;
    }
    ck_assert_int_eq(again.value.data[0], '.');
    ck_assert_int_eq(seal.format->open(&opened, &again, &seal, pool), SS_VALID);
    assert_bytes(opened.text, text, what);
}

static void check_vector(const json_t *vector, const char *format)
{
    const char *what = member(vector, "what");
    const ss_sealing_t how = sealing_of(vector, format);
    apr_int64_t now = json_integer_value(json_object_get(vector, "renewed"));
    ss_sealed_t cookie = cookie_of(vector);
    ss_session_t *session;
    ss_bytes_t text;

    ck_assert_msg(open_one(&session, cookie, &how, apr_time_from_sec(now)) == SS_VALID, "%s", what);
    text = ss_session_text(session);
    assert_bytes(text, ss_bytes_of(member(vector, "json")), what);
    check_stamp(vector, ss_session_stamp(session), what);
    check_sealing(session, text, cookie, &how, what);
}

START_TEST(cookies_that_others_made_open)
{
    const char *root = getenv("SS_SRCDIR") != NULL ? getenv("SS_SRCDIR") : ".";
    const char *path = apr_psprintf(pool, "%s/tests/vectors/%s/vectors.json", root, FORMAT);
    json_error_t error;
    json_t *file = json_load_file(path, 0, &error), *vector;
    size_t i;

    ck_assert_msg(file != NULL, "%s: %s", path, error.text);
    ck_assert_uint_gt(json_array_size(json_object_get(file, "cookies")), 0);
    json_array_foreach(json_object_get(file, "cookies"), i, vector)
    {
        check_vector(vector, FORMAT);
    }
    json_decref(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vectors");
    TCase *tcase = unit_case(suite, "vectors");

    tcase_add_loop_test(tcase, cookies_that_others_made_open, 0, formats_count());
    return unit_run(suite);
}
