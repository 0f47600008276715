/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/encode.h"
#include "lib/json/json.h"
#include "tools/ssctl.h"

/* "2026-01-01T00:00:00Z" (RFC 3339) */
const char *text_of_time(apr_int64_t seconds, apr_pool_t *pool)
{
    apr_time_exp_t exploded;

    if (seconds > APR_INT64_MAX / APR_USEC_PER_SEC ||
        apr_time_exp_gmt(&exploded, apr_time_from_sec(seconds)) != APR_SUCCESS) {
        return "no date";
    }
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", exploded.tm_year + 1900,
                        exploded.tm_mon + 1, exploded.tm_mday, exploded.tm_hour, exploded.tm_min,
                        exploded.tm_sec);
}

const char *text_of_hex(ss_bytes_t bytes, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 2 * bytes.len + 1);

    for (apr_size_t i = 0; i < bytes.len; i++) {
        apr_snprintf(text + 2 * i, 3, "%02x", (unsigned char)bytes.data[i]);
    }
    text[2 * bytes.len] = '\0';
    return text;
}

/* A JSON string in printable ASCII. Bytes that are not UTF-8 become question marks: they come from
 * cookies that nobody sealed. */
const char *json_of_text(ss_bytes_t text, apr_pool_t *pool)
{
    char *copy = apr_pstrmemdup(pool, text.data, text.len);
    ss_json_t quoted;

    if (!ss_utf8_is_valid(text)) {
        for (apr_size_t i = 0; i < text.len; i++) {
            copy[i] = (unsigned char)copy[i] < 0x80 ? copy[i] : '?';
        }
    }
    quoted = ss_json_compact(ss_json_quote(ss_bytes(copy, text.len), pool), SS_JSON_ASCII, pool);
    return apr_pstrmemdup(pool, quoted.raw.data, quoted.raw.len);
}
