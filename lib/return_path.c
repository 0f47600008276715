/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>

#include "lib/encode.h"
#include "lib/out.h"
#include "lib/return_path.h"

ss_bytes_t ss_query_find(const char *query, const char *name)
{
    apr_size_t len = strlen(name);

    while (query != NULL) {
        apr_size_t field = strcspn(query, "&");

        if (field >= len && strncmp(query, name, len) == 0) {
            if (field == len) {
                return ss_bytes(query + len, 0);
            }
            if (query[len] == '=') {
                return ss_bytes(query + len + 1, field - len - 1);
            }
        }
        query = query[field] == '&' ? query + field + 1 : NULL;
    }
    return ss_absent;
}

/* Bytes of a dot at the beginning of `text`, 0 when there is none. */
static apr_size_t dot_of(ss_bytes_t text)
{
    if (text.len >= 1 && text.data[0] == '.') {
        return 1;
    }
    return text.len >= 3 && text.data[0] == '%' && text.data[1] == '2' &&
                   (text.data[2] == 'e' || text.data[2] == 'E')
               ? 3
               : 0;
}

static int is_dots(ss_bytes_t segment)
{
    int dots = 0;

    for (apr_size_t len; (len = dot_of(segment)) > 0; dots++) {
        segment = ss_bytes(segment.data + len, segment.len - len);
    }
    return segment.len == 0 && (dots == 1 || dots == 2);
}

/* Does a segment of the path lead elsewhere? `path` begins with a slash. */
static int has_dots(ss_bytes_t path)
{
    apr_size_t start = 1, at;

    for (at = 1; at < path.len && path.data[at] != '?' && path.data[at] != '#'; at++) {
        if (path.data[at] == '/') {
            if (is_dots(ss_bytes(path.data + start, at - start))) {
                return 1;
            }
            start = at + 1;
        }
    }
    return is_dots(ss_bytes(path.data + start, at - start));
}

int ss_return_path_is_safe(ss_bytes_t path)
{
    if (path.len == 0 || path.len > SS_RETURN_PATH_MAX || path.data[0] != '/' ||
        (path.len > 1 && path.data[1] == '/')) {
        return 0;
    }
    for (apr_size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.data[i];

        if (c < 0x20 || c == 0x7F || c == '\\') {
            return 0;
        }
    }
    return !has_dots(path);
}

static int is_unreserved(unsigned char c)
{
    return c < 0x80 && (apr_isalnum(c) || strchr("-._~", c) != NULL);
}

/* May it stay in what is printed? NUL never: a text of ours ends there. */
typedef int keeps_fn(unsigned char c);

static int keeps_in_parameter(unsigned char c)
{
    return c != '\0' && (is_unreserved(c) || c == '/');
}

/* What is encoded already stays as it is. */
static int keeps_in_reference(unsigned char c)
{
    return c > 0x20 && c < 0x7F && strchr("\"<>^`{|}", c) == NULL;
}

static const char *print(ss_bytes_t text, keeps_fn *keeps, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    ss_out_t start, out;

    start = out = ss_out_create(3 * text.len + 1, pool);
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (keeps(c)) {
            out = ss_out_put_char(out, (char)c);
        }
        else {
            out = ss_out_put_char(out, '%');
            out = ss_out_put_char(out, digits[c >> 4]);
            out = ss_out_put_char(out, digits[c & 15]);
        }
    }
    out = ss_out_put_char(out, '\0');
    return ss_out_slice(start, out).data;
}

const char *ss_return_path_read(ss_bytes_t value, apr_pool_t *pool)
{
    ss_bytes_t path;

    if (value.data == NULL || value.len > 3 * SS_RETURN_PATH_MAX ||
        ss_percent_decode(&path, value, 1, pool) != APR_SUCCESS || !ss_return_path_is_safe(path)) {
        return NULL;
    }
    return print(path, keeps_in_reference, pool);
}

const char *ss_return_path_print(const char *text, apr_pool_t *pool)
{
    return print(ss_bytes_of(text), keeps_in_parameter, pool);
}
