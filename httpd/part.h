/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_PART_H
#define SS_PART_H

#include <httpd.h>

/* Parts of the module that have something to do when httpd starts. httpd/startup.c has their list,
 * and says when each is called. */

/** One reading of the configuration: a test, or one of the two passes of a start. */
typedef struct ss_start_t {
    server_rec *main; /* the first of all servers */
    int is_test;      /* "httpd -t", not a start */
    int is_first;     /* of two passes: it has the terminal, and nothing of it stays */
    int is_reload;    /* by an httpd that runs, with the environment of its start */
    apr_uid_t uid;    /* whom its children run as */
    apr_gid_t gid;
    apr_pool_t *keys;             /* what requests will use goes here; NULL: there will be none */
    apr_pool_t *scratch;          /* ends with this reading */
    apr_array_header_t *readings; /* secrets.c: what it has read so far */
} ss_start_t;

/** A warning that stops nothing: in the error log of a start, on the terminal of a test.
 *
 * @param message  with its number */
void ss_start_warn(const ss_start_t *start, server_rec *s, const char *message);

/** " (virtual host NAME, FILE:LINE)", for the end of a message; "" for the main server. */
const char *ss_start_place(const ss_start_t *start, const server_rec *s);

/** Returns OK, or HTTP_INTERNAL_SERVER_ERROR when httpd must not start; the log then says why. */
typedef int ss_part_fn(ss_start_t *start);

#endif
