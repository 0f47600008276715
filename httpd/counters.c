/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_shm.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include "httpd/counters.h"
#include "httpd/log.h"

#define PARTS 64
#define LINE 64 /* bytes of memory that a processor takes at a time */

/* One child's, or that of several. */
typedef struct part_t {
    apr_uint64_t counters[SS_COUNTERS];
    apr_int64_t last_opened[SS_COUNTED_KEYS];
    /* cppcheck-suppress unusedStructMember */
    char gap[LINE]; /* to the next child's */
} part_t;

/* Another layout takes fresh memory: its size is part of the name that it is kept under. */
typedef struct shared_t {
    apr_time_t since;
    apr_uint64_t children; /* that have begun */
    part_t parts[PARTS];
} shared_t;

static shared_t *shared; /* NULL: nothing is counted */
static part_t *mine;     /* of this child; NULL in the parent */

/* clang-format off */
static const char *const written[] = {
    [SS_WRITTEN_CREATED]  = "created",
    [SS_WRITTEN_CHANGED]  = "changed",
    [SS_WRITTEN_RENEWED]  = "renewed",
    [SS_WRITTEN_ENDED]    = "ended",
    [SS_WRITTEN_MIGRATED] = "migrated",
};

static const char *const refused[] = {
    [SS_REFUSED_TOO_LARGE]   = "too-large",
    [SS_REFUSED_BAD_UPDATE]  = "bad-update",
    [SS_REFUSED_KEY]         = "key-not-allowed",
    [SS_REFUSED_TOO_LATE]    = "too-late",
    [SS_REFUSED_CROSS_SITE]  = "cross-site",
    [SS_REFUSED_READ_ONLY]   = "read-only",
    [SS_REFUSED_ENDED]       = "ended-meanwhile",
    [SS_REFUSED_CONTENDED]   = "contended",
    [SS_REFUSED_FULL]        = "store-full",
    [SS_REFUSED_UNAVAILABLE] = "store-unavailable",
    [SS_REFUSED_UNSEALED]    = "unsealed",
    [SS_REFUSED_UNPROVEN]    = "unproven",
    [SS_REFUSED_REPLACED]    = "replaced",
};

static const char *const operations[] = { "load", "save" };
static const char *const revoked[] = { "id", "subject", "all", "replaced" };

static const char *const bindings[] = {
    [SS_BINDING_OFFERED]    = "offered",
    [SS_BINDING_REGISTERED] = "registered",
    [SS_BINDING_REFUSED]    = "refused",
    [SS_BINDING_CHALLENGED] = "challenged",
    [SS_BINDING_REFRESHED]  = "refreshed",
    [SS_BINDING_ENDED]      = "ended",
};

const ss_counter_family_t ss_counter_families[] = {
    { "requests", "Requests where sessions are on, or that a session was loaded for, by what the cookie was.",
      "state", NULL, SS_COUNT_REQUESTS, SS_STATES },
    { "writes", "Responses with a session cookie of ours, by why it was sent.",
      "reason", written, SS_COUNT_WRITES, SS_WRITTEN_KINDS },
    { "refusals", "Changes of a session that were not made, by why.",
      "reason", refused, SS_COUNT_REFUSALS, SS_REFUSED_KINDS },
    { "opened", "Valid cookies, by the place of the secret that opened them; 0 seals.",
      "key", NULL, SS_COUNT_OPENED, SS_COUNTED_KEYS },
    { "store_errors", "Calls of a store that it did not answer.",
      "operation", operations, SS_COUNT_STORE_ERRORS, 2 },
    { "store_conflicts", "Saves that another request was faster than; the changes were made again.",
      NULL, NULL, SS_COUNT_STORE_CONFLICTS, 1 },
    { "revocations", "Entries that were added to the log of revocations by this httpd.",
      "kind", revoked, SS_COUNT_REVOCATIONS, 4 },
    { "bindings", "What was said of the binding of sessions to keys of browsers.",
      "event", bindings, SS_COUNT_BINDINGS, SS_BINDING_KINDS },
    { .name = NULL }
};
/* clang-format on */

const char *ss_counter_value(const ss_counter_family_t *family, int place, apr_pool_t *pool)
{
    if (family->values != NULL) {
        return family->values[place];
    }
    return family->first == SS_COUNT_REQUESTS ? ss_state_name((ss_state_e)place)
                                              : apr_itoa(pool, place);
}

/*
 * Counting. APR has no atomic addition for 64 bits before 1.7.
 */

void ss_count(int counter)
{
    if (mine != NULL) {
        __atomic_fetch_add(&mine->counters[counter], 1, __ATOMIC_RELAXED);
    }
}

void ss_count_opened(int key, apr_time_t now)
{
    int place = key < SS_COUNTED_KEYS ? key : SS_COUNTED_KEYS - 1;

    if (mine != NULL) {
        ss_count(SS_COUNT_OPENED + place);
        __atomic_store_n(&mine->last_opened[place], apr_time_sec(now), __ATOMIC_RELAXED);
    }
}

apr_uint64_t ss_counters_read(int counter)
{
    apr_uint64_t sum = 0;

    for (int i = 0; shared != NULL && i < PARTS; i++) {
        sum += __atomic_load_n(&shared->parts[i].counters[counter], __ATOMIC_RELAXED);
    }
    return sum;
}

apr_int64_t ss_counters_last_opened(int key)
{
    apr_int64_t last = 0;

    for (int i = 0; shared != NULL && i < PARTS; i++) {
        apr_int64_t its = __atomic_load_n(&shared->parts[i].last_opened[key], __ATOMIC_RELAXED);

        last = its > last ? its : last;
    }
    return last;
}

apr_time_t ss_counters_since(void)
{
    return shared == NULL ? 0 : shared->since;
}

/*
 * Start
 */

static shared_t *make_memory(apr_pool_t *process)
{
    apr_shm_t *memory;
    shared_t *made;

    /* without a name: it is the children's by inheritance */
    if (apr_shm_create(&memory, sizeof(*made), NULL, process) != APR_SUCCESS) {
        return NULL;
    }
    made = apr_shm_baseaddr_get(memory);
    memset(made, 0, sizeof(*made));
    made->since = apr_time_now();
    return made;
}

int ss_counters_settle(ss_start_t *start)
{
    const char *key = "mod_signed_session counters " APR_STRINGIFY(1);
    const char *name =
        apr_psprintf(start->scratch, "%s, %" APR_SIZE_T_FMT " bytes", key, sizeof(shared_t));
    shared_t **kept;

    if (start->keys == NULL) {
        return OK;
    }
    kept = ap_retained_data_get(name);
    if (kept == NULL) {
        kept = ap_retained_data_create(name, sizeof(*kept));
        *kept = make_memory(start->main->process->pool);
    }
    shared = *kept;
    if (shared == NULL) {
        ss_log_server(start->main, APLOG_WARNING, "SS0600",
                      "there is no shared memory for counters: nothing is counted");
    }
    return OK;
}

void ss_counters_open(server_rec *main, apr_pool_t *pchild)
{
    (void)main;
    (void)pchild;
    if (shared != NULL) {
        apr_uint64_t number = __atomic_fetch_add(&shared->children, 1, __ATOMIC_RELAXED);

        mine = &shared->parts[number % PARTS];
    }
}
