/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_general.h>

#include "lib/json/json_input.h"
#include "lib/json/json_token.h"

/* The scanner runs for every request with a session: one pass, no recursion, so no text can exhaust
 * the stack. */

#define BITS_OF_WORD 64
#define MEMBER_SIZE 32       /* bytes of text for each member that there is room for at first */
#define MEMBERS_AT_FIRST 128 /* at most */

typedef struct scan_t {
    ss_json_tokens_t in;
    const unsigned char *start, *behind; /* of the value, without what stands around it */
    apr_array_header_t *members;         /* of the outermost object; NULL when nobody asked */
    ss_json_input_t *input;              /* judges all names; NULL: nobody does */
    apr_pool_t *pool;                    /* for names that are decoded; NULL when nobody asked */
    unsigned depth;
    apr_uint64_t objects[SS_JSON_DEPTH_MAX / BITS_OF_WORD]; /* a bit per level: object or array? */
} scan_t;

/* What has just been scanned. */
static ss_json_t slice(const unsigned char *from, const unsigned char *to)
{
    ss_json_t value = { ss_bytes((const char *)from, to - from) };

    return value;
}

/* Of the string that was scanned last. */
static ss_bytes_t name_of(const scan_t *s, ss_json_t quoted)
{
    return s->in.string & SS_JSON_HOLDS_ESCAPES ? ss_json_decode(quoted, s->pool)
                                                : ss_bytes(quoted.raw.data + 1, quoted.raw.len - 2);
}

/* What the value that was scanned last says, where its own bytes do. */
static ss_bytes_t text_of(const scan_t *s, ss_json_t value)
{
    switch (ss_json_kind(value)) {
    case SS_JSON_STRING:
        return s->in.string == 0 ? ss_bytes(value.raw.data + 1, value.raw.len - 2) : ss_absent;
    case SS_JSON_OBJECT:
    case SS_JSON_ARRAY:
    case SS_JSON_NOT_FINITE:
        return ss_absent;
    default:
        return value.raw;
    }
}

/* apr_array_push, which is a call for each member. */
static ss_json_member_t *push_member(apr_array_header_t *members)
{
    return members->nelts < members->nalloc
               ? &APR_ARRAY_IDX(members, members->nelts++, ss_json_member_t)
               : apr_array_push(members);
}

/* `name` has just been scanned. */
static void start_member(scan_t *s, ss_json_t quoted, ss_bytes_t name)
{
    ss_json_member_t *member = push_member(s->members);

    member->name = name;
    member->quoted = quoted;
    member->value = slice(s->in.at, s->in.at);
    member->is_simple = s->in.string == 0;
}

/* The value of the last member ends here. */
static void end_member(const scan_t *s)
{
    ss_json_member_t *last = &APR_ARRAY_IDX(s->members, s->members->nelts - 1, ss_json_member_t);

    last->value.raw.len = (const char *)s->in.at - last->value.raw.data;
    last->text = text_of(s, last->value);
}

/* A name and its colon, up to the value. */
static ss_json_step_e scan_name(scan_t *s, const char *wanted)
{
    const unsigned char *start = s->in.at;
    ss_json_t quoted;

    if (!ss_json_is_at(&s->in, '"')) {
        return ss_json_fail(&s->in, s->in.at, wanted);
    }
    if (ss_json_scan_string(&s->in) == SS_JSON_STEP_FAILED) {
        return SS_JSON_STEP_FAILED;
    }
    quoted = slice(start, s->in.at);

    ss_json_skip_blanks(&s->in);
    if (!ss_json_is_at(&s->in, ':')) {
        return ss_json_fail(&s->in, s->in.at, "':'");
    }
    s->in.at++;
    ss_json_skip_blanks(&s->in);

    if (s->members != NULL && s->depth == 1) {
        start_member(s, quoted, name_of(s, quoted));
    }
    if (s->input != NULL) {
        wanted = ss_json_input_name(s->input, s->depth - 1, start, name_of(s, quoted),
                                    s->in.string == 0);
        if (wanted != NULL) {
            return ss_json_fail(&s->in, start, wanted);
        }
    }
    return SS_JSON_STEP_VALUE;
}

/* Behind a comma between the members that are gathered. Most are a simple name, a colon, and a
 * simple string: as long as nothing else comes, no step is taken that those do not need. Whatever
 * it is, the scan then goes on as it does everywhere else, and finds every fault. */
static ss_json_step_e scan_simple_members(scan_t *s)
{
    const unsigned char *behind;

    while ((behind = ss_json_simple_end(s->in.at, s->in.end)) != NULL && behind < s->in.end &&
           *behind == ':') {
        ss_json_t quoted = slice(s->in.at, behind);

        s->in.at = behind + 1;
        s->in.string = 0;
        ss_json_skip_blanks(&s->in);
        start_member(s, quoted, name_of(s, quoted));
        behind = ss_json_simple_end(s->in.at, s->in.end);
        if (behind == NULL) {
            return SS_JSON_STEP_VALUE;
        }
        s->in.at = behind;
        if (!ss_json_is_at(&s->in, ',')) {
            return SS_JSON_STEP_DONE;
        }
        end_member(s);
        s->in.at++;
        ss_json_skip_blanks(&s->in);
    }
    return scan_name(s, "a name in quotes");
}

static int is_in_object(const scan_t *s)
{
    unsigned level = s->depth - 1;

    return (s->objects[level / BITS_OF_WORD] >> (level % BITS_OF_WORD)) & 1;
}

static ss_json_step_e close_container(scan_t *s)
{
    s->in.at++;
    s->depth--;
    if (s->input != NULL) {
        ss_json_input_close(s->input, s->depth);
    }
    return SS_JSON_STEP_DONE;
}

static ss_json_step_e open_container(scan_t *s, int object)
{
    apr_uint64_t bit = APR_UINT64_C(1) << (s->depth % BITS_OF_WORD);
    apr_uint64_t *word;

    if (s->depth == SS_JSON_DEPTH_MAX) {
        return ss_json_fail(&s->in, s->in.at,
                            "at most " APR_STRINGIFY(SS_JSON_DEPTH_MAX) " levels");
    }
    word = &s->objects[s->depth / BITS_OF_WORD];
    *word = object ? *word | bit : *word & ~bit;
    if (s->input != NULL) {
        ss_json_input_open(s->input, s->depth);
    }
    s->depth++;
    s->in.at++;

    ss_json_skip_blanks(&s->in);
    if (ss_json_is_at(&s->in, object ? '}' : ']')) {
        return close_container(s);
    }
    return object ? scan_name(s, "a name in quotes, or '}'") : SS_JSON_STEP_VALUE;
}

static ss_json_step_e start_value(scan_t *s)
{
    if (s->in.at == s->in.end) {
        return ss_json_fail(&s->in, s->in.at, "a value");
    }

    switch (*s->in.at) {
    case '{':
        return open_container(s, 1);
    case '[':
        return open_container(s, 0);
    case '"':
        return ss_json_scan_string(&s->in);
    case 't':
        return ss_json_scan_word(&s->in, "true");
    case 'f':
        return ss_json_scan_word(&s->in, "false");
    case 'n':
        return ss_json_scan_word(&s->in, "null");
    default:
        break;
    }

    if (*s->in.at == '-' || ss_json_is_digit(*s->in.at)) {
        return ss_json_scan_number(&s->in);
    }
    if (s->in.how == SS_JSON_PYTHON) {
        return ss_json_scan_not_finite(&s->in, *s->in.at == 'N' ? "NaN" : "Infinity");
    }
    return ss_json_fail(&s->in, s->in.at, "a value");
}

/* A value inside an array or object is complete: what comes next? */
static ss_json_step_e end_value(scan_t *s)
{
    int object = is_in_object(s), is_member = s->depth == 1 && s->members != NULL;

    if (is_member) {
        end_member(s);
    }

    ss_json_skip_blanks(&s->in);
    if (ss_json_is_at(&s->in, object ? '}' : ']')) {
        return close_container(s);
    }
    if (!ss_json_is_at(&s->in, ',')) {
        return ss_json_fail(&s->in, s->in.at, object ? "',' or '}'" : "',' or ']'");
    }
    s->in.at++;
    ss_json_skip_blanks(&s->in);
    if (is_member) {
        return scan_simple_members(s);
    }
    return object ? scan_name(s, "a name in quotes") : SS_JSON_STEP_VALUE;
}

static ss_json_step_e scan_document(scan_t *s)
{
    ss_json_step_e step;

    do {
        step = start_value(s);
        while (step == SS_JSON_STEP_DONE && s->depth > 0) {
            step = end_value(s);
        }
    } while (step == SS_JSON_STEP_VALUE);

    if (step == SS_JSON_STEP_DONE) {
        s->behind = s->in.at;
        ss_json_skip_blanks(&s->in);
        if (s->in.at != s->in.end) {
            return ss_json_fail(&s->in, s->in.at, "the end of the text");
        }
    }
    return step;
}

static void start_scan(scan_t *s, ss_bytes_t text, ss_json_read_e how)
{
    s->in.at = (const unsigned char *)text.data;
    s->in.end = s->in.at + text.len;
    s->in.wanted = NULL;
    s->in.how = how;
    s->in.string = 0;
    s->in.loose = 0;
    s->members = NULL;
    s->input = NULL;
    s->pool = NULL;
    s->depth = 0;
    memset(s->objects, 0, sizeof(s->objects));
    ss_json_skip_blanks(&s->in);
    s->start = s->in.at;
}

/* With room that most objects need not have made larger. */
static apr_array_header_t *no_members(ss_bytes_t text, apr_pool_t *pool)
{
    apr_size_t room = text.len / MEMBER_SIZE + 1;

    return ss_json_members_create(room < MEMBERS_AT_FIRST ? room : MEMBERS_AT_FIRST, pool);
}

/* Say where in `text` the scan stopped. */
static apr_status_t refuse(ss_json_error_t *error, const scan_t *s, ss_bytes_t text)
{
    const char *at = (const char *)s->in.at, *line = text.data, *end;

    if (error == NULL) {
        return APR_EINVAL;
    }

    error->wanted = s->in.wanted;
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
static ss_json_step_e scan_input(scan_t *s)
{
    ss_json_step_e step = scan_document(s);

    while (s->depth > 0) { /* after a failure */
        s->depth--;
        ss_json_input_close(s->input, s->depth);
    }
    return s->input->twice == NULL
               ? step
               : ss_json_fail(&s->in, s->input->twice, "a name that is not used twice");
}

/* Tell what was found; `value` and `error` may be NULL. */
static apr_status_t tell(ss_json_t *value, const scan_t *s, ss_json_step_e step, ss_bytes_t text,
                         ss_json_error_t *error)
{
    int is_json = step == SS_JSON_STEP_DONE;

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
    ss_json_input_t input;
    scan_t s;

    ss_json_input_start(&input, pool);
    start_scan(&s, text, SS_JSON_STRICT);
    s.input = &input;
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
    if (ss_json_is_at(&s.in, '{')) {
        s.members = no_members(text, pool);
        s.pool = pool;
    }
    if (scan_document(&s) == SS_JSON_STEP_DONE && s.members == NULL) {
        ss_json_fail(&s.in, s.start, "an object");
    }
    if (s.in.wanted != NULL) {
        return refuse(error, &s, text);
    }

    object->value = slice(s.start, s.behind);
    object->members = s.members;
    object->is_compact = !s.in.loose;
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
