/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <jansson.h>

#include "lib/json/json.h"
#include "tests/fuzz/fuzz.h"

/* A path leads to the same place in the raw text as in the tree of another reader. */

static json_t *step_into(json_t *tree, const char *step)
{
    size_t index = 0;

    if (json_is_object(tree)) {
        return json_object_get(tree, step);
    }
    /* an index has one spelling, and no session has a million items */
    if (*step == '\0' || strlen(step) > 6 || (*step == '0' && step[1] != '\0')) {
        return NULL;
    }
    for (; *step >= '0' && *step <= '9'; step++) {
        index = index * 10 + (size_t)(*step - '0');
    }
    return *step == '\0' && json_is_array(tree) ? json_array_get(tree, index) : NULL;
}

static json_t *walk(json_t *tree, char *path)
{
    while (tree != NULL && path != NULL) {
        char *dot = strchr(path, '.');

        if (dot != NULL) {
            *dot = '\0';
        }
        tree = step_into(tree, path);
        path = dot != NULL ? dot + 1 : NULL;
    }
    return tree;
}

static int depth_of(json_t *tree)
{
    const char *name;
    json_t *part;
    size_t i;
    int deepest = 0;

    json_array_foreach(tree, i, part)
    {
        int depth = depth_of(part);

        deepest = depth > deepest ? depth : deepest;
    }
    json_object_foreach(tree, name, part)
    {
        int depth = depth_of(part);

        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + (json_is_array(tree) || json_is_object(tree));
}

/* Of two members with one name the tree has only the last, which may be the flatter one. */
static void judge_depth(ss_json_t value, json_t *tree, apr_pool_t *pool)
{
    ss_json_error_t error;
    int depth = ss_json_depth(value);

    MUST(depth >= depth_of(tree) && depth <= SS_JSON_DEPTH_MAX);
    MUST(depth == depth_of(tree) ||
         ss_json_check_input(NULL, value.raw, &error, pool) != APR_SUCCESS);
}

static int same_kind(ss_json_t value, const json_t *tree)
{
    switch (ss_json_kind(value)) {
    case SS_JSON_OBJECT:
        return json_is_object(tree);
    case SS_JSON_ARRAY:
        return json_is_array(tree);
    case SS_JSON_STRING:
        return json_is_string(tree);
    case SS_JSON_NUMBER:
        return json_is_number(tree);
    case SS_JSON_TRUE:
        return json_is_true(tree);
    case SS_JSON_FALSE:
        return json_is_false(tree);
    default:
        return json_is_null(tree);
    }
}

static void judge_path(ss_json_t document, json_t *tree, ss_bytes_t path, apr_pool_t *pool)
{
    ss_bytes_t text = document.raw;
    ss_json_t value = ss_json_at(document, path, pool);
    json_t *there = walk(tree, apr_pstrmemdup(pool, path.len > 0 ? path.data : "", path.len));

    MUST((value.raw.data != NULL) == (there != NULL));
    if (value.raw.data != NULL) {
        MUST(value.raw.data >= text.data);
        MUST(value.raw.data + value.raw.len <= text.data + text.len);
        MUST(ss_json_check(NULL, value.raw, SS_JSON_STRICT, NULL) == APR_SUCCESS &&
             same_kind(value, there));
        MUST(ss_json_is_true(value) || !json_is_true(there));
    }
}

/* Input: a path, NUL, a document. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    ss_bytes_t path = fuzz_exact(fuzz_part(&input), pool);
    ss_json_t document;

    if (ss_json_check(&document, input, SS_JSON_STRICT, NULL) == APR_SUCCESS) {
        json_t *tree = json_loadb(input.data, input.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

        if (tree != NULL) {
            judge_depth(document, tree, pool);
            judge_path(document, tree, path, pool);
        }
        json_decref(tree);
    }

    apr_pool_destroy(pool);
    return 0;
}
