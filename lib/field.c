/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "lib/field.h"

#define BLANKS " \t"

/* Cut the next member off `*list`; a comma inside a quoted string does not separate. Empty members
 * are skipped. FALSE at the end of the list. */
static int next_member(ss_bytes_t *member, const char **list)
{
    const char *at = *list + strspn(*list, BLANKS ",");
    const char *end = at;
    int quoted = 0;

    if (*at == '\0') {
        return 0;
    }
    for (; *end != '\0' && (quoted || *end != ','); end++) {
        if (*end == '"') {
            quoted = !quoted;
        }
        else if (quoted && *end == '\\' && end[1] != '\0') {
            end++;
        }
    }
    *list = end;
    while (end > at && strchr(BLANKS, end[-1]) != NULL) {
        end--;
    }
    *member = ss_bytes(at, (apr_size_t)(end - at));
    return 1;
}

static int is_named(ss_bytes_t member, const char *name)
{
    apr_size_t len = strlen(name);

    return member.len >= len && apr_cstr_casecmpn(member.data, name, len) == 0 &&
           (member.len == len || member.data[len] == '=');
}

int ss_field_has(const char *list, const char *name)
{
    ss_bytes_t member;

    while (list != NULL && next_member(&member, &list)) {
        if (is_named(member, name)) {
            return 1;
        }
    }
    return 0;
}

static int fold(char c)
{
    return apr_isascii(c) && apr_isalnum(c) ? apr_tolower(c) : '-';
}

static int is_alike(ss_bytes_t a, const char *b)
{
    apr_size_t i = 0;

    while (i < a.len && b[i] != '\0' && fold(a.data[i]) == fold(b[i])) {
        i++;
    }
    return i == a.len && b[i] == '\0';
}

int ss_field_is_alike(const char *a, const char *b)
{
    return is_alike(ss_bytes_of(a), b);
}

const char *ss_field_behind(const char *name, const char *prefix)
{
    for (; *prefix != '\0'; name++, prefix++) {
        if (*name == '\0' || fold(*name) != fold(*prefix)) {
            return NULL;
        }
    }
    return name;
}

static int is_any_of(ss_bytes_t member, const apr_array_header_t *names)
{
    for (int i = 0; i < names->nelts; i++) {
        if (is_alike(member, APR_ARRAY_IDX(names, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

/* What separates the words of a Connection header for mod_proxy, which knows no quotes. */
#define SEPARATORS ",; \t\r\n\v\f"

const char *ss_field_without(const char *list, const apr_array_header_t *names, apr_pool_t *pool)
{
    const char *at = list == NULL ? "" : list;
    char *kept = NULL, *out = NULL;

    while (*at != '\0') {
        apr_size_t gap = strspn(at, SEPARATORS);
        apr_size_t len = strcspn(at + gap, SEPARATORS);

        if (len > 0 && is_any_of(ss_bytes(at + gap, len), names)) {
            if (kept == NULL) {
                kept = apr_pstrdup(pool, list);
                out = kept + (at - list);
            }
        }
        else if (kept != NULL) {
            memcpy(out, at, gap + len);
            out += gap + len;
        }
        at += gap + len;
    }
    if (kept == NULL) {
        return list;
    }
    *out = '\0';
    kept += strspn(kept, SEPARATORS);
    return *kept == '\0' ? NULL : kept;
}

const char *ss_field_join(const char *first, const char *second, apr_pool_t *pool)
{
    if (first == NULL || second == NULL) {
        return first != NULL ? first : second;
    }
    return apr_pstrcat(pool, first, ", ", second, NULL);
}

const char *ss_field_private(const char *cache_control, apr_pool_t *pool)
{
    static const char private[] = "private";
    apr_size_t size = cache_control == NULL ? 0 : strlen(cache_control);
    char *result = apr_palloc(pool, sizeof(private) + 2 + 2 * size); /* a "," becomes ", " */
    char *out = apr_cpystrn(result, private, sizeof(private));
    ss_bytes_t member;

    while (cache_control != NULL && next_member(&member, &cache_control)) {
        if (!is_named(member, "private") && !is_named(member, "public") &&
            !is_named(member, "s-maxage")) {
            memcpy(out, ", ", 2);
            memcpy(out + 2, member.data, member.len);
            out += 2 + member.len;
        }
    }
    *out = '\0';
    return result;
}

int ss_field_is_type(const char *content_type, const char *type)
{
    apr_size_t len = strlen(type);

    if (content_type == NULL) {
        return 0;
    }
    content_type += strspn(content_type, BLANKS);
    return apr_cstr_casecmpn(content_type, type, len) == 0 &&
           (content_type[len] == '\0' || strchr(BLANKS ";", content_type[len]) != NULL);
}

/* Is it a weight of 0: "q=0", "q=0.000"? */
static int is_refusal(ss_bytes_t parameter)
{
    apr_size_t at = 3;

    if (parameter.len < at || apr_cstr_casecmpn(parameter.data, "q=0", at) != 0) {
        return 0;
    }
    at += at < parameter.len && parameter.data[at] == '.';
    while (at < parameter.len && parameter.data[at] == '0') {
        at++;
    }
    return at == parameter.len;
}

/* Is one of the parameters behind a media type a weight of 0? */
static int is_refused(ss_bytes_t parameters)
{
    const char *at = parameters.data, *end = at + parameters.len;

    while (at < end) {
        const char *next = memchr(at, ';', end - at);
        apr_size_t len = (next != NULL ? next : end) - at;

        if (is_refusal(ss_bytes_trim(ss_bytes(at, len)))) {
            return 1;
        }
        at += len + 1;
    }
    return 0;
}

int ss_field_names_type(const char *accept, const char *type)
{
    ss_bytes_t member;
    apr_size_t len = strlen(type);

    while (accept != NULL && next_member(&member, &accept)) {
        if (member.len >= len && apr_cstr_casecmpn(member.data, type, len) == 0 &&
            (member.len == len || strchr(BLANKS ";", member.data[len]) != NULL) &&
            !is_refused(ss_bytes(member.data + len, member.len - len))) {
            return 1;
        }
    }
    return 0;
}
