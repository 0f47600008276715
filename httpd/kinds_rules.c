/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Kinds of directives that change the session by themselves. */

#include <apr_strings.h>

#include "httpd/kinds.h"
#include "httpd/log.h"
#include "lib/change.h"

/* Add a rule to those that this section has so far. */
static const char *add_rule(void *member, const ss_rule_t *rule, const ss_line_t *line)
{
    const apr_array_header_t *rules = *(const apr_array_header_t **)member;
    apr_array_header_t *more = rules == NULL ? apr_array_make(line->pool, 1, sizeof(ss_rule_t))
                                             : apr_array_copy(line->pool, rules);

    if (!ss_key_is_acceptable(rule->key)) {
        return "a key must be UTF-8 without control characters";
    }
    APR_ARRAY_PUSH(more, ss_rule_t) = *rule;
    *(const apr_array_header_t **)member = more;
    return NULL;
}

/* Returns NULL, or what is wrong with the third word of a SignedSessionSet. */
static const char *read_split(ss_rule_t *rule, const char *word, const ss_line_t *line)
{
    static const char option[] = "split=";
    apr_size_t len = sizeof(option) - 1;

    if (ap_cstr_casecmpn(word, option, len) != 0 || word[len] == '\0') {
        return ss_kind_not_accepted(word,
                                    "split= and a separator (an expression with blanks needs "
                                    "quotes)",
                                    line);
    }
    rule->separator = word + len;
    return NULL;
}

const char *ss_parse_set(void *member, const ss_line_t *line)
{
    ss_rule_t rule = { { NULL, 0 }, NULL, NULL };
    const char *error = NULL, *why;

    if (line->count < 2) {
        return "accepted are a key and an expression; one with blanks needs quotes";
    }
    why = ss_kind_fault_of_keys(1, line->words, line);
    if (why == NULL && line->count == 3) {
        why = read_split(&rule, line->words[2], line);
    }
    if (why != NULL) {
        return why;
    }
    rule.key = ss_bytes_of(line->words[0]);
    rule.value =
        ap_expr_parse_cmd(line->cmd, line->words[1], AP_EXPR_FLAG_STRING_RESULT, &error, NULL);
    if (error != NULL) {
        return apr_psprintf(line->pool, "\"%s\" is no string expression: %s", line->words[1],
                            error);
    }
    return add_rule(member, &rule, line);
}

const char *ss_parse_unset(void *member, const ss_line_t *line)
{
    const char *why = ss_kind_fault_of_keys(line->count, line->words, line);

    for (int i = 0; i < line->count && why == NULL; i++) {
        const ss_rule_t rule = { ss_bytes_of(line->words[i]), NULL, NULL };

        why = add_rule(member, &rule, line);
    }
    return why;
}

const char *ss_parse_clear(void *member, const ss_line_t *line)
{
    static const char *const words[] = { [SS_CLEAR_OFF] = "Off",
                                         [SS_CLEAR_ON] = "On",
                                         [SS_CLEAR_EVERYWHERE] = "Everywhere",
                                         [SS_CLEAR_OTHERS] = "Others",
                                         [SS_CLEAR_BEFORE] = "Before" };
    ss_clear_conf_t clear = { SS_CLEAR_OFF, NULL };
    const char *why;

    while (!ss_kind_is_word(line->words[0], words[clear.kind])) {
        if (clear.kind == SS_CLEAR_BEFORE) {
            return ss_kind_not_accepted(
                line->words[0], "On, Off, Everywhere, Others, or Before and keys that stay", line);
        }
        clear.kind++;
    }
    if (clear.kind != SS_CLEAR_BEFORE && line->count > 1) {
        return "only Before takes keys: those that stay";
    }
    why = ss_kind_fault_of_keys(line->count - 1, line->words + 1, line);
    if (why == NULL) {
        clear.keep = ss_kind_names(line->count - 1, line->words + 1, line->pool);
        *(ss_clear_conf_t *)member = clear;
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
