/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_signed_session authors
 */
#include "lib/advice.h"

/* clang-format off */
static const ss_advice_t advices[SS_CASES] = {
    [SS_NONE] = { "none",
        "No cookie of this name came with the request.",
        "On a first visit nothing is wrong. Else look at the cookie's name, Path and Domain, and at Secure where the page is opened by http." },
    [SS_VALID] = { "valid",
        "The seal of the cookie is right, and the session is within its time limits.",
        "Nothing is to be done." },
    [SS_MALFORMED] = { "malformed",
        "The cookie has not the shape of any format that is accepted here, or what it holds is no JSON object.",
        "Compare SignedSessionFormat with the application that writes the cookie, and look for something on the way that changes cookies." },
    [SS_TOO_LARGE] = { "too-large",
        "Name and value of the cookie have more than 4096 bytes, so it was not read.",
        "Keep less in the session, or keep it in a store (SignedSessionStore)." },
    [SS_UNKNOWN_KEY] = { "unknown-key",
        "The cookie was sealed with a secret that this server does not have.",
        "Give all servers the same secrets, cookie name and audience; put an old secret back behind the new one until the idle timeout has passed." },
    [SS_BAD_SIGNATURE] = { "bad-signature",
        "The signature is wrong: the cookie was changed or cut short, or sealed with another secret.",
        "If it is everybody's, compare the secret and the cookie name with those of the application that writes the cookie." },
    [SS_EXPIRED_IDLE] = { "expired-idle",
        "The session was not renewed for longer than the idle timeout.",
        "Log in again. If it is everybody's, look at the clocks, at SignedSessionRenew and at SignedSessionTouch." },
    [SS_EXPIRED_ABSOLUTE] = { "expired-absolute",
        "The session was created longer ago than the absolute timeout allows.",
        "Log in again. If that comes too often, lengthen SignedSessionAbsoluteTimeout." },
    [SS_FROM_FUTURE] = { "from-future",
        "The cookie is dated ahead of this server's clock by more than the skew.",
        "Set the clocks of all servers by the same source, or raise SignedSessionSkew." },
    [SS_REVOKED] = { "revoked",
        "Whoever the session belongs to was logged out everywhere.",
        "Log in again." },
    [SS_UNAVAILABLE] = { "unavailable",
        "The session lives in a store that does not answer, so nobody knows what it holds.",
        "Look for SS0401 in the log. The session is there again when the store is." },
    [SS_UNPROVEN] = { "unproven",
        "The session is bound to a browser's key, and no proof of that key came with it.",
        "A copied cookie looks like this. If it is everybody's, see that browsers reach the path of SignedSessionBind." },
    [SS_UNBOUND] = { "unbound",
        "The session is not bound to a browser's key, as SignedSessionBind Required demands by now.",
        "Use a browser that binds sessions, or let SignedSessionBind say On." },
    [SS_CASE_GONE] = { "gone",
        "The cookie holds, but its session is not in the store: it has ended there, or was lost.",
        "Log in again. If it is everybody's, the store was emptied, or servers do not share it." },
    [SS_CASE_OWNED] = { "owned",
        "The cookie is an application's, which can read it, though it cannot be used here.",
        "It may be ended here, and is never overwritten. Let the application log in again." },
    [SS_CASE_REFERENCE] = { "reference",
        "The cookie leads to a store, in which only httpd can read the session.",
        "Ask httpd, by an endpoint." },
};
/* clang-format on */

const ss_advice_t *ss_advice(int about)
{
    return &advices[about];
}
