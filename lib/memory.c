/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_atomic.h>
#include <apr_strings.h>

#include "lib/memory.h"
#include "lib/words.h"

#define SLOTS (SS_MEMORY_COOKIES / SS_MEMORY_PARTS)
#define ROOM (SS_MEMORY_BYTES / SS_MEMORY_PARTS)
#define TAIL 16 /* bytes at the end of a cookie, where its signature is */

/** One remembered cookie. Behind it, without gaps: the outline of its document, the text of that,
 * its value and its companion. */
typedef struct entry_t {
    const void *host;
    ss_memory_item_t item; /* but for the document */
    apr_size_t outline_size, text_len, value_len, companion_len;
} entry_t;

/** Where an entry is. */
typedef struct slot_t {
    apr_uint32_t tag;
    apr_uint32_t at, size; /* in the room */
} slot_t;

/** What one thread takes at a time: two rings, in which a new entry takes the place of the oldest.
 */
typedef struct part_t {
    int oldest, count; /* of the slots that are used */
    slot_t slots[SLOTS];
    apr_size_t next; /* where there may be room */
    union {
        entry_t align;
        char bytes[ROOM];
    } room;
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

#define WORDS 4 /* as many as compilers take at once where they are to keep code small */
#define STEP (WORDS * sizeof(apr_uint64_t))

/* Collect where two pieces of STEP bytes differ. */
static inline void collect(apr_uint64_t *differences, const char *a, const char *b)
{
    for (apr_size_t i = 0; i < WORDS; i++) {
        differences[i] |= ss_word_at(a + 8 * i) ^ ss_word_at(b + 8 * i);
    }
}

/* Are they the same? Somebody else's valid cookie is compared here, so the time taken depends on
 * the length only; in large steps, because it is the whole cookie. */
static int is_same(const char *a, const char *b, apr_size_t len)
{
    apr_uint64_t differences[WORDS] = { 0 };

    if (len < STEP) {
        for (apr_size_t i = 0; i < len; i++) {
            differences[0] |= (apr_uint64_t)(unsigned char)(a[i] ^ b[i]);
        }
    }
    else {
        for (apr_size_t at = 0; at < len - STEP; at += STEP) {
            collect(differences, a + at, b + at);
        }
        collect(differences, a + len - STEP, b + len - STEP); /* some of it once more */
    }
    return (differences[0] | differences[1] | differences[2] | differences[3]) == 0;
}

/*
 * An entry
 */

static const char *outline_of(const entry_t *entry)
{
    return (const char *)(entry + 1);
}

static const char *text_of(const entry_t *entry)
{
    return outline_of(entry) + entry->outline_size;
}

static const char *value_of(const entry_t *entry)
{
    return text_of(entry) + entry->text_len;
}

static apr_size_t size_of(const entry_t *entry)
{
    return sizeof(*entry) + entry->outline_size + entry->text_len + entry->value_len +
           entry->companion_len;
}

static int is_entry(const entry_t *entry, const ss_sealed_t *cookie, const void *host)
{
    return entry->host == host && entry->value_len == cookie->value.len &&
           entry->companion_len == cookie->companion.len &&
           is_same(value_of(entry), cookie->value.data, cookie->value.len) &&
           is_same(value_of(entry) + entry->value_len, cookie->companion.data,
                   cookie->companion.len);
}

static const entry_t *entry_at(const part_t *part, int slot)
{
    return (const entry_t *)(const void *)(part->room.bytes + part->slots[slot].at);
}

static const entry_t *find(const part_t *part, apr_uint32_t tag, const ss_sealed_t *cookie,
                           const void *host)
{
    for (int i = 0; i < SLOTS; i++) {
        if (part->slots[i].tag == tag && part->slots[i].size > 0 &&
            is_entry(entry_at(part, i), cookie, host)) {
            return entry_at(part, i);
        }
    }
    return NULL;
}

int ss_memory_recall(ss_memory_t *memory, ss_memory_item_t *item, const ss_sealed_t *cookie,
                     const void *host, apr_pool_t *pool)
{
    apr_uint32_t tag = tag_of(cookie->value);
    part_t *part = take_part(memory, tag);
    const entry_t *entry;

    if (part == NULL) {
        return 0;
    }
    entry = find(part, tag, cookie, host);
    if (entry != NULL) {
        const char *text = apr_pmemdup(pool, text_of(entry), entry->text_len);

        *item = entry->item;
        ss_outline_follow(&item->document, (const ss_outline_t *)(const void *)outline_of(entry),
                          ss_bytes(text, entry->text_len), pool);
    }
    put_back(memory, tag, part);
    return entry != NULL;
}

/*
 * Room for another
 */

static slot_t *oldest_of(part_t *part)
{
    return &part->slots[part->oldest];
}

static void forget_oldest(part_t *part)
{
    oldest_of(part)->size = 0;
    part->oldest = (part->oldest + 1) % SLOTS;
    part->count--;
}

/* A slot for an entry of this size, which is at most ROOM. */
static slot_t *take_slot(part_t *part, apr_size_t size)
{
    slot_t *slot;

    if (part->next + size > ROOM) {
        while (part->count > 0 && oldest_of(part)->at >= part->next) {
            forget_oldest(part);
        }
        part->next = 0;
    }
    while (part->count == SLOTS || (part->count > 0 && oldest_of(part)->at >= part->next &&
                                    oldest_of(part)->at < part->next + size)) {
        forget_oldest(part);
    }
    slot = &part->slots[(part->oldest + part->count++) % SLOTS];
    slot->at = (apr_uint32_t)part->next;
    slot->size = (apr_uint32_t)size;
    part->next += size;
    return slot;
}

static char *append(char *to, const void *bytes, apr_size_t len)
{
    if (len > 0) {
        memcpy(to, bytes, len);
    }
    return to + len;
}

static void fill(part_t *part, const slot_t *slot, const entry_t *head, const ss_sealed_t *cookie)
{
    char *to = append(part->room.bytes + slot->at, head, sizeof(*head));

    ss_outline_draw((ss_outline_t *)(void *)to, &head->item.document);
    to = append(to + head->outline_size, head->item.document.text.data, head->text_len);
    to = append(to, cookie->value.data, head->value_len);
    append(to, cookie->companion.data, head->companion_len);
}

void ss_memory_keep(ss_memory_t *memory, const ss_memory_item_t *item, const ss_sealed_t *cookie,
                    const void *host)
{
    const entry_t head = { host,
                           *item,
                           ss_outline_size(&item->document),
                           item->document.text.len,
                           cookie->value.len,
                           cookie->companion.len };
    apr_size_t size = APR_ALIGN_DEFAULT(size_of(&head));
    apr_uint32_t tag = tag_of(cookie->value);
    part_t *part;

    if (head.outline_size == 0 || size > ROOM) {
        return;
    }
    part = take_part(memory, tag);
    if (part != NULL) {
        slot_t *slot = take_slot(part, size);

        slot->tag = tag;
        fill(part, slot, &head, cookie);
        put_back(memory, tag, part);
    }
}
