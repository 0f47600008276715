/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/config.h"

extern module AP_MODULE_DECLARE_DATA signed_session_module;

#define BIT(row) ((apr_uint64_t)1 << (row))

ss_server_conf_t *ss_server_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &signed_session_module);
}

const ss_dir_conf_t *ss_dir_conf(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &signed_session_module);
}

static const ss_directive_t *directive_of(const command_rec *row)
{
    return row->cmd_data;
}

const char *ss_config_set(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    const ss_directive_t *directive = directive_of(cmd->cmd);
    void *conf = directive->scope == SS_SERVER ? ss_server_conf(cmd->server) : dir;
    apr_uint64_t *written = directive->scope == SS_SERVER ? &((ss_server_conf_t *)conf)->written
                                                          : &((ss_dir_conf_t *)conf)->written;
    const char *why;

    if (argc == 0) {
        why = "a value is missing";
    }
    else if (directive->max_args > 0 && argc > directive->max_args) {
        why = "there is a word too many (a value with blanks needs quotes)";
    }
    else {
        why = directive->parse((char *)conf + directive->offset, argc, (const char *const *)argv,
                               cmd);
        if (why == NULL) {
            *written |= BIT(cmd->cmd - ss_directives);
            return NULL;
        }
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, why);
    }
    return apr_psprintf(cmd->pool, "%s: %s: %s", cmd->cmd->name, why, cmd->cmd->errmsg);
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
            char **argv;

            cmd.cmd = row;
            apr_tokenize_to_argv(directive->standard, &argv, pool);
            directive->parse((char *)conf + directive->offset, argv[1] == NULL ? 1 : 2,
                             (const char *const *)argv, &cmd);
        }
    }
}

/* Members that `add` wrote replace those of `conf`, which began as a copy of the outer section. */
static void overlay(void *conf, const void *add, apr_uint64_t written)
{
    for (int row = 0; written >> row != 0; row++) {
        if (written & BIT(row)) {
            const ss_directive_t *directive = directive_of(&ss_directives[row]);

            memcpy((char *)conf + directive->offset, (const char *)add + directive->offset,
                   directive->size);
        }
    }
}

void *ss_config_create_server(apr_pool_t *pool, server_rec *s)
{
    ss_server_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    (void)s;
    set_defaults(conf, SS_SERVER, pool);
    conf->updates = apr_array_make(pool, 0, sizeof(const char *));
    return conf;
}

void *ss_config_merge_server(apr_pool_t *pool, void *base_, void *add_)
{
    const ss_server_conf_t *base = base_, *add = add_;
    ss_server_conf_t *conf = apr_pmemdup(pool, base, sizeof(*base));

    overlay(conf, add, add->written);
    conf->written |= add->written;
    if (add->in_use != NULL) {
        conf->in_use = add->in_use;
    }
    conf->updates = apr_array_append(pool, base->updates, add->updates);
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

    overlay(conf, add, add->written);
    conf->written |= add->written;
    return conf;
}

int ss_config_is_written(const ss_server_conf_t *conf, apr_size_t offset)
{
    for (const command_rec *row = ss_directives; row->name != NULL; row++) {
        const ss_directive_t *directive = directive_of(row);

        if (directive->scope == SS_SERVER && directive->offset == offset) {
            return (conf->written & BIT(row - ss_directives)) != 0;
        }
    }
    return 0;
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
