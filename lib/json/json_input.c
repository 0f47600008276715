/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_general.h>

#include "lib/json/json_input.h"
#include "lib/names.h"

#define NAMES_AT_FIRST 8

typedef struct used_t {
    ss_bytes_t name;
    const unsigned char *at;
} used_t;

static int has_control(ss_bytes_t text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char c = text.data[i];

        if (c < 0x20 || c == 0x7F) {
            return 1;
        }
    }
    return 0;
}

/* Is there a name that is used twice? Then the place where that first happens is noted. */
static void find_twice(ss_json_input_t *input, ss_index_t *names, const used_t *used)
{
    ss_index_sort(names, input->pool);
    for (int i = 1; i < names->count; i++) {
        const unsigned char *at = used[names->entries[i].number].at;

        if (ss_index_is_same(names, i) && (input->twice == NULL || at < input->twice)) {
            input->twice = at;
        }
    }
}

void ss_json_input_start(ss_json_input_t *input, apr_pool_t *pool)
{
    input->names = apr_array_make(pool, NAMES_AT_FIRST, sizeof(used_t));
    input->twice = NULL;
    input->pool = pool;
}

void ss_json_input_open(ss_json_input_t *input, unsigned level)
{
    input->first_name[level] = input->names->nelts;
}

const char *ss_json_input_name(ss_json_input_t *input, unsigned level, const unsigned char *at,
                               ss_bytes_t name, int is_simple)
{
    used_t *used;

    if (!is_simple && has_control(name)) {
        return "a name without control characters";
    }
    if (input->names->nelts - input->first_name[level] == SS_JSON_MEMBERS_MAX) {
        return "at most " APR_STRINGIFY(SS_JSON_MEMBERS_MAX) " members in an object";
    }

    used = apr_array_push(input->names);
    used->name = name;
    used->at = at;
    return NULL;
}

/* The names of an object are looked at together: one by one, each would be compared with all before
 * it. */
void ss_json_input_close(ss_json_input_t *input, unsigned level)
{
    int first = input->first_name[level], count = input->names->nelts - first;
    const used_t *used = (const used_t *)input->names->elts + first;
    ss_index_t names;

    if (count > 1) {
        names = ss_index_create(count, input->pool);
        for (int i = 0; i < count; i++) {
            ss_index_add(&names, used[i].name);
        }
        if (ss_index_may_have_alike(&names, input->pool)) {
            find_twice(input, &names, used);
        }
    }
    input->names->nelts = first;
}
