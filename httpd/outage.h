/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_OUTAGE_H
#define SS_OUTAGE_H

#include <httpd.h>

/** access_checker: whoever has a session that its store does not give out is told so, before
 * somebody asks who he is: an outage must not look like a logout. */
int ss_outage_check(request_rec *r);

/** access_checker_ex: the same again. Where "Satisfy Any" holds, whoever was refused is asked who
 * he is all the same. */
int ss_outage_check_again(request_rec *r);

#endif
