/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_cstr.h>

#include "lib/names.h"
#include "lib/words.h"

#define FACTOR APR_UINT64_C(0x9E3779B97F4A7C15) /* 2^64 divided by the golden ratio */
/* Bit 5 is all that letters of either case differ in; that other bytes then meet does no harm. */
#define FOLD SS_EACH_BYTE(0x20)

static apr_uint64_t add_word(apr_uint64_t hash, apr_uint64_t word)
{
    hash = (hash ^ (word | FOLD)) * FACTOR;
    return hash ^ hash >> 32;
}

/* Eight bytes at a time; the last eight may overlap those before. */
static apr_uint64_t hash_of(ss_bytes_t name)
{
    apr_uint64_t hash = name.len, word = 0;

    if (name.len < sizeof(word)) {
        for (apr_size_t i = 0; i < name.len; i++) {
            word = word << 8 | (unsigned char)name.data[i];
        }
        return add_word(hash, word);
    }
    for (apr_size_t i = 0; i < name.len - sizeof(word); i += sizeof(word)) {
        hash = add_word(hash, ss_word_at(name.data + i));
    }
    return add_word(hash, ss_word_at(name.data + name.len - sizeof(word)));
}

/* Set the bit that these twelve bits say; returns whether it was set already. */
static int set_bit(ss_names_t *names, apr_uint64_t place)
{
    apr_uint64_t *word = &names->words[place % 64], bit = APR_UINT64_C(1) << (place / 64 % 64);
    int known = (*word & bit) != 0;

    *word |= bit;
    return known;
}

/* Two bits for each name: in 99 of 100 sets of fifty names none is taken for a double. Multiplied
 * again, both depend on every byte: so far the last ones have reached no lower bit than their own.
 */
int ss_names_add(ss_names_t *names, ss_bytes_t name)
{
    apr_uint64_t hash = hash_of(name) * FACTOR;

    return set_bit(names, hash >> 52) & set_bit(names, hash >> 40);
}

int ss_names_are_alike(ss_bytes_t a, ss_bytes_t b)
{
    return a.len == b.len && apr_cstr_casecmpn(a.data, b.data, a.len) == 0;
}

ss_index_t ss_index_create(int max, apr_pool_t *pool)
{
    const ss_index_t index = { 0, apr_palloc(pool, max * sizeof(*index.entries)) };

    return index;
}

void ss_index_add(ss_index_t *index, ss_bytes_t name)
{
    struct ss_entry_t *entry = &index->entries[index->count];

    entry->hash = hash_of(name);
    entry->name = name;
    entry->number = index->count++;
}

/* Of two names with one hash. */
static int order_of_names(ss_bytes_t a, ss_bytes_t b)
{
    int order;

    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    order = memcmp(a.data, b.data, a.len);
    if (order != 0) {
        int alike_order = apr_cstr_casecmpn(a.data, b.data, a.len);

        order = alike_order != 0 ? alike_order : order;
    }
    return order;
}

static int order_of(const struct ss_entry_t *a, const struct ss_entry_t *b)
{
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    return order_of_names(a->name, b->name);
}

/* `spare`: room for half of them. */
static void sort(struct ss_entry_t *entries, struct ss_entry_t *spare, int count)
{
    int half = count / 2, left = 0, right = half, out = 0;

    if (count < 2) {
        return;
    }
    sort(entries, spare, half);
    sort(entries + half, spare, count - half);
    memcpy(spare, entries, half * sizeof(*spare));
    while (left < half) {
        int is_right = right < count && order_of(&entries[right], &spare[left]) < 0;

        entries[out++] = is_right ? entries[right++] : spare[left++];
    }
}

void ss_index_sort(ss_index_t *index, apr_pool_t *pool)
{
    sort(index->entries, apr_palloc(pool, index->count / 2 * sizeof(*index->entries)),
         index->count);
}

int ss_index_find(const ss_index_t *index, ss_bytes_t name)
{
    const struct ss_entry_t wanted = { hash_of(name), name, 0 };
    int from = 0, to = index->count; /* behind the last one that is not greater lies between */

    while (from < to) {
        int middle = from + (to - from) / 2;

        if (order_of(&index->entries[middle], &wanted) <= 0) {
            from = middle + 1;
        }
        else {
            to = middle;
        }
    }
    return from > 0 && ss_bytes_equal(index->entries[from - 1].name, name)
               ? index->entries[from - 1].number
               : -1;
}
