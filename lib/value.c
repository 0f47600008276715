/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/value.h"

ss_bytes_t ss_value_slice(ss_json_t value, apr_pool_t *pool)
{
    ss_bytes_t text;

    if (ss_json_kind(value) != SS_JSON_STRING) {
        return ss_json_compact(value, SS_JSON_FINITE, pool).raw;
    }
    text = ss_json_decode(value, pool);
    return ss_json_is_plain(text) ? text : ss_absent;
}

const char *ss_value_text(ss_json_t value, apr_pool_t *pool)
{
    ss_bytes_t text = ss_value_slice(value, pool);

    return text.data == NULL ? NULL : apr_pstrmemdup(pool, text.data, text.len);
}

ss_json_t ss_value_find(ss_session_t *session, const char *path, apr_pool_t *pool)
{
    ss_json_t value = ss_session_get(session, ss_bytes_of(path));

    if (value.raw.data == NULL && strchr(path, '.') != NULL) {
        value = ss_json_at(ss_session_json(session), ss_bytes_of(path), pool);
    }
    return value;
}
