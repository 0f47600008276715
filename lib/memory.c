/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_atomic.h>
#include <apr_strings.h>

#include "lib/memory.h"
#include "lib/words.h"

#define ENTRIES (SS_MEMORY_COOKIES / SS_MEMORY_PARTS)
#define TAIL 16 /* bytes at the end of a cookie, where its signature is */

/** One remembered cookie. */
typedef struct entry_t {
    const void *host; /* NULL: empty */
    apr_uint32_t tag;
    apr_size_t value_len, companion_len;
    ss_memory_item_t item; /* but for the document, which is these: */
    apr_size_t text_len;
    ss_outline_t outline;
    char text[SS_OUTLINE_TEXT];
    char cookie[SS_COOKIE_MAX]; /* value and companion */
} entry_t;

/** What one thread takes at a time. */
typedef struct part_t {
    int next; /* the entry that is given up for a new cookie */
    entry_t entries[ENTRIES];
} part_t;

struct ss_memory_t {
    volatile void *parts[SS_MEMORY_PARTS]; /* part_t, NULL while a thread has it */
};

ss_memory_t *ss_memory_create(apr_pool_t *pool)
{
    ss_memory_t *memory = apr_palloc(pool, sizeof(*memory));

    for (int i = 0; i < SS_MEMORY_PARTS; i++) {
        memory->parts[i] = apr_pcalloc(pool, sizeof(part_t));
    }
    return memory;
}

/* FNV-1a of the cookie's last bytes: nobody can choose those of a valid one. */
static apr_uint32_t tag_of(ss_bytes_t value)
{
    apr_uint32_t tag = 2166136261u;

    for (apr_size_t i = value.len > TAIL ? value.len - TAIL : 0; i < value.len; i++) {
        tag = (tag ^ (unsigned char)value.data[i]) * 16777619u;
    }
    return tag ^ tag >> 16;
}

static part_t *take_part(ss_memory_t *memory, apr_uint32_t tag)
{
    return apr_atomic_xchgptr(&memory->parts[tag % SS_MEMORY_PARTS], NULL);
}

static void put_back(ss_memory_t *memory, apr_uint32_t tag, part_t *part)
{
    apr_atomic_xchgptr(&memory->parts[tag % SS_MEMORY_PARTS], part);
}

#define STEP (4 * sizeof(apr_uint64_t))

static apr_uint64_t difference_at(const char *a, const char *b)
{
    return ss_word_at(a) ^ ss_word_at(b);
}

/* Are they the same? Somebody else's valid cookie is compared here, so the time taken depends on
 * the length only; in large steps, because it is the whole cookie. */
static int is_same(const char *a, const char *b, apr_size_t len)
{
    apr_uint64_t difference = 0;

    for (; len >= STEP; len -= STEP) {
        difference |= difference_at(a, b) | difference_at(a + 8, b + 8) |
                      difference_at(a + 16, b + 16) | difference_at(a + 24, b + 24);
        a += STEP;
        b += STEP;
    }
    for (apr_size_t i = 0; i < len; i++) {
        difference |= (apr_uint64_t)(unsigned char)(a[i] ^ b[i]);
    }
    return difference == 0;
}

static int is_entry(const entry_t *entry, apr_uint32_t tag, const ss_sealed_t *cookie,
                    const void *host)
{
    return entry->host == host && entry->tag == tag && entry->value_len == cookie->value.len &&
           entry->companion_len == cookie->companion.len &&
           is_same(entry->cookie, cookie->value.data, cookie->value.len) &&
           is_same(entry->cookie + entry->value_len, cookie->companion.data, cookie->companion.len);
}

int ss_memory_recall(ss_memory_t *memory, ss_memory_item_t *item, const ss_sealed_t *cookie,
                     const void *host, apr_pool_t *pool)
{
    apr_uint32_t tag = tag_of(cookie->value);
    part_t *part = take_part(memory, tag);
    int found = 0;

    if (part == NULL) {
        return 0;
    }
    for (int i = 0; i < ENTRIES && !found; i++) {
        const entry_t *entry = &part->entries[i];

        if (is_entry(entry, tag, cookie, host)) {
            const char *text = apr_pmemdup(pool, entry->text, entry->text_len);

            *item = entry->item;
            ss_outline_follow(&item->document, &entry->outline, ss_bytes(text, entry->text_len),
                              pool);
            found = 1;
        }
    }
    put_back(memory, tag, part);
    return found;
}

static void fill(entry_t *entry, apr_uint32_t tag, const ss_memory_item_t *item,
                 const ss_sealed_t *cookie, const void *host)
{
    ss_bytes_t value = cookie->value, companion = cookie->companion;

    entry->host = NULL;
    if (!ss_outline_draw(&entry->outline, &item->document)) {
        return;
    }
    entry->tag = tag;
    entry->item = *item;
    entry->text_len = item->document.text.len;
    memcpy(entry->text, item->document.text.data, entry->text_len);
    entry->value_len = value.len;
    entry->companion_len = companion.len;
    memcpy(entry->cookie, value.data, value.len);
    if (companion.len > 0) {
        memcpy(entry->cookie + value.len, companion.data, companion.len);
    }
    entry->host = host;
}

void ss_memory_keep(ss_memory_t *memory, const ss_memory_item_t *item, const ss_sealed_t *cookie,
                    const void *host)
{
    apr_uint32_t tag = tag_of(cookie->value);
    part_t *part;

    if (cookie->value.len + cookie->companion.len > SS_COOKIE_MAX) {
        return;
    }
    part = take_part(memory, tag);
    if (part != NULL) {
        fill(&part->entries[part->next], tag, item, cookie, host);
        part->next = (part->next + 1) % ENTRIES;
        put_back(memory, tag, part);
    }
}
