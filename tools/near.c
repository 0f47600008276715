/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "tools/ssctl.h"

/* One state, "unknown-key", has three causes: another secret, another cookie name, another
 * audience. What can be told of them apart. */

static const char *list_of_key_ids(const ss_sealing_t *how, const char *quote, const char *comma,
                                   apr_pool_t *pool)
{
    const ss_seal_t seal = ss_sealing_as(how, 0);
    const char *list = "";

    for (int i = 0; i < seal.keys->count; i++) {
        list = apr_psprintf(pool, "%s%s%s%04x%s", list, i > 0 ? comma : "", quote,
                            seal.keys->keys[i].id, quote);
    }
    return list;
}

const char *text_of_key_ids(const ss_sealing_t *how, apr_pool_t *pool)
{
    return ss_sealing_written(how)->traits & SS_FORMAT_BOUND ? list_of_key_ids(how, "", ", ", pool)
                                                             : NULL;
}

const char *json_of_key_ids(const ss_sealing_t *how, apr_pool_t *pool)
{
    return ss_sealing_written(how)->traits & SS_FORMAT_BOUND
               ? apr_pstrcat(pool, "[", list_of_key_ids(how, "\"", ",", pool), "]", NULL)
               : "null";
}

/* Does the first cookie open so? Its times do not matter. */
static int opens_as(const ss_binding_t *binding, const ss_format_t *format,
                    const ss_candidates_t *found, const options_t *options)
{
    const ss_sealed_t cookie = cookie_as(format, found);
    ss_sealing_t how;
    ss_payload_t payload;
    ss_seal_t seal;

    if (!keys_try(&how, binding, options, format)) {
        return 0;
    }
    seal = ss_sealing_as(&how, 0);
    return format->open(&payload, &cookie, &seal, options->pool) == SS_VALID;
}

const char *near_miss(const ss_format_t *format, const ss_candidates_t *found,
                      const options_t *options)
{
    static const char *const names[] = {
        NULL,  "session",   "__Host-session", "__Secure-session", "sessionid", "__Host-sessionid",
        "sid", "__Host-sid"
    };
    const char *const audiences[] = { options->audience, "" };

    for (int a = 0; a < (*options->audience == '\0' ? 1 : 2); a++) {
        for (apr_size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            const char *name = names[n] == NULL ? options->cookie_name : names[n];
            const ss_binding_t binding = { name, audiences[a] };

            if (opens_as(&binding, format, found, options)) {
                return apr_pstrcat(options->pool, "it opens", n > 0 ? " with --cookie-name " : "",
                                   n > 0 ? name : "", n > 0 && a > 0 ? " and" : "",
                                   a > 0 ? " without --audience" : "", NULL);
            }
        }
    }
    return NULL;
}
