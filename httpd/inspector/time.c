/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/inspector/page.h"

/* How long the session still lives, and what would change that. */

/* Seconds after which a renewal is due; -1: never. */
static apr_int64_t due_after(const ss_lifetime_t *lifetime)
{
    switch (lifetime->renew.kind) {
    case SS_RENEW_PERCENT:
        return lifetime->idle == SS_FOREVER
                   ? -1
                   : apr_time_sec(lifetime->idle) * lifetime->renew.percent / 100;
    case SS_RENEW_AFTER:
        return apr_time_sec(lifetime->renew.after);
    case SS_RENEW_ALWAYS:
        return 0;
    default:
        return -1;
    }
}

static void write_head(ss_page_t *page, const char *what, apr_int64_t end)
{
    ss_html_fill(&page->html, "<h3 class=\"row\"><span>$</span><span>ends ", what);
    ss_page_left(page, end);
    ss_html_put(&page->html, "</span></h3>\n");
}

/* How much is used of `limit`; with a mark at `mark`, -1: none. Both in seconds. */
static void write_bar(ss_page_t *page, const char *what, apr_int64_t used, apr_int64_t limit,
                      apr_int64_t mark)
{
    apr_pool_t *pool = page->r->pool;
    int share = ss_page_share(used, limit);

    ss_html_fill(&page->html,
                 "<svg class=\"bar\" role=\"img\" aria-label=\"$ percent of the $ used\">",
                 apr_psprintf(pool, "%d", share / 10), what);
    ss_page_part(page, share > 700 ? "w" : "a", 0, share);
    if (mark >= 0 && mark <= limit) {
        ss_page_part(page, "t", ss_page_share(mark, limit), 4);
    }
    ss_html_put(&page->html, "</svg>\n");
}

static void write_renewal(ss_page_t *page, apr_int64_t renewed, apr_int64_t due)
{
    apr_pool_t *pool = page->r->pool;
    apr_int64_t now = apr_time_sec(page->visit->now);

    ss_html_fill(&page->html, "<p class=\"small\">Renewed $ ago. ",
                 ss_lifetime_span(now > renewed ? now - renewed : 0, pool));
    if (due < 0) {
        ss_html_put(&page->html, "Only a change renews it.</p>\n");
    }
    else if (renewed + due <= now) {
        ss_html_put(&page->html, "The next page renews it; this one does not count.</p>\n");
    }
    else {
        ss_html_put(&page->html, "Due again ");
        ss_page_left(page, renewed + due);
        ss_html_put(&page->html, ", at the mark. This page does not count.</p>\n");
    }
}

static void write_idle(ss_page_t *page, const ss_stamp_t *stamp)
{
    const ss_lifetime_t *lifetime = &page->conf->lifetime;
    apr_int64_t limit = apr_time_sec(lifetime->idle), due = due_after(lifetime);

    if (stamp->renewed == SS_NO_TIME) {
        ss_html_put(&page->html, "<p>Cookies of this format carry no time, so the session does not "
                                 "end by itself.</p>\n");
        return;
    }
    if (lifetime->idle == SS_FOREVER) {
        ss_html_put(&page->html, "<p>There is no idle timeout.</p>\n");
        return;
    }
    write_head(page, "Idle timeout", stamp->renewed + limit);
    write_bar(page, "idle timeout", apr_time_sec(page->visit->now) - stamp->renewed, limit, due);
    write_renewal(page, stamp->renewed, due);
}

static void write_absolute(ss_page_t *page, const ss_stamp_t *stamp)
{
    const ss_lifetime_t *lifetime = &page->conf->lifetime;
    apr_int64_t limit = apr_time_sec(lifetime->absolute), now = apr_time_sec(page->visit->now);

    if (stamp->created == SS_NO_TIME) {
        return;
    }
    if (lifetime->absolute != SS_FOREVER) {
        write_head(page, "Absolute timeout", stamp->created + limit);
        write_bar(page, "absolute timeout", now - stamp->created, limit, -1);
    }
    ss_html_fill(&page->html, "<p class=\"small\">Created $ ago, ",
                 ss_lifetime_span(now > stamp->created ? now - stamp->created : 0, page->r->pool));
    ss_page_time(page, stamp->created);
    ss_html_put(&page->html, lifetime->absolute != SS_FOREVER
                                 ? ". No renewal moves this end.</p>\n"
                                 : ". There is no absolute timeout.</p>\n");
}

void ss_section_time(ss_page_t *page)
{
    const ss_stamp_t *stamp = ss_session_stamp(page->session);

    if (page->visit->state != SS_VALID) {
        return;
    }
    ss_html_put(&page->html, "<section aria-labelledby=\"time\"><h2 id=\"time\">Time</h2>\n");
    write_idle(page, stamp);
    write_absolute(page, stamp);
    ss_html_put(&page->html, "</section>\n");
}
