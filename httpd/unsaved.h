/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_UNSAVED_H
#define SS_UNSAVED_H

#include "httpd/counters.h"
#include "httpd/visit.h"

/** Why a session was not saved, for those who must be told. */
typedef struct ss_unsaved_t {
    int status;         /* of HTTP */
    int level;          /* of the log */
    ss_refused_e kind;  /* for the counters */
    const char *log;    /* for the log, with its number */
    const char *detail; /* for the client: nothing of the store itself */
} ss_unsaved_t;

/** What a status of ss_saving_seal means, other than APR_SUCCESS. Texts are static, or in the
 * visit's pool. */
ss_unsaved_t ss_unsaved_of(const ss_visit_t *visit, apr_status_t rv);

#endif
