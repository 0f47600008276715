/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/inspector/page.h"

/* How much room the session takes, and of what. */

static const char *number(apr_size_t count, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_SIZE_T_FMT, count);
}

static void write_head(ss_page_t *page, apr_size_t used, apr_size_t room)
{
    apr_pool_t *pool = page->r->pool;

    ss_html_fill(
        &page->html, "<h3 class=\"row\"><span>$ of $ bytes</span><span>$ left</span></h3>\n",
        number(used, pool), number(room, pool), number(room > used ? room - used : 0, pool));
    ss_html_fill(&page->html,
                 "<svg class=\"bar\" role=\"img\" aria-label=\"$ percent of the room used\">",
                 apr_psprintf(pool, "%d", ss_page_share(used, room) / 10));
}

/* The text of a record in a store. */
static void write_stored(ss_page_t *page)
{
    apr_size_t used = ss_session_text(page->session).len, room = page->conf->store_max_size;

    write_head(page, used, room);
    ss_page_part(page, "a", 0, ss_page_share(used, room));
    ss_html_put(&page->html, "</svg>\n<p class=\"small\">JSON in the store. The cookie only leads "
                             "there, and stays as short as it is.</p>\n");
}

/* In base64 three bytes take four. */
static apr_size_t in_cookie(apr_size_t bytes)
{
    return (bytes * 4 + 2) / 3;
}

static void write_in_cookie(ss_page_t *page)
{
    apr_pool_t *pool = page->r->pool;
    apr_size_t used = page->visit->opened.size, room = page->conf->max_size;
    apr_size_t name = strlen(page->conf->cookie.name);
    apr_size_t json = in_cookie(ss_session_text(page->session).len);
    apr_size_t rest;
    int a, b, c;

    /* a compressed cookie is shorter than its text */
    json = json + name > used ? used - name : json;
    rest = used - name - json;
    a = ss_page_share(json, room);
    b = ss_page_share(rest, room);
    c = ss_page_share(name, room);
    write_head(page, used, room);
    ss_page_part(page, "a", 0, a);
    ss_page_part(page, "b", a, b);
    ss_page_part(page, "c", a + b, c);
    ss_html_fill(&page->html,
                 "</svg>\n<ul class=\"legend small\"><li><i class=\"a\"></i>JSON $</li>"
                 "<li><i class=\"b\"></i>times, id, seal $</li><li><i class=\"c\"></i>name $</li>"
                 "<li><i class=\"f\"></i>free</li></ul>\n",
                 number(json, pool), number(rest, pool), number(name, pool));
}

static void write_header(ss_page_t *page)
{
    apr_pool_t *pool = page->r->pool;
    int most = page->r->server->limit_req_fieldsize;

    if (page->visit->header != NULL) {
        ss_html_fill(
            &page->html,
            "<p class=\"small\">All cookies of this request together: $ bytes. This server "
            "refuses more than $.</p>\n",
            number(strlen(page->visit->header), pool), apr_psprintf(pool, "%d", most));
    }
}

void ss_section_size(ss_page_t *page)
{
    if (page->visit->state == SS_VALID) {
        ss_html_put(&page->html, "<section aria-labelledby=\"size\"><h2 id=\"size\">Size</h2>\n");
        (page->visit->opened.is_stored ? write_stored : write_in_cookie)(page);
        write_header(page);
        ss_html_put(&page->html, "</section>\n");
    }
}
