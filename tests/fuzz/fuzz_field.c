/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>

#include "lib/field.h"
#include "tests/fuzz/fuzz.h"

#define NAMES_MAX 4

/* Names as the most generous backend sees them. */
static const char *as_variable(const char *name, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, name);

    for (char *c = copy; *c != '\0'; c++) {
        *c = apr_isascii(*c) && apr_isalnum(*c) ? apr_toupper(*c) : '_';
    }
    return copy;
}

static int is_alike_any(const char *member, const apr_array_header_t *names, apr_pool_t *pool)
{
    int found = 0;

    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);
        int alike = strcmp(as_variable(member, pool), as_variable(name, pool)) == 0;

        MUST(ss_field_is_alike(member, name) == alike);
        found = found || alike;
    }
    return found;
}

#define SEPARATORS ",; \t\r\n\v\f" /* mod_proxy's */

/* The words of a list, but for those that are alike, each behind a comma. */
static const char *words_of(const char *list, const apr_array_header_t *names, apr_pool_t *pool)
{
    char *left = apr_pstrdup(pool, list == NULL ? "" : list), *word, *state;
    const char *result = "";

    for (; (word = apr_strtok(left, SEPARATORS, &state)) != NULL; left = NULL) {
        if (!is_alike_any(word, names, pool)) {
            result = apr_pstrcat(pool, result, ",", word, NULL);
        }
    }
    return result;
}

static int is_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void judge_without(const char *list, const apr_array_header_t *names, apr_pool_t *pool)
{
    const apr_array_header_t *none = apr_array_make(pool, 1, sizeof(const char *));
    const char *rest = ss_field_without(list, names, pool);

    MUST(is_equal(ss_field_without(rest, names, pool), rest));
    MUST(strcmp(words_of(list, names, pool), words_of(rest, none, pool)) == 0);
}

static void judge_private(const char *list, apr_pool_t *pool)
{
    const char *result = ss_field_private(list, pool);

    MUST(ss_field_has(result, "private"));
    MUST(!ss_field_has(result, "public") && !ss_field_has(result, "s-maxage"));
    MUST(ss_field_has(result, "no-store") == ss_field_has(list, "no-store"));
    MUST(ss_field_has(result, "max-age") == ss_field_has(list, "max-age"));
    MUST(strcmp(ss_field_private(result, pool), result) == 0);
}

/* What was in the second list is in both together; in the first, too, unless its quote is open. */
static void judge_join(const char *list, apr_pool_t *pool)
{
    MUST(ss_field_has(ss_field_join("close", list, pool), "close"));
    MUST(ss_field_has(ss_field_join("Vary", list, pool), "close") == ss_field_has(list, "close"));
    MUST(strchr(list, '"') != NULL || ss_field_has(ss_field_join(list, "close", pool), "close"));
}

/* In quotes it is one value, whatever it says. */
static void judge_quoted(const char *list, apr_pool_t *pool)
{
    const char *quoted = apr_pstrcat(pool, "x=\"", list, "\"", NULL);

    if (strpbrk(list, "\"\\") == NULL) {
        MUST(ss_field_has(quoted, "x") && !ss_field_has(quoted, "close"));
        MUST(strcmp(ss_field_private(quoted, pool), apr_pstrcat(pool, "private, ", quoted, NULL)) ==
             0);
    }
}

static void judge_type(const char *type)
{
    MUST(!(ss_field_is_type(type, "application/json") && ss_field_is_type(type, "text/html")));
    if (ss_field_is_type(type, "application/json")) {
        const char *end = type + strspn(type, " \t") + strlen("application/json");

        MUST(*end == '\0' || strchr("; \t", *end) != NULL);
    }
}

/* Input: a list (Connection, Cache-Control, Vary), which is also read as a Content-Type; behind a
 * NUL names that are taken out of it, with NULs between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    const char *list = fuzz_text(&input, pool);
    apr_array_header_t *names = apr_array_make(pool, NAMES_MAX, sizeof(const char *));

    while (input.len > 0 && names->nelts < NAMES_MAX) {
        APR_ARRAY_PUSH(names, const char *) = fuzz_text(&input, pool);
    }
    judge_without(list, names, pool);
    judge_private(list, pool);
    judge_join(list, pool);
    judge_quoted(list, pool);
    judge_type(list);

    apr_pool_destroy(pool);
    return 0;
}
