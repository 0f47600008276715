/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "stores/file.h"
#include "tests/unit/unit.h"

/* For test programs about the store `file`. Each test has a directory of its own, as a child of
 * httpd finds it. */

#define LONG apr_time_from_sec(600)
#define PATIENCE apr_time_from_sec(20)
#define STEP 4096 /* in which space is counted */
#define ROUND 300 /* seconds in which a process comes to each folder */

/* This definition, not APR's, is what the program is linked with: nobody waits a minute for a
 * sweep. The times of files are the system's. */
static apr_time_t ahead, frozen; /* 0: the clock goes */
static apr_time_t leap;          /* that it makes at each look */

apr_time_t apr_time_now(void)
{
    struct timespec now;

    ahead += leap;
    clock_gettime(CLOCK_REALTIME, &now);
    return (frozen != 0 ? frozen : apr_time_from_sec(now.tv_sec) + now.tv_nsec / 1000) + ahead;
}

/** However long a test takes, it is the same moment, but for `ahead`. */
static inline void freeze(void)
{
    frozen = apr_time_now();
}

/*
 * A directory, and a store in it
 */

static char *top; /* of the test: runtime directory and server root */
static void *store;
static signed_session_place_t place;
static const char *why;

static inline void remove_all(const char *path)
{
    struct dirent *entry;
    DIR *stream = opendir(path);

    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char *below = apr_psprintf(pool, "%s/%s", path, entry->d_name);

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(below) != 0) {
            remove_all(below);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
    rmdir(path);
}

static inline const char *in_top(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A path in the directory of the test. */
static inline const char *in_top(const char *format, ...)
{
    va_list args;
    const char *name;

    va_start(args, format);
    name = apr_pvsprintf(pool, format, args);
    va_end(args);
    return apr_pstrcat(pool, top, "/", name, NULL);
}

static inline const char *configure(void)
{
    return ss_store_file.configure(&store, &place, pool);
}

static inline void begin_child(void)
{
    ck_assert_ptr_null(configure());
    ss_store_file.open(store, pool);
}

static inline void begin(void)
{
    ahead = frozen = leap = 0;
    top = apr_pstrdup(pool, "/tmp/ss_store_file.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    memset(&place, 0, sizeof(place));
    place.name = "file";
    place.words = "";
    place.server_root = place.runtime_dir = top;
    place.uid = getuid();
    place.gid = getgid();
    place.space = 256 * 1024 * 1024;
    place.ptemp = pool;
    begin_child();
    ck_assert_ptr_null(ss_store_file.prepare(store, pool));
}

static inline void end(void)
{
    remove_all(top);
}

/** A test case of `suite`, with a store. */
static inline TCase *case_of(Suite *suite, const char *name)
{
    TCase *tcase = unit_case(suite, name);

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 60);
    return tcase;
}

/*
 * Words for the tests
 */

static const unsigned char nothing[SIGNED_SESSION_TOKEN_SIZE];

/** An id in a folder. */
static inline const unsigned char *id_in(int folder, unsigned number)
{
    unsigned char *id = apr_pcalloc(pool, SIGNED_SESSION_ID_SIZE);

    id[0] = (unsigned char)folder;
    memcpy(id + 1, &number, sizeof(number));
    return id;
}

static inline const char *path_of(const unsigned char *id)
{
    char *digits = apr_palloc(pool, 40);

    for (int i = 0; i < SIGNED_SESSION_ID_SIZE; i++) {
        apr_snprintf(digits + 2 * i + (i > 0), 4, i > 0 ? "%02x" : "%02x/", id[i]);
    }
    return in_top("sessions/%s", digits);
}

static inline signed_session_bytes_t record(unsigned number, apr_size_t len)
{
    unsigned char *data = apr_palloc(pool, len);
    const signed_session_bytes_t bytes = { data, len };

    memset(data, (int)('a' + number % 26), len);
    memcpy(data, &number, sizeof(number));
    return bytes;
}

static inline signed_session_store_e load(const unsigned char *id)
{
    signed_session_bytes_t value;

    why = NULL;
    return ss_store_file.load(store, id, &value, apr_time_now() + PATIENCE, &why, pool);
}

static inline signed_session_store_e save_until(apr_time_t deadline, const unsigned char *id,
                                                const unsigned char *expected,
                                                signed_session_bytes_t value,
                                                apr_interval_time_t ttl)
{
    signed_session_bytes_t current;

    why = NULL;
    return ss_store_file.save(store, id, expected, &value, ttl, &current, deadline, &why, pool);
}

static inline signed_session_store_e save(const unsigned char *id, const unsigned char *expected,
                                          signed_session_bytes_t value)
{
    return save_until(apr_time_now() + PATIENCE, id, expected, value, LONG);
}

static inline void assert_saved(const unsigned char *id, apr_size_t len, apr_interval_time_t ttl)
{
    ck_assert_msg(save_until(apr_time_now() + PATIENCE, id, NULL, record(1, len), ttl) ==
                      SIGNED_SESSION_STORE_SAVED,
                  "%s", why);
}

#define assert_why(part) ck_assert_msg(why != NULL && strstr(why, part) != NULL, "%s", why)

static inline int exists(const char *path)
{
    struct stat info;

    return lstat(path, &info) == 0;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    fputs(text, file);
    fclose(file);
}

/** How many files lie in a folder, besides its lock. */
static inline int files_in(int folder)
{
    DIR *stream = opendir(in_top("sessions/%02x", folder));
    struct dirent *entry;
    int count = 0;

    ck_assert_ptr_nonnull(stream);
    while ((entry = readdir(stream)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    closedir(stream);
    return count;
}

static inline int lock_of(int folder)
{
    return open(in_top("sessions/%02x/.lock", folder), O_RDWR | O_CLOEXEC);
}

/** What is noted of all folders together. */
static inline apr_int64_t counted(void)
{
    apr_int64_t entries[512], sum = 0;
    int fd = open(in_top("sessions/.space"), O_RDONLY);

    memset(entries, 0, sizeof(entries));
    ck_assert_int_ge(read(fd, entries, sizeof(entries)), 0);
    close(fd);
    for (int i = 0; i < 512; i += 2) {
        sum += entries[i];
    }
    return sum;
}

/** Requests pass for so many seconds, one in each. */
static inline void pass(int seconds)
{
    while (seconds-- > 0) {
        ahead += apr_time_from_sec(1);
        load(id_in(0, 424242));
    }
}

#endif
