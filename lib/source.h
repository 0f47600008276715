/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SOURCE_H
#define SS_SOURCE_H

#include <apr_tables.h>

#include "lib/base.h"

/* Where secrets come from: `env:NAME`, `file:PATH`, `exec:COMMAND`. A secret itself is never an
 * argument. */

typedef enum ss_source_e { SS_SOURCE_ENV, SS_SOURCE_FILE, SS_SOURCE_EXEC } ss_source_e;

typedef struct ss_source_t {
    ss_source_e kind;
    const char *name; /* variable, path, or command line */
    const char *text; /* as written, "env:NAME": for messages */
} ss_source_t;

/** One secret as it was read. `text` is wiped when the pool it was read into is cleared. */
typedef struct ss_secret_t {
    ss_bytes_t text;
    const char *origin; /* for messages: "env:NAME", "file:/path line 3" */
} ss_secret_t;

/**
 * Understand one argument of SignedSessionSecret, without reading anything.
 *
 * @param source  out: allocated in `pool`
 * @return        NULL, or what is wrong and what to write instead; never repeats the argument,
 * which may be a secret
 */
SS_MUST_USE const char *ss_source_parse(ss_source_t *source, const char *text, apr_pool_t *pool);

/**
 * Read every secret of every source, in order.
 *
 * `env:NAME` is the variable's value verbatim, one secret; when NAME is unset and NAME_FILE is set,
 * the file that one names. A file holds one secret a line; white space at both ends of a line,
 * empty lines, lines that begin with # and a byte order mark of UTF-8 at its beginning do not
 * count. Lines that begin with ; or // and a blank, comments elsewhere, or with ----- as PEM does,
 * are refused, and so is UTF-16. The output of a command, run without a shell, is read like a file.
 * A file or an output is at most 64 KiB, a command runs at most 30 seconds.
 *
 * @param secrets   out: array of ss_secret_t in `pool`; NULL unless successful
 * @param why       out, only on failure: names the source, never a secret
 * @param warnings  array of const char *: appended to, for example for a file that others can read;
 * may be NULL
 * @param sources   array of ss_source_t
 * @param root      directory that relative `file:` paths start from
 * @return          APR_SUCCESS; APR_NOTFOUND when an environment variable is unset (*why is then
 * its NAME alone); anything else when a source could not be read or yielded no secret
 */
SS_MUST_USE apr_status_t ss_source_read(apr_array_header_t **secrets, const char **why,
                                        apr_array_header_t *warnings,
                                        const apr_array_header_t *sources, const char *root,
                                        apr_pool_t *pool);

#endif
