/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/origin.h"
#include "tests/fuzz/fuzz.h"

/* Host and port of an origin that ss_origin_parse printed. */
static const char *place_of(const char *origin, apr_pool_t *pool)
{
    const char *place = strstr(origin, "://") + 3;
    const char *port = strchr(*place == '[' ? strchr(place, ']') : place, ':');

    return port != NULL ? place : apr_pstrcat(pool, place, origin[4] == 's' ? ":443" : ":80", NULL);
}

/* The rule a second time: both are brought into one spelling and then compared as texts. */
static int is_same_place(const ss_caller_t *caller, apr_pool_t *pool)
{
    const char *theirs, *ours;

    return caller->host != NULL && ss_origin_parse(&theirs, caller->origin, pool) == NULL &&
           ss_origin_parse(&ours, apr_pstrcat(pool, caller->scheme, "://", caller->host, NULL),
                           pool) == NULL &&
           strcmp(place_of(theirs, pool), place_of(ours, pool)) == 0;
}

static int may_change(const ss_caller_t *caller, apr_pool_t *pool)
{
    const char *site = caller->sec_fetch_site;

    if (site != NULL && (strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)) {
        return 1;
    }
    if (caller->origin != NULL && caller->trusted->nelts > 0 &&
        strcmp(caller->origin, APR_ARRAY_IDX(caller->trusted, 0, const char *)) == 0) {
        return 1;
    }
    return site == NULL && (caller->origin == NULL || is_same_place(caller, pool));
}

static const char *header(int present, ss_bytes_t *input, apr_pool_t *pool)
{
    const char *text = fuzz_text(input, pool);

    return present ? text : NULL;
}

/* Input: a byte of choices, which headers are there; then what may be a trusted origin,
 * Sec-Fetch-Site, Origin and Host, with NULs between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    unsigned choices = fuzz_byte(&input);
    apr_array_header_t *trusted = apr_array_make(pool, 1, sizeof(const char *));
    const char *origin;
    ss_caller_t caller;

    if (ss_origin_parse(&origin, fuzz_text(&input, pool), pool) == NULL) {
        APR_ARRAY_PUSH(trusted, const char *) = origin;
    }
    caller.trusted = trusted;
    caller.scheme = choices & 1 ? "https" : "http";
    caller.sec_fetch_site = header(choices & 2, &input, pool);
    caller.origin = header(choices & 4, &input, pool);
    caller.host = header(choices & 8, &input, pool);
    MUST(ss_origin_may_change(&caller) == may_change(&caller, pool));

    apr_pool_destroy(pool);
    return 0;
}
