/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/json/json.h"

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

static ss_json_t member_of(ss_json_t object, ss_bytes_t name, apr_pool_t *pool)
{
    const ss_json_member_t *member = ss_json_find(ss_json_members(object, pool), name);

    return member != NULL ? member->value : ss_json_absent;
}

static ss_json_t item_of(ss_json_t array, ss_bytes_t step, apr_pool_t *pool)
{
    const apr_array_header_t *items = ss_json_items(array, pool);
    int index = index_of(step);

    return index >= 0 && index < items->nelts ? APR_ARRAY_IDX(items, index, ss_json_t)
                                              : ss_json_absent;
}

static ss_json_t step_into(ss_json_t value, ss_bytes_t step, apr_pool_t *pool)
{
    switch (ss_json_kind(value)) {
    case SS_JSON_OBJECT:
        return member_of(value, step, pool);
    case SS_JSON_ARRAY:
        return item_of(value, step, pool);
    default:
        return ss_json_absent;
    }
}

ss_json_t ss_json_at(ss_json_t value, ss_bytes_t path, apr_pool_t *pool)
{
    for (;;) {
        const char *dot = path.len == 0 ? NULL : memchr(path.data, '.', path.len);
        apr_size_t len = dot == NULL ? path.len : (apr_size_t)(dot - path.data);

        value = step_into(value, ss_bytes(path.data, len), pool);
        if (value.raw.data == NULL || dot == NULL) {
            return value;
        }
        path = ss_bytes(dot + 1, path.len - len - 1);
    }
}
