/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <http_vhost.h>

#include "httpd/caller.h"
#include "httpd/log.h"
#include "httpd/login.h"
#include "lib/field.h"
#include "lib/return_path.h"

/* Is it the page that a browser opens, and nothing that a script or a page asks for beside it? */
static int is_navigation(const request_rec *root)
{
    const char *mode = apr_table_get(root->headers_in, "Sec-Fetch-Mode");

    if (root->method_number != M_GET) {
        return 0;
    }
    return mode != NULL
               ? strcmp(mode, "navigate") == 0
               : ss_field_names_type(apr_table_get(root->headers_in, "Accept"), "text/html");
}

/* Does mod_dir look for the page that stands for a directory? It answers with the redirect that
 * such a look-up gets, while others take one for a page that may be seen. */
static int is_index(const request_rec *r)
{
    const request_rec *of = r->main;

    return of->main == NULL && !ss_visit_step(r->main)->handled && of->finfo.filetype == APR_DIR &&
           strncmp(r->uri, of->uri, strlen(of->uri)) == 0;
}

/* As the client has written it, but for the scheme and host of an absolute URL. */
static const char *asked_path(const request_rec *root)
{
    const char *path = root->unparsed_uri;

    if (path[0] != '/') {
        const char *host = ap_strstr_c(path, "://");

        path = host == NULL ? NULL : ap_strchr_c(host + 3, '/');
    }
    return path == NULL ? "/" : path;
}

/* Of this virtual host, whatever the client says: as with UseCanonicalName On. */
static const char *base_of(const request_rec *root)
{
    const server_rec *s = root->server;
    apr_port_t port = s->port != 0 ? s->port : ap_default_port(root);
    const char *base =
        apr_pstrcat(root->pool, ap_http_scheme(root), "://", s->server_hostname, NULL);

    return port == ap_default_port(root) ? base : apr_psprintf(root->pool, "%s:%u", base, port);
}

/* The login page with the address to lead back to; one that is too long, or that could be taken for
 * another host's, is left out. */
static const char *address_of(const ss_login_page_t *page, const request_rec *root)
{
    const char *asked = asked_path(root);
    const char *back =
        page->host == NULL ? asked : apr_pstrcat(root->pool, base_of(root), asked, NULL);

    if (!ss_return_path_is_safe(ss_bytes_of(asked)) || strlen(back) > SS_RETURN_PATH_MAX) {
        return page->url;
    }
    return apr_pstrcat(root->pool, page->url, ap_strchr_c(page->url, '?') == NULL ? "?" : "&",
                       page->param, "=", ss_return_path_print(back, root->pool), NULL);
}

/* With or without a slash at the end, which mod_dir adds. */
static int is_same_path(const char *a, const char *b)
{
    apr_size_t len = strlen(b);

    len -= len > 0 && b[len - 1] == '/';
    return strncmp(a, b, len) == 0 && (a[len] == '\0' || strcmp(a + len, "/") == 0);
}

/* Is it this virtual host, by any of its names? */
static int is_host(const ss_login_page_t *page, const request_rec *r)
{
    return page->host == NULL ||
           (strcmp(ap_http_scheme(r), "https") == 0 &&
            ap_matches_request_vhost((request_rec *)r, page->host, page->port));
}

static int is_page(const ss_login_page_t *page, const request_rec *r)
{
    return is_same_path(r->uri, page->path) && is_host(page, r);
}

/* NULL when the login page can be shown, else why it would lead back here. */
static const char *loop_of(const request_rec *r, const ss_login_page_t *page)
{
    const request_rec *root = ss_visit_root(r);
    const apr_array_header_t *pages = ss_server_conf(root->server)->gathered.login_pages;

    if (is_page(page, root) || is_page(page, r)) {
        return "it is guarded itself";
    }
    for (int i = 0; i < pages->nelts; i++) {
        const ss_login_page_t *other = &APR_ARRAY_IDX(pages, i, ss_login_page_t);

        if (is_page(other, root) && ss_query_find(root->args, other->param).data != NULL) {
            return apr_psprintf(r->pool, "the login page %s, which is asked for, is guarded, too",
                                other->url);
        }
    }
    return NULL;
}

/* Can the login page be the answer? */
static int may_lead(const request_rec *r, const ss_login_page_t *page)
{
    const char *loop;

    if (page->url == NULL || !is_navigation(ss_visit_root(r)) ||
        (r->main != NULL && !is_index(r))) {
        return 0;
    }
    loop = loop_of(r, page);
    if (loop != NULL) {
        ss_log(
            r, APLOG_ERR, "SS0212",
            "nobody is logged in, and SignedSessionLoginPage %s cannot be shown: %s; let everybody "
            "see it: \"AuthType None\" and \"Require all granted\" in its location",
            page->url, loop);
    }
    return loop == NULL;
}

static const char *challenge_of(request_rec *r)
{
    const char *realm = ap_auth_name(r);

    /* httpd has escaped it for a quoted string */
    return apr_psprintf(r->pool, "Session realm=\"%s\"", realm != NULL ? realm : "session");
}

int ss_login_ask(request_rec *r, ss_visit_t *visit)
{
    const ss_login_page_t *page = &ss_dir_conf(r)->login_page;

    if (ss_caller_is_error(r)) {
        return HTTP_UNAUTHORIZED; /* it is not shown; the error that it is for is answered */
    }
    if (may_lead(r, page)) {
        visit->login.asked = 1;
        apr_table_setn(r->headers_out, "Location", address_of(page, visit->root));
        return HTTP_SEE_OTHER;
    }
    if (r->main == NULL) {
        visit->login.asked = 1;
    }
    else {
        apr_table_setn(r->err_headers_out, "Cache-Control", "no-store"); /* mod_dir passes it on */
    }
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", challenge_of(r));
    return HTTP_UNAUTHORIZED;
}
