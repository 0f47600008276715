# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The same as starlette_app.py with Flask, which opens the session of every request where it has a key."""

import json
import os

from flask import Flask, session

USE = os.environ['BENCH_USE']

app = Flask(__name__)
if USE != 'without':
    app.secret_key = os.environ['SIGNED_SESSION_SECRET']


@app.get('/')
def answer():
    if USE != 'without' and session['visits'] and USE == 'change':
        session['visits'] = 2
    return 'a short answer\n'


@app.get('/begin')
def begin():
    session.update(json.loads(os.environ['BENCH_SESSION']))
    return 'a short answer\n'
