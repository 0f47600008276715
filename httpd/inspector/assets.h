/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_ASSETS_H
#define SS_ASSETS_H

#include "lib/base.h"

/* The one style and the one script of the inspector's page: style.css and script.js, without their
 * licence and without the white space at the beginning of lines. */

ss_bytes_t ss_asset_style(void);
ss_bytes_t ss_asset_script(void);

#endif
