/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "stores/tls.h"

static apr_status_t end_context(void *context)
{
    SSL_CTX_free(context);
    return APR_SUCCESS;
}

/* The first cause; the others are said by whom it went through. */
static const char *reason_of_failure(void)
{
    unsigned long code = ERR_get_error();
    const char *reason = ERR_SYSTEM_ERROR(code) ? NULL : ERR_reason_error_string(code);

    ERR_clear_error();
    return reason;
}

static const char *complain(const char *what, const char *file, apr_pool_t *pool)
{
    const char *reason = reason_of_failure();

    return apr_psprintf(pool, "%s %s cannot be used: %s", what, file,
                        reason == NULL ? "it cannot be read, or is no PEM" : reason);
}

/* A private key that asks for its passphrase would ask on the terminal. */
static int give_no_passphrase(char *room, int size, int is_writing, void *baton)
{
    (void)room;
    (void)size;
    (void)is_writing;
    (void)baton;
    return -1;
}

static const char *read_files(SSL_CTX *context, const ss_tls_files_t *files, apr_pool_t *pool)
{
    if (files->ca == NULL ? SSL_CTX_set_default_verify_paths(context) != 1
                          : SSL_CTX_load_verify_file(context, files->ca) != 1) {
        return complain("the CA file", files->ca == NULL ? "of this machine" : files->ca, pool);
    }
    if (files->cert != NULL && SSL_CTX_use_certificate_chain_file(context, files->cert) != 1) {
        return complain("the certificate", files->cert, pool);
    }
    if (files->cert != NULL &&
        SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1) {
        return complain("the key", files->key, pool);
    }
    return NULL;
}

const char *ss_tls_create(SSL_CTX **context, const ss_tls_files_t *files, apr_pool_t *pool)
{
    ERR_clear_error();
    *context = SSL_CTX_new(TLS_client_method());
    if (*context == NULL) {
        const char *reason = reason_of_failure();

        return apr_pstrcat(pool, "OpenSSL gives no TLS: ", reason == NULL ? "" : reason, NULL);
    }
    apr_pool_cleanup_register(pool, *context, end_context, apr_pool_cleanup_null);
    SSL_CTX_set_min_proto_version(*context, TLS1_2_VERSION);
    SSL_CTX_set_verify(*context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(*context, give_no_passphrase);
    SSL_CTX_set_session_cache_mode(*context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(*context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return read_files(*context, files, pool);
}

/* An address is no name: it is compared with others of its kind, and not sent. */
static int expect_name(SSL *tls, const char *name)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), name) == 1) {
        return 1;
    }
    return SSL_set1_host(tls, name) == 1 && SSL_set_tlsext_host_name(tls, name) == 1;
}

SSL *ss_tls_begin(SSL_CTX *context, int socket, const char *name)
{
    SSL *tls = SSL_new(context);

    if (tls != NULL && (SSL_set_fd(tls, socket) != 1 || !expect_name(tls, name))) {
        SSL_free(tls);
        tls = NULL;
    }
    ERR_clear_error();
    if (tls != NULL) {
        SSL_set_connect_state(tls);
    }
    return tls;
}

const char *ss_tls_failure(const SSL *tls, apr_pool_t *pool)
{
    long verdict = SSL_get_verify_result(tls);
    const char *reason = reason_of_failure();

    if (verdict != X509_V_OK) {
        return apr_pstrcat(pool, "its certificate is not accepted: ",
                           X509_verify_cert_error_string(verdict), NULL);
    }
    return apr_pstrcat(pool, "TLS failed: ", reason == NULL ? "the connection was closed" : reason,
                       NULL);
}
