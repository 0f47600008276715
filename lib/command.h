/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_COMMAND_H
#define SS_COMMAND_H

#include <apr_time.h>

#include "lib/base.h"

/** A program, and what it may take. */
typedef struct ss_command_t {
    const char *line; /* its name, looked for in PATH, and arguments: words, perhaps in quotes */
    apr_interval_time_t time; /* until it must have ended */
    char *output;             /* where its output goes */
    apr_size_t room;          /* bytes of it */
} ss_command_t;

/** How it ended. */
typedef struct ss_ending_t {
    apr_size_t len; /* bytes of output; when they fill the room it was ended, and all else is 0 */
    int code;       /* exit status, or the signal; 0 when all was well */
    int by_signal;
} ss_ending_t;

/**
 * Run a program, without a shell, until it ends. Its standard input is empty, its standard error is
 * ours. In no case is it left behind.
 *
 * @param ending  out: `code` is 0 unless successful
 * @param pool    what is opened for it is closed with this
 * @return        APR_SUCCESS when it has run, whatever it did; APR_TIMEUP when it did not end in
 * time; anything else when it cannot be run
 */
SS_MUST_USE apr_status_t ss_command_run(ss_ending_t *ending, const ss_command_t *command,
                                        apr_pool_t *pool);

#endif
