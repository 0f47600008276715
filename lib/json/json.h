/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_JSON_H
#define SS_JSON_H

#include <apr_tables.h>

#include "lib/base.h"

/*
 * JSON (RFC 8259) as text: scanned, never built into a tree, so a value that nobody touches keeps
 * its exact bytes.
 *
 * A document is UTF-8 without a byte order mark and nests at most SS_JSON_DEPTH_MAX levels. Numbers
 * are text: no range. \u0000 and lone surrogate escapes are accepted.
 */

/**
 * A value that has been checked: what works on one need not look for the end of the text inside it,
 * and would run past it in any other text. So only the functions below make one; a copy of its
 * bytes, or a slice that one of them found, is one again.
 */
typedef struct ss_json_t {
    ss_bytes_t raw; /* without white space around it; ss_absent: there is no value */
} ss_json_t;

static const ss_json_t ss_json_absent = { { NULL, 0 } };

/** {} */
static const ss_json_t ss_json_empty = { { "{}", 2 } };

/** What readers accept. */
typedef enum ss_json_read_e {
    SS_JSON_STRICT,
    SS_JSON_PYTHON /* also its NaN, Infinity and -Infinity as numbers: for what frameworks sealed,
                      never for what clients send */
} ss_json_read_e;

/** What writers write otherwise than it stands there. */
typedef enum ss_json_write_e {
    SS_JSON_AS_IS = 0,
    SS_JSON_ASCII = 1,  /* everything outside printable ASCII, DEL included, as \uXXXX: lower case,
                           surrogate pairs */
    SS_JSON_FINITE = 2, /* NaN and the infinities as null */
    SS_JSON_ASCII_AND_FINITE = SS_JSON_ASCII | SS_JSON_FINITE
} ss_json_write_e;

typedef enum ss_json_kind_e {
    SS_JSON_OBJECT,
    SS_JSON_ARRAY,
    SS_JSON_STRING,
    SS_JSON_NUMBER,
    SS_JSON_TRUE,
    SS_JSON_FALSE,
    SS_JSON_NULL,
    SS_JSON_NOT_FINITE /* NaN, Infinity, -Infinity */
} ss_json_kind_e;

/** One member of an object. */
typedef struct ss_json_member_t {
    ss_bytes_t name;  /* decoded as ss_json_decode does; points into the document where nothing was
                         escaped */
    ss_json_t quoted; /* the name as it is written: a string */
    ss_json_t value;
    ss_bytes_t text; /* what the value says, where a slice of it does: a string of printable ASCII
                        without escapes, a finite number, true, false, null; ss_absent: ask
                        ss_value_slice */
    int is_simple;   /* is the name printable ASCII without escapes? */
} ss_json_member_t;

/** An object taken apart. */
typedef struct ss_json_object_t {
    ss_json_t value;
    apr_array_header_t *members; /* ss_json_member_t in document order, duplicates included */
    int is_compact;              /* is the whole text as ss_json_compact with SS_JSON_FINITE would
                                    write it? */
} ss_json_object_t;

/** Where a text stops being what was wanted. */
typedef struct ss_json_error_t {
    const char *wanted; /* for people, lower case, no full stop: "a value", "',' or '}'", "a name
                           that is not used twice" */
    apr_size_t offset;  /* bytes from the start of the text */
    int line, column;   /* from 1; columns count bytes; lines end at \n */
} ss_json_error_t;

/**
 * Is `text` one JSON value, with nothing but white space around it?
 *
 * @param value  out: the value in `text`, absent unless successful; may be NULL
 * @param error  out, only on failure; may be NULL
 * @return       APR_SUCCESS or APR_EINVAL
 */
SS_MUST_USE apr_status_t ss_json_check(ss_json_t *value, ss_bytes_t text, ss_json_read_e how,
                                       ss_json_error_t *error);

/**
 * The same for text that a client or an application sent, which must also be unambiguous: strict
 * JSON in which no object, at any depth, has two members of one name, more than SS_JSON_MEMBERS_MAX
 * members, or a name with a control character (U+0000 to U+001F, U+007F).
 */
SS_MUST_USE apr_status_t ss_json_check_input(ss_json_t *value, ss_bytes_t text,
                                             ss_json_error_t *error, apr_pool_t *pool);

/**
 * Check `text` as ss_json_check does, and take the outermost object apart.
 *
 * @param object  out: without value and members unless successful
 * @return        APR_SUCCESS; APR_EINVAL when the text is not JSON, or is JSON but no object
 * (error->wanted: "an object")
 */
SS_MUST_USE apr_status_t ss_json_object(ss_json_object_t *object, ss_bytes_t text,
                                        ss_json_read_e how, ss_json_error_t *error,
                                        apr_pool_t *pool);

/** An empty list of members (ss_json_member_t) with room for so many, none of which is cleared. */
apr_array_header_t *ss_json_members_create(apr_size_t room, apr_pool_t *pool);

/** The members of an object in order, duplicates included: ss_json_member_t. NULL for any other
 * value. */
apr_array_header_t *ss_json_members(ss_json_t object, apr_pool_t *pool);

/** The member that counts of those called `name`: the last that has a value. NULL when there is
 * none. */
ss_json_member_t *ss_json_find(const apr_array_header_t *members, ss_bytes_t name);

/**
 * Find many at once: for each of `wanted`, in which no name stands twice, the number in `members`
 * of the one that counts of its name, the last; -1 when there is none. Both are ss_json_member_t.
 */
const int *ss_json_match(const apr_array_header_t *wanted, const apr_array_header_t *members,
                         apr_pool_t *pool);

/** Take those without a value out of `members`; the others keep their order. */
void ss_json_close_gaps(apr_array_header_t *members);

/** The object that these members (ss_json_member_t) make, but for those without a value. They keep
 * their spelling, and no white space comes between them. */
ss_json_t ss_json_print(const apr_array_header_t *members, apr_pool_t *pool);

/** The items of an array, in order: ss_json_t. */
apr_array_header_t *ss_json_items(ss_json_t array, apr_pool_t *pool);

/**
 * The value that a path leads to: names of members and indexes of arrays (from 0, no leading
 * zeros), separated by dots. Of duplicate names the last counts.
 *
 * @param path  UTF-8; an empty step is the empty name
 * @return      a slice of `value`; absent when there is no such place
 */
ss_json_t ss_json_at(ss_json_t value, ss_bytes_t path, apr_pool_t *pool);

/** The same value with memory of its own. */
ss_json_t ss_json_copy(ss_json_t value, apr_pool_t *pool);

/** Levels of arrays and objects; 0 for any other value. */
int ss_json_depth(ss_json_t value);

/** Is a value none of null, false, "", zero in any spelling, NaN, the infinities, [], {}? */
int ss_json_is_true(ss_json_t value);

ss_json_kind_e ss_json_kind(ss_json_t value);

/**
 * The text of a string: escapes decoded, surrogate pairs joined, to UTF-8. A lone surrogate becomes
 * the three bytes that UTF-8 would use for its number, so that different names stay different.
 * Without escapes the result points into `quoted`.
 */
ss_bytes_t ss_json_decode(ss_json_t quoted, apr_pool_t *pool);

/** May this decoded text leave as a note, variable, header or log field? No control character, no
 * lone surrogate. */
int ss_json_is_plain(ss_bytes_t decoded);

/** A string from UTF-8. Escapes only what RFC 8259 demands. Absent when `text` is not UTF-8. */
ss_json_t ss_json_quote(ss_bytes_t text, apr_pool_t *pool);

/**
 * A value without insignificant white space; tokens keep their spelling, but for what `how` wants
 * otherwise. When nothing has to change the result is `value` itself. A terminated string follows
 * in memory only when it was rewritten.
 */
ss_json_t ss_json_compact(ss_json_t value, ss_json_write_e how, apr_pool_t *pool);

/**
 * Do two values mean the same? Strings by their decoded text, numbers by their spelling, objects
 * whatever their order (of duplicate names the last counts), arrays member by member.
 */
int ss_json_equal(ss_json_t a, ss_json_t b, apr_pool_t *pool);

/**
 * Apply a merge patch (RFC 7396). What the patch does not touch keeps its bytes and its place; new
 * members come last.
 *
 * @param target  may be absent
 * @param patch   no object in it may have a name twice: see ss_json_check_input
 * @return        the new value, in `pool` (or a slice of an argument)
 */
ss_json_t ss_json_merge(ss_json_t target, ss_json_t patch, apr_pool_t *pool);

/*
 * Type tags. Flask keeps what JSON has no type for as an object with one member, whose name begins
 * with a blank and says the type: {" d": "Thu, 01 Jan 2026 00:00:00 GMT"}. Its reader takes every
 * such object, at any depth, for the typed value, so only the application may write them.
 */

/** Is there a type tag in this value, or is it one? */
int ss_json_has_tag(ss_json_t value);

/** Is there one in `after` that does not stand at the same place in `before`, which may be absent?
 * A tag can appear although nobody wrote one, when its neighbours are removed. */
int ss_json_adds_tag(ss_json_t before, ss_json_t after, apr_pool_t *pool);

#endif
