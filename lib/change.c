/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>

#include "lib/change.h"
#include "lib/encode.h"

const ss_change_t ss_change_end = { SS_CHANGE_END, { NULL, 0 }, { { NULL, 0 } } };

const ss_change_t ss_change_login = { SS_CHANGE_LOGIN, { NULL, 0 }, { { NULL, 0 } } };

const ss_change_t ss_change_alone = { SS_CHANGE_ALONE, { NULL, 0 }, { { NULL, 0 } } };

int ss_key_is_acceptable(ss_bytes_t name)
{
    return ss_utf8_is_valid(name) && ss_json_is_plain(name);
}

static void go_on_alone(ss_session_t *session)
{
    const ss_stamp_t stamp = *ss_session_stamp(session);

    if (ss_stamp_is_bound(&stamp)) {
        ss_session_stay_bound(session, &stamp);
    }
    else {
        ss_session_renew_identity(session);
    }
}

int ss_change_make(ss_session_t *session, const ss_change_t *change)
{
    switch (change->kind) {
    case SS_CHANGE_SET:
        return ss_session_set(session, change->name, change->value);
    case SS_CHANGE_UNSET:
        ss_session_unset(session, change->name);
        break;
    case SS_CHANGE_UPDATE:
        return ss_session_update(session, change->value);
    case SS_CHANGE_MERGE:
        return ss_session_merge(session, change->value);
    case SS_CHANGE_REPLACE:
        return ss_session_replace(session, change->value);
    case SS_CHANGE_HIDE:
        return ss_session_hide(session, change->value);
    case SS_CHANGE_END:
        ss_session_clear(session);
        break;
    case SS_CHANGE_LOGIN:
        ss_session_renew_identity(session);
        break;
    case SS_CHANGE_ALONE:
        go_on_alone(session);
        break;
    case SS_CHANGE_BIND:
        ss_session_bind(session, (const unsigned char *)change->name.data);
        break;
    }
    return 1;
}

static ss_bytes_t copy_bytes(ss_bytes_t bytes, apr_pool_t *pool)
{
    return bytes.data == NULL ? bytes
                              : ss_bytes(apr_pmemdup(pool, bytes.data, bytes.len), bytes.len);
}

ss_change_t ss_change_copy(const ss_change_t *change, apr_pool_t *pool)
{
    ss_change_t copy = { change->kind, copy_bytes(change->name, pool),
                         ss_json_copy(change->value, pool) };

    return copy;
}
