/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <string.h>

#include <apr_strings.h>

#include "stores/refusal.h"

#define SHOWN 200 /* bytes of a server's error */

/* clang-format off */
static const struct error_t {
    const char *word; /* in the server's text: where a script met the error, not at its beginning */
    signed_session_store_e answer;
    const char *advice;
} errors[] = {
    { "OOM ",        SIGNED_SESSION_STORE_FULL,        "its maxmemory is used up" },
    { "MISCONF ",    SIGNED_SESSION_STORE_FULL,        "it cannot write to its disk" },
    { "NOREPLICAS ", SIGNED_SESSION_STORE_FULL,        "it wants more replicas" },
    { "NOAUTH ",     SIGNED_SESSION_STORE_UNAVAILABLE, "it asks for a password: name it in SignedSessionRedisAuth" },
    { "WRONGPASS ",  SIGNED_SESSION_STORE_UNAVAILABLE, "correct the user or the password of SignedSessionRedisAuth" },
    { "NOPERM ",     SIGNED_SESSION_STORE_UNAVAILABLE, "its ACL must allow +get +set +getrange +eval +evalsha on our keys" },
    { "executing the script can't", SIGNED_SESSION_STORE_UNAVAILABLE, "its ACL must allow +get +set +getrange on our keys" },
    { "READONLY ",   SIGNED_SESSION_STORE_UNAVAILABLE, "it is a replica: name the primary" },
    { "MASTERDOWN ", SIGNED_SESSION_STORE_UNAVAILABLE, "it is a replica that has lost its primary: name the primary" },
    { "unknown command", SIGNED_SESSION_STORE_UNAVAILABLE, "sessions need GET, SET, GETRANGE, EVAL and EVALSHA" },
    { "MOVED ",      SIGNED_SESSION_STORE_UNAVAILABLE, "it is part of a Redis Cluster, which is not supported" },
    { "CLUSTERDOWN ", SIGNED_SESSION_STORE_UNAVAILABLE, "it is part of a Redis Cluster, which is not supported" },
    { "",            SIGNED_SESSION_STORE_UNAVAILABLE, NULL },
};
/* clang-format on */

int ss_reply_is_error(const ss_reply_t *reply, const char *word)
{
    return reply->kind == SS_REPLY_ERROR && strstr((const char *)reply->bytes.data, word) != NULL;
}

/* As one line; without the arguments of an unknown command, among which a password may be. */
static const char *text_of(const ss_reply_t *reply, apr_pool_t *pool)
{
    char *text = apr_pstrndup(pool, (const char *)reply->bytes.data,
                              reply->bytes.len < SHOWN ? reply->bytes.len : SHOWN);
    char *arguments = strstr(text, ", with args");

    if (arguments != NULL) {
        *arguments = '\0';
    }
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == '\x7f') {
            *at = '?';
        }
    }
    return text;
}

signed_session_store_e ss_reply_refuse(const ss_reply_t *reply, const char *shown, const char **why,
                                       apr_pool_t *pool)
{
    const struct error_t *row = errors;

    if (reply->kind != SS_REPLY_ERROR) {
        *why = apr_pstrcat(pool, shown, ": that was no answer to our command", NULL);
        return SIGNED_SESSION_STORE_UNAVAILABLE;
    }
    while (!ss_reply_is_error(reply, row->word)) {
        row++;
    }
    *why = row->advice == NULL
               ? apr_pstrcat(pool, shown, ": ", text_of(reply, pool), NULL)
               : apr_pstrcat(pool, shown, ": ", text_of(reply, pool), " (", row->advice, ")", NULL);
    return row->answer;
}
