/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_MEMORY_H
#define SS_MEMORY_H

#include "lib/format/format.h"

/**
 * The cookies that proved valid last, and what was inside: a client sends the same cookie again and
 * again, and verifying it is the expensive part of reading. Nothing becomes valid by this that
 * would not be valid without: all bytes of the cookie and the virtual host must be the same, and
 * times are judged anew by the caller.
 *
 * For any number of threads, without locks: the memory is divided by a hash of the cookie; a thread
 * takes its part away while it looks, and another one that wants the same part meanwhile goes
 * without. Bounded: SS_MEMORY_COOKIES cookies, or as many as SS_MEMORY_BYTES hold; the oldest goes.
 */
typedef struct ss_memory_t ss_memory_t;

#define SS_MEMORY_PARTS 16
#define SS_MEMORY_COOKIES (SS_MEMORY_PARTS * 16)
#define SS_MEMORY_BYTES (SS_MEMORY_PARTS * 20 * 1024)

/** What is remembered of a cookie. */
typedef struct ss_memory_item_t {
    const ss_format_t *format;
    ss_stamp_t stamp;
    int key; /* index of the key that fitted */
    ss_document_t document;
} ss_memory_item_t;

/** An empty memory, in `pool`. */
ss_memory_t *ss_memory_create(apr_pool_t *pool);

/**
 * Was this cookie found valid in this virtual host?
 *
 * @param item    out, defined if so: the document in `pool`
 * @param cookie  all of it counts
 * @param host    the virtual host: its address is part of the key
 * @return        whether it was
 */
SS_MUST_USE int ss_memory_recall(ss_memory_t *memory, ss_memory_item_t *item,
                                 const ss_sealed_t *cookie, const void *host, apr_pool_t *pool);

/** Remember a cookie that was verified. One whose document has no outline (lib/document.h) is not,
 * nor one that is larger than a part. */
void ss_memory_keep(ss_memory_t *memory, const ss_memory_item_t *item, const ss_sealed_t *cookie,
                    const void *host);

#endif
