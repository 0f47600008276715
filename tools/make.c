/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <stdio.h>

#include "lib/encode.h"
#include "lib/json/json.h"
#include "tools/ssctl.h"

/* Commands that make something: a secret, a cookie, the list of formats. */

#define SECRET_SIZE 32 /* bytes; 43 characters of base64url */

result_e run_keygen(SS_UNUSED const options_t *options)
{
    unsigned char random[SECRET_SIZE];
    char secret[2 * SECRET_SIZE];
    apr_size_t len;

    if (ss_random(random, sizeof(random)) != APR_SUCCESS) {
        complain("OpenSSL has no random bytes");
        return SSCTL_REFUSED;
    }
    len = ss_base64_encode(SS_BASE64URL, secret, ss_bytes((const char *)random, sizeof(random)));
    printf("%.*s\n", (int)len, secret);
    ss_wipe(random, sizeof(random));
    ss_wipe(secret, sizeof(secret));
    return SSCTL_DONE;
}

/* The bare value; where there are two cookies, both with their names. */
static const char *text_of_cookie(const ss_sealed_t *cookie, const ss_sealing_t *how,
                                  apr_pool_t *pool)
{
    const char *value = apr_pstrmemdup(pool, cookie->value.data, cookie->value.len);

    if (cookie->companion.data == NULL) {
        return value;
    }
    return apr_psprintf(pool, "%s=%s; %s=%.*s", how->cookie_name, value, how->companion_name,
                        (int)cookie->companion.len, cookie->companion.data);
}

static void print_as_json(const ss_sealed_t *cookie, apr_int64_t max_age, const ss_sealing_t *how,
                          apr_pool_t *pool)
{
    const char *companion =
        cookie->companion.data == NULL ? "null" : json_of_text(cookie->companion, pool);

    printf("{\"cookie\":%s,\"format\":\"%s\",\"encrypted\":%s,\"name\":%s,\"value\":%s,"
           "\"companion\":%s,\"max_age\":%s,\"bytes\":%" APR_SIZE_T_FMT "}\n",
           json_of_text(ss_bytes_of(text_of_cookie(cookie, how, pool)), pool),
           ss_sealing_written(how)->name, how->encrypt ? "true" : "false",
           json_of_text(ss_bytes_of(how->cookie_name), pool), json_of_text(cookie->value, pool),
           companion, max_age < 0 ? "null" : apr_psprintf(pool, "%" APR_INT64_T_FMT, max_age),
           ss_sealing_size(cookie, how));
}

static result_e seal_and_print(ss_session_t *session, const ss_sealing_t *how,
                               const options_t *options)
{
    ss_sealing_result_t result;
    apr_status_t rv = ss_sealing_seal(&result, session, how, options->now, options->pool);

    if (rv == APR_ENOSPC) {
        complain("the cookie would be %" APR_SIZE_T_FMT " bytes over the limit of %d, which "
                 "browsers set for name and value together",
                 result.over, SS_COOKIE_MAX);
        return SSCTL_REFUSED;
    }
    if (rv != APR_SUCCESS) {
        const char *why = ss_format_refusal(rv);

        complain("the session cannot be sealed: %s", why != NULL ? why : "OpenSSL or zlib failed");
        return SSCTL_REFUSED;
    }
    if (options->json) {
        print_as_json(&result.cookie, ss_sealing_max_age(session, &result.stamp, how, options->now),
                      how, options->pool);
    }
    else {
        puts(text_of_cookie(&result.cookie, how, options->pool));
    }
    return SSCTL_DONE;
}

result_e run_seal(const options_t *options)
{
    ss_session_t *session = ss_session_create(options->pool);
    ss_lifetime_t lifetime;
    ss_json_error_t error;
    ss_sealing_t how;
    const char *text;
    ss_json_t document;
    result_e result = keys_make(&how, &lifetime, options, options->format);

    if (result == SSCTL_DONE) {
        result = operand_read(&text, options);
    }
    if (result != SSCTL_DONE) {
        return result;
    }
    if (ss_json_check_input(&document, ss_bytes_of(text), &error, options->pool) != APR_SUCCESS) {
        complain("malformed JSON: line %d, column %d: expected %s", error.line, error.column,
                 error.wanted);
        return SSCTL_REFUSED;
    }
    if (ss_json_kind(document) != SS_JSON_OBJECT) {
        complain("a session is a JSON object: {\"key\": value, ...}");
        return SSCTL_REFUSED;
    }
    ss_session_replace(session, document);
    return seal_and_print(session, &how, options);
}

result_e run_convert(const options_t *options)
{
    ss_lifetime_t old_lifetime, lifetime;
    ss_sealing_t old, how;
    ss_candidates_t found;
    ss_opened_t opened;
    result_e result = keys_make(&old, &old_lifetime, options, options->from);

    if (result == SSCTL_DONE) {
        result = keys_make(&how, &lifetime, options, options->to);
    }
    if (result == SSCTL_DONE) {
        result = open_operand(&opened, &found, &old, options);
    }
    if (result != SSCTL_DONE) {
        return result;
    }
    if (opened.format->traits & SS_FORMAT_FOREIGN &&
        !(ss_sealing_written(&how)->traits & SS_FORMAT_FOREIGN)) {
        ss_session_reserve(opened.session, 0); /* as in a migration on a server */
    }
    return seal_and_print(opened.session, &how, options);
}

/* clang-format off */
static const struct { int trait; const char *has, *lacks; } columns[] = {
    { SS_FORMAT_TIMED,   "time",                   "no time: never expires" },
    { SS_FORMAT_CREATED, "time of creation",       NULL },
    { SS_FORMAT_BOUND,   "bound to name and audience", NULL },
    { SS_FORMAT_SECRECY, "can be encrypted",       NULL },
    { SS_FORMAT_TAGGED,  "type tags",              NULL },
    { SS_FORMAT_FOREIGN, "an application's",       NULL },
};
/* clang-format on */

#define COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

static const char *json_flag(const ss_format_t *format, int trait)
{
    return format->traits & trait ? "true" : "false";
}

static void print_format_as_json(const ss_format_t *format, int is_first)
{
    printf("%s{\"name\":\"%s\",\"timed\":%s,\"created\":%s,\"bound\":%s,\"encryption\":%s,"
           "\"idle_timeout\":%" APR_INT64_T_FMT ",\"companion\":%s%s%s}",
           is_first ? "" : ",", format->name, json_flag(format, SS_FORMAT_TIMED),
           json_flag(format, SS_FORMAT_CREATED), json_flag(format, SS_FORMAT_BOUND),
           json_flag(format, SS_FORMAT_SECRECY), format->idle_days * SS_DAY,
           format->companion != NULL ? "\"" : "",
           format->companion != NULL ? format->companion : "null",
           format->companion != NULL ? "\"" : "");
}

static void print_format(const ss_format_t *format)
{
    const char *comma = "";

    printf("%-10s ", format->name);
    for (int i = 0; i < COLUMNS; i++) {
        const char *text = format->traits & columns[i].trait ? columns[i].has : columns[i].lacks;

        if (text != NULL) {
            printf("%s%s", comma, text);
            comma = ", ";
        }
    }
    if (format->companion != NULL) {
        printf("%ssignature in a second cookie, NAME%s", comma, format->companion);
    }
    putchar('\n');
}

result_e run_formats(const options_t *options)
{
    if (options->json) {
        putchar('[');
    }
    for (const ss_format_t *const *format = ss_formats; *format != NULL; format++) {
        if (options->json) {
            print_format_as_json(*format, format == ss_formats);
        }
        else {
            print_format(*format);
        }
    }
    if (options->json) {
        puts("]");
    }
    return SSCTL_DONE;
}
