/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_core.h>

#include "httpd/config.h"

void ss_gathered_init(ss_gathered_t *gathered, apr_pool_t *pool)
{
    memset(gathered, 0, sizeof(*gathered));
    gathered->updates = gathered->headers = apr_array_make(pool, 0, sizeof(const char *));
    gathered->writable = gathered->required = apr_array_make(pool, 0, sizeof(ss_mention_t));
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
    gathered->writable = apr_array_append(pool, inherited->writable, own->writable);
    gathered->required = apr_array_append(pool, inherited->required, own->required);
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

/* Note that a directive at this place names this key; NULL is whichever. */
static void add_mention(const apr_array_header_t **mentions, const char *key, const char *at,
                        apr_pool_t *pool)
{
    apr_array_header_t *more = apr_array_copy(pool, *mentions);
    ss_mention_t *mention = apr_array_push(more);

    mention->key = key;
    mention->at = at;
    *mentions = more;
}

void ss_gather_writable(cmd_parms *cmd, const void *member)
{
    const ss_keys_t *keys = member;
    const apr_array_header_t **writable = &gathered_by(cmd)->writable;

    if (keys->all) {
        add_mention(writable, NULL, place_of(cmd), cmd->pool);
    }
    for (int i = 0; keys->names != NULL && i < keys->names->nelts; i++) {
        add_mention(writable, APR_ARRAY_IDX(keys->names, i, const char *), place_of(cmd),
                    cmd->pool);
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

void ss_gather_require(cmd_parms *cmd, const char *key)
{
    if (ap_check_cmd_context(cmd, NOT_IN_HTACCESS) == NULL) {
        add_mention(&gathered_by(cmd)->required, key, place_of(cmd), cmd->pool);
    }
}

/* Behind the word "session" of an expression: the key, when it is %{session:KEY} or
 * session('KEY'), or NULL. */
static const char *key_behind(const char *text, apr_pool_t *pool)
{
    const char *key = text + strspn(text, " \t");
    const char *ends = "}";

    if (*key == '(') {
        key++;
        key += strspn(key, " \t\\");
        ends = *key == '\'' ? "'" : "\"\\";
        if (*key != '\'' && *key != '"') {
            return NULL; /* computed: known to nobody yet */
        }
    }
    else if (*key != ':') {
        return NULL;
    }
    key++;
    return apr_pstrndup(pool, key, strcspn(key, ends));
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
            add_mention(&ss_server_conf(s)->gathered.required, key, at, pool);
        }
    }
}

static void gather_expression(ss_start_t *start, const ap_directive_t *host,
                              const ap_directive_t *line)
{
    /* the configuration of the servers holds it */
    apr_pool_t *pool = start->keys != NULL ? start->keys : start->scratch;
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
        if (key != NULL) {
            add_required(start, host, key,
                         apr_psprintf(pool, "%s:%d", line->filename, line->line_num), pool);
        }
    }
}

static void gather_below(ss_start_t *start, const ap_directive_t *host, const ap_directive_t *line)
{
    for (; line != NULL; line = line->next) {
        if (ap_cstr_casecmp(line->directive, "Require") == 0) {
            gather_expression(start, host, line);
        }
        else if (line->first_child != NULL) {
            int is_host = ap_cstr_casecmp(line->directive, "<VirtualHost") == 0;

            gather_below(start, is_host ? line : host, line->first_child);
        }
    }
}

void ss_gather_expressions(ss_start_t *start)
{
    gather_below(start, NULL, ap_conftree);
}
