/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_TLS_H
#define SS_TLS_H

#include <apr_pools.h>
#include <openssl/types.h>

/* How a connection is made safe. The certificate of a server and its name are always checked. */

typedef struct ss_tls_files_t {
    const char *ca;   /* PEM; NULL: whom this machine trusts */
    const char *cert; /* PEM, with the chain behind it; NULL: none */
    const char *key;  /* PEM, with `cert` */
} ss_tls_files_t;

/**
 * Read the files.
 *
 * @param context  out: as long as `pool`; any number of threads may use it, after a fork, too
 * @return         NULL, or what is wrong
 */
const char *ss_tls_create(SSL_CTX **context, const ss_tls_files_t *files, apr_pool_t *pool);

/**
 * A side of a connection, which begins with the next read or write.
 *
 * @param name  that the certificate must have: a host name or an address
 * @return      NULL without memory; SSL_free() frees it
 */
SSL *ss_tls_begin(SSL_CTX *context, int socket, const char *name);

/** What went wrong just now, after a call that failed; forgotten then. */
const char *ss_tls_failure(const SSL *tls, apr_pool_t *pool);

#endif
