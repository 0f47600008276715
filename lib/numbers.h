/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_NUMBERS_H
#define SS_NUMBERS_H

#include <apr.h>

/* Integers of 1 to 8 bytes as they travel: big-endian. */

static inline void ss_number_put(char *out, int size, apr_uint64_t number)
{
    for (int i = size - 1; i >= 0; i--) {
        out[i] = (char)(number & 0xff);
        number >>= 8;
    }
}

static inline apr_uint64_t ss_number_get(const char *in, int size)
{
    apr_uint64_t number = 0;

    for (int i = 0; i < size; i++) {
        number = number << 8 | (unsigned char)in[i];
    }
    return number;
}

#endif
