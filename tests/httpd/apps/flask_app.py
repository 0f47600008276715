# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A Flask application with a login, as docs/flask.md puts it behind httpd.

Started as a program it takes a free port of 127.0.0.1, prints it, and serves.
"""

import os
from datetime import timedelta
from pathlib import Path

from flask import Flask, jsonify, redirect, request, session
from werkzeug.serving import make_server

app = Flask(__name__)
lines = Path(os.environ['SESSION_SECRETS']).read_text('utf-8-sig').split('\n')
secrets = [line.strip() for line in lines if line.strip() and not line.strip().startswith('#')]
app.secret_key = secrets[0]
app.config['SECRET_KEY_FALLBACKS'] = secrets[:0:-1]  # the newest last; read by Flask 3.1 and later
app.config['PERMANENT_SESSION_LIFETIME'] = timedelta(days=31)
app.config['SESSION_COOKIE_SAMESITE'] = 'Lax'

PASSWORDS = {'alice': 'apple-pie'}
FORM = '''<!DOCTYPE html>
<title>Log in</title>
<form method="post" action="/login"><input name="user"><input name="password" type="password"><button>Log in</button>
</form>
'''


@app.get('/login')
def login_form():
    return FORM


@app.post('/login')
def log_in():
    user = request.form['user']
    if PASSWORDS.get(user) != request.form['password']:
        return FORM, 403
    session.clear()
    session.permanent = True
    session['user'] = user
    session['roles'] = ('reader', 'writer')  # a tuple: Flask marks it with a tag
    return redirect('/whoami', 303)


@app.post('/logout')
def log_out():
    session.clear()
    return redirect('/login', 303)


@app.get('/whoami')
def whoami():
    return jsonify(user=session.get('user'), session=dict(session))


@app.get('/theme')
def theme():
    return session.get('theme', ''), {'Content-Type': 'text/plain'}


@app.post('/theme')
def set_theme():
    session['theme'] = request.form['theme']
    return '', 204


if __name__ == '__main__':
    server = make_server('127.0.0.1', 0, app)
    print(server.port, flush=True)
    server.serve_forever()
