/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/inspector/page.h"

/* How the cookie is sent, and what deserves a look in that; the worst first. */

static const struct {
    ss_weight_e weight;
    const char *look;
} weights[] = { { SS_WARNING, "warn" }, { SS_HINT, "hint" }, { SS_FINE, "good" } };

static void write_remark(ss_page_t *page, const char *look, const ss_remark_t *remark)
{
    ss_html_put(&page->html, "<li>");
    ss_page_sign(page, look);
    ss_html_fill(&page->html, "<div><code>$</code><p>$</p></div></li>\n", remark->about,
                 remark->text);
}

void ss_section_cookie(ss_page_t *page)
{
    ss_html_t *html = &page->html;

    ss_html_put(
        html, "<section aria-labelledby=\"cookie\"><h2 id=\"cookie\" tabindex=\"-1\">Cookie</h2>\n"
              "<pre tabindex=\"0\" aria-label=\"How it is sent\">Set-Cookie: ");
    ss_html_text(html, page->cookie);
    ss_html_put(html, "</pre>\n<ul class=\"rules\">\n");
    for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
        for (int j = 0; j < page->remarks->nelts; j++) {
            const ss_remark_t *remark = &APR_ARRAY_IDX(page->remarks, j, ss_remark_t);

            if (remark->weight == weights[i].weight) {
                write_remark(page, weights[i].look, remark);
            }
        }
    }
    ss_html_put(html, "</ul></section>\n");
}
