/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_atomic.h>
#include <apr_strings.h>

#include "lib/memory.h"

#define ENTRIES (SS_MEMORY_COOKIES / SS_MEMORY_PARTS)
#define TAIL 16 /* bytes at the end of a cookie, where its signature is */

/** One remembered cookie. */
typedef struct entry_t {
    const ss_sealing_t *how; /* NULL: empty */
    apr_uint32_t tag;
    apr_size_t value_len, companion_len;
    const ss_format_t *format;
    ss_payload_t payload;       /* its text is `text` */
    char cookie[SS_COOKIE_MAX]; /* value and companion */
    char text[SS_COOKIE_MAX];
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

/* Are they the same? Somebody else's valid cookie is compared here, so the time taken depends on
 * the length only; eight bytes at a time, because it is the whole cookie. */
static int is_same(const char *a, const char *b, apr_size_t len)
{
    apr_uint64_t difference = 0, left, right;

    for (; len >= sizeof(left); len -= sizeof(left)) {
        memcpy(&left, a, sizeof(left));
        memcpy(&right, b, sizeof(right));
        difference |= left ^ right;
        a += sizeof(left);
        b += sizeof(left);
    }
    for (apr_size_t i = 0; i < len; i++) {
        difference |= (apr_uint64_t)(unsigned char)(a[i] ^ b[i]);
    }
    return difference == 0;
}

static int is_entry(const entry_t *entry, apr_uint32_t tag, const ss_sealed_t *cookie,
                    const ss_sealing_t *how)
{
    return entry->how == how && entry->tag == tag && entry->value_len == cookie->value.len &&
           entry->companion_len == cookie->companion.len &&
           is_same(entry->cookie, cookie->value.data, cookie->value.len) &&
           is_same(entry->cookie + entry->value_len, cookie->companion.data, cookie->companion.len);
}

int ss_memory_recall(ss_memory_t *memory, ss_payload_t *payload, const ss_format_t **format,
                     const ss_sealed_t *cookie, const ss_sealing_t *how, apr_pool_t *pool)
{
    apr_uint32_t tag = tag_of(cookie->value);
    part_t *part = take_part(memory, tag);
    int found = 0;

    if (part == NULL) {
        return 0;
    }
    for (int i = 0; i < ENTRIES && !found; i++) {
        const entry_t *entry = &part->entries[i];

        if (is_entry(entry, tag, cookie, how)) {
            *payload = entry->payload;
            payload->text.data = apr_pmemdup(pool, entry->text, entry->payload.text.len);
            *format = entry->format;
            found = 1;
        }
    }
    put_back(memory, tag, part);
    return found;
}

void ss_memory_keep(ss_memory_t *memory, const ss_payload_t *payload, const ss_format_t *format,
                    const ss_sealed_t *cookie, const ss_sealing_t *how)
{
    apr_uint32_t tag = tag_of(cookie->value);
    part_t *part;
    entry_t *entry;

    if (payload->text.len > sizeof(entry->text) ||
        cookie->value.len + cookie->companion.len > sizeof(entry->cookie)) {
        return;
    }
    part = take_part(memory, tag);
    if (part == NULL) {
        return;
    }
    entry = &part->entries[part->next];
    part->next = (part->next + 1) % ENTRIES;
    entry->how = how;
    entry->tag = tag;
    entry->format = format;
    entry->payload = *payload;
    entry->value_len = cookie->value.len;
    entry->companion_len = cookie->companion.len;
    memcpy(entry->cookie, cookie->value.data, cookie->value.len);
    if (cookie->companion.len > 0) {
        memcpy(entry->cookie + cookie->value.len, cookie->companion.data, cookie->companion.len);
    }
    memcpy(entry->text, payload->text.data, payload->text.len);
    put_back(memory, tag, part);
}
