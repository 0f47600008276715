/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/asked_keys.h"
#include "httpd/auth_type.h"
#include "httpd/config.h"

#define BLANKS " \t"

/* Does an argument begin here that only a request knows: a variable, a back reference, what another
 * function returns? Behind "session(" of a path or a pattern something else does. */
static int is_computed(const char *argument)
{
    const char *end = argument;

    while (apr_isalnum(*end) || *end == '_') {
        end++;
    }
    return (argument[0] == '%' && argument[1] == '{') ||
           (argument[0] == '$' && apr_isdigit(argument[1])) || (end > argument && *end == '(');
}

/* A key that is computed may be any: "", which is none that a configuration names. */
static const char any_key[] = "";

/* The argument of the function session, behind its parenthesis; NULL: it is none. */
static const char *key_of_function(const char *argument, apr_pool_t *pool)
{
    const char *key = argument + strspn(argument, BLANKS "\\"), *end, *behind;

    if (*key != '\'' && *key != '"') {
        return is_computed(key) ? any_key : NULL;
    }
    end = key + 1 + strcspn(key + 1, *key == '\'' ? "'" : "\"\\");
    behind = end + strspn(end, "'\"\\");
    if (behind[strspn(behind, BLANKS)] == '.') {
        return any_key; /* something is appended */
    }
    return apr_pstrmemdup(pool, key + 1, (apr_size_t)(end - key - 1));
}

/* Behind the word "session" of an expression: the key, when it is %{session:KEY} or
 * session('KEY'), or NULL. */
static const char *key_behind(const char *text, apr_pool_t *pool)
{
    const char *key = text + strspn(text, BLANKS);

    if (*key == '(') {
        return key_of_function(key + 1, pool);
    }
    return *key == ':' ? apr_pstrmemdup(pool, key + 1, strcspn(key + 1, "}")) : NULL;
}

/* Does this server have what stands in that section? NULL is no section of a virtual host. */
static int is_within(const server_rec *s, const ap_directive_t *host)
{
    return host == NULL ||
           (s->defn_name != NULL && s->defn_line_number == (unsigned)host->line_num &&
            strcmp(s->defn_name, host->filename) == 0);
}

static void add_required(ss_start_t *start, const ap_directive_t *host, const char *key,
                         const char *at, apr_pool_t *pool)
{
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        if (is_within(s, host) && (host != NULL || ss_config_is_own(s, start->main))) {
            ss_gathered_mention(&ss_server_conf(s)->gathered.required, key, at, pool);
        }
    }
}

static const char *place_of(const ap_directive_t *line, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s:%d", line->filename, line->line_num);
}

/* Whoever asks for the user believes in every key that a SignedSessionUser of this server names:
 * which of them holds in a section is known in a request. */
static void add_user(ss_start_t *start, const ap_directive_t *host, const ap_directive_t *line,
                     apr_pool_t *pool)
{
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        const apr_array_header_t *users = ss_server_conf(s)->gathered.users;

        if (is_within(s, host)) {
            add_required(start, host, ss_dir_conf_outside(s)->user.key, place_of(line, pool), pool);
            for (int i = 0; i < users->nelts; i++) {
                const ss_mention_t *user = &APR_ARRAY_IDX(users, i, ss_mention_t);

                add_required(start, host, user->key, user->at, pool);
            }
        }
    }
}

/* The configuration of the servers holds what is gathered. */
static apr_pool_t *keeping_pool(const ss_start_t *start)
{
    return start->keys != NULL ? start->keys : start->scratch;
}

static void gather_expression(ss_start_t *start, const ap_directive_t *host,
                              const ap_directive_t *line)
{
    apr_pool_t *pool = keeping_pool(start);
    static const char function[] = "session";
    const char *args = line->args, *word = ap_getword_conf(start->scratch, &args);

    if (ap_cstr_casecmp(word, "not") == 0) {
        word = ap_getword_conf(start->scratch, &args);
    }
    if (ap_cstr_casecmp(word, "expr") != 0) {
        return;
    }
    while ((args = ap_strcasestr(args, function)) != NULL) {
        const char *key = key_behind(args + strlen(function), pool);

        args += strlen(function);
        if (key != NULL && strcmp(key, ":user") == 0) {
            add_user(start, host, line, pool);
        }
        else if (key != NULL) {
            add_required(start, host, key, place_of(line, pool), pool);
        }
    }
}

static void gather_auth_type(ss_start_t *start, const ap_directive_t *host,
                             const ap_directive_t *line)
{
    const char *args = line->args;

    if (ap_cstr_casecmp(ap_getword_conf(start->scratch, &args), SS_AUTH_TYPE) == 0) {
        add_user(start, host, line, keeping_pool(start));
    }
}

/* What decides: a Require, or an alias that Require lines name. Of signed-session httpd has parsed
 * both. */
static int decides(const ap_directive_t *line)
{
    return ap_cstr_casecmp(line->directive, "Require") == 0 ||
           ap_cstr_casecmp(line->directive, "<AuthzProviderAlias") == 0;
}

static void gather_below(ss_start_t *start, const ap_directive_t *host, const ap_directive_t *line)
{
    for (; line != NULL; line = line->next) {
        if (decides(line)) {
            gather_expression(start, host, line);
        }
        else if (ap_cstr_casecmp(line->directive, "AuthType") == 0) {
            gather_auth_type(start, host, line);
        }
        else if (line->first_child != NULL) {
            int is_host = ap_cstr_casecmp(line->directive, "<VirtualHost") == 0;

            gather_below(start, is_host ? line : host, line->first_child);
        }
    }
}

void ss_asked_keys_gather(ss_start_t *start)
{
    gather_below(start, NULL, ap_conftree);
}
