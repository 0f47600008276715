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
    return c == '_' ? '-' : apr_tolower(c);
}

int ss_field_is_alike(const char *a, const char *b)
{
    for (; *a != '\0' && fold(*a) == fold(*b); a++, b++) {
    }
    return fold(*a) == fold(*b);
}

static int is_any_of(ss_bytes_t member, const apr_array_header_t *names, apr_pool_t *pool)
{
    const char *text = apr_pstrmemdup(pool, member.data, member.len);

    for (int i = 0; i < names->nelts; i++) {
        if (ss_field_is_alike(text, APR_ARRAY_IDX(names, i, const char *))) {
            return 1;
        }
    }
    return 0;
}

const char *ss_field_without(const char *list, const apr_array_header_t *names, apr_pool_t *pool)
{
    const char *result = NULL;
    ss_bytes_t member;

    while (list != NULL && next_member(&member, &list)) {
        if (!is_any_of(member, names, pool)) {
            result = ss_field_join(result, apr_pstrmemdup(pool, member.data, member.len), pool);
        }
    }
    return result;
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
    const char *result = "private";
    ss_bytes_t member;

    while (cache_control != NULL && next_member(&member, &cache_control)) {
        if (!is_named(member, "private") && !is_named(member, "public") &&
            !is_named(member, "s-maxage")) {
            result = apr_psprintf(pool, "%s, %.*s", result, (int)member.len, member.data);
        }
    }
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
