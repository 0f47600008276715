/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_FORM_H
#define SS_FORM_H

#include <apr_tables.h>

#include "lib/base.h"

/** One field of a form, decoded. */
typedef struct ss_form_field_t {
    ss_bytes_t name;
    ss_bytes_t value;
} ss_form_field_t;

/**
 * Take an application/x-www-form-urlencoded body apart (WHATWG URL section 5.1), strictly.
 *
 * @param fields  out: array of ss_form_field_t in order, in `pool`; NULL unless successful; empty
 * parts (`a=1&&b=2`) do not count
 * @param why     out, only on failure: what is wrong with which field, for people
 * @return        APR_SUCCESS, or APR_EINVAL: a broken percent escape, or bytes that are not UTF-8
 */
SS_MUST_USE apr_status_t ss_form_parse(apr_array_header_t **fields, const char **why,
                                       ss_bytes_t body, apr_pool_t *pool);

#endif
