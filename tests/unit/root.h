/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef ROOT_H
#define ROOT_H

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* Tests that take root, for example to hand a file over: others count them, and say so. */

static int left_out;

static inline void add_as_root(TCase *tcase, const TTest *test)
{
    if (geteuid() == 0) {
        tcase_add_test(tcase, test);
    }
    else {
        left_out++;
    }
}

/** Run a suite of which some may have been left out. */
static inline int run_as_far_as_may_be(Suite *suite, const char *name)
{
    if (left_out > 0) {
        printf("%s: %d tests take root, and were not run\n", name, left_out);
    }
    return unit_run(suite);
}

#endif
