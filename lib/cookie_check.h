/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_COOKIE_CHECK_H
#define SS_COOKIE_CHECK_H

#include <apr_tables.h>

#include "lib/cookie.h"

/* The rules that browsers have for cookies, held against one request: will this one be stored, will
 * it come back, and who else can get at it? */

/** One request, and the cookie that would be sent in answer to it. */
typedef struct ss_scene_t {
    const ss_cookie_t *cookie;
    int https;             /* does httpd take the request for one by https? */
    const char *host;      /* without port; NULL: not known */
    const char *path;      /* of the URL, decoded */
    apr_int64_t max_age;   /* seconds; -1: none, it ends with the browser */
    apr_size_t size, room; /* bytes of name and value, and how many there may be */
    int came;              /* cookies of this name that came with the request */
    apr_size_t header,
        most; /* bytes of the whole Cookie header, and of the longest that is taken */
} ss_scene_t;

typedef enum ss_weight_e {
    SS_FINE,
    SS_HINT,   /* it might be better */
    SS_WARNING /* it does not work, or somebody else can get at the cookie */
} ss_weight_e;

typedef struct ss_remark_t {
    ss_weight_e weight;
    const char *about; /* "Secure=auto" */
    const char *text;  /* sentences for people */
} ss_remark_t;

/** What there is to say, in the order of the rules: ss_remark_t. */
apr_array_header_t *ss_cookie_check(const ss_scene_t *scene, apr_pool_t *pool);

#endif
