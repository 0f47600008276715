/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>
#include <stdlib.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "lib/cookie.h"
#include "lib/document.h"
#include "lib/field.h"
#include "lib/form.h"
#include "lib/names.h"
#include "lib/revocation.h"
#include "lib/session.h"
#include "tests/must.h"

/* Does one thing to something of one size, for whoever counts the instructions: make check-growth.
 *
 *     growth                  print what there is: a name and a size on each line
 *     growth NAME SIZE        do it
 *
 * Only what `measured` calls counts: the rest makes the input. */

typedef struct input_t {
    ss_json_t a, b;
    ss_session_t *session;
    const char *text;
    const apr_array_header_t *members, *others;
    ss_revocation_t *revoked;
    apr_pool_t *pool;
} input_t;

/* --- texts --- */

/* `size` pieces, each printed by `format` from its number, if it asks for that, with commas or the
 * like between them; in the order of their numbers, or stirred. `size` is a power of two then. */
static char *pieces(int size, const char *format, const char *between, int stirred,
                    apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, 2 * size, sizeof(const char *));

    for (int i = 0; i < size; i++) {
        const char *part = apr_psprintf(pool, format, stirred ? i * 7919 % size : i);

        APR_ARRAY_PUSH(parts, const char *) = part;
        if (i < size - 1) {
            APR_ARRAY_PUSH(parts, const char *) = between;
        }
    }
    return apr_array_pstrcat(pool, parts, '\0');
}

static ss_json_t checked(const char *text)
{
    ss_json_t value;

    MUST(ss_json_check(&value, ss_bytes_of(text), SS_JSON_PYTHON, NULL) == APR_SUCCESS);
    return value;
}

static ss_json_t object(int size, const char *format, int stirred, apr_pool_t *pool)
{
    return checked(apr_pstrcat(pool, "{", pieces(size, format, ",", stirred, pool), "}", NULL));
}

/* An object in an object in an object ..., with a neighbour on each level. */
static ss_json_t nested(int levels, const char *innermost, apr_pool_t *pool)
{
    return checked(apr_pstrcat(
        pool,
        pieces(levels - 2, "{\"neighbour\":\"something to look at: %d\",\"down\":", "", 1, pool),
        innermost, pieces(levels - 2, "}", "", 0, pool), NULL));
}

static ss_session_t *session_of(ss_json_t document, apr_pool_t *pool)
{
    static const ss_stamp_t stamp = { 1, 1, { 1 }, 1 };
    ss_session_t *session;

    MUST(ss_session_load(&session, document.raw, &stamp, pool) == APR_SUCCESS);
    return session;
}

/* --- inputs --- */

#define MEMBER "\"name%05d\":1"
#define CHANGED "\"name%05d\":2"
#define GONE "\"name%05d\":null"

static void one_text(input_t *input, int size)
{
    input->text = object(size, MEMBER, 0, input->pool).raw.data;
}

static void doubles(input_t *input, int size)
{
    input->text = object(size, "\"name\":%d", 0, input->pool).raw.data;
}

/* Two names each that only case tells apart. */
static void alike(input_t *input, int size)
{
    input->text = apr_pstrcat(input->pool, "{", pieces(size / 2, MEMBER, ",", 0, input->pool), ",",
                              pieces(size / 2, "\"NAME%05d\":1", ",", 1, input->pool), "}", NULL);
}

/* Names of one hash: brackets and braces count as one letter of two cases there, and are none. Each
 * is the binary number of one member. */
static const char *bracket_names(int size, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, size, sizeof(const char *));
    char name[] = "[[[[[[[[[[[[[[[[";

    for (int i = 0; i < size; i++) {
        for (int bit = 0; bit < 16; bit++) {
            name[bit] = (i >> bit) & 1 ? '{' : '[';
        }
        APR_ARRAY_PUSH(parts, const char *) =
            apr_psprintf(pool, "%c\"%s\":1", i == 0 ? '{' : ',', name);
    }
    return apr_pstrcat(pool, apr_array_pstrcat(pool, parts, '\0'), "}", NULL);
}

static void one_hash(input_t *input, int size)
{
    input->text = bracket_names(size, input->pool);
    input->a = input->b = checked(input->text);
    input->session = session_of(input->a, input->pool);
    ss_session_set(input->session, ss_bytes_of("more"), input->a);
}

/* Two objects with members like these; the second has them in another order if `stirred`. */
static void objects(input_t *input, int size, const char *a, const char *b, int stirred)
{
    input->a = object(size, a, 0, input->pool);
    input->b = object(size, b, stirred, input->pool);
    input->session = session_of(input->a, input->pool);
}

static void two_objects(input_t *input, int size)
{
    objects(input, size, MEMBER, CHANGED, 1);
}

static void same_objects(input_t *input, int size)
{
    objects(input, size, MEMBER, MEMBER, 1);
}

static void other_object(input_t *input, int size)
{
    objects(input, size, MEMBER, "\"other%05d\":2", 1);
}

static void removed_members(input_t *input, int size)
{
    objects(input, size, MEMBER, GONE, 0);
}

static void tags(input_t *input, int size)
{
    objects(input, size, "\"name%05d\":{\" t\":1 }", "\"name%05d\":{\" t\":1}", 1);
}

/* Two that are nested alike; the innermost objects are these. */
static void both_nested(input_t *input, int levels, const char *a, const char *b)
{
    input->a = nested(levels, a, input->pool);
    input->b = nested(levels, b, input->pool);
    input->session = session_of(input->a, input->pool);
}

static void two_nested(input_t *input, int levels)
{
    both_nested(input, levels, "{\"value\":1}", "{\"value\":2}");
}

static void nested_tags(input_t *input, int levels)
{
    both_nested(input, levels, "{\" t\":[ 1]}", "{\" t\":[1]}");
}

static void arrays(input_t *input, int size)
{
    input->a = checked(
        apr_pstrcat(input->pool, "[", pieces(size, "[%d]", ",", 0, input->pool), "]", NULL));
    input->b = checked(
        apr_pstrcat(input->pool, "[", pieces(size, "[%d ]", ",", 0, input->pool), "]", NULL));
}

static void path(input_t *input, int levels)
{
    input->a = nested(levels, "{\"value\":1}", input->pool);
    input->text =
        apr_pstrcat(input->pool, pieces(levels - 2, "down", ".", 0, input->pool), ".value", NULL);
}

static void strings(input_t *input, int size)
{
    input->a = checked(apr_pstrcat(
        input->pool, "\"", pieces(size, "\\\\\\\"\\u00e9", "", 0, input->pool), "\"", NULL));
    input->b = checked(apr_pstrcat(
        input->pool, "\"", pieces(size, "\\\\\\\"\\u00E9", "", 0, input->pool), "\"", NULL));
}

static void names_of(input_t *input, int size)
{
    input->members = ss_json_members(object(size, MEMBER, 1, input->pool), input->pool);
}

static void list(input_t *input, int size)
{
    input->text = pieces(size, "a", ",", 0, input->pool);
}

static void words(input_t *input, int size)
{
    input->text = pieces(size, "X-Session", ", ", 0, input->pool);
}

static void quotes(input_t *input, int size)
{
    input->text = pieces(size, "a=\"", "\\", 0, input->pool);
}

static void cookies(input_t *input, int size)
{
    input->text = pieces(size, "session=%d", "; ", 0, input->pool);
}

static void separators(input_t *input, int size)
{
    input->text = pieces(size, " ", ";", 0, input->pool);
}

static void names(input_t *input, int size)
{
    input->text = pieces(size, "other", " ", 0, input->pool);
}

static void blanks(input_t *input, int size)
{
    input->text = apr_pstrcat(input->pool, pieces(size, " ", "", 0, input->pool),
                              pieces(size, "other", "", 0, input->pool), NULL);
}

static void attributes(input_t *input, int size)
{
    input->text =
        apr_pstrcat(input->pool, "session=1", pieces(size, "; Path=/", "", 0, input->pool),
                    pieces(size, ";", "", 0, input->pool), NULL);
}

static void fields(input_t *input, int size)
{
    input->text = pieces(size, "n%d=%%20", "&", 0, input->pool);
}

/* --- what is done with them --- */

static const ss_cookie_t cookie = { .name = "session", .path = "/", .same_site = "Lax" };

static void do_check(const input_t *input)
{
    MUST(ss_json_check(NULL, input->a.raw, SS_JSON_STRICT, NULL) == APR_SUCCESS);
}

static void do_check_input(const input_t *input)
{
    MUST(ss_json_check_input(NULL, ss_bytes_of(input->text), NULL, input->pool) == APR_SUCCESS);
}

static void do_document(const input_t *input)
{
    ss_document_t document;

    MUST(ss_document_read(&document, ss_bytes_of(input->text), input->pool) == APR_SUCCESS);
}

static void do_compact(const input_t *input)
{
    ss_json_compact(input->a, SS_JSON_ASCII_AND_FINITE, input->pool);
}

static void do_equal(const input_t *input)
{
    ss_json_equal(input->a, input->b, input->pool);
}

static void do_merge(const input_t *input)
{
    ss_json_merge(input->a, input->b, input->pool);
}

static void do_has_tag(const input_t *input)
{
    ss_json_has_tag(input->a);
}

static void do_adds_tag(const input_t *input)
{
    ss_json_adds_tag(input->a, input->b, input->pool);
}

static void do_at(const input_t *input)
{
    MUST(ss_json_at(input->a, ss_bytes_of(input->text), input->pool).raw.data != NULL);
}

static void do_items(const input_t *input)
{
    ss_json_items(input->a, input->pool);
}

static void do_print(const input_t *input)
{
    ss_json_print(input->members, input->pool);
}

static void do_session_set(const input_t *input)
{
    MUST(ss_session_set(input->session, ss_bytes_of("more"), input->b));
    ss_session_is_changed(input->session);
}

static void do_session_merge(const input_t *input)
{
    ss_session_merge(input->session, input->b);
    ss_session_is_changed(input->session);
}

static void do_session_update(const input_t *input)
{
    ss_session_update(input->session, input->b);
    ss_session_is_changed(input->session);
}

static void do_session_replace(const input_t *input)
{
    ss_session_replace(input->session, input->b);
    ss_session_is_changed(input->session);
}

static void do_field_has(const input_t *input)
{
    MUST(!ss_field_has(input->text, "Cookie"));
}

static void do_field_private(const input_t *input)
{
    ss_field_private(input->text, input->pool);
}

static void do_field_without(const input_t *input)
{
    apr_array_header_t *names = apr_array_make(input->pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(names, const char *) = "X-Session";
    ss_field_without(input->text, names, input->pool);
}

static void do_cookie_find(const input_t *input)
{
    ss_bytes_t values[SS_CANDIDATES_MAX];

    MUST(ss_cookie_find(values, SS_CANDIDATES_MAX, SS_COOKIE_LAST, input->text, "other") == 0);
}

static void do_cookie_strip(const input_t *input)
{
    ss_cookie_strip(input->text, "session", NULL, NULL, input->pool);
}

static void do_set_cookie(const input_t *input)
{
    MUST(ss_cookie_is_named(input->text, "session") && ss_cookie_is_scoped(input->text, &cookie));
    MUST(!ss_cookie_is_deletion(input->text, 0));
    ss_cookie_with_value(input->text, ss_cookie_value(input->text), input->pool);
}

static void do_form(const input_t *input)
{
    apr_array_header_t *found;
    const char *why;

    MUST(ss_form_parse(&found, &why, ss_bytes_of(input->text), input->pool) == APR_SUCCESS);
}

/* --- who is revoked --- */

static apr_status_t end_revocation(void *set)
{
    ss_revocation_destroy(set);
    return APR_SUCCESS;
}

static void no_revocation(input_t *input, int size)
{
    static const unsigned char key[16] = "growth";

    input->text = pieces(size, "subject user%d@example.org 500 2000\n", "", 0, input->pool);
    input->revoked = ss_revocation_create(key, SS_REVOCATION_MAX, input->pool);
    apr_pool_cleanup_register(input->pool, input->revoked, end_revocation, apr_pool_cleanup_null);
}

static void do_revocation_read(const input_t *input)
{
    ss_revocation_count_t count = { 0, 0, 0, 0 };

    MUST(ss_revocation_read(input->revoked, ss_bytes_of(input->text), apr_time_from_sec(1000),
                            &count) == APR_SUCCESS);
}

static void revocation(input_t *input, int size)
{
    no_revocation(input, size);
    do_revocation_read(input);
}

/* Always as often: what was revoked, and what was not. */
static void do_revocation_find(const input_t *input)
{
    ss_revocable_t revoked = { NULL, ss_bytes_of("user77@example.org"), 500, 0 },
                   other = { (const unsigned char *)"an id of 16 byte",
                             ss_bytes_of("somebody@example.org"), 500, 0 };

    for (int i = 0; i < 100; i++) {
        MUST(ss_revocation_covers(input->revoked, &revoked, apr_time_from_sec(1000)));
        MUST(!ss_revocation_covers(input->revoked, &other, apr_time_from_sec(1000)));
    }
}

/* clang-format off */
/* The first size; the others are twice and four times as much, which where something is limited
 * (members of input, levels) reaches the limit, and elsewhere goes beyond what fits. */
static const struct {
    const char *name;
    int size;
    void (*prepare)(input_t *input, int size);
    void (*run)(const input_t *input);
} rows[] = {
    { "input-members",          SS_JSON_MEMBERS_MAX / 4, one_text,        do_check_input },
    { "document-members",       256,                     one_text,        do_document },
    { "document-doubles",       256,                     doubles,         do_document },
    { "document-alike",         256,                     alike,           do_document },
    { "document-one-hash",      256,                     one_hash,        do_document },
    { "scan-arrays",            2048,                    arrays,          do_check },
    { "compact-arrays",         2048,                    arrays,          do_compact },
    { "compact-strings",        1024,                    strings,         do_compact },
    { "items",                  2048,                    arrays,          do_items },
    { "print-members",          256,                     names_of,        do_print },
    { "equal-members",          256,                     same_objects,    do_equal },
    { "equal-levels",           SS_JSON_DEPTH_MAX / 4,   two_nested,      do_equal },
    { "equal-arrays",           2048,                    arrays,          do_equal },
    { "equal-strings",          1024,                    strings,         do_equal },
    { "merge-members",          256,                     two_objects,     do_merge },
    { "merge-new-members",      256,                     other_object,    do_merge },
    { "merge-removed-members",  256,                     removed_members, do_merge },
    { "merge-levels",           SS_JSON_DEPTH_MAX / 4,   two_nested,      do_merge },
    { "tag-levels",             SS_JSON_DEPTH_MAX / 4,   nested_tags,     do_has_tag },
    { "adds-tag-levels",        SS_JSON_DEPTH_MAX / 4,   nested_tags,     do_adds_tag },
    { "adds-tag-members",       256,                     tags,            do_adds_tag },
    { "path-levels",            SS_JSON_DEPTH_MAX / 4,   path,            do_at },
    { "session-set",            256,                     other_object,    do_session_set },
    { "session-merge",          256,                     two_objects,     do_session_merge },
    { "session-merge-new",      256,                     other_object,    do_session_merge },
    { "session-merge-removed",  256,                     removed_members, do_session_merge },
    { "session-merge-one-hash", 256,                     one_hash,        do_session_merge },
    { "session-merge-levels",   SS_JSON_DEPTH_MAX / 4,   two_nested,      do_session_merge },
    { "session-update",         256,                     two_objects,     do_session_update },
    { "session-replace",        256,                     two_objects,     do_session_replace },
    { "session-replace-levels", SS_JSON_DEPTH_MAX / 4,   two_nested,      do_session_replace },
    { "vary",                   4096,                    list,            do_field_has },
    { "cache-control",          4096,                    list,            do_field_private },
    { "cache-control-quotes",   2048,                    quotes,          do_field_private },
    { "connection",             4096,                    list,            do_field_without },
    { "connection-ours",        800,                     words,           do_field_without },
    { "cookie-find",            600,                     cookies,         do_cookie_find },
    { "cookie-find-separators", 4096,                    separators,      do_cookie_find },
    { "cookie-find-names",      1024,                    names,           do_cookie_find },
    { "cookie-find-blanks",     1024,                    blanks,          do_cookie_find },
    { "cookie-strip",           600,                     cookies,         do_cookie_strip },
    { "cookie-strip-none",      4096,                    separators,      do_cookie_strip },
    { "set-cookie",             800,                     attributes,      do_set_cookie },
    { "form-fields",            2048,                    fields,          do_form },
    { "revocation-read",        4096,                    no_revocation,   do_revocation_read },
    { "revocation-find",        4096,                    revocation,      do_revocation_find },
};
/* clang-format on */

/* The one function whose instructions are counted, with what it calls. */
__attribute__((noinline)) void measured(void (*run)(const input_t *input), const input_t *input);

void measured(void (*run)(const input_t *input), const input_t *input)
{
    run(input);
}

static int usage(void)
{
    fprintf(stderr, "usage: growth [NAME SIZE]\n");
    return EXIT_FAILURE;
}

static int run_row(const char *name, int size, apr_pool_t *pool)
{
    input_t input = { .pool = pool };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(name, rows[i].name) == 0) {
            rows[i].prepare(&input, size);
            measured(rows[i].run, &input);
            return EXIT_SUCCESS;
        }
    }
    return usage();
}

int main(int argc, char *argv[])
{
    int status = EXIT_SUCCESS;
    apr_pool_t *pool;

    MUST(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS);
    if (argc == 3) {
        status = run_row(argv[1], atoi(argv[2]), pool);
    }
    else if (argc == 1) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            printf("%s %d\n", rows[i].name, rows[i].size);
        }
    }
    else {
        status = usage();
    }
    apr_terminate();
    return status;
}
