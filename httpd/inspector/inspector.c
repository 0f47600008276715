/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "httpd/answer.h"
#include "httpd/inspector/assets.h"
#include "httpd/inspector/inspector.h"
#include "httpd/inspector/page.h"
#include "lib/encode.h"
#include "lib/field.h"

/* --- the policy --- */

#define DIGEST_SIZE 44 /* of base64 */

/* 'sha256-...': what a browser compares with the text of an element. */
static const char *source_of(ss_bytes_t asset, apr_pool_t *pool)
{
    unsigned char hash[SS_SHA256_SIZE];
    char digest[DIGEST_SIZE];

    if (ss_hash(SS_SHA256, hash, &asset, 1) != APR_SUCCESS) {
        return NULL;
    }
    ss_base64_encode(SS_BASE64, digest, ss_bytes((const char *)hash, sizeof(hash)));
    return apr_psprintf(pool, "'sha256-%.*s'", DIGEST_SIZE, digest);
}

int ss_inspector_settle(ss_start_t *start)
{
    const char *style, *script;

    if (start->keys == NULL) {
        return OK;
    }
    style = source_of(ss_asset_style(), start->keys);
    script = source_of(ss_asset_script(), start->keys);
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        /* what has no hash is not let in */
        ss_server_conf(s)->policy = apr_pstrcat(
            start->keys, "default-src 'none'; style-src ", style != NULL ? style : "'none'",
            "; script-src ", script != NULL ? script : "'none'",
            "; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'",
            NULL);
    }
    return OK;
}

/* --- the page --- */

static const char head[] =
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n";

/* Signs are drawn once; who cannot see them is told by each use. */
static const char signs[] =
    "<svg class=\"hid\" aria-hidden=\"true\">"
    "<symbol id=\"good\" viewBox=\"0 0 16 16\"><path d=\"M2.5 8.5l3.5 3.5 7.5-8\"></path></symbol>"
    "<symbol id=\"warn\" viewBox=\"0 0 16 16\">"
    "<path d=\"M8 2.5L14.5 13.5H1.5zM8 6.5v3.2M8 11.8v.1\"></path></symbol>"
    "<symbol id=\"hint\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"6.2\"></circle>"
    "<path d=\"M8 7.4v3.6M8 4.9v.1\"></path></symbol></svg>\n";

static void begin(ss_page_t *page)
{
    ss_html_t *html = &page->html;
    apr_pool_t *pool = page->r->pool;
    const char *host = page->r->hostname != NULL ? page->r->hostname : "this host";

    ss_html_put(html, "<!doctype html>\n<html lang=\"en\">\n<head>\n");
    ss_html_put(html, head);
    ss_html_fill(html, "<title>$: session at $</title>\n<style>", ss_state_name(page->visit->state),
                 host);
    ss_html_put_bytes(html, ss_asset_style());
    ss_html_fill(html, "</style>\n</head>\n<body data-now=\"$\">\n",
                 apr_psprintf(pool, "%" APR_TIME_T_FMT, apr_time_sec(page->visit->now)));
    ss_html_put(html, signs);
    ss_html_fill(html,
                 "<a class=\"skip\" href=\"#keys\">Skip to the keys</a>\n"
                 "<header><h1>Your session</h1><p>at <bdi>$</bdi>, ",
                 host);
    ss_page_time(page, apr_time_sec(page->visit->now));
    ss_html_put(html, "</p>\n<nav aria-label=\"Other views\">");
    if (!page->is_secret) {
        ss_html_put(html, "<a href=\"?json\">JSON</a> ");
    }
    ss_html_put(html, "<a href=\"?meta\">Meta</a></nav></header>\n<main>\n");
}

static void end(ss_page_t *page)
{
    ss_html_put(&page->html,
                "</main>\n<footer>mod_signed_session " SS_VERSION
                ". This page shows you your own session, and neither the cookie's value nor a "
                "secret. <code>SignedSessionInspector</code> is On here.</footer>\n"
                "<dialog aria-labelledby=\"question\"><p id=\"question\"></p>"
                "<div class=\"acts\"></div></dialog>\n<script>");
    ss_html_put_bytes(&page->html, ss_asset_script());
    ss_html_put(&page->html, "</script>\n</body>\n</html>\n");
}

static const struct {
    const char *before;
    ss_section_fn *write;
} sections[] = {
    { "", ss_section_verdict },
    { "<div class=\"cols\">\n<div>\n", ss_section_keys },
    { "</div>\n<div>", ss_section_time },
    { "", ss_section_size },
    { "</div>\n</div>\n", ss_section_cookie },
    { "", ss_section_configuration },
};

/* --- what it is about --- */

/* What the session's next cookie would say of its age. */
static apr_int64_t next_max_age(const ss_page_t *page)
{
    ss_stamp_t stamp = *ss_session_stamp(page->session);

    stamp.renewed = apr_time_sec(page->visit->now);
    if (page->visit->state != SS_VALID) {
        stamp.created = stamp.renewed;
    }
    return ss_sealing_max_age(page->session, &stamp, &page->conf->sealing, page->visit->now);
}

static void look_at_cookie(ss_page_t *page)
{
    const ss_server_conf_t *conf = page->conf;
    request_rec *r = page->r;
    const ss_scene_t scene = {
        .cookie = &conf->cookie,
        .https = strcmp(ap_http_scheme(r), "https") == 0,
        .host = r->hostname,
        .path = r->uri,
        .max_age = next_max_age(page),
        .size = page->visit->opened.size,
        .room = conf->max_size,
        .came = page->visit->cookies,
        .header = page->visit->header == NULL ? 0 : strlen(page->visit->header),
        .most = r->server->limit_req_fieldsize,
    };

    page->remarks = ss_cookie_check(&scene, r->pool);
    page->cookie = ss_bytes_of(
        ss_cookie_print(&conf->cookie, ss_bytes_of("..."), scene.max_age, scene.https, r->pool));
}

/* May a new session begin in its place? Not where nobody knows, or the client has yet to prove,
 * that it has one. */
static int is_known(ss_state_e state)
{
    return state != SS_UNAVAILABLE && state != SS_UNPROVEN && state != SS_UNBOUND;
}

static ss_page_t page_about(request_rec *r, const ss_visit_t *visit)
{
    const ss_dir_conf_t *dir = ss_dir_conf(r);
    ss_page_t page = {
        .html = ss_html_create(r->pool),
        .r = r,
        .dir = dir,
        .visit = visit,
        .conf = visit->conf,
        .session = ss_visit_session(visit),
        .is_secret = ss_config_hides(visit->conf, dir),
        .may_change = dir->mode == SS_ON && !visit->opened.is_owned && is_known(visit->state),
    };

    look_at_cookie(&page);
    return page;
}

int ss_inspector_is_wanted(const request_rec *r)
{
    return (r->args == NULL || r->args[0] == '\0') &&
           ss_field_names_type(apr_table_get(r->headers_in, "Accept"), "text/html");
}

void ss_inspector_answer(request_rec *r, const ss_visit_t *visit)
{
    ss_page_t page = page_about(r, visit);

    begin(&page);
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        ss_html_put(&page.html, sections[i].before);
        sections[i].write(&page);
    }
    end(&page);
    /* pages of trusted origins may read the session, but not how this server is configured */
    apr_table_unset(r->headers_out, "Access-Control-Allow-Origin");
    apr_table_unset(r->headers_out, "Access-Control-Allow-Credentials");
    apr_table_setn(r->headers_out, "Content-Security-Policy", visit->conf->policy);
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    ss_answer_page(r, ss_html_page(&page.html));
}
