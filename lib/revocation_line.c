/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/revocation_line.h"

static const struct {
    const char *word;
    int has_value, has_before;
} kinds[] = {
    [SS_REVOKED_ID] = { "id", 1, 0 },
    [SS_REVOKED_SUBJECT] = { "subject", 1, 1 },
    [SS_REVOKED_ALL] = { "all", 0, 1 },
    [SS_REVOKED_REPLACED] = { "replaced", 1, 1 },
};

#define KINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cut the next word off; empty when there is none. */
static ss_bytes_t next_word(ss_bytes_t *text)
{
    ss_bytes_t word;

    while (text->len > 0 && is_blank(text->data[0])) {
        text->data++;
        text->len--;
    }
    word = ss_bytes(text->data, 0);
    while (word.len < text->len && !is_blank(text->data[word.len])) {
        word.len++;
    }
    text->data += word.len;
    text->len -= word.len;
    return word;
}

static int take_time(apr_int64_t *time, ss_bytes_t word)
{
    *time = 0;
    for (apr_size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9' || *time > SS_REVOCATION_TIME_MAX) {
            return 0;
        }
        *time = 10 * *time + (word.data[i] - '0');
    }
    return word.len > 0 && *time <= SS_REVOCATION_TIME_MAX;
}

static int value_of_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that two digits at `at` are, or -1. */
static int take_pair(const char *at)
{
    int high = value_of_digit(at[0]), low = value_of_digit(at[1]);

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static int take_id(ss_bytes_t *value, ss_bytes_t word, char *room)
{
    if (word.len != 2 * SS_SESSION_ID_SIZE) {
        return 0;
    }
    for (int i = 0; i < SS_SESSION_ID_SIZE; i++) {
        int byte = take_pair(word.data + 2 * i);

        if (byte < 0) {
            return 0;
        }
        room[i] = (char)byte;
    }
    *value = ss_bytes(room, SS_SESSION_ID_SIZE);
    return 1;
}

/* An administrator may have written bytes as they are that we write as %XX. */
static int take_subject(ss_bytes_t *value, ss_bytes_t word, char *room)
{
    apr_size_t len = 0;

    for (apr_size_t i = 0; i < word.len; i++) {
        int byte = (unsigned char)word.data[i];

        if (byte == '%') {
            byte = i + 2 < word.len ? take_pair(word.data + i + 1) : -1;
            i += 2;
        }
        else if (byte < ' ' || byte == 0x7f) {
            byte = -1;
        }
        if (byte < 0 || len == SS_REVOCATION_SUBJECT_MAX) {
            return 0;
        }
        room[len++] = (char)byte;
    }
    *value = ss_bytes(room, len);
    return len > 0;
}

static int kind_of(ss_bytes_t word)
{
    int kind = 0;

    while (kind < KINDS && !ss_bytes_equal(word, ss_bytes_of(kinds[kind].word))) {
        kind++;
    }
    return kind;
}

apr_status_t ss_revocation_parse(ss_revocation_line_t *line, ss_bytes_t text, char *room)
{
    ss_bytes_t first = next_word(&text);
    int kind = kind_of(first), fits = kind < KINDS;

    memset(line, 0, sizeof(*line));
    if (!fits) {
        return first.len == 0 || first.data[0] == '#' ? APR_NOTFOUND : APR_EINVAL;
    }
    line->kind = (ss_revoked_e)kind;
    if (kinds[kind].has_value) {
        ss_bytes_t word = next_word(&text);

        fits = kind == SS_REVOKED_SUBJECT ? take_subject(&line->value, word, room)
                                          : take_id(&line->value, word, room);
    }
    if (kinds[kind].has_before) {
        fits = fits && take_time(&line->before, next_word(&text));
    }
    fits = fits && take_time(&line->until, next_word(&text));
    return fits && next_word(&text).len == 0 ? APR_SUCCESS : APR_EINVAL;
}

static char *put_pair(char *out, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";

    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
    return out;
}

static int is_plain(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-._~@:/+=,", byte) != NULL);
}

/* As it stands in a line; `out` has room for three times as much, and a NUL. */
static void put_value(char *out, const ss_revocation_line_t *line)
{
    for (apr_size_t i = 0; i < line->value.len; i++) {
        unsigned char byte = (unsigned char)line->value.data[i];

        if (line->kind == SS_REVOKED_SUBJECT && is_plain(byte)) {
            *out++ = (char)byte;
            continue;
        }
        if (line->kind == SS_REVOKED_SUBJECT) {
            *out++ = '%';
        }
        out = put_pair(out, byte);
    }
    *out = '\0';
}

static int is_time(apr_int64_t time)
{
    return time >= 0 && time <= SS_REVOCATION_TIME_MAX;
}

static int is_printable(const ss_revocation_line_t *line)
{
    apr_size_t len = line->value.len;

    if (!is_time(line->before) || !is_time(line->until)) {
        return 0;
    }
    switch (line->kind) {
    case SS_REVOKED_ID:
    case SS_REVOKED_REPLACED:
        return len == SS_SESSION_ID_SIZE;
    case SS_REVOKED_SUBJECT:
        return len > 0 && len <= SS_REVOCATION_SUBJECT_MAX;
    case SS_REVOKED_ALL:
        break;
    }
    return 1;
}

apr_status_t ss_revocation_print(ss_bytes_t *text, const ss_revocation_line_t *line,
                                 apr_pool_t *pool)
{
    char *value, *printed;

    *text = ss_absent;
    if (!is_printable(line)) {
        return APR_EINVAL;
    }
    value = apr_palloc(pool, 3 * line->value.len + 1);
    put_value(value, line);
    printed =
        apr_psprintf(pool, "%s%s%s", kinds[line->kind].word, kinds[line->kind].has_value ? " " : "",
                     kinds[line->kind].has_value ? value : "");
    if (kinds[line->kind].has_before) {
        printed = apr_psprintf(pool, "%s %" APR_INT64_T_FMT, printed, line->before);
    }
    *text = ss_bytes_of(apr_psprintf(pool, "%s %" APR_INT64_T_FMT "\n", printed, line->until));
    return APR_SUCCESS;
}
