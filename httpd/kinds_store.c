/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Kinds of directives about stores. */

#include <apr_strings.h>

#include "httpd/kinds.h"
#include "httpd/stores.h"
#include "lib/option.h"

static int is_cookie(const char *word)
{
    return strcmp(word, "cookie") == 0;
}

/* How many of the words in front of this one are the same, or a store where this is one. */
static int count_before(int place, int same, const ss_line_t *line)
{
    int count = 0;

    for (int i = 0; i < place; i++) {
        count +=
            same ? strcmp(line->words[i], line->words[place]) == 0 : !is_cookie(line->words[i]);
    }
    return count;
}

const char *ss_parse_places(void *member, const ss_line_t *line)
{
    for (int i = 0; i < line->count; i++) {
        const char *word = line->words[i];

        if (strcspn(word, ":") == 0 || (strncmp(word, "cookie:", 7) == 0)) {
            return ss_kind_not_accepted(
                word, "cookie, file, file:DIRECTORY, or the address of a store", line);
        }
        if (count_before(i, 1, line) > 0) {
            return apr_psprintf(line->pool, "%s is named twice: name each place once", word);
        }
        if (!is_cookie(word) && count_before(i, 0, line) > 1) {
            return "accepted are the cookie and one store; a second one only while it replaces the "
                   "other";
        }
    }
    *(const apr_array_header_t **)member = ss_kind_names(line->count, line->words, line->pool);
    return NULL;
}

typedef const char *read_size_fn(apr_size_t *size, const char *text);

static const char *parse_size(void *member, read_size_fn *read, const ss_line_t *line)
{
    const char *accepted = read(member, line->words[0]);

    return accepted == NULL ? NULL : ss_kind_not_accepted(line->words[0], accepted, line);
}

const char *ss_parse_store_size(void *member, const ss_line_t *line)
{
    return parse_size(member, ss_option_store_size, line);
}

const char *ss_parse_space(void *member, const ss_line_t *line)
{
    return parse_size(member, ss_option_space, line);
}

const char *ss_parse_wait(void *member, const ss_line_t *line)
{
    const char *accepted = ss_option_wait(member, line->words[0]);

    return accepted == NULL ? NULL : ss_kind_not_accepted(line->words[0], accepted, line);
}

const char *ss_parse_revocation(void *member, const ss_line_t *line)
{
    static const char accepted[] = "Off, store, or file: and the path of a log";
    const char *word = line->words[0];
    ss_revoking_conf_t revocation = { SS_REVOKING_OFF, NULL };

    if (strncmp(word, "file:", 5) == 0 && word[5] != '\0') {
        revocation.kind = SS_REVOKING_FILE;
        revocation.path = ap_server_root_relative(line->pool, word + 5);
        if (revocation.path == NULL) {
            return ss_kind_not_accepted(word, accepted, line);
        }
    }
    else if (strcmp(word, "store") == 0) {
        revocation.kind = SS_REVOKING_STORE;
    }
    else if (!ss_kind_is_word(word, "Off")) {
        return ss_kind_not_accepted(word, accepted, line);
    }
    *(ss_revoking_conf_t *)member = revocation;
    return NULL;
}
