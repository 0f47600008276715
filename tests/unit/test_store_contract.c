/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* Each line of mod_signed_session_store.h, over each store: what mod_signed_session relies on, and
 * whoever writes another store can add as a row here. */

#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include <apr_thread_proc.h>

#include "stores/file.h"
#ifdef SS_WITH_REDIS
#include "stores/redis.h"
#include "tests/unit/redis_server.h"
#endif

#define PATIENCE apr_time_from_sec(20) /* no test is about time, but those that say so */
#define LONG apr_time_from_sec(600)    /* a lifetime that no test sees the end of */
#define SHORT apr_time_from_msec(150)  /* one that it does */

#define WRITERS 6
#define CHANGES 40 /* of each */

/** A store, and where its tests keep sessions. */
typedef struct row_t {
    const char *name;
    const signed_session_store_t *store;
    const char *(*begin)(void); /* once before all tests: the words of a place, NULL: none here */
    void (*end)(void);
} row_t;

/*
 * The stores
 */

static char directory[64];

static const char *begin_file(void)
{
    apr_cpystrn(directory, "/tmp/signed-session-store.XXXXXX", sizeof(directory));
    return mkdtemp(directory);
}

static void end_file(void)
{
    const char *words[] = { "rm", "-rf", directory, NULL };
    pid_t pid = fork();

    if (pid == 0) {
        execvp(words[0], (char *const *)words);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
}

#ifdef SS_WITH_REDIS
static const char *configure_redis(void **store, const signed_session_place_t *place,
                                   apr_pool_t *pconf)
{
    static const ss_redis_settings_t settings = { .prefix = "ss:" };

    return ss_redis_configure(store, place, &settings, pconf);
}

static const signed_session_store_t redis = {
    .traits = SIGNED_SESSION_STORE_REMOTE,
    .configure = configure_redis,
    .open = ss_redis_open,
    .load = ss_redis_load,
    .save = ss_redis_save,
};

static redis_server_t server;

static const char *begin_redis(void)
{
    static char words[32];

    apr_snprintf(words, sizeof(words), "//127.0.0.1:%d",
                 redis_server_start(&server, NULL) ? server.port : 0);
    return server.pid == 0 ? NULL : words;
}

static void end_redis(void)
{
    redis_server_stop(&server);
}

static redis_server_t sentinel;
static char conf[96];

/* The same server, by way of a sentinel, which wants to write to its configuration. */
static const char *begin_sentinel(void)
{
    static char words[32];
    const char *const options[] = { "--sentinel", NULL };
    FILE *file;

    if (begin_redis() == NULL) {
        return NULL;
    }
    apr_snprintf(conf, sizeof(conf), "%s/sentinel.conf", server.dir);
    file = fopen(conf, "w");
    REDIS_SERVER_MUST(file != NULL);
    fprintf(file, "sentinel monitor shop 127.0.0.1 %d 1\n", server.port);
    fclose(file);
    redis_server_start_with(&sentinel, conf, options);
    apr_snprintf(words, sizeof(words), "//127.0.0.1:%d/shop", sentinel.port);
    return words;
}

static void end_sentinel(void)
{
    redis_server_stop(&sentinel);
    unlink(conf);
    end_redis();
}
#endif

static const row_t rows[] = {
    { "file", &ss_store_file, begin_file, end_file },
#ifdef SS_WITH_REDIS
    { "redis", &redis, begin_redis, end_redis },
    { "redis+sentinel", &redis, begin_sentinel, end_sentinel },
#endif
    { NULL, NULL, NULL, NULL },
};

/** The row of the case that runs. */
static const row_t *row;
static signed_session_place_t place;

/** As a child of httpd has it. */
static void *store;

static void open_store(void)
{
    place.ptemp = pool;
    ck_assert_ptr_null(row->store->configure(&store, &place, pool));
    ck_assert(row->store->prepare == NULL || row->store->prepare(store, pool) == NULL);
    if (row->store->open != NULL) {
        row->store->open(store, pool);
    }
}

/*
 * Words for the tests
 */

typedef struct token_t {
    unsigned char bytes[SIGNED_SESSION_TOKEN_SIZE];
} token_t;

static const token_t nothing;

static token_t token_of(unsigned number)
{
    token_t token = { { 't', 'o', 'k', 'e', 'n' } };

    memcpy(token.bytes + 8, &number, 4);
    return token;
}

/* A record of `len` bytes, in which every value of a byte comes. */
static signed_session_bytes_t record(unsigned number, apr_size_t len)
{
    const token_t token = token_of(number);
    signed_session_bytes_t bytes = { NULL, len };
    unsigned char *data = apr_palloc(pool, len);

    for (apr_size_t i = 0; i < len; i++) {
        data[i] = (unsigned char)(i + i / 256 + number);
    }
    memcpy(data, token.bytes, sizeof(token.bytes));
    bytes.data = data;
    return bytes;
}

static const unsigned char *id_of(const char *name)
{
    unsigned char *id = apr_pcalloc(pool, SIGNED_SESSION_ID_SIZE);
    int pid = (int)getpid();

    /* each test is a process of its own, or follows the others: nothing of those is in its way */
    memcpy(id, &pid, sizeof(pid));
    apr_cpystrn((char *)id + 4, name, SIGNED_SESSION_ID_SIZE - 4);
    return id;
}

static signed_session_store_e load(signed_session_bytes_t *value, const unsigned char *id)
{
    const char *why = "it does not say why";
    signed_session_store_e rv =
        row->store->load(store, id, value, apr_time_now() + PATIENCE, &why, pool);

    ck_assert_msg(rv != SIGNED_SESSION_STORE_UNAVAILABLE, "%s", why);
    return rv;
}

static signed_session_store_e save_for(apr_interval_time_t ttl, const unsigned char *id,
                                       const token_t *expected, signed_session_bytes_t value,
                                       signed_session_bytes_t *current)
{
    const char *why = "it does not say why";
    signed_session_store_e rv =
        row->store->save(store, id, expected == NULL ? NULL : expected->bytes, &value, ttl, current,
                         apr_time_now() + PATIENCE, &why, pool);

    ck_assert_msg(rv != SIGNED_SESSION_STORE_UNAVAILABLE && rv != SIGNED_SESSION_STORE_FULL, "%s",
                  why);
    return rv;
}

static signed_session_store_e save(const unsigned char *id, const token_t *expected,
                                   signed_session_bytes_t value)
{
    signed_session_bytes_t current;

    return save_for(LONG, id, expected, value, &current);
}

static void assert_same(signed_session_bytes_t got, signed_session_bytes_t want)
{
    ck_assert_uint_eq(got.len, want.len);
    ck_assert_int_eq(memcmp(got.data, want.data, want.len), 0);
}

static void assert_there(const unsigned char *id, signed_session_bytes_t want)
{
    signed_session_bytes_t got;

    ck_assert_int_eq(load(&got, id), SIGNED_SESSION_STORE_FOUND);
    assert_same(got, want);
}

static void assert_absent(const unsigned char *id)
{
    signed_session_bytes_t got;

    ck_assert_int_eq(load(&got, id), SIGNED_SESSION_STORE_ABSENT);
}

static void assert_conflict(const unsigned char *id, const token_t *expected,
                            signed_session_bytes_t in_the_way)
{
    signed_session_bytes_t current;

    ck_assert_int_eq(save_for(LONG, id, expected, record(99, 50), &current),
                     SIGNED_SESSION_STORE_CONFLICT);
    assert_same(current, in_the_way);
    assert_there(id, in_the_way);
}

/*
 * Load and save
 */

START_TEST(test_what_was_never_saved_is_absent)
{
    assert_absent(id_of("never"));
}
END_TEST

START_TEST(test_what_is_created_is_there)
{
    const unsigned char *id = id_of("created");

    ck_assert_int_eq(save(id, &nothing, record(1, 100)), SIGNED_SESSION_STORE_SAVED);
    assert_there(id, record(1, 100));
    assert_there(id, record(1, 100));
}
END_TEST

START_TEST(test_nothing_is_created_over_what_is_there)
{
    const unsigned char *id = id_of("twice");

    ck_assert_int_eq(save(id, &nothing, record(1, 100)), SIGNED_SESSION_STORE_SAVED);
    assert_conflict(id, &nothing, record(1, 100));
}
END_TEST

START_TEST(test_who_knows_the_token_replaces)
{
    const unsigned char *id = id_of("replaced");
    const token_t first = token_of(1), second = token_of(2);

    save(id, &nothing, record(1, 100));
    ck_assert_int_eq(save(id, &first, record(2, 30)), SIGNED_SESSION_STORE_SAVED);
    assert_there(id, record(2, 30));
    ck_assert_int_eq(save(id, &second, record(3, 300)), SIGNED_SESSION_STORE_SAVED);
    assert_there(id, record(3, 300));
}
END_TEST

START_TEST(test_who_knows_an_old_token_gets_what_is_there)
{
    const unsigned char *id = id_of("stale");
    const token_t first = token_of(1);

    save(id, &nothing, record(1, 100));
    save(id, &first, record(2, 1000));
    assert_conflict(id, &first, record(2, 1000));
}
END_TEST

START_TEST(test_who_expects_a_token_creates_nothing)
{
    const unsigned char *id = id_of("gone");
    const token_t token = token_of(1);

    ck_assert_int_eq(save(id, &token, record(2, 100)), SIGNED_SESSION_STORE_ABSENT);
    assert_absent(id);
}
END_TEST

START_TEST(test_who_expects_whatever_is_there_creates_and_replaces)
{
    const unsigned char *id = id_of("over");

    ck_assert_int_eq(save(id, NULL, record(1, 100)), SIGNED_SESSION_STORE_SAVED);
    assert_there(id, record(1, 100));
    ck_assert_int_eq(save(id, NULL, record(2, 40)), SIGNED_SESSION_STORE_SAVED);
    assert_there(id, record(2, 40));
}
END_TEST

/*
 * Time
 */

START_TEST(test_what_has_expired_is_absent)
{
    const unsigned char *id = id_of("expired");
    const token_t token = token_of(1);
    signed_session_bytes_t current;

    ck_assert_int_eq(save_for(SHORT, id, &nothing, record(1, 100), &current),
                     SIGNED_SESSION_STORE_SAVED);
    apr_sleep(2 * SHORT);
    assert_absent(id);
    ck_assert_int_eq(save(id, &token, record(2, 100)), SIGNED_SESSION_STORE_ABSENT);
    ck_assert_int_eq(save(id, &nothing, record(3, 100)), SIGNED_SESSION_STORE_SAVED);
    assert_there(id, record(3, 100));
}
END_TEST

START_TEST(test_the_last_save_says_how_long)
{
    const unsigned char *longer = id_of("longer"), *shorter = id_of("shorter");
    const token_t first = token_of(1), second = token_of(2);
    signed_session_bytes_t current;

    save_for(SHORT, longer, &nothing, record(1, 100), &current);
    save(longer, &first, record(2, 100));
    save(shorter, &nothing, record(1, 100));
    save_for(SHORT, shorter, NULL, record(2, 100), &current);
    apr_sleep(2 * SHORT);
    assert_there(longer, record(2, 100));
    assert_absent(shorter);
    /* a save that was none does not count */
    save_for(SHORT, longer, &first, record(3, 100), &current);
    apr_sleep(2 * SHORT);
    assert_there(longer, record(2, 100));
    ck_assert_int_eq(save(longer, &second, record(4, 100)), SIGNED_SESSION_STORE_SAVED);
}
END_TEST

START_TEST(test_the_longest_and_the_shortest_time)
{
    signed_session_bytes_t current;

    ck_assert_int_eq(save_for(apr_time_from_sec((apr_time_t)36500 * 86400), id_of("longest"),
                              &nothing, record(1, 100), &current),
                     SIGNED_SESSION_STORE_SAVED);
    assert_there(id_of("longest"), record(1, 100));
    ck_assert_int_eq(save_for(1, id_of("shortest"), &nothing, record(1, 100), &current),
                     SIGNED_SESSION_STORE_SAVED);
    apr_sleep(apr_time_from_msec(20));
    assert_absent(id_of("shortest"));
}
END_TEST

/*
 * Bytes
 */

static const apr_size_t sizes[] = {
    SIGNED_SESSION_TOKEN_SIZE,
    13,
    56,
    255,
    256,
    257,
    1000,
    4096,
    4097,
    16383,
    16384,
    16385,
    65536,
    100000,
    1 << 20,
    SIGNED_SESSION_RECORD_MAX,
};

START_TEST(test_every_size)
{
    const unsigned char *id = id_of(apr_psprintf(pool, "size %d", _i));
    const signed_session_bytes_t value = record(1, sizes[_i]);

    ck_assert_int_eq(save(id, &nothing, value), SIGNED_SESSION_STORE_SAVED);
    assert_there(id, value);
    assert_conflict(id, &nothing, value);
}
END_TEST

/* clang-format off */
static const unsigned char ids[][SIGNED_SESSION_ID_SIZE] = {
    { 0 },
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
    { 1 },
    "\r\n$3\r\nGET\r\n *}{",
    "../../../../etc",
    "%s%s%n{}\"'\\ \t\x7f\x80",
    { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
    { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe },
};
/* clang-format on */

START_TEST(test_every_id_is_another_session)
{
    for (int i = 0; i < COUNT(ids); i++) {
        save(ids[i], NULL, record((unsigned)i, 60));
    }
    for (int i = 0; i < COUNT(ids); i++) {
        assert_there(ids[i], record((unsigned)i, 60));
    }
}
END_TEST

static const token_t tokens[] = {
    { "\r\n$3\r\nany\r\n" },
    { "any" },
    { "\0\0\0\0\0\0\0\0\0\0\0\1" },
    { "\xff\xff\xff\xff" },
};

START_TEST(test_tokens_are_any_bytes)
{
    const unsigned char *id = id_of("tokens");
    signed_session_bytes_t last = record(1, 60);
    token_t before = token_of(1);

    save(id, &nothing, last);
    for (int i = 0; i < COUNT(tokens); i++) {
        signed_session_bytes_t value = record(7, 60);

        assert_conflict(id, &tokens[i], last);
        memcpy((unsigned char *)value.data, tokens[i].bytes, sizeof(tokens[i].bytes));
        ck_assert_int_eq(save(id, &before, value), SIGNED_SESSION_STORE_SAVED);
        assert_there(id, value);
        before = tokens[i];
        last = value;
    }
}
END_TEST

START_TEST(test_what_is_saved_is_copied_and_what_is_loaded_is_the_pools)
{
    const unsigned char *id = id_of("copied");
    apr_pool_t *request;
    const char *why;
    signed_session_bytes_t value = record(1, 5000), got;

    save(id, &nothing, value);
    memset((unsigned char *)value.data, 'x', value.len);
    assert_there(id, record(1, 5000));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(apr_pool_create(&request, pool), APR_SUCCESS);
        ck_assert_int_eq(
            row->store->load(store, id, &got, apr_time_now() + PATIENCE, &why, request),
            SIGNED_SESSION_STORE_FOUND);
        assert_same(got, record(1, 5000));
        apr_pool_destroy(request);
    }
}
END_TEST

/*
 * Everybody at once. One session holds a counter; each writer adds to it as a request does: load,
 * change, save with the token that was loaded.
 */

static signed_session_bytes_t counting(unsigned writer, unsigned number, unsigned count,
                                       apr_pool_t *scratch)
{
    unsigned char *data = apr_pcalloc(scratch, SIGNED_SESSION_TOKEN_SIZE + sizeof(count));
    const signed_session_bytes_t bytes = { data, SIGNED_SESSION_TOKEN_SIZE + sizeof(count) };

    memcpy(data, &writer, sizeof(writer));
    memcpy(data + 4, &number, sizeof(number));
    data[8] = 1;
    memcpy(data + SIGNED_SESSION_TOKEN_SIZE, &count, sizeof(count));
    return bytes;
}

static unsigned count_of(signed_session_bytes_t value)
{
    unsigned count;

    memcpy(&count, value.data + SIGNED_SESSION_TOKEN_SIZE, sizeof(count));
    return count;
}

/* 0, or what went wrong: a thread must not fail the test. */
static int add_one(unsigned writer, unsigned number, const unsigned char *id, apr_pool_t *scratch)
{
    const char *why;
    signed_session_bytes_t value;
    apr_time_t deadline = apr_time_now() + PATIENCE;
    signed_session_store_e rv = row->store->load(store, id, &value, deadline, &why, scratch);

    if (rv != SIGNED_SESSION_STORE_FOUND) {
        return 10 + (int)rv;
    }
    do {
        const signed_session_bytes_t before = value,
                                     after = counting(writer, number, count_of(value) + 1, scratch);

        rv =
            row->store->save(store, id, before.data, &after, LONG, &value, deadline, &why, scratch);
    } while (rv == SIGNED_SESSION_STORE_CONFLICT);
    return rv == SIGNED_SESSION_STORE_SAVED ? 0 : 20 + (int)rv;
}

static int add_many(unsigned writer, const unsigned char *id, apr_pool_t *parent)
{
    int failure = 0;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, parent);
    for (unsigned i = 0; i < CHANGES && failure == 0; i++) {
        failure = add_one(writer, i, id, scratch);
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    return failure;
}

static void assert_count(const unsigned char *id, unsigned want)
{
    signed_session_bytes_t value;

    ck_assert_int_eq(load(&value, id), SIGNED_SESSION_STORE_FOUND);
    ck_assert_uint_eq(count_of(value), want);
}

typedef struct writer_t {
    unsigned number;
    const unsigned char *id;
    int failure;
} writer_t;

static void *APR_THREAD_FUNC write_in_thread(apr_thread_t *thread, void *data)
{
    writer_t *writer = data;
    apr_pool_t *own;

    apr_pool_create(&own, NULL);
    writer->failure = add_many(writer->number, writer->id, own);
    apr_pool_destroy(own);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

START_TEST(test_threads_lose_nothing)
{
    const unsigned char *shared = id_of("threads");
    writer_t writers[WRITERS];
    apr_thread_t *threads[WRITERS];
    apr_status_t rv;

    save(shared, &nothing, counting(99, 0, 0, pool));
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (writer_t){ i, shared, -1 };
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, write_in_thread, &writers[i], pool),
                         APR_SUCCESS);
    }
    for (int i = 0; i < WRITERS; i++) {
        apr_thread_join(&rv, threads[i]);
        ck_assert_int_eq(writers[i].failure, 0);
    }
    assert_count(shared, WRITERS * CHANGES);
}
END_TEST

START_TEST(test_processes_lose_nothing)
{
    const unsigned char *shared = id_of("processes");
    pid_t pids[WRITERS];
    int status;

    save(shared, &nothing, counting(99, 0, 0, pool));
    for (unsigned i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            open_store(); /* as each child of httpd does */
            _exit(add_many(i, shared, pool));
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(status, 0);
    }
    assert_count(shared, WRITERS * CHANGES);
}
END_TEST

START_TEST(test_one_of_many_creates)
{
    const unsigned char *shared = id_of("race");
    pid_t pids[WRITERS];
    int status, created = 0;

    for (unsigned i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            open_store();
            _exit(save(shared, &nothing, record(i, 200)) == SIGNED_SESSION_STORE_SAVED);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        created += WEXITSTATUS(status);
    }
    ck_assert_int_eq(created, 1);
}
END_TEST

/*
 * The cases
 */

static Suite *suite_of(const char *name)
{
    Suite *suite = suite_create(name);
    TCase *data = unit_case(suite, "data"), *time = unit_case(suite, "time"),
          *bytes = unit_case(suite, "bytes"), *many = unit_case(suite, "many");
    TCase *const cases[] = { data, time, bytes, many };

    for (int i = 0; i < COUNT(cases); i++) {
        tcase_add_checked_fixture(cases[i], open_store, NULL);
        tcase_set_timeout(cases[i], 60);
    }

    tcase_add_test(data, test_what_was_never_saved_is_absent);
    tcase_add_test(data, test_what_is_created_is_there);
    tcase_add_test(data, test_nothing_is_created_over_what_is_there);
    tcase_add_test(data, test_who_knows_the_token_replaces);
    tcase_add_test(data, test_who_knows_an_old_token_gets_what_is_there);
    tcase_add_test(data, test_who_expects_a_token_creates_nothing);
    tcase_add_test(data, test_who_expects_whatever_is_there_creates_and_replaces);

    tcase_add_test(time, test_what_has_expired_is_absent);
    tcase_add_test(time, test_the_last_save_says_how_long);
    tcase_add_test(time, test_the_longest_and_the_shortest_time);

    tcase_add_loop_test(bytes, test_every_size, 0, COUNT(sizes));
    tcase_add_test(bytes, test_every_id_is_another_session);
    tcase_add_test(bytes, test_tokens_are_any_bytes);
    tcase_add_test(bytes, test_what_is_saved_is_copied_and_what_is_loaded_is_the_pools);

    tcase_add_test(many, test_threads_lose_nothing);
    tcase_add_test(many, test_processes_lose_nothing);
    tcase_add_test(many, test_one_of_many_creates);

    return suite;
}

/* EXIT_SUCCESS, also where this store cannot be tested here. */
static int try_store(void)
{
    int rv;

    memset(&place, 0, sizeof(place));
    place.name = row->name;
    place.server_root = place.runtime_dir = "/tmp";
    place.uid = getuid();
    place.gid = getgid();
    place.space = 1 << 28;
    place.words = row->begin();
    if (place.words == NULL) {
        return EXIT_SUCCESS;
    }
    rv = unit_run(suite_of(row->name));
    row->end();
    return rv;
}

int main(void)
{
    int rv = EXIT_SUCCESS;

    for (row = rows; row->name != NULL; row++) {
        if (try_store() != EXIT_SUCCESS) {
            rv = EXIT_FAILURE;
        }
    }
    return rv;
}
