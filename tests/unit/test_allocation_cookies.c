/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Memory that runs out while cookies are opened and sealed. */

#include "lib/memory.h"
#include "tests/unit/exhaust.h"
#include "tests/unit/formats.h"

/** A cookie and what opens it. */
typedef struct jar_t {
    ss_sealing_t how;
    ss_candidates_t found;
    const char *text;
} jar_t;

static jar_t filled_jar(const char *format, int encrypt, const char *text)
{
    jar_t jar = { .how = one(format), .text = text };
    ss_sealed_t cookie;

    apr_pool_abort_set(end_of_memory, pool); /* which the keys are in */
    jar.how.encrypt = encrypt;
    cookie = seal_text(text, &jar.how, NOW);
    jar.found = candidates(&cookie, 1);
    return jar;
}

static outcome_e open_jar(const void *jar_, apr_pool_t *from)
{
    const jar_t *jar = jar_;
    ss_opened_t source;
    ss_state_e state = ss_candidates_open(&source, &jar->found, &jar->how, NOW, from);

    relent();
    if (state != SS_VALID || source.format != ss_sealing_written(&jar->how)) {
        return WRONG; /* a valid cookie: whoever hears something else begins a new session */
    }
    return ss_json_equal(ss_session_json(source.session), json_of(jar->text), pool) ? DONE : WRONG;
}

/* With a memory for this attempt alone, which nobody has to give back. */
static outcome_e open_remembering(const void *jar_, apr_pool_t *from)
{
    jar_t jar = *(const jar_t *)jar_;

    jar.how.memory = ss_memory_create(from);
    return open_jar(&jar, from);
}

static outcome_e open_twice(const void *jar_, apr_pool_t *from)
{
    jar_t jar = *(const jar_t *)jar_;
    ss_opened_t source;

    jar.how.memory = ss_memory_create(from);
    if (ss_candidates_open(&source, &jar.found, &jar.how, NOW, from) != SS_VALID) {
        return WRONG;
    }
    return open_jar(&jar, from);
}

static outcome_e seal_jar(const void *jar_, apr_pool_t *from)
{
    const jar_t *jar = jar_;
    ss_session_t *session = ss_session_create(from), *again;
    ss_sealing_result_t result;
    apr_status_t rv;

    ss_session_replace(session, json_of(jar->text));
    rv = ss_sealing_seal(&result, session, &jar->how, NOW, from);
    relent();
    if (rv != APR_SUCCESS) {
        return result.cookie.value.data == NULL && result.cookie.companion.data == NULL &&
                       result.over == 0
                   ? REFUSED
                   : WRONG;
    }
    return open_one(&again, result.cookie, &jar->how, NOW) == SS_VALID &&
                   ss_json_equal(ss_session_json(again), json_of(jar->text), pool)
               ? DONE
               : WRONG;
}

START_TEST(cookies)
{
    static const char *const texts[] = { "{\"a\":1}", DOCUMENT };

    for (int encrypt = 0; encrypt <= HAS_TRAIT(SS_FORMAT_SECRECY); encrypt++) {
        for (int i = 0; i < COUNT(texts); i++) {
            jar_t jar = filled_jar(FORMAT, encrypt, texts[i]);

            exhaust("open", open_jar, &jar);
            exhaust("open and remember", open_remembering, &jar);
            exhaust("open what is remembered", open_twice, &jar);
            exhaust("seal", seal_jar, &jar);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("allocation_cookies");
    TCase *tcase = exhausting_case(suite);

    tcase_add_loop_test(tcase, cookies, 0, formats_count());
    return unit_run(suite);
}
