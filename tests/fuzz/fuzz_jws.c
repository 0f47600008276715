/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/encode.h"
#include "lib/jws.h"
#include "tests/fuzz/fuzz.h"

/* The only part of a text that may be wrong in one way alone: everything else is put right. */
static ss_bytes_t encoded(ss_bytes_t part, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, ss_base64_size(SS_BASE64URL, part.len) + 1);

    return ss_bytes(text, ss_base64_encode(SS_BASE64URL, text, part));
}

static ss_bytes_t joined(ss_bytes_t header, ss_bytes_t payload, apr_pool_t *pool)
{
    static const char signature[SS_ES256_SIZE];
    const ss_bytes_t parts[] = { encoded(header, pool), encoded(payload, pool),
                                 encoded(ss_bytes(signature, sizeof(signature)), pool) };
    char *text = apr_palloc(pool, parts[0].len + parts[1].len + parts[2].len + 2), *end = text;

    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            *end++ = '.';
        }
        memcpy(end, parts[i].data, parts[i].len);
        end += parts[i].len;
    }
    return ss_bytes(text, (apr_size_t)(end - text));
}

/* How often a byte stands there. */
static int count(ss_bytes_t text, char byte)
{
    int found = 0;

    for (apr_size_t i = 0; i < text.len; i++) {
        found += text.data[i] == byte;
    }
    return found;
}

/* Whatever it is, it is taken apart without harm; what is accepted says what it must; and a
 * signature of zeroes is nobody's. */
static void judge(ss_bytes_t text, apr_pool_t *pool)
{
    ss_jws_t jws;
    const char *why = ss_jws_read(&jws, text, pool);

    if (why != NULL) {
        return;
    }
    MUST(text.len <= SS_JWS_MAX && count(text, '.') == 2);
    MUST(jws.text.data == text.data && text.data[jws.text.len] == '.');
    MUST(count(jws.text, '.') == 1 && text.len - jws.text.len - 1 == 86);
    MUST(jws.challenge.data != NULL);
    if (jws.has_key) {
        MUST(ss_point_is_valid(jws.point, pool));
        MUST(!ss_jws_verify(&jws, jws.point));
    }
}

/* Input: a JWS; it is also tried as a header, NUL, payload. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    ss_bytes_t input = fuzz_bytes(data, size), header, payload;

    judge(fuzz_exact(input, pool), pool);
    header = fuzz_part(&input);
    payload = input;
    judge(fuzz_exact(joined(header, payload, pool), pool), pool);
    apr_pool_destroy(pool);
    return 0;
}
