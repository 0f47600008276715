#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Cookies sealed by Django's signed_cookies sessions, each read back by them before it is printed.

    python3 make.py > vectors.json
"""

import base64
import platform
import sys
import zlib
from importlib.metadata import version
from pathlib import Path
from unittest import mock

from django.conf import settings

settings.configure(SESSION_ENGINE='django.contrib.sessions.backends.signed_cookies', SESSION_COOKIE_AGE=10**12,
                   SESSION_SERIALIZER='django.contrib.sessions.serializers.JSONSerializer')

from django.contrib.sessions.backends.signed_cookies import SessionStore  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from printed import OTHER_SECRET, print_vectors, sealed  # noqa: E402

SESSIONS = [
    {'what': 'a plain session', 'session': {'user': 'alice', 'n': 1}},
    {'what': 'another secret', 'secret': OTHER_SECRET, 'session': {'user': 'alice', 'n': 1}},
    {'what': 'another cookie name changes nothing else', 'cookie_name': 'sessionid', 'session': {'user': 'alice'}},
    {'what': 'a login', 'session': {'_auth_user_id': '1', '_auth_user_backend':
                                    'django.contrib.auth.backends.ModelBackend', '_auth_user_hash': '0f' * 32}},
    {'what': 'compressed', 'session': {'user': 'alice', 'blob': 'a' * 200}},
    {'what': 'compressed, and long when it is not', 'session': {'blob': 'abc' * 4000}},
    {'what': 'an empty session', 'session': {}},
    {'what': 'not ASCII', 'session': {'u': 'Zo\u00eb', 'smile': '\U0001f600'}},
    {'what': 'an expiry of its own', 'session': {'user': 'alice', '_session_expiry': 300}},
    {'what': 'numbers that are not finite', 'session': {'ratio': float('nan'), 'most': float('inf')}},
    {'what': 'numbers out of the usual range', 'session': {'big': 10**40, 'float': 1e16, 'small': 5e-324}},
    {'what': 'control characters and DEL', 'session': {'text': 'a\x00b\nc\x1f\x7f'}},
    {'what': 'the time 0', 'renewed': 0, 'session': {'user': 'alice'}},
    {'what': 'a time of two digits', 'renewed': 62, 'session': {'user': 'alice'}},
    {'what': 'a time beyond 32 bits', 'renewed': 2**32, 'session': {'user': 'alice'}},
    {'what': 'nested values', 'session': {'cart': {'items': [{'id': 7, 'n': 2}], 'open': True}, 'none': None}},
]


def seal(cookie, session):
    settings.SECRET_KEY = cookie['secret']
    with mock.patch('time.time', return_value=cookie['renewed']):
        store = SessionStore()
        store.update(session)
        store.save()
        found = SessionStore(store.session_key).load()
    assert repr(found) == repr(session)
    return store.session_key


def document(value):
    payload = value.rsplit(':', 2)[0]
    packed = payload.lstrip('.')
    raw = base64.urlsafe_b64decode(packed + '=' * (-len(packed) % 4))
    return (zlib.decompress(raw) if payload.startswith('.') else raw).decode()


print_vectors(f'django {version("django")}, Python {platform.python_version()}, '
              f'zlib {zlib.ZLIB_RUNTIME_VERSION}',
              [sealed(row, seal, document) for row in SESSIONS])
