# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Cookies and records made and opened without the module: a second, slow implementation of the native format."""

import base64
import hashlib
import hmac
import json
import os
import time
from dataclasses import dataclass, field

import itsdangerous
from cryptography.hazmat.primitives import cmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from harness import COOKIE, SECRET, Server

HEADER_SIZE, POINT_SIZE, MAC_SIZE, NONCE_SIZE = 36, 33, 32, 24


def hkdf(secret, info, length):
    """RFC 5869, SHA-256; one block is all that is needed."""
    key = hmac.new(b'mod_signed_session v1', secret, hashlib.sha256).digest()
    return hmac.new(key, info + b'\x01', hashlib.sha256).digest()[:length]


def binding(name, audience):
    """What every key is made for, behind its purpose."""
    return b'\x00' + name.encode() + b'\x00' + audience.encode()


ENCRYPTED, REFERENCE, BOUND = 1, 2, 4  # flags; the second of a cookie that leads to a store


def header_size(raw):
    return HEADER_SIZE + (POINT_SIZE if raw[1] & BOUND else 0)


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
    text: bytes = None       # of what was opened
    record: 'Record' = None  # that it leads to
    point: bytes = b''       # of the browser's key that it is bound to

    def __post_init__(self):
        now = int(time.time())
        self.renewed = now if self.renewed is None else self.renewed
        self.created = self.renewed if self.created is None else self.created
        self.id = self.id or os.urandom(16)

    def seal(self, secret=SECRET, name=COOKIE, audience=''):
        text = self.data if isinstance(self.data, bytes) else json.dumps(
            self.data, separators=(',', ':'), ensure_ascii=False).encode()
        what_for = binding(name, audience)
        key_id = self.key_id or hkdf(secret.encode(), b'key id' + what_for, 2)
        flags = self.flags | (BOUND if self.point else 0)
        body = (bytes([self.version, flags]) + key_id + self.renewed.to_bytes(6, 'big')
                + self.created.to_bytes(6, 'big') + self.id + self.counter.to_bytes(4, 'big') + self.point + text)
        key = hkdf(secret.encode(), b'sign' + what_for, 32)
        return unpadded(body + hmac.new(key, body, hashlib.sha256).digest())

    @classmethod
    def open(cls, value, secret=SECRET, name=COOKIE, audience='', fetch=True):
        """What is in a store is looked for in those of all servers; None when it is in none of them, or closed."""
        raw = base64.urlsafe_b64decode(value + '=' * (-len(value) % 4))
        what_for = binding(name, audience)
        assert raw[2:4] == hkdf(secret.encode(), b'key id' + what_for, 2)
        body = cls.decrypted(raw, secret, what_for) if raw[1] & ENCRYPTED else cls.verified(raw, secret, what_for)
        text, record, point = body[header_size(raw):], None, body[HEADER_SIZE:header_size(raw)]
        if body[1] & REFERENCE:
            assert text == b''
            record = Record.find(body[16:32], secret, name, audience) if fetch else None
            text = record.text if record else b''
        return cls(json.loads(text) if text else None, int.from_bytes(body[4:10], 'big'),
                   int.from_bytes(body[10:16], 'big'), body[16:32], int.from_bytes(body[32:36], 'big'),
                   body[2:4], body[0], body[1], text, record, point)

    @staticmethod
    def verified(raw, secret, what_for):
        body, mac = raw[:-MAC_SIZE], raw[-MAC_SIZE:]
        key = hkdf(secret.encode(), b'sign' + what_for, 32)
        assert hmac.compare_digest(hmac.new(key, body, hashlib.sha256).digest(), mac), 'bad signature'
        return body

    @staticmethod
    def decrypted(raw, secret, what_for):
        size = header_size(raw)
        head, nonce, sealed = raw[:size], raw[size:size + NONCE_SIZE], raw[size + NONCE_SIZE:]
        return head + decrypt(hkdf(secret.encode(), b'encrypt' + what_for, 32), nonce, sealed, head)


def decrypt(key, nonce, sealed, bound):
    """XAES-256-GCM, https://c2sp.org/XAES-256-GCM: the key of a message is made of half of its nonce."""
    halves = []
    for counter in (1, 2):
        mac = cmac.CMAC(AES(key))
        mac.update(bytes([0, counter, ord('X'), 0]) + nonce[:12])
        halves.append(mac.finalize())
    return AESGCM(b''.join(halves)).decrypt(nonce[12:], sealed, bound)


@dataclass
class Record:
    """What a store keeps of a session, docs/formats.md."""
    text: bytes
    is_closed: bool
    counter: int

    @classmethod
    def open(cls, raw, id, secret=SECRET, name=COOKIE, audience=''):
        head, nonce, sealed = raw[:16], raw[16:16 + NONCE_SIZE], raw[16 + NONCE_SIZE:]
        assert head[12] == 1 and head[13] in (0, 1, 2)
        assert head[14:16] == hkdf(secret.encode(), b'key id' + binding(name, audience), 2)
        text = decrypt(hkdf(secret.encode(), b'store' + binding(name, audience), 32), nonce, sealed, id + head)
        assert not (head[13] == 1 and text)
        return cls(text, head[13] == 1, int.from_bytes(head[:4], 'big'))

    @classmethod
    def find(cls, id, secret=SECRET, name=COOKIE, audience=''):
        """Of the servers that there are, one has it in a store below its directory; one that is closed comes last."""
        paths = [path for directory in Server.directories for path in directory.glob(f'*/{id.hex()[:2]}/{id.hex()[2:]}')]
        records = [cls.open(path.read_bytes(), id, secret, name, audience) for path in paths]
        return max(records, key=lambda record: (not record.is_closed, record.counter), default=None)


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
