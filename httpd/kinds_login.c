/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Kinds of directives about who is logged in, and how one gets there and back. */

#include <apr_strings.h>

#include "httpd/kinds.h"
#include "lib/encode.h"
#include "lib/change.h"
#include "lib/origin.h"
#include "lib/return_path.h"
#include "lib/session.h"

#define HTTPS "https://"

const char *ss_parse_user(void *member, const ss_line_t *line)
{
    ss_user_conf_t user = { line->words[0], line->count > 1 ? line->words[1] : "" };
    const char *why = ss_kind_fault_of_key(line->words[0], line);

    if (why == NULL) {
        *(ss_user_conf_t *)member = user;
    }
    return why;
}

/* Nobody has to encode it. */
static const char *fault_of_parameter(const char *name, const ss_line_t *line)
{
    apr_size_t len =
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    return len > 0 && name[len] == '\0'
               ? NULL
               : ss_kind_not_accepted(name, "the name of a parameter: letters, digits and -._~",
                                      line);
}

/* Returns NULL, or what is wrong with a path that is to stand in a Location as it is.
 *
 * `decoded` is set to it without its query. */
static const char *read_path(const char **decoded, const char *path, const ss_line_t *line)
{
    ss_bytes_t bytes;
    int is_uri = 1;

    for (const char *c = path; *c != '\0'; c++) {
        is_uri = is_uri && *c > 0x20 && *c < 0x7F && strchr("\"#<>\\^`{|}", *c) == NULL;
    }
    if (!is_uri || !ss_return_path_is_safe(ss_bytes_of(path)) ||
        ss_percent_decode(&bytes, ss_bytes(path, strcspn(path, "?")), 0, line->pool) !=
            APR_SUCCESS) {
        return ss_kind_not_accepted(path,
                                    "a path of this server that begins with one /, percent-encoded "
                                    "and without a fragment",
                                    line);
    }
    *decoded = apr_pstrmemdup(line->pool, bytes.data, bytes.len);
    return NULL;
}

/* https://host[:port]/path?query */
static const char *read_url(ss_login_page_t *page, const char *url, const ss_line_t *line)
{
    apr_size_t len = sizeof(HTTPS) - 1;
    const char *origin, *path, *why;
    char *host, *scope;

    len += strcspn(url + len, "/?#");
    why = ss_origin_parse(&origin, apr_pstrmemdup(line->pool, url, len), line->pool);
    if (why != NULL) {
        return why;
    }
    path = url[len] == '/' ? url + len : apr_pstrcat(line->pool, "/", url + len, NULL);
    page->url = apr_pstrcat(line->pool, origin, path, NULL);
    if (apr_parse_addr_port(&host, &scope, &page->port, origin + sizeof(HTTPS) - 1, line->pool) !=
            APR_SUCCESS ||
        host == NULL) {
        return ss_kind_not_accepted(url, "an https:// URL of another host", line);
    }
    page->host = host;
    if (page->port == 0) {
        page->port = DEFAULT_HTTPS_PORT;
    }
    return read_path(&page->path, path, line);
}

const char *ss_parse_login_page(void *member, const ss_line_t *line)
{
    ss_login_page_t page = { .param = line->count > 1 ? line->words[1] : "return" };
    const char *why = NULL;

    if (ss_kind_is_word(line->words[0], "Off") && line->count == 1) {
        *(ss_login_page_t *)member = page;
        return NULL;
    }
    if (strncmp(line->words[0], HTTPS, sizeof(HTTPS) - 1) == 0) {
        why = read_url(&page, line->words[0], line);
    }
    else if (line->words[0][0] != '/') {
        why = ss_kind_not_accepted(line->words[0],
                                   "a path of this server such as /login, an https:// URL of "
                                   "another host, or Off",
                                   line);
    }
    else {
        page.url = line->words[0];
        why = read_path(&page.path, page.url, line);
    }
    why = why != NULL ? why : fault_of_parameter(page.param, line);
    if (why != NULL) {
        return why;
    }
    *(ss_login_page_t *)member = page;
    return NULL;
}

const char *ss_parse_return(void *member, const ss_line_t *line)
{
    ss_return_conf_t way_back = { line->words[0], line->count > 1 ? line->words[1] : "/" };
    const char *why, *decoded;

    if (ss_kind_is_word(line->words[0], "Off") && line->count == 1) {
        way_back.param = NULL;
        *(ss_return_conf_t *)member = way_back;
        return NULL;
    }
    why = fault_of_parameter(way_back.param, line);
    why = why != NULL ? why : read_path(&decoded, way_back.path, line);
    if (why == NULL) {
        *(ss_return_conf_t *)member = way_back;
    }
    return why;
}

const char *ss_parse_login(void *member, const ss_line_t *line)
{
    const char *key = line->words[0];

    if (ss_kind_is_word(key, "Off")) {
        *(const char **)member = NULL;
        return NULL;
    }
    if (ss_kind_is_word(key, "On") || key[0] == '\0' || strchr(key, ',') != NULL ||
        !ss_key_is_acceptable(ss_bytes_of(key)) || strcmp(key, SS_SESSION_HIDDEN) == 0) {
        return ss_kind_not_accepted(
            key,
            "the name of the key that gets the user, such as user, without commas and control "
            "characters, other than " SS_SESSION_HIDDEN "; or Off",
            line);
    }
    *(const char **)member = key;
    return NULL;
}
