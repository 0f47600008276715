/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_LOCATION_H
#define SS_LOCATION_H

#include <httpd.h>

#include "lib/base.h"

/** Does SetHandler say this handler where `r` is? Whatever other modules have made of it since. */
int ss_location_has(const request_rec *r, const char *handler);

/**
 * The path below the <Location> whose SetHandler led here: "KEY" for /session/KEY, empty for the
 * location itself, with or without a slash at its end. Of several the longest counts. Where
 * SetHandler stands in a LocationMatch, a wildcard Location or a Directory, everything is the
 * location itself.
 *
 * @param path  out: a slice of r->uri, which httpd has percent-decoded
 */
void ss_location_path(ss_bytes_t *path, const request_rec *r, const char *handler);

#endif
