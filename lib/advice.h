/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ADVICE_H
#define SS_ADVICE_H

#include "lib/base.h"

/* What to say of a session to whoever wonders why it is as it is: the inspector's page, ssctl and
 * docs/troubleshooting.md say it in the same words. */

/** What there is something to say of: every ss_state_e, and these cases that states do not tell
 * apart. */
typedef enum ss_case_e {
    SS_CASE_GONE = SS_STATES, /* SS_EXPIRED_IDLE, but the times hold: ss_opened_t.is_gone */
    SS_CASE_OWNED,            /* any state: ss_opened_t.is_owned */
    SS_CASE_REFERENCE,        /* where no store can be asked: a cookie that leads to one */
    SS_CASES
} ss_case_e;

/** Sentences for people, in plain ASCII, with a full stop. */
typedef struct ss_advice_t {
    const char *name;    /* as ss_state_name, or of that kind */
    const char *meaning; /* what has happened */
    const char *remedy;  /* what to look at, or to do */
} ss_advice_t;

/**
 * @param about  an ss_state_e or an ss_case_e
 */
const ss_advice_t *ss_advice(int about);

#endif
