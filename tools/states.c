/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <stdio.h>

#include "lib/advice.h"
#include "tools/ssctl.h"

static void print_as_json(const ss_advice_t *advice, int is_first, apr_pool_t *pool)
{
    printf("%s{\"state\":%s,\"meaning\":%s,\"remedy\":%s}", is_first ? "" : ",",
           json_of_text(ss_bytes_of(advice->name), pool),
           json_of_text(ss_bytes_of(advice->meaning), pool),
           json_of_text(ss_bytes_of(advice->remedy), pool));
}

result_e run_states(const options_t *options)
{
    if (options->json) {
        putchar('[');
    }
    for (int i = 0; i < SS_CASES; i++) {
        const ss_advice_t *advice = ss_advice(i);

        if (options->json) {
            print_as_json(advice, i == 0, options->pool);
        }
        else {
            printf("%s%-16s%s  %s\n%-16s  %s\n", painted(PAINT_NAME), advice->name,
                   painted(PAINT_NONE), advice->meaning, "", advice->remedy);
        }
    }
    if (options->json) {
        puts("]");
    }
    return SSCTL_DONE;
}
