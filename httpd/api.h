/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_API_H
#define SS_API_H

/** Register the optional functions of mod_signed_session.h. */
void ss_api_register(void);

#endif
