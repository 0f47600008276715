/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/lifetime.h"

/* A stamp's age; negative when it lies ahead. */
static apr_int64_t age_of(apr_int64_t stamped, apr_time_t now)
{
    return apr_time_sec(now) - stamped;
}

static int is_over(apr_int64_t stamped, apr_interval_time_t limit, apr_time_t now)
{
    return stamped != SS_NO_TIME && limit != SS_FOREVER &&
           age_of(stamped, now) > apr_time_sec(limit);
}

/* A session that begins in the second of a revocation is dated behind it. */
#define ALWAYS_ALLOWED 2 /* seconds */

apr_int64_t ss_lifetime_ahead(const ss_lifetime_t *lifetime)
{
    apr_int64_t skew = apr_time_sec(lifetime->skew);

    return skew > ALWAYS_ALLOWED ? skew : ALWAYS_ALLOWED;
}

apr_interval_time_t ss_lifetime_longest(const ss_lifetime_t *lifetime)
{
    return lifetime->idle > lifetime->absolute ? lifetime->idle : lifetime->absolute;
}

apr_int64_t ss_lifetime_furthest(const ss_lifetime_t *lifetime, apr_time_t now)
{
    return apr_time_sec(now) + ss_lifetime_ahead(lifetime);
}

static int is_ahead(apr_int64_t stamped, const ss_lifetime_t *lifetime, apr_time_t now)
{
    return stamped != SS_NO_TIME && stamped > ss_lifetime_furthest(lifetime, now);
}

ss_state_e ss_lifetime_judge(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime, apr_time_t now)
{
    if (is_ahead(stamp->renewed, lifetime, now) || is_ahead(stamp->created, lifetime, now)) {
        return SS_FROM_FUTURE;
    }
    if (is_over(stamp->renewed, lifetime->idle, now)) {
        return SS_EXPIRED_IDLE;
    }
    if (is_over(stamp->created, lifetime->absolute, now)) {
        return SS_EXPIRED_ABSOLUTE;
    }
    return SS_VALID;
}

void ss_lifetime_explain(ss_untimely_t *untimely, ss_state_e state, const ss_stamp_t *stamp,
                         const ss_lifetime_t *lifetime, apr_time_t now)
{
    const ss_untimely_t renewed = { "renewed", stamp->renewed, age_of(stamp->renewed, now),
                                    apr_time_sec(lifetime->idle) };
    const ss_untimely_t created = { "created", stamp->created, age_of(stamp->created, now),
                                    apr_time_sec(lifetime->absolute) };

    switch (state) {
    case SS_EXPIRED_IDLE:
        *untimely = renewed;
        break;
    case SS_EXPIRED_ABSOLUTE:
        *untimely = created;
        break;
    case SS_FROM_FUTURE:
        *untimely = is_ahead(stamp->renewed, lifetime, now) ? renewed : created;
        untimely->age = -untimely->age;
        untimely->limit = apr_time_sec(lifetime->skew);
        break;
    default:
        memset(untimely, 0, sizeof(*untimely));
    }
}

const char *ss_lifetime_span(apr_int64_t seconds, apr_pool_t *pool)
{
    static const struct {
        const char *unit;
        apr_int64_t seconds;
    } units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
    const char *text = "";
    int count = 0;

    for (int i = 0; i < 4 && count < 2; i++) {
        apr_int64_t whole = seconds / units[i].seconds;

        if (whole > 0 || (i == 3 && count == 0)) {
            text = apr_psprintf(pool, "%s%s%" APR_INT64_T_FMT "%s", text, count > 0 ? " " : "",
                                whole, units[i].unit);
            count++;
            seconds %= units[i].seconds;
        }
        else if (count > 0) {
            break;
        }
    }
    return text;
}

/* Seconds until a stamp's age exceeds `limit`. A clock that was ahead does not lengthen it. */
static apr_int64_t left_of(apr_interval_time_t limit, apr_int64_t stamped, apr_time_t now)
{
    apr_int64_t age = age_of(stamped, now);
    apr_int64_t left = apr_time_sec(limit) - (age > 0 ? age : 0);

    return left > 0 ? left : 0;
}

apr_int64_t ss_lifetime_left(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime, apr_time_t now)
{
    apr_int64_t absolute = ss_lifetime_absolute_left(stamp, lifetime, now);
    apr_int64_t idle;

    if (lifetime->idle == SS_FOREVER) {
        return absolute;
    }
    idle = stamp->renewed != SS_NO_TIME ? left_of(lifetime->idle, stamp->renewed, now)
                                        : apr_time_sec(lifetime->idle);
    return absolute >= 0 && absolute < idle ? absolute : idle;
}

apr_int64_t ss_lifetime_absolute_left(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime,
                                      apr_time_t now)
{
    if (lifetime->absolute == SS_FOREVER || stamp->created == SS_NO_TIME) {
        return -1;
    }
    return left_of(lifetime->absolute, stamp->created, now);
}

int ss_lifetime_is_due(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime, apr_time_t now)
{
    const ss_renew_t *renew = &lifetime->renew;
    apr_int64_t age;

    if (stamp->renewed == SS_NO_TIME) {
        return renew->kind == SS_RENEW_ALWAYS;
    }
    age = age_of(stamp->renewed, now);
    switch (renew->kind) {
    case SS_RENEW_ALWAYS:
        return 1;
    case SS_RENEW_AFTER:
        return age >= apr_time_sec(renew->after);
    case SS_RENEW_PERCENT:
        return lifetime->idle != SS_FOREVER &&
               age * 100 >= apr_time_sec(lifetime->idle) * renew->percent;
    default:
        return 0;
    }
}

/* Seconds of age at which a renewal is due, 0 when age does not decide. */
static apr_int64_t due_age(const ss_lifetime_t *lifetime)
{
    const ss_renew_t *renew = &lifetime->renew;

    if (renew->kind == SS_RENEW_AFTER) {
        return apr_time_sec(renew->after);
    }
    return renew->kind == SS_RENEW_PERCENT && lifetime->idle != SS_FOREVER
               ? apr_time_sec(lifetime->idle) * renew->percent / 100
               : 0;
}

apr_int64_t ss_lifetime_head_start(const ss_lifetime_t *lifetime)
{
    apr_int64_t seconds = apr_time_sec(lifetime->skew), due = due_age(lifetime);

    if (lifetime->idle != SS_FOREVER && seconds > apr_time_sec(lifetime->idle) / 10) {
        seconds = apr_time_sec(lifetime->idle) / 10;
    }
    return due > 0 && seconds > due / 2 ? due / 2 : seconds;
}

const char *ss_lifetime_print(apr_int64_t seconds, apr_pool_t *pool)
{
    return seconds < 0 ? "null" : apr_psprintf(pool, "%" APR_INT64_T_FMT, seconds);
}

apr_status_t ss_stamp_next(ss_stamp_t *next, const ss_stamp_t *stamp, int is_changed,
                           apr_time_t now, ss_random_fn *random)
{
    *next = *stamp;
    next->renewed = apr_time_sec(now);
    if (next->created == SS_NO_TIME) {
        next->created = stamp->renewed != SS_NO_TIME ? stamp->renewed : next->renewed;
    }
    /* a new session, or one that comes from a format without ids */
    if (next->counter == 0) {
        next->counter = 1;
        return random(next->id, sizeof(next->id));
    }
    if (next->counter < APR_UINT32_MAX && is_changed) {
        next->counter++;
    }
    return APR_SUCCESS;
}
