/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_file_info.h>
#include <apr_strings.h>
#include <stdio.h>

#include "lib/revocation_follow.h"
#include "lib/revocation_log.h"
#include "lib/siphash.h"
#include "tools/ssctl.h"

/* Commands that know the revocation log, on the machine where httpd runs. */

#define PATIENCE apr_time_from_sec(5) /* others that append need milliseconds */

/* Made here it would be of whoever runs this, which httpd could not append to. */
static result_e complain_of_log(const options_t *options, const char *why, int is_missing)
{
    if (is_missing) {
        complain("there is no %s: httpd makes it, when it starts with SignedSessionRevocation "
                 "file:PATH",
                 options->log);
    }
    else {
        complain("%s", why);
    }
    return SSCTL_REFUSED;
}

static ss_followed_t *follow(const options_t *options)
{
    unsigned char key[SS_SIPHASH_KEY_SIZE];

    if (ss_random(key, sizeof(key)) != APR_SUCCESS) {
        complain("OpenSSL has no random bytes");
        return NULL;
    }
    return ss_revocation_follow(options->log, key, options->now, options->pool);
}

/* Sessions that began in the same second as an earlier line are dated ahead. A log that cannot be
 * read cannot be appended to either, which is said then. */
static apr_int64_t before_of(const options_t *options, ss_followed_t *log)
{
    const ss_bytes_t subject = options->subject == NULL ? ss_absent : ss_bytes_of(options->subject);
    apr_int64_t now = apr_time_sec(options->now),
                limit = ss_lifetime_furthest(&options->lifetime, options->now), latest;
    const char *why;

    latest = ss_followed_latest(log, subject, options->now, &why, options->pool);
    latest = latest < limit ? latest : limit;
    return now > latest ? now : latest;
}

/* What the options say, as a line of the log. */
static ss_bytes_t line_of(const options_t *options, ss_followed_t *log)
{
    char room[SS_REVOCATION_SUBJECT_MAX];
    apr_int64_t now = apr_time_sec(options->now);
    ss_revocation_line_t line = { SS_REVOKED_ALL, ss_absent, before_of(options, log),
                                  SS_REVOCATION_TIME_MAX };
    ss_bytes_t text = ss_absent;

    if (options->revoked_for != SS_FOREVER) {
        line.until = now + apr_time_sec(options->revoked_for);
    }
    if (options->id != NULL) {
        text = ss_bytes_of(
            apr_psprintf(options->pool, "id %s %" APR_INT64_T_FMT, options->id, line.until));
        if (ss_revocation_parse(&line, text, room) != APR_SUCCESS) {
            return ss_absent;
        }
    }
    else if (options->subject != NULL) {
        line.kind = SS_REVOKED_SUBJECT;
        line.value = ss_bytes_of(options->subject);
    }
    return ss_revocation_print(&text, &line, options->pool) == APR_SUCCESS ? text : ss_absent;
}

result_e run_revoke(const options_t *options)
{
    ss_followed_t *log = follow(options);
    const char *why;
    ss_bytes_t line;
    apr_status_t rv;

    if (log == NULL) {
        return SSCTL_REFUSED;
    }
    line = line_of(options, log);
    if (line.data == NULL) {
        complain("the time is too far ahead for the log");
        return SSCTL_REFUSED;
    }
    rv = ss_revocation_log_append(&why, options->log, line, NULL, PATIENCE, options->pool);
    return rv == APR_SUCCESS ? SSCTL_DONE : complain_of_log(options, why, APR_STATUS_IS_ENOENT(rv));
}

static void print_as_json(const ss_revocation_line_t *line, int is_first, apr_pool_t *pool)
{
    static const char *const kinds[] = {
        [SS_REVOKED_ID] = "id",
        [SS_REVOKED_SUBJECT] = "subject",
        [SS_REVOKED_ALL] = "all",
        [SS_REVOKED_REPLACED] = "replaced",
    };
    const char *value = "null";

    if (line->kind == SS_REVOKED_ID || line->kind == SS_REVOKED_REPLACED) {
        value = apr_pstrcat(pool, "\"", text_of_hex(line->value, pool), "\"", NULL);
    }
    if (line->kind == SS_REVOKED_SUBJECT) {
        value = json_of_text(line->value, pool);
    }
    printf("%s{\"kind\":\"%s\",\"value\":%s,\"before\":%s,\"until\":%" APR_INT64_T_FMT "}",
           is_first ? "" : ",", kinds[line->kind], value,
           line->kind == SS_REVOKED_ID ? "null"
                                       : apr_psprintf(pool, "%" APR_INT64_T_FMT, line->before),
           line->until);
}

/* What is revoked as it stands in the log, which no value of can command a terminal. */
static void print_as_text(const ss_revocation_line_t *line, ss_bytes_t text, apr_pool_t *pool)
{
    const char *end = text.data;

    /* the kind and, behind a blank, the value */
    for (int words = line->kind == SS_REVOKED_ALL ? 1 : 2; words > 0; words--) {
        end = strchr(end, ' ') + 1;
    }
    printf("%.*s", (int)(end - 1 - text.data), text.data);
    if (line->kind != SS_REVOKED_ID) {
        printf(line->kind == SS_REVOKED_REPLACED ? ", from %s" : ", created up to %s",
               text_of_time(line->before, pool));
    }
    printf(", until %s\n", text_of_time(line->until, pool));
}

static void print_lines(ss_bytes_t text, const options_t *options)
{
    char room[SS_REVOCATION_SUBJECT_MAX], *state,
        *copy = apr_pstrmemdup(options->pool, text.data, text.len);
    int is_first = 1;

    for (char *at = apr_strtok(copy, "\n", &state); at != NULL;
         at = apr_strtok(NULL, "\n", &state)) {
        ss_revocation_line_t line;

        if (ss_revocation_parse(&line, ss_bytes_of(at), room) != APR_SUCCESS) {
            continue;
        }
        if (options->json) {
            print_as_json(&line, is_first, options->pool);
        }
        else {
            print_as_text(&line, ss_bytes_of(at), options->pool);
        }
        is_first = 0;
    }
}

result_e run_revoked(const options_t *options)
{
    ss_followed_t *log = follow(options);
    apr_finfo_t info;
    const char *why;
    ss_bytes_t text;

    if (log == NULL) {
        return SSCTL_REFUSED;
    }
    text = ss_followed_text(log, options->now, &why, options->pool);
    if (text.data == NULL) {
        return complain_of_log(
            options, why,
            APR_STATUS_IS_ENOENT(apr_stat(&info, options->log, APR_FINFO_TYPE, options->pool)));
    }
    if (options->json) {
        putchar('[');
    }
    print_lines(text, options);
    if (options->json) {
        puts("]");
    }
    if (ss_followed_unknown(log) > 0) {
        complain("warning: %" APR_SIZE_T_FMT " lines are not understood", ss_followed_unknown(log));
    }
    return SSCTL_DONE;
}
