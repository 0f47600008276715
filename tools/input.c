/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_file_info.h>
#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "lib/cookie.h"
#include "lib/option.h"
#include "lib/source.h"
#include "tools/ssctl.h"

#define INPUT_MAX (64 * 1024) /* bytes */

#define MESSAGE_MAX 8192 /* bytes, more than a path has */

/* A file's name may hold what a terminal obeys. */
void complain(const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fputs("ssctl: ", stderr);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at >= ' ' && *at <= '~') {
            fputc(*at, stderr);
        }
        else {
            fprintf(stderr, "\\x%02x", (unsigned char)*at);
        }
    }
    fputc('\n', stderr);
}

/* Without white space around it, which an editor or echo added. */
static const char *trimmed(const char *text, apr_size_t len, apr_pool_t *pool)
{
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", *text) != NULL) {
        text++;
        len--;
    }
    return apr_pstrmemdup(pool, text, len);
}

result_e operand_read(const char **text, const options_t *options)
{
    char *input;
    size_t len;

    if (options->operand != NULL) {
        *text = options->operand;
        return SSCTL_DONE;
    }
    input = apr_palloc(options->pool, INPUT_MAX + 1);
    len = fread(input, 1, INPUT_MAX + 1, stdin);
    if (ferror(stdin)) {
        perror("ssctl: cannot read standard input");
        return SSCTL_REFUSED;
    }
    if (len > INPUT_MAX) {
        complain("standard input is over %d bytes", INPUT_MAX);
        return SSCTL_REFUSED;
    }
    if (memchr(input, '\0', len) != NULL) {
        complain("standard input holds a NUL");
        return SSCTL_REFUSED;
    }
    *text = trimmed(input, len, options->pool);
    return SSCTL_DONE;
}

/* Where the value of a pasted header begins; NULL: the line is none that carries cookies. Before it
 * stands what curl -v puts there. `is_set` says which one. */
static const char *header_value(const char *line, int *is_set)
{
    line += strspn(line, "<> \t");
    *is_set = strncasecmp(line, "Set-Cookie:", strlen("Set-Cookie:")) == 0;
    if (*is_set || strncasecmp(line, "Cookie:", strlen("Cookie:")) == 0) {
        return strchr(line, ':') + 1;
    }
    return NULL;
}

/* The Cookie header that pasted lines come to; NULL when none of them carries cookies. */
static const char *header_of_lines(const char *text, apr_pool_t *pool)
{
    char *state, *copy = apr_pstrdup(pool, text);
    const char *header = NULL;

    for (char *line = apr_strtok(copy, "\r\n", &state); line != NULL;
         line = apr_strtok(NULL, "\r\n", &state)) {
        int is_set;
        const char *value = header_value(line, &is_set);

        if (value != NULL) {
            /* attributes are no cookies */
            apr_size_t len = is_set ? strcspn(value, ";") : strlen(value);

            header = apr_psprintf(pool, "%s%s%.*s", header == NULL ? "" : header,
                                  header == NULL ? "" : ";", (int)len, value);
        }
    }
    return header;
}

/* Is it a Cookie header without its name? A bare value has no "=" but those that fill base64 up,
 * at its end or before a dot or a colon. */
static int has_name(const char *text)
{
    const char *equals = strchr(text, '=');

    return equals != NULL && equals > text && strchr("=.:;", equals[1]) == NULL;
}

/* "theme, sid": the names in a Cookie header. */
static const char *names_in(const char *header, int *count, apr_pool_t *pool)
{
    char *state, *copy = apr_pstrdup(pool, header);
    const char *names = "";

    *count = 0;
    for (char *pair = apr_strtok(copy, ";", &state); pair != NULL;
         pair = apr_strtok(NULL, ";", &state)) {
        pair += strspn(pair, " \t");
        if (strchr(pair, '=') != NULL) {
            names = apr_psprintf(pool, "%s%s%.*s", names, *count > 0 ? ", " : "",
                                 (int)strcspn(pair, "="), pair);
            (*count)++;
        }
    }
    return names;
}

static const char *why_absent(const char *header, const char *cookie_name, apr_pool_t *pool)
{
    int count;
    const char *names = names_in(header, &count, pool);

    return apr_psprintf(pool, "there is no cookie called %s (--cookie-name); there %s %s",
                        cookie_name, count > 1 ? "are" : "is", count > 0 ? names : "none");
}

const char *cookies_in(ss_candidates_t *found, const char *text, const char *cookie_name,
                       apr_pool_t *pool)
{
    const ss_sealing_t how = { .cookie_name = cookie_name,
                               .companion_name = apr_pstrcat(pool, cookie_name, ".sig", NULL) };
    const char *header = header_of_lines(text, pool);

    ss_candidates_find(found, header != NULL ? header : text, &how);
    if (found->count > 0) {
        return NULL;
    }
    if (header != NULL || has_name(text)) {
        return why_absent(header != NULL ? header : text, cookie_name, pool);
    }
    found->values[0] = ss_bytes_of(text);
    found->count = 1;
    return NULL;
}

static const char *current_directory(apr_pool_t *pool)
{
    char *path;

    return apr_filepath_get(&path, 0, pool) == APR_SUCCESS ? path : "/";
}

/* Where no --secret is given, the default of the directive. */
static const apr_array_header_t *sources_of(const options_t *options)
{
    ss_source_t standard;

    if (options->sources->nelts == 0 &&
        ss_source_parse(&standard, SS_DEFAULT_SECRET, options->pool) == NULL) {
        APR_ARRAY_PUSH(options->sources, ss_source_t) = standard;
    }
    return options->sources;
}

static result_e read_secrets(apr_array_header_t **secrets, const options_t *options)
{
    apr_array_header_t *warnings = apr_array_make(options->pool, 0, sizeof(const char *));
    const char *why;
    apr_status_t rv = ss_source_read(secrets, &why, warnings, sources_of(options),
                                     current_directory(options->pool), options->pool);

    for (int i = 0; i < warnings->nelts; i++) {
        complain("warning: %s", APR_ARRAY_IDX(warnings, i, const char *));
    }
    if (rv == APR_NOTFOUND) {
        complain("no secret: the environment variable %s is not set (--secret names another "
                 "source; to make one: ssctl keygen)",
                 why);
        return SSCTL_USAGE;
    }
    if (rv == APR_SUCCESS) {
        why = ss_keyring_judge(*secrets, options->pool);
    }
    if (why != NULL) {
        complain("%s", why);
        return SSCTL_USAGE;
    }
    return SSCTL_DONE;
}

int keys_try(ss_sealing_t *how, const ss_binding_t *binding, const options_t *options,
             const ss_format_t *format)
{
    apr_array_header_t *formats = apr_array_make(options->pool, 1, sizeof(const ss_format_t *));
    apr_array_header_t *secrets;
    const char *why;

    APR_ARRAY_PUSH(formats, const ss_format_t *) = format;
    memset(how, 0, sizeof(*how));
    return ss_source_read(&secrets, &why, NULL, sources_of(options),
                          current_directory(options->pool), options->pool) == APR_SUCCESS &&
           ss_sealing_init(how, formats, secrets, binding, options->pool) == APR_SUCCESS;
}

result_e keys_make(ss_sealing_t *how, ss_lifetime_t *lifetime, const options_t *options,
                   const ss_format_t *format)
{
    const ss_binding_t binding = { options->cookie_name, options->audience };
    apr_array_header_t *formats = apr_array_make(options->pool, 1, sizeof(const ss_format_t *));
    apr_array_header_t *secrets;
    result_e result = read_secrets(&secrets, options);

    if (result != SSCTL_DONE) {
        return result;
    }
    *lifetime = options->lifetime;
    if (!options->idle_given) {
        lifetime->idle = apr_time_from_sec(format->idle_days * SS_DAY);
    }
    APR_ARRAY_PUSH(formats, const ss_format_t *) = format;
    memset(how, 0, sizeof(*how));
    if (ss_sealing_init(how, formats, secrets, &binding, options->pool) != APR_SUCCESS) {
        complain("OpenSSL %s refused to make the keys (SHA-1, which some formats need, may be "
                 "switched off)",
                 ss_crypto_running_version());
        return SSCTL_REFUSED;
    }
    how->lifetime = lifetime;
    how->max_size = SS_COOKIE_MAX;
    how->random = ss_random;
    how->encrypt = options->encrypt;
    return SSCTL_DONE;
}
