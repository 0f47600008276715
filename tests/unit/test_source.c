/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_time.h>

#include "lib/source.h"

#define ONE "vE8sR3kQ1nZ7xT5mW9pL2cB6yH4jD0fA"
#define TWO "aF0dJ4hY6bC2lP9wM5tX7zN1qK3rS8Ev"
#define BOM "\xef\xbb\xbf"
#define KINDS "env:NAME, file:PATH or \"exec:COMMAND\""

/* This definition, not APR's, is what the program is linked with. Nobody waits half a minute for a
 * test: the clock may leap at each look. */
static apr_time_t clock_now, clock_leap;

apr_time_t apr_time_now(void)
{
    clock_now += clock_leap;
    return clock_now;
}

/* clang-format off */
static const struct {
    const char *text;
    ss_source_e kind;
    const char *name;
} accepted[] = {
    { "env:SIGNED_SESSION_SECRET", SS_SOURCE_ENV,  "SIGNED_SESSION_SECRET" },
    { "env:_key2",                 SS_SOURCE_ENV,  "_key2" },
    { "file:/etc/httpd/keys",      SS_SOURCE_FILE, "/etc/httpd/keys" },
    { "file:conf/our keys",        SS_SOURCE_FILE, "conf/our keys" },
    { "exec:/usr/bin/pass show x", SS_SOURCE_EXEC, "/usr/bin/pass show x" },
};

static const struct {
    const char *what, *text, *why; /* part of the message */
} refused[] = {
    { "a secret itself",             ONE,                 KINDS },
    { "nothing",                     "",                  KINDS },
    { "another kind",                "vault:" ONE,        KINDS },
    { "another case",                "ENV:" ONE,          KINDS },
    { "a path without its kind",     "/etc/httpd/keys",   "(write file:/path)" },
    { "a path of this directory",    "./keys",            "(write file:/path)" },
    { "a path of the one above",     "../keys",           "(write file:/path)" },
    { "a path of somebody's home",   "~/keys",            "(write file:/path)" },
    { "a secret that looks so",      "/" ONE,             "(write file:/path)" },
    { "a kind without its colon",    "env",               KINDS },
    { "no name of a variable",       "env:",              "name of an environment variable" },
    { "a name that begins so",       "env:1KEY",          "name of an environment variable" },
    { "a name with a dash",          "env:OUR-KEY",       "name of an environment variable" },
    { "a secret as a name",          "env:" ONE "+/=",    "name of an environment variable" },
    { "an assignment",               "env:KEY=" ONE,      "name of an environment variable" },
    { "no path",                     "file:",             "path of a file" },
    { "no command",                  "exec:",             "a command" },
    { "blanks for a command",        "exec: \t ",         "a command" },
};

/* The lines that count are written as 1=text 3=text. */
static const struct {
    const char *what, *content, *want;
} contents[] = {
    { "one line",                           ONE "\n",                         "1=" ONE },
    { "no line break at the end",           ONE,                              "1=" ONE },
    { "two lines",                          ONE "\n" TWO "\n",                "1=" ONE " 2=" TWO },
    { "lines of another system",            ONE "\r\n" TWO "\r\n",            "1=" ONE " 2=" TWO },
    { "comments and empty lines",           "# old\n\n" ONE "\n \t\n#" TWO,   "3=" ONE },
    { "a comment with blanks before it",    "  # old\n" ONE,                  "2=" ONE },
    { "white space at both ends",           " \t" ONE "\v\f \n",              "1=" ONE },
    { "white space inside belongs to it",   "a b\tc",                         "1=a b\tc" },
    { "a # inside belongs to it",           "a#b",                            "1=a#b" },
    { "a byte order mark before a comment", BOM "# ours\n" ONE "\n",          "2=" ONE },
    { "a byte order mark before a secret",  BOM ONE "\n",                     "1=" ONE },
    { "the mark's bytes elsewhere are text", ONE "\n" BOM TWO,                "1=" ONE " 2=" BOM TWO },
    { "two slashes before a secret",        "//" ONE,                         "1=//" ONE },
    { "two slashes or a semicolon inside",  "a;b // c",                       "1=a;b // c" },
    { "four hyphens",                       "----" ONE,                       "1=----" ONE },
};

/* Lines that nobody means as secrets, and what is said of them. */
static const struct {
    const char *what, *content, *why;
} mistaken[] = {
    { "a comment of an ini file",       ONE "\n; " TWO "\n",                 " line 2 begins with \";\": " },
    { "one without a blank",            ";" TWO "\n",                        " line 1 begins with \";\": " },
    { "one with blanks before it",      " \t; old\n" ONE "\n",               " line 1 begins with \";\": " },
    { "a comment of C",                 "// old one, of May 2024, 1234567\n" ONE,  " line 1 begins with \"//\": " },
    { "one with a tab",                 ONE "\n//\told\n",                   " line 2 begins with \"//\": " },
    { "one behind a byte order mark",   BOM "// old\n" ONE,                  " line 1 begins with \"//\": " },
    { "a private key",                  "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n",
      " line 1 begins with \"-----\": " },
    { "a line between secrets",         ONE "\n" "--------------------------------\n" TWO,
      " line 2 begins with \"-----\": " },
};

static const struct {
    const char *what, *content;
} barren[] = {
    { "nothing",            "" },
    { "an empty line",      "\n" },
    { "blanks",             " \t\r\n  " },
    { "only a comment",     "# " ONE "\n" },
};

static const struct {
    const char *what, *command, *want;
} commands[] = {
    { "one secret", "echo " ONE, "1=" ONE },
    { "more than one secret", "printf '# new\\\\n" ONE "\\\\n" TWO "\\\\n'", "2=" ONE " 3=" TWO },
    { "what a program finds in our environment", "sh -c 'echo $SS_TEST_SECRET'", "1=" ONE },
    { "a byte order mark", "printf \\\\357\\\\273\\\\277%s " ONE, "1=" ONE },
};

static const struct {
    const char *what, *command, *why; /* part of the message */
} failing[] = {
    { "an exit status", "sh -c 'echo " ONE "; exit 3'", "ended with exit status 3" },
    { "a signal", "sh -c 'echo " ONE "; kill -9 $$'", "ended with signal 9" },
    { "no such program", "/nonexistent/program", "cannot run" },
    { "no output", "true", "holds no secret" },
    { "a private key", "printf %s -----BEGIN", "line 1 begins with \"-----\": " },
    { "too much output", "sh -c 'while :; do echo " ONE "; done'", "has more than 65536 bytes" },
};
/* clang-format on */

static void setup(void)
{
    unit_setup();
    clock_now = apr_time_from_sec(1700000000);
    clock_leap = apr_time_from_msec(1);
    setenv("SS_TEST_SECRET", ONE, 1);
    unsetenv("SS_TEST_OTHER");
    unsetenv("SS_TEST_OTHER_FILE");
}

/* A file only its owner can read, gone with `pool`. */
static const char *file_of(const char *content, apr_size_t len)
{
    const char *directory;
    char *path;
    apr_file_t *file;

    ck_assert_int_eq(apr_temp_dir_get(&directory, pool), APR_SUCCESS);
    path = apr_pstrcat(pool, directory, "/ss_test_source.XXXXXX", NULL);
    ck_assert_int_eq(apr_file_mktemp(&file, path, 0, pool), APR_SUCCESS);
    ck_assert_int_eq(apr_file_write_full(file, content, len, NULL), APR_SUCCESS);
    return path;
}

static const char *file_with(const char *content)
{
    return file_of(content, strlen(content));
}

/** One call of ss_source_read. */
typedef struct result_t {
    apr_status_t rv;
    apr_array_header_t *secrets;
    const char *why;
    apr_array_header_t *warnings;
} result_t;

static result_t read_all(const char *const texts[], int count, const char *root)
{
    result_t result = { APR_SUCCESS, NULL, NULL, NULL };
    apr_array_header_t *sources = apr_array_make(pool, count, sizeof(ss_source_t));

    for (int i = 0; i < count; i++) {
        ck_assert_ptr_null(ss_source_parse(apr_array_push(sources), texts[i], pool));
    }
    result.warnings = apr_array_make(pool, 1, sizeof(const char *));
    result.secrets = sources; /* not what is expected, so that it has to be replaced */
    result.rv = ss_source_read(&result.secrets, &result.why, result.warnings, sources, root, pool);
    ck_assert_msg((result.rv == APR_SUCCESS) == (result.secrets != NULL), "%s", texts[0]);
    ck_assert_msg((result.rv == APR_SUCCESS) == (result.why == NULL), "%s", texts[0]);
    return result;
}

static result_t read_one(const char *kind, const char *name)
{
    const char *text = apr_pstrcat(pool, kind, name, NULL);

    return read_all(&text, 1, NULL);
}

/* Secrets as the tables above write them. */
static const char *printed(const result_t *result)
{
    const char *text = "";

    for (int i = 0; i < result->secrets->nelts; i++) {
        const ss_secret_t *secret = &APR_ARRAY_IDX(result->secrets, i, const ss_secret_t);
        const char *line = strstr(secret->origin, " line ");

        ck_assert_ptr_nonnull(line);
        text = apr_psprintf(pool, "%s%s%s=%.*s", text, i == 0 ? "" : " ", line + strlen(" line "),
                            (int)secret->text.len, secret->text.data);
    }
    return text;
}

static void assert_read(const result_t *result, const char *want, const char *what)
{
    ck_assert_msg(result->rv == APR_SUCCESS, "%s: %s", what, result->why);
    assert_bytes(ss_bytes_of(printed(result)), ss_bytes_of(want), what);
}

static void assert_failed(const result_t *result, const char *why, const char *what)
{
    ck_assert_msg(result->rv != APR_SUCCESS && result->rv != APR_NOTFOUND, "%s", what);
    ck_assert_msg(strstr(result->why, why) != NULL, "%s: %s", what, result->why);
}

START_TEST(understands_sources)
{
    ss_source_t source;

    ck_assert_ptr_null(ss_source_parse(&source, accepted[_i].text, pool));
    ck_assert_int_eq(source.kind, accepted[_i].kind);
    ck_assert_str_eq(source.name, accepted[_i].name);
    ck_assert_str_eq(source.text, accepted[_i].text);
}
END_TEST

START_TEST(refuses_what_is_no_source)
{
    ss_source_t source;
    const char *why = ss_source_parse(&source, refused[_i].text, pool);

    ck_assert_msg(why != NULL, "%s", refused[_i].what);
    ck_assert_msg(strstr(why, refused[_i].why) != NULL, "%s: %s", refused[_i].what, why);
    ck_assert_msg(strstr(why, ONE) == NULL, "%s: %s", refused[_i].what, why);
}
END_TEST

START_TEST(takes_a_variable_verbatim)
{
    result_t result;
    const ss_secret_t *secret;

    setenv("SS_TEST_OTHER", " # a\nb ", 1);
    result = read_one("env:", "SS_TEST_OTHER");
    ck_assert_int_eq(result.rv, APR_SUCCESS);
    ck_assert_int_eq(result.secrets->nelts, 1);
    secret = &APR_ARRAY_IDX(result.secrets, 0, const ss_secret_t);
    assert_bytes(secret->text, ss_bytes_of(" # a\nb "), "verbatim");
    ck_assert_str_eq(secret->origin, "env:SS_TEST_OTHER");
}
END_TEST

START_TEST(names_the_variable_that_is_unset)
{
    result_t result = read_one("env:", "SS_TEST_OTHER");

    ck_assert_int_eq(result.rv, APR_NOTFOUND);
    ck_assert_str_eq(result.why, "SS_TEST_OTHER");
}
END_TEST

START_TEST(does_not_take_an_empty_variable_for_a_missing_one)
{
    result_t result;

    setenv("SS_TEST_OTHER", "", 1);
    setenv("SS_TEST_OTHER_FILE", file_with(ONE), 1);
    result = read_one("env:", "SS_TEST_OTHER");
    assert_failed(&result, "env:SS_TEST_OTHER is set but empty", "an empty variable");
}
END_TEST

START_TEST(reads_the_file_that_a_variable_names)
{
    result_t result;

    setenv("SS_TEST_OTHER_FILE", file_with(ONE "\n" TWO "\n"), 1);
    result = read_one("env:", "SS_TEST_OTHER");
    assert_read(&result, "1=" ONE " 2=" TWO, "NAME_FILE");

    setenv("SS_TEST_OTHER_FILE", "/nonexistent/keys", 1);
    result = read_one("env:", "SS_TEST_OTHER");
    assert_failed(&result, "cannot read file:/nonexistent/keys (named by SS_TEST_OTHER_FILE): ",
                  "NAME_FILE of a file that is not there");

    setenv("SS_TEST_OTHER_FILE", "", 1);
    result = read_one("env:", "SS_TEST_OTHER");
    assert_failed(&result, "env:SS_TEST_OTHER_FILE is set but empty", "an empty NAME_FILE");
}
END_TEST

START_TEST(prefers_the_variable_to_its_file)
{
    result_t result;

    setenv("SS_TEST_OTHER", ONE, 1);
    setenv("SS_TEST_OTHER_FILE", "/nonexistent/keys", 1);
    result = read_one("env:", "SS_TEST_OTHER");
    ck_assert_int_eq(result.rv, APR_SUCCESS);
    ck_assert_int_eq(result.secrets->nelts, 1);
}
END_TEST

START_TEST(reads_lines_of_files)
{
    result_t result = read_one("file:", file_with(contents[_i].content));

    assert_read(&result, contents[_i].want, contents[_i].what);
    ck_assert_int_eq(result.warnings->nelts, 0);
}
END_TEST

START_TEST(wants_at_least_one_secret)
{
    result_t result = read_one("file:", file_with(barren[_i].content));

    assert_failed(&result, "holds no secret (try: ssctl keygen)", barren[_i].what);
}
END_TEST

START_TEST(refuses_lines_that_were_meant_as_something_else)
{
    result_t result = read_one("file:", file_with(mistaken[_i].content));

    assert_failed(&result, mistaken[_i].why, mistaken[_i].what);
    ck_assert_msg(strstr(result.why, "file:") != NULL, "%s", result.why);
    ck_assert_msg(strstr(result.why, "old") == NULL && strstr(result.why, TWO) == NULL &&
                      strstr(result.why, "BEGIN") == NULL,
                  "%s", result.why);
}
END_TEST

/* As redirections of some shells write it: no comment is one, and every other byte is a NUL. */
START_TEST(refuses_a_file_in_utf_16)
{
    static const char little[] = "\xff\xfe"
                                 "a\0b\0\n",
                      big[] = "\xfe\xff"
                              "\0a\0b\0\n";
    result_t result = read_one("file:", file_of(little, sizeof(little)));

    assert_failed(&result, "is UTF-16", "little end first");
    result = read_one("file:", file_of(big, sizeof(big) - 1));
    assert_failed(&result, "is UTF-16", "big end first");
    result = read_one("file:", file_of("\xff\xfe", 2));
    assert_read(&result, "1=\xff\xfe", "two bytes of any value");
}
END_TEST

START_TEST(names_file_and_line)
{
    const char *path = file_with("\n" ONE);
    result_t result = read_one("file:", path);

    ck_assert_int_eq(result.rv, APR_SUCCESS);
    ck_assert_str_eq(APR_ARRAY_IDX(result.secrets, 0, ss_secret_t).origin,
                     apr_psprintf(pool, "file:%s line 2", path));
}
END_TEST

START_TEST(keeps_bytes_of_any_value)
{
    result_t result = read_one("file:", file_of("a\0\xff"
                                                "b\n",
                                                5));

    ck_assert_int_eq(result.rv, APR_SUCCESS);
    assert_bytes(APR_ARRAY_IDX(result.secrets, 0, ss_secret_t).text,
                 ss_bytes("a\0\xff"
                          "b",
                          4),
                 "a NUL is a byte");
}
END_TEST

START_TEST(limits_the_size_of_a_file)
{
    const apr_size_t most = 64 * 1024;
    char *content = apr_palloc(pool, most + 1);
    result_t result;

    memset(content, 'x', most + 1);
    result = read_one("file:", file_of(content, most));
    ck_assert_int_eq(result.rv, APR_SUCCESS);
    ck_assert_uint_eq(APR_ARRAY_IDX(result.secrets, 0, ss_secret_t).text.len, most);

    result = read_one("file:", file_of(content, most + 1));
    assert_failed(&result, "has more than 65536 bytes", "64 KiB and one");
}
END_TEST

START_TEST(starts_relative_paths_at_the_root)
{
    const char *path = file_with(ONE);
    const char *name = strrchr(path, '/') + 1;
    const char *root = apr_pstrmemdup(pool, path, (apr_size_t)(name - path));
    const char *text = apr_pstrcat(pool, "file:", name, NULL);
    result_t result = read_all(&text, 1, root);

    assert_read(&result, "1=" ONE, "a relative path");
    result = read_all(&text, 1, "/nonexistent");
    assert_failed(&result, apr_pstrcat(pool, "cannot read file:/nonexistent/", name, NULL),
                  "another root");
}
END_TEST

START_TEST(says_why_a_file_cannot_be_read)
{
    result_t result = read_one("file:", "/nonexistent/keys");

    assert_failed(&result, "cannot read file:/nonexistent/keys: No such file or directory",
                  "no such file");
    result = read_one("file:", "/");
    assert_failed(&result, "cannot read file:/: Is a directory", "a directory");
}
END_TEST

#define NOBODY 65534 /* any account but root's, to whom no file is closed */

START_TEST(tells_who_is_not_root_how_to_read_a_closed_file)
{
    const char *path = file_with(ONE);
    result_t result;

    ck_assert_int_eq(chmod(path, 0), 0);
    ck_assert(geteuid() != 0 || seteuid(NOBODY) == 0);
    result = read_one("file:", path);
    ck_assert(getuid() != 0 || seteuid(0) == 0);
    assert_failed(&result, "Permission denied (try: sudo)", "a closed file");
}
END_TEST

START_TEST(warns_of_files_that_others_reach)
{
    static const struct {
        apr_fileperms_t others;
        const char *done; /* NULL: no warning */
    } rows[] = {
        { APR_FPROT_GREAD | APR_FPROT_GWRITE, NULL },
        { APR_FPROT_WEXECUTE, NULL },
        { APR_FPROT_WREAD, "read" },
        { APR_FPROT_WWRITE, "changed" },
        { APR_FPROT_WREAD | APR_FPROT_WWRITE, "changed" },
    };

    for (int i = 0; i < COUNT(rows); i++) {
        const char *path = file_with(ONE);
        result_t result;

        ck_assert_int_eq(apr_file_perms_set(path, APR_FPROT_UREAD | rows[i].others), APR_SUCCESS);
        result = read_one("file:", path);
        ck_assert_int_eq(result.rv, APR_SUCCESS);
        ck_assert_int_eq(result.warnings->nelts, rows[i].done != NULL);
        if (rows[i].done != NULL) {
            ck_assert_str_eq(APR_ARRAY_IDX(result.warnings, 0, const char *),
                             apr_psprintf(pool,
                                          "key file %s can be %s by other users: chmod 0400 it",
                                          path, rows[i].done));
        }
    }
}
END_TEST

START_TEST(can_do_without_warnings)
{
    const char *path = file_with(ONE);
    apr_array_header_t *secrets, *sources = apr_array_make(pool, 1, sizeof(ss_source_t));
    const char *why;

    ck_assert_int_eq(apr_file_perms_set(path, 0x0644), APR_SUCCESS);
    ck_assert_ptr_null(
        ss_source_parse(apr_array_push(sources), apr_pstrcat(pool, "file:", path, NULL), pool));
    ck_assert_int_eq(ss_source_read(&secrets, &why, NULL, sources, NULL, pool), APR_SUCCESS);
    ck_assert_int_eq(secrets->nelts, 1);
}
END_TEST

START_TEST(reads_lines_of_outputs)
{
    result_t result = read_one("exec:", commands[_i].command);

    assert_read(&result, commands[_i].want, commands[_i].what);
}
END_TEST

START_TEST(wants_commands_to_succeed)
{
    result_t result = read_one("exec:", failing[_i].command);

    assert_failed(&result, failing[_i].why, failing[_i].what);
}
END_TEST

START_TEST(says_how_long_a_command_may_take)
{
    result_t result;

    clock_leap = apr_time_from_sec(10);
    result = read_one("exec:", "sleep 60");
    assert_failed(&result, "did not end within 30 seconds", "time");
}
END_TEST

START_TEST(reads_sources_in_order)
{
    const char *const texts[] = { apr_pstrcat(pool, "file:", file_with(ONE "\n" TWO), NULL),
                                  "env:SS_TEST_SECRET", "exec:echo " TWO };
    static const char *const want[] = { ONE, TWO, ONE, TWO };
    result_t result = read_all(texts, COUNT(texts), NULL);

    ck_assert_int_eq(result.rv, APR_SUCCESS);
    ck_assert_int_eq(result.secrets->nelts, COUNT(want));
    for (int i = 0; i < COUNT(want); i++) {
        assert_bytes(APR_ARRAY_IDX(result.secrets, i, ss_secret_t).text, ss_bytes_of(want[i]),
                     "in order");
    }
}
END_TEST

START_TEST(fails_when_one_of_many_fails)
{
    const char *const barren_second[] = { "env:SS_TEST_SECRET", "exec:true" };
    const char *const unset_second[] = { "env:SS_TEST_SECRET", "env:SS_TEST_OTHER", "exec:true" };
    result_t result = read_all(barren_second, COUNT(barren_second), NULL);

    assert_failed(&result, "exec:true holds no secret", "the second has none");
    result = read_all(unset_second, COUNT(unset_second), NULL);
    ck_assert_int_eq(result.rv, APR_NOTFOUND);
    ck_assert_str_eq(result.why, "SS_TEST_OTHER");
}
END_TEST

static apr_status_t assert_wiped(void *data)
{
    static const char zeros[sizeof(ONE) - 1];
    const ss_bytes_t *secret = data;

    ck_assert_uint_eq(secret->len, sizeof(zeros));
    ck_assert_mem_eq(secret->data, zeros, sizeof(zeros));
    return APR_SUCCESS;
}

/* The last cleanup to be registered runs first: this one, registered before, sees what is left. */
START_TEST(wipes_secrets_with_their_pool)
{
    ss_bytes_t *secret;
    apr_array_header_t *secrets, *sources = apr_array_make(pool, 1, sizeof(ss_source_t));
    apr_pool_t *short_lived;
    const char *why;

    secret = apr_pcalloc(pool, sizeof(*secret));
    ck_assert_ptr_null(ss_source_parse(apr_array_push(sources), "env:SS_TEST_SECRET", pool));
    ck_assert_int_eq(apr_pool_create(&short_lived, pool), APR_SUCCESS);
    apr_pool_cleanup_register(short_lived, secret, assert_wiped, apr_pool_cleanup_null);
    ck_assert_int_eq(ss_source_read(&secrets, &why, NULL, sources, NULL, short_lived), APR_SUCCESS);
    *secret = APR_ARRAY_IDX(secrets, 0, ss_secret_t).text;
    assert_bytes(*secret, ss_bytes_of(ONE), "before");
    apr_pool_destroy(short_lived);
    ck_assert_str_eq(getenv("SS_TEST_SECRET"), ONE);
}
END_TEST

static TCase *source_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, unit_teardown);
    tcase_set_timeout(tcase, 20);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("source");
    TCase *tcase = source_case(suite, "parse");

    tcase_add_loop_test(tcase, understands_sources, 0, COUNT(accepted));
    tcase_add_loop_test(tcase, refuses_what_is_no_source, 0, COUNT(refused));

    tcase = source_case(suite, "env");
    tcase_add_test(tcase, takes_a_variable_verbatim);
    tcase_add_test(tcase, names_the_variable_that_is_unset);
    tcase_add_test(tcase, does_not_take_an_empty_variable_for_a_missing_one);
    tcase_add_test(tcase, reads_the_file_that_a_variable_names);
    tcase_add_test(tcase, prefers_the_variable_to_its_file);

    tcase = source_case(suite, "file");
    tcase_add_loop_test(tcase, reads_lines_of_files, 0, COUNT(contents));
    tcase_add_loop_test(tcase, wants_at_least_one_secret, 0, COUNT(barren));
    tcase_add_loop_test(tcase, refuses_lines_that_were_meant_as_something_else, 0, COUNT(mistaken));
    tcase_add_test(tcase, refuses_a_file_in_utf_16);
    tcase_add_test(tcase, names_file_and_line);
    tcase_add_test(tcase, keeps_bytes_of_any_value);
    tcase_add_test(tcase, limits_the_size_of_a_file);
    tcase_add_test(tcase, starts_relative_paths_at_the_root);
    tcase_add_test(tcase, says_why_a_file_cannot_be_read);
    tcase_add_test(tcase, tells_who_is_not_root_how_to_read_a_closed_file);
    tcase_add_test(tcase, warns_of_files_that_others_reach);
    tcase_add_test(tcase, can_do_without_warnings);

    tcase = source_case(suite, "exec");
    tcase_add_loop_test(tcase, reads_lines_of_outputs, 0, COUNT(commands));
    tcase_add_loop_test(tcase, wants_commands_to_succeed, 0, COUNT(failing));
    tcase_add_test(tcase, says_how_long_a_command_may_take);

    tcase = source_case(suite, "all");
    tcase_add_test(tcase, reads_sources_in_order);
    tcase_add_test(tcase, fails_when_one_of_many_fails);
    tcase_add_test(tcase, wipes_secrets_with_their_pool);

    return unit_run(suite);
}
