/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "httpd/gathered.h"

void ss_gathered_init(ss_gathered_t *gathered, apr_pool_t *pool)
{
    memset(gathered, 0, sizeof(*gathered));
    gathered->updates = gathered->headers = apr_array_make(pool, 0, sizeof(const char *));
    gathered->writable = gathered->required = gathered->users =
        apr_array_make(pool, 0, sizeof(ss_mention_t));
    gathered->login_pages = apr_array_make(pool, 0, sizeof(ss_login_page_t));
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
    gathered->modules = first_of(own->modules, inherited->modules);
    gathered->writable = apr_array_append(pool, inherited->writable, own->writable);
    gathered->required = apr_array_append(pool, inherited->required, own->required);
    gathered->users = apr_array_append(pool, inherited->users, own->users);
    gathered->asks_age = first_of(own->asks_age, inherited->asks_age);
    gathered->has_aliases = own->has_aliases || inherited->has_aliases;
    gathered->revokes = first_of(own->revokes, inherited->revokes);
    gathered->clears_others = first_of(own->clears_others, inherited->clears_others);
    gathered->has_rules = own->has_rules || inherited->has_rules;
    gathered->login_pages = apr_array_append(pool, inherited->login_pages, own->login_pages);
    gathered->updates = apr_array_append(pool, inherited->updates, own->updates);
    gathered->headers = apr_array_append(pool, inherited->headers, own->headers);
}

const char *ss_gathered_place(cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
}

void ss_gathered_add(const apr_array_header_t **names, const char *name, apr_pool_t *pool)
{
    if (name != NULL) {
        apr_array_header_t *more = apr_array_copy(pool, *names);

        APR_ARRAY_PUSH(more, const char *) = name;
        *names = more;
    }
}

void ss_gathered_mention(const apr_array_header_t **mentions, const char *key, const char *at,
                         apr_pool_t *pool)
{
    apr_array_header_t *more = apr_array_copy(pool, *mentions);
    ss_mention_t *mention = apr_array_push(more);

    mention->key = key;
    mention->at = at;
    *mentions = more;
}
