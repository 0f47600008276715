/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/cookie_option.h"
#include "tests/unit/unit.h"

#define ARGUMENTS_MAX 9 /* with the NULL that ends them */

typedef const char *const arguments_t[ARGUMENTS_MAX];

static const char *parse(ss_cookie_t *cookie, arguments_t arguments)
{
    int count = 0;

    while (arguments[count] != NULL) {
        count++;
    }
    return ss_cookie_option_parse(cookie, count, arguments, pool);
}

/* clang-format off */
static const struct {
    const char *what;
    arguments_t arguments;
    const char *http, *https; /* Set-Cookie with the value "v", for 90 seconds */
} accepted[] = {
    { "only a name", { "session" },
      "session=v; Path=/; Max-Age=90; HttpOnly; SameSite=Lax",
      "session=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax" },
    { "every attribute", { "id", "Priority=High", "Partitioned", "Secure", "SameSite=None", "HttpOnly", "Domain=a.example", "Path=/b" },
      "id=v; Path=/b; Domain=a.example; Max-Age=90; HttpOnly; Secure; SameSite=None; Partitioned; Priority=High",
      "id=v; Path=/b; Domain=a.example; Max-Age=90; HttpOnly; Secure; SameSite=None; Partitioned; Priority=High" },
    { "any case", { "Session", "pATH=/X", "samesite=STRICT", "HTTPONLY=Off", "secure=ON", "partitioned=on", "priority=low" },
      "Session=v; Path=/X; Max-Age=90; Secure; SameSite=Strict; Partitioned; Priority=Low",
      "Session=v; Path=/X; Max-Age=90; Secure; SameSite=Strict; Partitioned; Priority=Low" },
    { "switches that are off", { "s", "Secure=off", "HttpOnly=off", "Partitioned=off" },
      "s=v; Path=/; Max-Age=90; SameSite=Lax", "s=v; Path=/; Max-Age=90; SameSite=Lax" },
    { "switches that are on", { "s", "Secure=on", "HttpOnly=on", "Partitioned=on" },
      "s=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax; Partitioned",
      "s=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax; Partitioned" },
    { "Secure as the connection is", { "s", "Secure=auto", "Priority=Medium" },
      "s=v; Path=/; Max-Age=90; HttpOnly; SameSite=Lax; Priority=Medium",
      "s=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax; Priority=Medium" },
    { "a prefix that binds to the host", { "__Host-s", "Secure=on" },
      "__Host-s=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax",
      "__Host-s=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax" },
    { "the same with its Path written", { "__Host-s", "Secure=on", "Path=/" },
      "__Host-s=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax",
      "__Host-s=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax" },
    { "a prefix that demands Secure", { "__Secure-s", "Secure", "Domain=example.com", "Path=/a=b" },
      "__Secure-s=v; Path=/a=b; Domain=example.com; Max-Age=90; HttpOnly; Secure; SameSite=Lax",
      "__Secure-s=v; Path=/a=b; Domain=example.com; Max-Age=90; HttpOnly; Secure; SameSite=Lax" },
    { "a name of every kind of byte", { "!#$%&'*+-.^_`|~09AZaz" },
      "!#$%&'*+-.^_`|~09AZaz=v; Path=/; Max-Age=90; HttpOnly; SameSite=Lax",
      "!#$%&'*+-.^_`|~09AZaz=v; Path=/; Max-Age=90; HttpOnly; Secure; SameSite=Lax" },
    { "a Path with blanks inside", { "s", "Path=/a b" },
      "s=v; Path=/a b; Max-Age=90; HttpOnly; SameSite=Lax",
      "s=v; Path=/a b; Max-Age=90; HttpOnly; Secure; SameSite=Lax" },
    { "a Domain of one label", { "s", "Domain=localhost" },
      "s=v; Path=/; Domain=localhost; Max-Age=90; HttpOnly; SameSite=Lax",
      "s=v; Path=/; Domain=localhost; Max-Age=90; HttpOnly; Secure; SameSite=Lax" },
    { "a Domain with hyphens and figures", { "s", "Domain=x--1.3com.Example" },
      "s=v; Path=/; Domain=x--1.3com.Example; Max-Age=90; HttpOnly; SameSite=Lax",
      "s=v; Path=/; Domain=x--1.3com.Example; Max-Age=90; HttpOnly; Secure; SameSite=Lax" }
};
/* clang-format on */

START_TEST(prints_what_it_parsed)
{
    const char *what = accepted[_i].what;
    ss_bytes_t value = exact_of("v");
    ss_cookie_t cookie;
    const char *why = parse(&cookie, accepted[_i].arguments), *text;

    ck_assert_msg(why == NULL, "%s: %s", what, why);
    text = ss_cookie_print(&cookie, value, 90, 0, pool);
    ck_assert_msg(strcmp(text, accepted[_i].http) == 0, "%s: %s", what, text);
    text = ss_cookie_print(&cookie, value, 90, 1, pool);
    ck_assert_msg(strcmp(text, accepted[_i].https) == 0, "%s: %s", what, text);
    ck_assert_msg(ss_cookie_is_named(text, accepted[_i].arguments[0]), "%s: name", what);
}
END_TEST

#define KNOWN "accepted are Path=, Domain=, SameSite=, HttpOnly, Secure, Partitioned, Priority="

/* clang-format off */
static const struct {
    const char *what;
    arguments_t arguments;
    const char *says; /* somewhere in the message */
} refused[] = {
    { "an empty name",                   { "" }, "token" },
    { "a name with '='",                 { "a=b" }, "token" },
    { "a name with a blank",             { "a b" }, "token" },
    { "a name with ';'",                 { "a;" }, "token" },
    { "a name with a control character", { "a\x01" }, "token" },
    { "a name beyond ASCII",             { "\xc3\xa9" }, "token" },
    { "an unknown attribute",            { "s", "Foo=1" }, "unknown attribute \"Foo\": " KNOWN },
    { "an unknown attribute, no value",  { "s", "Foo" }, "unknown attribute \"Foo\": " KNOWN },
    { "an attribute that we write",      { "s", "Max-Age=5" }, "unknown attribute \"Max-Age\": " KNOWN },
    { "an attribute without a name",     { "s", "=x" }, "unknown attribute \"\": " KNOWN },
    { "a blank before '='",              { "s", "Path =/" }, "unknown attribute \"Path \": " KNOWN },
    { "an attribute twice",              { "s", "Path=/", "path=/" }, "Path is there twice" },
    { "a switch twice",                  { "s", "Secure", "Secure=on" }, "Secure is there twice" },
    { "attributes in one argument",      { "s", "Path=/; Secure" }, "';' or a control character" },
    { "a line feed",                     { "s", "Path=/\r\nX: y" }, "';' or a control character" },
    { "DEL",                             { "s", "Path=/\x7f" }, "';' or a control character" },
    { "a Path without slash",            { "s", "Path=a" }, "Path must begin with \"/\"" },
    { "a Path without value",            { "s", "Path" }, "Path must begin with \"/\"" },
    { "an empty Path",                   { "s", "Path=" }, "Path must begin with \"/\"" },
    { "a Domain with a leading dot",     { "s", "Domain=.example.com" }, "drop it" },
    { "a Domain with a trailing dot",    { "s", "Domain=example.com." }, "must be a host name" },
    { "a Domain with two dots",          { "s", "Domain=a..b" }, "must be a host name" },
    { "an empty Domain",                 { "s", "Domain=" }, "must be a host name" },
    { "a Domain without value",          { "s", "Domain" }, "must be a host name" },
    { "a Domain with a port",            { "s", "Domain=a.b:80" }, "must be a host name" },
    { "a Domain with an underscore",     { "s", "Domain=a_b.c" }, "must be a host name" },
    { "a Domain with a leading hyphen",  { "s", "Domain=a.-b" }, "must be a host name" },
    { "a Domain with a trailing hyphen", { "s", "Domain=a-.b" }, "must be a host name" },
    { "a Domain beyond ASCII",           { "s", "Domain=\xc3\xa9.fr" }, "must be a host name" },
    { "a URL as Domain",                 { "s", "Domain=https://a.b" }, "must be a host name" },
    { "another SameSite",                { "s", "SameSite=Off" }, "Lax, Strict or None" },
    { "SameSite without value",          { "s", "SameSite" }, "Lax, Strict or None" },
    { "another Priority",                { "s", "Priority=Normal" }, "Low, Medium or High" },
    { "Priority without value",          { "s", "Priority" }, "Low, Medium or High" },
    { "another Secure",                  { "s", "Secure=yes" }, "Secure=auto" },
    { "an empty Secure",                 { "s", "Secure=" }, "Secure=auto" },
    { "another HttpOnly",                { "s", "HttpOnly=auto" }, "HttpOnly=off" },
    { "another Partitioned",             { "s", "Partitioned=1" }, "Partitioned=off" },
    { "SameSite=None, Secure=auto",      { "s", "SameSite=None" }, "add Secure=on" },
    { "SameSite=None, not Secure",       { "s", "SameSite=none", "Secure=off" }, "add Secure=on" },
    { "Partitioned, Secure=auto",        { "s", "Partitioned" }, "add Secure=on" },
    { "__Secure- with Secure=auto",      { "__Secure-s" }, "add Secure=on" },
    { "__secure- in another case",       { "__sEcUrE-s", "Secure=off" }, "add Secure=on" },
    { "__Host- with Secure=auto",        { "__Host-s", "Secure=auto" }, "add Secure=on" },
    { "__Host- with Domain",             { "__Host-s", "Secure", "Domain=a.b" }, "with Domain: remove it" },
    { "__host- in another case",         { "__HOST-s", "Secure", "Domain=a.b" }, "with Domain: remove it" },
    { "__Host- with another Path",       { "__Host-s", "Secure", "Path=/a" }, "Path=/" },
    { "__Http- without HttpOnly",        { "__Http-s", "Secure", "HttpOnly=off" }, "add HttpOnly" },
    { "__Host-Http- without HttpOnly",   { "__Host-Http-s", "Secure", "HttpOnly=off" }, "add HttpOnly" },
    { "__Host-Http- with another Path",  { "__Host-Http-s", "Secure", "Path=/a" }, "Path=/" }
};
/* clang-format on */

START_TEST(refuses_what_browsers_refuse)
{
    ss_cookie_t cookie;
    const char *why = parse(&cookie, refused[_i].arguments);

    ck_assert_msg(why != NULL, "%s", refused[_i].what);
    ck_assert_msg(strstr(why, refused[_i].says) != NULL, "%s: %s", refused[_i].what, why);
}
END_TEST

/* `prefix`, then as many times `c` as make `size` bytes. */
static const char *padded(const char *prefix, char c, apr_size_t size)
{
    char *text = apr_palloc(pool, size + 1);

    memset(text, c, size);
    memcpy(text, prefix, strlen(prefix));
    text[size] = '\0';
    return text;
}

START_TEST(limits_lengths)
{
    const char *longest = padded("Path=/", 'a', strlen("Path=") + 1024);
    const char *label = padded("", 'a', 63);
    const char *host =
        apr_pstrcat(pool, "Domain=", label, ".", label, ".", label, ".", padded("", 'b', 61), NULL);
    arguments_t fits = { "s", longest, host };
    arguments_t long_path = { "s", apr_pstrcat(pool, longest, "a", NULL) };
    arguments_t long_label = { "s", apr_pstrcat(pool, "Domain=a", label, ".de", NULL) };
    arguments_t long_host = { "s", apr_pstrcat(pool, host, "b", NULL) };
    ss_cookie_t cookie;

    ck_assert_ptr_null(parse(&cookie, fits));
    ck_assert_ptr_nonnull(strstr(parse(&cookie, long_path), "over 1024 bytes"));
    ck_assert_ptr_nonnull(strstr(parse(&cookie, long_label), "must be a host name"));
    ck_assert_ptr_nonnull(strstr(parse(&cookie, long_host), "must be a host name"));
}
END_TEST

START_TEST(owns_its_strings)
{
    char name[] = "s", path[] = "Path=/p", domain[] = "Domain=a.b", same_site[] = "SameSite=Lax";
    arguments_t arguments = { name, path, domain, same_site };
    ss_cookie_t cookie;

    ck_assert_ptr_null(parse(&cookie, arguments));
    memset(name, 'x', strlen(name));
    memset(path, 'x', strlen(path));
    memset(domain, 'x', strlen(domain));
    memset(same_site, 'x', strlen(same_site));
    ck_assert_str_eq(ss_cookie_print(&cookie, exact_of(""), -1, 0, pool),
                     "s=; Path=/p; Domain=a.b; HttpOnly; SameSite=Lax");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cookie option");
    TCase *tcase = unit_case(suite, "configuration");

    tcase_add_loop_test(tcase, prints_what_it_parsed, 0, COUNT(accepted));
    tcase_add_loop_test(tcase, refuses_what_browsers_refuse, 0, COUNT(refused));
    tcase_add_test(tcase, limits_lengths);
    tcase_add_test(tcase, owns_its_strings);
    return unit_run(suite);
}
