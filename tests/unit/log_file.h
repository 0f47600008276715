/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef LOG_FILE_H
#define LOG_FILE_H

#include <stdio.h>
#include <unistd.h>

#include "lib/revocation_log.h"
#include "tests/unit/unit.h"

/* For test programs about the log of revocations as a file. Each test has a directory of its own,
 * and a log in it. */

#define NOW apr_time_from_sec(1000)
#define PATIENCE apr_time_from_sec(20)

static char *top;
static const char *path;
static ss_revocation_place_t place;
static const char *why;

static inline void begin(void)
{
    /* in memory, where that can be had: syncing takes the disk's time */
    top = apr_pstrcat(pool, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
                      "/ss_revocation.XXXXXX", NULL);
    ck_assert_ptr_nonnull(mkdtemp(top));
    path = apr_pstrcat(pool, top, "/log", NULL);
    place = (ss_revocation_place_t){ path, getuid(), getgid() };
    why = NULL;
    ck_assert_int_eq(ss_revocation_log_make(&why, &place, pool), APR_SUCCESS);
}

static inline void end(void)
{
    static const char *const names[] = { "/log", "/log.new", "/log.old" };

    for (int i = 0; i < COUNT(names); i++) {
        unlink(apr_pstrcat(pool, top, names[i], NULL));
    }
    ck_assert_int_eq(rmdir(top), 0); /* nothing else is left */
}

/** A test case of `suite`, with a log. */
static inline TCase *case_of(Suite *suite, const char *name)
{
    TCase *tcase = unit_case(suite, name);

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 60);
    return tcase;
}

static inline void write_file(const char *text, const char *mode)
{
    FILE *file = fopen(path, mode);

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static inline apr_status_t make(void)
{
    why = NULL;
    return ss_revocation_log_make(&why, &place, pool);
}

static inline apr_status_t append(const char *lines)
{
    why = NULL;
    return ss_revocation_log_append(&why, path, ss_bytes_of(lines), NULL, PATIENCE, pool);
}

#define assert_why(part) ck_assert_msg(why != NULL && strstr(why, part) != NULL, "%s", why)

#endif
