/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/ssctl.h"

/* What a terminal gets beyond a pipe. */

int is_terminal(FILE *out)
{
    return isatty(fileno(out));
}

int terminal_width(void)
{
    struct winsize size;

    return ioctl(fileno(stdout), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* https://no-color.org: any text in it counts. */
static int takes_colours(void)
{
    const char *none = getenv("NO_COLOR"), *kind = getenv("TERM");

    return is_terminal(stdout) && (none == NULL || *none == '\0') && kind != NULL &&
           strcmp(kind, "dumb") != 0;
}

const char *painted(paint_e paint)
{
    static const char *const codes[] = {
        [PAINT_NONE] = "\033[0m",  [PAINT_NAME] = "\033[1m",  [PAINT_QUIET] = "\033[2m",
        [PAINT_GOOD] = "\033[32m", [PAINT_WARN] = "\033[33m",
    };

    return takes_colours() ? codes[paint] : "";
}
