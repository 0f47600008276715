/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/cookie_check.h"
#include "lib/lifetime.h"
#include "tests/unit/unit.h"

#define HTTPS 1

/* clang-format off */
static const struct {
    const char *what;
    ss_cookie_t cookie;
    int https;
    const char *host, *path;
    apr_int64_t max_age;
    apr_size_t size;
    int came;
    apr_size_t header;
    const char *about; /* that there is a remark on; NULL: nothing beside the name deserves a look */
    ss_weight_e weight;
    const char *text;
} scenes[] = {
#define CASE(what, name, path, domain, same_site, only, parts, secure, ...) \
    { what, { name, path, domain, same_site, NULL, only, parts, secure }, __VA_ARGS__ }
#define AUTO SS_SECURE_AUTO
    CASE("as it should be", "__Host-s", "/", NULL, "Lax", 1, 0, SS_SECURE_ON, HTTPS, "a.test", "/", 90, 99, 1, 99, NULL, SS_FINE, NULL),
    CASE("auto by https", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", 90, 99, 1, 99, "Secure=auto", SS_FINE, "https only"),
    CASE("auto by http", "s", "/", NULL, "Lax", 1, 0, AUTO, 0, "a.test", "/", 90, 99, 1, 99, "Secure=auto", SS_WARNING, "everyone on the way"),
    CASE("auto on localhost", "s", "/", NULL, "Lax", 1, 0, AUTO, 0, "localhost", "/", 90, 99, 1, 99, "Secure=auto", SS_HINT, "fine on the machine"),
    CASE("below localhost", "s", "/", NULL, "Lax", 1, 0, AUTO, 0, "a.LOCALHOST", "/", 90, 99, 1, 99, "Secure=auto", SS_HINT, "fine on the machine"),
    CASE("a host that ends so", "s", "/", NULL, "Lax", 1, 0, AUTO, 0, "alocalhost", "/", 90, 99, 1, 99, "Secure=auto", SS_WARNING, "everyone"),
    CASE("a host that is not known", "s", "/", NULL, "Lax", 1, 0, AUTO, 0, NULL, "/", 90, 99, 1, 99, "Secure=auto", SS_WARNING, "everyone"),
    CASE("an address of this machine", "s", "/", NULL, "Lax", 1, 0, AUTO, 0, "127.0.0.1", "/", 90, 99, 1, 99, "Secure=auto", SS_HINT, "plain http"),
    CASE("Secure by http", "s", "/", NULL, "Lax", 1, 0, SS_SECURE_ON, 0, "a.test", "/", 90, 99, 1, 99, "Secure", SS_WARNING, "browsers drop"),
    CASE("off by https", "s", "/", NULL, "Lax", 1, 0, SS_SECURE_OFF, HTTPS, "a.test", "/", 90, 99, 1, 99, "Secure=off", SS_WARNING, "though this is https"),
    CASE("off by http", "s", "/", NULL, "Lax", 1, 0, SS_SECURE_OFF, 0, "a.test", "/", 90, 99, 1, 99, "Secure=off", SS_WARNING, "everyone"),
    CASE("a name without a prefix", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", 90, 99, 1, 99, "s", SS_HINT, "__Host-s "),
    CASE("the same with another path", "s", "/a", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/a", 90, 99, 1, 99, "s", SS_HINT, "__Secure-s "),
    CASE("a prefix in another case", "__host-S", "/", NULL, "Lax", 1, 0, SS_SECURE_ON, HTTPS, "a.test", "/", 90, 99, 1, 99, "__host-S", SS_FINE, "other hosts"),
    CASE("another prefix", "__Secure-s", "/", NULL, "Lax", 1, 0, SS_SECURE_ON, HTTPS, "a.test", "/", 90, 99, 1, 99, "__Secure-s", SS_FINE, "plain http"),
    CASE("readable by scripts", "s", "/", NULL, "Lax", 0, 0, AUTO, HTTPS, "a.test", "/", 90, 99, 1, 99, "HttpOnly=off", SS_WARNING, "every page"),
    CASE("Strict", "s", "/", NULL, "Strict", 1, 0, AUTO, HTTPS, "a.test", "/", 90, 99, 1, 99, "SameSite=Strict", SS_FINE, "links included"),
    CASE("None", "s", "/", NULL, "None", 1, 0, SS_SECURE_ON, HTTPS, "a.test", "/", 90, 99, 1, 99, "SameSite=None", SS_HINT, "SignedSessionGuard"),
    CASE("None, partitioned", "s", "/", NULL, "None", 1, 1, SS_SECURE_ON, HTTPS, "a.test", "/", 90, 99, 1, 99, "SameSite=None", SS_HINT, "each site"),
    CASE("below the path", "s", "/a", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/a/b", 90, 99, 1, 99, "Path=/a", SS_FINE, "below it"),
    CASE("beside the path", "s", "/a", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/ab", 90, 99, 1, 99, "Path=/a", SS_WARNING, "not below"),
    CASE("a path with its slash", "s", "/a/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/a", 90, 99, 1, 99, "Path=/a/", SS_WARNING, "not below"),
    CASE("the domain itself", "s", "/", "a.test", "Lax", 1, 0, AUTO, HTTPS, "A.test", "/", 90, 99, 1, 99, "Domain=a.test", SS_HINT, "subdomain"),
    CASE("a host below it", "s", "/", "a.test", "Lax", 1, 0, AUTO, HTTPS, "b.a.test", "/", 90, 99, 1, 99, "Domain=a.test", SS_HINT, "subdomain"),
    CASE("a host that ends like it", "s", "/", "a.test", "Lax", 1, 0, AUTO, HTTPS, "ba.test", "/", 90, 99, 1, 99, "Domain=a.test", SS_WARNING, "drop"),
    CASE("a host elsewhere", "s", "/", "a.test", "Lax", 1, 0, AUTO, HTTPS, "a.example", "/", 90, 99, 1, 99, "Domain=a.test", SS_WARNING, "drop"),
    CASE("a host above it", "s", "/", "a.test", "Lax", 1, 0, AUTO, HTTPS, "test", "/", 90, 99, 1, 99, "Domain=a.test", SS_WARNING, "drop"),
    CASE("an address", "s", "/", "0.0.1", "Lax", 1, 0, AUTO, HTTPS, "127.0.0.1", "/", 90, 99, 1, 99, "Domain=0.0.1", SS_WARNING, "drop"),
    CASE("as long as the browser", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", -1, 99, 1, 99, "no Max-Age", SS_FINE, "with the browser"),
    CASE("400 days", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", 400 * SS_DAY, 99, 1, 99, "Max-Age=34560000", SS_FINE, "400d"),
    CASE("longer", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", 400 * SS_DAY + 1, 99, 1, 99, "Max-Age=34560001", SS_HINT, "400 days"),
    CASE("almost full", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", 90, 3900, 1, 99, "3900 bytes", SS_WARNING, "Almost no room"),
    CASE("too large", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", 90, 4097, 1, 99, "4097 bytes", SS_WARNING, "drop"),
    CASE("two of them", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", 90, 99, 2, 99, "2 cookies", SS_WARNING, "another Path"),
    CASE("a long header", "s", "/", NULL, "Lax", 1, 0, AUTO, HTTPS, "a.test", "/", 90, 99, 1, 6200, "Cookie header of 6200 bytes", SS_WARNING, "8190"),
};
/* clang-format on */

static apr_array_header_t *remarks_on(int i)
{
    const ss_scene_t scene = { .cookie = &scenes[i].cookie,
                               .https = scenes[i].https,
                               .host = scenes[i].host,
                               .path = scenes[i].path,
                               .max_age = scenes[i].max_age,
                               .size = scenes[i].size,
                               .room = 4096,
                               .came = scenes[i].came,
                               .header = scenes[i].header,
                               .most = 8190 };

    return ss_cookie_check(&scene, pool);
}

START_TEST(remarks)
{
    for (int i = 0; i < COUNT(scenes); i++) {
        const apr_array_header_t *made = remarks_on(i);
        const ss_remark_t *found = NULL;

        for (int j = 0; j < made->nelts; j++) {
            const ss_remark_t *remark = &APR_ARRAY_IDX(made, j, ss_remark_t);

            if (scenes[i].about == NULL) {
                ck_assert_msg(remark->weight == SS_FINE, "%s: %s", scenes[i].what, remark->text);
            }
            else if (strcmp(remark->about, scenes[i].about) == 0) {
                found = remark;
            }
        }
        if (scenes[i].about != NULL) {
            ck_assert_msg(found != NULL, "%s: no remark", scenes[i].what);
            ck_assert_msg(found->weight == scenes[i].weight, "%s: %d", scenes[i].what,
                          found->weight);
            ck_assert_msg(strstr(found->text, scenes[i].text) != NULL, "%s: %s", scenes[i].what,
                          found->text);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cookie_check");
    TCase *tcase = unit_case(suite, "remarks");

    tcase_add_test(tcase, remarks);
    return unit_run(suite);
}
