/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "tests/unit/unit.h"

#ifdef SS_WITH_REDIS

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#include "stores/address.h"

#define SLOW apr_time_from_msec(300) /* what a name server takes */
#define SOON apr_time_from_msec(100) /* what nobody takes who does not wait for it */

/* These definitions, not the C library's, are what the program is linked with: names are those of
 * the test, and looking one up takes as long as it likes. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static apr_interval_time_t takes;
static int asked, at_once, most_at_once, address_of_name;

static int enter(void)
{
    int answer;

    pthread_mutex_lock(&mutex);
    asked++;
    at_once++;
    most_at_once = at_once > most_at_once ? at_once : most_at_once;
    answer = address_of_name;
    pthread_mutex_unlock(&mutex);
    return answer;
}

static void leave(void)
{
    pthread_mutex_lock(&mutex);
    at_once--;
    pthread_mutex_unlock(&mutex);
}

static int count(const int *what)
{
    int result;

    pthread_mutex_lock(&mutex);
    result = *what;
    pthread_mutex_unlock(&mutex);
    return result;
}

static void set(int *what, int value)
{
    pthread_mutex_lock(&mutex);
    *what = value;
    pthread_mutex_unlock(&mutex);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    static struct sockaddr_in sockets[256];
    struct addrinfo *one;
    int is_number = strspn(name, "0123456789.") == strlen(name), answer;

    if (!is_number && hints->ai_flags & AI_NUMERICHOST) {
        return EAI_NONAME;
    }
    answer = is_number ? atoi(strrchr(name, '.') + 1) : enter();
    if (!is_number) {
        usleep((useconds_t)takes);
        leave();
    }
    if (answer == 0) {
        return EAI_NONAME;
    }
    one = calloc(1, sizeof(*one));
    sockets[answer].sin_family = AF_INET;
    sockets[answer].sin_port = htons((uint16_t)atoi(service));
    sockets[answer].sin_addr.s_addr = htonl((uint32_t)answer);
    one->ai_addr = (struct sockaddr *)&sockets[answer];
    one->ai_addrlen = sizeof(sockets[answer]);
    *list = one;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    free(list);
}

/*
 * Words for the tests
 */

static void begin(void)
{
    takes = SLOW;
    asked = at_once = most_at_once = 0;
    address_of_name = 7;
}

static ss_resolver_t *resolver_of(const char *host, const char *other)
{
    apr_array_header_t *endpoints = apr_array_make(pool, 2, sizeof(ss_endpoint_t));

    APR_ARRAY_PUSH(endpoints, ss_endpoint_t) = (ss_endpoint_t){ host, *host == '/' ? 0 : 6379 };
    if (other != NULL) {
        APR_ARRAY_PUSH(endpoints, ss_endpoint_t) = (ss_endpoint_t){ other, 6380 };
    }
    return ss_resolver_create(endpoints, pool);
}

static int last_byte(const ss_addresses_t *addresses, int number)
{
    const struct sockaddr_in *socket = (const struct sockaddr_in *)&addresses->at[number].socket;

    return (int)ntohl(socket->sin_addr.s_addr) & 255;
}

static const char *why;

static apr_status_t ask(ss_addresses_t *addresses, ss_resolver_t *resolver,
                        apr_interval_time_t patience)
{
    why = NULL;
    return ss_resolver_addresses(addresses, resolver, ss_clock_now() + patience, &why, pool);
}

/*
 * Tests
 */

START_TEST(test_numbers_and_paths_are_known_at_once)
{
    ss_addresses_t addresses;

    ck_assert_int_eq(ask(&addresses, resolver_of("10.0.0.9", "10.0.0.8"), 0), APR_SUCCESS);
    ck_assert_int_eq(addresses.count, 2);
    ck_assert_int_eq(last_byte(&addresses, 0), 9);
    ck_assert_str_eq(addresses.at[1].shown, "10.0.0.8:6380");
    ck_assert_int_eq(ask(&addresses, resolver_of("/run/redis", NULL), 0), APR_SUCCESS);
    ck_assert_str_eq(addresses.at[0].shown, "/run/redis");
    ck_assert_int_eq(count(&asked), 0);
}
END_TEST

START_TEST(test_nobody_waits_for_a_name_at_the_start)
{
    apr_time_t before = ss_clock_now();
    ss_addresses_t addresses;
    ss_resolver_t *resolver = resolver_of("slow.test", "10.0.0.8");

    ck_assert_int_lt(ss_clock_now() - before, SOON);
    /* who needs it waits, but not for ever */
    ck_assert_int_eq(ask(&addresses, resolver, apr_time_from_msec(50)), APR_TIMEUP);
    ck_assert_int_lt(ss_clock_now() - before, apr_time_from_msec(50) + SOON);
    ck_assert_str_eq(why, "its name is still being looked up");
    ck_assert_int_eq(ask(&addresses, resolver, apr_time_from_sec(20)), APR_SUCCESS);
    ck_assert_int_eq(addresses.count, 2);
    ck_assert_int_eq(last_byte(&addresses, 0), 7);
    ck_assert_int_eq(count(&asked), 1);
}
END_TEST

START_TEST(test_the_old_address_holds_until_there_is_a_new_one)
{
    ss_addresses_t addresses;
    ss_resolver_t *resolver = resolver_of("slow.test", NULL);

    ck_assert_int_eq(ask(&addresses, resolver, apr_time_from_sec(20)), APR_SUCCESS);
    set(&address_of_name, 8);
    ss_resolver_refresh(resolver); /* too soon */
    ck_assert_int_eq(count(&asked), 1);
    apr_sleep(apr_time_from_msec(1100));
    for (int i = 0; i < 5; i++) {
        ss_resolver_refresh(resolver);
    }
    ck_assert_int_eq(ask(&addresses, resolver, 0), APR_SUCCESS);
    ck_assert_int_eq(last_byte(&addresses, 0), 7);
    apr_sleep(2 * SLOW);
    ck_assert_int_eq(ask(&addresses, resolver, 0), APR_SUCCESS);
    ck_assert_int_eq(last_byte(&addresses, 0), 8);
    ck_assert_int_eq(count(&asked), 2);
    ck_assert_int_eq(count(&most_at_once), 1);
}
END_TEST

START_TEST(test_a_name_that_is_lost_keeps_its_address)
{
    ss_addresses_t addresses;
    ss_resolver_t *resolver = resolver_of("slow.test", NULL);

    ck_assert_int_eq(ask(&addresses, resolver, apr_time_from_sec(20)), APR_SUCCESS);
    set(&address_of_name, 0);
    apr_sleep(apr_time_from_msec(1100));
    ss_resolver_refresh(resolver);
    apr_sleep(2 * SLOW);
    ck_assert_int_eq(count(&asked), 2);
    ck_assert_int_eq(ask(&addresses, resolver, 0), APR_SUCCESS);
    ck_assert_int_eq(last_byte(&addresses, 0), 7);
}
END_TEST

START_TEST(test_a_name_that_nobody_has_is_asked_for_once_a_second)
{
    ss_addresses_t addresses;
    ss_resolver_t *resolver;

    takes = 0;
    set(&address_of_name, 0);
    resolver = resolver_of("nobody.test", NULL);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(ask(&addresses, resolver, apr_time_from_sec(5)), APR_EGENERAL);
        ck_assert_ptr_nonnull(strstr(why, "nobody.test has no address: "));
    }
    ck_assert_int_eq(count(&asked), 1);
    set(&address_of_name, 9);
    apr_sleep(apr_time_from_msec(1100));
    ck_assert_int_eq(ask(&addresses, resolver, apr_time_from_sec(5)), APR_SUCCESS);
    ck_assert_int_eq(last_byte(&addresses, 0), 9);
}
END_TEST

START_TEST(test_a_name_that_nobody_has_beside_another_place)
{
    ss_addresses_t addresses;

    takes = 0;
    set(&address_of_name, 0);
    ck_assert_int_eq(ask(&addresses, resolver_of("nobody.test", "10.0.0.8"), apr_time_from_sec(5)),
                     APR_SUCCESS);
    ck_assert_int_eq(addresses.count, 1);
    ck_assert_int_eq(last_byte(&addresses, 0), 8);
}
END_TEST

START_TEST(test_a_child_that_ends_does_not_wait_for_a_name)
{
    apr_time_t before = ss_clock_now();
    apr_pool_t *child, *outer = pool;

    apr_pool_create(&child, NULL);
    pool = child;
    resolver_of("slow.test", NULL);
    pool = outer;
    apr_sleep(apr_time_from_msec(20));
    apr_pool_destroy(child);
    ck_assert_int_lt(ss_clock_now() - before, SLOW);
    apr_sleep(2 * SLOW); /* the thread finds its own memory, and frees it */
    ck_assert_int_eq(count(&at_once), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_address");
    TCase *tcase = unit_case(suite, "names");

    tcase_add_checked_fixture(tcase, begin, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_numbers_and_paths_are_known_at_once);
    tcase_add_test(tcase, test_nobody_waits_for_a_name_at_the_start);
    tcase_add_test(tcase, test_the_old_address_holds_until_there_is_a_new_one);
    tcase_add_test(tcase, test_a_name_that_is_lost_keeps_its_address);
    tcase_add_test(tcase, test_a_name_that_nobody_has_is_asked_for_once_a_second);
    tcase_add_test(tcase, test_a_name_that_nobody_has_beside_another_place);
    tcase_add_test(tcase, test_a_child_that_ends_does_not_wait_for_a_name);

    return unit_run(suite);
}

#else

int main(void)
{
    return EXIT_SUCCESS; /* without Redis nobody looks a name up */
}

#endif
