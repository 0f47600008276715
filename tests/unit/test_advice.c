/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>

#include "lib/advice.h"
#include "tests/unit/unit.h"

START_TEST(every_state_has_its_advice)
{
    for (int i = 0; i < SS_STATES; i++) {
        ck_assert_str_eq(ss_advice(i)->name, ss_state_name(i));
    }
}
END_TEST

static void assert_sentence(const char *text)
{
    apr_size_t len = strlen(text);

    ck_assert_msg(apr_isupper(text[0]) && text[len - 1] == '.', "%s", text);
    for (apr_size_t i = 0; i < len; i++) {
        ck_assert_msg(text[i] >= ' ' && text[i] <= '~', "%s", text);
    }
}

START_TEST(all_are_sentences_and_no_two_are_alike)
{
    for (int i = 0; i < SS_CASES; i++) {
        assert_sentence(ss_advice(i)->meaning);
        assert_sentence(ss_advice(i)->remedy);
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(ss_advice(i)->name, ss_advice(j)->name);
            ck_assert_str_ne(ss_advice(i)->meaning, ss_advice(j)->meaning);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("advice");
    TCase *tcase = unit_case(suite, "advice");

    tcase_add_test(tcase, every_state_has_its_advice);
    tcase_add_test(tcase, all_are_sentences_and_no_two_are_alike);
    return unit_run(suite);
}
