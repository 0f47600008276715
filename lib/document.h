/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_DOCUMENT_H
#define SS_DOCUMENT_H

#include <apr_tables.h>

#include "lib/base.h"
#include "lib/json/json.h"

/** A top-level member that is no key where a session reserves it: see ss_session_reserve. */
#define SS_SESSION_HIDDEN "mod_session"

/** What a cookie holds, taken apart once and only read afterwards: a JSON object (SS_JSON_PYTHON is
 * allowed). */
typedef struct ss_document_t {
    ss_bytes_t text;                   /* as the cookie holds it; ss_absent: there is none */
    ss_json_t value;                   /* the same, without white space around it */
    const apr_array_header_t *members; /* ss_json_member_t in order, no name twice: of duplicates in
                                          a framework's cookie only the last */
    int is_compact; /* is the text as ss_json_compact with SS_JSON_FINITE would write it? */
    int hidden;     /* the member SS_SESSION_HIDDEN: its place, from 1; 0: there is none */
    int has_alike;  /* may two names differ in nothing but ASCII case? 0 is certain */
} ss_document_t;

/** The place of SS_SESSION_HIDDEN among members (ss_json_member_t), from 1; 0: it is not there. */
int ss_document_find_hidden(const apr_array_header_t *members);

/**
 * Take a text apart.
 *
 * @param document  out; no text and no members unless successful
 * @param text      not copied, must live as long as `pool`
 * @return          APR_SUCCESS, or APR_EINVAL when it is not a JSON object
 */
SS_MUST_USE apr_status_t ss_document_read(ss_document_t *document, ss_bytes_t text,
                                          apr_pool_t *pool);

#define SS_OUTLINE_TEXT 4096 /* bytes of a text that has one */

/** Where everything stands in a document, so that a copy of its text need not be taken apart again.
 * Without pointers: it can be copied and kept. */
typedef struct ss_outline_t {
    unsigned short count, value_at, value_len, hidden;
    unsigned char is_compact, has_alike;
    struct {
        unsigned short name_at, name_len, value_at, value_len, text_at, text_len;
        unsigned char is_simple, has_text;
    } rows[];
} ss_outline_t;

/** Bytes of the outline of a document; 0: there is none, because its text is too long, or a name
 * has escapes. */
apr_size_t ss_outline_size(const ss_document_t *document);

/** Draw the outline of a document that has one, where there is room for it. */
void ss_outline_draw(ss_outline_t *outline, const ss_document_t *document);

/** The document that a text and its outline stand for: as ss_document_read would make it. */
void ss_outline_follow(ss_document_t *document, const ss_outline_t *outline, ss_bytes_t text,
                       apr_pool_t *pool);

#endif
