/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>
#include <unixd.h>

#include "httpd/config.h"
#include "httpd/counters.h"
#include "httpd/doubts.h"
#include "httpd/forward.h"
#include "httpd/inspector/inspector.h"
#include "httpd/log.h"
#include "httpd/proving.h"
#include "httpd/response.h"
#include "httpd/revoking.h"
#include "httpd/secrets.h"
#include "httpd/startup.h"
#include "httpd/stores.h"
#include "lib/memory.h"

/* A memory of the cookies that proved valid, one for all servers of a child; not under
 * -DSIGNED_SESSION_NO_MEMORY, which is there to compare. */
static void keep_memory(server_rec *main, apr_pool_t *pchild)
{
    ss_memory_t *memory = NULL;

    for (server_rec *s = main; s != NULL; s = s->next) {
        ss_server_conf_t *conf = ss_server_conf(s);

        if (conf->sealing.seals != NULL && !ap_exists_config_define("SIGNED_SESSION_NO_MEMORY")) {
            memory = memory != NULL ? memory : ss_memory_create(pchild);
            conf->sealing.memory = memory;
        }
    }
}

void ss_start_warn(const ss_start_t *start, server_rec *s, const char *message)
{
    int where = start->is_test ? APLOG_STARTUP : APLOG_NOERRNO;

    ap_log_error(APLOG_MARK, where | APLOG_WARNING, 0, s, "%s", message);
}

const char *ss_start_place(const ss_start_t *start, const server_rec *s)
{
    return s == start->main ? ""
                            : apr_psprintf(start->scratch, " (virtual host %s, %s:%u)",
                                           s->server_hostname, s->defn_name, s->defn_line_number);
}

/** What has something to do when httpd starts, in this order. */
static const struct part_t {
    ss_part_fn *check; /* a configuration was read, for whatever */
    ss_part_fn *start; /* for a test, and in both passes of a
                          start */
    void (*child)(server_rec *main, apr_pool_t *pchild); /* in each child */
} parts[] = {
    /* clang-format off */
    { ss_doubts_refuse,    NULL,               NULL },
    { ss_stores_check,     ss_stores_settle,   ss_stores_open },
    { NULL,                ss_config_settle,   NULL },
    { ss_secrets_announce, ss_secrets_settle,  NULL },
    { NULL,                ss_secrets_tell,    NULL },
    { NULL,                ss_doubts_warn,     NULL },
    { NULL,                ss_forward_reserve, NULL },
    { NULL,                ss_response_start,  NULL },
    { NULL,                ss_proving_start,   NULL },
    { NULL,                ss_inspector_settle, NULL },
    { NULL,                ss_revoking_settle, ss_revoking_open },
    { NULL,                ss_counters_settle, ss_counters_open },
    { NULL,                NULL,               keep_memory },
    /* clang-format on */
};

#define PARTS ((int)(sizeof(parts) / sizeof(parts[0])))

static int check_all(ss_start_t *start)
{
    int result = OK;

    for (int i = 0; i < PARTS && result == OK; i++) {
        result = parts[i].check == NULL ? OK : parts[i].check(start);
    }
    return result;
}

static int start_all(ss_start_t *start)
{
    int result = OK;

    for (int i = 0; i < PARTS && result == OK; i++) {
        result = parts[i].start == NULL ? OK : parts[i].start(start);
    }
    return result;
}

#define FIRST_GENERATION 1 /* of the second pass of a start; the first, and a test, are 0 */

/* httpd's children change their user only where root starts it. */
static int is_root(void)
{
    return geteuid() == 0;
}

static ss_start_t start_of(server_rec *main, apr_pool_t *scratch)
{
    int is_test = ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST;
    const ss_start_t start = {
        .main = main,
        .is_test = is_test,
        .is_first = !is_test && ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG,
        .is_reload = ap_state_query(AP_SQ_CONFIG_GEN) > FIRST_GENERATION,
        .uid = is_root() ? ap_unixd_config.user_id : geteuid(),
        .gid = is_root() ? ap_unixd_config.group_id : getegid(),
        .scratch = scratch,
    };

    return start;
}

int ss_startup_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    ss_start_t start = start_of(main, ptemp);
    int result = check_all(&start);

    (void)pconf;
    (void)plog;
    return result == OK && start.is_test ? start_all(&start) : result;
}

int ss_startup_run(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    ss_start_t start = start_of(main, ptemp);

    (void)plog;
    /* The first of two passes only judges: it still has the terminal's exit status. */
    if (!start.is_first) {
        start.keys = pconf;
        ss_log_server(main, APLOG_INFO, "SS0100",
                      "mod_signed_session " SS_VERSION "; httpd built with " AP_SERVER_BASEREVISION
                      ", running %s; OpenSSL built with %s, running %s",
                      ap_get_server_description(), ss_crypto_built_version(),
                      ss_crypto_running_version());
    }
    return start_all(&start);
}

void ss_startup_child(apr_pool_t *pchild, server_rec *main)
{
    for (int i = 0; i < PARTS; i++) {
        if (parts[i].child != NULL) {
            parts[i].child(main, pchild);
        }
    }
}
