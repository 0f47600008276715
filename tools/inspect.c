/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <stdio.h>

#include "lib/json/json.h"
#include "tools/ssctl.h"

/* What a cookie tells without a secret. None of it is proved. */

/* The likeliest format; of equally likely ones the first. */
static guess_t best_guess(const guess_t guesses[])
{
    guess_t best = guesses[0];

    for (int i = 0; guesses[i].format != NULL; i++) {
        if (guesses[i].likeness > best.likeness) {
            best = guesses[i];
        }
    }
    return best;
}

/* Another format that it may be of, too; or NULL. */
static const ss_format_t *second_guess(const guess_t guesses[], const guess_t *best)
{
    for (int i = 0; guesses[i].format != NULL; i++) {
        if (guesses[i].format != best->format && guesses[i].likeness != SS_UNLIKE) {
            return guesses[i].format;
        }
    }
    return NULL;
}

static const char *json_of_part(const ss_part_t *part, apr_pool_t *pool)
{
    ss_json_t document;

    switch (part->kind) {
    case SS_PART_NUMBER:
    case SS_PART_TIME:
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, part->number);
    case SS_PART_BINARY:
        return json_of_text(ss_bytes_of(text_of_hex(part->bytes, pool)), pool);
    case SS_PART_JSON:
        if (ss_json_check(&document, part->bytes, SS_JSON_PYTHON, NULL) == APR_SUCCESS) {
            document = ss_json_compact(document, SS_JSON_ASCII_AND_FINITE, pool);
            return apr_pstrmemdup(pool, document.raw.data, document.raw.len);
        }
        break;
    case SS_PART_TEXT:
        break;
    }
    return json_of_text(part->bytes, pool);
}

static const char *quoted_or_null(const char *text, apr_pool_t *pool)
{
    return text == NULL ? "null" : json_of_text(ss_bytes_of(text), pool);
}

static void print_as_json(const guess_t *best, const ss_format_t *second, apr_pool_t *pool)
{
    printf("{\"format\":%s,\"or\":%s,\"why\":%s", quoted_or_null(best->format->name, pool),
           quoted_or_null(second == NULL ? NULL : second->name, pool),
           quoted_or_null(best->look.why, pool));
    for (int i = 0; i < best->look.parts->nelts; i++) {
        const ss_part_t *part = &APR_ARRAY_IDX(best->look.parts, i, ss_part_t);

        printf(",%s:%s", json_of_text(ss_bytes_of(part->name), pool), json_of_part(part, pool));
    }
    puts("}");
}

/* "(2026-01-01T00:00:00Z, 3d ago)" */
static const char *remark(const ss_part_t *part, const options_t *options)
{
    apr_int64_t age = apr_time_sec(options->now) - part->number;
    apr_pool_t *pool = options->pool;

    switch (part->kind) {
    case SS_PART_TIME:
        return apr_psprintf(pool, "  (%s, %s %s)", text_of_time(part->number, pool),
                            ss_lifetime_span(age < 0 ? -age : age, pool),
                            age < 0 ? "ahead" : "ago");
    case SS_PART_BINARY:
        return apr_psprintf(pool, "  (%" APR_SIZE_T_FMT " bytes)", part->bytes.len);
    default:
        return "";
    }
}

static const char *value_of(const ss_part_t *part, apr_pool_t *pool)
{
    return part->kind == SS_PART_BINARY ? text_of_hex(part->bytes, pool) : json_of_part(part, pool);
}

static void print_line(const char *mark, const char *name, const char *value, const char *remark)
{
    printf("%s%s%-11s%s %s", mark, painted(PAINT_NAME), name, painted(PAINT_NONE), value);
    if (*remark != '\0') {
        printf("%s%s%s", painted(PAINT_QUIET), remark, painted(PAINT_NONE));
    }
    putchar('\n');
}

static void print_parts(const guess_t *best, const ss_format_t *second, const options_t *options)
{
    const apr_array_header_t *parts = best->look.parts;
    apr_pool_t *pool = options->pool;
    int is_drawn = draw_parts(parts, pool);

    print_line(is_drawn ? "  " : "", "format",
               apr_pstrcat(pool, best->likeness == SS_LIKELY ? "" : "perhaps ", best->format->name,
                           second == NULL ? "" : ", or ", second == NULL ? "" : second->name, NULL),
               "");
    for (int i = 0; i < parts->nelts; i++) {
        const ss_part_t *part = &APR_ARRAY_IDX(parts, i, ss_part_t);

        print_line(is_drawn ? draw_mark(parts, i, pool) : "", part->name, value_of(part, pool),
                   remark(part, options));
    }
    if (best->look.why != NULL) {
        print_line(is_drawn ? "  " : "", "missing", best->look.why, "");
    }
    puts("Nothing here is verified: that takes the secret (ssctl open).");
}

static result_e refuse(const guess_t guesses[], const options_t *options)
{
    complain("it has the shape of no format here");
    for (int i = 0; guesses[i].format != NULL; i++) {
        complain("  %s: %s", guesses[i].format->name, guesses[i].look.why);
    }
    if (options->json) {
        puts("{\"format\":null}");
    }
    return SSCTL_REFUSED;
}

result_e run_inspect(const options_t *options)
{
    const ss_format_t *second;
    ss_candidates_t found;
    guess_t *guesses, best;
    const char *text, *why;
    int count = 0;
    result_e result = operand_read(&text, options);

    if (result != SSCTL_DONE) {
        return result;
    }
    why = cookies_in(&found, text, options->cookie_name, options->pool);
    if (why != NULL) {
        complain("%s", why);
        if (options->json) {
            puts("{\"format\":null}");
        }
        return SSCTL_REFUSED;
    }
    while (ss_formats[count] != NULL) {
        count++;
    }
    guesses = apr_pcalloc(options->pool, (count + 1) * sizeof(*guesses));
    for (int i = 0; i < count; i++) {
        guesses[i] = look_as(ss_formats[i], &found, options->pool);
    }
    best = best_guess(guesses);
    if (best.likeness == SS_UNLIKE) {
        return refuse(guesses, options);
    }
    second = second_guess(guesses, &best);
    if (options->json) {
        print_as_json(&best, second, options->pool);
    }
    else {
        print_parts(&best, second, options);
    }
    return SSCTL_DONE;
}
