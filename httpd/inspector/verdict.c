/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/facts.h"
#include "httpd/identity.h"
#include "httpd/inspector/page.h"
#include "httpd/proving.h"
#include "httpd/stores.h"
#include "lib/advice.h"

/* What the session is, first of all in a sentence. */

static const ss_advice_t *advice_on(const ss_visit_t *visit)
{
    return ss_advice(visit->opened.is_owned  ? SS_CASE_OWNED
                     : visit->opened.is_gone ? SS_CASE_GONE
                                             : (int)visit->state);
}

/* The look of a state: a first visit is no fault, and time passes for everybody. */
static const char *look_of(ss_state_e state)
{
    switch (state) {
    case SS_VALID:
        return "good";
    case SS_NONE:
    case SS_EXPIRED_IDLE:
    case SS_EXPIRED_ABSOLUTE:
        return "warn";
    default:
        return "bad";
    }
}

static int count_of(const ss_page_t *page, ss_weight_e weight)
{
    int count = 0;

    for (int i = 0; i < page->remarks->nelts; i++) {
        count += APR_ARRAY_IDX(page->remarks, i, ss_remark_t).weight == weight;
    }
    return count;
}

static const char *counted(int count, const char *noun, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%d %s%s", count, noun, count == 1 ? "" : "s");
}

static void what_deserves_a_look(ss_page_t *page)
{
    int warnings = count_of(page, SS_WARNING), hints = count_of(page, SS_HINT);
    apr_pool_t *pool = page->r->pool;

    if (warnings + hints > 0) {
        ss_html_fill(&page->html,
                     "<p>Worth a look: <a href=\"#cookie\">$$$</a> about the cookie.</p>",
                     warnings > 0 ? counted(warnings, "warning", pool) : "",
                     warnings > 0 && hints > 0 ? " and " : "",
                     hints > 0 ? counted(hints, "hint", pool) : "");
    }
}

/* Of a session whose times are the reason: which, and by how much. */
static void which_time(ss_page_t *page)
{
    const ss_visit_t *visit = page->visit;
    apr_pool_t *pool = page->r->pool;
    ss_untimely_t fault;

    if (visit->opened.is_gone) {
        return;
    }
    ss_lifetime_explain(&fault, visit->state, &visit->opened.judged, &page->conf->lifetime,
                        visit->now);
    if (fault.name == NULL) {
        return;
    }
    ss_html_fill(&page->html, "<p>It was $ ", fault.name);
    ss_page_time(page, fault.time);
    ss_html_fill(&page->html,
                 visit->state == SS_FROM_FUTURE ? ", which is $ ahead; the skew allowed is $.</p>"
                                                : ", $ ago; the limit is $.</p>",
                 ss_lifetime_span(fault.age, pool), ss_lifetime_span(fault.limit, pool));
}

/* --- facts, each a row; NULL where there is nothing to say --- */

typedef const char *fact_fn(ss_page_t *page);

static const char *format(ss_page_t *page)
{
    const ss_format_t *format = page->visit->opened.format;
    const ss_format_t *written = ss_config_written(page->conf);

    if (format != written) {
        return apr_psprintf(page->r->pool, "%s, written back as %s", format->name, written->name);
    }
    return !(format->traits & SS_FORMAT_SECRECY) ? format->name
           : page->conf->encrypt                 ? "native, encrypted"
                                                 : "native, signed: its owner can read it";
}

static const char *place(ss_page_t *page)
{
    const ss_visit_t *visit = page->visit;

    return visit->opened.is_stored
               ? apr_psprintf(page->r->pool, "the store \"%s\"; the cookie leads there",
                              ss_stores_name(page->conf->stores, visit->opened.place))
               : "the cookie";
}

/* Of the format that the session is of. */
static const ss_keyring_t *keys_of(const ss_page_t *page)
{
    const ss_seal_t *seal = (const ss_seal_t *)page->conf->sealing.seals->elts;

    while (seal->format != page->visit->opened.format) {
        seal++;
    }
    return seal->keys;
}

static const char *key(ss_page_t *page)
{
    const ss_keyring_t *keys = keys_of(page);
    int number = page->visit->opened.key;
    const char *which = apr_psprintf(page->r->pool, "%d of %d, %s", number + 1, keys->count,
                                     number == 0 ? "the one that seals" : "an old one");

    return page->visit->opened.format->traits & SS_FORMAT_FOREIGN
               ? which
               : apr_psprintf(page->r->pool, "%s; its id is %04x", which, keys->keys[number].id);
}

static const char *id(ss_page_t *page)
{
    return ss_facts_id_of(page->visit, ss_session_stamp(page->session)->id, page->r->pool);
}

static const char *user(ss_page_t *page)
{
    return page->is_secret ? NULL : ss_identity_of(page->visit, page->r);
}

static const char *login(ss_page_t *page)
{
    apr_int64_t age = apr_time_sec(page->visit->now) - ss_session_stamp(page->session)->created;

    return user(page) == NULL || age < 0 || ss_session_stamp(page->session)->created == SS_NO_TIME
               ? NULL
               : apr_psprintf(page->r->pool, "%s ago", ss_lifetime_span(age, page->r->pool));
}

static const char *changes(ss_page_t *page)
{
    apr_uint32_t counter = ss_session_stamp(page->session)->counter;

    return counter == 0 ? NULL
                        : apr_psprintf(page->r->pool, counter == 1 ? "once" : "%u times", counter);
}

static const char *binding(ss_page_t *page)
{
    if (ss_stamp_is_bound(ss_session_stamp(page->session))) {
        return "to a key of this browser, which has proved it";
    }
    return ss_proving_is_on(page->conf) ? "no: a copy of the cookie works elsewhere" : NULL;
}

static const char *hidden(ss_page_t *page)
{
    return ss_session_hidden(page->session).raw.data == NULL
               ? NULL
               : "entries of modules of httpd, which nobody is shown";
}

static const struct {
    const char *label;
    fact_fn *text;
} facts[] = {
    /* clang-format off */
    { "User",        user },
    { "Logged in",   login },
    { "Format",      format },
    { "Lives in",    place },
    { "Secret",      key },
    { "Id in logs",  id },
    { "Written",     changes },
    { "Bound",       binding },
    { "Holds, too",  hidden },
    /* clang-format on */
};

static void write_facts(ss_page_t *page)
{
    ss_html_put(&page->html, "<dl class=\"facts\">\n");
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const char *text = facts[i].text(page);

        if (text != NULL) {
            ss_html_fill(&page->html, "<div><dt>$</dt><dd><bdi>$</bdi></dd></div>\n",
                         facts[i].label, text);
        }
    }
    ss_html_put(&page->html, "</dl>\n");
}

void ss_section_verdict(ss_page_t *page)
{
    ss_html_t *html = &page->html;
    const ss_visit_t *visit = page->visit;
    const ss_advice_t *advice = advice_on(visit);
    const char *look = look_of(visit->state);

    ss_html_fill(html,
                 "<section class=\"verdict $\" aria-labelledby=\"verdict\">\n"
                 "<h2 id=\"verdict\"><span class=\"pill\">",
                 look);
    ss_page_sign(page, strcmp(look, "good") == 0 ? "good" : "warn");
    ss_html_fill(html, "$</span></h2>\n", ss_state_name(visit->state));
    if (visit->cookies > 0 && page->dir->mode == SS_ON) {
        ss_html_put(html, "<div class=\"acts js\"><button type=\"button\" class=\"end\" id=\"end\">"
                          "End this session</button></div>\n");
    }
    ss_html_fill(html, "<div class=\"text\"><p class=\"lead\">$</p>", advice->meaning);
    which_time(page);
    if (visit->state != SS_VALID) {
        ss_html_fill(html, "<p>$</p>", advice->remedy);
    }
    what_deserves_a_look(page);
    ss_html_put(html, "</div>\n");
    if (visit->state == SS_VALID) {
        write_facts(page);
    }
    ss_html_put(html, "</section>\n");
}
