/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "httpd/inspector/assets.h"

/* Lists of bytes, which the Makefile makes of the two files. */

static const unsigned char style[] = {
#include "httpd/inspector/style.css.inc"
};

static const unsigned char script[] = {
#include "httpd/inspector/script.js.inc"
};

ss_bytes_t ss_asset_style(void)
{
    return ss_bytes((const char *)style, sizeof(style));
}

ss_bytes_t ss_asset_script(void)
{
    return ss_bytes((const char *)script, sizeof(script));
}
