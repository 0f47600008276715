/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>
#include <apr_strings.h>

#include "httpd/inspector/page.h"
#include "lib/change.h"

/* What the session holds, and what of it may be changed here. */

#define SHORT 96              /* bytes of a value that stands in its row; others are folded */
#define SHOWN_MAX (64 * 1024) /* bytes of all values that are shown: a store may hold more */

static const char *type_of(ss_json_t value)
{
    static const char *const names[] = {
        [SS_JSON_OBJECT] = "object", [SS_JSON_ARRAY] = "array",     [SS_JSON_STRING] = "string",
        [SS_JSON_NUMBER] = "number", [SS_JSON_TRUE] = "boolean",    [SS_JSON_FALSE] = "boolean",
        [SS_JSON_NULL] = "null",     [SS_JSON_NOT_FINITE] = "null",
    };

    return names[ss_json_kind(value)];
}

/* "3 members" */
static const char *extent_of(ss_json_t value, apr_pool_t *pool)
{
    const char *noun = "byte";
    int count = (int)value.raw.len;

    if (ss_json_kind(value) == SS_JSON_OBJECT) {
        count = ss_json_members(value, pool)->nelts;
        noun = "member";
    }
    else if (ss_json_kind(value) == SS_JSON_ARRAY) {
        count = ss_json_items(value, pool)->nelts;
        noun = "item";
    }
    return apr_psprintf(pool, "%d %s%s", count, noun, count == 1 ? "" : "s");
}

static int is_nested(ss_json_t value)
{
    return ss_json_depth(value) > 0 && value.raw.len > 2;
}

static void write_value(ss_page_t *page, ss_json_t value)
{
    ss_html_t *html = &page->html;

    if (!is_nested(value) && value.raw.len <= SHORT) {
        ss_html_put(html, "<code data-value>");
        ss_html_json(html, value);
        ss_html_put(html, "</code>");
    }
    else {
        ss_html_fill(html, "<details><summary>$</summary><pre tabindex=\"0\" data-value>",
                     extent_of(value, page->r->pool));
        ss_html_json(html, value);
        ss_html_put(html, "</pre></details>");
    }
}

/* May the endpoints here change it, and can the script of the page say its name? */
static int is_writable(const ss_page_t *page, ss_bytes_t name)
{
    return page->may_change && ss_key_is_acceptable(name) && ss_html_holds(name) &&
           ss_keys_include(&page->dir->writable, name);
}

static int is_any_writable(const ss_page_t *page)
{
    return page->may_change && (page->dir->writable.all || page->dir->writable.names != NULL);
}

/* `shown` counts the bytes of values. */
static void write_row(ss_page_t *page, const ss_json_member_t *member, apr_size_t *shown)
{
    ss_html_t *html = &page->html;
    apr_size_t size = member->quoted.raw.len + member->value.raw.len + 2;
    int is_cut = *shown + member->value.raw.len > SHOWN_MAX;

    if (is_writable(page, member->name) && !is_cut) {
        ss_html_put(html, "<tr data-key=\"");
        ss_html_text(html, member->name);
        ss_html_put(html, "\">");
    }
    else {
        ss_html_put(html, "<tr>");
    }
    ss_html_put(html, "<th scope=\"row\"><bdi>");
    ss_html_text(html, member->name);
    ss_html_fill(html, "</bdi></th><td class=\"type\">$</td><td class=\"val\">",
                 type_of(member->value));
    if (page->is_secret) {
        ss_html_put(html, "<span class=\"soft\">not shown</span>");
    }
    else if (is_cut) {
        ss_html_put(
            html, "<span class=\"soft\">too long for this page: <a href=\"?json\">JSON</a></span>");
    }
    else {
        write_value(page, member->value);
        *shown += member->value.raw.len;
    }
    ss_html_fill(html, "</td><td class=\"num small\">$ B</td>",
                 apr_psprintf(page->r->pool, "%" APR_SIZE_T_FMT, size));
    ss_html_put(html, is_any_writable(page) ? "<td class=\"do js\"></td></tr>\n" : "</tr>\n");
}

static void write_table(ss_page_t *page, const apr_array_header_t *members)
{
    apr_size_t shown = 0;

    ss_html_put(&page->html, "<table class=\"keys\"><thead><tr><th scope=\"col\">Key</th>"
                             "<th scope=\"col\">Type</th><th scope=\"col\">Value</th>"
                             "<th scope=\"col\" class=\"num\">Size</th>");
    if (is_any_writable(page)) {
        ss_html_put(&page->html,
                    "<th scope=\"col\" class=\"js\"><span class=\"hid\">Actions</span></th>");
    }
    ss_html_put(&page->html, "</tr></thead>\n<tbody>\n");
    for (int i = 0; i < members->nelts; i++) {
        write_row(page, &APR_ARRAY_IDX(members, i, ss_json_member_t), &shown);
    }
    ss_html_put(&page->html, "</tbody></table>\n");
}

/* Is it a name that stands for itself wherever keys are read? */
static int is_simple(ss_bytes_t name)
{
    for (apr_size_t i = 0; i < name.len; i++) {
        if (!apr_isascii(name.data[i]) || !(apr_isalnum(name.data[i]) || name.data[i] == '_')) {
            return 0;
        }
    }
    return name.len > 0;
}

/* How the rest of the configuration reads a key, by the example of the first. */
static void write_use(ss_page_t *page, const apr_array_header_t *members)
{
    for (int i = 0; i < members->nelts; i++) {
        ss_bytes_t name = APR_ARRAY_IDX(members, i, ss_json_member_t).name;

        if (is_simple(name)) {
            const char *key = apr_pstrmemdup(page->r->pool, name.data, name.len);

            ss_html_fill(
                &page->html,
                "<details class=\"small foot\"><summary>How rules, scripts and logs read a "
                "key</summary><dl class=\"use\">"
                "<dt>Expression</dt><dd><code>%{session:$}</code></dd>"
                "<dt>Script</dt><dd><code>SESSION_$</code>, with <code>SignedSessionEnv "
                "On</code></dd>"
                "<dt>Access</dt><dd><code>Require signed-session $</code></dd>"
                "<dt>Access log</dt><dd><code>%{$}^SS</code></dd></dl></details>\n",
                key, key, key, key);
            return;
        }
    }
}

/* Names to choose from, where not every key may be written. */
static void write_choices(ss_page_t *page)
{
    const apr_array_header_t *names = page->dir->writable.names;

    if (names == NULL) {
        return;
    }
    ss_html_put(&page->html, "<datalist id=\"writable\">");
    for (int i = 0; i < names->nelts; i++) {
        ss_html_fill(&page->html, "<option value=\"$\"></option>",
                     APR_ARRAY_IDX(names, i, const char *));
    }
    ss_html_put(&page->html, "</datalist>");
}

static void write_form(ss_page_t *page)
{
    ss_html_put(&page->html,
                "<form class=\"add js\"><div><label for=\"new-key\">New key</label>"
                "<input id=\"new-key\" required autocomplete=\"off\" spellcheck=\"false\"");
    ss_html_put(&page->html, page->dir->writable.names != NULL ? " list=\"writable\">" : ">");
    write_choices(page);
    ss_html_put(&page->html,
                "</div><div><label for=\"new-value\">Value: JSON, or plain text</label>"
                "<input id=\"new-value\" required autocomplete=\"off\" spellcheck=\"false\"></div>"
                "<button class=\"go\">Add</button></form>\n");
}

static const char *writable_keys(const ss_page_t *page)
{
    const apr_array_header_t *names = page->dir->writable.names;
    const char *list = "";

    for (int i = 0; i < names->nelts; i++) {
        list = apr_pstrcat(page->r->pool, list, i > 0 ? ", " : "",
                           APR_ARRAY_IDX(names, i, const char *), NULL);
    }
    return apr_psprintf(page->r->pool, "These keys may be written here: %s.", list);
}

/* Why it is as it is with writing, in one sentence. */
static const char *rule_of(const ss_page_t *page)
{
    if (page->dir->mode == SS_READ_ONLY) {
        return "Sessions are read-only here.";
    }
    if (page->visit->opened.is_owned) {
        return "Only its application may change it.";
    }
    if (!page->may_change) {
        return "Nothing may be written while it is in this state.";
    }
    if (!is_any_writable(page)) {
        return "No key may be written here: SignedSessionWritable names none.";
    }
    return page->dir->writable.all ? "Every key may be written here." : writable_keys(page);
}

void ss_section_keys(ss_page_t *page)
{
    const apr_array_header_t *members = ss_session_members(page->session);
    ss_html_t *html = &page->html;

    ss_html_put(html,
                "<section aria-labelledby=\"keys\"><h2 id=\"keys\" tabindex=\"-1\">Keys</h2>\n");
    ss_html_fill(html, "<p class=\"small\">$$</p>\n", rule_of(page),
                 page->is_secret ? " Values are hidden, because the session is encrypted." : "");
    if (members->nelts > 0) {
        write_table(page, members);
    }
    else {
        ss_html_put(html, "<p>The session is empty.</p>\n");
    }
    if (is_any_writable(page)) {
        write_form(page);
    }
    ss_html_put(html, "<p id=\"say\" role=\"status\"></p>\n");
    write_use(page, members);
    ss_html_put(html, "</section>\n");
}
