/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/candidates.h"
#include "lib/format/stamped.h"
#include "tests/fuzz/fuzz.h"
#include "tests/one_sealing.h"

static ss_state_e open_cookie(ss_session_t **session, ss_sealed_t cookie, const ss_sealing_t *how,
                              apr_pool_t *pool)
{
    ss_candidates_t candidates = { .count = 1, .values = { cookie.value } };
    ss_opened_t from;
    ss_state_e state;

    if (cookie.companion.data != NULL) {
        candidates.companions[candidates.companion_count++] = cookie.companion;
    }
    state = ss_candidates_open(&from, &candidates, how, NOW, pool);
    *session = from.session;
    MUST(state != SS_NONE && (state == SS_VALID) == (*session != NULL));
    return state;
}

/* As a cookie: whatever it is, it is taken apart without harm; and what opens is what is seen. */
static void judge_cookie(ss_bytes_t input, const ss_sealing_t *how, apr_pool_t *pool)
{
    const ss_format_t *format = ss_sealing_written(how);
    ss_look_t look = { apr_array_make(pool, 8, sizeof(ss_part_t)), NULL };
    ss_sealed_t cookie = { fuzz_exact(fuzz_part(&input), pool), { NULL, 0 } };
    ss_likeness_e likeness;
    ss_session_t *session;
    int alike = 0;

    if (input.len > 0) {
        cookie.companion = fuzz_exact(input, pool);
    }
    if (format->resembles != NULL) {
        alike = format->resembles(cookie.value, ((const ss_seal_t *)how->seals->elts)->keys, pool);
    }
    likeness = format->look(&look, &cookie, format, pool);
    MUST(likeness != SS_UNLIKE || look.why != NULL);
    if (open_cookie(&session, cookie, how, pool) == SS_VALID) {
        MUST(likeness != SS_UNLIKE && look.why == NULL);
        MUST(alike || format->resembles == NULL);
        MUST(ss_json_check(NULL, ss_session_text(session), SS_JSON_PYTHON, NULL) == APR_SUCCESS);
    }
}

/* As JSON that somebody with the secret sealed: only an object is a session, and it means the same
 * when it comes out. Django's is escaped on its way. */
static void judge_document(ss_bytes_t text, const ss_sealing_t *how, apr_pool_t *pool)
{
    const ss_seal_t seal = ss_sealing_as(how, 0);
    ss_payload_t payload = { .text = text,
                             .stamp = { apr_time_sec(NOW), apr_time_sec(NOW), { 0 }, 1, { 0 } } };
    ss_sealed_t cookie = { { NULL, 0 }, { NULL, 0 } };
    ss_session_t *session, *direct;
    ss_state_e state;
    int is_session = ss_session_load(&direct, text, &payload.stamp, pool) == APR_SUCCESS;

    if (ss_json_check(&payload.json, text, SS_JSON_PYTHON, NULL) != APR_SUCCESS) {
        return;
    }
    MUST(seal.format->seal(&cookie, &payload, &seal, pool) == APR_SUCCESS);
    state = open_cookie(&session, cookie, how, pool);
    MUST(state == SS_TOO_LARGE || state == (is_session ? SS_VALID : SS_MALFORMED));
    if (state == SS_VALID) {
        MUST(ss_json_equal(fuzz_json(ss_session_text(session)), payload.json, pool));
        MUST((seal.format->traits & SS_FORMAT_FOREIGN) ||
             ss_json_at(ss_session_view(session), ss_bytes_of(SS_SESSION_HIDDEN), pool).raw.data ==
                 NULL);
    }
}

/* As a payload of Flask and Django, perhaps compressed, which is opened only behind a signature. */
static void judge_payload(ss_bytes_t payload, apr_pool_t *pool)
{
    ss_bytes_t text, packed, again;

    if (ss_stamped_unpack(&text, payload, pool)) {
        MUST(ss_stamped_pack(&packed, text, pool) == APR_SUCCESS);
        MUST(ss_stamped_unpack(&again, packed, pool) && ss_bytes_equal(text, again));
    }
}

/* Input: a digit that picks the format; then a cookie (value, NUL, companion), which is also tried
 * as a document and as a payload. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size);
    int count = 0;

    while (ss_formats[count] != NULL) {
        count++;
    }
    if (size > 0) {
        const ss_sealing_t how = one_sealing(ss_formats[data[0] % count], pool);

        input = ss_bytes(input.data + 1, input.len - 1);
        judge_cookie(input, &how, pool);
        judge_document(input, &how, pool);
        judge_payload(input, pool);
    }

    apr_pool_destroy(pool);
    return 0;
}
