/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/negated.h"

/** An alias of a provider of ours. */
typedef struct alias_t {
    const char *name;
    int *is_negated;
} alias_t;

#define ALIASES "signed_session_aliases"

/* alias_t: those of the configuration that lives in this pool. httpd reads an alias before it runs
 * any hook, so that nothing could have been made for it by then. */
static apr_array_header_t *aliases_in(apr_pool_t *pconf)
{
    void *aliases = NULL;

    apr_pool_userdata_get(&aliases, ALIASES, pconf);
    if (aliases == NULL) {
        aliases = apr_array_make(pconf, 0, sizeof(alias_t));
        apr_pool_userdata_setn(aliases, ALIASES, NULL, pconf);
    }
    return aliases;
}

static int is_require(const ap_directive_t *line)
{
    return ap_cstr_casecmp(line->directive, "Require") == 0;
}

static int is_within_none(const ap_directive_t *line)
{
    while (line != NULL && ap_cstr_casecmp(line->directive, "<RequireNone") != 0) {
        line = line->parent;
    }
    return line != NULL;
}

/* Of a Require: the provider that it names, or the alias; is it negated? */
static const char *read_line(int *is_negated, const ap_directive_t *line, apr_pool_t *pool)
{
    const char *args = line->args;
    const char *word = ap_getword_conf(pool, &args);
    int has_not = ap_cstr_casecmp(word, "not") == 0;

    *is_negated = has_not || is_within_none(line);
    return has_not ? ap_getword_conf(pool, &args) : word;
}

void ss_negated_note(const cmd_parms *cmd, int *is_negated)
{
    const ap_directive_t *line = cmd->directive;
    const char *args = line->args;
    alias_t *alias;

    if (is_require(line)) {
        read_line(is_negated, line, cmd->temp_pool);
        return;
    }
    *is_negated = 0;
    ap_getword_conf(cmd->temp_pool, &args); /* of <AuthzProviderAlias PROVIDER ALIAS ...> */
    alias = apr_array_push(aliases_in(cmd->pool));
    alias->name = ap_getword_conf(cmd->pool, &args);
    alias->is_negated = is_negated;
}

static void negate(const apr_array_header_t *aliases, const char *name)
{
    for (int i = 0; i < aliases->nelts; i++) {
        const alias_t *alias = &APR_ARRAY_IDX(aliases, i, alias_t);

        if (strcmp(alias->name, name) == 0) {
            *alias->is_negated = 1;
        }
    }
}

static void look_below(const ap_directive_t *line, const apr_array_header_t *aliases,
                       apr_pool_t *pool)
{
    for (; line != NULL; line = line->next) {
        if (is_require(line)) {
            int is_negated;
            const char *name = read_line(&is_negated, line, pool);

            if (is_negated) {
                negate(aliases, name);
            }
        }
        look_below(line->first_child, aliases, pool);
    }
}

int ss_negated_settle(ss_start_t *start)
{
    look_below(ap_conftree, aliases_in(start->main->process->pconf), start->scratch);
    return OK;
}
