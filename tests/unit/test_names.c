/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/names.h"
#include "tests/unit/unit.h"

/* clang-format off */
static const struct { const char *a, *b; int are_alike; } pairs[] = {
    { "a",        "a",        1 },
    { "",         "",         1 },
    { "A",        "a",        1 },
    { "aB",       "Ab",       1 },
    { "",         "a",        0 },
    { "a",        "b",        0 },
    { "a",        "aa",       0 },
    { "A",        "aa",       0 },
    { "[",        "{",        0 },
    { "@",        "`",        0 },
    { "\xc3\xa4", "\xc3\x84", 0 },
};
/* clang-format on */

START_TEST(tells_whether_names_are_alike)
{
    ss_bytes_t a = exact_of(pairs[_i].a), b = exact_of(pairs[_i].b);

    ck_assert_int_eq(ss_names_are_alike(a, b), pairs[_i].are_alike);
    ck_assert_int_eq(ss_names_are_alike(b, a), pairs[_i].are_alike);
}
END_TEST

/* `count` short names of few letters, so that many are the same, more of them are alike, and again
 * more have the same hash, in which brackets count as if they had a case, too. */
static ss_index_t few_names(int count, ss_bytes_t *names)
{
    ss_index_t index = ss_index_create(count, pool);
    unsigned state = 7 + (unsigned)count;

    for (int i = 0; i < count; i++) {
        char *name = apr_palloc(pool, 3);
        apr_size_t len = (state = state * 1103515245u + 12345) >> 16 & 3;

        for (apr_size_t j = 0; j < len; j++) {
            name[j] = "aA[{"[(state = state * 1103515245u + 12345) >> 16 & 3];
        }
        names[i] = ss_bytes(name, len);
        ss_index_add(&index, names[i]);
    }
    return index;
}

/* How often does another one stand between two neighbours? */
static int changes_within(const ss_index_t *index, int (*is_same)(ss_bytes_t a, ss_bytes_t b))
{
    int changes = 0;

    for (int i = 1; i < index->count; i++) {
        changes += !is_same(index->entries[i - 1].name, index->entries[i].name);
    }
    return changes;
}

/* How many of the names have none before them that is the same? */
static int different(const ss_bytes_t *names, int count, int (*is_same)(ss_bytes_t a, ss_bytes_t b))
{
    int result = 0;

    for (int i = 0, j; i < count; i++) {
        for (j = 0; j < i && !is_same(names[i], names[j]); j++) {
        }
        result += j == i;
    }
    return result;
}

static int is_equal(ss_bytes_t a, ss_bytes_t b)
{
    return ss_bytes_equal(a, b);
}

/* Each is there once, and stands beside those that are the same, and those that are alike. */
static void assert_sorted(const ss_index_t *index, const ss_bytes_t *names)
{
    for (int i = 0; i < index->count; i++) {
        const struct ss_entry_t *entry = &index->entries[i];

        ck_assert_ptr_eq(entry->name.data, names[entry->number].data);
        ck_assert(i == 0 || !ss_bytes_equal(entry[-1].name, entry->name) ||
                  entry[-1].number < entry->number);
    }
    ck_assert_int_eq(changes_within(index, is_equal) + 1, different(names, index->count, is_equal));
    ck_assert_int_eq(changes_within(index, ss_names_are_alike) + 1,
                     different(names, index->count, ss_names_are_alike));
}

/* As one would look for it without an index. */
static int last_of(const ss_bytes_t *names, int count, ss_bytes_t name)
{
    while (--count >= 0 && !ss_bytes_equal(names[count], name)) {
    }
    return count;
}

START_TEST(sorts_and_finds_names)
{
    static const char *const absent[] = { "A~", "[[[[", "c", " " };
    ss_bytes_t names[64];
    ss_index_t index = few_names(_i, names);

    ss_index_sort(&index, pool);
    ck_assert_int_eq(index.count, _i);
    if (_i > 0) {
        assert_sorted(&index, names);
    }
    for (int i = 0; i < _i; i++) {
        ck_assert_int_eq(ss_index_find(&index, names[i]), last_of(names, _i, names[i]));
    }
    for (int i = 0; i < COUNT(absent); i++) {
        ck_assert_int_eq(ss_index_find(&index, ss_bytes_of(absent[i])), -1);
    }
}
END_TEST

START_TEST(a_set_never_overlooks_a_double)
{
    ss_names_t names = { { 0 } };
    int known = 0;

    for (int i = 0; i < 200; i++) {
        const char *name = apr_psprintf(pool, "a%dLonger Name", i);

        known += ss_names_add(&names, exact_of(name));
        ck_assert(ss_names_add(&names, exact_of(name)));
        ck_assert(ss_names_add(&names, exact_of(apr_pstrcat(pool, "A", name + 1, NULL))));
    }
    ck_assert_int_lt(known, 50);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *tcase = unit_case(suite, "names");

    tcase_add_loop_test(tcase, tells_whether_names_are_alike, 0, COUNT(pairs));
    tcase_add_loop_test(tcase, sorts_and_finds_names, 0, 65);
    tcase_add_test(tcase, a_set_never_overlooks_a_double);
    return unit_run(suite);
}
