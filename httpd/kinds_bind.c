/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* The kind of SignedSessionBind. */

#include <apr_lib.h>
#include <apr_strings.h>

#include "httpd/kinds.h"
#include "lib/option.h"

#define LIFETIME apr_time_from_sec(600)
/* Chromium signs six times in nine minutes, no more. */
#define LIFETIME_MIN apr_time_from_sec(300)
#define GRACE apr_time_from_sec(600)
#define GRACE_MIN apr_time_from_sec(60)
#define LONGEST apr_time_from_sec(3600)

#define BIND_PATH_MAX 200

/* It stands in quotes in a header, and is compared with what a client sends, byte by byte. */
static int is_plain_path(const char *path)
{
    apr_size_t len = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~/");

    return path[0] == '/' && path[1] != '\0' && path[len] == '\0' && len <= BIND_PATH_MAX &&
           strstr(path, "//") == NULL && strstr(path, "/.") == NULL;
}

static const char *parse_span(apr_interval_time_t *span, int word, apr_interval_time_t least,
                              const char *accepted, const ss_line_t *line)
{
    if (word >= line->count) {
        return NULL;
    }
    return ss_option_duration(span, line->words[word]) != NULL || *span < least || *span > LONGEST
               ? ss_kind_not_accepted(line->words[word], accepted, line)
               : NULL;
}

const char *ss_parse_bind(void *member, const ss_line_t *line)
{
    ss_bind_conf_t bind = { SS_BIND_OFF, NULL, LIFETIME, GRACE };
    const char *wrong;

    if (ss_kind_is_word(line->words[0], "On")) {
        bind.kind = SS_BIND_ON;
    }
    else if (ss_kind_is_word(line->words[0], "Required")) {
        bind.kind = SS_BIND_REQUIRED;
    }
    else if (!ss_kind_is_word(line->words[0], "Off")) {
        return ss_kind_not_accepted(line->words[0], "On or Required with a path, or Off", line);
    }
    if (line->count > (bind.kind == SS_BIND_OFF ? 1 : bind.kind == SS_BIND_ON ? 3 : 4)) {
        return "accepted are On PATH [LIFETIME], Required PATH [LIFETIME [GRACE]], or Off";
    }
    if (bind.kind != SS_BIND_OFF) {
        bind.path = line->count > 1 ? line->words[1] : "";
        if (!is_plain_path(bind.path)) {
            return ss_kind_not_accepted(
                bind.path, "the path of a URL on this server, such as /session-bind", line);
        }
    }
    wrong = parse_span(&bind.lifetime, 2, LIFETIME_MIN, "a duration from 5min to 1h", line);
    if (wrong == NULL) {
        wrong = parse_span(&bind.grace, 3, GRACE_MIN, "a duration from 1min to 1h", line);
    }
    if (wrong == NULL) {
        *(ss_bind_conf_t *)member = bind;
    }
    return wrong;
}
