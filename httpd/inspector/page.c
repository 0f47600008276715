/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/inspector/page.h"

#define YEAR_MAX 9999 /* that RFC 3339 can write */

/* Returns whether it is a date: a cookie from the future may say any number. */
static int is_date(apr_time_exp_t *at, apr_int64_t seconds)
{
    return seconds <= APR_INT64_MAX / APR_USEC_PER_SEC &&
           apr_time_exp_gmt(at, apr_time_from_sec(seconds)) == APR_SUCCESS &&
           at->tm_year + 1900 <= YEAR_MAX;
}

/* "2026-11-21T14:05:00Z" */
static const char *for_machines(const apr_time_exp_t *at, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", at->tm_year + 1900, at->tm_mon + 1,
                        at->tm_mday, at->tm_hour, at->tm_min, at->tm_sec);
}

void ss_page_time(ss_page_t *page, apr_int64_t seconds)
{
    apr_pool_t *pool = page->r->pool;
    apr_time_exp_t at;

    if (!is_date(&at, seconds)) {
        ss_html_put(&page->html, "at no date");
        return;
    }
    ss_html_fill(&page->html, "<time datetime=\"$\">$</time>", for_machines(&at, pool),
                 apr_psprintf(pool, "%d %s %d, %02d:%02d UTC", at.tm_mday,
                              apr_month_snames[at.tm_mon], at.tm_year + 1900, at.tm_hour,
                              at.tm_min));
}

void ss_page_left(ss_page_t *page, apr_int64_t seconds)
{
    apr_pool_t *pool = page->r->pool;
    apr_int64_t left = seconds - apr_time_sec(page->visit->now);
    apr_time_exp_t at;

    if (is_date(&at, seconds)) {
        ss_html_fill(
            &page->html, "<time data-left datetime=\"$\">$</time>", for_machines(&at, pool),
            left > 0 ? apr_pstrcat(pool, "in ", ss_lifetime_span(left, pool), NULL) : "now");
    }
}

void ss_page_sign(ss_page_t *page, const char *look)
{
    const char *said = strcmp(look, "warn") == 0 ? "warning" : look;

    ss_html_fill(&page->html,
                 "<svg class=\"i $\" role=\"img\" aria-label=\"$\"><use href=\"#$\"></use></svg>",
                 look, said, look);
}

void ss_page_part(ss_page_t *page, const char *look, int from, int size)
{
    apr_pool_t *pool = page->r->pool;

    ss_html_fill(&page->html, "<rect class=\"$\" x=\"$%\" width=\"$%\" height=\"12\"></rect>", look,
                 apr_psprintf(pool, "%d.%d", from / 10, from % 10),
                 apr_psprintf(pool, "%d.%d", size / 10, size % 10));
}

int ss_page_share(apr_int64_t part, apr_int64_t whole)
{
    if (whole <= 0 || part <= 0) {
        return 0;
    }
    return part >= whole ? 1000 : (int)((double)part * 1000 / (double)whole);
}
