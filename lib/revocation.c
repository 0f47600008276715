/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include "lib/lifetime.h"
#include "lib/revocation.h"
#include "lib/siphash.h"

/*
 * The set: entries in the order in which they came, and a table of their numbers, in which each has
 * the first free place behind the one that its hash says. Half of the places are free.
 */

#define NEVER ((apr_int64_t)-1)
#define SMALLEST 64            /* entries that there is room for at first */
#define FREE_MAX (1024 * 1024) /* bytes of memory that are kept for the next pool */

typedef struct entry_t {
    apr_uint64_t hash;
    ss_revocation_line_t line; /* of an id or a subject */
} entry_t;

/* Where to look, and whether it is worth it: an entry is somewhere else in memory. */
typedef struct place_t {
    apr_uint32_t number; /* of an entry, from 1; 0: free */
    apr_uint32_t tag;    /* the upper half of its hash */
} place_t;

struct ss_revocation_t {
    unsigned char key[SS_SIPHASH_KEY_SIZE];
    apr_pool_t *parent; /* of the set itself */
    apr_pool_t *pool;   /* of all that follows: when that is too small, or holds too much that is
                         past, what is to stay moves into a new one */
    apr_uint32_t limit, max, mask; /* entries there may be; there is room for; places, but one */
    apr_uint32_t count;
    entry_t *entries;
    place_t *places;
    ss_revocation_line_t all; /* one that has never held when there is none */
    apr_int64_t newest;       /* `before` of any line that held when it came */
};

static void make_room(ss_revocation_t *set, apr_uint32_t max)
{
    apr_pool_create(&set->pool, set->parent);
    apr_pool_tag(set->pool, "signed_session_revocation");
    set->count = 0;
    set->max = max;
    set->mask = 2 * max - 1;
    set->entries = apr_palloc(set->pool, max * sizeof(*set->entries));
    set->places = apr_pcalloc(set->pool, (set->mask + 1) * sizeof(*set->places));
}

ss_revocation_t *ss_revocation_create(const unsigned char *key, apr_uint32_t limit,
                                      apr_pool_t *pool)
{
    ss_revocation_t *set;
    apr_pool_t *own;

    apr_pool_create_unmanaged_ex(&own, apr_pool_abort_get(pool), NULL);
    apr_allocator_max_free_set(apr_pool_allocator_get(own), FREE_MAX);
    apr_pool_tag(own, "signed_session_revocation");
    set = apr_pcalloc(own, sizeof(*set));
    memcpy(set->key, key, sizeof(set->key));
    set->parent = own;
    set->limit = limit;
    set->all.kind = SS_REVOKED_ALL;
    set->all.until = NEVER;
    make_room(set, SMALLEST);
    return set;
}

void ss_revocation_destroy(ss_revocation_t *set)
{
    apr_pool_destroy(set->parent);
}

static int holds(apr_int64_t until, apr_time_t now)
{
    return apr_time_sec(now) <= until;
}

static int is_of(const entry_t *entry, ss_revoked_e kind, ss_bytes_t value)
{
    return entry->line.kind == kind && ss_bytes_equal(entry->line.value, value);
}

/* The place of this value, or the free one where it belongs. */
static place_t *place_of(const ss_revocation_t *set, apr_uint64_t hash, ss_revoked_e kind,
                         ss_bytes_t value)
{
    apr_uint32_t at = (apr_uint32_t)hash & set->mask, tag = (apr_uint32_t)(hash >> 32);
    place_t *place = &set->places[at];

    while (place->number != 0 &&
           (place->tag != tag || !is_of(&set->entries[place->number - 1], kind, value))) {
        at = (at + 1) & set->mask;
        place = &set->places[at];
    }
    return place;
}

/* What is said of this value; NULL: nothing that holds. */
static const ss_revocation_line_t *find(const ss_revocation_t *set, ss_revoked_e kind,
                                        ss_bytes_t value, apr_time_t now)
{
    apr_uint32_t number;

    if (value.data == NULL || set->count == 0) {
        return NULL;
    }
    number = place_of(set, ss_siphash(set->key, value), kind, value)->number;
    return number != 0 && holds(set->entries[number - 1].line.until, now)
               ? &set->entries[number - 1].line
               : NULL;
}

static void append(ss_revocation_t *set, apr_uint64_t hash, const ss_revocation_line_t *line)
{
    entry_t *entry = &set->entries[set->count++];
    place_t *place = place_of(set, hash, line->kind, line->value);

    entry->hash = hash;
    entry->line = *line;
    entry->line.value =
        ss_bytes(apr_pmemdup(set->pool, line->value.data, line->value.len), line->value.len);
    place->number = set->count;
    place->tag = (apr_uint32_t)(hash >> 32);
}

/* All that holds, into a new pool with room for so many. */
static void move(ss_revocation_t *set, apr_uint32_t max, apr_time_t now)
{
    ss_revocation_t old = *set;

    make_room(set, max);
    for (apr_uint32_t i = 0; i < old.count; i++) {
        if (holds(old.entries[i].line.until, now)) {
            append(set, old.entries[i].hash, &old.entries[i].line);
        }
    }
    apr_pool_destroy(old.pool);
}

static apr_uint32_t count_holding(const ss_revocation_t *set, apr_time_t now)
{
    apr_uint32_t count = 0;

    for (apr_uint32_t i = 0; i < set->count; i++) {
        count += holds(set->entries[i].line.until, now);
    }
    return count;
}

/* Room for one more. Twice as much, unless a quarter of what is there can go. */
static apr_status_t grow(ss_revocation_t *set, apr_time_t now)
{
    apr_uint32_t holding = count_holding(set, now);

    if (holding >= set->limit) {
        return APR_ENOSPC;
    }
    move(set, holding > set->max - set->max / 4 ? 2 * set->max : set->max, now);
    return APR_SUCCESS;
}

/* Until when and before when, of two lines. What holds no longer counts no longer. Does `line` say
 * more than was known? */
static int extend(ss_revocation_line_t *known, const ss_revocation_line_t *line, apr_time_t now)
{
    const apr_int64_t before = known->before, until = known->until;
    int is_past = !holds(until, now);

    if (is_past || line->before > before) {
        known->before = line->before;
    }
    if (is_past || line->until > until) {
        known->until = line->until;
    }
    return known->before != before || known->until != until;
}

/* `news`: added to, when the set says more by this. */
static apr_status_t add_entry(ss_revocation_t *set, const ss_revocation_line_t *line,
                              apr_time_t now, apr_size_t *news)
{
    apr_uint64_t hash = ss_siphash(set->key, line->value);
    apr_uint32_t number = place_of(set, hash, line->kind, line->value)->number;

    if (number != 0) {
        *news += (apr_size_t)extend(&set->entries[number - 1].line, line, now);
        return APR_SUCCESS;
    }
    if (set->count == set->max || set->count >= set->limit) {
        apr_status_t rv = grow(set, now);

        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    append(set, hash, line);
    ++*news;
    return APR_SUCCESS;
}

static apr_status_t add_line(ss_revocation_t *set, const ss_revocation_line_t *line, apr_time_t now,
                             apr_size_t *news)
{
    if (!holds(line->until, now)) {
        return APR_SUCCESS;
    }
    if (line->kind != SS_REVOKED_ID && line->before > set->newest) {
        set->newest = line->before;
    }
    if (line->kind == SS_REVOKED_ALL) {
        *news += (apr_size_t)extend(&set->all, line, now);
        return APR_SUCCESS;
    }
    return add_entry(set, line, now, news);
}

apr_status_t ss_revocation_add(ss_revocation_t *set, const ss_revocation_line_t *line,
                               apr_time_t now)
{
    apr_size_t news = 0;

    return add_line(set, line, now, &news);
}

static apr_status_t read_line(ss_revocation_t *set, ss_bytes_t text, int is_whole, apr_time_t now,
                              ss_revocation_count_t *count)
{
    char room[SS_REVOCATION_SUBJECT_MAX];
    ss_revocation_line_t line;
    apr_status_t rv = ss_revocation_parse(&line, text, room);

    if (rv != APR_SUCCESS) {
        count->unknown += is_whole && rv == APR_EINVAL;
        return APR_SUCCESS;
    }
    count->lines += (apr_size_t)is_whole;
    count->past += is_whole && !holds(line.until, now);
    return ss_revocation_add(set, &line, now);
}

apr_status_t ss_revocation_read(ss_revocation_t *set, ss_bytes_t text, apr_time_t now,
                                ss_revocation_count_t *count)
{
    while (text.len > 0) {
        const char *newline = memchr(text.data, '\n', text.len);
        apr_size_t len = newline == NULL ? text.len : (apr_size_t)(newline - text.data),
                   used = len + (newline != NULL);
        apr_status_t rv = read_line(set, ss_bytes(text.data, len), newline != NULL, now, count);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        count->read += newline == NULL ? 0 : used;
        text = ss_bytes(text.data + used, text.len - used);
    }
    return APR_SUCCESS;
}

apr_int64_t ss_revocation_end(const ss_revocation_t *set, apr_time_t now)
{
    apr_int64_t end = set->all.until;

    for (apr_uint32_t i = 0; i < set->count; i++) {
        apr_int64_t until = set->entries[i].line.until;

        end = until > end ? until : end;
    }
    return holds(end, now) ? end : 0;
}

int ss_revocation_covers(const ss_revocation_t *set, const ss_revocable_t *session, apr_time_t now)
{
    const ss_bytes_t id = ss_bytes((const char *)session->id, SS_SESSION_ID_SIZE);
    const ss_revocation_line_t *line = find(set, SS_REVOKED_ID, id, now);

    if (line != NULL || session->created == SS_NO_TIME) {
        return line != NULL;
    }
    return session->created < ss_revocation_earliest(set, session->subject, now);
}

apr_int64_t ss_revocation_earliest(const ss_revocation_t *set, ss_bytes_t subject, apr_time_t now)
{
    const ss_revocation_line_t *line = find(set, SS_REVOKED_SUBJECT, subject, now);
    apr_int64_t earliest = line == NULL ? 0 : line->before + 1;

    if (holds(set->all.until, now) && set->all.before >= earliest) {
        earliest = set->all.before + 1;
    }
    return earliest;
}

apr_int64_t ss_revocation_latest(const ss_revocation_t *set, ss_bytes_t subject, apr_time_t now)
{
    if (subject.data != NULL) {
        return ss_revocation_earliest(set, subject, now);
    }
    return set->newest == 0 ? 0 : set->newest + 1;
}

apr_status_t ss_revocation_merge(ss_revocation_t *set, const ss_revocation_t *other, apr_time_t now,
                                 apr_size_t *lacked)
{
    apr_status_t rv;

    *lacked = 0;
    rv = add_line(set, &other->all, now, lacked);
    for (apr_uint32_t i = 0; rv == APR_SUCCESS && i < other->count; i++) {
        rv = add_line(set, &other->entries[i].line, now, lacked);
    }
    return rv;
}

apr_size_t ss_revocation_size(const ss_revocation_t *set)
{
    return set->count + (apr_size_t)(set->all.until != NEVER);
}

apr_size_t ss_revocation_drop(ss_revocation_t *set, apr_time_t now)
{
    apr_size_t before = ss_revocation_size(set);
    apr_uint32_t holding = count_holding(set, now), max = SMALLEST;

    if (!holds(set->all.until, now)) {
        set->all.until = NEVER;
    }
    if (holding < set->count) {
        while (max < holding) {
            max *= 2;
        }
        move(set, max, now);
    }
    return before - ss_revocation_size(set);
}

static void print_to(apr_array_header_t *lines, const ss_revocation_line_t *line, apr_time_t now)
{
    ss_bytes_t text;

    if (holds(line->until, now) && ss_revocation_print(&text, line, lines->pool) == APR_SUCCESS) {
        APR_ARRAY_PUSH(lines, ss_bytes_t) = text;
    }
}

ss_bytes_t ss_revocation_text(const ss_revocation_t *set, apr_time_t now, apr_pool_t *pool)
{
    apr_array_header_t *lines = apr_array_make(pool, 16, sizeof(ss_bytes_t));
    apr_size_t len = 0;
    char *text, *out;

    print_to(lines, &set->all, now);
    for (apr_uint32_t i = 0; i < set->count; i++) {
        print_to(lines, &set->entries[i].line, now);
    }
    for (int i = 0; i < lines->nelts; i++) {
        len += APR_ARRAY_IDX(lines, i, ss_bytes_t).len;
    }
    text = out = apr_palloc(pool, len + 1);
    for (int i = 0; i < lines->nelts; i++) {
        const ss_bytes_t line = APR_ARRAY_IDX(lines, i, ss_bytes_t);

        memcpy(out, line.data, line.len);
        out += line.len;
    }
    *out = '\0';
    return ss_bytes(text, len);
}
