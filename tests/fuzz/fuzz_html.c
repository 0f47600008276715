/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/html.h"
#include "tests/fuzz/fuzz.h"

/* A reader as simple as the references that are written: what stands for what. */
static const struct {
    const char *reference;
    char c;
} references[] = {
    { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&#39;", '\'' },
};

static ss_bytes_t read_back(ss_bytes_t page, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, page.len + 1);
    apr_size_t len = 0;

    while (page.len > 0) {
        apr_size_t used = 1;

        text[len] = page.data[0];
        for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
            if (ss_bytes_begin(page, references[i].reference)) {
                text[len] = references[i].c;
                used = strlen(references[i].reference);
            }
        }
        MUST(page.data[0] != '&' || used > 1);
        MUST(memchr("<>\"'", page.data[0], 4) == NULL);
        len++;
        page = ss_bytes(page.data + used, page.len - used);
    }
    return ss_bytes(text, len);
}

/* Is it a text that is shown as it is? */
static int is_plain(ss_bytes_t text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if ((c < ' ' && c != '\t' && c != '\n') || c >= 0x7F) {
            return 0;
        }
    }
    return 1;
}

static void judge_text(ss_bytes_t text, apr_pool_t *pool)
{
    ss_html_t html = ss_html_create(pool);
    ss_bytes_t back;

    ss_html_text(&html, text);
    MUST(ss_utf8_is_valid(ss_html_page(&html)));
    back = read_back(ss_html_page(&html), pool);
    MUST(ss_html_holds(text) == ss_bytes_equal(back, text));
    MUST(!is_plain(text) || ss_html_holds(text));
}

/* What is shown of a value can be stored instead of it. */
static void judge_json(ss_bytes_t text, apr_pool_t *pool)
{
    ss_html_t html = ss_html_create(pool);
    ss_json_t value, again;

    if (ss_json_check(&value, text, SS_JSON_STRICT, NULL) != APR_SUCCESS) {
        return;
    }
    ss_html_json(&html, value);
    MUST(ss_json_check(&again, read_back(ss_html_page(&html), pool), SS_JSON_STRICT, NULL) ==
         APR_SUCCESS);
    MUST(ss_json_equal(value, again, pool));
}

/* Input: a text, which may be JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_exact(fuzz_bytes(data, size), pool);

    judge_text(input, pool);
    judge_json(input, pool);

    apr_pool_destroy(pool);
    return 0;
}
