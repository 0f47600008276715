/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/source.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "lib/crypto.h"

#define CONTENT_MAX (64 * 1024) /* bytes of a file or of an output */
#define COMMAND_SECONDS 30

/* Waits end this often, to look at the clock: for output, and for the process behind it. */
#define READ_STEP apr_time_from_msec(100)
#define WAIT_STEP apr_time_from_msec(5)

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

static int is_blank(char c)
{
    return c != '\0' && strchr(" \t\r\v\f", c) != NULL;
}

static ss_bytes_t trim(ss_bytes_t line)
{
    while (line.len > 0 && is_blank(line.data[0])) {
        line.data++;
        line.len--;
    }
    while (line.len > 0 && is_blank(line.data[line.len - 1])) {
        line.len--;
    }
    return line;
}

static int begins_with(ss_bytes_t line, const char *start)
{
    apr_size_t len = strlen(start);

    return line.len >= len && memcmp(line.data, start, len) == 0;
}

/* Editors put a byte order mark before text in UTF-8. */
static ss_bytes_t after_mark(ss_bytes_t content)
{
    return begins_with(content, "\xef\xbb\xbf") ? ss_bytes(content.data + 3, content.len - 3)
                                                : content;
}

/* As some shells write what is redirected into a file: a mark and a letter, whose other byte is 0.
 */
static int is_utf16(ss_bytes_t content)
{
    return content.len >= 4 && ((begins_with(content, "\xff\xfe") && content.data[3] == '\0') ||
                                (begins_with(content, "\xfe\xff") && content.data[2] == '\0'));
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
        if (begins_with(line, rows[i].start)) {
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
        ss_bytes_t line = trim(ss_bytes(at, (apr_size_t)(line_end - at)));
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
        return fail(reading, APR_EINVAL, "%s holds no secret", origin);
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
        return fail(reading, rv, "cannot read %s: %pm", origin, &rv);
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

/* Called in the child, whose standard error is ours. */
static void report_no_start(apr_pool_t *pool, apr_status_t rv, const char *description)
{
    apr_file_t *err;

    if (apr_file_open_stderr(&err, pool) == APR_SUCCESS) {
        apr_file_printf(err, "%s: %pm\n", description, &rv);
    }
}

static apr_status_t start(apr_proc_t *process, const char *command, apr_pool_t *pool)
{
    char **argv;
    apr_file_t *null;
    apr_procattr_t *attr;
    apr_status_t rv = apr_tokenize_to_argv(command, &argv, pool);

    if (rv != APR_SUCCESS ||
        (rv = apr_file_open(&null, "/dev/null", APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool)) !=
            APR_SUCCESS ||
        (rv = apr_procattr_create(&attr, pool)) != APR_SUCCESS ||
        (rv = apr_procattr_io_set(attr, APR_NO_PIPE, APR_CHILD_BLOCK, APR_NO_PIPE)) !=
            APR_SUCCESS ||
        (rv = apr_procattr_child_in_set(attr, null, NULL)) != APR_SUCCESS ||
        (rv = apr_procattr_cmdtype_set(attr, APR_PROGRAM_PATH)) != APR_SUCCESS ||
        (rv = apr_procattr_error_check_set(attr, 1)) != APR_SUCCESS ||
        (rv = apr_procattr_child_errfn_set(attr, report_no_start)) != APR_SUCCESS) {
        return rv;
    }
    return apr_proc_create(process, argv[0], (const char *const *)argv, NULL, attr, pool);
}

/* Gather the output until its end, or CONTENT_MAX bytes and one. */
static apr_status_t gather(char *content, apr_size_t *len, apr_file_t *out, apr_time_t deadline)
{
    *len = 0;
    while (*len <= CONTENT_MAX) {
        apr_size_t count = CONTENT_MAX + 1 - *len;
        apr_status_t rv = apr_file_read(out, content + *len, &count);

        *len += count;
        if (rv == APR_EOF) {
            return APR_SUCCESS;
        }
        if (rv != APR_SUCCESS && !APR_STATUS_IS_TIMEUP(rv)) {
            return rv;
        }
        if (apr_time_now() >= deadline) {
            return APR_TIMEUP;
        }
    }
    return APR_SUCCESS;
}

static void end_process(apr_proc_t *process)
{
    apr_proc_kill(process, SIGKILL);
    apr_proc_wait(process, NULL, NULL, APR_WAIT);
}

/* A process goes on after it has closed its output, and so does its time. */
static apr_status_t await(apr_proc_t *process, int *code, apr_exit_why_e *how, apr_time_t deadline)
{
    apr_status_t rv;

    while ((rv = apr_proc_wait(process, code, how, APR_NOWAIT)) == APR_CHILD_NOTDONE) {
        if (apr_time_now() >= deadline) {
            end_process(process);
            return APR_TIMEUP;
        }
        apr_sleep(WAIT_STEP);
    }
    return rv == APR_CHILD_DONE ? APR_SUCCESS : rv;
}

static apr_status_t read_output(reading_t *reading, const ss_source_t *source)
{
    apr_time_t deadline = apr_time_now() + apr_time_from_sec(COMMAND_SECONDS);
    apr_exit_why_e how = APR_PROC_EXIT;
    int code = 0;
    apr_size_t len = 0;
    apr_proc_t process;
    apr_status_t rv = start(&process, source->name, reading->scratch);

    if (rv == APR_SUCCESS) {
        apr_file_pipe_timeout_set(process.out, READ_STEP);
        rv = gather(reading->content, &len, process.out, deadline);
        apr_file_close(process.out);
        if (rv == APR_SUCCESS && len <= CONTENT_MAX) {
            rv = await(&process, &code, &how, deadline);
        }
        else {
            end_process(&process);
        }
    }
    if (APR_STATUS_IS_TIMEUP(rv)) {
        return fail(reading, rv, "%s did not end within %d seconds", source->text, COMMAND_SECONDS);
    }
    if (rv != APR_SUCCESS) {
        return fail(reading, rv, "cannot run %s: %pm", source->text, &rv);
    }
    if (code != 0) {
        return fail(reading, APR_EGENERAL, "%s ended with %s %d", source->text,
                    APR_PROC_CHECK_EXIT(how) ? "exit status" : "signal", code);
    }
    return take_lines(reading, len, source->text);
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
