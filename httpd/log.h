/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_LOG_H
#define SS_LOG_H

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

#define ss_log_server(s, level, number, ...)                                                       \
    ap_log_error(APLOG_MARK, APLOG_NOERRNO | (level), 0, s, number ": " __VA_ARGS__)

#endif
