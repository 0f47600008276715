/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef EXHAUST_H
#define EXHAUST_H

#include <dlfcn.h>
#include <setjmp.h>
#include <sys/mman.h>

#include "lib/json/json.h"
#include "tests/unit/unit.h"

/*
 * Memory that runs out: whatever lib/ does is done again and again while the first allocation
 * fails, then the second, and so on until it succeeds. A pool must then end in its abort function,
 * as it does in httpd, and libraries that answer with NULL must lead there, or to a status of
 * failure; what is returned as done must be done whole.
 *
 * APR offers no seam below its pools, zlib none that lib/ uses, and libcrypto's would not cover
 * them. So these programs define what all of them call. The functions that are called in turn are
 * the next in the order of libraries: the sanitizers' where there are some.
 */

/*
 * The seam
 */

typedef enum seam_e {
    MALLOC, /* of all libraries; a pool asks for 8 KB at a time */
    PALLOC, /* each small piece of a pool */
    SEAMS
} seam_e;

/* Which allocation from now on fails, and at which seam. 0: none does. */
static seam_e seam;
static unsigned countdown;
static int failed; /* has one? */
static jmp_buf abort_function;

/* The thread sanitizer asks for memory before it is ready for code that it watches. */
#define UNWATCHED __attribute__((no_sanitize("thread")))

UNWATCHED static inline int is_to_fail(seam_e where)
{
    if (where != seam || countdown == 0 || --countdown > 0) {
        return 0;
    }
    failed = 1;
    return 1;
}

/* Looking a function up may itself ask for memory, and copes without. */
#define NEXT(function, nothing)                                                                    \
    static __typeof__(&function) next;                                                             \
    static int looking;                                                                            \
    if (next == NULL) {                                                                            \
        if (looking) {                                                                             \
            return nothing;                                                                        \
        }                                                                                          \
        looking = 1;                                                                               \
        *(void **)&next = dlsym(RTLD_NEXT, #function);                                             \
    }

UNWATCHED void *malloc(size_t size)
{
    NEXT(malloc, NULL)
    return is_to_fail(MALLOC) ? NULL : next(size);
}

UNWATCHED void *calloc(size_t count, size_t size)
{
    NEXT(calloc, NULL)
    return is_to_fail(MALLOC) ? NULL : next(count, size);
}

UNWATCHED void *realloc(void *data, size_t size)
{
    NEXT(realloc, NULL)
    return is_to_fail(MALLOC) ? NULL : next(data, size);
}

/* What APR's allocator asks where it was built with --enable-allocator-uses-mmap, as Debian's. */
UNWATCHED void *mmap(void *where, size_t size, int protection, int flags, int file, off_t offset)
{
    NEXT(mmap, MAP_FAILED)
    if (is_to_fail(MALLOC)) {
        return MAP_FAILED;
    }
    return next(where, size, protection, flags, file, offset);
}

static inline int end_of_memory(int status)
{
    (void)status;
    longjmp(abort_function, 1);
}

UNWATCHED void *apr_palloc(apr_pool_t *from, apr_size_t size)
{
    NEXT(apr_palloc, NULL)
    if (is_to_fail(PALLOC)) {
        end_of_memory(APR_ENOMEM);
    }
    return next(from, size);
}

/*
 * Attempts
 */

/** What an attempt comes to, beside the abort function. */
typedef enum outcome_e { DONE, REFUSED, WRONG } outcome_e;

/** One operation on `data`, made with memory from `from` alone. */
typedef outcome_e operation_fn(const void *data, apr_pool_t *from);

#define NODE_FILL 7900 /* bytes of a pool's first 8 KB, so that it soon asks for more */

/** From here on there is memory again: for looking at what was done. */
static inline void relent(void)
{
    countdown = 0;
}

static inline apr_pool_t *small_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *small;

    ck_assert_int_eq(apr_allocator_create(&allocator), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create_ex(&small, NULL, end_of_memory, allocator), APR_SUCCESS);
    apr_allocator_owner_set(allocator, small);
    apr_palloc(small, NODE_FILL);
    return small;
}

/** Every allocation of an operation fails in turn, at each seam. */
static inline void exhaust(const char *what, operation_fn *operation, const void *data)
{
    static unsigned nth, failures;
    static apr_pool_t *small;

    ck_assert_msg(operation(data, pool) == DONE, "%s: not even with memory", what);
    failures = 0;
    for (seam = 0; seam < SEAMS; seam++) {
        nth = 0;
        do {
            volatile outcome_e outcome = REFUSED;

            small = small_pool();
            failed = 0;
            countdown = ++nth;
            if (setjmp(abort_function) == 0) {
                outcome = operation(data, small);
            }
            relent();
            apr_pool_destroy(small);
            ck_assert_msg(outcome != WRONG && (outcome == DONE || failed),
                          "%s: wrong when allocation %u fails at seam %d", what, nth, seam);
            failures += failed;
        } while (failed);
    }
    ck_assert_msg(failures > 0, "%s: no allocation was seen", what);
    ck_assert_msg(operation(data, pool) == DONE, "%s: no more afterwards", what);
}

/** A test case of `suite`. Check's four seconds are over where others work on the machine, too:
 * each test runs once for every allocation that it makes. */
static inline TCase *exhausting_case(Suite *suite)
{
    TCase *tcase = unit_case(suite, "memory that runs out");

    tcase_set_timeout(tcase, 90);
    return tcase;
}

/* Long enough that zlib makes it shorter, and for more than one node of a pool. */
#define UNIT "\"0123456789\xc3\xa9\",{\"n\":1.50,\"t\":[true,null]},"
#define DOCUMENT                                                                                   \
    "{\"user\":\"Ann\",\"list\":[" UNIT UNIT UNIT UNIT UNIT UNIT UNIT UNIT "0],\"last\":{}}"

/** A value, found without memory; absent when there is none. */
static inline ss_json_t json_of(const char *text)
{
    ss_json_t value;

    return ss_json_check(&value, ss_bytes_of(text), SS_JSON_STRICT, NULL) == APR_SUCCESS
               ? value
               : ss_json_absent;
}

#endif
