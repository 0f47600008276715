/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/value.h"
#include "lib/json.h"

const char *ss_value_text(ss_bytes_t value, apr_pool_t *pool)
{
    ss_bytes_t text;

    if (ss_json_kind(value) == SS_JSON_STRING) {
        text = ss_json_decode(value, pool);
        if (!ss_json_is_plain(text)) {
            return NULL;
        }
    }
    else {
        text = ss_json_compact(value, SS_JSON_FINITE, pool);
    }
    return apr_pstrmemdup(pool, text.data, text.len);
}

ss_bytes_t ss_value_find(ss_session_t *session, const char *path, apr_pool_t *pool)
{
    ss_bytes_t value = ss_session_get(session, ss_bytes_of(path));

    if (value.data == NULL && strchr(path, '.') != NULL) {
        value = ss_json_at(ss_session_text(session), ss_bytes_of(path), pool);
    }
    return value;
}
