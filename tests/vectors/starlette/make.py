#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Cookies sealed by Starlette's own SessionMiddleware, each read back by it before it is printed.

    python3 make.py > vectors.json
"""

import asyncio
import base64
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from unittest import mock

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from printed import OTHER_SECRET, print_vectors, sealed  # noqa: E402

LIFETIME = 100 * 366 * 86400

SESSIONS = [
    {'what': 'a plain session', 'session': {'user': 'alice', 'n': 1}},
    {'what': 'not ASCII, and a base64 payload with a slash',
     'session': {'user': 'Zo\u00eb', 'cart': [1, 2.5, True, None], 'q': 'a+b/c?'}},
    {'what': 'another secret', 'secret': OTHER_SECRET, 'session': {'user': 'alice', 'n': 1}},
    {'what': 'another cookie name changes nothing else', 'cookie_name': 'login', 'session': {'user': 'alice', 'n': 1}},
    {'what': 'a time of three bytes', 'renewed': 65536, 'session': {'user': 'alice'}},
    {'what': 'a time of two bytes', 'renewed': 65535, 'session': {'user': 'alice'}},
    {'what': 'a time of one byte', 'renewed': 255, 'session': {'user': 'alice'}},
    {'what': 'a time of no bytes', 'renewed': 0, 'session': {'user': 'alice'}},
    {'what': 'the last second of four bytes', 'renewed': 2**32 - 1, 'session': {'user': 'alice'}},
    {'what': 'the first second of five bytes', 'renewed': 2**32, 'session': {'user': 'alice'}},
    {'what': 'surrogate pairs', 'session': {'smile': '\U0001f600', '\U0001f511': 'key'}},
    {'what': 'a lone surrogate', 'session': {'half': '\ud83d'}},
    {'what': 'numbers that are not finite', 'session': {'ratio': float('nan'), 'most': float('inf'), 'least': float('-inf')}},
    {'what': 'numbers out of the usual range', 'session': {'big': 10**40, 'float': 1e16, 'small': 5e-324}},
    {'what': 'control characters and DEL', 'session': {'text': 'a\x00b\nc\x1f\x7f'}},
    {'what': 'nested values', 'session': {'cart': {'items': [{'id': 7, 'n': 2}], 'open': True}, 'none': None}},
]


async def page(request):
    """With a body: the session becomes that. Without one: show it."""
    body = await request.body()
    if body:
        request.session.update(json.loads(body))
    return Response(json.dumps(request.session))


def application(cookie):
    session = Middleware(SessionMiddleware, secret_key=cookie['secret'], session_cookie=cookie['cookie_name'],
                         max_age=LIFETIME)
    return Starlette(routes=[Route('/', page, methods=['GET', 'POST'])], middleware=[session])


def ask(app, method, headers=(), body=b''):
    """One request, straight through the application's own interface; its headers and its body."""
    scope = {'type': 'http', 'method': method, 'path': '/', 'raw_path': b'/', 'query_string': b'', 'headers': headers,
             'scheme': 'http', 'http_version': '1.1', 'root_path': '', 'server': None, 'client': None}
    sent = []

    async def receive():
        return {'type': 'http.request', 'body': body, 'more_body': False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return dict(sent[0]['headers']), b''.join(message.get('body', b'') for message in sent)


def seal(cookie, session):
    app, text = application(cookie), json.dumps(session).encode()
    with mock.patch('time.time', return_value=cookie['renewed']):
        headers, _ = ask(app, 'POST', body=text)
        name, _, value = headers[b'set-cookie'].split(b';')[0].partition(b'=')
        _, shown = ask(app, 'GET', headers=[(b'cookie', name + b'=' + value)])
    assert name.decode() == cookie['cookie_name'] and shown == text
    return value.decode()


def document(value):
    return base64.b64decode(value.split('.')[0]).decode()


print_vectors(f'starlette {version("starlette")}, itsdangerous {version("itsdangerous")}, '
              f'Python {platform.python_version()}', [sealed(row, seal, document) for row in SESSIONS])
