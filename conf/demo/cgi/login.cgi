#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A login form. Who passed is stored by one response header; httpd makes the cookie."""

import hmac
import html
import json
import os
import sys
from urllib.parse import parse_qs

FORM_MAX = 4096

# A demonstration: the page shows them all. A real one asks a directory, or compares password hashes.
ACCOUNTS = {
    'alice': ('apple pie', 'admin'),
    'bob': ('banana split', 'editor'),
}

PAGE = '''<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Log in</title>
<link rel="stylesheet" href="/style.css">
<h1>Log in</h1>
<p>{message}</p>
<form class="stacked" method="post" action="/login">
    <label>Name <input name="user" value="{name}" autocomplete="username" autofocus></label>
    <label>Password <input name="password" type="password" autocomplete="current-password"></label>
    <button>Log in</button>
</form>
<p>A cart that you filled before stays yours when you log in. Nothing else of this session does.
<h2>Accounts of this demonstration</h2>
<table>
<tr><th>Name<th>Password<th>Role
{accounts}
</table>
<footer><a href="/">Start page</a></footer>'''


def form():
    length = int(os.environ.get('CONTENT_LENGTH') or 0)
    text = sys.stdin.buffer.read(min(length, FORM_MAX)).decode('utf-8', 'replace')
    return {name: values[0] for name, values in parse_qs(text).items()}


def role_of(user, password):
    """The role of this account; None when there is no such account, or the password is wrong."""
    known, role = ACCOUNTS.get(user, ('', None))
    return role if hmac.compare_digest(known.encode(), password.encode()) else None


def answer(*lines, body=''):
    sys.stdout.buffer.write('\r\n'.join([*lines, '', body]).encode())


def show_page(message, name='', status='200 OK'):
    accounts = '\n'.join(f'<tr><td>{user}<td>{password}<td>{role}' for user, (password, role) in ACCOUNTS.items())
    answer(f'Status: {status}', 'Content-Type: text/html; charset=utf-8',
           body=PAGE.format(message=message, name=html.escape(name), accounts=accounts))


def log_in(user, password):
    role = role_of(user, password)
    if role is None:
        show_page('<span class="wrong">No such name, or another password.</span>', user, '403 Forbidden')
    else:
        answer('Status: 303 See Other', 'Location: /members/',
               'X-Session-Update: ' + json.dumps({'user': user, 'role': role}))


if os.environ['REQUEST_METHOD'] == 'POST':
    fields = form()
    log_in(fields.get('user', ''), fields.get('password', ''))
else:
    who = os.environ.get('SESSION_user')
    show_page(f'You are {html.escape(who)}.' if who else 'You are not logged in.')
