// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_signed_session authors
'use strict';

// Express' cookie-session, asked by another program: one JSON object on each line of standard input, one on
// each line of standard output.
//
//   {"secrets": [...], "name": "session", "seal": {...}}             -> {"value": "...", "companion": "..."}
//   {"secrets": [...], "name": "session", "open": "Cookie header"}   -> {"session": {...}}, null when there is none

const http = require('http');
const net = require('net');
const readline = require('readline');
const cookieSession = require('cookie-session');

// One request through the middleware; `use` gets the request, whose session it may read and replace.
function visit({ secrets, name }, cookie, use) {
    const request = new http.IncomingMessage(new net.Socket());
    const response = new http.ServerResponse(request);

    request.headers.cookie = cookie;
    cookieSession({ name, keys: secrets })(request, response, () => use(request));
    response.writeHead(200);
    return response.getHeader('Set-Cookie') || [];
}

function seal(wanted) {
    const lines = visit(wanted, undefined, (request) => { request.session = wanted.seal; });
    const pairs = Object.fromEntries(lines.map((line) => {
        const pair = line.split(';')[0];
        return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    }));

    return { value: pairs[wanted.name], companion: pairs[`${wanted.name}.sig`] };
}

function open(wanted) {
    let session = null;

    visit(wanted, wanted.open, (request) => { session = request.session.isNew ? null : { ...request.session }; });
    return { session };
}

module.exports = { seal, open };

if (require.main === module) {
    readline.createInterface({ input: process.stdin }).on('line', (line) => {
        const wanted = JSON.parse(line);
        console.log(JSON.stringify('seal' in wanted ? seal(wanted) : open(wanted)));
    });
}
