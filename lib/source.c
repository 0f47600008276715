/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "lib/command.h"
#include "lib/crypto.h"
#include "lib/source.h"

#define CONTENT_MAX (64 * 1024) /* bytes of a file or of an output */
#define COMMAND_SECONDS 30

/** One call of ss_source_read. */
typedef struct reading_t {
    apr_array_header_t *secrets;
    apr_array_header_t *warnings;
    const char **why;
    const char *root;
    char *content;       /* room for CONTENT_MAX bytes and one, which says that there are more */
    apr_pool_t *scratch; /* ends with the call */
    apr_pool_t *pool;
} reading_t;

static apr_status_t fail(reading_t *reading, apr_status_t rv, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *reading->why = apr_pvsprintf(reading->pool, format, args);
    va_end(args);
    return rv;
}

/*
 * Secrets, wherever they came from
 */

static apr_status_t wipe_secret(void *text)
{
    const ss_bytes_t *secret = text;

    ss_wipe((char *)secret->data, secret->len);
    return APR_SUCCESS;
}

static void add_secret(reading_t *reading, ss_bytes_t text, const char *origin)
{
    ss_bytes_t *copy = apr_palloc(reading->pool, sizeof(*copy));
    ss_secret_t *secret = apr_array_push(reading->secrets);

    *copy = ss_bytes(apr_pmemdup(reading->pool, text.data, text.len), text.len);
    apr_pool_cleanup_register(reading->pool, copy, wipe_secret, apr_pool_cleanup_null);
    secret->text = *copy;
    secret->origin = origin;
}

/* Editors put a byte order mark before text in UTF-8. */
static ss_bytes_t after_mark(ss_bytes_t content)
{
    return ss_bytes_begin(content, "\xef\xbb\xbf") ? ss_bytes(content.data + 3, content.len - 3)
                                                   : content;
}

/* As some shells write what is redirected into a file: a mark and a letter, whose other byte is 0.
 */
static int is_utf16(ss_bytes_t content)
{
    return content.len >= 4 && ((ss_bytes_begin(content, "\xff\xfe") && content.data[3] == '\0') ||
                                (ss_bytes_begin(content, "\xfe\xff") && content.data[2] == '\0'));
}

/* What the line of a key file was meant to be instead of a secret; NULL: it is one. Taken for one,
 * a comment would seal sessions, with words that are in everybody's copy of a file. */
static const char *mistaken_for_secret(ss_bytes_t line, apr_pool_t *pool)
{
    static const struct {
        const char *start, *shown, *advice;
    } rows[] = {
        { ";", ";", "here a comment begins with \"#\"" },
        { "// ", "//", "here a comment begins with \"#\"" },
        { "//\t", "//", "here a comment begins with \"#\"" },
        { "-----", "-----",
          "keys and certificates in PEM are no secrets here, which are one line of text each (try: "
          "ssctl keygen)" },
    };

    for (apr_size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (ss_bytes_begin(line, rows[i].start)) {
            return apr_psprintf(pool, "begins with \"%s\": %s", rows[i].shown, rows[i].advice);
        }
    }
    return NULL;
}

/* Take the secrets out of a file or an output: `len` bytes of reading->content. */
static apr_status_t take_lines(reading_t *reading, apr_size_t len, const char *origin)
{
    ss_bytes_t content = after_mark(ss_bytes(reading->content, len));
    const char *at = content.data, *end = at + content.len;
    int before = reading->secrets->nelts;

    if (len > CONTENT_MAX) {
        return fail(reading, APR_ENOSPC, "%s has more than %d bytes", origin, CONTENT_MAX);
    }
    if (is_utf16(content)) {
        return fail(reading, APR_EINVAL, "%s is UTF-16: save it as plain text or UTF-8", origin);
    }
    for (int number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (apr_size_t)(end - at));
        const char *line_end = newline == NULL ? end : newline;
        ss_bytes_t line = ss_bytes_trim(ss_bytes(at, (apr_size_t)(line_end - at)));
        const char *mistake = mistaken_for_secret(line, reading->pool);

        if (mistake != NULL) {
            return fail(reading, APR_EINVAL, "%s line %d %s", origin, number, mistake);
        }
        if (line.len > 0 && line.data[0] != '#') {
            add_secret(reading, line, apr_psprintf(reading->pool, "%s line %d", origin, number));
        }
        at = line_end + (newline != NULL);
    }
    if (reading->secrets->nelts == before) {
        return fail(reading, APR_EINVAL, "%s holds no secret (try: ssctl keygen)", origin);
    }
    return APR_SUCCESS;
}

/*
 * file:PATH
 */

static void warn_of_others(reading_t *reading, apr_file_t *file, const char *path)
{
    const char *done = NULL;
    apr_finfo_t info;

    if (reading->warnings == NULL ||
        apr_file_info_get(&info, APR_FINFO_PROT, file) != APR_SUCCESS) {
        return;
    }
    if (info.protection & APR_FPROT_WREAD) {
        done = "read";
    }
    if (info.protection & APR_FPROT_WWRITE) {
        done = "changed"; /* the worse of the two */
    }
    if (done != NULL) {
        APR_ARRAY_PUSH(reading->warnings, const char *) = apr_psprintf(
            reading->pool, "key file %s can be %s by other users: chmod 0400 it", path, done);
    }
}

/* A key file is closed to everybody but its owner, and tests of a configuration read it, too. */
static const char *advice_on(apr_status_t rv)
{
    return APR_STATUS_IS_EACCES(rv) && geteuid() != 0 ? " (try: sudo)" : "";
}

/* `note` says in messages who named the file. */
static apr_status_t read_path(reading_t *reading, const char *name, const char *note)
{
    const char *origin;
    char *path;
    apr_file_t *file;
    apr_size_t len = 0;
    apr_status_t rv =
        apr_filepath_merge(&path, reading->root, name, APR_FILEPATH_TRUENAME, reading->pool);

    origin = apr_pstrcat(reading->pool, "file:", rv == APR_SUCCESS ? path : name, note, NULL);
    if (rv == APR_SUCCESS) {
        rv = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, reading->scratch);
    }
    if (rv == APR_SUCCESS) {
        warn_of_others(reading, file, path);
        rv = apr_file_read_full(file, reading->content, CONTENT_MAX + 1, &len);
        apr_file_close(file);
    }
    /* APR_EOF is the good case: the file ended before the buffer did */
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        return fail(reading, rv, "cannot read %s: %pm%s", origin, &rv, advice_on(rv));
    }
    return take_lines(reading, len, origin);
}

static apr_status_t read_file(reading_t *reading, const ss_source_t *source)
{
    return read_path(reading, source->name, "");
}

/*
 * env:NAME
 */

static apr_status_t read_variable(reading_t *reading, const ss_source_t *source)
{
    const char *value = getenv(source->name);
    const char *file_variable = apr_pstrcat(reading->pool, source->name, "_FILE", NULL);
    const char *path = getenv(file_variable);

    if (value == NULL && path == NULL) {
        return fail(reading, APR_NOTFOUND, "%s", source->name);
    }
    if (value == NULL && *path != '\0') {
        return read_path(reading, path,
                         apr_pstrcat(reading->pool, " (named by ", file_variable, ")", NULL));
    }
    if (value == NULL || *value == '\0') {
        return fail(reading, APR_EINVAL, "%s%s is set but empty", source->text,
                    value == NULL ? "_FILE" : "");
    }
    add_secret(reading, ss_bytes_of(value), source->text);
    return APR_SUCCESS;
}

/*
 * exec:COMMAND
 */

static apr_status_t read_output(reading_t *reading, const ss_source_t *source)
{
    const ss_command_t command = { source->name, apr_time_from_sec(COMMAND_SECONDS),
                                   reading->content, CONTENT_MAX + 1 };
    ss_ending_t ending;
    apr_status_t rv = ss_command_run(&ending, &command, reading->scratch);

    if (APR_STATUS_IS_TIMEUP(rv)) {
        return fail(reading, rv, "%s did not end within %d seconds", source->text, COMMAND_SECONDS);
    }
    if (rv != APR_SUCCESS) {
        return fail(reading, rv, "cannot run %s: %pm", source->text, &rv);
    }
    if (ending.code != 0) {
        return fail(reading, APR_EGENERAL, "%s ended with %s %d", source->text,
                    ending.by_signal ? "signal" : "exit status", ending.code);
    }
    return take_lines(reading, ending.len, source->text);
}

/*
 * All of them
 */

/* Each returns NULL, or what to write. */

static const char *check_variable(const char *name)
{
    static const char characters[] = "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789";

    if (*name == '\0' || (*name >= '0' && *name <= '9') || name[strspn(name, characters)] != '\0') {
        return "env: takes the name of an environment variable, such as env:SIGNED_SESSION_SECRET";
    }
    return NULL;
}

static const char *check_path(const char *path)
{
    return *path != '\0' ? NULL : "file: takes the path of a file with one secret on each line";
}

static const char *check_command(const char *command)
{
    if (command[strspn(command, " \t")] == '\0') {
        return "exec: takes a command, in quotes when it has arguments: \"exec:COMMAND ARGUMENT\"";
    }
    return NULL;
}

/* clang-format off */
static const struct {
    const char *prefix;
    const char *(*check)(const char *name);
    apr_status_t (*read)(reading_t *reading, const ss_source_t *source);
} kinds[] = {
    [SS_SOURCE_ENV]  = { "env:",  check_variable, read_variable },
    [SS_SOURCE_FILE] = { "file:", check_path,     read_file },
    [SS_SOURCE_EXEC] = { "exec:", check_command,  read_output },
};
/* clang-format on */

const char *ss_source_parse(ss_source_t *source, const char *text, apr_pool_t *pool)
{
    for (int kind = SS_SOURCE_ENV; kind <= SS_SOURCE_EXEC; kind++) {
        apr_size_t len = strlen(kinds[kind].prefix);

        if (strncmp(text, kinds[kind].prefix, len) == 0) {
            source->kind = (ss_source_e)kind;
            source->text = apr_pstrdup(pool, text);
            source->name = source->text + len;
            return kinds[kind].check(source->name);
        }
    }
    /* not repeated, although it looks like no secret: base64 may begin with a slash */
    if (*text == '/' || *text == '~' || strncmp(text, "./", 2) == 0 ||
        strncmp(text, "../", 3) == 0) {
        return "before a path stands \"file:\" (write file:/path); a secret itself may not stand "
               "in "
               "the configuration, only env:NAME, file:PATH or \"exec:COMMAND\"";
    }
    return "a secret itself may not stand in the configuration: write env:NAME, file:PATH or "
           "\"exec:COMMAND\"";
}

apr_status_t ss_source_read(apr_array_header_t **secrets, const char **why,
                            apr_array_header_t *warnings, const apr_array_header_t *sources,
                            const char *root, apr_pool_t *pool)
{
    reading_t reading = { NULL, warnings, why, root, NULL, NULL, pool };
    apr_status_t rv = apr_pool_create(&reading.scratch, pool);

    *secrets = NULL;
    if (rv != APR_SUCCESS) {
        return fail(&reading, rv, "no memory: %pm", &rv);
    }
    reading.secrets = apr_array_make(pool, sources->nelts, sizeof(ss_secret_t));
    reading.content = apr_palloc(reading.scratch, CONTENT_MAX + 1);
    for (int i = 0; rv == APR_SUCCESS && i < sources->nelts; i++) {
        const ss_source_t *source = &APR_ARRAY_IDX(sources, i, const ss_source_t);

        rv = kinds[source->kind].read(&reading, source);
    }
    ss_wipe(reading.content, CONTENT_MAX + 1);
    apr_pool_destroy(reading.scratch);
    if (rv == APR_SUCCESS) {
        *secrets = reading.secrets;
    }
    return rv;
}
