/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/*
 * Cookies of Django's signed_cookies sessions: payload:time:signature.
 *
 * The payload is base64url of the JSON document, perhaps compressed; the time is seconds since 1970
 * in base 62; the signature is HMAC-SHA-256, whose key is SHA-256 over a salt, the word "signer"
 * and the secret.
 */
#include <apr_strings.h>

#include "lib/encode.h"
#include "lib/json/json.h"
#include "lib/format/stamped.h"

#define SALT "django.contrib.sessions.backends.signed_cookies"

static apr_status_t derive(ss_key_t *key, ss_bytes_t secret, const ss_binding_t *binding,
                           apr_pool_t *pool)
{
    const ss_bytes_t slices[] = { ss_bytes_of(SALT), ss_bytes_of("signer"), secret };
    unsigned char derived[SS_SHA256_SIZE];
    apr_status_t rv;

    (void)binding; /* the framework binds its cookies to the secret alone */
    rv = ss_hash(SS_SHA256, derived, slices, 3);
    return rv == APR_SUCCESS ? ss_stamped_key(key, SS_SHA256, derived, pool) : rv;
}

static int read_time(apr_int64_t *seconds, ss_bytes_t text, apr_pool_t *pool)
{
    (void)pool;
    return ss_base62_decode(seconds, text) == APR_SUCCESS;
}

static const ss_stamped_t django = {
    ':', SS_SHA256, read_time, ss_base62_encode, ss_stamped_unpack, ss_stamped_pack
};

static apr_status_t seal_value(ss_sealed_t *cookie, const ss_payload_t *payload,
                               const ss_seal_t *seal, apr_pool_t *pool)
{
    ss_payload_t ascii = *payload;

    /* Django's serializer reads the document as Latin-1, so everything else must be escaped. */
    ascii.text = ss_json_compact(payload->json, SS_JSON_ASCII, pool).raw;
    return ss_stamped_seal(cookie, &ascii, seal, pool);
}

static ss_likeness_e look(ss_look_t *look, const ss_sealed_t *cookie, const ss_format_t *format,
                          apr_pool_t *pool)
{
    return ss_stamped_look(look, cookie, format, pool) == SS_POSSIBLE ? SS_LIKELY : SS_UNLIKE;
}

/* request.session.set_expiry: seconds; 0 is "when the browser closes"; none is the setting of the
 * application. A date is text that we do not read: such a cookie ends with the browser, so that it
 * never lives longer than the application wants. */
static apr_int64_t max_age(const ss_session_t *session, apr_int64_t standard)
{
    ss_json_t expiry = ss_session_get(session, ss_bytes_of("_session_expiry"));
    char digits[sizeof("31536000000")]; /* a thousand years */
    char *end;
    apr_int64_t seconds;

    if (expiry.raw.data == NULL || ss_json_kind(expiry) == SS_JSON_NULL) {
        return standard;
    }
    if (ss_json_kind(expiry) != SS_JSON_NUMBER || expiry.raw.len >= sizeof(digits)) {
        return -1;
    }
    apr_cpystrn(digits, expiry.raw.data, expiry.raw.len + 1);
    seconds = apr_strtoi64(digits, &end, 10);
    if (*end != '\0' || seconds == 0) {
        return -1;
    }
    return seconds > 0 ? seconds : 0;
}

const ss_format_t ss_format_django = { .name = "django",
                                       .traits =
                                           SS_FORMAT_TIMED | SS_FORMAT_FOREIGN | SS_FORMAT_LAST,
                                       .idle_days = 14,
                                       .kind = &django,
                                       .derive = derive,
                                       .open = ss_stamped_open,
                                       .seal = seal_value,
                                       .look = look,
                                       .max_age = max_age };
