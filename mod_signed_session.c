/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/* The table of contents: what can be configured, and where the module takes part in a request. */

#include <stddef.h>

#include <ap_provider.h>
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/api.h"
#include "httpd/chain.h"
#include "httpd/config.h"
#include "httpd/expression.h"
#include "httpd/forward.h"
#include "httpd/guard.h"
#include "httpd/handlers.h"
#include "httpd/identity.h"
#include "httpd/modules.h"
#include "httpd/outage.h"
#include "httpd/require.h"
#include "httpd/response.h"
#include "httpd/routes.h"
#include "httpd/startup.h"
#include "httpd/status.h"
#include "httpd/tally.h"
#include "httpd/upgrade.h"
#include "lib/option.h"
#include "mod_signed_session_store.h"
#include "stores/file.h"

module AP_MODULE_DECLARE_DATA signed_session_module;

#define SS_DEFAULT_USER "user"

/* A row: name, kind, the member it fills, how many words it takes (0: any number), default,
 * accepted values, and what few rows need besides. The row is httpd's command_rec and our own
 * descriptor at once; ss_config_set is the only setter. */
#define ROW(scope_, conf, where, name, kind, filled, words, default_, usage, ...)                  \
    AP_INIT_RAW_ARGS(name, ss_config_set,                                                          \
                     (void *)&((const ss_directive_t){ .scope = scope_,                            \
                                                       .parse = kind,                              \
                                                       .offset = offsetof(conf, filled),           \
                                                       .size = sizeof(((conf *)0)->filled),        \
                                                       .standard = default_,                       \
                                                       .max_words = words,                         \
                                                       __VA_ARGS__ }),                             \
                     where, usage)

/* decides how a cookie is read: never in a directory section */
#define SERVER(...) ROW(SS_SERVER, ss_server_conf_t, RSRC_CONF, __VA_ARGS__)
/* decides what is shown, required or changed in one place */
#define DIRECTORY(...) ROW(SS_DIRECTORY, ss_dir_conf_t, RSRC_CONF | OR_AUTHCFG, __VA_ARGS__)
/* the same, but not for .htaccess: a session is the whole site's */
#define SECTION(...) ROW(SS_DIRECTORY, ss_dir_conf_t, RSRC_CONF | ACCESS_CONF, __VA_ARGS__)

static const ss_choice_t flags = { "On or Off", { [0] = "Off", [1] = "On" } };
static const ss_choice_t modes = {
    "On, Off or ReadOnly", { [SS_OFF] = "Off", [SS_ON] = "On", [SS_READ_ONLY] = "ReadOnly" }
};
static const ss_choice_t outages = {
    "503 or anonymous", { [SS_OUTAGE_503] = "503", [SS_OUTAGE_ANONYMOUS] = "anonymous" }
};
static const ss_choice_t strips = {
    "auto, on or off", { [SS_STRIP_AUTO] = "auto", [SS_STRIP_ON] = "on", [SS_STRIP_OFF] = "off" }
};

/* clang-format off */
const command_rec ss_directives[] = {
    SERVER("SignedSessionSecret", ss_parse_sources, sources, 0, SS_DEFAULT_SECRET,
           "one or more of env:NAME, file:PATH, \"exec:COMMAND\"; the first secret seals, all open",
           .gather = ss_gather_secret),
    SERVER("SignedSessionCookie", ss_parse_cookie, cookie, 0, SS_DEFAULT_COOKIE,
           "the cookie's name, then attributes as in Set-Cookie: Path=, Domain=, SameSite=, "
           "HttpOnly, Secure=auto/on/off, Partitioned, Priority="),
    SERVER("SignedSessionFormat", ss_parse_formats, formats, 0, SS_DEFAULT_FORMAT,
           "the format that is written, then further formats that are accepted"),
    SERVER("SignedSessionEncrypt", ss_parse_choice, encrypt, 1, "Off",
           "On: native cookies are written encrypted, not only signed; or Off", .choice = &flags),
    SERVER("SignedSessionAudience", ss_parse_text, audience, 1, "\"" SS_DEFAULT_AUDIENCE "\"",
           "a text that native keys are bound to: cookies of one audience do not open in another"),
    SERVER("SignedSessionIdleTimeout", ss_parse_timeout, lifetime.idle, 1, SS_DEFAULT_IDLE_TIMEOUT,
           "a duration after the last write or renewal (90s, 15min, 12h, 14d, 2w), or none"),
    SERVER("SignedSessionAbsoluteTimeout", ss_parse_timeout, lifetime.absolute, 1, SS_DEFAULT_ABSOLUTE_TIMEOUT,
           "a duration after the creation of the session, or none"),
    SERVER("SignedSessionRenew", ss_parse_renew, lifetime.renew, 1, "10%",
           "when an unchanged session gets a fresh time: a percentage of the idle timeout, a "
           "duration, always or never"),
    SERVER("SignedSessionPersistent", ss_parse_choice, lifetime.persistent, 1, "On",
           "On: the cookie carries Max-Age; Off: it ends with the browser", .choice = &flags),
    SERVER("SignedSessionSkew", ss_parse_duration, lifetime.skew, 1, SS_DEFAULT_SKEW,
           "a duration: how far the clocks of other servers may be ahead"),
    SERVER("SignedSessionMaxSize", ss_parse_size, max_size, 1, "4096",
           "bytes of the cookie's name and value together, at most 4096"),
    SERVER("SignedSessionSubject", ss_parse_key, subject, 1, SS_DEFAULT_USER,
           "the top-level key whose string says whose session it is"),
    SERVER("SignedSessionStore", ss_parse_places, places, 0, "cookie",
           "where sessions are kept: cookie, or a store such as file, file:DIRECTORY, redis://HOST:PORT; of "
           "several places the first that a session fits into is written, and all are read"),
    SERVER("SignedSessionStoreMaxSize", ss_parse_store_size, store_max_size, 1, "64K",
           "bytes of the JSON text of a session that is kept in a store, from 4K to 1M"),
    SERVER("SignedSessionStoreTimeout", ss_parse_wait, store_timeout, 1, "200ms",
           "how long one load or one save may take, all in all, from 10ms to 10s"),
    SERVER("SignedSessionStoreSpace", ss_parse_space, store_space, 1, "256M",
           "bytes that a store on this machine may use before it refuses new sessions, from 1M"),
    SERVER("SignedSessionRevocation", ss_parse_revocation, revocation, 1, "Off",
           "where it is written who was logged out everywhere: file: and the path of a log on this machine, or store; "
           "or Off"),
    SERVER("SignedSessionBind", ss_parse_bind, bind, 4, "Off",
           "On or Required, the path at which browsers bind a session to a key of theirs, how long a proof of it "
           "counts (5min to 1h) and, for Required, how long a session may be without one (1min to 1h); or Off"),

    DIRECTORY("SignedSession", ss_parse_choice, mode, 1, NULL,
              "On, Off, or ReadOnly (never sends a cookie)",
              .choice = &modes, .gather = ss_gather_mode),
    DIRECTORY("SignedSessionEnv", ss_parse_choice, env, 1, NULL,
              "On: SESSION, SESSION_<key> and SIGNED_SESSION_STATE in the environment; or Off", .choice = &flags),
    DIRECTORY("SignedSessionTouch", ss_parse_choice, touch, 1, "On",
              "Off: requests here never renew the session; or On", .choice = &flags),
    DIRECTORY("SignedSessionVary", ss_parse_choice, vary, 1, "On",
              "On: responses here carry Vary: Cookie; or Off", .choice = &flags),
    SECTION("SignedSessionUpdate", ss_parse_update, update, 0, NULL,
            "a response header in which applications here send a JSON merge patch, then the keys it "
            "may touch (none named: all); or Off",
            .gather = ss_gather_update),
    SECTION("SignedSessionForward", ss_parse_forward, forward, 0, NULL,
            "the request header in which proxied backends get the session as JSON, then the keys that "
            "they get (none named: all); or Off",
            .gather = ss_gather_forward),
    SECTION("SignedSessionForwardText", ss_parse_forward_text, forward_texts, 2, NULL,
            "a request header in which proxied backends get the text of a key, and the key; or Off",
            .merge = ss_merge_forward_texts, .gather = ss_gather_forward_text),
    SECTION("SignedSessionSet", ss_parse_set, rules, 3, NULL,
            "a key, a string expression whose value it gets when a request here is answered, and "
            "perhaps split= and what separates the pieces of a list",
            .merge = ss_merge_rules, .gather = ss_gather_rule),
    SECTION("SignedSessionUnset", ss_parse_unset, rules, 0, NULL,
            "keys that are removed when a request here is answered",
            .merge = ss_merge_rules, .gather = ss_gather_rule),
    SECTION("SignedSessionClear", ss_parse_clear, clear, 0, NULL,
            "On: requests here end the session; Everywhere: and every other one of its user; Others: only "
            "those; Before: they begin a new one, in which only the keys behind it stay; or Off",
            .gather = ss_gather_clear),
    SECTION("SignedSessionUser", ss_parse_user, user, 2, SS_DEFAULT_USER,
            "the key that AuthType signed-session takes the user from, and what the value must begin "
            "with before the name",
            .gather = ss_gather_user),
    SECTION("SignedSessionLoginPage", ss_parse_login_page, login_page, 2, NULL,
            "where AuthType signed-session sends a browser when nobody is logged in, and the "
            "parameter that says where it comes from; or Off",
            .gather = ss_gather_login_page),
    SECTION("SignedSessionReturn", ss_parse_return, way_back, 2, NULL,
            "the parameter that says where a request here is led back to, and the path without one; "
            "or Off"),
    SECTION("SignedSessionStripCookie", ss_parse_choice, strip, 1, NULL,
            "hide the session cookie from scripts and backends: auto, on or off",
            .choice = &strips),
    SECTION("SignedSessionUnavailable", ss_parse_choice, outage, 1, NULL,
            "what a request gets whose session cannot be loaded from its store: 503, or anonymous, as if it had none",
            .choice = &outages),
    SECTION("SignedSessionWritable", ss_parse_writable, writable, 0, NULL,
            "keys that the endpoints here may change for a client, or * for all, or none",
            .gather = ss_gather_writable),
    SECTION("SignedSessionTrustedOrigin", ss_parse_origins, trusted, 0, NULL,
            "further origins, scheme://host[:port], whose pages may change the session"),
    SECTION("SignedSessionInspector", ss_parse_choice, inspector, 1, NULL,
            "On: browsers that open the endpoint here get a page that explains their session; or Off",
            .choice = &flags),
    SECTION("SignedSessionReveal", ss_parse_choice, reveal, 1, NULL,
            "On: the endpoints here show what a session holds, though SignedSessionEncrypt is On; or Off",
            .choice = &flags),
    SECTION("SignedSessionGuard", ss_parse_choice, guard, 1, NULL,
            "On: a request of another site that may change something is refused here; or Off",
            .choice = &flags),
    SECTION("SignedSessionModules", ss_parse_choice, modules, 1, NULL,
            "On: modules that want mod_session keep their entries in the session here; or Off",
            .choice = &flags, .gather = ss_gather_modules),
    SECTION("SignedSessionLogin", ss_parse_login, login, 1, NULL,
            "the key that a name goes into whose password mod_auth_form has checked; or Off",
            .gather = ss_gather_login),
    { .name = NULL }
};
/* clang-format on */

_Static_assert(sizeof(ss_directives) / sizeof(ss_directives[0]) <= 64,
               "what was written is a bit for each row in a word of 64");

static void register_hooks(apr_pool_t *pool)
{
    /* our handler answers also where a catch-all ProxyPass has claimed the request */
    static const char *const before_proxy[] = { "mod_proxy.c", NULL };

    static const char *const before_authz[] = { "mod_authz_core.c", NULL };
    /* hidden cookies are for handlers, not for caches */
    static const char *const cache[] = { "mod_cache.c", NULL };
    static const char *const after_headers[] = { "mod_headers.c", NULL };

    ap_register_provider(pool, SIGNED_SESSION_STORE_GROUP, "file", SIGNED_SESSION_STORE_VERSION,
                         &ss_store_file);
    ss_forward_register();
    ss_response_register();
    ss_upgrade_register();
    ss_require_register(pool);
    ss_api_register();
    ss_status_register(pool);

    ap_hook_pre_config(ss_expression_register_log, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_pre_config(ss_modules_replace, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_expr_lookup(ss_expression_look_up, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(ss_startup_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(ss_startup_run, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(ss_startup_child, NULL, NULL, APR_HOOK_MIDDLE);

    /* first, before anybody looks at the headers; it also runs for every internal redirect, even
     * one that is then refused */
    ap_hook_post_read_request(ss_chain_begin, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_header_parser(ss_guard_check, NULL, NULL, APR_HOOK_FIRST);
    /* before anybody takes an outage for a logout */
    ap_hook_check_access(ss_outage_check, NULL, NULL, APR_HOOK_REALLY_FIRST,
                         AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_access_ex(ss_outage_check_again, NULL, NULL, APR_HOOK_REALLY_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(ss_identity_check, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    /* around mod_authz_core's */
    ap_hook_check_access_ex(ss_identity_admit, NULL, before_authz, APR_HOOK_REALLY_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authz(ss_identity_authorize, NULL, before_authz, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    /* first, so that per-directory rewrite rules, mod_headers and scripts find the notes */
    ap_hook_fixups(ss_chain_show, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(ss_routes_claim, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* mod_cache looks pages up by the headers that these change */
    ap_hook_quick_handler(ss_chain_look_up, NULL, cache, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(ss_chain_arrive, NULL, cache, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(ss_chain_run, cache, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(ss_handlers_run, NULL, before_proxy, APR_HOOK_FIRST);

    ap_hook_insert_filter(ss_forward_insert, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_filter(ss_upgrade_insert, NULL, NULL, APR_HOOK_MIDDLE);
    /* both, because httpd drops all filters when it answers with an error; after mod_headers, so
     * that ours comes behind its own */
    ap_hook_insert_filter(ss_response_insert, after_headers, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_insert_error_filter(ss_response_insert_error, after_headers, NULL,
                                APR_HOOK_REALLY_LAST);

    /* before the logs are written, whose lines may depend on it */
    ap_hook_log_transaction(ss_tally_request, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_log_transaction(ss_response_report_late_change, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(signed_session)
= {
    STANDARD20_MODULE_STUFF, ss_config_create_dir, ss_config_merge_dir, ss_config_create_server,
    ss_config_merge_server,  ss_directives,        register_hooks,
#ifdef AP_MODULE_FLAG_NONE
    AP_MODULE_FLAG_NONE,
#endif
};
