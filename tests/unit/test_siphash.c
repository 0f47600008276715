/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/siphash.h"

/* The bytes 0, 1, 2, ... under the key 0, 1, ..., 15: as OpenSSL computes it with c-rounds 1 and
 * d-rounds 3. */
static const struct {
    apr_size_t len;
    apr_uint64_t hash;
} vectors[] = {
    { 0, APR_UINT64_C(0xabac0158050fc4dc) },  { 7, APR_UINT64_C(0xd3927d989bb11140) },
    { 8, APR_UINT64_C(0x369095118d299a8e) },  { 15, APR_UINT64_C(0xd320d86d2a519956) },
    { 16, APR_UINT64_C(0xcc4fdd1a7d908b66) }, { 63, APR_UINT64_C(0x9d199062b7bbb3a8) },
};

START_TEST(test_vector)
{
    unsigned char bytes[64];

    for (int i = 0; i < 64; i++) {
        bytes[i] = (unsigned char)i;
    }
    ck_assert_uint_eq(ss_siphash(bytes, exact((const char *)bytes, vectors[_i].len)),
                      vectors[_i].hash);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("siphash");
    TCase *tcase = unit_case(suite, "vectors");

    tcase_add_loop_test(tcase, test_vector, 0, COUNT(vectors));
    return unit_run(suite);
}
