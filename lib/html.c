/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdarg.h>

#include "lib/encode.h"
#include "lib/html.h"

#define ROOM_AT_FIRST 16384
/* Levels that a line is moved to the right by: deeper ones stand below each other, so that depth
 * costs no room. */
#define INDENT_MAX 12
#define REPLACEMENT "\xEF\xBF\xBD"

ss_html_t ss_html_create(apr_pool_t *pool)
{
    ss_html_t html = { apr_palloc(pool, ROOM_AT_FIRST), 0, ROOM_AT_FIRST, pool };

    return html;
}

void ss_html_put_bytes(ss_html_t *html, ss_bytes_t markup)
{
    if (markup.len > html->room - html->len) {
        apr_size_t room = 2 * html->room + markup.len;
        char *text = apr_palloc(html->pool, room);

        memcpy(text, html->text, html->len);
        html->text = text;
        html->room = room;
    }
    memcpy(html->text + html->len, markup.data, markup.len);
    html->len += markup.len;
}

void ss_html_put(ss_html_t *html, const char *markup)
{
    ss_html_put_bytes(html, ss_bytes_of(markup));
}

ss_bytes_t ss_html_page(const ss_html_t *html)
{
    return ss_bytes(html->text, html->len);
}

/* The first character: its bytes, and its number; 0 where they are not UTF-8. */
static unsigned first_character(apr_size_t *len, ss_bytes_t text)
{
    unsigned char lead = (unsigned char)text.data[0];
    unsigned number;

    *len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (*len > text.len || !ss_utf8_is_valid(ss_bytes(text.data, *len))) {
        *len = 1;
        return 0;
    }
    number = *len == 1 ? lead : lead & (0x7Fu >> *len);
    for (apr_size_t i = 1; i < *len; i++) {
        number = number << 6 | ((unsigned char)text.data[i] & 0x3Fu);
    }
    return number;
}

static int is_control(unsigned number)
{
    return (number < 0x20 && number != '\t' && number != '\n') ||
           (number >= 0x7F && number <= 0x9F);
}

static int is_noncharacter(unsigned number)
{
    return (number & 0xFFFE) == 0xFFFE || (number >= 0xFDD0 && number <= 0xFDEF);
}

/* Marks, joiners and overrides of direction, which make a text look like another one. */
static int is_unseen(unsigned number)
{
    return (number >= 0x200B && number <= 0x200F) || (number >= 0x2028 && number <= 0x202E) ||
           (number >= 0x2060 && number <= 0x206F) || number == 0x061C || number == 0xFEFF ||
           number == 0xAD;
}

/* Is it one that no page may hold? Those that are no UTF-8 have the number 0, as NUL has. */
static int is_replaced(unsigned number)
{
    return is_control(number) || is_noncharacter(number);
}

/* What stands for a character; NULL: it does itself. */
static const char *reference_of(unsigned number)
{
    switch (number) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return is_replaced(number) ? REPLACEMENT : NULL;
    }
}

int ss_html_holds(ss_bytes_t text)
{
    while (text.len > 0) {
        apr_size_t len;

        if (is_replaced(first_character(&len, text))) {
            return 0;
        }
        text = ss_bytes(text.data + len, text.len - len);
    }
    return 1;
}

void ss_html_text(ss_html_t *html, ss_bytes_t text)
{
    while (text.len > 0) {
        apr_size_t len;
        const char *reference = reference_of(first_character(&len, text));

        ss_html_put_bytes(html,
                          reference == NULL ? ss_bytes(text.data, len) : ss_bytes_of(reference));
        text = ss_bytes(text.data + len, text.len - len);
    }
}

void ss_html_fill(ss_html_t *html, const char *markup, ...)
{
    va_list arguments;

    va_start(arguments, markup);
    for (const char *dollar; (dollar = strchr(markup, '$')) != NULL; markup = dollar + 1) {
        ss_html_put_bytes(html, ss_bytes(markup, dollar - markup));
        ss_html_text(html, ss_bytes_of(va_arg(arguments, const char *)));
    }
    va_end(arguments);
    ss_html_put(html, markup);
}

static void put_escape(ss_html_t *html, unsigned unit)
{
    static const char hex[] = "0123456789abcdef";
    const char escape[] = {
        '\\', 'u', hex[unit >> 12], hex[(unit >> 8) & 15], hex[(unit >> 4) & 15], hex[unit & 15]
    };

    ss_html_put_bytes(html, ss_bytes(escape, sizeof(escape)));
}

/* A string of JSON, its quotes included. */
static void put_string(ss_html_t *html, ss_bytes_t string)
{
    while (string.len > 0) {
        apr_size_t len;
        unsigned number = first_character(&len, string);

        if (number > 0xFFFF && is_noncharacter(number)) {
            put_escape(html, 0xD800 + ((number - 0x10000) >> 10));
            put_escape(html, 0xDC00 + (number & 0x3FF));
        }
        else if (number >= 0x7F &&
                 (is_control(number) || is_unseen(number) || is_noncharacter(number))) {
            put_escape(html, number);
        }
        else {
            ss_html_text(html, ss_bytes(string.data, len));
        }
        string = ss_bytes(string.data + len, string.len - len);
    }
}

static void begin_line(ss_html_t *html, int level)
{
    static const char blanks[] = "                        ";

    ss_html_put(html, "\n");
    ss_html_put_bytes(html, ss_bytes(blanks, 2 * (level < INDENT_MAX ? level : INDENT_MAX)));
}

/* Behind the string that begins at `at`. */
static apr_size_t end_of_string(ss_bytes_t text, apr_size_t at)
{
    for (at++; text.data[at] != '"'; at++) {
        at += text.data[at] == '\\';
    }
    return at + 1;
}

void ss_html_json(ss_html_t *html, ss_json_t value)
{
    ss_bytes_t text = ss_json_compact(value, SS_JSON_FINITE, html->pool).raw;
    int level = 0;

    for (apr_size_t at = 0; at < text.len; at++) {
        char c = text.data[at];
        int is_end = c == '}' || c == ']', is_begin = c == '{' || c == '[';

        if (c == '"') {
            apr_size_t end = end_of_string(text, at);

            put_string(html, ss_bytes(text.data + at, end - at));
            at = end - 1;
            continue;
        }
        level -= is_end;
        if (is_end && text.data[at - 1] != '{' && text.data[at - 1] != '[') {
            begin_line(html, level);
        }
        ss_html_put_bytes(html, ss_bytes(text.data + at, 1));
        level += is_begin;
        if (c == ':') {
            ss_html_put(html, " ");
        }
        else if (c == ',' || (is_begin && text.data[at + 1] != '}' && text.data[at + 1] != ']')) {
            begin_line(html, level);
        }
    }
}
