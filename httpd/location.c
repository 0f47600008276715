/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <ap_expr.h>
#include <http_core.h>

#include "httpd/location.h"

/* core.c's own accessor is a macro on this symbol */
extern module AP_MODULE_DECLARE_DATA core_module;

static int sets_handler(const core_dir_config *section, request_rec *r, const char *handler)
{
    const char *error = NULL, *value;

    if (section->expr_handler == NULL) {
        return section->handler != NULL && strcmp(section->handler, handler) == 0;
    }
    value = ap_expr_str_exec(r, section->expr_handler, &error);
    return error == NULL && value != NULL && strcmp(value, handler) == 0;
}

int ss_location_has(const request_rec *r, const char *handler)
{
    return sets_handler(ap_get_core_module_config(r->per_dir_config), (request_rec *)r, handler);
}

/* Is `uri` this location or below it? "/session" holds "/session/a", but not "/sessions". */
static int holds(const char *location, apr_size_t len, const char *uri)
{
    return strncmp(uri, location, len) == 0 &&
           (uri[len] == '\0' || uri[len] == '/' || (len > 0 && location[len - 1] == '/'));
}

void ss_location_path(ss_bytes_t *path, const request_rec *r, const char *handler)
{
    /* A section without a directive of ours never reaches our own configuration, so httpd's list of
     * locations is asked. */
    const core_server_config *core = ap_get_core_module_config(r->server->module_config);
    apr_size_t longest = 0;

    *path = ss_bytes("", 0);
    for (int i = 0; i < core->sec_url->nelts; i++) {
        const core_dir_config *section =
            ap_get_core_module_config(APR_ARRAY_IDX(core->sec_url, i, ap_conf_vector_t *));
        apr_size_t len;

        if (section == NULL || section->d == NULL || section->r != NULL || section->d_is_fnmatch) {
            continue;
        }
        len = strlen(section->d);
        if (len >= longest && holds(section->d, len, r->uri) &&
            sets_handler(section, (request_rec *)r, handler)) {
            const char *rest = r->uri + len;

            rest += *rest == '/';
            *path = ss_bytes(rest, strlen(rest));
            longest = len;
        }
    }
}
