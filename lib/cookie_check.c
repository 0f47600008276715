/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_cstr.h>
#include <apr_strings.h>

#include "lib/cookie_check.h"
#include "lib/lifetime.h"

#define MAX_AGE_MOST (400 * SS_DAY) /* RFC 6265bis section 5.5 */

/* Each looks at one rule. `remark` is zeroed, which is fine; without a text there is nothing to
 * say. */
typedef void check_fn(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool);

static void say(ss_remark_t *remark, ss_weight_e weight, const char *text)
{
    remark->weight = weight;
    remark->text = text;
}

/* Browsers take such a host for a safe one. */
static int is_here(const char *host)
{
    static const char suffix[] = ".localhost";
    apr_size_t len = host == NULL ? 0 : strlen(host);

    if (host == NULL) {
        return 0;
    }
    return apr_cstr_casecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0 ||
           (len >= sizeof(suffix) &&
            apr_cstr_casecmp(host + len - (sizeof(suffix) - 1), suffix) == 0);
}

static void check_secure(ss_remark_t *remark, const ss_scene_t *scene, SS_UNUSED apr_pool_t *pool)
{
    static const char *const abouts[] = {
        [SS_SECURE_AUTO] = "Secure=auto", [SS_SECURE_ON] = "Secure", [SS_SECURE_OFF] = "Secure=off"
    };
    ss_secure_e secure = scene->cookie->secure;

    remark->about = abouts[secure];
    if (scene->https) {
        if (secure == SS_SECURE_OFF) {
            say(remark, SS_WARNING,
                "Left out, though this is https: one request by http carries the cookie in the "
                "clear. Say Secure=auto or Secure=on.");
        }
        else {
            say(remark, SS_FINE, "Sent by https only.");
        }
    }
    else if (is_here(scene->host)) {
        say(remark, SS_HINT,
            secure == SS_SECURE_ON
                ? "This is plain http. Browsers take it for the machine that they run on, and for "
                  "no "
                  "other."
                : "Not sent, because this is plain http. That is fine on the machine that the "
                  "browser runs on, and nowhere else.");
    }
    else if (secure == SS_SECURE_ON) {
        say(remark, SS_WARNING,
            "This is plain http, where browsers drop a Secure cookie. Open the page by https. If a "
            "proxy in front does that, say ServerName https://... here.");
    }
    else {
        say(remark, SS_WARNING,
            "Not sent, because this is plain http: everyone on the way can copy the cookie. Serve "
            "over https. If a proxy in front does that, say ServerName https://... here.");
    }
}

static void check_prefix(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool)
{
    const ss_cookie_t *cookie = scene->cookie;

    remark->about = cookie->name;
    if (apr_cstr_casecmpn(cookie->name, "__Host-", 7) == 0) {
        say(remark, SS_FINE, "The prefix keeps other hosts from planting a cookie of this name.");
    }
    else if (apr_cstr_casecmpn(cookie->name, "__Secure-", 9) == 0 ||
             apr_cstr_casecmpn(cookie->name, "__Http-", 7) == 0) {
        say(remark, SS_FINE, "The prefix keeps plain http from planting a cookie of this name.");
    }
    else if (cookie->domain == NULL && strcmp(cookie->path, "/") == 0) {
        say(remark, SS_HINT,
            apr_psprintf(pool,
                         "The name has no prefix. __Host-%.200s would keep subdomains and plain "
                         "http from planting a cookie of this name. It needs Secure=on.",
                         cookie->name));
    }
    else {
        say(remark, SS_HINT,
            apr_psprintf(pool,
                         "The name has no prefix. __Secure-%.200s would keep plain http from "
                         "planting a cookie of this name. It needs Secure=on.",
                         cookie->name));
    }
}

static void check_http_only(ss_remark_t *remark, const ss_scene_t *scene,
                            SS_UNUSED apr_pool_t *pool)
{
    if (scene->cookie->http_only) {
        remark->about = "HttpOnly";
        say(remark, SS_FINE, "Scripts of pages cannot read it.");
    }
    else {
        remark->about = "HttpOnly=off";
        say(remark, SS_WARNING, "Every script of every page here can read it and send it away.");
    }
}

static void check_same_site(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool)
{
    const char *same_site = scene->cookie->same_site;

    remark->about = apr_pstrcat(pool, "SameSite=", same_site, NULL);
    if (strcmp(same_site, "None") != 0) {
        say(remark, SS_FINE,
            strcmp(same_site, "Lax") == 0
                ? "Sent with links from other sites, not with their forms, frames and scripts."
                : "Never sent with what other sites cause, links included.");
    }
    else if (scene->cookie->partitioned) {
        say(remark, SS_HINT,
            "Sent in frames of other sites, too: one session for each site around it.");
    }
    else {
        say(remark, SS_HINT,
            "Sent with everything that other sites cause: guard what changes something "
            "(SignedSessionGuard). Some browsers do so only with Partitioned.");
    }
}

/* RFC 6265 section 5.1.4 */
static int covers(const char *cookie_path, const char *path)
{
    apr_size_t len = strlen(cookie_path);

    return strncmp(cookie_path, path, len) == 0 &&
           (path[len] == '\0' || path[len] == '/' || cookie_path[len - 1] == '/');
}

static void check_path(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool)
{
    const char *path = scene->cookie->path;

    remark->about = apr_pstrcat(pool, "Path=", path, NULL);
    if (strcmp(path, "/") == 0) {
        say(remark, SS_FINE, "Sent with every request to this host.");
    }
    else if (covers(path, scene->path)) {
        say(remark, SS_FINE, "Sent to this path and below it.");
    }
    else {
        say(remark, SS_WARNING,
            "This page is not below that path, so the browser does not send the cookie here.");
    }
}

static int is_address(const char *host)
{
    return host[strspn(host, "0123456789.")] == '\0' || strchr(host, ':') != NULL;
}

/* RFC 6265 section 5.1.3 */
static int holds(const char *domain, const char *host)
{
    apr_size_t rest = strlen(host), len = strlen(domain);

    if (rest < len || apr_cstr_casecmp(host + rest - len, domain) != 0) {
        return 0;
    }
    return rest == len || (host[rest - len - 1] == '.' && !is_address(host));
}

static void check_domain(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool)
{
    const char *domain = scene->cookie->domain;

    if (domain == NULL) {
        remark->about = "no Domain";
        say(remark, SS_FINE, "Sent to this host only, not to subdomains.");
        return;
    }
    remark->about = apr_pstrcat(pool, "Domain=", domain, NULL);
    if (scene->host != NULL && !holds(domain, scene->host)) {
        say(remark, SS_WARNING, "This host does not belong to it, so browsers drop the cookie.");
    }
    else {
        say(remark, SS_HINT,
            "Sent to every subdomain: each of them can read the cookie and plant another one.");
    }
}

static void check_max_age(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool)
{
    if (scene->max_age < 0) {
        remark->about = "no Max-Age";
        say(remark, SS_FINE, "It ends with the browser, where that does not restore its pages.");
        return;
    }
    remark->about = apr_psprintf(pool, "Max-Age=%" APR_INT64_T_FMT, scene->max_age);
    if (scene->max_age > MAX_AGE_MOST) {
        say(remark, SS_HINT, "Browsers keep a cookie for 400 days, and no longer.");
    }
    else {
        say(remark, SS_FINE,
            apr_psprintf(pool, "The browser keeps it for %s after each write.",
                         ss_lifetime_span(scene->max_age, pool)));
    }
}

static void check_size(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool)
{
    remark->about = apr_psprintf(pool, "%" APR_SIZE_T_FMT " bytes", scene->size);
    if (scene->size > SS_COOKIE_MAX) {
        say(remark, SS_WARNING, "Browsers drop a cookie of more than 4096 bytes.");
    }
    else if (scene->size > scene->room - scene->room / 10) {
        say(remark, SS_WARNING,
            apr_psprintf(pool,
                         "Almost no room is left: name and value may have %" APR_SIZE_T_FMT
                         " bytes together.",
                         scene->room));
    }
}

static void check_several(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool)
{
    remark->about = apr_psprintf(pool, "%d cookies", scene->came);
    if (scene->came > 1) {
        say(remark, SS_WARNING,
            "More than one cookie of this name came: an old one, of another Path or Domain, is "
            "still there. Give the cookie another name whenever you change one of these.");
    }
}

static void check_header(ss_remark_t *remark, const ss_scene_t *scene, apr_pool_t *pool)
{
    remark->about = apr_psprintf(pool, "Cookie header of %" APR_SIZE_T_FMT " bytes", scene->header);
    if (scene->most > 0 && scene->header > scene->most - scene->most / 4) {
        say(remark, SS_WARNING,
            apr_psprintf(pool,
                         "All cookies of this site together come near to %" APR_SIZE_T_FMT
                         " bytes, above which this server refuses the request "
                         "(LimitRequestFieldSize).",
                         scene->most));
    }
}

static check_fn *const checks[] = {
    check_secure, check_prefix,  check_http_only, check_same_site, check_path,
    check_domain, check_max_age, check_size,      check_several,   check_header,
};

apr_array_header_t *ss_cookie_check(const ss_scene_t *scene, apr_pool_t *pool)
{
    apr_array_header_t *remarks = apr_array_make(pool, 10, sizeof(ss_remark_t));

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        ss_remark_t remark = { SS_FINE, NULL, NULL };

        checks[i](&remark, scene, pool);
        if (remark.text != NULL) {
            APR_ARRAY_PUSH(remarks, ss_remark_t) = remark;
        }
    }
    return remarks;
}
