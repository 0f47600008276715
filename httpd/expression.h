/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#ifndef SS_EXPRESSION_H
#define SS_EXPRESSION_H

#include <ap_expr.h>

/* One value of the session by its name, wherever httpd lets a module answer for a name. */

/** expr_lookup hook: the string function `session`, as in %{session:user} or session('user'). */
int ss_expression_look_up(ap_expr_lookup_parms *parms);

/** pre_config hook: the log directives %{KEY}^SS and %{:state}^SS, if mod_log_config is loaded. */
int ss_expression_register_log(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);

#endif
