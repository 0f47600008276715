/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include <apr_errno.h>

#include "lib/deflate.h"

static ss_bytes_t repeated(char c, apr_size_t len)
{
    char *text = apr_palloc(pool, len + 1);

    memset(text, c, len);
    return exact(text, len);
}

static ss_bytes_t packed_of(ss_bytes_t text)
{
    ss_bytes_t packed;

    ck_assert_int_eq(ss_deflate(&packed, text, pool), APR_SUCCESS);
    return exact(packed.data, packed.len);
}

START_TEST(what_was_packed_comes_out_again)
{
    static const apr_size_t sizes[] = { 0, 1, 100, 8191, 8192, 8193, SS_INFLATED_MAX };

    for (int i = 0; i < COUNT(sizes); i++) {
        ss_bytes_t text = repeated('a', sizes[i]), again;

        ck_assert_int_eq(ss_inflate(&again, packed_of(text), pool), APR_SUCCESS);
        assert_bytes(again, text, "packed");
        ck_assert_ptr_nonnull(again.data);
    }
}
END_TEST

START_TEST(a_bomb_is_refused)
{
    ss_bytes_t bomb = packed_of(repeated('a', 3 * 1024 * 1024)), text;

    ck_assert_uint_lt(bomb.len, 4096);
    ck_assert_int_eq(ss_inflate(&text, bomb, pool), APR_ENOSPC);
    ck_assert_ptr_null(text.data);
    ck_assert_int_eq(ss_inflate(&text, packed_of(repeated('a', SS_INFLATED_MAX + 1)), pool),
                     APR_ENOSPC);
}
END_TEST

START_TEST(anything_but_one_whole_stream_is_refused)
{
    ss_bytes_t good = packed_of(ss_bytes_of("{\"user\":\"alice\"}")), text;
    char *longer = apr_palloc(pool, good.len + 1);

    for (apr_size_t len = 0; len < good.len; len++) {
        ck_assert_int_eq(ss_inflate(&text, exact(good.data, len), pool), APR_EINVAL);
        ck_assert_ptr_null(text.data);
    }
    memcpy(longer, good.data, good.len);
    longer[good.len] = 'x';
    ck_assert_int_eq(ss_inflate(&text, exact(longer, good.len + 1), pool), APR_EINVAL);
    /* gzip, bare deflate, and text are other things */
    ck_assert_int_eq(ss_inflate(&text, unhex("1f8b08000000000000034b04000043beb7e801000000"), pool),
                     APR_EINVAL);
    ck_assert_int_eq(ss_inflate(&text, unhex("4b0400"), pool), APR_EINVAL);
    ck_assert_int_eq(ss_inflate(&text, exact_of("{}"), pool), APR_EINVAL);
}
END_TEST

/* RFC 1950 section 2.2: the check value of a stream that was tampered with. */
START_TEST(every_byte_of_the_check_value_counts)
{
    ss_bytes_t good = packed_of(ss_bytes_of("{\"user\":\"alice\"}")), text;

    for (apr_size_t i = good.len - 4; i < good.len; i++) {
        char *copy = apr_pmemdup(pool, good.data, good.len);

        copy[i] = (char)(copy[i] ^ 1);
        ck_assert_int_eq(ss_inflate(&text, exact(copy, good.len), pool), APR_EINVAL);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deflate");
    TCase *tcase = unit_case(suite, "deflate");

    tcase_add_test(tcase, what_was_packed_comes_out_again);
    tcase_add_test(tcase, a_bomb_is_refused);
    tcase_add_test(tcase, anything_but_one_whole_stream_is_refused);
    tcase_add_test(tcase, every_byte_of_the_check_value_counts);
    return unit_run(suite);
}
