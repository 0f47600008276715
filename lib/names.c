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

/* Eight bytes at a time; the last eight may overlap those before. The last product is multiplied
 * again, so that each byte reaches the upper bits: so far it has reached none below its own. */
static apr_uint64_t hash_of(ss_bytes_t name)
{
    apr_uint64_t hash = name.len, word = 0;

    if (name.len < sizeof(word)) {
        for (apr_size_t i = 0; i < name.len; i++) {
            word = word << 8 | (unsigned char)name.data[i];
        }
        return add_word(hash, word) * FACTOR;
    }
    for (apr_size_t i = 0; i < name.len - sizeof(word); i += sizeof(word)) {
        hash = add_word(hash, ss_word_at(name.data + i));
    }
    return add_word(hash, ss_word_at(name.data + name.len - sizeof(word))) * FACTOR;
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

/* How far to shift a hash so that the bits which stay can tell so many names apart. */
static int shift_for(int count)
{
    int shift = 63;

    while (shift > 34 && APR_UINT64_C(1) << (64 - shift) < (apr_uint64_t)count) {
        shift--;
    }
    return shift;
}

/* Each gets the next free place behind the one that its hash says. Where somebody has chosen names
 * that crowd together, sorting is cheaper than going on. */
int ss_index_may_have_alike(const ss_index_t *index, apr_pool_t *pool)
{
    int shift = shift_for(2 * index->count), places = 1 << (64 - shift);
    int *taken = apr_pcalloc(pool, places * sizeof(*taken)); /* numbers from 1 */
    int steps = 4 * index->count;

    for (int i = 0; i < index->count; i++) {
        apr_uint64_t hash = index->entries[i].hash;
        int place = (int)(hash >> shift);

        for (; taken[place] != 0; place = (place + 1) % places) {
            if (index->entries[taken[place] - 1].hash == hash || steps-- == 0) {
                return 1;
            }
        }
        taken[place] = i + 1;
    }
    return 0;
}

/* Of two names with one hash. */
static int order_of_names(ss_bytes_t a, ss_bytes_t b)
{
    int order, alike_order;

    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    order = memcmp(a.data, b.data, a.len);
    alike_order = order == 0 ? 0 : apr_cstr_casecmpn(a.data, b.data, a.len);
    return alike_order != 0 ? alike_order : order;
}

static int order_of(const struct ss_entry_t *a, const struct ss_entry_t *b)
{
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    return order_of_names(a->name, b->name);
}

/* `spare`: room for half of them. */
static void merge_sort(struct ss_entry_t *entries, struct ss_entry_t *spare, int count)
{
    int half = count / 2, left = 0, right = half, out = 0;

    if (count < 2) {
        return;
    }
    merge_sort(entries, spare, half);
    merge_sort(entries + half, spare, count - half);
    memcpy(spare, entries, half * sizeof(*spare));
    while (left < half) {
        int is_right = right < count && order_of(&entries[right], &spare[left]) < 0;

        entries[out++] = is_right ? entries[right++] : spare[left++];
    }
}

/* Fill `sorted`, by the upper bits of the hashes; behind[i], 0 before, becomes the end of those
 * whose bits are i. */
static void distribute(struct ss_entry_t *sorted, int *behind, const ss_index_t *index, int shift)
{
    int places = 1 << (64 - shift), sum = 0;

    for (int i = 0; i < index->count; i++) {
        behind[index->entries[i].hash >> shift]++;
    }
    for (int i = 0; i < places; i++) {
        int count = behind[i];

        behind[i] = sum;
        sum += count;
    }
    for (int i = 0; i < index->count; i++) {
        sorted[behind[index->entries[i].hash >> shift]++] = index->entries[i];
    }
}

void ss_index_sort(ss_index_t *index, apr_pool_t *pool)
{
    int shift = shift_for(index->count), places = 1 << (64 - shift);
    struct ss_entry_t *sorted = apr_palloc(pool, index->count * sizeof(*sorted));
    int *behind = apr_pcalloc(pool, places * sizeof(*behind));

    distribute(sorted, behind, index, shift);
    for (int i = 0, from = 0; i < places; from = behind[i++]) {
        merge_sort(sorted + from, index->entries, behind[i] - from);
    }
    index->entries = sorted;
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

int ss_index_is_same(const ss_index_t *index, int i)
{
    const struct ss_entry_t *entry = &index->entries[i];

    return i > 0 && entry[-1].hash == entry->hash && ss_bytes_equal(entry[-1].name, entry->name);
}

int ss_index_is_alike(const ss_index_t *index, int i)
{
    const struct ss_entry_t *entry = &index->entries[i];

    return i > 0 && entry[-1].hash == entry->hash && entry[-1].name.len == entry->name.len &&
           apr_cstr_casecmpn(entry[-1].name.data, entry->name.data, entry->name.len) == 0;
}
