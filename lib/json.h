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
 * are text: no range. \u0000 and lone surrogate escapes are accepted. "Raw" below means a slice of
 * the document, without white space around it.
 */

/** Accept Python's NaN, Infinity and -Infinity as numbers: for what frameworks sealed, never for
 * what clients send. */
#define SS_JSON_PYTHON 1

typedef enum ss_json_e {
    SS_JSON_OBJECT,
    SS_JSON_ARRAY,
    SS_JSON_STRING,
    SS_JSON_NUMBER,
    SS_JSON_TRUE,
    SS_JSON_FALSE,
    SS_JSON_NULL,
    SS_JSON_NOT_FINITE /* NaN, Infinity, -Infinity */
} ss_json_e;

/** One member of an object. */
typedef struct ss_json_member_t {
    ss_bytes_t name;   /* decoded as ss_json_decode does; points into the document where nothing was
                          escaped */
    ss_bytes_t quoted; /* raw, with its quotes */
    ss_bytes_t value;  /* raw */
    ss_bytes_t text;   /* what the value says, where a slice of it does: a string of printable ASCII
                          without escapes, a finite number, true, false, null; ss_absent: ask
                          ss_json_text */
    int is_simple;     /* is the name printable ASCII without escapes? */
} ss_json_member_t;

/** An object taken apart. */
typedef struct ss_json_object_t {
    apr_array_header_t *members; /* ss_json_member_t in document order, duplicates included */
    int is_compact;              /* would ss_json_compact with SS_JSON_FINITE leave it as it is? */
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
 * @param error  out, only on failure; may be NULL
 * @param flags  0 or SS_JSON_PYTHON
 * @return       APR_SUCCESS or APR_EINVAL
 */
apr_status_t ss_json_check(ss_bytes_t text, int flags, ss_json_error_t *error);

/**
 * The same for text that a client or an application sent, which must also be unambiguous: strict
 * JSON in which no object, at any depth, has two members of one name, more than SS_JSON_MEMBERS_MAX
 * members, or a name with a control character (U+0000 to U+001F, U+007F).
 */
apr_status_t ss_json_check_input(ss_bytes_t text, ss_json_error_t *error, apr_pool_t *pool);

/**
 * Check `text` as ss_json_check does, and take the outermost object apart.
 *
 * @param object  out: members is NULL unless successful
 * @return        APR_SUCCESS; APR_EINVAL when the text is not JSON, or is JSON but no object
 * (error->wanted: "an object")
 */
apr_status_t ss_json_object(ss_json_object_t *object, ss_bytes_t text, int flags,
                            ss_json_error_t *error, apr_pool_t *pool);

/** The same for those who only want its members. */
apr_status_t ss_json_members(apr_array_header_t **members, ss_bytes_t text, int flags,
                             ss_json_error_t *error, apr_pool_t *pool);

/** The member that counts of those called `name`: the last that has a value. NULL when there is
 * none. */
ss_json_member_t *ss_json_find(const apr_array_header_t *members, ss_bytes_t name);

/** The object that these members (ss_json_member_t) make, but for those without a value. Nothing is
 * escaped here, and no white space comes between them. */
ss_bytes_t ss_json_print(const apr_array_header_t *members, apr_pool_t *pool);

/** The raw items of a checked array, in order: ss_bytes_t. */
apr_array_header_t *ss_json_items(ss_bytes_t array, apr_pool_t *pool);

/**
 * The raw value that a path leads to: names of members and indexes of arrays (from 0, no leading
 * zeros), separated by dots.
 *
 * @param value  a checked value; of duplicate names the last counts
 * @param path   UTF-8; an empty step is the empty name
 * @return       ss_absent when there is no such place
 */
ss_bytes_t ss_json_at(ss_bytes_t value, ss_bytes_t path, apr_pool_t *pool);

/** Levels of arrays and objects in a checked value; 0 for any other. */
int ss_json_depth(ss_bytes_t value);

/** Is a raw value none of null, false, "", zero in any spelling, NaN, the infinities, [], {}? */
int ss_json_is_true(ss_bytes_t value);

/** The kind of a raw value; decided by its first byte (second for -Infinity), so the value must
 * have been checked. */
ss_json_e ss_json_kind(ss_bytes_t value);

/**
 * The text of a raw string: escapes decoded, surrogate pairs joined, to UTF-8. A lone surrogate
 * becomes the three bytes that UTF-8 would use for its number, so that different names stay
 * different. Without escapes the result points into `quoted`.
 */
ss_bytes_t ss_json_decode(ss_bytes_t quoted, apr_pool_t *pool);

/** May this decoded text leave as a note, variable, header or log field? No control character, no
 * lone surrogate. */
int ss_json_is_plain(ss_bytes_t decoded);

/** A JSON string, with quotes, from UTF-8. Escapes only what RFC 8259 demands. ss_absent when
 * `text` is not UTF-8. */
ss_bytes_t ss_json_quote(ss_bytes_t text, apr_pool_t *pool);

/** Escape everything outside printable ASCII, DEL included, as \uXXXX: lower case, surrogate pairs.
 */
#define SS_JSON_ASCII 2
/** Write NaN and the infinities as null. */
#define SS_JSON_FINITE 4

/**
 * A checked value without insignificant white space; tokens keep their spelling. With flags as
 * above. When nothing has to change the result is `value` itself. A terminated string follows in
 * memory only when it was rewritten.
 */
ss_bytes_t ss_json_compact(ss_bytes_t value, int flags, apr_pool_t *pool);

/**
 * Do two checked values mean the same? Strings by their decoded text, numbers by their spelling,
 * objects whatever their order (of duplicate names the last counts), arrays member by member.
 */
int ss_json_equal(ss_bytes_t a, ss_bytes_t b, apr_pool_t *pool);

/**
 * Apply a merge patch (RFC 7396). What the patch does not touch keeps its bytes and its place; new
 * members come last.
 *
 * @param target  a checked value, or ss_absent
 * @param patch   a value that ss_json_check_input accepted
 * @return        the new value, in `pool` (or a slice of an argument)
 */
ss_bytes_t ss_json_merge(ss_bytes_t target, ss_bytes_t patch, apr_pool_t *pool);

/*
 * Type tags. Flask keeps what JSON has no type for as an object with one member, whose name begins
 * with a blank and says the type: {" d": "Thu, 01 Jan 2026 00:00:00 GMT"}. Its reader takes every
 * such object, at any depth, for the typed value, so only the application may write them.
 */

/** Is there a type tag in this checked value, or is it one? */
int ss_json_has_tag(ss_bytes_t value);

/** Is there one in `after` that does not stand at the same place in `before`, which is ss_absent
 * for "absent"? A tag can appear although nobody wrote one, when its neighbours are removed. */
int ss_json_adds_tag(ss_bytes_t before, ss_bytes_t after, apr_pool_t *pool);

#endif
