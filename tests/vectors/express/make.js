#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_signed_session authors
'use strict';

// Cookies sealed by Express' cookie-session with Keygrip, each read back by it before it is printed.
//
//     node make.js > vectors.json

const assert = require('assert');
const { seal, open } = require('../../httpd/node/express.js');

const SECRET = 'correct-horse-battery-staple-0123456789';
const OTHER_SECRET = 'Zx8-mT2_vKq0Lr5.Yw7:Nb4+Hd1=Pc9/Jf6~Sg3';

const SESSIONS = [
    { what: 'a plain session', session: { user: 'alice', n: 1 } },
    { what: 'another secret', secret: OTHER_SECRET, session: { user: 'alice', n: 1 } },
    { what: 'another cookie name is signed, too', cookie_name: 'login', session: { user: 'alice', n: 1 } },
    { what: 'not ASCII, and not escaped', session: { u: 'Zo\u00eb', e: '\u20ac', smile: '\u{1f600}' } },
    { what: 'a lone surrogate', session: { half: '\ud83d' } },
    { what: 'one byte more: other padding', session: { user: 'alice', n: 12 } },
    { what: 'two bytes more: no padding', session: { user: 'alice', n: 123 } },
    { what: 'control characters and DEL', session: { text: 'a\u0000b\nc\u001f\u007f' } },
    { what: 'numbers out of the usual range', session: { big: 1e40, float: 1e16, small: 5e-324 } },
    { what: 'keys in the order of JavaScript', session: { b: 1, a: 2, 10: 3, 9: 4 } },
    { what: 'a payload with slash and plus', session: { q: '\u00ff?~\u00fb\u00ef' } },
    { what: 'nested values', session: { cart: { items: [{ id: 7, n: 2 }], open: true }, none: null } },
];

function complete({ session, ...row }) {
    const cookie = {
        what: '', secret: SECRET, cookie_name: 'session', audience: '', value: '', companion: '', json: '',
        renewed: null, created: null, id: '', counter: null, ...row,
    };
    const how = { secrets: [cookie.secret], name: cookie.cookie_name };

    Object.assign(cookie, seal({ ...how, seal: session }));
    cookie.json = Buffer.from(cookie.value, 'base64').toString();
    const header = `${how.name}=${cookie.value}; ${how.name}.sig=${cookie.companion}`;
    assert.deepStrictEqual(open({ ...how, open: header }).session, session);
    return cookie;
}

function version(name) {
    return require(`../../httpd/node/node_modules/${name}/package.json`).version;
}

console.log(JSON.stringify({
    made_with: `cookie-session ${version('cookie-session')}, keygrip ${version('keygrip')}, `
        + `cookies ${version('cookies')}, Node ${process.versions.node}`,
    cookies: SESSIONS.map(complete),
}, null, 2));
