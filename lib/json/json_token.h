/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_JSON_TOKEN_H
#define SS_JSON_TOKEN_H

#include "lib/json/json_text.h"
#include "lib/words.h"

/* Strings, numbers and words in a text that nobody has checked, one after the other. What may stand
 * where is json.c's to know. */

/** How a scan goes on. */
typedef enum ss_json_step_e {
    SS_JSON_STEP_FAILED,
    SS_JSON_STEP_DONE, /* a value is complete */
    SS_JSON_STEP_VALUE /* the next thing has to be a value */
} ss_json_step_e;

/** How far a text has been read, and what came up on the way. */
typedef struct ss_json_tokens_t {
    const unsigned char *at; /* after a failure: where */
    const unsigned char *end;
    const char *wanted; /* after a failure, as in ss_json_error_t; else NULL */
    ss_json_read_e how;
    int string; /* what the string that was scanned last holds: SS_JSON_HOLDS_... */
    int loose;  /* has there been white space between tokens, or a number that is not finite? */
} ss_json_tokens_t;

#define SS_JSON_HOLDS_ESCAPES 1
#define SS_JSON_HOLDS_OTHERS 2 /* bytes outside printable ASCII */

/** Remember where it failed, and for what. */
static inline ss_json_step_e ss_json_fail(ss_json_tokens_t *in, const unsigned char *at,
                                          const char *wanted)
{
    in->at = at;
    in->wanted = wanted;
    return SS_JSON_STEP_FAILED;
}

static inline int ss_json_is_at(const ss_json_tokens_t *in, char c)
{
    return in->at < in->end && *in->at == (unsigned char)c;
}

static inline int ss_json_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/** Between any two tokens, where there is usually nothing to skip. */
static inline void ss_json_skip_blanks(ss_json_tokens_t *in)
{
    while (in->at < in->end && ss_json_is_blank((char)*in->at)) {
        in->at++;
        in->loose = 1;
    }
}

/** The highest bit of each of these eight bytes that needs a closer look in a string: '"', '\\' and
 * whatever is not printable ASCII. The least significant mark is right; others may not be. */
static inline apr_uint64_t ss_json_mark_special(apr_uint64_t word)
{
    /* with bit 1 turned over, '"' is ' ' and comes behind the control characters */
    apr_uint64_t below = (word ^ SS_EACH_BYTE(2)) - SS_EACH_BYTE(' ' + 1);

    return (word | below | (word + SS_EACH_BYTE(0x80 - 0x7F)) | ss_word_equal(word, '\\')) &
           SS_HIGH_BITS;
}

/** Behind the string that begins at `at`, if one is seen there at once: it holds nothing special,
 * and ends. NULL says nothing: scan it. */
static inline const unsigned char *ss_json_simple_end(const unsigned char *at,
                                                      const unsigned char *end)
{
    apr_uint64_t marks = 0;

    if (at == end || *at++ != '"') {
        return NULL;
    }
    for (; (apr_size_t)(end - at) >= sizeof(marks); at += sizeof(marks)) {
        marks = ss_json_mark_special(ss_word_at(at));
        if (marks != 0) {
            at += ss_word_unmarked(marks);
            return *at == '"' ? at + 1 : NULL;
        }
    }
    return NULL;
}

/* Each of these reads one token from `at`, and leaves `at` behind it: SS_JSON_STEP_DONE, or
 * SS_JSON_STEP_FAILED as ss_json_fail leaves it. */

/** From the opening quote, which is there, to behind the closing one. */
ss_json_step_e ss_json_scan_string(ss_json_tokens_t *in);

/** From a minus or a digit. With SS_JSON_PYTHON also -Infinity. */
ss_json_step_e ss_json_scan_number(ss_json_tokens_t *in);

/** Exactly this word, a constant: inline, or it would be measured and compared by calls. */
static inline ss_json_step_e ss_json_scan_word(ss_json_tokens_t *in, const char *word)
{
    apr_size_t len = strlen(word);

    if ((apr_size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0) {
        return ss_json_fail(in, in->at, "a value");
    }

    in->at += len;
    return SS_JSON_STEP_DONE;
}

/** The same for one that only Python writes: NaN, Infinity. */
static inline ss_json_step_e ss_json_scan_not_finite(ss_json_tokens_t *in, const char *word)
{
    in->loose = 1;
    return ss_json_scan_word(in, word);
}

#endif
