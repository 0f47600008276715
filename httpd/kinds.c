/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Kinds of directives: each turns the words of one directive into one member of a configuration,
 * and some leave something behind for their whole server. What the words mean is decided in lib/;
 * here is only the way from httpd to there. */

#include <apr_strings.h>

#include "httpd/config.h"
#include "httpd/kinds.h"
#include "lib/change.h"
#include "lib/cookie_option.h"
#include "lib/option.h"
#include "lib/origin.h"
#include "lib/source.h"

const char *ss_kind_not_accepted(const char *word, const char *accepted, const ss_line_t *line)
{
    return apr_psprintf(line->pool, "\"%s\" is not accepted; accepted is %s", word, accepted);
}

int ss_kind_is_word(const char *text, const char *word)
{
    return ap_cstr_casecmp(text, word) == 0;
}

const char *ss_parse_choice(void *member, const ss_line_t *line)
{
    const ss_choice_t *choice = ((const ss_directive_t *)line->cmd->cmd->cmd_data)->choice;

    for (int i = 0; choice->words[i] != NULL; i++) {
        if (ss_kind_is_word(line->words[0], choice->words[i])) {
            *(int *)member = i;
            return NULL;
        }
    }
    return ss_kind_not_accepted(line->words[0], choice->accepted, line);
}

const apr_array_header_t *ss_kind_names(int count, const char *const words[], apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, count, sizeof(const char *));

    for (int i = 0; i < count; i++) {
        APR_ARRAY_PUSH(names, const char *) = words[i];
    }
    return names;
}

const char *ss_kind_fault_of_keys(int count, const char *const words[], const ss_line_t *line)
{
    for (int i = 0; i < count; i++) {
        if (strchr(words[i], ',') != NULL) {
            return apr_psprintf(line->pool,
                                "\"%s\" has a comma: accepted are names of keys, with blanks "
                                "between them",
                                words[i]);
        }
    }
    return NULL;
}

const char *ss_kind_fault_of_key(const char *key, const ss_line_t *line)
{
    return key[0] == '\0' ? "accepted is the name of a key, which is not empty"
                          : ss_kind_fault_of_keys(1, &key, line);
}

/* `what` it may be the name of, and an example. */
static const char *fault_of_header(const char *name, const char *what, const char *example,
                                   const ss_line_t *line)
{
    if (!ss_option_is_token(name)) {
        return ss_kind_not_accepted(
            name, apr_psprintf(line->pool, "the name of a %s, or Off", what), line);
    }
    return ss_option_is_taken(name)
               ? apr_psprintf(line->pool,
                              "\"%s\" means something else to HTTP or to httpd; accepted is a "
                              "name of your own, such as %s",
                              name, example)
               : NULL;
}

const char *ss_parse_text(void *member, const ss_line_t *line)
{
    *(const char **)member = line->words[0];
    return NULL;
}

const char *ss_parse_key(void *member, const ss_line_t *line)
{
    const char *why = ss_kind_fault_of_key(line->words[0], line);

    if (why == NULL) {
        *(const char **)member = line->words[0];
    }
    return why;
}

const char *ss_parse_duration(void *member, const ss_line_t *line)
{
    const char *accepted = ss_option_duration(member, line->words[0]);

    return accepted == NULL ? NULL : ss_kind_not_accepted(line->words[0], accepted, line);
}

const char *ss_parse_timeout(void *member, const ss_line_t *line)
{
    const char *accepted = ss_option_timeout(member, line->words[0]);

    return accepted == NULL ? NULL : ss_kind_not_accepted(line->words[0], accepted, line);
}

const char *ss_parse_renew(void *member, const ss_line_t *line)
{
    const char *accepted = ss_option_renew(member, line->words[0]);

    return accepted == NULL ? NULL : ss_kind_not_accepted(line->words[0], accepted, line);
}

const char *ss_parse_size(void *member, const ss_line_t *line)
{
    const char *accepted = ss_option_size(member, line->words[0]);

    return accepted == NULL ? NULL : ss_kind_not_accepted(line->words[0], accepted, line);
}

const char *ss_parse_sources(void *member, const ss_line_t *line)
{
    apr_array_header_t *sources = apr_array_make(line->pool, line->count, sizeof(ss_source_t));

    for (int i = 0; i < line->count; i++) {
        const char *why = ss_source_parse(apr_array_push(sources), line->words[i], line->pool);

        if (why != NULL) {
            return why;
        }
    }
    *(const apr_array_header_t **)member = sources;
    return NULL;
}

const char *ss_parse_cookie(void *member, const ss_line_t *line)
{
    ss_cookie_t cookie;
    const char *why = ss_cookie_option_parse(&cookie, line->count, line->words, line->pool);

    if (why == NULL) {
        *(ss_cookie_t *)member = cookie;
    }
    return why;
}

const char *ss_parse_formats(void *member, const ss_line_t *line)
{
    apr_array_header_t *formats =
        apr_array_make(line->pool, line->count, sizeof(const ss_format_t *));

    for (int i = 0; i < line->count; i++) {
        const ss_format_t *format = ss_format_named(line->words[i]);

        if (format == NULL) {
            return ss_kind_not_accepted(line->words[i], ss_format_names(line->pool), line);
        }
        for (int j = 0; j < formats->nelts; j++) {
            if (APR_ARRAY_IDX(formats, j, const ss_format_t *) == format) {
                return apr_psprintf(line->pool, "%s is named twice: name each format once",
                                    line->words[i]);
            }
        }
        APR_ARRAY_PUSH(formats, const ss_format_t *) = format;
    }
    *(const apr_array_header_t **)member = formats;
    return NULL;
}

const char *ss_parse_update(void *member, const ss_line_t *line)
{
    ss_update_conf_t update = { NULL, { 0, NULL } };
    const char *why;

    if (ss_kind_is_word(line->words[0], "Off")) {
        if (line->count > 1) {
            return "Off takes no keys: accepted are Off alone, or a response header and keys";
        }
        *(ss_update_conf_t *)member = update;
        return NULL;
    }
    if (line->cmd->path == NULL) {
        return "at server level every .htaccess author could answer with this header: name the "
               "application's location, in a section such as <Location> or <Directory>";
    }
    why = fault_of_header(line->words[0], "response header", "X-Session-Update", line);
    if (why == NULL) {
        why = ss_kind_fault_of_keys(line->count - 1, line->words + 1, line);
    }
    if (why != NULL) {
        return why;
    }
    update.header = line->words[0];
    update.keys.all = line->count == 1;
    update.keys.names = ss_kind_names(line->count - 1, line->words + 1, line->pool);
    *(ss_update_conf_t *)member = update;
    return NULL;
}

const char *ss_parse_forward(void *member, const ss_line_t *line)
{
    ss_forward_conf_t forward = { NULL, { 0, NULL } };
    const char *why;

    if (ss_kind_is_word(line->words[0], "Off")) {
        if (line->count > 1) {
            return "Off takes no keys: accepted are Off alone, or a request header and keys";
        }
        *(ss_forward_conf_t *)member = forward;
        return NULL;
    }
    why = fault_of_header(line->words[0], "request header", "X-Session", line);
    if (why == NULL) {
        why = ss_kind_fault_of_keys(line->count - 1, line->words + 1, line);
    }
    if (why != NULL) {
        return why;
    }
    forward.header = line->words[0];
    forward.keys.all = line->count == 1;
    forward.keys.names = ss_kind_names(line->count - 1, line->words + 1, line->pool);
    *(ss_forward_conf_t *)member = forward;
    return NULL;
}

const char *ss_parse_forward_text(void *member, const ss_line_t *line)
{
    const apr_array_header_t *texts = *(const apr_array_header_t **)member;
    apr_array_header_t *more = texts == NULL
                                   ? apr_array_make(line->pool, 1, sizeof(ss_forward_text_t))
                                   : apr_array_copy(line->pool, texts);
    ss_forward_text_t text = { NULL, NULL };

    if (line->count == 1 && ss_kind_is_word(line->words[0], "Off")) {
        more->nelts = 0; /* of this section, too */
    }
    else if (line->count != 2) {
        return "accepted are the name of a request header and a key, or Off";
    }
    else {
        const char *why = fault_of_header(line->words[0], "request header", "X-User", line);

        why = why == NULL ? ss_kind_fault_of_keys(1, line->words + 1, line) : why;
        if (why != NULL) {
            return why;
        }
        text.header = line->words[0];
        text.key = line->words[1];
    }
    APR_ARRAY_PUSH(more, ss_forward_text_t) = text;
    *(const apr_array_header_t **)member = more;
    return NULL;
}

/* Rows add up, unless the inner section begins with Off. */
void ss_merge_forward_texts(void *member, const void *outer_, const void *inner_, apr_pool_t *pool)
{
    const apr_array_header_t *outer = *(const apr_array_header_t *const *)outer_;
    const apr_array_header_t *inner = *(const apr_array_header_t *const *)inner_;
    int is_off = APR_ARRAY_IDX(inner, 0, ss_forward_text_t).header == NULL;

    *(const apr_array_header_t **)member =
        outer == NULL || is_off ? inner : apr_array_append(pool, outer, inner);
}

const char *ss_parse_writable(void *member, const ss_line_t *line)
{
    ss_keys_t keys = { 0, NULL };
    const char *why = ss_kind_fault_of_keys(line->count, line->words, line);

    if (why != NULL) {
        return why;
    }
    for (int i = 0; i < line->count; i++) {
        keys.all = strcmp(line->words[i], "*") == 0;
        if ((keys.all || ss_kind_is_word(line->words[i], "none")) && line->count > 1) {
            return apr_psprintf(line->pool,
                                "\"%s\" stands alone: accepted are names of keys, or *, or none",
                                line->words[i]);
        }
    }
    if (!keys.all && !ss_kind_is_word(line->words[0], "none")) {
        keys.names = ss_kind_names(line->count, line->words, line->pool);
    }
    *(ss_keys_t *)member = keys;
    return NULL;
}

const char *ss_parse_origins(void *member, const ss_line_t *line)
{
    apr_array_header_t *origins = apr_array_make(line->pool, line->count, sizeof(const char *));

    for (int i = 0; i < line->count; i++) {
        const char *why = ss_origin_parse(apr_array_push(origins), line->words[i], line->pool);

        if (why != NULL) {
            return why;
        }
    }
    *(const apr_array_header_t **)member = origins;
    return NULL;
}

/*
 * What is left behind
 */

static ss_gathered_t *gathered_by(cmd_parms *cmd)
{
    return &ss_config_of(cmd)->gathered;
}

void ss_gather_secret(cmd_parms *cmd, const void *member)
{
    (void)member;
    gathered_by(cmd)->secret_at = ss_gathered_place(cmd);
}

void ss_gather_mode(cmd_parms *cmd, const void *member)
{
    if (*(const ss_mode_e *)member != SS_OFF) {
        gathered_by(cmd)->in_use = ss_gathered_place(cmd);
    }
}

void ss_gather_writable(cmd_parms *cmd, const void *member)
{
    const ss_keys_t *keys = member;
    const apr_array_header_t **writable = &gathered_by(cmd)->writable;

    if (keys->all) {
        ss_gathered_mention(writable, NULL, ss_gathered_place(cmd), cmd->pool);
    }
    for (int i = 0; keys->names != NULL && i < keys->names->nelts; i++) {
        ss_gathered_mention(writable, APR_ARRAY_IDX(keys->names, i, const char *),
                            ss_gathered_place(cmd), cmd->pool);
    }
}

void ss_gather_update(cmd_parms *cmd, const void *member)
{
    const char *header = ((const ss_update_conf_t *)member)->header;

    ss_gathered_add(&gathered_by(cmd)->updates, header, cmd->pool);
    ss_gathered_add(&gathered_by(cmd)->headers, header, cmd->pool);
}

void ss_gather_forward(cmd_parms *cmd, const void *member)
{
    ss_gathered_add(&gathered_by(cmd)->headers, ((const ss_forward_conf_t *)member)->header,
                    cmd->pool);
}

void ss_gather_forward_text(cmd_parms *cmd, const void *member)
{
    const apr_array_header_t *texts = *(const apr_array_header_t *const *)member;

    /* the one that has just been read */
    ss_gathered_add(&gathered_by(cmd)->headers,
                    APR_ARRAY_IDX(texts, texts->nelts - 1, ss_forward_text_t).header, cmd->pool);
}

void ss_gather_rule(cmd_parms *cmd, const void *member)
{
    (void)member;
    gathered_by(cmd)->has_rules = 1;
}

void ss_gather_clear(cmd_parms *cmd, const void *member)
{
    ss_clear_e kind = ((const ss_clear_conf_t *)member)->kind;

    ss_gather_rule(cmd, member);
    if (kind == SS_CLEAR_EVERYWHERE || kind == SS_CLEAR_OTHERS) {
        gathered_by(cmd)->revokes = ss_gathered_place(cmd);
    }
    if (kind == SS_CLEAR_OTHERS) {
        gathered_by(cmd)->clears_others = ss_gathered_place(cmd);
    }
}

void ss_gather_user(cmd_parms *cmd, const void *member)
{
    ss_gathered_mention(&gathered_by(cmd)->users, ((const ss_user_conf_t *)member)->key,
                        ss_gathered_place(cmd), cmd->pool);
}

void ss_gather_login(cmd_parms *cmd, const void *member)
{
    const char *key = *(const char *const *)member;

    if (key != NULL) {
        ss_gathered_mention(&gathered_by(cmd)->users, key, ss_gathered_place(cmd), cmd->pool);
    }
}

void ss_gather_login_page(cmd_parms *cmd, const void *member)
{
    const ss_login_page_t *page = member;

    if (page->url != NULL) {
        apr_array_header_t *more = apr_array_copy(cmd->pool, gathered_by(cmd)->login_pages);

        APR_ARRAY_PUSH(more, ss_login_page_t) = *page;
        gathered_by(cmd)->login_pages = more;
    }
}

void ss_gather_age(cmd_parms *cmd)
{
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS) == NULL) {
        gathered_by(cmd)->asks_age = ss_gathered_place(cmd);
    }
}

void ss_gather_alias(cmd_parms *cmd)
{
    gathered_by(cmd)->has_aliases = 1;
}

void ss_gather_modules(cmd_parms *cmd, const void *member)
{
    if (*(const int *)member) {
        gathered_by(cmd)->modules = ss_gathered_place(cmd);
    }
}

void ss_gather_require(cmd_parms *cmd, const char *key)
{
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS) == NULL) {
        ss_gathered_mention(&gathered_by(cmd)->required, key, ss_gathered_place(cmd), cmd->pool);
    }
}
