/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_atomic.h>

/*
 * APR's atomic functions once more, as the thread sanitizer can see them. libapr is not built with
 * it, so that every hand-over between threads would look like a race: of a context of libcrypto, of
 * a pool that httpd's queue of connections recycles. Preloaded by check-tsan.
 */

#define ORDER __ATOMIC_SEQ_CST

void *apr_atomic_xchgptr(volatile void **mem, void *with)
{
    return (void *)__atomic_exchange_n(mem, with, ORDER);
}

void *apr_atomic_casptr(volatile void **mem, void *with, const void *cmp)
{
    volatile void *expected = (volatile void *)cmp;

    __atomic_compare_exchange_n(mem, &expected, with, 0, ORDER, ORDER);
    return (void *)expected;
}

apr_uint32_t apr_atomic_cas32(volatile apr_uint32_t *mem, apr_uint32_t with, apr_uint32_t cmp)
{
    __atomic_compare_exchange_n(mem, &cmp, with, 0, ORDER, ORDER);
    return cmp;
}

apr_uint32_t apr_atomic_xchg32(volatile apr_uint32_t *mem, apr_uint32_t val)
{
    return __atomic_exchange_n(mem, val, ORDER);
}

apr_uint32_t apr_atomic_read32(volatile apr_uint32_t *mem)
{
    return __atomic_load_n(mem, ORDER);
}

void apr_atomic_set32(volatile apr_uint32_t *mem, apr_uint32_t val)
{
    __atomic_store_n(mem, val, ORDER);
}

apr_uint32_t apr_atomic_add32(volatile apr_uint32_t *mem, apr_uint32_t val)
{
    return __atomic_fetch_add(mem, val, ORDER);
}

void apr_atomic_sub32(volatile apr_uint32_t *mem, apr_uint32_t val)
{
    __atomic_fetch_sub(mem, val, ORDER);
}

apr_uint32_t apr_atomic_inc32(volatile apr_uint32_t *mem)
{
    return __atomic_fetch_add(mem, 1, ORDER);
}

int apr_atomic_dec32(volatile apr_uint32_t *mem)
{
    return __atomic_sub_fetch(mem, 1, ORDER) != 0;
}
