/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_thread_mutex.h>
#include <apr_thread_rwlock.h>

#include "httpd/log.h"
#include "httpd/shared_log.h"
#include "httpd/stores.h"
#include "lib/siphash.h"

struct ss_shared_log_t {
    const ss_server_conf_t *conf;
    apr_pool_t *pool;
    unsigned char key[SS_SIPHASH_KEY_SIZE];
    apr_thread_mutex_t *renewing; /* held by who loads the record */
    apr_thread_rwlock_t *lock;    /* of what follows */
    ss_revocation_t *set;
    apr_time_t loaded; /* 0: never */
    apr_time_t tried;
};

#define TOO_MANY "the revocation log has too many lines"
#define OVERTIME apr_time_from_sec(60) /* that the record outlives its lines */

static const unsigned char id[SS_SESSION_ID_SIZE];

static apr_status_t end_set(void *data)
{
    ss_shared_log_t *log = data;

    ss_revocation_destroy(log->set);
    return APR_SUCCESS;
}

ss_shared_log_t *ss_shared_log_create(const ss_server_conf_t *conf, const unsigned char *key,
                                      apr_pool_t *pool)
{
    ss_shared_log_t *log = apr_pcalloc(pool, sizeof(*log));

    log->conf = conf;
    log->pool = pool;
    memcpy(log->key, key, sizeof(log->key));
    log->set = ss_revocation_create(key, SS_REVOCATION_MAX, pool);
    apr_pool_cleanup_register(pool, log, end_set, apr_pool_cleanup_null);
    apr_thread_mutex_create(&log->renewing, APR_THREAD_MUTEX_DEFAULT, pool);
    apr_thread_rwlock_create(&log->lock, pool);
    return log;
}

/*
 * The record
 */

/** The records, as they were found: one, or two while one store replaces another. */
typedef struct found_t {
    ss_revocation_t *set; /* what they say, and what this child knows besides; to be destroyed */
    unsigned char token[SS_TOKEN_SIZE]; /* of the one that is written; all zero: there is none */
    apr_size_t lacked;                  /* lines that are known, and are not in that one */
} found_t;

static const ss_keyring_t *keys_of(const ss_shared_log_t *log)
{
    return APR_ARRAY_IDX(log->conf->sealing.seals, 0, ss_seal_t).keys;
}

static ss_store_call_t call_of(const ss_shared_log_t *log, apr_time_t deadline, apr_pool_t *pool)
{
    const ss_store_call_t call = {
        .stores = log->conf->stores, .id = id, .deadline = deadline, .pool = pool
    };

    return call;
}

/* Each of these returns NULL, or why that was not possible. */

static const char *read_record(ss_revocation_t *set, unsigned char *token, ss_bytes_t bytes,
                               const ss_shared_log_t *log, apr_pool_t *pool)
{
    ss_revocation_count_t count = { 0, 0, 0, 0 };
    ss_record_t record;

    if (ss_record_open(&record, bytes, id, keys_of(log), pool) != SS_VALID) {
        return "the record of the revocation log does not open: all servers need the same secrets";
    }
    memcpy(token, record.token, SS_TOKEN_SIZE);
    return ss_revocation_read(set, record.text, apr_time_now(), &count) == APR_SUCCESS ? NULL
                                                                                       : TOO_MANY;
}

static const char *read_place(ss_revocation_t *set, unsigned char *token, int place,
                              const ss_shared_log_t *log, apr_time_t deadline, apr_pool_t *pool)
{
    ss_store_call_t call = call_of(log, deadline, pool);
    ss_bytes_t bytes;

    switch (ss_stores_load_from(&call, &bytes, place)) {
    case SS_FETCHED:
        return read_record(set, token, bytes, log, pool);
    case SS_FETCH_FAILED:
        return call.why;
    default:
        return NULL;
    }
}

static const char *merge(found_t *found, const ss_revocation_t *known)
{
    apr_size_t lacked;
    apr_status_t rv = ss_revocation_merge(found->set, known, apr_time_now(), &lacked);

    found->lacked += lacked;
    return rv == APR_SUCCESS ? NULL : TOO_MANY;
}

/* Another server may still write the other store, or write it already. */
static const char *add_place(found_t *found, int place, const ss_shared_log_t *log,
                             apr_time_t deadline, apr_pool_t *pool)
{
    ss_revocation_t *set = ss_revocation_create(log->key, SS_REVOCATION_MAX, log->pool);
    unsigned char token[SS_TOKEN_SIZE];
    const char *why = read_place(set, token, place, log, deadline, pool);

    if (why == NULL) {
        why = merge(found, set);
    }
    ss_revocation_destroy(set);
    return why;
}

/* The place that is written: the first store. */
static int place_to_write(const ss_shared_log_t *log)
{
    int place = 0;

    while (ss_stores_is_cookie(log->conf->stores, place)) {
        place++;
    }
    return place;
}

/* Load them, and add what this child knows. The set is made in every case. */
static const char *load(found_t *found, ss_shared_log_t *log, apr_time_t deadline, apr_pool_t *pool)
{
    int place = place_to_write(log);
    const char *why;

    memset(found, 0, sizeof(*found));
    found->set = ss_revocation_create(log->key, SS_REVOCATION_MAX, log->pool);
    why = read_place(found->set, found->token, place, log, deadline, pool);
    while (why == NULL && ++place < ss_stores_count(log->conf->stores)) {
        if (!ss_stores_is_cookie(log->conf->stores, place)) {
            why = add_place(found, place, log, deadline, pool);
        }
    }
    if (why == NULL) {
        apr_thread_rwlock_rdlock(log->lock);
        why = merge(found, log->set);
        apr_thread_rwlock_unlock(log->lock);
    }
    return why;
}

/* As long as any of its lines holds, which a server with other timeouts may have written. */
static apr_interval_time_t life_of(const ss_revocation_t *set, apr_time_t now)
{
    return apr_time_from_sec(ss_revocation_end(set, now) - apr_time_sec(now)) + OVERTIME;
}

/* Save what was found, with what has been added since, in so many bytes of text. */
static signed_session_store_e save(found_t *found, const ss_shared_log_t *log, apr_size_t room,
                                   apr_time_t deadline, const char **why, apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    ss_store_call_t call = call_of(log, deadline, pool);
    ss_record_t record = { .is_closed = 0 };
    signed_session_store_e result;
    ss_bytes_t bytes, current;

    record.text = ss_revocation_text(found->set, now, pool);
    if (record.text.len > room) {
        *why = "the revocation log of a store has room for 64 KB, and for 32 KB when sessions are "
               "bound";
        return SIGNED_SESSION_STORE_FULL;
    }
    if (ss_record_seal(&bytes, &record, ss_record_counter(found->token) + 1, id, keys_of(log),
                       log->conf->sealing.random, pool) != APR_SUCCESS) {
        *why = "OpenSSL failed to seal the revocation log";
        return SIGNED_SESSION_STORE_UNAVAILABLE;
    }
    result = ss_stores_save(&call, place_to_write(log), found->token, bytes,
                            life_of(found->set, now), &current);
    *why = call.why;
    return result;
}

/* What was found is what this child knows from now on. */
static void take(ss_shared_log_t *log, found_t *found)
{
    ss_revocation_t *old = log->set;

    apr_thread_rwlock_wrlock(log->lock);
    log->set = found->set;
    log->loaded = apr_time_now();
    apr_thread_rwlock_unlock(log->lock);
    ss_revocation_destroy(old);
}

/*
 * The copy
 */

static apr_time_t time_of(const ss_shared_log_t *log, const apr_time_t *member)
{
    apr_time_t time;

    apr_thread_rwlock_rdlock(log->lock);
    time = *member;
    apr_thread_rwlock_unlock(log->lock);
    return time;
}

static void renew_now(ss_shared_log_t *log, const char **why, apr_pool_t *pool)
{
    apr_time_t deadline = apr_time_now() + log->conf->store_timeout;
    found_t found;

    apr_thread_rwlock_wrlock(log->lock);
    log->tried = apr_time_now();
    apr_thread_rwlock_unlock(log->lock);
    *why = load(&found, log, deadline, pool);
    if (*why != NULL) {
        ss_revocation_destroy(found.set);
        return;
    }
    if (found.lacked > 0) {
        const char *ignored;

        save(&found, log, SS_SHARED_LOG_MAX, deadline, &ignored,
             pool); /* else the next one tries */
    }
    take(log, &found);
}

/* Renew the copy if it is due. Who comes meanwhile waits only when there is none yet. */
static void renew(ss_shared_log_t *log, const char **why, apr_pool_t *pool)
{
    int is_first = time_of(log, &log->loaded) == 0;

    *why = "it could not be loaded for a minute";
    if (!is_first && apr_time_now() - time_of(log, &log->tried) < SS_SHARED_LOG_FRESH) {
        return;
    }
    if (is_first) {
        apr_thread_mutex_lock(log->renewing);
    }
    else if (apr_thread_mutex_trylock(log->renewing) != APR_SUCCESS) {
        return;
    }
    if (apr_time_now() - time_of(log, &log->tried) >= SS_SHARED_LOG_FRESH) {
        renew_now(log, why, pool);
    }
    apr_thread_mutex_unlock(log->renewing);
}

/* Make the copy as new as this call, unless somebody has just done that. */
static void renew_at_once(ss_shared_log_t *log, apr_pool_t *pool)
{
    apr_time_t asked = apr_time_now();
    const char *why;

    apr_thread_mutex_lock(log->renewing);
    if (time_of(log, &log->tried) < asked) {
        renew_now(log, &why, pool);
    }
    apr_thread_mutex_unlock(log->renewing);
}

ss_state_e ss_shared_log_judge(ss_shared_log_t *log, ss_revocable_t *session, const char **why,
                               apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    ss_state_e state = SS_UNAVAILABLE;

    renew(log, why, pool);
    apr_thread_rwlock_rdlock(log->lock);
    if (log->loaded != 0 && now - log->loaded <= SS_SHARED_LOG_STALE) {
        state = ss_revocation_covers(log->set, session, now) ? SS_REVOKED : SS_VALID;
    }
    apr_thread_rwlock_unlock(log->lock);
    return state;
}

typedef apr_int64_t time_fn(const ss_revocation_t *set, ss_bytes_t subject, apr_time_t now);

static apr_int64_t ask_time(ss_shared_log_t *log, time_fn *ask, ss_bytes_t subject,
                            apr_pool_t *pool)
{
    apr_int64_t time;

    /* a copy that is a second old would have whoever comes back at once logged out by the next */
    renew_at_once(log, pool);
    apr_thread_rwlock_rdlock(log->lock);
    time = ask(log->set, subject, apr_time_now());
    apr_thread_rwlock_unlock(log->lock);
    return time;
}

apr_int64_t ss_shared_log_earliest(ss_shared_log_t *log, ss_bytes_t subject, apr_pool_t *pool)
{
    return ask_time(log, ss_revocation_earliest, subject, pool);
}

apr_int64_t ss_shared_log_latest(ss_shared_log_t *log, ss_bytes_t subject, apr_pool_t *pool)
{
    return ask_time(log, ss_revocation_latest, subject, pool);
}

/* One that is to be replaced: is it known already? */
static int has_id(const ss_revocation_t *set, const ss_revocation_line_t *line)
{
    ss_revocable_t revocable = { (const unsigned char *)line->value.data, ss_absent, SS_NO_TIME,
                                 0 };

    return ss_revocation_covers(set, &revocable, apr_time_now()) || revocable.is_replaced;
}

/* Anybody who can log in can have as many sessions bound as he likes: half of the room remains for
 * what people and applications revoke. */
static apr_size_t room_for(const ss_revocation_line_t *line)
{
    return line->kind == SS_REVOKED_REPLACED ? SS_SHARED_LOG_MAX / 2 : SS_SHARED_LOG_MAX;
}

/* One try. APR_EBUSY: another server was faster. */
static apr_status_t try_to_add(ss_shared_log_t *log, const ss_revocation_line_t *line,
                               apr_time_t deadline, const char **why, apr_pool_t *pool)
{
    apr_status_t rv = APR_EGENERAL;
    found_t found;

    *why = load(&found, log, deadline, pool);
    if (*why == NULL && line->kind == SS_REVOKED_REPLACED && has_id(found.set, line)) {
        *why = "another request has replaced it";
        rv = APR_EEXIST;
    }
    else if (*why == NULL) {
        *why = TOO_MANY;
        rv = ss_revocation_add(found.set, line, apr_time_now());
    }
    if (rv == APR_SUCCESS) {
        switch (save(&found, log, room_for(line), deadline, why, pool)) {
        case SIGNED_SESSION_STORE_SAVED:
            take(log, &found);
            return APR_SUCCESS;
        case SIGNED_SESSION_STORE_CONFLICT:
        case SIGNED_SESSION_STORE_ABSENT:
            rv = APR_EBUSY;
            break;
        case SIGNED_SESSION_STORE_FULL:
            rv = APR_ENOSPC;
            break;
        default:
            rv = APR_EGENERAL;
        }
    }
    ss_revocation_destroy(found.set);
    return rv;
}

/* Its time begins when it is its turn: of many who log out at once nobody is to be left out. */
apr_status_t ss_shared_log_add(ss_shared_log_t *log, const ss_revocation_line_t *line,
                               const char **why, apr_pool_t *pool)
{
    apr_time_t deadline;
    apr_status_t rv;
    int tries = 0;

    apr_thread_mutex_lock(log->renewing);
    deadline = apr_time_now() + log->conf->store_timeout;
    do {
        rv = try_to_add(log, line, deadline, why, pool);
    } while (rv == APR_EBUSY && ++tries > 0 && apr_time_now() < deadline);
    apr_thread_mutex_unlock(log->renewing);
    if (rv == APR_EBUSY || (rv == APR_EGENERAL && tries > 0)) {
        *why = "other servers write to the revocation log all the time";
    }
    return rv;
}
