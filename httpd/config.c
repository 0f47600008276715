/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stddef.h>

#include <apr_strings.h>

#include "httpd/config.h"

static const ss_directive_t *directive_of(const command_rec *row)
{
    return row->cmd_data;
}

static apr_array_header_t *words_of(const char *line, apr_pool_t *pool)
{
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));

    while (*line != '\0') {
        APR_ARRAY_PUSH(words, const char *) = ap_getword_conf(pool, &line);
    }
    return words;
}

/* From .htaccess nothing is gathered: it is read while requests run. */
static void gather(const ss_directive_t *directive, cmd_parms *cmd, const void *member)
{
    if (directive->gather != NULL && ap_check_cmd_context(cmd, NOT_IN_HTACCESS) == NULL) {
        directive->gather(cmd, member);
    }
}

/* httpd accepts in .htaccess whatever AllowOverrideList names, even what is a server's. */
static int is_misplaced(cmd_parms *cmd)
{
    return !(cmd->cmd->req_override & OR_ALL) && ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != NULL;
}

const char *ss_config_set(cmd_parms *cmd, void *dir, const char *line)
{
    const ss_directive_t *directive = directive_of(cmd->cmd);
    const apr_array_header_t *words = words_of(line, cmd->pool);
    const ss_line_t given = { words->nelts, (const char *const *)words->elts, cmd, cmd->pool };
    void *conf = directive->scope == SS_SERVER ? ss_server_conf(cmd->server) : dir;
    ss_written_t *written = directive->scope == SS_SERVER ? &((ss_server_conf_t *)conf)->written
                                                          : &((ss_dir_conf_t *)conf)->written;
    void *member = (char *)conf + directive->offset;
    const char *why;

    if (is_misplaced(cmd)) {
        why = "it may not stand in .htaccess, whatever AllowOverrideList names: a session is the "
              "whole site's";
    }
    else if (words->nelts == 0) {
        why = apr_psprintf(cmd->pool, "a value is missing: %s", cmd->cmd->errmsg);
    }
    else if (directive->max_words > 0 && words->nelts > directive->max_words) {
        why = apr_psprintf(cmd->pool,
                           "there is a word too many (a value with blanks needs quotes): %s",
                           cmd->cmd->errmsg);
    }
    else {
        why = directive->parse(member, &given);
    }
    if (why != NULL) {
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, why);
    }
    ss_written_note(written, (int)(cmd->cmd - ss_directives), cmd);
    gather(directive, cmd, member);
    return NULL;
}

/* Give every member of one scope its default, by the same parser that reads the configuration. */
static void set_defaults(void *conf, ss_scope_e scope, apr_pool_t *pool)
{
    cmd_parms cmd;

    memset(&cmd, 0, sizeof(cmd));
    cmd.pool = cmd.temp_pool = pool;
    for (const command_rec *row = ss_directives; row->name != NULL; row++) {
        const ss_directive_t *directive = directive_of(row);

        if (directive->scope == scope && directive->standard != NULL) {
            const apr_array_header_t *words = words_of(directive->standard, pool);
            const ss_line_t line = { words->nelts, (const char *const *)words->elts, &cmd, pool };

            cmd.cmd = row;
            directive->parse((char *)conf + directive->offset, &line);
        }
    }
}

/* Members that `inner` wrote replace those of `conf`, a copy of `outer`, or join them. */
static void overlay(void *conf, const void *outer, const void *inner, apr_uint64_t written,
                    apr_pool_t *pool)
{
    /* done for each section of each request: only the bits that are set are looked at */
    for (; written != 0; written &= written - 1) {
        const ss_directive_t *directive = directive_of(&ss_directives[__builtin_ctzll(written)]);
        char *member = (char *)conf + directive->offset;
        const char *add = (const char *)inner + directive->offset;

        if (directive->merge != NULL) {
            directive->merge(member, (const char *)outer + directive->offset, add, pool);
        }
        else {
            memcpy(member, add, directive->size);
        }
    }
}

void *ss_config_create_server(apr_pool_t *pool, server_rec *s)
{
    ss_server_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    (void)s;
    set_defaults(conf, SS_SERVER, pool);
    ss_gathered_init(&conf->gathered, pool);
    return conf;
}

void *ss_config_merge_server(apr_pool_t *pool, void *base_, void *add_)
{
    const ss_server_conf_t *base = base_, *add = add_;
    ss_server_conf_t *conf = apr_pmemdup(pool, base, sizeof(*base));

    overlay(conf, base, add, add->written.rows, pool);
    ss_written_merge(&conf->written, &base->written, &add->written);
    ss_gathered_merge(&conf->gathered, &base->gathered, &add->gathered, pool);
    return conf;
}

void *ss_config_create_dir(apr_pool_t *pool, char *path)
{
    ss_dir_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    (void)path;
    set_defaults(conf, SS_DIRECTORY, pool);
    return conf;
}

void *ss_config_merge_dir(apr_pool_t *pool, void *base_, void *add_)
{
    const ss_dir_conf_t *base = base_, *add = add_;
    ss_dir_conf_t *conf = apr_pmemdup(pool, base, sizeof(*base));

    overlay(conf, base, add, add->written.rows, pool);
    ss_written_merge(&conf->written, &base->written, &add->written);
    return conf;
}

ss_server_conf_t *ss_config_of(cmd_parms *cmd)
{
    ss_server_conf_t *conf = ss_server_conf(cmd->server);

    if (conf == NULL) {
        conf = ss_config_create_server(cmd->pool, cmd->server);
        ap_set_module_config(cmd->server->module_config, &signed_session_module, conf);
    }
    return conf;
}

int ss_config_is_written(const ss_server_conf_t *conf, apr_size_t offset)
{
    for (const command_rec *row = ss_directives; row->name != NULL; row++) {
        const ss_directive_t *directive = directive_of(row);

        if (directive->scope == SS_SERVER && directive->offset == offset) {
            return ss_written_has(&conf->written, (int)(row - ss_directives));
        }
    }
    return 0;
}

int ss_config_is_own(const server_rec *s, const server_rec *main)
{
    return s == main || ss_server_conf(s) != ss_server_conf(main);
}

const ss_format_t *ss_config_written(const ss_server_conf_t *conf)
{
    return APR_ARRAY_IDX(conf->formats, 0, const ss_format_t *);
}

ss_cookie_t ss_config_companion(const ss_server_conf_t *conf)
{
    ss_cookie_t companion = conf->cookie;

    companion.name = conf->sealing.companion_name;
    return companion;
}

int ss_config_settle(ss_start_t *start)
{
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        ss_server_conf_t *conf = ss_server_conf(s);
        const ss_format_t *written = ss_config_written(conf);

        if (!ss_config_is_written(conf, offsetof(ss_server_conf_t, lifetime.idle))) {
            conf->lifetime.idle = apr_time_from_sec(written->idle_days * SS_DAY);
        }
        if (!ss_config_is_written(conf, offsetof(ss_server_conf_t, lifetime.renew)) &&
            written->traits & SS_FORMAT_FOREIGN) {
            /* Only the application knows how long its sessions live. */
            conf->lifetime.renew.kind = SS_RENEW_NEVER;
        }
    }
    return OK;
}

int ss_keys_include(const ss_keys_t *keys, ss_bytes_t name)
{
    const char *const *names;

    if (keys->all) {
        return 1;
    }
    if (keys->names == NULL) {
        return 0;
    }
    names = (const char *const *)keys->names->elts;
    for (int i = 0; i < keys->names->nelts; i++) {
        if (ss_bytes_equal(ss_bytes_of(names[i]), name)) {
            return 1;
        }
    }
    return 0;
}
