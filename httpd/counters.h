/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_COUNTERS_H
#define SS_COUNTERS_H

#include "httpd/part.h"
#include "lib/base.h"

/*
 * What has happened since httpd started, counted by all its processes in memory that they share. It
 * outlives every kind of restart, and is gone when httpd stops. Each child adds to a part of its
 * own, so that busy processors do not wait for each other; a reader adds the parts up.
 */

/** What was written into a response. */
typedef enum ss_written_e {
    SS_WRITTEN_CREATED,
    SS_WRITTEN_CHANGED,
    SS_WRITTEN_RENEWED,
    SS_WRITTEN_ENDED,
    SS_WRITTEN_MIGRATED, /* from another format */
    SS_WRITTEN_KINDS
} ss_written_e;

/** What was not. */
typedef enum ss_refused_e {
    SS_REFUSED_TOO_LARGE,
    SS_REFUSED_BAD_UPDATE,
    SS_REFUSED_KEY, /* it may not be written there */
    SS_REFUSED_TOO_LATE,
    SS_REFUSED_CROSS_SITE,
    SS_REFUSED_READ_ONLY,
    SS_REFUSED_ENDED,     /* the session was ended meanwhile */
    SS_REFUSED_CONTENDED, /* others change it all the time */
    SS_REFUSED_FULL,      /* the store is */
    SS_REFUSED_UNAVAILABLE,
    SS_REFUSED_UNSEALED, /* libcrypto or zlib failed */
    SS_REFUSED_KINDS
} ss_refused_e;

#define SS_COUNTED_KEYS 16 /* those behind are counted with the last */

/** The numbers of the counters. */
enum {
    SS_COUNT_REQUESTS = 0, /* + ss_state_e */
    SS_COUNT_WRITES = SS_COUNT_REQUESTS + SS_STATES,
    SS_COUNT_REFUSALS = SS_COUNT_WRITES + SS_WRITTEN_KINDS,
    SS_COUNT_OPENED = SS_COUNT_REFUSALS + SS_REFUSED_KINDS,    /* + place of the secret */
    SS_COUNT_STORE_ERRORS = SS_COUNT_OPENED + SS_COUNTED_KEYS, /* + 0: load, 1: save */
    SS_COUNT_STORE_CONFLICTS = SS_COUNT_STORE_ERRORS + 2,
    SS_COUNT_REVOCATIONS = SS_COUNT_STORE_CONFLICTS + 1, /* + ss_revoked_e */
    SS_COUNTERS = SS_COUNT_REVOCATIONS + 3
};

/** Add one. Before httpd has started, and where there is no shared memory, nothing is counted. */
void ss_count(int counter);

/** The same for a cookie that one of the secrets has opened, now. */
void ss_count_opened(int key, apr_time_t now);

/** What all processes have counted. */
apr_uint64_t ss_counters_read(int counter);

/** When a secret last opened a cookie, in seconds since 1970; 0: it has not since the start. */
apr_int64_t ss_counters_last_opened(int key);

/** When counting began. */
apr_time_t ss_counters_since(void);

/** Counters of one name that differ in a label. */
typedef struct ss_counter_family_t {
    const char *name; /* without the prefix "signed_session_" */
    const char *help;
    const char *label; /* NULL: it is one counter */
    const char *const
        *values;      /* of the label; NULL: the counter's number in the family, or a state */
    int first, count; /* the counters */
} ss_counter_family_t;

/** All of them; ends with a name of NULL. */
extern const ss_counter_family_t ss_counter_families[];

/** The label's value of the counter at this place of its family. */
const char *ss_counter_value(const ss_counter_family_t *family, int place, apr_pool_t *pool);

/** Start: the shared memory, or that of before a restart. */
ss_part_fn ss_counters_settle;

/** In each child. */
void ss_counters_open(server_rec *main, apr_pool_t *pchild);

#endif
