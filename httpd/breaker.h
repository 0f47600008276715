/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_BREAKER_H
#define SS_BREAKER_H

#include <apr_pools.h>
#include <apr_time.h>

/**
 * A circuit breaker: after SS_BREAKER_FAILURES failures in a row nobody is let pass for
 * SS_BREAKER_REST; then one is, at a time, until one has succeeded. Otherwise every thread would
 * wait for a server that does not answer. For any number of threads of one child.
 */
typedef struct ss_breaker_t ss_breaker_t;

#define SS_BREAKER_FAILURES 3
#define SS_BREAKER_REST apr_time_from_sec(1)

/** A closed one, in `pool`. */
ss_breaker_t *ss_breaker_create(apr_pool_t *pool);

/** May a call be made now?
 *
 * @param is_noted  will its result be noted, whatever it is? Only such a call can be the one */
int ss_breaker_lets_pass(ss_breaker_t *breaker, int is_noted, apr_time_t now);

typedef enum ss_breaker_news_e {
    SS_BREAKER_SAME,
    SS_BREAKER_OPENED,
    SS_BREAKER_CLOSED
} ss_breaker_news_e;

/** What came of a call. Returns what that has changed. */
ss_breaker_news_e ss_breaker_note(ss_breaker_t *breaker, int has_failed, apr_time_t now);

#endif
