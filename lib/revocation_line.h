/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_REVOCATION_LINE_H
#define SS_REVOCATION_LINE_H

#include "lib/base.h"

/*
 * Who was logged out everywhere: a line of text for each.
 *
 *     id <32 hex> <until>
 *     subject <percent-encoded value> <before> <until>
 *     all <before> <until>
 *     replaced <32 hex> <before> <until>
 *
 * Times are whole seconds since 1970. A line holds up to and in the second `until`: by then
 * whatever it revokes has expired. Lines that are empty or begin with # say nothing. Of two lines
 * that say the same of the same the later times hold.
 */

#define SS_REVOCATION_SUBJECT_MAX 4096 /* bytes of a subject's value */
/** Bytes of a printed line, with its newline: each byte of a subject may take three. */
#define SS_REVOCATION_LINE_MAX (3 * SS_REVOCATION_SUBJECT_MAX + 64)
#define SS_REVOCATION_TIME_MAX APR_INT64_C(0xffffffffff) /* 2^40 */

typedef enum ss_revoked_e {
    SS_REVOKED_ID,      /* one session */
    SS_REVOKED_SUBJECT, /* all sessions of somebody that were created up to `before` */
    SS_REVOKED_ALL,     /* all sessions of everybody that were */
    SS_REVOKED_REPLACED /* one session that has been given another id: it is revoked from `before`
                           on, so that requests under way still find it */
} ss_revoked_e;

/** What a line says. */
typedef struct ss_revocation_line_t {
    ss_revoked_e kind;
    ss_bytes_t value;   /* of an id, or one replaced: SS_SESSION_ID_SIZE bytes; of a subject: not
                           empty; else none */
    apr_int64_t before; /* 0 of an id */
    apr_int64_t until;
} ss_revocation_line_t;

/** Read a line without its newline. The value of a subject is in `room`, which has
 * SS_REVOCATION_SUBJECT_MAX bytes. APR_NOTFOUND: it says nothing; APR_EINVAL: it is no line of
 * ours. */
SS_MUST_USE apr_status_t ss_revocation_parse(ss_revocation_line_t *line, ss_bytes_t text,
                                             char *room);

/** The line as text, with its newline. APR_EINVAL: what it says cannot be written, for no value or
 * one that is too long, or a time out of range. */
SS_MUST_USE apr_status_t ss_revocation_print(ss_bytes_t *text, const ss_revocation_line_t *line,
                                             apr_pool_t *pool);

#endif
