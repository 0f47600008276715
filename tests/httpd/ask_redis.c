/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* For tests only: a child of httpd without httpd. It has a store in Redis, and does what it is
 * told:
 *
 *   ask_redis NAME WORDS [MEMBER=VALUE...]     for example: redis //127.0.0.1:6379 password=x
 *
 *   load ID MILLISECONDS
 *   save ID EXPECTED RECORD LIFETIME MILLISECONDS      EXPECTED is a token, "any" or "new"
 *
 * ID, token and record are hexadecimal, times are milliseconds; the last word of a line says how
 * long the store has. Each line is answered with one: the microseconds that it took, the answer,
 * and what came with it: "210 FOUND 00ff" or "200123 UNAVAILABLE why". */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "stores/redis.h"

#define LINE_ROOM (5 * 1024 * 1024)
#define WORDS 6

static const char *const names[] = {
    [SIGNED_SESSION_STORE_FOUND] = "FOUND", [SIGNED_SESSION_STORE_ABSENT] = "ABSENT",
    [SIGNED_SESSION_STORE_SAVED] = "SAVED", [SIGNED_SESSION_STORE_CONFLICT] = "CONFLICT",
    [SIGNED_SESSION_STORE_FULL] = "FULL",   [SIGNED_SESSION_STORE_UNAVAILABLE] = "UNAVAILABLE",
};

static signed_session_bytes_t unhex(const char *digits, apr_pool_t *pool)
{
    apr_size_t len = strlen(digits) / 2;
    unsigned char *data = apr_palloc(pool, len + 1);
    const signed_session_bytes_t bytes = { data, len };

    for (apr_size_t i = 0; i < len; i++) {
        const char pair[] = { digits[2 * i], digits[2 * i + 1], '\0' };

        data[i] = (unsigned char)strtol(pair, NULL, 16);
    }
    return bytes;
}

static void answer(apr_time_t took, signed_session_store_e result, signed_session_bytes_t bytes,
                   const char *why)
{
    printf("%" APR_TIME_T_FMT " %s ", took, names[result]);
    for (apr_size_t i = 0; i < bytes.len; i++) {
        printf("%02x", bytes.data[i]);
    }
    printf("%s\n", why);
    fflush(stdout);
}

static void obey(void *store, char *line, apr_pool_t *pool)
{
    static const unsigned char nothing[SIGNED_SESSION_TOKEN_SIZE];
    const char *word[WORDS] = { NULL };
    signed_session_bytes_t bytes = { NULL, 0 };
    const char *why = "";
    char *state;
    int count = 0;
    signed_session_store_e result;
    apr_time_t now, deadline;

    for (char *next = apr_strtok(line, " \n", &state); next != NULL && count < WORDS;
         next = apr_strtok(NULL, " \n", &state)) {
        word[count++] = next;
    }
    now = apr_time_now();
    deadline = now + apr_time_from_msec(atol(word[count - 1]));
    if (count == 3) {
        result = ss_redis_load(store, unhex(word[1], pool).data, &bytes, deadline, &why, pool);
    }
    else {
        const signed_session_bytes_t record = unhex(word[3], pool);
        const unsigned char *expected = strcmp(word[2], "any") == 0   ? NULL
                                        : strcmp(word[2], "new") == 0 ? nothing
                                                                      : unhex(word[2], pool).data;

        now = apr_time_now();
        deadline = now + apr_time_from_msec(atol(word[count - 1]));
        result = ss_redis_save(store, unhex(word[1], pool).data, expected, &record,
                               apr_time_from_msec(atol(word[4])), &bytes, deadline, &why, pool);
        if (result != SIGNED_SESSION_STORE_CONFLICT) {
            bytes.len = 0;
        }
    }
    answer(apr_time_now() - now, result, bytes, bytes.len == 0 ? why : "");
}

static void warn(const char *policy, void *baton)
{
    (void)baton;
    fprintf(stderr, "evicts: %s\n", policy);
}

/* NULL, or why it is none. */
static const char *serve(const signed_session_place_t *place, const ss_redis_settings_t *settings,
                         apr_pool_t *pool)
{
    char *line = apr_palloc(pool, LINE_ROOM);
    apr_pool_t *scratch;
    void *store;
    const char *why = ss_redis_configure(&store, place, settings, pool);

    if (why != NULL) {
        return why;
    }
    apr_pool_create(&scratch, pool);
    ss_redis_open(store, pool);
    while (fgets(line, LINE_ROOM, stdin) != NULL) {
        obey(store, line, scratch);
        apr_pool_clear(scratch);
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    static ss_redis_auth_t auth;
    ss_redis_settings_t settings = { .prefix = "ss:", .auth = &auth, .warn = warn };
    const struct {
        const char *name, **member;
    } members[] = {
        { "prefix=", &settings.prefix }, { "user=", &auth.user },
        { "password=", &auth.password }, { "ca=", &settings.tls.ca },
        { "cert=", &settings.tls.cert }, { "key=", &settings.tls.key },
        { "name=", &settings.tls_name },
    };
    signed_session_place_t place = { .name = argv[1], .words = argv[2] };
    apr_pool_t *pool;
    const char *why;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 3; i < argc; i++) {
        for (apr_size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++) {
            if (strncmp(argv[i], members[k].name, strlen(members[k].name)) == 0) {
                *members[k].member = argv[i] + strlen(members[k].name);
            }
        }
    }
    why = serve(&place, &settings, pool);
    if (why != NULL) {
        printf("%s\n", why);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return why == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
