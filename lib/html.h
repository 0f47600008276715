/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_HTML_H
#define SS_HTML_H

#include "lib/json/json.h"

/* A page of HTML, written from its beginning to its end. Markup is what stands in the code;
 * whatever comes from elsewhere goes through ss_html_text. */

/** A page that grows. */
typedef struct ss_html_t {
    char *text;
    apr_size_t len, room;
    apr_pool_t *pool;
} ss_html_t;

/** An empty page; what it grows into lives in `pool`. */
ss_html_t ss_html_create(apr_pool_t *pool);

/** Markup, as it is. */
void ss_html_put(ss_html_t *html, const char *markup);
void ss_html_put_bytes(ss_html_t *html, ss_bytes_t markup);

/**
 * Text, for between tags and inside of attributes in double quotes: the one function that escapes.
 * What no page may hold becomes U+FFFD: bytes that are not UTF-8, and control characters but for
 * tab and line feed.
 */
void ss_html_text(ss_html_t *html, ss_bytes_t text);

/** Does a reader of the page get back exactly this text? */
int ss_html_holds(ss_bytes_t text);

/** Markup in which each $ stands for the next argument, a const char *, as text. */
void ss_html_fill(ss_html_t *html, const char *markup, ...);

/**
 * A value as text that is laid out: members and items on lines of their own. It is JSON of the same
 * meaning, number by number and escape by escape. Characters that nobody sees, or that turn the
 * text around, become escapes.
 */
void ss_html_json(ss_html_t *html, ss_json_t value);

/** All of it, so far. */
ss_bytes_t ss_html_page(const ss_html_t *html);

#endif
