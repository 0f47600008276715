// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_signed_session authors
'use strict';

// An application with a login and Express' cookie-session, as docs/express.md puts it behind httpd. The middleware
// is all that it has of Express: it runs on node's own server as well.
//
// It takes a free port of 127.0.0.1, prints it, and serves.

const fs = require('fs');
const http = require('http');
const cookieSession = require('cookie-session');

const lines = fs.readFileSync(process.env.SESSION_SECRETS, 'utf8').split('\n').map((line) => line.trim());
const session = cookieSession({
    name: 'session',
    keys: lines.filter((line) => line !== '' && !line.startsWith('#')),
    maxAge: 14 * 24 * 3600 * 1000,
    sameSite: 'lax',
});

const PASSWORDS = new Map([['alice', 'apple-pie']]);
const FORM = `<!DOCTYPE html>
<title>Log in</title>
<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>Log in</button>
</form>
`;

function answer(response, status, type, text) {
    response.writeHead(status, { 'Content-Type': type }).end(text);
}

function redirect(response, location) {
    response.writeHead(303, { Location: location }).end();
}

const routes = {
    'GET /login': (request, response) => answer(response, 200, 'text/html', FORM),

    'POST /login': (request, response, fields) => {
        const user = fields.get('user');

        if (!PASSWORDS.has(user) || PASSWORDS.get(user) !== fields.get('password')) {
            answer(response, 403, 'text/html', FORM);
            return;
        }
        request.session = { user };
        redirect(response, '/whoami');
    },

    'POST /logout': (request, response) => {
        request.session = null;
        redirect(response, '/login');
    },

    'GET /whoami': (request, response) => answer(response, 200, 'application/json', JSON.stringify(
        { user: request.session.user || null, session: request.session })),

    'GET /theme': (request, response) => answer(response, 200, 'text/plain', request.session.theme || ''),

    'POST /theme': (request, response, fields) => {
        request.session.theme = fields.get('theme');
        response.writeHead(204).end();
    },
};

const server = http.createServer((request, response) => {
    const route = routes[`${request.method} ${request.url}`];
    let body = '';

    request.setEncoding('utf8');
    request.on('data', (text) => { body += text; });
    request.on('end', () => {
        if (route === undefined) {
            answer(response, 404, 'text/plain', 'not found\n');
            return;
        }
        session(request, response, () => route(request, response, new URLSearchParams(body)));
    });
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
