/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include "lib/origin.h"

/* clang-format off */
static const struct {
    const char *what, *text, *want;
} accepted[] = {
    { "as browsers send it",          "https://example.org",         "https://example.org" },
    { "without TLS",                  "http://example.org",          "http://example.org" },
    { "in lower case",                "HTTPS://App.Example.ORG",     "https://app.example.org" },
    { "a port of its own",            "https://example.org:8443",    "https://example.org:8443" },
    { "https without its port",       "https://example.org:443",     "https://example.org" },
    { "http without its port",        "http://example.org:80",       "http://example.org" },
    { "the other scheme's port",      "http://example.org:443",      "http://example.org:443" },
    { "a port with zeros before it",  "https://example.org:0443",    "https://example.org" },
    { "the highest port",             "https://example.org:65535",   "https://example.org:65535" },
    { "one label",                    "http://localhost:3000",       "http://localhost:3000" },
    { "an IPv4 address",              "http://127.0.0.1:8080",       "http://127.0.0.1:8080" },
    { "an IPv6 address",              "http://[::1]:8080",           "http://[::1]:8080" },
    { "an IPv6 address, no port",     "https://[2001:DB8::A]",       "https://[2001:db8::a]" },
    { "punycode", "https://xn--bcher-kva.example", "https://xn--bcher-kva.example" },
};

static const struct {
    const char *what, *text, *why; /* part of the message */
} refused[] = {
    { "nothing",                      "",                            "accepted is scheme://host" },
    { "null, which sandboxes send",   "null",                        "accepted is scheme://host" },
    { "everybody",                    "*",                           "accepted is scheme://host" },
    { "every subdomain",              "https://*.example.org",       "accepted is scheme://host" },
    { "no scheme",                    "example.org",                 "accepted is scheme://host" },
    { "an empty scheme",              "://example.org",              "accepted is scheme://host" },
    { "another scheme",               "ftp://example.org",           "with http or https" },
    { "a scheme that begins so",      "httpx://example.org",         "with http or https" },
    { "a scheme that ends so",        "xhttp://example.org",         "with http or https" },
    { "no host",                      "https://",                    "accepted is scheme://host" },
    { "only a port",                  "https://:443",                "accepted is scheme://host" },
    { "no slashes",                   "https:example.org",           "accepted is scheme://host" },
    { "a slash at the end",           "https://example.org/",        "no path" },
    { "a path",                       "https://example.org/app",     "no path" },
    { "a query",                      "https://example.org?a",       "no query" },
    { "a fragment",                   "https://example.org#a",       "no fragment" },
    { "user information",             "https://me@example.org",      "no user information" },
    { "a password",                   "https://me:pw@example.org",   "no user information" },
    { "a colon without a port",       "https://example.org:",        "accepted is scheme://host" },
    { "port 0",                       "https://example.org:0",       "accepted is scheme://host" },
    { "a port too high",              "https://example.org:65536",   "accepted is scheme://host" },
    { "a port above 2^32", "https://example.org:4294967739", "accepted is scheme://host" },
    { "a port that is no number",     "https://example.org:https",   "accepted is scheme://host" },
    { "a negative port",              "https://example.org:-1",      "accepted is scheme://host" },
    { "two ports",                    "https://example.org:1:2",     "accepted is scheme://host" },
    { "a blank",                      "https://example.org ",        "accepted is scheme://host" },
    { "two origins",                  "https://a.org,https://b.org", "accepted is scheme://host" },
    { "letters that need punycode",
      "https://b\xc3\xbc" "cher.example", "accepted is scheme://host" },
    { "an IPv6 address, open",        "https://[::1",                "accepted is scheme://host" },
    { "an empty IPv6 address",        "https://[]",                  "accepted is scheme://host" },
    { "an IPv6 address, bare",        "https://::1",                 "accepted is scheme://host" },
    { "text behind the brackets",     "https://[::1]x",              "accepted is scheme://host" },
};

static const struct {
    const char *what, *site, *origin, *host, *scheme;
    int may_change;
} callers[] = {
    /* Fetch metadata, first */
    { "a page of ours",               "same-origin", "https://a.org", "a.org", "https", 1 },
    { "the address bar",              "none",        NULL,            "a.org", "https", 1 },
    { "a proxy changed the Host",     "same-origin", "https://a.org", "inside:8080", "http", 1 },
    { "a sibling's page",             "same-site",   "https://b.a.org", "a.org", "https", 0 },
    { "another site's page",          "cross-site",  "https://b.org", "a.org", "https", 0 },
    { "another site, our Origin",     "cross-site",  "https://a.org", "a.org", "https", 0 },
    { "a sibling without Origin",     "same-site",   NULL,            "a.org", "https", 0 },
    { "a word of the future",         "moon",        "https://a.org", "a.org", "https", 0 },
    { "a header without a word",      "",            NULL,            "a.org", "https", 0 },
    { "two words",                    "same-origin, cross-site", NULL, "a.org", "https", 0 },
    { "another case is another word", "Same-Origin", NULL,            "a.org", "https", 0 },
    /* what is trusted, second */
    { "a trusted page, cross-site",   "cross-site",  "https://trusted.org", "a.org", "https", 1 },
    { "a trusted page, old browser",  NULL,          "https://trusted.org", "a.org", "https", 1 },
    { "a trusted page with a port", "cross-site", "https://trusted.org:8443", "a.org", "https", 1 },
    { "a trusted host, another port",
      "cross-site", "https://trusted.org:444", "a.org", "https", 0 },
    { "a trusted host without TLS",   "cross-site",  "http://trusted.org", "a.org", "https", 0 },
    { "a trusted name as a beginning",
      "cross-site", "https://trusted.org.b.org", "a.org", "https", 0 },
    { "a subdomain of a trusted one", "cross-site",  "https://x.trusted.org", "a.org", "https", 0 },
    { "two origins, one trusted",
      "cross-site", "https://b.org, https://trusted.org", "a.org", "https", 0 },
    /* Origin against Host, for browsers without Fetch metadata */
    { "the same host",                NULL, "https://a.org",      "a.org",      "https", 1 },
    { "case does not count",          NULL, "https://a.org",      "A.Org",      "https", 1 },
    { "the same port",                NULL, "http://a.org:8080",  "a.org:8080", "http",  1 },
    { "the port that https means",    NULL, "https://a.org",      "a.org:443",  "http",  1 },
    { "the port that http means",     NULL, "http://a.org:80",    "a.org",      "http",  1 },
    { "an IPv6 address",              NULL, "http://[::1]:8080",  "[::1]:8080", "http",  1 },
    { "another port",                 NULL, "http://a.org:8080",  "a.org",      "http",  0 },
    { "another scheme",               NULL, "http://a.org",       "a.org",      "https", 0 },
    { "another host",                 NULL, "https://b.org",      "a.org",      "https", 0 },
    { "a host that begins so",        NULL, "https://a.org.b.org", "a.org",     "https", 0 },
    { "a host that ends so",          NULL, "https://ba.org",     "a.org",      "https", 0 },
    { "a subdomain",                  NULL, "https://x.a.org",    "a.org",      "https", 0 },
    { "null, from a sandbox",         NULL, "null",               "a.org",      "https", 0 },
    { "null against a host null",     NULL, "null",               "null",       "https", 0 },
    { "an empty Origin",              NULL, "",                   "a.org",      "https", 0 },
    { "an extension's page",          NULL, "moz-extension://a.org", "a.org",   "https", 0 },
    { "two origins",                  NULL, "https://a.org, https://b.org", "a.org", "https", 0 },
    { "no Host to compare with",      NULL, "https://a.org",      NULL,         "https", 0 },
    { "an empty Host",                NULL, "https://a.org",      "",           "https", 0 },
    { "a Host with a broken port",    NULL, "https://a.org",      "a.org:x",    "https", 0 },
    { "a Host with user information", NULL, "https://a.org",      "a.org@b.org", "https", 0 },
    /* no browser */
    { "neither header",               NULL, NULL,                 "a.org",      "https", 1 },
    { "nothing at all",               NULL, NULL,                 NULL,         "https", 1 },
};
/* clang-format on */

static apr_array_header_t *trusted(void)
{
    apr_array_header_t *origins = apr_array_make(pool, 2, sizeof(const char *));

    ck_assert_ptr_null(ss_origin_parse(apr_array_push(origins), "https://Trusted.org:443", pool));
    ck_assert_ptr_null(ss_origin_parse(apr_array_push(origins), "https://trusted.org:8443", pool));
    return origins;
}

START_TEST(spells_origins_as_browsers_do)
{
    const char *origin = NULL;
    const char *why = ss_origin_parse(&origin, accepted[_i].text, pool);

    ck_assert_msg(why == NULL, "%s: %s", accepted[_i].what, why);
    ck_assert_str_eq(origin, accepted[_i].want);
}
END_TEST

START_TEST(refuses_what_is_no_origin)
{
    const char *text = exact(refused[_i].text, strlen(refused[_i].text) + 1).data;
    const char *origin;
    const char *why = ss_origin_parse(&origin, text, pool);

    ck_assert_msg(why != NULL, "%s", refused[_i].what);
    ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s: %s", refused[_i].what, why);
}
END_TEST

START_TEST(judges_callers)
{
    const ss_caller_t caller = { callers[_i].site, callers[_i].origin, callers[_i].host,
                                 callers[_i].scheme, trusted() };

    ck_assert_msg(ss_origin_may_change(&caller) == callers[_i].may_change, "%s", callers[_i].what);
}
END_TEST

START_TEST(trusts_only_what_is_listed)
{
    ss_caller_t caller = { NULL, "https://trusted.org", "a.org", "https", trusted() };

    ck_assert(ss_origin_is_trusted(&caller));
    caller.origin = "https://a.org";
    ck_assert(!ss_origin_is_trusted(&caller));
    caller.origin = NULL;
    ck_assert(!ss_origin_is_trusted(&caller));
}
END_TEST

START_TEST(trusts_nobody_without_a_list)
{
    ss_caller_t caller = { NULL, "https://trusted.org", "a.org", "https", NULL };

    ck_assert(!ss_origin_is_trusted(&caller));
    ck_assert(!ss_origin_may_change(&caller));
    caller.trusted = apr_array_make(pool, 0, sizeof(const char *));
    ck_assert(!ss_origin_is_trusted(&caller));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("origin");
    TCase *tcase = unit_case(suite, "configuration");

    tcase_add_loop_test(tcase, spells_origins_as_browsers_do, 0, COUNT(accepted));
    tcase_add_loop_test(tcase, refuses_what_is_no_origin, 0, COUNT(refused));

    tcase = unit_case(suite, "callers");
    tcase_add_loop_test(tcase, judges_callers, 0, COUNT(callers));
    tcase_add_test(tcase, trusts_only_what_is_listed);
    tcase_add_test(tcase, trusts_nobody_without_a_list);

    return unit_run(suite);
}
