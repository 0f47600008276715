/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_OPTION_H
#define SS_OPTION_H

#include "lib/lifetime.h"

/* Words of the configuration and of the command line. Each returns NULL, or what is accepted ("a
 * duration such as ..."): a static text. */

/* What holds where nothing is written: in the directives' rows and in the options of ssctl. */
#define SS_DEFAULT_SECRET "env:SIGNED_SESSION_SECRET"
#define SS_DEFAULT_COOKIE "session"
#define SS_DEFAULT_FORMAT "native"
#define SS_DEFAULT_AUDIENCE ""
#define SS_DEFAULT_IDLE_TIMEOUT "14d" /* of SS_DEFAULT_FORMAT: others have their frameworks' */
#define SS_DEFAULT_ABSOLUTE_TIMEOUT "none"
#define SS_DEFAULT_SKEW "30s"

/** `90`, `90s`, `15min`, `12h`, `14d`, `2w`: from 0 to 100 years. Nothing else: no sign, blank,
 * fraction or other unit. */
SS_MUST_USE const char *ss_option_duration(apr_interval_time_t *duration, const char *text);

/** A duration above 0, or `none` for SS_FOREVER. */
SS_MUST_USE const char *ss_option_timeout(apr_interval_time_t *timeout, const char *text);

/** `10%` (integer, 0 to 100), a duration, `always` or `never`. */
SS_MUST_USE const char *ss_option_renew(ss_renew_t *renew, const char *text);

/** A duration as of ss_option_duration, or `200ms`: from 10ms to 10s. */
SS_MUST_USE const char *ss_option_wait(apr_interval_time_t *wait, const char *text);

/** A whole number of bytes, `512`, `64K`, `256M` or `2G`, of 1024 each: from 1 to SS_COOKIE_MAX. */
SS_MUST_USE const char *ss_option_size(apr_size_t *size, const char *text);

#define SS_STORE_SIZE_MIN 4096          /* bytes */
#define SS_STORE_SIZE_MAX (1024 * 1024) /* bytes: what every store can keep */

/** The same, from SS_STORE_SIZE_MIN to SS_STORE_SIZE_MAX. */
SS_MUST_USE const char *ss_option_store_size(apr_size_t *size, const char *text);

/** The same, from 1M. */
SS_MUST_USE const char *ss_option_space(apr_size_t *space, const char *text);

/** A header field name: an RFC 9110 token. */
int ss_option_is_token(const char *text);

/** Does this header field, of requests or of responses, already mean something to HTTP, to httpd or
 * to a browser? Spellings that some backend takes for the same (case, `_` or `.` for `-`) count,
 * too.
 *
 * Source: the IANA registry of field names, as far as something acts on them. */
int ss_option_is_taken(const char *name);

/** A word of the configuration for everybody's eyes: of a path, and of a command, the name of the
 * file alone, and no user or password of an address. Other words stay as they are. */
const char *ss_option_public(const char *word, apr_pool_t *pool);

#endif
