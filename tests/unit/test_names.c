/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_cstr.h>

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
    for (int swapped = 0; swapped < 2; swapped++) {
        ss_index_t index = ss_index_create(2, pool);

        ss_index_add(&index, exact_of(swapped ? pairs[_i].b : pairs[_i].a));
        ss_index_add(&index, exact_of(swapped ? pairs[_i].a : pairs[_i].b));
        ss_index_sort(&index, pool);
        ck_assert_int_eq(ss_index_is_alike(&index, 1), pairs[_i].are_alike);
        ck_assert_int_eq(ss_index_is_same(&index, 1), strcmp(pairs[_i].a, pairs[_i].b) == 0);
        ck_assert(!ss_index_is_alike(&index, 0) && !ss_index_is_same(&index, 0));
    }
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

/* How many entries are not as the one before them? */
static int groups(const ss_index_t *index, int (*is)(const ss_index_t *index, int i))
{
    int count = 0;

    for (int i = 0; i < index->count; i++) {
        count += !is(index, i);
    }
    return count;
}

static int is_equal(ss_bytes_t a, ss_bytes_t b)
{
    return ss_bytes_equal(a, b);
}

static int is_alike(ss_bytes_t a, ss_bytes_t b)
{
    return a.len == b.len && apr_cstr_casecmpn(a.data, b.data, a.len) == 0;
}

/* How many names have none before them that is the same? */
static int different(const ss_bytes_t *names, int count, int (*is)(ss_bytes_t a, ss_bytes_t b))
{
    int result = 0;

    for (int i = 0, j; i < count; i++) {
        for (j = 0; j < i && !is(names[i], names[j]); j++) {
        }
        result += j == i;
    }
    return result;
}

/* Each is there once, and stands beside those that are the same, and those that are alike. */
static void assert_sorted(const ss_index_t *index, const ss_bytes_t *names)
{
    for (int i = 0; i < index->count; i++) {
        const struct ss_entry_t *entry = &index->entries[i];

        ck_assert_ptr_eq(entry->name.data, names[entry->number].data);
        ck_assert(!ss_index_is_same(index, i) || entry[-1].number < entry->number);
    }
    ck_assert_int_eq(groups(index, ss_index_is_same), different(names, index->count, is_equal));
    ck_assert_int_eq(groups(index, ss_index_is_alike), different(names, index->count, is_alike));
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
    ss_bytes_t names[64] = { { NULL, 0 } }; /* gcc does not see that each is set in time */
    ss_index_t index = few_names(_i, names);

    ck_assert(ss_index_may_have_alike(&index, pool) || different(names, _i, is_alike) == _i);
    ss_index_sort(&index, pool);
    ck_assert_int_eq(index.count, _i);
    assert_sorted(&index, names);
    for (int i = 0; i < _i; i++) {
        ck_assert_int_eq(ss_index_find(&index, names[i]), last_of(names, _i, names[i]));
    }
    for (int i = 0; i < COUNT(absent); i++) {
        ck_assert_int_eq(ss_index_find(&index, ss_bytes_of(absent[i])), -1);
    }
}
END_TEST

START_TEST(names_of_different_length_may_have_one_hash)
{
    ss_bytes_t names[] = { exact_of("a"), exact_of(" b"), exact_of("a"), exact_of(" b") };
    ss_index_t index = ss_index_create(COUNT(names), pool);

    for (int i = 0; i < COUNT(names); i++) {
        ss_index_add(&index, names[i]);
        ck_assert(index.entries[i].hash == index.entries[0].hash); /* or nothing is tried here */
    }
    ss_index_sort(&index, pool);
    assert_sorted(&index, names);
    for (int i = 0; i < COUNT(names); i++) {
        ck_assert_int_eq(ss_index_find(&index, names[i]), last_of(names, COUNT(names), names[i]));
    }
}
END_TEST

START_TEST(names_that_are_not_alike_seldom_seem_so)
{
    static const char *const formats[] = { "%d", "name%05d", "session:user_%d_name", "%dx" };

    for (int i = 0; i < COUNT(formats); i++) {
        for (int count = 0; count <= 1024; count = 2 * count + 1) {
            ss_index_t index = ss_index_create(count + 1, pool);

            for (int j = 0; j < count; j++) {
                ss_index_add(&index, ss_bytes_of(apr_psprintf(pool, formats[i], j)));
            }
            ck_assert_msg(!ss_index_may_have_alike(&index, pool), "%d of %s", count, formats[i]);
            ss_index_add(&index, ss_bytes_of(apr_psprintf(pool, formats[i], count / 2)));
            ck_assert_int_eq(ss_index_may_have_alike(&index, pool), count > 0);
        }
    }
}
END_TEST

/* Two indexes with other neighbours are walked side by side by whoever compares objects. */
START_TEST(the_order_is_the_same_in_every_index)
{
    ss_index_t few = ss_index_create(20, pool), many = ss_index_create(1000, pool);

    for (int i = 0; i < 1000; i++) {
        ss_bytes_t name = ss_bytes_of(apr_psprintf(pool, "name%d", i));

        ss_index_add(&many, name);
        if (i % 50 == 0) {
            ss_index_add(&few, name);
        }
    }
    ss_index_sort(&few, pool);
    ss_index_sort(&many, pool);
    for (int i = 0, j = 0; i < few.count; i++) {
        while (j < many.count && !ss_bytes_equal(many.entries[j].name, few.entries[i].name)) {
            j++;
        }
        ck_assert_int_lt(j, many.count);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("names");
    TCase *tcase = unit_case(suite, "names");

    tcase_add_loop_test(tcase, tells_whether_names_are_alike, 0, COUNT(pairs));
    tcase_add_loop_test(tcase, sorts_and_finds_names, 0, 65);
    tcase_add_test(tcase, names_of_different_length_may_have_one_hash);
    tcase_add_test(tcase, names_that_are_not_alike_seldom_seem_so);
    tcase_add_test(tcase, the_order_is_the_same_in_every_index);
    return unit_run(suite);
}
