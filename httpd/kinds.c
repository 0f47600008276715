/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Kinds of directives: each turns the words of one directive into one member of a configuration.
 * What the words mean is decided in lib/; here is only the way from httpd to there. */

#include <apr_strings.h>

#include "httpd/config.h"
#include "httpd/log.h"
#include "lib/change.h"
#include "lib/option.h"
#include "lib/origin.h"
#include "lib/source.h"

static const char *not_accepted(const char *word, const char *accepted, cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "\"%s\" is not accepted; accepted is %s", word, accepted);
}

static int is_word(const char *text, const char *word)
{
    return ap_cstr_casecmp(text, word) == 0;
}

/* One of some words, by its place among them. */
static const char *parse_word(int *index, const char *const words[], const char *accepted,
                              const char *word, cmd_parms *cmd)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (is_word(word, words[i])) {
            *index = i;
            return NULL;
        }
    }
    return not_accepted(word, accepted, cmd);
}

const char *ss_parse_flag(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    (void)argc;
    if (!is_word(argv[0], "On") && !is_word(argv[0], "Off")) {
        return not_accepted(argv[0], "On or Off", cmd);
    }
    *(int *)member = is_word(argv[0], "On");
    return NULL;
}

/* From .htaccess nothing is gathered: it is read while requests run. */
static int is_start(cmd_parms *cmd)
{
    return cmd->server != NULL && ap_check_cmd_context(cmd, NOT_IN_HTACCESS) == NULL;
}

static const apr_array_header_t *names_of(int argc, const char *const argv[], apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, argc, sizeof(const char *));

    for (int i = 0; i < argc; i++) {
        APR_ARRAY_PUSH(names, const char *) = argv[i];
    }
    return names;
}

/* Note the name of a header that only we and applications may use. */
static void gather(const apr_array_header_t **names, const char *name, cmd_parms *cmd)
{
    *names = apr_array_append(cmd->pool, *names, names_of(1, &name, cmd->pool));
}

const char *ss_parse_mode(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    static const char *const words[] = { "Off", "On", "ReadOnly", NULL }; /* as in ss_mode_e */
    int index = 0;
    const char *why = parse_word(&index, words, "On, Off or ReadOnly", argv[0], cmd);

    (void)argc;
    if (why == NULL) {
        *(ss_mode_e *)member = (ss_mode_e)index;
        if (index != SS_OFF && is_start(cmd)) {
            ss_server_conf(cmd->server)->in_use = ss_config_place(cmd);
        }
    }
    return why;
}

const char *ss_parse_text(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    (void)argc;
    (void)cmd;
    *(const char **)member = argv[0];
    return NULL;
}

const char *ss_parse_duration(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    const char *accepted = ss_option_duration(member, argv[0]);

    (void)argc;
    return accepted == NULL ? NULL : not_accepted(argv[0], accepted, cmd);
}

const char *ss_parse_timeout(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    const char *accepted = ss_option_timeout(member, argv[0]);

    (void)argc;
    return accepted == NULL ? NULL : not_accepted(argv[0], accepted, cmd);
}

const char *ss_parse_renew(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    const char *accepted = ss_option_renew(member, argv[0]);

    (void)argc;
    return accepted == NULL ? NULL : not_accepted(argv[0], accepted, cmd);
}

const char *ss_parse_size(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    const char *accepted = ss_option_size(member, argv[0]);

    (void)argc;
    return accepted == NULL ? NULL : not_accepted(argv[0], accepted, cmd);
}

const char *ss_parse_sources(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    apr_array_header_t *sources = apr_array_make(cmd->pool, argc, sizeof(ss_source_t));

    for (int i = 0; i < argc; i++) {
        const char *why = ss_source_parse(apr_array_push(sources), argv[i], cmd->pool);

        if (why != NULL) {
            return why;
        }
    }
    *(const apr_array_header_t **)member = sources;
    return NULL;
}

const char *ss_parse_cookie(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    ss_cookie_t cookie;
    const char *why = ss_cookie_parse(&cookie, argc, argv, cmd->pool);

    if (why == NULL) {
        *(ss_cookie_t *)member = cookie;
    }
    return why;
}

const char *ss_parse_formats(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    apr_array_header_t *formats = apr_array_make(cmd->pool, argc, sizeof(const ss_format_t *));

    for (int i = 0; i < argc; i++) {
        const ss_format_t *format = ss_format_named(argv[i]);

        if (format == NULL) {
            return not_accepted(argv[i], ss_format_names(cmd->pool), cmd);
        }
        for (int j = 0; j < formats->nelts; j++) {
            if (APR_ARRAY_IDX(formats, j, const ss_format_t *) == format) {
                return apr_psprintf(cmd->pool, "%s is named twice: name each format once", argv[i]);
            }
        }
        APR_ARRAY_PUSH(formats, const ss_format_t *) = format;
    }
    *(const apr_array_header_t **)member = formats;
    return NULL;
}

const char *ss_parse_update(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    ss_update_conf_t update = { NULL, { 0, NULL } };

    if (is_word(argv[0], "Off")) {
        if (argc > 1) {
            return "Off takes no keys: accepted are Off alone, or a response header and keys";
        }
        *(ss_update_conf_t *)member = update;
        return NULL;
    }
    if (cmd->path == NULL) {
        return "at server level every .htaccess author could answer with this header: name the "
               "application's location, in a section such as <Location> or <Directory>";
    }
    if (!ss_option_is_token(argv[0])) {
        return not_accepted(argv[0], "the name of a response header, or Off", cmd);
    }
    update.header = argv[0];
    update.keys.all = argc == 1;
    update.keys.names = names_of(argc - 1, argv + 1, cmd->pool);
    *(ss_update_conf_t *)member = update;
    if (is_start(cmd)) {
        gather(&ss_server_conf(cmd->server)->updates, argv[0], cmd);
        gather(&ss_server_conf(cmd->server)->headers, argv[0], cmd);
    }
    return NULL;
}

const char *ss_parse_forward(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    (void)argc;
    if (is_word(argv[0], "Off")) {
        *(const char **)member = NULL;
        return NULL;
    }
    if (!ss_option_is_token(argv[0])) {
        return not_accepted(argv[0], "the name of a request header, or Off", cmd);
    }
    *(const char **)member = argv[0];
    if (is_start(cmd)) {
        gather(&ss_server_conf(cmd->server)->headers, argv[0], cmd);
    }
    return NULL;
}

/* Add a rule to those that this section has so far. */
static const char *add_rule(void *member, const char *key, const ap_expr_info_t *value,
                            cmd_parms *cmd)
{
    const apr_array_header_t *rules = *(const apr_array_header_t **)member;
    apr_array_header_t *more = rules == NULL ? apr_array_make(cmd->pool, 1, sizeof(ss_rule_t))
                                             : apr_array_copy(cmd->pool, rules);
    ss_rule_t *rule = apr_array_push(more);

    rule->key = ss_bytes_of(key);
    rule->value = value;
    if (!ss_key_is_acceptable(rule->key)) {
        return "a key must be UTF-8 without control characters";
    }
    *(const apr_array_header_t **)member = more;
    ss_server_conf(cmd->server)->has_rules = 1;
    return NULL;
}

const char *ss_parse_set(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    const char *error = NULL;
    const ap_expr_info_t *value;

    if (argc != 2) {
        return "accepted are a key and an expression; one with blanks needs quotes";
    }
    value = ap_expr_parse_cmd(cmd, argv[1], AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
    if (error != NULL) {
        return apr_psprintf(cmd->pool, "\"%s\" is no string expression: %s", argv[1], error);
    }
    return add_rule(member, argv[0], value, cmd);
}

const char *ss_parse_unset(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    const char *why = NULL;

    for (int i = 0; i < argc && why == NULL; i++) {
        why = add_rule(member, argv[i], NULL, cmd);
    }
    return why;
}

static int has_rule_for(const apr_array_header_t *rules, ss_bytes_t key)
{
    for (int i = 0; i < rules->nelts; i++) {
        if (ss_bytes_equal(APR_ARRAY_IDX(rules, i, ss_rule_t).key, key)) {
            return 1;
        }
    }
    return 0;
}

/* The inner section decides alone about its keys: an outer rule for one of them is not even asked.
 */
void ss_merge_rules(void *member, const void *outer_, const void *inner_, apr_pool_t *pool)
{
    const apr_array_header_t *outer = *(const apr_array_header_t *const *)outer_;
    const apr_array_header_t *inner = *(const apr_array_header_t *const *)inner_;
    apr_array_header_t *joined;

    if (outer == NULL) {
        *(const apr_array_header_t **)member = inner;
        return;
    }
    joined = apr_array_make(pool, outer->nelts + inner->nelts, sizeof(ss_rule_t));
    for (int i = 0; i < outer->nelts; i++) {
        const ss_rule_t *rule = &APR_ARRAY_IDX(outer, i, ss_rule_t);

        if (!has_rule_for(inner, rule->key)) {
            APR_ARRAY_PUSH(joined, ss_rule_t) = *rule;
        }
    }
    apr_array_cat(joined, inner);
    *(const apr_array_header_t **)member = joined;
}

const char *ss_parse_clear(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    static const char *const words[] = { "Off", "On", "Before", NULL }; /* as in ss_clear_e */
    int index = 0;
    const char *why = parse_word(&index, words, "On, Off or Before", argv[0], cmd);

    (void)argc;
    if (why == NULL) {
        *(ss_clear_e *)member = (ss_clear_e)index;
        ss_server_conf(cmd->server)->has_rules = 1;
    }
    return why;
}

const char *ss_parse_strip(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    static const char *const words[] = { "auto", "on", "off", NULL }; /* as in ss_strip_e */
    int index = 0;
    const char *why = parse_word(&index, words, "auto, on or off", argv[0], cmd);

    (void)argc;
    if (why == NULL) {
        *(ss_strip_e *)member = (ss_strip_e)index;
    }
    return why;
}

const char *ss_parse_writable(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    ss_keys_t keys = { 0, NULL };

    for (int i = 0; i < argc; i++) {
        keys.all = strcmp(argv[i], "*") == 0;
        if ((keys.all || is_word(argv[i], "none")) && argc > 1) {
            return apr_psprintf(cmd->pool,
                                "\"%s\" stands alone: accepted are names of keys, or *, or none",
                                argv[i]);
        }
    }
    if (!keys.all && !is_word(argv[0], "none")) {
        keys.names = names_of(argc, argv, cmd->pool);
    }
    *(ss_keys_t *)member = keys;
    if (keys.all && is_start(cmd)) {
        ss_server_conf(cmd->server)->open_at = ss_config_place(cmd);
    }
    return NULL;
}

const char *ss_parse_origins(void *member, int argc, const char *const argv[], cmd_parms *cmd)
{
    apr_array_header_t *origins = apr_array_make(cmd->pool, argc, sizeof(const char *));

    for (int i = 0; i < argc; i++) {
        const char *why = ss_origin_parse(apr_array_push(origins), argv[i], cmd->pool);

        if (why != NULL) {
            return why;
        }
    }
    *(const apr_array_header_t **)member = origins;
    return NULL;
}
