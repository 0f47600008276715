// SPDX-License-Identifier: Apache-2.0
// Copyright the mod_signed_session authors
//
// The same as starlette_app.py with Express and cookie-session, which is found in tests/httpd/node.

'use strict';

const path = require('path');
const express = require('express');

const modules = path.join(__dirname, '../../tests/httpd/node/node_modules');
const session = require(path.join(modules, 'cookie-session'));

const use = process.env.BENCH_USE;
const app = express();

if (use !== 'without') {
    app.use(session({ name: 'session', keys: [process.env.SIGNED_SESSION_SECRET] }));
}

app.get('/', (request, response) => {
    if (use !== 'without' && !request.session.visits) {
        response.sendStatus(500);
        return;
    }
    if (use === 'change') {
        // cookie-session compares: a new value each time, so that there is always something to write
        request.session.visits = request.session.visits === 1 ? 2 : 1;
    }
    response.type('text').send('a short answer\n');
});

app.get('/begin', (request, response) => {
    Object.assign(request.session, JSON.parse(process.env.BENCH_SESSION));
    response.type('text').send('a short answer\n');
});

// every idle connection of the load shall stay open
app.listen(Number(process.env.BENCH_PORT), '127.0.0.1').keepAliveTimeout = 60000;
