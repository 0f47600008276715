/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/written.h"

typedef struct ss_written_line_t {
    const ap_directive_t *directive; /* as long as the configuration */
    int row;
    const struct ss_written_line_t *before;
} line_t;

void ss_written_note(ss_written_t *written, int row, const cmd_parms *cmd)
{
    line_t *line = apr_palloc(cmd->pool, sizeof(*line));

    line->directive = cmd->directive;
    line->row = row;
    line->before = written->lines;
    written->lines = line;
    written->rows |= (apr_uint64_t)1 << row;
}

void ss_written_merge(ss_written_t *written, const ss_written_t *outer, const ss_written_t *inner)
{
    written->rows = outer->rows | inner->rows;
    written->lines = NULL;
    written->outer = outer;
    written->inner = inner;
}

/* From the last line of the innermost section to the first of the outermost. */
static void collect(apr_array_header_t *lines, const ss_written_t *written, int row)
{
    for (; written != NULL && ss_written_has(written, row); written = written->outer) {
        for (const line_t *line = written->lines; line != NULL; line = line->before) {
            if (line->row == row) {
                APR_ARRAY_PUSH(lines, const ap_directive_t *) = line->directive;
            }
        }
        collect(lines, written->inner, row);
    }
}

static void turn_around(apr_array_header_t *lines)
{
    const ap_directive_t **first = (const ap_directive_t **)lines->elts;

    for (int i = 0, j = lines->nelts - 1; i < j; i++, j--) {
        const ap_directive_t *line = first[i];

        first[i] = first[j];
        first[j] = line;
    }
}

apr_array_header_t *ss_written_lines(const ss_written_t *written, int row, apr_pool_t *pool)
{
    apr_array_header_t *lines = apr_array_make(pool, 4, sizeof(const ap_directive_t *));

    collect(lines, written, row);
    turn_around(lines);
    return lines;
}
