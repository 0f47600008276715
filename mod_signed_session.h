/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */

/**
 * @file mod_signed_session.h
 * What other httpd modules may call.
 *
 * These are optional functions: a module that uses them loads, and works, where mod_signed_session
 * is absent. Fetch them each time the configuration is read, from a post_config or
 * optional_fn_retrieve hook:
 *
 * @code
 * static APR_OPTIONAL_FN_TYPE(signed_session_get) *session_get;
 *
 * static void fetch(void)
 * {
 *     session_get = APR_RETRIEVE_OPTIONAL_FN(signed_session_get);
 * }
 *
 * if (session_get != NULL && session_get(r, "user", &user) == APR_SUCCESS) ...
 * @endcode
 *
 * A session is one JSON object. `r` may be any request of a client's: after an internal redirect,
 * in an error document, a subrequest. The session is loaded by the first call, whatever the hook;
 * what SignedSession says is known from fixups on, so before that the server's setting counts.
 *
 * A change is sent with the response if it is made before the response's header leaves: in a
 * handler, before the first flush. A later one is lost, and reported in the error log (SS0301).
 *
 * Text is UTF-8, terminated, and lives as long as the client's request. Not for two threads at a
 * time with requests of the same client request; requests of different clients, and different
 * HTTP/2 streams, are independent.
 */
#ifndef MOD_SIGNED_SESSION_H
#define MOD_SIGNED_SESSION_H

#include <apr_optional.h>
#include <httpd.h>

/**
 * The number of this interface. It rises when functions are added. None is taken away or gets other
 * parameters within a major version: an optional function is found by its name alone, and a caller
 * of another shape would crash. What changes gets a new name.
 */
#define SIGNED_SESSION_API 1

/** Sessions are off here: "SignedSession On" is missing, or this server has no secret. */
#define SIGNED_SESSION_E_OFF (APR_OS_START_USERERR + 5101)
/** Sessions may be read here, not changed: "SignedSession ReadOnly". */
#define SIGNED_SESSION_E_READ_ONLY (APR_OS_START_USERERR + 5102)
/** What was given is not acceptable: no UTF-8, malformed or ambiguous JSON, a control character in
 * a key. */
#define SIGNED_SESSION_E_INVALID (APR_OS_START_USERERR + 5103)

/** The SIGNED_SESSION_API of the module that is loaded, which may be older or newer than this
 * header.
 */
APR_DECLARE_OPTIONAL_FN(int, signed_session_api, (void));

/* Every other function returns APR_SUCCESS, SIGNED_SESSION_E_OFF, or what its comment adds. On
 * failure nothing has changed, and out-parameters are NULL. */

/**
 * What the client's cookie was: "none", "valid", "malformed", "too-large", "unknown-key",
 * "bad-signature", "expired-idle", "expired-absolute", "from-future", "revoked",
 * "unavailable", "unproven" or "unbound".
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_state, (request_rec * r, const char **state));

/**
 * A value as text: strings decoded; numbers, true, false, null as written; arrays and objects as
 * compact JSON.
 *
 * @param path  a top-level key; else dots lead into objects and arrays ("cart.items.0.id")
 * @return      also APR_NOTFOUND: there is no such value, or it is a string with a control
 * character
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_get,
                        (request_rec * r, const char *path, const char **text));

/**
 * A value as compact JSON; NaN and the infinities, which some frameworks write, as null.
 *
 * @param path  as above; NULL for the whole session, "{}" when there is none
 * @return      also APR_NOTFOUND
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_get_json,
                        (request_rec * r, const char *path, const char **json));

/** Called for each top-level member: its key, its value as compact JSON. Return 0 to stop. */
typedef int signed_session_each_fn(void *data, const char *key, const char *json);

/**
 * Call `each` for every top-level member, in order. The session must not be changed meanwhile. Keys
 * that hold a control character are passed over.
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_each,
                        (request_rec * r, signed_session_each_fn *each, void *data));

/**
 * Set a top-level key, literally (dots mean nothing), to a JSON string.
 *
 * @param text  UTF-8
 * @return      also SIGNED_SESSION_E_READ_ONLY, SIGNED_SESSION_E_INVALID
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_set,
                        (request_rec * r, const char *key, const char *text));

/** Set a top-level key to any JSON value: strict, no name twice in an object, at most 16 KiB.
 * Returns as above. */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_set_json,
                        (request_rec * r, const char *key, const char *json));

/** Remove a top-level key. Returns also SIGNED_SESSION_E_READ_ONLY, APR_NOTFOUND. */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_unset, (request_rec * r, const char *key));

/** End the session: the client's cookie is deleted. Returns also SIGNED_SESSION_E_READ_ONLY. */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_clear, (request_rec * r));

/**
 * Apply a JSON merge patch (RFC 7396).
 *
 * @param patch  a JSON object, at most 16 KiB; or "null", which ends the session
 * @return       also SIGNED_SESSION_E_READ_ONLY, SIGNED_SESSION_E_INVALID
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_patch, (request_rec * r, const char *patch));

/**
 * Log somebody out everywhere: what SignedSessionRevocation is for.
 *
 * @param kind   "subject": every session of whom `value` names; "id": one session, `value` is 32
 *               hexadecimal digits; "all": everybody's, `value` is ignored
 * @return       also SIGNED_SESSION_E_INVALID; APR_ENOTIMPL: SignedSessionRevocation is Off;
 *               APR_ENOSPC: the log is full; anything else: it could not be written
 */
APR_DECLARE_OPTIONAL_FN(apr_status_t, signed_session_revoke,
                        (request_rec * r, const char *kind, const char *value));

#endif
