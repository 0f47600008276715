/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <stdio.h>

#include "lib/advice.h"
#include "lib/json/json.h"
#include "tools/ssctl.h"

/* Commands that open cookies, and why one is refused. */

/* An empty part where the format has none of this name. */
static const ss_part_t *part_named(const ss_look_t *look, const char *name)
{
    static const ss_part_t none = { "", SS_PART_TEXT, { "", 0 }, 0, 0 };

    for (int i = 0; i < look->parts->nelts; i++) {
        const ss_part_t *part = &APR_ARRAY_IDX(look->parts, i, ss_part_t);

        if (strcmp(part->name, name) == 0) {
            return part;
        }
    }
    return &none;
}

/* ", but like one of flask" when that is likelier. */
static const char *other_format(const ss_format_t *format, const ss_candidates_t *found,
                                apr_pool_t *pool)
{
    for (const ss_format_t *const *other = ss_formats; *other != NULL; other++) {
        if (*other != format && look_as(*other, found, pool).likeness == SS_LIKELY) {
            return apr_psprintf(pool, "; it looks like a cookie of the format %s", (*other)->name);
        }
    }
    return "";
}

static const char *why_malformed(const ss_format_t *format, const ss_candidates_t *found,
                                 apr_pool_t *pool)
{
    const guess_t guess = look_as(format, found, pool);

    if (guess.likeness != SS_UNLIKE) {
        return "its signature holds, but its payload is not a JSON object";
    }
    return apr_psprintf(pool, "it has not the shape of the format %s: %s%s", format->name,
                        guess.look.why, other_format(format, found, pool));
}

static const char *why_unknown(const ss_look_t *look, const char *near, const ss_sealing_t *how,
                               apr_pool_t *pool)
{
    return apr_psprintf(
        pool, "its key id, %s, is that of none of the secrets given, which have %s: %s",
        text_of_hex(part_named(look, "key id")->bytes, pool), text_of_key_ids(how, pool),
        near != NULL ? near
                     : "it was sealed with another secret, or for another cookie "
                       "name or audience");
}

static const char *why_unverified(ss_state_e state, const ss_sealing_t *how,
                                  const ss_candidates_t *found, const options_t *options)
{
    const ss_format_t *format = ss_sealing_written(how);
    const char *near = near_miss(format, found, options), *why;
    apr_pool_t *pool = options->pool;
    const guess_t guess = look_as(format, found, pool);

    if (state == SS_UNKNOWN_KEY) {
        return why_unknown(&guess.look, near, how, pool);
    }
    if (guess.look.why != NULL) {
        return apr_pstrcat(pool, guess.look.why,
                           guess.likeness == SS_UNLIKE ? other_format(format, found, pool) : "",
                           NULL);
    }
    why =
        format->traits & SS_FORMAT_BOUND
            ? "its key id is known, but its signature is wrong: it was altered, or cut short"
            : "its signature is wrong: it was altered or cut short, or sealed with another secret";
    return near == NULL ? why : apr_pstrcat(pool, why, "; ", near, NULL);
}

/* The times of a cookie whose signature holds. */
static const char *why_untimely(ss_state_e state, const ss_opened_t *opened,
                                const ss_sealing_t *how, const options_t *options)
{
    ss_untimely_t fault;
    const char *time, *age, *limit;

    ss_lifetime_explain(&fault, state, &opened->judged, how->lifetime, options->now);
    time = text_of_time(fault.time, options->pool);
    age = ss_lifetime_span(fault.age, options->pool);
    limit = ss_lifetime_span(fault.limit, options->pool);
    return apr_psprintf(options->pool,
                        state == SS_FROM_FUTURE ? "%s %s, which is %s ahead; the skew allowed is %s"
                                                : "%s %s, %s ago; the limit is %s",
                        fault.name, time, age, limit);
}

static const char *why_refused(ss_state_e state, const ss_opened_t *opened, const ss_sealing_t *how,
                               const ss_candidates_t *found, const options_t *options)
{
    if (opened->is_gone) {
        return "it leads to a store, in which only httpd can read the session";
    }
    switch (state) {
    case SS_TOO_LARGE:
        return apr_psprintf(options->pool,
                            "name and value have %" APR_SIZE_T_FMT " bytes, at most %d are read",
                            strlen(how->cookie_name) + found->values[0].len, SS_COOKIE_MAX);
    case SS_MALFORMED:
        return why_malformed(ss_sealing_written(how), found, options->pool);
    case SS_UNKNOWN_KEY:
    case SS_BAD_SIGNATURE:
        return why_unverified(state, how, found, options);
    default:
        return why_untimely(state, opened, how, options);
    }
}

/* What there is to say of the case, besides what has happened to this cookie. */
static const ss_advice_t *advice_of(ss_state_e state, const ss_opened_t *opened)
{
    return ss_advice(opened->is_gone ? SS_CASE_REFERENCE : (int)state);
}

static void report(const ss_advice_t *advice, const char *why, const ss_sealing_t *how,
                   const options_t *options)
{
    complain("%s: %s", advice->name, why);
    if (is_terminal(stderr)) {
        complain("%s", advice->remedy);
    }
    if (options->json) {
        printf("{\"state\":\"%s\",\"why\":%s,\"remedy\":%s,\"key_ids\":%s}\n", advice->name,
               json_of_text(ss_bytes_of(why), options->pool),
               json_of_text(ss_bytes_of(advice->remedy), options->pool),
               json_of_key_ids(how, options->pool));
    }
}

result_e open_operand(ss_opened_t *opened, ss_candidates_t *found, const ss_sealing_t *how,
                      const options_t *options)
{
    const char *text, *why;
    ss_state_e state;
    result_e result = operand_read(&text, options);

    if (result != SSCTL_DONE) {
        return result;
    }
    why = cookies_in(found, text, options->cookie_name, options->pool);
    state = ss_candidates_open(opened, found, how, options->now, options->pool);
    if (state == SS_VALID) {
        return SSCTL_DONE;
    }
    if (why == NULL) {
        why = why_refused(state, opened, how, found, options);
    }
    report(advice_of(state, opened), why, how, options);
    return SSCTL_REFUSED;
}

static const char *json_of_hex(const unsigned char *bytes, apr_size_t len, apr_pool_t *pool)
{
    return json_of_text(ss_bytes_of(text_of_hex(ss_bytes((const char *)bytes, len), pool)), pool);
}

static void print_as_json(const ss_opened_t *opened, const ss_sealing_t *how,
                          const options_t *options)
{
    const ss_stamp_t *stamp = ss_session_stamp(opened->session);
    ss_bytes_t text =
        ss_json_compact(ss_session_view(opened->session), SS_JSON_ASCII, options->pool).raw;
    int has_id = (opened->format->traits & SS_FORMAT_CREATED) != 0;
    apr_pool_t *pool = options->pool;

    printf("{\"state\":\"valid\",\"format\":\"%s\",\"key\":%d,\"key_ids\":%s,\"created\":%s,"
           "\"renewed\":%s,"
           "\"expires_in\":%s,\"absolute_expires_in\":%s,\"id\":%s,\"counter\":%s,"
           "\"bound_to\":%s,"
           "\"bytes\":%" APR_SIZE_T_FMT ",\"session\":%.*s}\n",
           opened->format->name, opened->key, json_of_key_ids(how, pool),
           ss_lifetime_print(stamp->created, pool), ss_lifetime_print(stamp->renewed, pool),
           stamp->renewed == SS_NO_TIME
               ? "null"
               : ss_lifetime_print(ss_lifetime_left(stamp, how->lifetime, options->now), pool),
           ss_lifetime_print(ss_lifetime_absolute_left(stamp, how->lifetime, options->now), pool),
           has_id ? json_of_hex(stamp->id, sizeof(stamp->id), pool) : "null",
           has_id ? apr_psprintf(pool, "%u", stamp->counter) : "null",
           ss_stamp_is_bound(stamp) ? json_of_hex(stamp->point, SS_POINT_SIZE, pool) : "null",
           opened->size, (int)text.len, text.data);
}

result_e run_open(const options_t *options)
{
    ss_opened_t opened;
    ss_candidates_t found;
    ss_lifetime_t lifetime;
    ss_sealing_t how;
    ss_bytes_t view;
    result_e result = keys_make(&how, &lifetime, options, options->format);

    if (result == SSCTL_DONE) {
        result = open_operand(&opened, &found, &how, options);
    }
    if (result != SSCTL_DONE) {
        return result;
    }
    if (options->json) {
        print_as_json(&opened, &how, options);
        return SSCTL_DONE;
    }
    /* a value may hold what a terminal obeys: C1 controls, overrides of direction */
    view = ss_json_compact(ss_session_view(opened.session), SS_JSON_ASCII, options->pool).raw;
    printf("%.*s\n", (int)view.len, view.data);
    return SSCTL_DONE;
}
