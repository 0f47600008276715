/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <jansson.h>

#include "lib/json/json.h"
#include "tests/fuzz/fuzz.h"

/* Another reader of JSON accepts the same texts and finds the same in them. */

/* What jansson refuses and we accept, by the text of its message: numbers of any size, U+0000, and
 * lone surrogates. */
static int is_our_extension(const json_error_t *error)
{
    static const char *const texts[] = { "too big", "overflow", "NUL byte", "invalid Unicode" };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strstr(error->text, texts[i]) != NULL) {
            return 1;
        }
    }
    return 0;
}

static int is_too_deep(const ss_json_error_t *error)
{
    return strstr(error->wanted, "levels") != NULL;
}

static void compare(ss_json_t value, const json_t *tree, apr_pool_t *pool);

static void compare_strings(ss_json_t value, const json_t *tree, apr_pool_t *pool)
{
    MUST(ss_bytes_equal(ss_json_decode(value, pool),
                        ss_bytes(json_string_value(tree), json_string_length(tree))));
}

static void compare_arrays(ss_json_t value, const json_t *tree, apr_pool_t *pool)
{
    const apr_array_header_t *items = ss_json_items(value, pool);

    MUST((size_t)items->nelts == json_array_size(tree));
    for (int i = 0; i < items->nelts; i++) {
        compare(APR_ARRAY_IDX(items, i, ss_json_t), json_array_get(tree, i), pool);
    }
}

/* Of members with one name the last counts, so they are looked up, not compared in turn. */
static void compare_objects(ss_json_t value, json_t *tree, apr_pool_t *pool)
{
    const apr_array_header_t *members = ss_json_members(value, pool);
    const char *name;
    json_t *member;

    MUST(members != NULL && (size_t)members->nelts >= json_object_size(tree));
    json_object_foreach(tree, name, member)
    {
        const ss_json_member_t *ours = ss_json_find(members, ss_bytes_of(name));

        MUST(ours != NULL);
        compare(ours->value, member, pool);
    }
    for (int i = 0; i < members->nelts; i++) {
        ss_bytes_t ours = APR_ARRAY_IDX(members, i, ss_json_member_t).name;

        MUST(json_object_get(tree, apr_pstrmemdup(pool, ours.data, ours.len)) != NULL);
    }
}

static void compare_numbers(ss_json_t value, const json_t *tree, apr_pool_t *pool)
{
    const char *text = apr_pstrmemdup(pool, value.raw.data, value.raw.len);

    if (json_is_integer(tree)) {
        MUST(apr_strtoi64(text, NULL, 10) == json_integer_value(tree));
    }
    else {
        MUST(strtod(text, NULL) == json_real_value(tree));
    }
    /* the other way round it does not hold: 1e-400 is true, and zero as a double */
    MUST(ss_json_is_true(value) || json_number_value(tree) == 0);
}

static void compare(ss_json_t value, const json_t *tree, apr_pool_t *pool)
{
    static const ss_json_kind_e kinds[] = {
        [JSON_OBJECT] = SS_JSON_OBJECT, [JSON_ARRAY] = SS_JSON_ARRAY,
        [JSON_STRING] = SS_JSON_STRING, [JSON_INTEGER] = SS_JSON_NUMBER,
        [JSON_REAL] = SS_JSON_NUMBER,   [JSON_TRUE] = SS_JSON_TRUE,
        [JSON_FALSE] = SS_JSON_FALSE,   [JSON_NULL] = SS_JSON_NULL,
    };
    ss_json_kind_e kind = ss_json_kind(value);

    MUST(kind == kinds[json_typeof(tree)]);
    if (kind == SS_JSON_OBJECT) {
        compare_objects(value, (json_t *)tree, pool);
    }
    else if (kind == SS_JSON_ARRAY) {
        compare_arrays(value, tree, pool);
    }
    else if (kind == SS_JSON_STRING) {
        compare_strings(value, tree, pool);
    }
    else if (kind == SS_JSON_NUMBER) {
        compare_numbers(value, tree, pool);
    }
}

/* Input: a text that may be JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t text = fuzz_bytes(data, size);
    ss_json_error_t ours;
    ss_json_t value;
    json_error_t theirs;
    int accepted = ss_json_check(&value, text, SS_JSON_STRICT, &ours) == APR_SUCCESS;
    json_t *tree = size == 0
                       ? NULL
                       : json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &theirs);

    if (accepted && tree != NULL) {
        compare(value, tree, pool);
    }
    else if (accepted) {
        MUST(is_our_extension(&theirs));
    }
    else {
        /* jansson takes a NUL for the end of the text */
        MUST(tree == NULL || is_too_deep(&ours) || memchr(text.data, '\0', text.len) != NULL);
    }

    json_decref(tree);
    apr_pool_destroy(pool);
    return 0;
}
