/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_WRITTEN_H
#define SS_WRITTEN_H

#include <httpd.h>
#include <http_config.h>

/* Which directives were written, and where: for merging, and for whoever is to be told. */

struct ss_written_line_t;

/** What was written of one configuration. A line costs a few bytes when it is read, and a merge two
 * pointers. */
typedef struct ss_written_t {
    apr_uint64_t rows;                        /* a bit for each row of ss_directives */
    const struct ss_written_line_t *lines;    /* of this section itself, the last first */
    const struct ss_written_t *outer, *inner; /* of those that this was merged from; or NULL */
} ss_written_t;

/** A row was written, in this line. */
void ss_written_note(ss_written_t *written, int row, const cmd_parms *cmd);

/** What an outer and an inner section wrote, together. Both must live as long as `written`. */
void ss_written_merge(ss_written_t *written, const ss_written_t *outer, const ss_written_t *inner);

/** Was it written anywhere? */
static inline int ss_written_has(const ss_written_t *written, int row)
{
    return (written->rows >> row & 1) != 0;
}

/** Every line of a row, outer sections first: const ap_directive_t *. */
apr_array_header_t *ss_written_lines(const ss_written_t *written, int row, apr_pool_t *pool);

#endif
