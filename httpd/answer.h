/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ANSWER_H
#define SS_ANSWER_H

#include <httpd.h>

#include "lib/base.h"

/* Answers of the endpoints. The status is set and the body written here, so that
 * neither httpd's HTML pages nor an ErrorDocument take its place. */

/** A JSON text. */
void ss_answer_json(request_rec *r, int status, ss_bytes_t json);

/** A page of HTML, in UTF-8. */
void ss_answer_page(request_rec *r, ss_bytes_t page);

/** No body: 204, or 200 for OPTIONS. */
void ss_answer_empty(request_rec *r, int status);

/**
 * A problem document (RFC 9457). `detail` says what was wrong and what to do.
 */
void ss_answer_problem(request_rec *r, int status, const char *detail);

#endif
