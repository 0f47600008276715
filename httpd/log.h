/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_LOG_H
#define SS_LOG_H

#include <apr_atomic.h>
#include <httpd.h>
#include <http_log.h>

APLOG_USE_MODULE(signed_session);

/*
 * Every message has a number that is never used again: 01xx configuration, 02xx requests and
 * endpoints, 03xx writing. docs/messages.md lists them all with cause and remedy. Never log a
 * cookie's value, a secret, or anything of a session but the name of a key.
 *
 * Use: ss_log(r, APLOG_WARNING, "SS0301", "text %s", argument)
 */
#define ss_log(r, level, number, ...)                                                              \
    ap_log_rerror(APLOG_MARK, APLOG_NOERRNO | (level), 0, r, number ": " __VA_ARGS__)

/** The same for a text that has its number in front. */
#define ss_log_text(r, level, text)                                                                \
    ap_log_rerror(APLOG_MARK, APLOG_NOERRNO | (level), 0, r, "%s", text)

/** May a message that would come with every request be logged? Once a minute in each process is
 * enough; `told` is the minute of the last, of all threads, 0 at first. */
static inline int ss_log_is_time(volatile apr_uint32_t *told, apr_time_t now)
{
    apr_uint32_t minute = (apr_uint32_t)(now / apr_time_from_sec(60)), before = *told;

    return before != minute && apr_atomic_cas32(told, minute, before) == before;
}

#define ss_log_server(s, level, number, ...)                                                       \
    ap_log_error(APLOG_MARK, APLOG_NOERRNO | (level), 0, s, number ": " __VA_ARGS__)

#endif
