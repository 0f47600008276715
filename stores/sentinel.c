/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "stores/refusal.h"
#include "stores/sentinel.h"

#define DIGITS "0123456789"
#define IN_HOSTS DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._:"

static signed_session_bytes_t bytes_of(const char *text)
{
    const signed_session_bytes_t bytes = { (const unsigned char *)text, strlen(text) };

    return bytes;
}

/* Of these characters alone; a NUL among them is none. */
static int is_of(signed_session_bytes_t bytes, const char *characters, apr_size_t max)
{
    return bytes.len > 0 && bytes.len <= max &&
           strspn((const char *)bytes.data, characters) == bytes.len;
}

static int understand(ss_primary_t *primary, const ss_reply_t *reply)
{
    long port;

    if (!is_of(reply->bytes, IN_HOSTS, SS_HOST_MAX) || !is_of(reply->second, DIGITS, 5)) {
        return 0;
    }
    port = strtol((const char *)reply->second.data, NULL, 10);
    memcpy(primary->host, reply->bytes.data, reply->bytes.len + 1);
    primary->port = (apr_port_t)port;
    return port >= 1 && port <= 65535;
}

static const char *message_of(const ss_reply_t *reply, const char *shown, const char *name,
                              apr_pool_t *pool)
{
    const char *why;

    if (reply->kind == SS_REPLY_NIL) {
        return apr_psprintf(pool, "%s: this sentinel knows no primary \"%s\"", shown, name);
    }
    if (ss_reply_is_error(reply, "NOAUTH ")) {
        return apr_pstrcat(pool, shown, ": this sentinel wants a password, and gets none", NULL);
    }
    ss_reply_refuse(reply, shown, &why, pool);
    return why;
}

int ss_sentinel_ask(ss_primary_t *primary, const ss_route_t *route, const char *name,
                    apr_time_t until, const char **why, apr_pool_t *pool)
{
    const signed_session_bytes_t words[] = { bytes_of("SENTINEL"),
                                             bytes_of("get-master-addr-by-name"), bytes_of(name) };
    ss_reply_t reply;
    ss_wire_t *wire;
    int is_known = 0;

    if (ss_wire_connect(&wire, route, until, why, pool) != SS_WIRE_DONE) {
        return 0;
    }
    if (ss_wire_ask(wire, &reply, 1, ss_resp_format(words, 3, pool), until, why, pool) ==
        SS_WIRE_DONE) {
        is_known = reply.kind == SS_REPLY_PAIR && understand(primary, &reply);
        if (!is_known) {
            *why = message_of(&reply, wire->shown, name, pool);
        }
    }
    ss_wire_close(wire);
    return is_known;
}
