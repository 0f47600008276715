#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Cookies sealed by Flask's own session interface, each read back by it before it is printed.

    python3 make.py > vectors.json
"""

import platform
import sys
import uuid
import zlib
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import flask
from itsdangerous import base64_decode
from markupsafe import Markup

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from printed import OTHER_SECRET, print_vectors, sealed  # noqa: E402

SESSIONS = [
    {'what': 'a plain session', 'session': {'user': 'alice', 'n': 1}},
    {'what': 'another secret', 'secret': OTHER_SECRET, 'session': {'user': 'alice', 'n': 1}},
    {'what': 'another cookie name changes nothing else', 'cookie_name': 'login', 'session': {'user': 'alice', 'n': 1}},
    {'what': 'compressed', 'session': {'user': 'alice', 'blob': 'a' * 200}},
    {'what': 'compressed, and long when it is not', 'session': {'blob': 'abc' * 4000}},
    {'what': 'too short to gain anything', 'session': {'a': 'aaaaaaaa'}},
    {'what': 'not ASCII', 'session': {'\u00e9': 'Zo\u00eb \u20ac', 'smile': '\U0001f600'}},
    {'what': 'permanent', 'session': {'_permanent': True, 'a': 1}},
    {'what': 'every tag', 'session': {
        'tuple': (1, 'a'), 'bytes': b'\x00\xff', 'uuid': uuid.UUID('12345678123456781234567812345678'),
        'date': datetime(2026, 1, 1, tzinfo=timezone.utc), 'markup': Markup('<b>x</b>'),
        'escaped': {' t': [1]}, 'nested': [1, (2,)]}},
    {'what': 'numbers that are not finite', 'session': {'ratio': float('nan'), 'most': float('inf')}},
    {'what': 'numbers out of the usual range', 'session': {'big': 10**40, 'float': 1e16, 'small': 5e-324}},
    {'what': 'control characters and DEL', 'session': {'text': 'a\x00b\nc\x1f\x7f'}},
    {'what': 'a time of three bytes', 'renewed': 65536, 'session': {'user': 'alice'}},
    {'what': 'the first second of five bytes', 'renewed': 2**32, 'session': {'user': 'alice'}},
    {'what': 'nested values', 'session': {'cart': {'items': [{'id': 7, 'n': 2}], 'open': True}, 'none': None}},
]


def application(cookie):
    app = flask.Flask('vectors')
    app.secret_key = cookie['secret']
    app.config['SESSION_COOKIE_NAME'] = cookie['cookie_name']
    app.config['MAX_COOKIE_SIZE'] = 0
    wanted, found = {}, {}

    @app.route('/store')
    def store():
        flask.session.update(wanted)
        return ''

    @app.route('/show')
    def show():
        found.clear()
        found.update(flask.session)
        return ''

    return app, wanted, found


def seal(cookie, session):
    app, wanted, found = application(cookie)
    wanted.update(session)
    with mock.patch('time.time', return_value=cookie['renewed']):
        line = app.test_client(use_cookies=False).get('/store').headers['Set-Cookie']
        pair = line.split(';')[0]
        app.test_client(use_cookies=False).get('/show', headers={'Cookie': pair})
    name, _, value = pair.partition('=')
    assert name == cookie['cookie_name'] and repr(sorted(found.items())) == repr(sorted(session.items()))
    return value


def document(value):
    payload = value.rsplit('.', 2)[0]
    return (zlib.decompress(base64_decode(payload[1:])) if payload.startswith('.') else base64_decode(payload)).decode()


print_vectors(f'flask {version("flask")}, itsdangerous {version("itsdangerous")}, '
              f'Python {platform.python_version()}, zlib {zlib.ZLIB_RUNTIME_VERSION}',
              [sealed(row, seal, document) for row in SESSIONS])
