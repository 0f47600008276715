/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/cookie.h"
#include "tests/fuzz/fuzz.h"

#define NAME "session"
#define OTHER "other"

/* As many as there is room for. */
static int find(ss_bytes_t values[], ss_cookie_end_e end, const char *header, const char *name)
{
    int count = ss_cookie_find(values, SS_CANDIDATES_MAX, end, header, name);

    MUST(count >= 0);
    return count < SS_CANDIDATES_MAX ? count : SS_CANDIDATES_MAX;
}

/* Where the blanks that end at `at` begin. */
static const char *before_blanks(const char *at, const char *start)
{
    while (at > start && (at[-1] == ' ' || at[-1] == '\t')) {
        at--;
    }
    return at;
}

/* Values are slices of the header that stand behind our name, and hold no separator. */
static void judge_values(const char *header)
{
    ss_bytes_t values[SS_CANDIDATES_MAX];
    int count = find(values, SS_COOKIE_LAST, header, NAME);
    const char *at = header;
    int i;

    for (i = 0; i < count; i++) {
        int quoted = values[i].data[-1] == '"'; /* before a value there is no other */
        const char *name = before_blanks(values[i].data - quoted, header) - 1;

        MUST(name >= at && *name == '=');
        name = before_blanks(name, header) - strlen(NAME);
        MUST(name >= at && memcmp(name, NAME, strlen(NAME)) == 0);
        MUST(name == header || strchr("; \t", name[-1]) != NULL);
        MUST(values[i].len == 0 || memchr(values[i].data, ';', values[i].len) == NULL);
        at = values[i].data + values[i].len + quoted;
        MUST(!quoted || at[-1] == '"');
        MUST(at <= header + strlen(header));
    }
}

static int is_long(ss_bytes_t value, const void *data)
{
    return value.len >= *(const apr_size_t *)data;
}

static int is_any_long(ss_bytes_t values[], int count, apr_size_t size)
{
    for (int i = 0; i < count; i++) {
        if (values[i].len >= size) {
            return 1;
        }
    }
    return 0;
}

/* What is taken out is gone, and nobody else's cookie is another one afterwards. */
static void judge_strip(const char *header, apr_pool_t *pool)
{
    ss_bytes_t before[SS_CANDIDATES_MAX], after[SS_CANDIDATES_MAX];
    const char *rest = ss_cookie_strip(header, NAME, NULL, NULL, pool);
    int count = find(before, SS_COOKIE_FIRST, header, OTHER);
    apr_size_t size = 8;

    MUST(find(after, SS_COOKIE_FIRST, rest, NAME) == 0);
    MUST(find(after, SS_COOKIE_FIRST, rest, OTHER) == count);
    for (int i = 0; i < count; i++) {
        MUST(ss_bytes_equal(after[i], before[i]));
    }

    rest = ss_cookie_strip(header, NAME, is_long, &size, pool);
    count = find(before, SS_COOKIE_FIRST, header, NAME);
    MUST((rest == header) == !is_any_long(before, count, size) || count == SS_CANDIDATES_MAX);
    count = find(after, SS_COOKIE_FIRST, rest, NAME);
    MUST(!is_any_long(after, count, size));
}

/* What we printed we know again, and a browser could not read anything else into it. */
static void judge_set_cookie(const char *text, const char *name)
{
    MUST(ss_cookie_is_named(text, name));
    for (; *text != '\0'; text++) {
        MUST((unsigned char)*text >= 0x20 && *text != 0x7F);
    }
}

/* Input: a header that is read as Cookie and as Set-Cookie; its values printed again must be found
 * again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ss_cookie_t cookie = { NAME, "/", NULL, "Lax", NULL, 1, 0, SS_SECURE_AUTO };
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size), value;
    const char *header = fuzz_text(&input, pool);

    judge_values(header);
    judge_strip(header, pool);
    ss_cookie_is_named(header, NAME);

    if (ss_cookie_find(&value, 1, SS_COOKIE_FIRST, header, NAME) >= 1) {
        const char *set_cookie = ss_cookie_print(&cookie, value, 1, 1, pool);
        ss_bytes_t again;

        MUST(ss_cookie_is_named(set_cookie, NAME));
        MUST(ss_cookie_find(&again, 1, SS_COOKIE_FIRST, set_cookie, NAME) == 1);
        /* within quotes: they were several pairs, or blanks, and we never print one */
        again.data -= again.data[-1] == '"';
        while (value.len > 0 && (*value.data == ' ' || *value.data == '\t')) {
            value = ss_bytes(value.data + 1, value.len - 1);
        }
        MUST(again.len <= value.len && memcmp(again.data, value.data, again.len) == 0);
    }
    judge_set_cookie(ss_cookie_print_deletion(&cookie, 0, pool), NAME);

    apr_pool_destroy(pool);
    return 0;
}
