/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_JSON_INPUT_H
#define SS_JSON_INPUT_H

#include <apr_tables.h>

#include "lib/json/json.h"

/* The names of input, which must be unambiguous: ss_json_check_input says in which way. json.c
 * calls these while it scans. A level is the number of objects and arrays around one: 0 for the
 * outermost, below SS_JSON_DEPTH_MAX. */

typedef struct ss_json_input_t {
    apr_array_header_t *names;         /* of all objects that are open, with their places */
    int first_name[SS_JSON_DEPTH_MAX]; /* where those of each level begin */
    const unsigned char *twice; /* the first place where a name is used again; NULL: none yet */
    apr_pool_t *pool;
} ss_json_input_t;

void ss_json_input_start(ss_json_input_t *input, apr_pool_t *pool);

/** An object or array begins. */
void ss_json_input_open(ss_json_input_t *input, unsigned level);

/**
 * Is this decoded name of a member of the object that is open at `level`, written at `at`, fit for
 * input?
 *
 * @param name       must outlive the object
 * @param is_simple  is it printable ASCII?
 * @return           NULL, or what was wanted instead, as in ss_json_error_t. A name that is used
 * twice comes up only when its object ends.
 */
const char *ss_json_input_name(ss_json_input_t *input, unsigned level, const unsigned char *at,
                               ss_bytes_t name, int is_simple);

/** The object or array ends, or the text does inside it: `twice` is set if a name was used again.
 */
void ss_json_input_close(ss_json_input_t *input, unsigned level);

#endif
