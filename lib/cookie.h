/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_COOKIE_H
#define SS_COOKIE_H

#include <apr_time.h>

#include "lib/base.h"

/* The only reader and writer of cookie headers. */

typedef enum ss_secure_e { SS_SECURE_AUTO, SS_SECURE_ON, SS_SECURE_OFF } ss_secure_e;

/** How our cookie looks in Set-Cookie (RFC 6265, and RFC 6265bis for prefixes, SameSite and
 * Partitioned). */
typedef struct ss_cookie_t {
    const char *name;
    const char *path;
    const char *domain;    /* NULL: host-only */
    const char *same_site; /* "Lax", "Strict", "None" */
    const char *priority;  /* "Low", "Medium", "High"; NULL: not sent */
    int http_only;
    int partitioned;
    ss_secure_e secure;
} ss_cookie_t;

/** Which cookies are wanted of more than there is room for. */
typedef enum ss_cookie_end_e {
    SS_COOKIE_FIRST,
    SS_COOKIE_LAST /* the first ones, but the last one in the last place */
} ss_cookie_end_e;

/**
 * The values of all cookies called `name` in a Cookie header, in its order. Only ';' separates;
 * blanks and tabs around names and values do not count, as in Python's frameworks; names are
 * compared byte by byte, never decoded; a value is everything after the first '=', without one pair
 * of double quotes around it.
 *
 * @param values  out: room for `max` slices of `header`
 * @param header  terminated, any bytes; NULL for "no header"
 * @return        how many there are, which may be more than `max`
 */
SS_MUST_USE int ss_cookie_find(ss_bytes_t values[], int max, ss_cookie_end_e end,
                               const char *header, const char *name);

/** Is this value, which ss_cookie_find has found, with its name all that the header holds, in the
 * spelling "name=value"? Costs nothing; 0 is not certain. */
int ss_cookie_is_alone(ss_bytes_t value, const char *header, const char *name);

/** Is a cookie's value one that ss_cookie_strip is to remove? */
typedef int ss_cookie_is_fn(ss_bytes_t value, const void *data);

/**
 * A Cookie header without the cookies called `name`, found as ss_cookie_find finds them. Each goes
 * with the separator and the blanks behind it, or the last with those in front of it; all other
 * bytes stay.
 *
 * @param is    which of them go, called with `data`; NULL: all of them
 * @return      `header` itself when there is nothing to remove; NULL when nothing is left
 */
const char *ss_cookie_strip(const char *header, const char *name, ss_cookie_is_fn *is,
                            const void *data, apr_pool_t *pool);

/** Does this Set-Cookie value set the cookie called `name`? */
int ss_cookie_is_named(const char *set_cookie, const char *name);

/** Does this Set-Cookie line set the cookie of this scope: no other Path than ours, and the same
 * Domain? A line without Path counts as ours. */
int ss_cookie_is_scoped(const char *set_cookie, const ss_cookie_t *cookie);

/** The same Set-Cookie line with another value: every attribute stays as it is written. */
const char *ss_cookie_with_value(const char *set_cookie, ss_bytes_t value, apr_pool_t *pool);

/** The cookie's value in a Set-Cookie line, as its framework will read it when it comes back: {"",
 * 0} when there is none; one pair of double quotes around it does not belong to it. */
ss_bytes_t ss_cookie_value(const char *set_cookie);

/** Does this Set-Cookie line delete its cookie: Max-Age of 0 or less, else Expires in the past?
 * Both as browsers read them. */
int ss_cookie_is_deletion(const char *set_cookie, apr_time_t now);

/**
 * A Set-Cookie value that stores `value`.
 *
 * @param value    made of cookie-octets (RFC 6265 section 4.1.1)
 * @param max_age  seconds, or -1 for a cookie that ends with the browser
 * @param https    what Secure=auto becomes
 */
const char *ss_cookie_print(const ss_cookie_t *cookie, ss_bytes_t value, apr_int64_t max_age,
                            int https, apr_pool_t *pool);

/** A Set-Cookie value that deletes the cookie: empty, Max-Age=0, Expires in 1970, the same Path,
 * Domain and flags. */
const char *ss_cookie_print_deletion(const ss_cookie_t *cookie, int https, apr_pool_t *pool);

#endif
