/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_SPLIT_H
#define SS_SPLIT_H

#include "lib/json/json.h"

/**
 * A list that came as one text, such as the groups of an identity provider, as an array of strings.
 *
 * @param separator  as it stands, one byte or more; not empty
 * @return           in `pool`: the pieces without the white space around them, empty ones left out;
 * absent when none is left, or when `text` is not UTF-8
 */
ss_json_t ss_split(ss_bytes_t text, ss_bytes_t separator, apr_pool_t *pool);

#endif
