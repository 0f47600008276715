/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_BODY_H
#define SS_BODY_H

#include <httpd.h>

#include "lib/base.h"

/** Does the head of the request already announce more than SS_BODY_MAX bytes? */
int ss_body_is_announced_too_long(const request_rec *r);

/**
 * Read the whole body, at most SS_BODY_MAX bytes.
 *
 * @param body  out: in r->pool; ss_absent unless OK
 * @return      OK; HTTP_REQUEST_ENTITY_TOO_LARGE over the limit, nothing is sent yet; any other
 * value is to be returned from the handler as it is: httpd has answered, or must
 */
int ss_body_read(ss_bytes_t *body, request_rec *r);

#endif
