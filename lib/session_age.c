/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/session.h"

/* How old a stamp is and how long it still holds, in whole seconds. */

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

static int is_ahead(apr_int64_t stamped, apr_interval_time_t skew, apr_time_t now)
{
    return stamped != SS_NO_TIME && -age_of(stamped, now) > apr_time_sec(skew);
}

ss_state_e ss_session_judge(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime, apr_time_t now)
{
    if (is_ahead(stamp->renewed, lifetime->skew, now) ||
        is_ahead(stamp->created, lifetime->skew, now)) {
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

/* Seconds until a stamp's age exceeds `limit`. A clock that was ahead does not lengthen it. */
static apr_int64_t left_of(apr_interval_time_t limit, apr_int64_t stamped, apr_time_t now)
{
    apr_int64_t age = age_of(stamped, now), left;

    left = apr_time_sec(limit) - (age > 0 ? age : 0);
    return left > 0 ? left : 0;
}

apr_int64_t ss_session_expires_in(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime,
                                  apr_time_t now)
{
    apr_int64_t absolute = ss_session_absolute_expires_in(stamp, lifetime, now);
    apr_int64_t idle;

    if (lifetime->idle == SS_FOREVER) {
        return absolute;
    }

    idle = stamp->renewed != SS_NO_TIME ? left_of(lifetime->idle, stamp->renewed, now)
                                        : apr_time_sec(lifetime->idle);
    return absolute >= 0 && absolute < idle ? absolute : idle;
}

apr_int64_t ss_session_absolute_expires_in(const ss_stamp_t *stamp, const ss_lifetime_t *lifetime,
                                           apr_time_t now)
{
    if (lifetime->absolute == SS_FOREVER || stamp->created == SS_NO_TIME) {
        return -1;
    }

    return left_of(lifetime->absolute, stamp->created, now);
}
