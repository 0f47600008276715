/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_thread_mutex.h>

#include "httpd/breaker.h"

struct ss_breaker_t {
    apr_thread_mutex_t *mutex;
    int failures;   /* in a row */
    apr_time_t due; /* open: when the next call may be made */
};

ss_breaker_t *ss_breaker_create(apr_pool_t *pool)
{
    ss_breaker_t *breaker = apr_pcalloc(pool, sizeof(*breaker));

    apr_thread_mutex_create(&breaker->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    return breaker;
}

static int is_open(const ss_breaker_t *breaker)
{
    return breaker->failures >= SS_BREAKER_FAILURES;
}

int ss_breaker_lets_pass(ss_breaker_t *breaker, int is_noted, apr_time_t now)
{
    int passes;

    apr_thread_mutex_lock(breaker->mutex);
    passes = !is_open(breaker) || (is_noted && now >= breaker->due);
    if (passes && is_open(breaker)) {
        /* the probe: nobody else until it has come back, or is long overdue */
        breaker->due = now + 10 * SS_BREAKER_REST;
    }
    apr_thread_mutex_unlock(breaker->mutex);
    return passes;
}

ss_breaker_news_e ss_breaker_note(ss_breaker_t *breaker, int has_failed, apr_time_t now)
{
    ss_breaker_news_e news = SS_BREAKER_SAME;
    int was_open;

    apr_thread_mutex_lock(breaker->mutex);
    was_open = is_open(breaker);
    if (!has_failed) {
        breaker->failures = 0;
        news = was_open ? SS_BREAKER_CLOSED : SS_BREAKER_SAME;
    }
    else {
        breaker->failures += !was_open;
        breaker->due = now + SS_BREAKER_REST;
        news = !was_open && is_open(breaker) ? SS_BREAKER_OPENED : SS_BREAKER_SAME;
    }
    apr_thread_mutex_unlock(breaker->mutex);
    return news;
}
