/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stddef.h>

#include <apr_strings.h>

#include "httpd/inspector/page.h"
#include "lib/option.h"

/* Which directives hold here, and where they were written. */

static const ss_directive_t *directive_of(const command_rec *row)
{
    return row->cmd_data;
}

/* What is behind the last slash. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static const char *quoted(const char *word, apr_pool_t *pool)
{
    return word[0] == '\0' || strpbrk(word, " \t\"") != NULL
               ? apr_psprintf(pool, "\"%s\"", ap_escape_quotes(pool, word))
               : word;
}

/* The words of a line; `most` of them, the rest as dots. */
static const char *words_of(const char *line, int most, apr_pool_t *pool)
{
    const char *words = "";

    for (int i = 0; *line != '\0'; i++) {
        const char *word = ap_getword_conf(pool, &line);

        if (i == most) {
            return apr_pstrcat(pool, words, " ...", NULL);
        }
        words = apr_pstrcat(pool, words, i > 0 ? " " : "",
                            quoted(ss_option_public(word, pool), pool), NULL);
    }
    return words;
}

/* "shop.conf:31, <Location "/session">" */
static const char *place_of(const ap_directive_t *line, apr_pool_t *pool)
{
    const ap_directive_t *section = line->parent;
    const char *place = apr_psprintf(pool, "%s:%d", base_name(line->filename), line->line_num);

    return section == NULL
               ? place
               : apr_pstrcat(pool, place, ", ", section->directive, " ", section->args, NULL);
}

static void write_row(ss_page_t *page, const char *name, const char *value, const char *place)
{
    ss_html_fill(&page->html,
                 "<tr><th scope=\"row\"><code>$</code></th><td><code>$</code></td>"
                 "<td class=\"small\">$</td></tr>\n",
                 name, value, place);
}

/* What a rule stores may be one of the values that are hidden. */
static int most_words(const ss_page_t *page, const ss_directive_t *directive)
{
    return page->is_secret && directive->parse == ss_parse_set ? 1 : -1;
}

/* Lines that add up are all shown; else the innermost holds. */
static void write_lines(ss_page_t *page, const command_rec *row, const ss_written_t *written)
{
    const ss_directive_t *directive = directive_of(row);
    apr_pool_t *pool = page->r->pool;
    const apr_array_header_t *lines = ss_written_lines(written, (int)(row - ss_directives), pool);

    for (int i = directive->merge != NULL ? 0 : lines->nelts - 1; i < lines->nelts; i++) {
        const ap_directive_t *line = APR_ARRAY_IDX(lines, i, const ap_directive_t *);

        write_row(page, row->name, words_of(line->args, most_words(page, directive), pool),
                  place_of(line, pool));
    }
}

/* A default that depends on the format. */
static const char *settled(const ss_page_t *page, const ss_directive_t *directive)
{
    if (directive->scope != SS_SERVER) {
        return NULL;
    }
    if (directive->offset == offsetof(ss_server_conf_t, lifetime.idle)) {
        return ss_lifetime_span(apr_time_sec(page->conf->lifetime.idle), page->r->pool);
    }
    if (directive->offset == offsetof(ss_server_conf_t, lifetime.renew) &&
        page->conf->lifetime.renew.kind == SS_RENEW_NEVER) {
        return "never";
    }
    return NULL;
}

static const char *default_of(const ss_page_t *page, const ss_directive_t *directive)
{
    const char *value = settled(page, directive);

    if (value != NULL) {
        return value;
    }
    if (directive->standard != NULL) {
        return directive->standard;
    }
    return directive->choice != NULL ? directive->choice->words[0] : "none";
}

static const ss_written_t *written_of(const ss_page_t *page, const command_rec *row)
{
    return directive_of(row)->scope == SS_SERVER ? &page->conf->written : &page->dir->written;
}

static void begin_table(ss_page_t *page, int is_written, const char *title)
{
    int count = 0;

    for (const command_rec *row = ss_directives; row->name != NULL; row++) {
        count += ss_written_has(written_of(page, row), (int)(row - ss_directives)) == is_written;
    }
    ss_html_fill(&page->html, title, apr_psprintf(page->r->pool, "%d", count));
    ss_html_put(&page->html, "<table><thead><tr><th scope=\"col\">Directive</th>"
                             "<th scope=\"col\">Value</th><th scope=\"col\">Written in</th></tr>"
                             "</thead>\n<tbody>\n");
}

static void write_table(ss_page_t *page, int is_written)
{
    for (const command_rec *row = ss_directives; row->name != NULL; row++) {
        const ss_written_t *written = written_of(page, row);

        if (ss_written_has(written, (int)(row - ss_directives)) != is_written) {
            continue;
        }
        if (is_written) {
            write_lines(page, row, written);
        }
        else {
            write_row(page, row->name, default_of(page, directive_of(row)), "default");
        }
    }
    ss_html_put(&page->html, "</tbody></table>\n");
}

void ss_section_configuration(ss_page_t *page)
{
    ss_html_put(&page->html, "<section aria-labelledby=\"configuration\">"
                             "<h2 id=\"configuration\">Configuration that holds here</h2>\n");
    begin_table(page, 1, "");
    write_table(page, 1);
    begin_table(page, 0,
                "<details class=\"small foot\"><summary>$ directives at their default</summary>\n");
    write_table(page, 0);
    ss_html_put(&page->html, "</details>\n</section>\n");
}
