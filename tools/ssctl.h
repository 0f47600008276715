/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SSCTL_H
#define SSCTL_H

#include <stdio.h>

#include <apr_tables.h>
#include <apr_time.h>

#include "lib/candidates.h"
#include "lib/sealing.h"

/** The exit status; httpd has a DONE of its own, which is -2. */
typedef enum result_e { SSCTL_DONE = 0, SSCTL_REFUSED = 1, SSCTL_USAGE = 2 } result_e;

/** The options of one run, with their defaults where none was given. */
typedef struct options_t {
    apr_array_header_t *sources; /* ss_source_t: --secret */
    const char *cookie_name;
    const char *audience;
    const ss_format_t *format, *from, *to;
    ss_lifetime_t lifetime;
    int idle_given; /* otherwise it is the format's */
    int encrypt;
    int json;
    apr_time_t now;
    const char *log; /* the revocation log */
    const char *subject, *id;
    int all;
    apr_interval_time_t revoked_for;
    const char *operand; /* the word behind the options; NULL: read standard input */
    apr_pool_t *pool;
} options_t;

/* Which options a command knows, as bits. */
#define TAKES_JSON 1
#define TAKES_NOW 2
#define TAKES_KEYS 4 /* secrets and what they are bound to */
#define TAKES_FORMAT 8
#define TAKES_LIFE 16 /* timeouts and skew */
#define TAKES_ENCRYPT 32
#define TAKES_FROM_TO 64
#define TAKES_NAME 128
#define TAKES_OPERAND 256
#define TAKES_LOG 512
#define TAKES_REVOKED 1024 /* who is revoked, and for how long */

/** One command: the first word behind "ssctl". */
typedef struct command_t {
    const char *name;
    int takes;
    const char *operand; /* what stands behind the options, for the usage text; or NULL */
    const char *help;
    result_e (*run)(const options_t *options);
} command_t;

/* The commands, in the files of tools/. */
result_e run_keygen(const options_t *options);
result_e run_seal(const options_t *options);
result_e run_open(const options_t *options);
result_e run_inspect(const options_t *options);
result_e run_convert(const options_t *options);
result_e run_formats(const options_t *options);
result_e run_states(const options_t *options);
result_e run_revoke(const options_t *options);
result_e run_revoked(const options_t *options);

/** Read the options of a command. Returns NULL, or what is wrong with them. */
const char *options_read(options_t *options, const command_t *command, int argc,
                         const char *const argv[], apr_pool_t *pool);

/** Print one line for each option that a command knows. */
void options_print(int takes);

/** The operand, or all of standard input without white space around it. What is wrong has been said
 * when this is not SSCTL_DONE. */
result_e operand_read(const char **text, const options_t *options);

/** Make the keys that --secret names, for one format. What is wrong has been said when this is not
 * SSCTL_DONE. */
result_e keys_make(ss_sealing_t *how, ss_lifetime_t *lifetime, const options_t *options,
                   const ss_format_t *format);

/** Make them once more, bound to something else, without a word: were they made? */
int keys_try(ss_sealing_t *how, const ss_binding_t *binding, const options_t *options,
             const ss_format_t *format);

/** "1a2b, 3c4d" (or as a JSON array): the key ids of the secrets; NULL where the format has none.
 */
const char *text_of_key_ids(const ss_sealing_t *how, apr_pool_t *pool);
const char *json_of_key_ids(const ss_sealing_t *how, apr_pool_t *pool);

/** "it opens with --cookie-name NAME" when a cookie that was refused opens with another well-known
 * name or without the audience; NULL when it does not. */
const char *near_miss(const ss_format_t *format, const ss_candidates_t *found,
                      const options_t *options);

/**
 * The cookies in `text`: the bare value, or a Cookie header (`name=value; name.sig=signature`) with
 * or without its name, or Set-Cookie lines, also among others.
 *
 * @param found  out: none unless NULL is returned
 * @return       NULL, or why there is none of ours
 */
const char *cookies_in(ss_candidates_t *found, const char *text, const char *cookie_name,
                       apr_pool_t *pool);

/** A format that a cookie may be of, and what it tells as one of that. */
typedef struct guess_t {
    const ss_format_t *format;
    ss_likeness_e likeness;
    ss_look_t look;
} guess_t;

/** The first cookie that was found, with its companion where this format has one. */
ss_sealed_t cookie_as(const ss_format_t *format, const ss_candidates_t *found);

/** What that cookie tells without a secret. */
guess_t look_as(const ss_format_t *format, const ss_candidates_t *found, apr_pool_t *pool);

/**
 * Open the operand. What is wrong has been said, with --json also on standard output, when this is
 * not SSCTL_DONE.
 *
 * @param found  out: what the operand held
 */
result_e open_operand(ss_opened_t *opened, ss_candidates_t *found, const ss_sealing_t *how,
                      const options_t *options);

/** Say on standard error what is wrong, in printable ASCII; an instance of printf. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Does somebody look at what goes there? */
int is_terminal(FILE *out);

typedef enum paint_e { PAINT_NONE, PAINT_NAME, PAINT_QUIET, PAINT_GOOD, PAINT_WARN } paint_e;

/** What paints all that follows on standard output; PAINT_NONE ends it. Empty where that is no
 * terminal, or NO_COLOR is set. */
const char *painted(paint_e paint);

/** How wide is standard output, in columns? */
int terminal_width(void);

/**
 * Where standard output is a terminal: one line that shows the parts of a cookie side by side, to
 * scale, each by a letter of its own. Returns whether it is.
 *
 * @param parts  ss_part_t
 */
int draw_parts(const apr_array_header_t *parts, apr_pool_t *pool);

/** "c ": the letter by which such a part is drawn, or two blanks. */
const char *draw_mark(const apr_array_header_t *parts, int index, apr_pool_t *pool);

/* Text for people and for scripts. */
const char *text_of_time(apr_int64_t seconds, apr_pool_t *pool);
const char *text_of_hex(ss_bytes_t bytes, apr_pool_t *pool);
const char *json_of_text(ss_bytes_t text, apr_pool_t *pool);

#endif
