/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/naive_json.h"

/* A session comes to the same as the bare function. */
static void judge_session(ss_json_t target, ss_json_t patch, ss_json_t result, apr_pool_t *pool)
{
    static const ss_stamp_t stamp = { 1, 1, { 1 }, 1, { 0 } };
    ss_session_t *session;
    unsigned generation;

    if (ss_json_kind(patch) != SS_JSON_OBJECT || target.raw.data == NULL ||
        ss_session_load(&session, target.raw, &stamp, pool) != APR_SUCCESS) {
        return;
    }

    ss_session_merge(session, patch);
    MUST(ss_json_equal(ss_session_json(session), result, pool));
    generation = ss_session_generation(session);
    ss_session_merge(session, patch);
    MUST(ss_session_generation(session) == generation);

    ss_session_replace(session, patch);
    MUST(ss_json_equal(ss_session_json(session), patch, pool));
}

/* Whatever is merged, what the session hides stays as it was, and out of sight. */
static void judge_hiding(ss_json_t target, ss_json_t patch, apr_pool_t *pool)
{
    static const ss_stamp_t stamp = { 1, 1, { 1 }, 1, { 0 } };
    ss_bytes_t name = ss_bytes_of(SS_SESSION_HIDDEN);
    ss_session_t *session;
    ss_json_t hidden;

    if (ss_json_kind(patch) != SS_JSON_OBJECT || target.raw.data == NULL ||
        ss_session_load(&session, target.raw, &stamp, pool) != APR_SUCCESS) {
        return;
    }
    ss_session_reserve(session, 1);
    hidden = ss_session_hidden(session);
    MUST(ss_session_merge(session, patch) == (ss_json_at(patch, name, pool).raw.data == NULL));
    MUST(ss_session_update(session, patch) == (ss_json_at(patch, name, pool).raw.data == NULL));
    MUST(ss_bytes_equal(ss_session_hidden(session).raw, hidden.raw));
    MUST(ss_session_get(session, name).raw.data == NULL);
    MUST(ss_json_at(ss_session_json(session), name, pool).raw.data == NULL);
}

/* An update is what setting one member after the other is. */
static void judge_update(ss_json_t target, ss_json_t update, apr_pool_t *pool)
{
    static const ss_stamp_t stamp = { 1, 1, { 1 }, 1, { 0 } };
    ss_session_t *session, *other;
    const apr_array_header_t *members = ss_json_members(update, pool);

    if (members == NULL || target.raw.data == NULL ||
        ss_session_load(&session, target.raw, &stamp, pool) != APR_SUCCESS) {
        return;
    }

    other = ss_session_copy(session, pool);
    ss_session_update(session, update);
    for (int i = 0; i < members->nelts; i++) {
        const ss_json_member_t *member = &APR_ARRAY_IDX(members, i, ss_json_member_t);

        if (!ss_session_set(other, member->name, member->value)) {
            return; /* a lone surrogate in its name */
        }
    }
    MUST(ss_session_is_changed(session) == ss_session_is_changed(other));
    MUST(ss_json_equal(ss_session_json(session), ss_session_json(other), pool));
    MUST(ss_session_members(session)->nelts == ss_session_members(other)->nelts);
}

/* The short ways come to the same as the naive ones. */
static void judge_naively(ss_json_t target, ss_json_t patch, ss_json_t result, apr_pool_t *pool)
{
    MUST(ss_bytes_equal(result.raw, naive_merge(target, patch, pool).raw));
    if (target.raw.data != NULL) {
        MUST(ss_json_equal(target, result, pool) == naive_equal(target, result, pool));
        MUST(ss_json_equal(target, patch, pool) == naive_equal(target, patch, pool));
    }
    if (target.raw.data == NULL || !naive_has_doubles(target, pool)) {
        MUST(ss_json_adds_tag(target, result, pool) == naive_adds_tag(target, result, pool));
        MUST(ss_json_adds_tag(target, patch, pool) == naive_adds_tag(target, patch, pool));
    }
}

/* Input: the target, NUL, the patch. A target that is no JSON counts as absent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    ss_json_t target, patch, result, twice;
    ss_json_error_t error;

    if (ss_json_check(&target, fuzz_exact(fuzz_part(&input), pool), SS_JSON_PYTHON, NULL) !=
        APR_SUCCESS) {
        target = ss_json_absent;
    }
    if (ss_json_check_input(&patch, input, &error, pool) == APR_SUCCESS) {
        result = ss_json_merge(target, patch, pool);
        twice = ss_json_merge(result, patch, pool);

        MUST(ss_json_check(NULL, result.raw, SS_JSON_PYTHON, NULL) == APR_SUCCESS);
        MUST(ss_bytes_equal(result.raw, twice.raw));
        judge_naively(target, patch, result, pool);
        judge_session(target, patch, result, pool);
        judge_hiding(target, patch, pool);
        judge_update(target, patch, pool);
    }

    apr_pool_destroy(pool);
    return 0;
}
