/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <ap_provider.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <httpd.h>
#include <http_core.h>
#include <http_main.h>

#include "httpd/breaker.h"
#include "httpd/config.h"
#include "httpd/counters.h"
#include "httpd/log.h"
#include "httpd/stores.h"

#define CLOSED_LIVES apr_time_from_sec(10)
#define STRIPES 64 /* sessions that are changed at a time in one child, unless two share one */

struct ss_place_t {
    const char *words; /* as they are written */
    const char *name;
    const signed_session_store_t *provider; /* NULL: the cookie */
    void *store;
    ss_breaker_t *breaker; /* of a remote one, in children; else NULL */
};

struct ss_stores_t {
    int count;
    ss_place_t places[SS_PLACES_MAX];
    int has_store;
    server_rec *server;                   /* for the log */
    apr_thread_mutex_t *stripes[STRIPES]; /* in children */
};

/*
 * What they are
 */

int ss_stores_count(const ss_stores_t *stores)
{
    return stores->count;
}

int ss_stores_is_cookie(const ss_stores_t *stores, int place)
{
    return stores->places[place].provider == NULL;
}

int ss_stores_has_store(const ss_stores_t *stores)
{
    return stores->has_store;
}

const char *ss_stores_name(const ss_stores_t *stores, int place)
{
    return stores->places[place].name;
}

/*
 * Calls
 */

/* Does a failure say something of the store? Not where others have taken most of the time. */
static int is_telling(const ss_store_call_t *call)
{
    apr_interval_time_t whole = ss_server_conf(call->stores->server)->store_timeout;

    return !call->again && call->deadline - apr_time_now() >= whole / 2;
}

static int is_asked(const ss_place_t *place, ss_store_call_t *call, int telling)
{
    apr_time_t now = apr_time_now();

    if (place->breaker == NULL || call->again) {
        return 1;
    }
    if (now >= call->deadline) {
        call->why = "other requests have taken all the time";
        return 0;
    }
    if (!ss_breaker_lets_pass(place->breaker, telling, now)) {
        call->why = "it has failed several times, and is left alone for a moment";
        return 0;
    }
    return 1;
}

static void note_result(const ss_stores_t *stores, const ss_place_t *place, int has_failed,
                        int telling)
{
    ss_breaker_news_e news;

    if (place->breaker == NULL || (has_failed && !telling)) {
        return;
    }
    news = ss_breaker_note(place->breaker, has_failed, apr_time_now());
    if (news != SS_BREAKER_SAME) {
        ss_log_server(stores->server, APLOG_NOTICE, "SS0408", "the store \"%s\" %s in this child",
                      place->words,
                      news == SS_BREAKER_OPENED
                          ? "has failed several times and is asked once a second only"
                          : "answers again");
    }
}

static ss_fetched_e load_from(const ss_place_t *place, ss_store_call_t *call, ss_bytes_t *bytes)
{
    int telling = is_telling(call);
    signed_session_bytes_t value;
    signed_session_store_e result;

    if (!is_asked(place, call, telling)) {
        return SS_FETCH_FAILED;
    }
    result = place->provider->load(place->store, call->id, &value, call->deadline, &call->why,
                                   call->pool);
    note_result(call->stores, place, result == SIGNED_SESSION_STORE_UNAVAILABLE, telling);
    if (result == SIGNED_SESSION_STORE_UNAVAILABLE) {
        ss_count(SS_COUNT_STORE_ERRORS);
    }
    switch (result) {
    case SIGNED_SESSION_STORE_FOUND:
        *bytes = ss_bytes((const char *)value.data, value.len);
        return SS_FETCHED;
    case SIGNED_SESSION_STORE_ABSENT:
        return SS_FETCHED_NOTHING;
    default:
        return SS_FETCH_FAILED;
    }
}

ss_fetched_e ss_stores_load_from(ss_store_call_t *call, ss_bytes_t *bytes, int place)
{
    return load_from(&call->stores->places[place], call, bytes);
}

ss_fetched_e ss_stores_load(ss_store_call_t *call, ss_bytes_t *bytes, int *place)
{
    ss_fetched_e fetched = SS_FETCHED_NOTHING;

    for (; *place < call->stores->count; (*place)++) {
        if (ss_stores_is_cookie(call->stores, *place)) {
            continue;
        }
        fetched = ss_stores_load_from(call, bytes, *place);
        if (fetched != SS_FETCHED_NOTHING) {
            break;
        }
    }
    return fetched;
}

signed_session_store_e ss_stores_save(ss_store_call_t *call, int place_,
                                      const unsigned char *expected, ss_bytes_t bytes,
                                      apr_interval_time_t ttl, ss_bytes_t *current)
{
    const ss_place_t *place = &call->stores->places[place_];
    const signed_session_bytes_t value = { (const unsigned char *)bytes.data, bytes.len };
    signed_session_bytes_t there = { NULL, 0 };
    int telling = is_telling(call);
    signed_session_store_e result;

    if (!is_asked(place, call, telling)) {
        return SIGNED_SESSION_STORE_UNAVAILABLE;
    }
    result = place->provider->save(place->store, call->id, expected, &value, ttl, &there,
                                   call->deadline, &call->why, call->pool);
    note_result(call->stores, place, result == SIGNED_SESSION_STORE_UNAVAILABLE, telling);
    if (result == SIGNED_SESSION_STORE_UNAVAILABLE) {
        ss_count(SS_COUNT_STORE_ERRORS + 1);
    }
    if (result == SIGNED_SESSION_STORE_CONFLICT) {
        ss_count(SS_COUNT_STORE_CONFLICTS);
    }
    *current = ss_bytes((const char *)there.data, there.len);
    return result;
}

signed_session_store_e ss_stores_close(ss_store_call_t *call, int place,
                                       const unsigned char *expected, ss_bytes_t closed,
                                       ss_bytes_t *current)
{
    ss_bytes_t there;
    signed_session_store_e result =
        ss_stores_save(call, place, expected, closed, CLOSED_LIVES, current);

    return result == SIGNED_SESSION_STORE_FULL &&
                   ss_stores_load_from(call, &there, place) == SS_FETCHED_NOTHING
               ? SIGNED_SESSION_STORE_ABSENT
               : result;
}

static apr_thread_mutex_t *stripe_of(const ss_stores_t *stores, const unsigned char *id)
{
    return stores->stripes[id[0] % STRIPES];
}

void ss_stores_lock(const ss_stores_t *stores, const unsigned char *id)
{
    apr_thread_mutex_lock(stripe_of(stores, id));
}

void ss_stores_unlock(const ss_stores_t *stores, const unsigned char *id)
{
    apr_thread_mutex_unlock(stripe_of(stores, id));
}

/*
 * Start
 */

/* The stores that modules have registered: "cookie, file". */
static const char *known_names(apr_pool_t *pool)
{
    const apr_array_header_t *names =
        ap_list_provider_names(pool, SIGNED_SESSION_STORE_GROUP, SIGNED_SESSION_STORE_VERSION);
    const char *all = "cookie";

    for (int i = 0; i < names->nelts; i++) {
        all = apr_pstrcat(pool, all, ", ",
                          APR_ARRAY_IDX(names, i, ap_list_provider_names_t).provider_name, NULL);
    }
    return all;
}

static const char *fault_of_name(const char *name, apr_pool_t *pool)
{
    static const char *const of_redis[] = { "redis", "rediss", "redis+sentinel", "rediss+sentinel",
                                            NULL };
    const char *hint = "";

    for (int i = 0; of_redis[i] != NULL; i++) {
        if (strcmp(name, of_redis[i]) == 0) {
            hint = " (load mod_signed_session_redis)";
        }
    }
    return apr_psprintf(pool,
                        "SS0410: SignedSessionStore: there is no store \"%s\"; there are: %s%s",
                        name, known_names(pool), hint);
}

/* Without the slash that httpd leaves behind it: logs show what is made of it. */
static const char *runtime_dir(apr_pool_t *pool)
{
    char *path = ap_runtime_dir_relative(pool, "");
    apr_size_t len = strlen(path);

    if (len > 1 && path[len - 1] == '/') {
        path[len - 1] = '\0';
    }
    return path;
}

static signed_session_place_t place_of(const ss_place_t *place, server_rec *s,
                                       const ss_start_t *start)
{
    const char *colon = strchr(place->words, ':');
    const signed_session_place_t described = {
        .name = place->name,
        .words = colon == NULL ? "" : colon + 1,
        .server_root = ap_server_root,
        .runtime_dir = runtime_dir(start->scratch),
        .uid = start->uid,
        .gid = start->gid,
        .space = ss_server_conf(s)->store_space,
        .server = s,
        .ptemp = start->scratch,
    };

    return described;
}

/* Look a place up. Returns NULL, or the message with its number. */
static const char *find_place(ss_place_t *place, const char *words, const ss_start_t *start,
                              apr_pool_t *pool)
{
    place->words = words;
    place->name = apr_pstrmemdup(pool, words, strcspn(words, ":"));
    if (strcmp(words, "cookie") == 0) {
        return NULL;
    }
    place->provider =
        ap_lookup_provider(SIGNED_SESSION_STORE_GROUP, place->name, SIGNED_SESSION_STORE_VERSION);
    return place->provider == NULL ? fault_of_name(place->name, start->scratch) : NULL;
}

/* Let its module understand the place, and make it ready. Returns as above. */
static const char *make_place(ss_place_t *place, server_rec *s, const ss_start_t *start,
                              apr_pool_t *pool)
{
    const signed_session_place_t described = place_of(place, s, start);
    const char *why;

    if (place->provider == NULL) {
        return NULL;
    }
    why = place->provider->configure(&place->store, &described, pool);
    if (why == NULL && !start->is_test && place->provider->prepare != NULL) {
        why = place->provider->prepare(place->store, start->scratch);
    }
    return why == NULL ? NULL
                       : apr_psprintf(start->scratch, "SS0411: SignedSessionStore %s: %s",
                                      place->words, why);
}

/* The places of a server, in `pool`; NULL when one is not accepted, and the log says why. */
static ss_stores_t *find_all(server_rec *s, int made, const ss_start_t *start, apr_pool_t *pool)
{
    const apr_array_header_t *words = ss_server_conf(s)->places;
    ss_stores_t *stores = apr_pcalloc(pool, sizeof(*stores));

    stores->server = s;
    stores->count = words->nelts;
    for (int i = 0; i < words->nelts; i++) {
        ss_place_t *place = &stores->places[i];
        const char *message = find_place(place, APR_ARRAY_IDX(words, i, const char *), start, pool);

        if (message == NULL && made) {
            message = make_place(place, s, start, pool);
        }
        if (message != NULL) {
            ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, s, "%s%s", message,
                         ss_start_place(start, s));
            return NULL;
        }
        stores->has_store |= place->provider != NULL;
    }
    return stores;
}

/* Only that they can be: "httpd -k stop" comes here, too, whatever the disk looks like by now. */
int ss_stores_check(ss_start_t *start)
{
    for (server_rec *s = start->main; s != NULL; s = s->next) {
        if (ss_config_is_own(s, start->main) && find_all(s, 0, start, start->scratch) == NULL) {
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}

int ss_stores_settle(ss_start_t *start)
{
    apr_pool_t *pool = start->keys != NULL ? start->keys : start->scratch;

    for (server_rec *s = start->main; s != NULL; s = s->next) {
        if (ss_config_is_own(s, start->main)) {
            ss_stores_t *stores = find_all(s, 1, start, pool);

            if (stores == NULL) {
                return HTTP_INTERNAL_SERVER_ERROR;
            }
            ss_server_conf(s)->stores = start->keys != NULL ? stores : NULL;
        }
    }
    return OK;
}

static void open_places(ss_stores_t *stores, apr_pool_t *pchild)
{
    for (int i = 0; i < STRIPES; i++) {
        apr_thread_mutex_create(&stores->stripes[i], APR_THREAD_MUTEX_DEFAULT, pchild);
    }
    for (int i = 0; i < stores->count; i++) {
        ss_place_t *place = &stores->places[i];

        if (place->provider != NULL && place->provider->traits & SIGNED_SESSION_STORE_REMOTE) {
            place->breaker = ss_breaker_create(pchild);
        }
        if (place->provider != NULL && place->provider->open != NULL) {
            place->provider->open(place->store, pchild);
        }
    }
}

void ss_stores_open(server_rec *main, apr_pool_t *pchild)
{
    for (server_rec *s = main; s != NULL; s = s->next) {
        ss_stores_t *stores = ss_server_conf(s)->stores;

        if (ss_config_is_own(s, main) && stores->has_store) {
            open_places(stores, pchild);
        }
    }
}
