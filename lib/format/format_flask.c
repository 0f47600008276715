/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Cookies of Flask: payload.time.signature, signed with the Python library itsdangerous.
 *
 * The payload is base64url of the JSON document, perhaps compressed; the signature is HMAC-SHA-1,
 * whose key is HMAC-SHA-1 over a salt, keyed with the secret.
 */
#include "lib/json/json.h"
#include "lib/format/stamped.h"

static apr_status_t derive(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                           apr_pool_t *pool)
{
    unsigned char derived[SS_SHA1_SIZE];
    apr_pool_t *scratch; /* what is keyed with the secret itself does not outlive this */
    ss_mac_t *mac;
    apr_status_t rv = apr_pool_create(&scratch, pool);

    (void)binding; /* the framework binds its cookies to the secret alone */
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ss_mac_create(&mac, SS_SHA1, secret, scratch);
    if (rv == APR_SUCCESS) {
        rv = ss_mac_compute(mac, derived, ss_bytes_of("cookie-session"));
    }
    apr_pool_destroy(scratch);
    return rv == APR_SUCCESS ? ss_stamped_key(key, SS_SHA1, derived, pool) : rv;
}

static const ss_stamped_t flask = {
    '.', SS_SHA1, ss_stamped_read_time, ss_stamped_write_time, ss_stamped_unpack, ss_stamped_pack
};

static ss_likeness_e look(ss_look_t *look, const ss_sealed_t *cookie, const ss_format_t *format,
                          apr_pool_t *pool)
{
    ss_likeness_e likeness = ss_stamped_look(look, cookie, format, pool);

    return likeness == SS_POSSIBLE && !ss_stamped_is_spaced(look, pool) ? SS_LIKELY : likeness;
}

/* Flask's cookies end with the browser until the application makes a session permanent. */
static apr_int64_t max_age(const ss_session_t *session, apr_int64_t standard)
{
    ss_json_t permanent = ss_session_get(session, ss_bytes_of("_permanent"));

    return permanent.raw.data != NULL && ss_json_is_true(permanent) ? standard : -1;
}

const ss_format_t ss_format_flask = { .name = "flask",
                                      .traits =
                                          SS_FORMAT_TIMED | SS_FORMAT_FOREIGN | SS_FORMAT_TAGGED,
                                      .idle_days = 31,
                                      .kind = &flask,
                                      .derive = derive,
                                      .open = ss_stamped_open,
                                      .seal = ss_stamped_seal,
                                      .look = look,
                                      .max_age = max_age };
