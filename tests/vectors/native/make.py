#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Native cookies, sealed a second time from docs/formats.md, with nothing but a standard library.

    python3 make.py > vectors.json
"""

import base64
import hashlib
import hmac
import platform
import sys
from pathlib import Path

import xaes

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from printed import OTHER_SECRET, TIME, completed, print_vectors  # noqa: E402

SALT = b'mod_signed_session v1'
VERSION, SIGNED, ENCRYPTED = 1, 0, 1
ID = bytes(range(16)).hex()
NONCE = bytes(range(0xa0, 0xb8)).hex()

COOKIES = [
    {'what': 'a plain session', 'json': '{"user":"alice","n":1}'},
    {'what': 'an empty object', 'json': '{}'},
    {'what': 'another secret gives another key', 'secret': OTHER_SECRET, 'json': '{"user":"alice","n":1}'},
    {'what': 'bound to another cookie name', 'cookie_name': '__Host-session', 'json': '{"user":"alice","n":1}'},
    {'what': 'bound to an audience', 'audience': 'shop', 'json': '{"user":"alice","n":1}'},
    {'what': 'an audience that is not ASCII', 'audience': 'caf\u00e9', 'json': '{"user":"alice","n":1}'},
    {'what': 'renewed later than created', 'created': TIME, 'renewed': TIME + 86400, 'json': '{"user":"alice"}'},
    {'what': 'changed as often as can be counted', 'counter': 2**32 - 1, 'json': '{"user":"alice"}'},
    {'what': 'a time that needs all six bytes', 'created': 2**43 - 2, 'renewed': 2**43 - 1, 'json': '{"user":"alice"}'},
    {'what': 'an id of ones only', 'id': 'ff' * 16, 'json': '{"user":"alice"}'},
    {'what': 'UTF-8, not escaped', 'json': '{"user":"Zo\u00eb","price":"5 \u20ac","smile":"\U0001f600"}'},
    {'what': 'escapes stay as they are written', 'json': r'{"a\u002fb":"\u005a\/\n\"\\","pair":"\ud83d\ude00"}'},
    {'what': 'numbers keep their spelling', 'json': '{"big":123456789012345678901234567890,"one":1.0,"ten":1E+1}'},
    {'what': 'white space is part of the text', 'json': '{ "user" : "alice" ,\n\t"n" : 1 }'},
    {'what': 'values of every kind', 'json': '{"o":{"k":[1,[2,{}]]},"t":true,"f":false,"z":null,"s":"","m":-0.5e-3}'},
    {'what': 'a framework\'s NaN, kept after a migration', 'json': '{"ratio":NaN,"most":Infinity,"least":-Infinity}'},
    {'what': 'one byte more in the text: other base64 ends', 'json': '{"user":"alice1"}'},
    {'what': 'two bytes more in the text', 'json': '{"user":"alice12"}'},
    {'what': 'encrypted', 'nonce': NONCE, 'json': '{"user":"alice","n":1}'},
    {'what': 'encrypted, another nonce', 'nonce': 'ff' * 24, 'json': '{"user":"alice","n":1}'},
    {'what': 'encrypted, another secret', 'nonce': NONCE, 'secret': OTHER_SECRET, 'json': '{"user":"alice","n":1}'},
    {'what': 'encrypted, bound to name and audience', 'nonce': NONCE, 'cookie_name': '__Host-session',
     'audience': 'shop', 'json': '{"user":"alice","n":1}'},
    {'what': 'encrypted, an empty object', 'nonce': NONCE, 'json': '{}'},
    {'what': 'encrypted, more than a few blocks', 'nonce': NONCE, 'json': '{"text":"' + 'abcdefghij' * 50 + '"}'},
]


def hkdf(secret, info, size):
    """RFC 5869 with SHA-256, for one block at most."""
    pseudorandom = hmac.new(SALT, secret, hashlib.sha256).digest()
    return hmac.new(pseudorandom, info + b'\x01', hashlib.sha256).digest()[:size]


def seal(cookie):
    secret = cookie['secret'].encode()
    binding = b'\0' + cookie['cookie_name'].encode() + b'\0' + cookie['audience'].encode()
    nonce, text = bytes.fromhex(cookie['nonce'] or ''), cookie['json'].encode()
    header = (bytes([VERSION, ENCRYPTED if nonce else SIGNED]) + hkdf(secret, b'key id' + binding, 2)
              + cookie['renewed'].to_bytes(6, 'big') + cookie['created'].to_bytes(6, 'big')
              + bytes.fromhex(cookie['id']) + cookie['counter'].to_bytes(4, 'big'))
    if nonce:
        sealed = header + nonce + xaes.seal(hkdf(secret, b'encrypt' + binding, 32), nonce, text, header)
    else:
        key = hkdf(secret, b'sign' + binding, 32)
        sealed = header + text + hmac.new(key, header + text, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()


def complete(row):
    cookie = completed(row, created=TIME, id=ID, counter=1, nonce=None)
    cookie['value'] = seal(cookie)
    return cookie


print_vectors(f'hmac and hashlib of Python {platform.python_version()}', [complete(row) for row in COOKIES])
