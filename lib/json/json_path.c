/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json_text.h"

/* Which item? -1 when the step is no index; the value is at most SS_COOKIE_MAX or so. */
static int index_of(ss_bytes_t step)
{
    int index = 0;

    if (step.len == 0 || step.len > 6 || (step.len > 1 && step.data[0] == '0')) {
        return -1;
    }
    for (apr_size_t i = 0; i < step.len; i++) {
        if (step.data[i] < '0' || step.data[i] > '9') {
            return -1;
        }
        index = index * 10 + (step.data[i] - '0');
    }
    return index;
}

static const ss_json_node_t *member_of(const ss_json_node_t *object, ss_bytes_t name,
                                       apr_pool_t *pool)
{
    const ss_json_node_t *member = ss_json_first(object), *found = NULL;

    for (; member != NULL; member = ss_json_next(object, member)) {
        if (ss_bytes_equal(ss_json_decode(member->name, pool), name)) {
            found = member;
        }
    }
    return found;
}

static const ss_json_node_t *item_of(const ss_json_node_t *array, ss_bytes_t step)
{
    const ss_json_node_t *item = ss_json_first(array);
    int index = index_of(step);

    for (; item != NULL && index > 0; index--) {
        item = ss_json_next(array, item);
    }
    return index == 0 ? item : NULL;
}

static const ss_json_node_t *step_into(const ss_json_node_t *node, ss_bytes_t step,
                                       apr_pool_t *pool)
{
    switch (ss_json_kind(node->value)) {
    case SS_JSON_OBJECT:
        return member_of(node, step, pool);
    case SS_JSON_ARRAY:
        return item_of(node, step);
    default:
        return NULL;
    }
}

ss_json_t ss_json_at(ss_json_t value, ss_bytes_t path, apr_pool_t *pool)
{
    const ss_json_node_t *node = ss_json_nodes(value, pool);

    for (;;) {
        const char *dot = path.len == 0 ? NULL : memchr(path.data, '.', path.len);
        apr_size_t len = dot == NULL ? path.len : (apr_size_t)(dot - path.data);

        node = step_into(node, ss_bytes(path.data, len), pool);
        if (node == NULL) {
            return ss_json_absent;
        }
        if (dot == NULL) {
            return node->value;
        }
        path = ss_bytes(dot + 1, path.len - len - 1);
    }
}
