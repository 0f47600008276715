/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "tools/ssctl.h"

#define WIDTH_LEAST 20

static apr_size_t size_of(const apr_array_header_t *parts, int index)
{
    return APR_ARRAY_IDX(parts, index, ss_part_t).size;
}

const char *draw_mark(const apr_array_header_t *parts, int index, apr_pool_t *pool)
{
    char letter = 'a';

    for (int i = 0; i < index; i++) {
        letter += size_of(parts, i) > 0;
    }
    return size_of(parts, index) == 0
               ? "  "
               : apr_psprintf(pool, "%s%c%s ", painted(PAINT_QUIET), letter, painted(PAINT_NONE));
}

/* Columns of a part: one for each byte where there is room, and at least one. */
static int columns_of(apr_size_t size, apr_size_t whole, int width)
{
    apr_size_t columns = whole <= (apr_size_t)width ? size : size * width / whole;

    return size == 0 ? 0 : columns == 0 ? 1 : (int)columns;
}

int draw_parts(const apr_array_header_t *parts, apr_pool_t *pool)
{
    const char *count;
    apr_size_t whole = 0;
    int width;
    char letter = 'a';

    if (!is_terminal(stdout)) {
        return 0;
    }
    for (int i = 0; i < parts->nelts; i++) {
        whole += size_of(parts, i);
    }
    count = apr_psprintf(pool, "  %" APR_SIZE_T_FMT " bytes", whole);
    width = terminal_width() - (int)strlen(count) - parts->nelts;
    width = width < WIDTH_LEAST ? WIDTH_LEAST : width;
    for (int i = 0; i < parts->nelts; i++) {
        if (size_of(parts, i) > 0) {
            fputs(painted(letter % 2 == 0 ? PAINT_GOOD : PAINT_WARN), stdout);
            for (int j = columns_of(size_of(parts, i), whole, width); j > 0; j--) {
                putchar(letter);
            }
            letter++;
        }
    }
    printf("%s%s\n", painted(PAINT_NONE), count);
    return 1;
}
