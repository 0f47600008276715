/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef VALUES_H
#define VALUES_H

#include <stdio.h>

#include "lib/json/json.h"
#include "tests/unit/unit.h"

/** The value that these bytes are; a test that cannot write JSON fails. */
static inline ss_json_t checked(ss_bytes_t text)
{
    ss_json_t value;

    ck_assert_msg(ss_json_check(&value, text, SS_JSON_PYTHON, NULL) == APR_SUCCESS, "no JSON: %.*s",
                  (int)text.len, text.data);
    return value;
}

/** The value that a terminated string is, in memory that ends with it. */
static inline ss_json_t value_of(const char *text)
{
    return checked(exact_of(text));
}

/** The same; NULL is no value. */
static inline ss_json_t value_or_none(const char *text)
{
    return text == NULL ? ss_json_absent : value_of(text);
}

/** Fails, and says `what`, unless this is how the value is written. */
static inline void assert_value(ss_json_t got, const char *want, const char *what)
{
    assert_bytes(got.raw, ss_bytes_of(want), what);
}

/** An object of `count` members: {"0":0,"1":1,... */
static inline const char *wide(int count)
{
    char *text = apr_palloc(pool, count * 16 + 3), *out = text;
    int i;

    for (i = 0; i < count; i++) {
        out += sprintf(out, "%c\"%d\":%d", i == 0 ? '{' : ',', i, i);
    }
    strcpy(out, "}");
    return text;
}

#endif
