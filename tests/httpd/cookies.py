# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Cookies made and opened without the module: a second, slow implementation of the native format."""

import base64
import hashlib
import hmac
import json
import os
import time
from dataclasses import dataclass, field

import itsdangerous

from harness import COOKIE, SECRET

HEADER_SIZE, MAC_SIZE = 36, 32


def hkdf(secret, info, length):
    """RFC 5869, SHA-256; one block is all that is needed."""
    key = hmac.new(b'mod_signed_session v1', secret, hashlib.sha256).digest()
    return hmac.new(key, info + b'\x01', hashlib.sha256).digest()[:length]


REFERENCE = 2  # flags of a cookie that leads to a store


@dataclass
class Native:
    """What a native cookie says; the defaults make a fresh session of now."""
    data: object = field(default_factory=dict)   # bytes are taken as they are
    renewed: int = None
    created: int = None
    id: bytes = None
    counter: int = 1
    key_id: bytes = b''
    version: int = 1
    flags: int = 0

    def __post_init__(self):
        now = int(time.time())
        self.renewed = now if self.renewed is None else self.renewed
        self.created = self.renewed if self.created is None else self.created
        self.id = self.id or os.urandom(16)

    def seal(self, secret=SECRET, name=COOKIE, audience=''):
        text = self.data if isinstance(self.data, bytes) else json.dumps(
            self.data, separators=(',', ':'), ensure_ascii=False).encode()
        binding = b'\x00' + name.encode() + b'\x00' + audience.encode()
        key_id = self.key_id or hkdf(secret.encode(), b'key id' + binding, 2)
        body = (bytes([self.version, self.flags]) + key_id + self.renewed.to_bytes(6, 'big')
                + self.created.to_bytes(6, 'big') + self.id + self.counter.to_bytes(4, 'big') + text)
        key = hkdf(secret.encode(), b'sign' + binding, 32)
        return unpadded(body + hmac.new(key, body, hashlib.sha256).digest())

    @classmethod
    def open(cls, value, secret=SECRET, name=COOKIE, audience=''):
        raw = base64.urlsafe_b64decode(value + '=' * (-len(value) % 4))
        body, mac = raw[:-MAC_SIZE], raw[-MAC_SIZE:]
        binding = b'\x00' + name.encode() + b'\x00' + audience.encode()
        key = hkdf(secret.encode(), b'sign' + binding, 32)
        assert hmac.compare_digest(hmac.new(key, body, hashlib.sha256).digest(), mac), 'bad signature'
        assert body[2:4] == hkdf(secret.encode(), b'key id' + binding, 2)
        text = body[HEADER_SIZE:]
        return cls(None if body[1] == REFERENCE else json.loads(text), int.from_bytes(body[4:10], 'big'),
                   int.from_bytes(body[10:16], 'big'), body[16:32], int.from_bytes(body[32:36], 'big'),
                   body[2:4], body[0], body[1])


def unpadded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b'=').decode()


def native(data, **more):
    """The Cookie header of a session with this content."""
    return f'{COOKIE}={Native(data, **more).seal()}'


def opened(response):
    """What a response stores in the browser."""
    return Native.open(response.cookie())


def starlette(data, secret=SECRET, age=0):
    """What Starlette's SessionMiddleware would have stored `age` seconds ago."""
    class Signer(itsdangerous.TimestampSigner):
        def get_timestamp(self):
            return int(time.time()) - age

    return Signer(secret).sign(base64.b64encode(json.dumps(data).encode())).decode()
