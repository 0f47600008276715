/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/encode.h"
#include "lib/vector_base64.h"
#include "tests/short_base64.h"

/* What is decoded and encoded in long steps is what it is in single groups. */

#define LENGTHS 201
#define LONG_TEXT 132 /* four steps, and a group */

static const ss_base64_e variants[] = { SS_BASE64, SS_BASE64URL };

/* Bytes in no order, but always the same. */
static char some_byte(apr_size_t i)
{
    return (char)((i * i * 31 + i * 151 + 7) >> 2);
}

static ss_bytes_t some_bytes(apr_size_t len)
{
    ss_bytes_t bytes = exact(apr_pcalloc(pool, len + 1), len);

    for (apr_size_t i = 0; i < len; i++) {
        ((char *)bytes.data)[i] = some_byte(i);
    }
    return bytes;
}

static ss_bytes_t encoded(ss_base64_e variant, ss_bytes_t bytes)
{
    apr_size_t size = ss_base64_size(variant, bytes.len);
    ss_bytes_t text = exact(apr_pcalloc(pool, size + 1), size);

    ck_assert_uint_eq(ss_base64_encode(variant, (char *)text.data, bytes), size);
    return text;
}

static void assert_decodes_alike(ss_base64_e variant, ss_bytes_t text, const char *what)
{
    static char want[SHORT_TEXT_MAX];
    int size = short_decode(variant, want, text, pool);
    ss_bytes_t got;
    apr_status_t rv = ss_base64_decode(variant, &got, text, pool);

    ck_assert_msg(rv == (size < 0 ? APR_EINVAL : APR_SUCCESS), "%s: %.*s", what, (int)text.len,
                  text.data);
    assert_bytes(got, size < 0 ? ss_absent : ss_bytes(want, (apr_size_t)size), what);
}

START_TEST(encodes_every_length)
{
    char want[2 * LENGTHS];
    ss_bytes_t bytes = some_bytes((apr_size_t)_i);

    for (int v = 0; v < COUNT(variants); v++) {
        apr_size_t size = short_encode(variants[v], want, bytes);

        assert_bytes(encoded(variants[v], bytes), ss_bytes(want, size), "encoded");
    }
}
END_TEST

START_TEST(decodes_every_length)
{
    for (int v = 0; v < COUNT(variants); v++) {
        ss_bytes_t text = encoded(variants[v], some_bytes(LENGTHS));

        assert_decodes_alike(variants[v], exact(text.data, (apr_size_t)_i), "cut off");
        assert_decodes_alike(variants[v], encoded(variants[v], some_bytes((apr_size_t)_i)),
                             "a whole text");
    }
}
END_TEST

/* Every byte, legal or not, in place of every character. */
START_TEST(knows_its_alphabet_everywhere)
{
    for (int v = 0; v < COUNT(variants); v++) {
        ss_bytes_t text = encoded(variants[v], some_bytes(LONG_TEXT / 4 * 3));

        ck_assert_uint_eq(text.len, LONG_TEXT);
        for (int byte = 0; byte < 256; byte++) {
            ((char *)text.data)[_i] = (char)byte;
            assert_decodes_alike(variants[v], text, "one byte changed");
        }
    }
}
END_TEST

/* It takes whole steps or, on a processor without them, nothing; and stops before the step in which
 * something is wrong. */
START_TEST(takes_whole_steps_up_to_a_fault)
{
    ss_bytes_t out = exact(apr_pcalloc(pool, LONG_TEXT), LONG_TEXT / 4 * 3);

    for (int v = 0; v < COUNT(variants); v++) {
        ss_bytes_t text = encoded(variants[v], some_bytes(out.len));
        apr_size_t all = ss_vector_base64_decode(v, (unsigned char *)out.data, text);

        ck_assert(all == 0 || all == LONG_TEXT / 32 * 32);
        ck_assert(all == 0 || memcmp(out.data, some_bytes(all / 4 * 3).data, all / 4 * 3) == 0);
        ((char *)text.data)[_i] = '\n';
        ck_assert_uint_eq(ss_vector_base64_decode(v, (unsigned char *)out.data, text),
                          all > (apr_size_t)_i / 32 * 32 ? (apr_size_t)_i / 32 * 32 : all);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vector_base64");
    TCase *tcase = unit_case(suite, "vector_base64");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, encodes_every_length, 0, LENGTHS);
    tcase_add_loop_test(tcase, decodes_every_length, 0, LENGTHS);
    tcase_add_loop_test(tcase, knows_its_alphabet_everywhere, 0, LONG_TEXT);
    tcase_add_loop_test(tcase, takes_whole_steps_up_to_a_fault, 0, LONG_TEXT);
    return unit_run(suite);
}
