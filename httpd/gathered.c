/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/config.h"

void ss_gathered_init(ss_gathered_t *gathered, apr_pool_t *pool)
{
    memset(gathered, 0, sizeof(*gathered));
    gathered->updates = gathered->headers = apr_array_make(pool, 0, sizeof(const char *));
}

static const char *first_of(const char *own, const char *inherited)
{
    return own != NULL ? own : inherited;
}

void ss_gathered_merge(ss_gathered_t *gathered, const ss_gathered_t *inherited,
                       const ss_gathered_t *own, apr_pool_t *pool)
{
    gathered->secret_at = first_of(own->secret_at, inherited->secret_at);
    gathered->in_use = first_of(own->in_use, inherited->in_use);
    gathered->open_at = first_of(own->open_at, inherited->open_at);
    gathered->required_at = first_of(own->required_at, inherited->required_at);
    gathered->has_rules = own->has_rules || inherited->has_rules;
    gathered->updates = apr_array_append(pool, inherited->updates, own->updates);
    gathered->headers = apr_array_append(pool, inherited->headers, own->headers);
}

/* Where the directive that is being read stands. */
static const char *place_of(cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
}

static ss_gathered_t *gathered_by(cmd_parms *cmd)
{
    return &ss_config_of(cmd)->gathered;
}

void ss_gather_secret(cmd_parms *cmd, const void *member)
{
    (void)member;
    gathered_by(cmd)->secret_at = place_of(cmd);
}

void ss_gather_mode(cmd_parms *cmd, const void *member)
{
    if (*(const ss_mode_e *)member != SS_OFF) {
        gathered_by(cmd)->in_use = place_of(cmd);
    }
}

void ss_gather_writable(cmd_parms *cmd, const void *member)
{
    if (((const ss_keys_t *)member)->all) {
        gathered_by(cmd)->open_at = place_of(cmd);
    }
}

/* Note the name of a header that only we and applications may use; NULL is none. */
static void add_name(const apr_array_header_t **names, const char *name, apr_pool_t *pool)
{
    if (name != NULL) {
        apr_array_header_t *more = apr_array_copy(pool, *names);

        APR_ARRAY_PUSH(more, const char *) = name;
        *names = more;
    }
}

void ss_gather_update(cmd_parms *cmd, const void *member)
{
    const char *header = ((const ss_update_conf_t *)member)->header;

    add_name(&gathered_by(cmd)->updates, header, cmd->pool);
    add_name(&gathered_by(cmd)->headers, header, cmd->pool);
}

void ss_gather_forward(cmd_parms *cmd, const void *member)
{
    add_name(&gathered_by(cmd)->headers, *(const char *const *)member, cmd->pool);
}

void ss_gather_rule(cmd_parms *cmd, const void *member)
{
    (void)member;
    gathered_by(cmd)->has_rules = 1;
}

void ss_gather_require(cmd_parms *cmd)
{
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS) == NULL) {
        gathered_by(cmd)->required_at = place_of(cmd);
    }
}
