/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_PAGE_H
#define SS_PAGE_H

#include <httpd.h>

#include "httpd/visit.h"
#include "lib/cookie_check.h"
#include "lib/html.h"

/* What the sections of the inspector's page share. */

typedef struct ss_page_t {
    ss_html_t html;
    request_rec *r;
    const ss_dir_conf_t *dir;
    const ss_visit_t *visit;
    const ss_server_conf_t *conf;
    ss_session_t *session;
    int is_secret;                     /* are values hidden? */
    int may_change;                    /* do the endpoints here change this session at all? */
    const apr_array_header_t *remarks; /* ss_remark_t */
    ss_bytes_t cookie;                 /* the Set-Cookie line, without its value */
} ss_page_t;

/** Writes one section. */
typedef void ss_section_fn(ss_page_t *page);

ss_section_fn ss_section_verdict, ss_section_keys, ss_section_time, ss_section_size,
    ss_section_cookie, ss_section_configuration;

/** Seconds since 1970, as an element that says when that is. */
void ss_page_time(ss_page_t *page, apr_int64_t seconds);

/** A moment to come: "in 3h 5min", which the script keeps true. */
void ss_page_left(ss_page_t *page, apr_int64_t seconds);

/** A sign beside a text; `look` is good, warn or hint, and is said to who sees none. */
void ss_page_sign(ss_page_t *page, const char *look);

/** Part of a bar: `from` and `size` in thousandths of the whole. */
void ss_page_part(ss_page_t *page, const char *look, int from, int size);

/** `part` of `whole`, in thousandths, at most 1000. */
int ss_page_share(apr_int64_t part, apr_int64_t whole);

#endif
