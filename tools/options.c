/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_getopt.h>
#include <apr_strings.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/option.h"
#include "lib/revocation_line.h"
#include "lib/source.h"
#include "tools/ssctl.h"

/* Each takes the value of one option, into the member at `offset` of the options. Returns NULL, or
 * what is accepted. The value is never repeated: it may be a secret in the wrong place. */
typedef const char *take_fn(options_t *options, void *member, const char *value);

/* What the library says is meant for the configuration, where exec: is accepted as well. */
static const char *take_secret(options_t *options, SS_UNUSED void *member, const char *value)
{
    static const struct {
        const char *start, *accepted;
    } answers[] = {
        { "env:", "env:NAME, the name of an environment variable" },
        { "file:", "file:PATH, the path of a file with one secret on each line" },
        { "/", "env:NAME or file:PATH: before a path stands \"file:\"" },
        { "~", "env:NAME or file:PATH: before a path stands \"file:\"" },
        { "./", "env:NAME or file:PATH: before a path stands \"file:\"" },
        { "../", "env:NAME or file:PATH: before a path stands \"file:\"" },
        { "exec:", "env:NAME or file:PATH: exec: is for httpd, run the command yourself" },
        { "",
          "env:NAME or file:PATH: a secret itself is never an argument, which every user of this "
          "machine could see" },
    };
    ss_source_t *source = apr_array_push(options->sources);
    int i = 0;

    if (ss_source_parse(source, value, options->pool) == NULL && source->kind != SS_SOURCE_EXEC) {
        return NULL;
    }
    while (strncmp(value, answers[i].start, strlen(answers[i].start)) != 0) {
        i++;
    }
    return answers[i].accepted;
}

static const char *take_name(SS_UNUSED options_t *options, void *member, const char *value)
{
    *(const char **)member = value;
    return ss_option_is_token(value) ? NULL : "the name of a cookie";
}

static const char *take_text(SS_UNUSED options_t *options, void *member, const char *value)
{
    *(const char **)member = value;
    return NULL;
}

static const char *take_format(options_t *options, void *member, const char *value)
{
    *(const ss_format_t **)member = ss_format_named(value);
    return ss_format_named(value) != NULL ? NULL : ss_format_names(options->pool);
}

static const char *take_idle(options_t *options, void *member, const char *value)
{
    options->idle_given = 1;
    return ss_option_timeout(member, value);
}

static const char *take_timeout(SS_UNUSED options_t *options, void *member, const char *value)
{
    return ss_option_timeout(member, value);
}

static const char *take_duration(SS_UNUSED options_t *options, void *member, const char *value)
{
    return ss_option_duration(member, value);
}

#define SECONDS_MAX APR_INT64_C(0xffffffffff) /* 2^40: the year 36812 */

static const char *take_now(SS_UNUSED options_t *options, void *member, const char *value)
{
    int is_number = value[0] != '\0' && strspn(value, "0123456789") == strlen(value);
    apr_int64_t seconds = is_number ? apr_atoi64(value) : -1;

    if (seconds < 0 || seconds > SECONDS_MAX) {
        return "seconds since 1970";
    }
    *(apr_time_t *)member = apr_time_from_sec(seconds);
    return NULL;
}

static const char *take_path(SS_UNUSED options_t *options, void *member, const char *value)
{
    *(const char **)member = value;
    return value[0] != '\0' ? NULL : "the path of a file";
}

static const char *take_subject(SS_UNUSED options_t *options, void *member, const char *value)
{
    apr_size_t len = strlen(value);

    *(const char **)member = value;
    return len > 0 && len <= SS_REVOCATION_SUBJECT_MAX
               ? NULL
               : "what SignedSessionSubject holds, 1 to " APR_STRINGIFY(
                     SS_REVOCATION_SUBJECT_MAX) " bytes";
}

static const char *take_id(SS_UNUSED options_t *options, void *member, const char *value)
{
    *(const char **)member = value;
    return strspn(value, "0123456789abcdefABCDEF") == strlen(value) &&
                   strlen(value) == 2 * SS_SESSION_ID_SIZE
               ? NULL
               : "the id of a session, 32 hexadecimal digits";
}

static const char *take_flag(SS_UNUSED options_t *options, void *member,
                             SS_UNUSED const char *value)
{
    *(int *)member = 1;
    return NULL;
}

/* clang-format off */
#define AT(member) offsetof(options_t, member)
static const struct row_t {
    const char *name;
    const char *value; /* as in the usage text; NULL: it has none */
    int takes;         /* commands that know it take one of these */
    take_fn *take;
    apr_size_t offset;
    const char *standard; /* as it would be written; NULL: none, or it is in the words of the help */
    const char *help;
} rows[] = {
    { "secret",           "SOURCE",   TAKES_KEYS,    take_secret,   AT(sources), NULL,
      "env:NAME or file:PATH (default " SS_DEFAULT_SECRET "); repeated: the first seals, all open" },
    { "cookie-name",      "NAME",     TAKES_NAME,    take_name,     AT(cookie_name), SS_DEFAULT_COOKIE,
      "the cookie's name" },
    { "audience",         "TEXT",     TAKES_KEYS,    take_text,     AT(audience), SS_DEFAULT_AUDIENCE,
      "as SignedSessionAudience" },
    { "format",           "FORMAT",   TAKES_FORMAT,  take_format,   AT(format), SS_DEFAULT_FORMAT,
      "the cookie's format" },
    { "from",             "FORMAT",   TAKES_FROM_TO, take_format,   AT(from), SS_DEFAULT_FORMAT,
      "the format to open" },
    { "to",               "FORMAT",   TAKES_FROM_TO, take_format,   AT(to), SS_DEFAULT_FORMAT,
      "the format to seal" },
    { "encrypt",          NULL,       TAKES_ENCRYPT, take_flag,     AT(encrypt), NULL,
      "encrypt the cookie (native only)" },
    { "idle-timeout",     "DURATION", TAKES_LIFE,    take_idle,     AT(lifetime.idle), NULL,
      "or none (default " SS_DEFAULT_IDLE_TIMEOUT ", flask 31d)" },
    { "absolute-timeout", "DURATION", TAKES_LIFE,    take_timeout,  AT(lifetime.absolute), SS_DEFAULT_ABSOLUTE_TIMEOUT,
      "or none" },
    { "skew",             "DURATION", TAKES_LIFE | TAKES_REVOKED, take_duration, AT(lifetime.skew), SS_DEFAULT_SKEW,
      "how far other clocks may be ahead" },
    { "file",             "PATH",     TAKES_LOG,     take_path,     AT(log), NULL,
      "the log, as in SignedSessionRevocation file:PATH" },
    { "subject",          "VALUE",    TAKES_REVOKED, take_subject,  AT(subject), NULL,
      "sessions of this user, created up to now" },
    { "id",               "HEX",      TAKES_REVOKED, take_id,       AT(id), NULL,
      "the session of this id" },
    { "all",              NULL,       TAKES_REVOKED, take_flag,     AT(all), NULL,
      "all sessions created up to now" },
    { "lifetime",         "DURATION", TAKES_REVOKED, take_timeout,  AT(revoked_for), "3650d",
      "or none: how long a session lives at most" },
    { "now",              "SECONDS",  TAKES_NOW,     take_now,      AT(now), NULL,
      "the time to judge by, in seconds since 1970" },
    { "json",             NULL,       TAKES_JSON,    take_flag,     AT(json), NULL,
      "print one JSON value, for scripts" },
};
/* clang-format on */

#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))
#define FIRST_ID 256 /* no letter: there are only long options */

void options_print(int takes)
{
    for (int i = 0; i < ROWS; i++) {
        const char *standard = rows[i].standard;

        if (rows[i].takes & takes) {
            printf("  --%-16s %-8s  %s", rows[i].name, rows[i].value != NULL ? rows[i].value : "",
                   rows[i].help);
            if (standard != NULL && *standard != '\0') {
                printf(" (default %s)", standard);
            }
            putchar('\n');
        }
    }
}

/* What apr_getopt is to know: the rows of one command. */
static const apr_getopt_option_t *known_options(int takes, apr_pool_t *pool)
{
    apr_getopt_option_t *known = apr_pcalloc(pool, (ROWS + 1) * sizeof(*known)), *next = known;

    for (int i = 0; i < ROWS; i++) {
        if (rows[i].takes & takes) {
            next->name = rows[i].name;
            next->optch = FIRST_ID + i;
            next->has_arg = rows[i].value != NULL;
            next++;
        }
    }
    return known;
}

static const char *take(options_t *options, const struct row_t *row, const char *value)
{
    return row->take(options, (char *)options + row->offset, value);
}

static void set_defaults(options_t *options, apr_pool_t *pool)
{
    memset(options, 0, sizeof(*options));
    options->pool = pool;
    options->sources = apr_array_make(pool, 1, sizeof(ss_source_t));
    options->lifetime.persistent = 1;
    options->now = apr_time_now();
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].standard != NULL) {
            take(options, &rows[i], rows[i].standard);
        }
    }
}

/* apr_getopt's own words would repeat the argument. */
static void stay_silent(SS_UNUSED void *data, SS_UNUSED const char *format, ...)
{
}

/* The rest below returns NULL, or what is wrong. */

static const char *take_operand(options_t *options, const command_t *command,
                                const apr_getopt_t *os)
{
    int count = os->argc - os->ind;

    if (count > 0 && !(command->takes & TAKES_OPERAND)) {
        return apr_pstrcat(options->pool, command->name, " takes no argument", NULL);
    }
    if (count > 1) {
        return apr_pstrcat(options->pool, command->name, " takes one argument", NULL);
    }
    if (count == 1) {
        options->operand = os->argv[os->ind];
    }
    return NULL;
}

static const char *judge_format(const options_t *options, const command_t *command)
{
    const ss_format_t *written = command->takes & TAKES_FROM_TO ? options->to : options->format;

    if (options->encrypt && !(written->traits & SS_FORMAT_SECRECY)) {
        return apr_psprintf(options->pool,
                            "--encrypt: cookies of the format %s cannot be encrypted",
                            written->name);
    }
    return NULL;
}

static const char *judge(const options_t *options, const command_t *command)
{
    if (command->takes & TAKES_LOG && options->log == NULL) {
        return apr_pstrcat(options->pool, command->name, " takes --file", NULL);
    }
    if (command->takes & TAKES_REVOKED &&
        (options->subject != NULL) + (options->id != NULL) + options->all != 1) {
        return apr_pstrcat(options->pool, command->name, " takes one of --subject, --id and --all",
                           NULL);
    }
    return judge_format(options, command);
}

const char *options_read(options_t *options, const command_t *command, int argc,
                         const char *const argv[], apr_pool_t *pool)
{
    const apr_getopt_option_t *known = known_options(command->takes, pool);
    const char *value, *accepted, *why;
    apr_getopt_t *os;
    apr_status_t rv;
    int id;

    set_defaults(options, pool);
    if (apr_getopt_init(&os, pool, argc, argv) != APR_SUCCESS) {
        return "the arguments cannot be read";
    }
    os->interleave = 1;
    os->errfn = stay_silent;
    while ((rv = apr_getopt_long(os, known, &id, &value)) == APR_SUCCESS) {
        const struct row_t *row = &rows[id - FIRST_ID];

        accepted = take(options, row, value);
        if (accepted != NULL) {
            return apr_psprintf(pool, "--%s: accepted is %s", row->name, accepted);
        }
    }
    if (rv != APR_EOF) {
        return rv == APR_BADARG ? "an option lacks its value"
                                : apr_pstrcat(pool, command->name, " has no such option", NULL);
    }
    why = take_operand(options, command, os);
    return why == NULL ? judge(options, command) : why;
}
