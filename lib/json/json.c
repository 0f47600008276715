/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_general.h>
#include <apr_lib.h>

#include "lib/json/json_text.h"
#include "lib/encode.h"
#include "lib/words.h"

/* The scanner runs for every request with a session: one pass, no recursion, so no text can exhaust
 * the stack. */

#define BITS_OF_WORD 64
#define MEMBERS_AT_FIRST 8

/** A name in an object of input. */
typedef struct used_t {
    ss_bytes_t name;
    const unsigned char *at;
} used_t;

typedef struct scan_t {
    const unsigned char *at; /* after a failure: where */
    const unsigned char *end;
    const unsigned char *start, *behind; /* of the value, without what stands around it */
    const char *wanted;                  /* after a failure */
    apr_array_header_t *members;         /* of the outermost object; NULL when nobody asked */
    apr_array_header_t
        *names; /* used_t, of all objects that are open; NULL unless they are judged */
    const unsigned char *twice; /* the first place where a name is used again; NULL: none yet */
    int first_name[SS_JSON_DEPTH_MAX]; /* where those of each level begin */
    apr_pool_t *pool;
    ss_json_read_e how;
    int string; /* what the string that was scanned last holds: HOLDS_... */
    int loose;  /* has there been white space between tokens, or a number that is not finite? */
    unsigned depth;
    apr_uint64_t objects[SS_JSON_DEPTH_MAX / BITS_OF_WORD]; /* a bit per level: object or array? */
} scan_t;

#define HOLDS_ESCAPES 1
#define HOLDS_OTHERS 2 /* bytes outside printable ASCII */

typedef enum step_e {
    STEP_FAILED,
    STEP_DONE, /* a value is complete */
    STEP_VALUE /* the next thing has to be a value */
} step_e;

/* Bytes in strings that need a closer look: '"', '\' and whatever is not printable ASCII. */
/* clang-format off */
static const unsigned char is_special[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
};
/* clang-format on */

/* The highest bit of each of these eight bytes that is special. The least significant mark is
 * right; others may not be. */
static apr_uint64_t mark_special(const unsigned char *at)
{
    apr_uint64_t word = ss_word_at(at);

    return (ss_word_unprintable(word) | ss_word_equal(word, '"') | ss_word_equal(word, '\\')) &
           SS_HIGH_BITS;
}

static const unsigned char *plain_end(const unsigned char *at, const unsigned char *end)
{
    while ((apr_size_t)(end - at) >= sizeof(apr_uint64_t)) {
        apr_uint64_t marks = mark_special(at);

        if (marks != 0) {
#if defined(__GNUC__) && !APR_IS_BIGENDIAN
            return at + __builtin_ctzll(marks) / 8; /* the least significant mark is the first */
#else
            break;
#endif
        }
        at += sizeof(apr_uint64_t);
    }
    while (at < end && !is_special[*at]) {
        at++;
    }
    return at;
}

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Between any two tokens, where there is usually nothing to skip. */
static inline void skip_blanks(scan_t *s)
{
    while (s->at < s->end && ss_json_is_blank((char)*s->at)) {
        s->at++;
        s->loose = 1;
    }
}

static int is_at(const scan_t *s, char c)
{
    return s->at < s->end && *s->at == (unsigned char)c;
}

static step_e fail(scan_t *s, const unsigned char *at, const char *wanted)
{
    s->at = at;
    s->wanted = wanted;
    return STEP_FAILED;
}

/* The end of the escape that begins with the backslash at `at`; NULL after a failure. */
static const unsigned char *escape_end(scan_t *s, const unsigned char *at)
{
    const unsigned char *digits;

    at++;
    if (at < s->end && *at == 'u') {
        for (digits = ++at; at < digits + 4; at++) {
            if (at == s->end || !apr_isxdigit(*at)) {
                fail(s, at, "four hexadecimal digits after \\u");
                return NULL;
            }
        }
        return at;
    }
    if (at < s->end && memchr("\"\\/bfnrt", *at, 8) != NULL) {
        return at + 1;
    }

    fail(s, at, "one of \" \\ / b f n r t u after \\");
    return NULL;
}

/* The end of the UTF-8 sequence at `at`; NULL after a failure. */
static const unsigned char *sequence_end(scan_t *s, const unsigned char *at)
{
    apr_size_t size = *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : 2;

    if ((apr_size_t)(s->end - at) < size || !ss_utf8_is_valid(ss_bytes((const char *)at, size))) {
        fail(s, at, "UTF-8");
        return NULL;
    }
    return at + size;
}

/* From the opening quote to behind the closing one. */
static step_e scan_string(scan_t *s)
{
    const unsigned char *at = s->at + 1;

    s->string = 0;
    while (at != NULL) {
        at = plain_end(at, s->end);
        if (at == s->end) {
            return fail(s, at, "'\"' at the end of the string");
        }
        if (*at == '"') {
            s->at = at + 1;
            return STEP_DONE;
        }
        if (*at < 0x20) {
            return fail(s, at, "an escape instead of a control character");
        }
        if (*at == '\\') {
            s->string |= HOLDS_ESCAPES;
            at = escape_end(s, at);
        }
        else {
            s->string |= HOLDS_OTHERS;
            at = *at == 0x7F ? at + 1 : sequence_end(s, at);
        }
    }
    return STEP_FAILED;
}

static step_e scan_word(scan_t *s, const char *word)
{
    apr_size_t len = strlen(word);

    if ((apr_size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0) {
        return fail(s, s->at, "a value");
    }

    s->at += len;
    return STEP_DONE;
}

/* What only Python writes. */
static step_e scan_not_finite(scan_t *s, const char *word)
{
    s->loose = 1;
    return scan_word(s, word);
}

static step_e scan_digits(scan_t *s)
{
    if (s->at == s->end || !is_digit(*s->at)) {
        return fail(s, s->at, "a digit");
    }
    while (s->at < s->end && is_digit(*s->at)) {
        s->at++;
    }
    return STEP_DONE;
}

static step_e scan_number(scan_t *s)
{
    int zero;

    if (is_at(s, '-')) {
        s->at++;
        if (is_at(s, 'I') && s->how == SS_JSON_PYTHON) {
            return scan_not_finite(s, "Infinity");
        }
    }

    zero = is_at(s, '0');
    if (zero && s->end - s->at > 1 && is_digit(s->at[1])) {
        return fail(s, s->at, "a number without leading zeros");
    }
    if (scan_digits(s) == STEP_FAILED) {
        return STEP_FAILED;
    }
    if (is_at(s, '.')) {
        s->at++;
        if (scan_digits(s) == STEP_FAILED) {
            return STEP_FAILED;
        }
    }
    if (is_at(s, 'e') || is_at(s, 'E')) {
        s->at++;
        if (is_at(s, '+') || is_at(s, '-')) {
            s->at++;
        }
        return scan_digits(s);
    }
    return STEP_DONE;
}

/* What has just been scanned. */
static ss_json_t slice(const unsigned char *from, const unsigned char *to)
{
    ss_json_t value = { ss_bytes((const char *)from, to - from) };

    return value;
}

/* Of the string that was scanned last. */
static ss_bytes_t name_of(const scan_t *s, ss_json_t quoted)
{
    return s->string & HOLDS_ESCAPES ? ss_json_decode(quoted, s->pool)
                                     : ss_bytes(quoted.raw.data + 1, quoted.raw.len - 2);
}

/* What the value that was scanned last says, where its own bytes do. */
static ss_bytes_t text_of(const scan_t *s, ss_json_t value)
{
    switch (ss_json_kind(value)) {
    case SS_JSON_STRING:
        return s->string == 0 ? ss_bytes(value.raw.data + 1, value.raw.len - 2) : ss_absent;
    case SS_JSON_OBJECT:
    case SS_JSON_ARRAY:
    case SS_JSON_NOT_FINITE:
        return ss_absent;
    default:
        return value.raw;
    }
}

static int has_control(ss_bytes_t text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char c = text.data[i];

        if (c < 0x20 || c == 0x7F) {
            return 1;
        }
    }
    return 0;
}

/* Is this name, written at `at`, fit for input? */
static step_e judge_name(scan_t *s, const unsigned char *at, ss_bytes_t name)
{
    used_t *used;

    if (has_control(name)) {
        return fail(s, at, "a name without control characters");
    }
    if (s->names->nelts - s->first_name[s->depth - 1] == SS_JSON_MEMBERS_MAX) {
        return fail(s, at, "at most " APR_STRINGIFY(SS_JSON_MEMBERS_MAX) " members in an object");
    }

    used = apr_array_push(s->names);
    used->name = name;
    used->at = at;
    return STEP_VALUE;
}

/* Is there a name that is used twice? Then the place where that first happens is noted. */
static void find_twice(scan_t *s, ss_index_t *names, const used_t *used)
{
    ss_index_sort(names, s->pool);
    for (int i = 1; i < names->count; i++) {
        const unsigned char *at = used[names->entries[i].number].at;

        if (ss_index_is_same(names, i) && (s->twice == NULL || at < s->twice)) {
            s->twice = at;
        }
    }
}

/* The names of the object that ends here are looked at together: one by one, each would be compared
 * with all before it. */
static void judge_names(scan_t *s)
{
    int first = s->first_name[s->depth], count = s->names->nelts - first;
    const used_t *used = (const used_t *)s->names->elts + first;
    ss_index_t names;

    if (count > 1) {
        names = ss_index_create(count, s->pool);
        for (int i = 0; i < count; i++) {
            ss_index_add(&names, used[i].name);
        }
        if (ss_index_may_have_alike(&names, s->pool)) {
            find_twice(s, &names, used);
        }
    }
    s->names->nelts = first;
}

/* `name` has just been scanned. */
static void start_member(scan_t *s, ss_json_t quoted, ss_bytes_t name)
{
    ss_json_member_t *member = apr_array_push(s->members);

    member->name = name;
    member->quoted = quoted;
    member->value = slice(s->at, s->at);
    member->is_simple = s->string == 0;
}

/* The value of the last member ends here. */
static void end_member(const scan_t *s)
{
    ss_json_member_t *last = &APR_ARRAY_IDX(s->members, s->members->nelts - 1, ss_json_member_t);

    last->value.raw.len = (const char *)s->at - last->value.raw.data;
    last->text = text_of(s, last->value);
}

/* A name and its colon, up to the value. */
static step_e scan_name(scan_t *s, const char *wanted)
{
    const unsigned char *start = s->at;
    ss_json_t quoted;

    if (!is_at(s, '"')) {
        return fail(s, s->at, wanted);
    }
    if (scan_string(s) == STEP_FAILED) {
        return STEP_FAILED;
    }
    quoted = slice(start, s->at);

    skip_blanks(s);
    if (!is_at(s, ':')) {
        return fail(s, s->at, "':'");
    }
    s->at++;
    skip_blanks(s);

    if (s->members != NULL && s->depth == 1) {
        start_member(s, quoted, name_of(s, quoted));
    }
    if (s->names != NULL) {
        return judge_name(s, start, name_of(s, quoted));
    }
    return STEP_VALUE;
}

static int is_in_object(const scan_t *s)
{
    unsigned level = s->depth - 1;

    return (s->objects[level / BITS_OF_WORD] >> (level % BITS_OF_WORD)) & 1;
}

static step_e close_container(scan_t *s)
{
    s->at++;
    s->depth--;
    if (s->names != NULL) {
        judge_names(s);
    }
    return STEP_DONE;
}

static step_e open_container(scan_t *s, int object)
{
    apr_uint64_t bit = APR_UINT64_C(1) << (s->depth % BITS_OF_WORD);
    apr_uint64_t *word;

    if (s->depth == SS_JSON_DEPTH_MAX) {
        return fail(s, s->at, "at most " APR_STRINGIFY(SS_JSON_DEPTH_MAX) " levels");
    }
    word = &s->objects[s->depth / BITS_OF_WORD];
    *word = object ? *word | bit : *word & ~bit;
    if (s->names != NULL) {
        s->first_name[s->depth] = s->names->nelts;
    }
    s->depth++;
    s->at++;

    skip_blanks(s);
    if (is_at(s, object ? '}' : ']')) {
        return close_container(s);
    }
    return object ? scan_name(s, "a name in quotes, or '}'") : STEP_VALUE;
}

static step_e start_value(scan_t *s)
{
    if (s->at == s->end) {
        return fail(s, s->at, "a value");
    }

    switch (*s->at) {
    case '{':
        return open_container(s, 1);
    case '[':
        return open_container(s, 0);
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    default:
        break;
    }

    if (*s->at == '-' || is_digit(*s->at)) {
        return scan_number(s);
    }
    if (s->how == SS_JSON_PYTHON) {
        return scan_not_finite(s, *s->at == 'N' ? "NaN" : "Infinity");
    }
    return fail(s, s->at, "a value");
}

/* A value inside an array or object is complete: what comes next? */
static step_e end_value(scan_t *s)
{
    int object = is_in_object(s);

    if (s->depth == 1 && s->members != NULL) {
        end_member(s);
    }

    skip_blanks(s);
    if (is_at(s, object ? '}' : ']')) {
        return close_container(s);
    }
    if (!is_at(s, ',')) {
        return fail(s, s->at, object ? "',' or '}'" : "',' or ']'");
    }
    s->at++;
    skip_blanks(s);
    return object ? scan_name(s, "a name in quotes") : STEP_VALUE;
}

static step_e scan_document(scan_t *s)
{
    step_e step;

    do {
        step = start_value(s);
        while (step == STEP_DONE && s->depth > 0) {
            step = end_value(s);
        }
    } while (step == STEP_VALUE);

    if (step == STEP_DONE) {
        s->behind = s->at;
        skip_blanks(s);
        if (s->at != s->end) {
            return fail(s, s->at, "the end of the text");
        }
    }
    return step;
}

static void start_scan(scan_t *s, ss_bytes_t text, ss_json_read_e how)
{
    s->at = (const unsigned char *)text.data;
    s->end = s->at + text.len;
    s->wanted = NULL;
    s->members = NULL;
    s->names = NULL;
    s->twice = NULL;
    s->pool = NULL;
    s->how = how;
    s->string = 0;
    s->loose = 0;
    s->depth = 0;
    memset(s->objects, 0, sizeof(s->objects));
    skip_blanks(s);
    s->start = s->at;
}

/* Say where in `text` the scan stopped. */
static apr_status_t refuse(ss_json_error_t *error, const scan_t *s, ss_bytes_t text)
{
    const char *at = (const char *)s->at, *line = text.data, *end;

    if (error == NULL) {
        return APR_EINVAL;
    }

    error->wanted = s->wanted;
    error->offset = at - text.data;
    error->line = 1;
    while (line < at && (end = memchr(line, '\n', at - line)) != NULL) {
        line = end + 1;
        error->line++;
    }
    error->column = (int)(at - line) + 1;
    return APR_EINVAL;
}

/* The same where names are judged. One that is used twice stands before whatever else is wrong. */
static step_e scan_input(scan_t *s)
{
    step_e step = scan_document(s);

    while (s->depth > 0) { /* after a failure */
        s->depth--;
        judge_names(s);
    }
    return s->twice == NULL ? step : fail(s, s->twice, "a name that is not used twice");
}

/* Tell what was found; `value` and `error` may be NULL. */
static apr_status_t tell(ss_json_t *value, const scan_t *s, step_e step, ss_bytes_t text,
                         ss_json_error_t *error)
{
    int is_json = step == STEP_DONE;

    if (value != NULL) {
        *value = is_json ? slice(s->start, s->behind) : ss_json_absent;
    }
    return is_json ? APR_SUCCESS : refuse(error, s, text);
}

apr_status_t ss_json_check(ss_json_t *value, ss_bytes_t text, ss_json_read_e how,
                           ss_json_error_t *error)
{
    scan_t s;

    start_scan(&s, text, how);
    return tell(value, &s, scan_document(&s), text, error);
}

apr_status_t ss_json_check_input(ss_json_t *value, ss_bytes_t text, ss_json_error_t *error,
                                 apr_pool_t *pool)
{
    scan_t s;

    start_scan(&s, text, SS_JSON_STRICT);
    s.names = apr_array_make(pool, MEMBERS_AT_FIRST, sizeof(used_t));
    s.pool = pool;
    return tell(value, &s, scan_input(&s), text, error);
}

apr_status_t ss_json_object(ss_json_object_t *object, ss_bytes_t text, ss_json_read_e how,
                            ss_json_error_t *error, apr_pool_t *pool)
{
    scan_t s;

    object->value = ss_json_absent;
    object->members = NULL;
    object->is_compact = 0;

    start_scan(&s, text, how);
    if (is_at(&s, '{')) {
        s.members = apr_array_make(pool, MEMBERS_AT_FIRST, sizeof(ss_json_member_t));
        s.pool = pool;
    }
    if (scan_document(&s) == STEP_DONE && s.members == NULL) {
        fail(&s, s.start, "an object");
    }
    if (s.wanted != NULL) {
        return refuse(error, &s, text);
    }

    object->value = slice(s.start, s.behind);
    object->members = s.members;
    object->is_compact = !s.loose;
    return APR_SUCCESS;
}

apr_array_header_t *ss_json_members(ss_json_t object, apr_pool_t *pool)
{
    ss_json_object_t found;

    return ss_json_kind(object) == SS_JSON_OBJECT &&
                   ss_json_object(&found, object.raw, SS_JSON_PYTHON, NULL, pool) == APR_SUCCESS
               ? found.members
               : NULL;
}
