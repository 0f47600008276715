/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_DOUBTS_H
#define SS_DOUBTS_H

#include "httpd/part.h"

/* What no single directive can decide: directives that contradict each other, and combinations that
 * surprise. Each is a row. */

/** Refuse what contradicts itself. */
ss_part_fn ss_doubts_refuse;

/** Warn of what surprises, once the keys are made. */
ss_part_fn ss_doubts_warn;

#endif
