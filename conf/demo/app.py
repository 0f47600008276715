#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A small application behind mod_proxy. It has no secret and makes no cookie: httpd sends it the
session in a request header, and takes its changes from a response header."""

import html
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

FORM_MAX = 4096

PAGE = '''<!DOCTYPE html>
<html lang="en" data-theme="{theme}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Application</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
<h1>Hello, {user}</h1>
<p>This page is made by an application behind mod_proxy, in another process.</p>
<p>httpd sent it your session:</p>
<pre>X-Session: {session}</pre>
<h2>Your note</h2>
<form class="row" method="post" action="/app/">
    <input name="note" value="{note}" maxlength="80" aria-label="Your note">
    <button>Keep it in the session</button>
</form>
<footer><a href="/">Start page</a></footer>
'''


class Application(BaseHTTPRequestHandler):
    def do_GET(self):
        header = self.headers.get('X-Session')
        session = json.loads(header or '{}')
        text = PAGE.format(theme=html.escape(str(session.get('theme', ''))),
                           user=html.escape(str(session.get('user', 'stranger'))),
                           note=html.escape(str(session.get('note', ''))),
                           session=html.escape(header or '(not sent: you have no session)'))
        self.answer(200, text, ('Content-Type', 'text/html; charset=utf-8'))

    def do_POST(self):
        length = int(self.headers.get('Content-Length', 0))
        form = parse_qs(self.rfile.read(min(length, FORM_MAX)).decode('utf-8', 'replace'))
        note = form.get('note', [None])[0]
        self.answer(303, '', ('Location', '/app/'), ('X-Session-Update', json.dumps({'note': note})))

    def answer(self, status, text, *headers):
        body = text.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(('127.0.0.1', 0), Application)
print(server.server_port, flush=True)
server.serve_forever()
