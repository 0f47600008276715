/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_file_io.h>

#include "lib/keyring.h"
#include "tests/fuzz/fuzz.h"

/* A file with this content, gone with `pool`. */
static const char *write_file(ss_bytes_t content, apr_pool_t *pool)
{
    char *path;
    apr_file_t *file;
    const char *folder;

    MUST(apr_temp_dir_get(&folder, pool) == APR_SUCCESS);
    path = apr_pstrcat(pool, folder, "/fuzz_source.XXXXXX", NULL);
    MUST(apr_file_mktemp(&file, path, 0, pool) == APR_SUCCESS);
    MUST(apr_file_write_full(file, content.data, content.len, NULL) == APR_SUCCESS);
    return path;
}

static int is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

static int begins_with(ss_bytes_t text, const char *start)
{
    return text.len >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

static int is_mistaken(ss_bytes_t line)
{
    return begins_with(line, ";") || begins_with(line, "// ") || begins_with(line, "//\t") ||
           begins_with(line, "-----");
}

static int is_utf16(ss_bytes_t text)
{
    return text.len > 3 && ((begins_with(text, "\xff\xfe") && text.data[3] == '\0') ||
                            (begins_with(text, "\xfe\xff") && text.data[2] == '\0'));
}

/* The next secret of a key file, byte by byte; {NULL, 0} at its end. */
static ss_bytes_t next_secret(ss_bytes_t *content)
{
    while (content->len > 0) {
        ss_bytes_t secret = { content->data, 0 };

        while (content->len > 0 && fuzz_byte(content) != '\n') {
            secret.len++;
        }
        while (secret.len > 0 && is_blank(*secret.data)) {
            secret = ss_bytes(secret.data + 1, secret.len - 1);
        }
        while (secret.len > 0 && is_blank(secret.data[secret.len - 1])) {
            secret.len--;
        }
        if (secret.len > 0 && *secret.data != '#') {
            return secret;
        }
    }
    return ss_bytes(NULL, 0);
}

/* Whatever is let pass is long enough, is not nearly without entropy, and is there once. */
static void judge_secrets(const apr_array_header_t *secrets, apr_pool_t *pool)
{
    const ss_secret_t *all = (const ss_secret_t *)secrets->elts;
    const char *why = ss_keyring_judge(secrets, pool);

    MUST(why == NULL || strncmp(why, "SS010", 5) == 0);
    for (int i = 0; i < secrets->nelts && why == NULL; i++) {
        int different = 0;

        for (int byte = 0; byte < 256; byte++) {
            different += memchr(all[i].text.data, byte, all[i].text.len) != NULL;
        }
        MUST(all[i].text.len >= SS_SECRET_MIN && different >= 8);
        for (int j = 0; j < i; j++) {
            MUST(!ss_bytes_equal(all[i].text, all[j].text));
        }
    }
}

static void judge_file(ss_bytes_t content, apr_pool_t *pool)
{
    const char *text = apr_pstrcat(pool, "file:", write_file(content, pool), NULL), *why = NULL;
    apr_array_header_t *sources = apr_array_make(pool, 1, sizeof(ss_source_t)), *secrets;
    ss_bytes_t want;
    apr_status_t rv;

    MUST(ss_source_parse(apr_array_push(sources), text, pool) == NULL);
    rv = ss_source_read(&secrets, &why, NULL, sources, "/", pool);
    MUST(rv == APR_SUCCESS ? secrets != NULL && secrets->nelts > 0
                           : secrets == NULL && why != NULL);
    if (begins_with(content, "\xef\xbb\xbf")) {
        content = ss_bytes(content.data + 3, content.len - 3);
    }
    if (is_utf16(content)) {
        MUST(rv != APR_SUCCESS);
        return;
    }
    for (int i = 0; rv == APR_SUCCESS && i < secrets->nelts; i++) {
        want = next_secret(&content);
        MUST(want.data != NULL && !is_mistaken(want));
        MUST(ss_bytes_equal(APR_ARRAY_IDX(secrets, i, ss_secret_t).text, want));
    }
    want = next_secret(&content);
    MUST(want.data == NULL || (rv != APR_SUCCESS && strstr(why, " begins with ") != NULL));
    while (want.data != NULL && !is_mistaken(want)) {
        want = next_secret(&content);
        MUST(want.data != NULL);
    }
    if (rv == APR_SUCCESS) {
        judge_secrets(secrets, pool);
    }
}

/* Only where secrets come from is understood; anything else might be one. */
static void judge_argument(const char *text, apr_pool_t *pool)
{
    static const char *const prefixes[] = { "env:", "file:", "exec:" };
    ss_source_t source;

    if (ss_source_parse(&source, text, pool) == NULL) {
        MUST(strncmp(text, prefixes[source.kind], strlen(prefixes[source.kind])) == 0);
        MUST(strcmp(source.text, text) == 0 && *source.name != '\0');
        MUST(strcmp(source.name, text + strlen(prefixes[source.kind])) == 0);
    }
}

/* Input: the content of a key file; up to its first NUL also an argument of SignedSessionSecret. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);

    if (size <= 64 * 1024) {
        judge_file(input, pool);
    }
    judge_argument(fuzz_text(&input, pool), pool);

    apr_pool_destroy(pool);
    return 0;
}
