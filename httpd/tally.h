/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_TALLY_H
#define SS_TALLY_H

#include <httpd.h>

/** log_transaction: what became of a client's request is counted, once. */
int ss_tally_request(request_rec *r);

#endif
