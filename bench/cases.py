# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What is measured: a table of configurations, each with what it is compared with."""

import base64
import hashlib
import itertools
import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlencode

from cookies import HEADER_SIZE, Native, hkdf, starlette, unpadded
from device import PROOF, proof
from harness import COOKIE, SECRET, load_module

sys.path.append(str(Path(__file__).parent.parent / 'tests/vectors/native'))
import xaes  # noqa: E402

# Bytes of the session's text: with 2999 a native cookie would exceed 4096.
SIZES = {'100 B': 100, '1 KB': 1000, '3 KB': 2990}
SECRETS = 16
OTHERS = 40
MANY = 1500
OTHER_SECRETS = {f'BENCH_SECRET_{i}': hashlib.sha256(b'%d' % i).hexdigest() for i in range(1, SECRETS)}

compact = partial(json.dumps, separators=(',', ':'))


def session_of(size, dumps):
    """A session whose text has exactly this many bytes: members of about 50, and none alike in
    name, as an application would have them."""
    names = ['_'.join(pair) for pair in itertools.product(
        ('user', 'cart', 'last', 'preferred', 'csrf', 'return', 'billing', 'ui'),
        ('id', 'name', 'token', 'country', 'language', 'visit', 'email', 'address', 'at'))]
    data = {'visits': 1}
    for name in names:
        data[name] = ''
        room = size - len(dumps(data))
        text = hashlib.sha256(name.encode()).hexdigest()
        if room <= len(text):
            data[name] = text[:room]
            break
        data[name] = text[:34]
    assert len(dumps(data)) == size
    return data


@cache
def native_cookie(size):
    # the same for all cases, which can then share what they are compared with
    return f'{COOKIE}={Native(session_of(size, compact)).seal()}'


@cache
def bound_cookie(size):
    """Bound to the key of a browser, which has just proved it. The base point of P-256 is as good as any."""
    point = bytes.fromhex('036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296')
    session = Native(session_of(size, compact), point=point)
    return f'{COOKIE}={session.seal()}; {PROOF}={proof(session)}'


@cache
def cookie_of_members(count, alike):
    """A session of so many small members; `alike`: two names each differ in nothing but case."""
    names = (f'{"Kk"[i % 2]}{i // 2:03}' if alike else f'k{i:03}' for i in range(count - 1))
    return f'{COOKIE}={Native(dict.fromkeys(["visits", *names], 1)).seal()}'


@cache
def native_cookies(size):
    """More of them than any memory holds, all of one length."""
    return tuple(f'{COOKIE}={Native(session_of(size, compact), id=i.to_bytes(16, "big")).seal()}' for i in range(MANY))


@cache
def encrypted_cookie(size):
    cookie = Native(flags=1)
    binding = b'\0' + COOKIE.encode() + b'\0'
    header = base64.urlsafe_b64decode(cookie.seal() + '==')[:HEADER_SIZE]
    nonce = bytes(range(24))
    text = compact(session_of(size - 8, compact)).encode()
    sealed = xaes.seal(hkdf(SECRET.encode(), b'encrypt' + binding, 32), nonce, text, header)
    return f'{COOKIE}={unpadded(header + nonce + sealed)}'


@cache
def starlette_cookie(size):
    return f'{COOKIE}={starlette(session_of(size, json.dumps))}'


@cache
def other_cookies(count):
    """As many of other applications, in two halves around ours."""
    names = [f'other{i:02}={hashlib.sha256(b"%d" % i).hexdigest()[:16]}' for i in range(count)]
    return '; '.join([*names[:count // 2], native_cookie(SIZES['100 B']), *names[count // 2:]])


@cache
def mod_session_cookie(size):
    return f'{COOKIE}={urlencode(session_of(size, urlencode))}'


@cache
def refused_cookies(kind):
    """Four of 1 KB whose signatures look like those of a format, and are of nobody."""
    def forged(size, text):
        return unpadded(hashlib.sha256(text.encode()).digest()[:size])

    payload = unpadded(compact(session_of(710, compact)).encode())
    values = [{'native': lambda i: Native(session_of(680, compact)).seal('no secret of this server'),
               '.': lambda i: f'{payload}.aaaaa{i}.{forged(20, str(i))}',
               ':': lambda i: f'{payload}:aaaaa{i}:{forged(32, str(i))}'}[kind](i) for i in range(4)]
    return '; '.join(f'{COOKIE}={value}' for value in values)


@cache
def with_companions(header):
    """And four signatures for express, each of which may be that of any of the four."""
    return '; '.join([header, *(f'{COOKIE}.sig={unpadded(hashlib.sha1(b"%d" % i).digest())}' for i in range(4))])


CHANGING = '<Location "/change">\nSetHandler bench-change\n</Location>\n'


@dataclass(frozen=True)
class Case:
    name: str
    handler: str = 'bench-nothing'
    conf: str = ''
    modules: str = ''           # of httpd
    ours: bool = False          # is mod_signed_session loaded?
    cookie: str = ''            # what the client sends
    budget: int = None          # instructions added to what it is compared with
    begin: str = ''             # the handler that gives out the cookie, where we cannot make it here
    over: 'Case' = None         # what that is; None: plain httpd with the same request
    writes: bool = False        # does every response bring a new cookie?
    turn: tuple = ()            # the same from many clients: cookies that are sent one after the other
    times: int = 1              # how often the configuration has what is counted: it is what one of them costs
    quick: bool = False
    share: int = 0              # per cent of the requests that change the session, whatever the handler
    lengths: tuple = ()         # numbers of requests to count, where the usual ones would take too long
    defines: tuple = ()         # names for httpd's -D
    env: dict = field(default_factory=dict, hash=False)

    def configuration(self):
        return (load_module('ss_bench') + (load_module('signed_session') if self.ours else '') + self.conf
                + f'\nMaxKeepAliveRequests 0\n<Location "/">\nSetHandler {self.handler}\n</Location>\n'
                + (CHANGING if self.share else ''))

    def cookie_of(self, number):
        """What the client sends with this request, counted from 0."""
        return self.turn[number % len(self.turn)] if self.turn else self.cookie

    def is_change(self, number):
        """Is this request, counted from 0, one of those that change the session?"""
        return self.writes or (number + 1) * self.share // 100 > number * self.share // 100


def plain(cookie):
    return Case(f'plain httpd, {len(cookie)} B of cookie', cookie=cookie)


# Sessions are on in another virtual host, so that everything is ready, but not in this one.
OFF = 'SignedSession Off\n<VirtualHost 127.0.0.1:1>\nSignedSession On\n</VirtualHost>'
STARLETTE = 'SignedSession On\nSignedSessionFormat starlette'
MANY_SECRETS = 'SignedSession On\nSignedSessionSecret {} env:SIGNED_SESSION_SECRET'.format(
    ' '.join(f'env:{name}' for name in OTHER_SECRETS))
MOD_SESSION = f'Session On\nSessionCookieName {COOKIE} path=/'
CRYPTO = f'{MOD_SESSION}\nSessionCryptoPassphrase {SECRET}'

AUTH_MODULES = 'authn_core authz_user'
REQUIRE = 'SignedSession On\nSignedSessionUser user_id\nSignedSessionSubject user_id\n<Location "/">\n{}\n</Location>'
VALID_USER = 'AuthType signed-session\nRequire valid-user'

# Kept from one httpd to the next: the session of a case is put there by the first.
SHELF = Path(tempfile.gettempdir()) / f'signed-session-bench-{os.getpid()}'
FILES = f'SignedSession On\nSignedSessionStore "file:{SHELF}/sessions"'
REDIS = f'SignedSession On\nSignedSessionStore "redis:{SHELF}/redis/socket"'
REVOCATION = f'SignedSession On\nSignedSessionRevocation "file:{SHELF}/revoked"'
REVOKED = 1000
# What some configurations are warned of when httpd starts is meant here.
UNWARNED = 'LogLevel error\n'
BIND = (UNWARNED + f'SignedSession On\nSignedSessionCookie {COOKIE} Secure=on\n'
        'SignedSessionBind Required /session-bind 1h')

SECTIONS = 10
SECTION = '<Location "/">\n{}\n</Location>\n'

FIRST_SIGHT = ('SIGNED_SESSION_NO_MEMORY',)
# What each may cost.
BUDGETS_AGAIN = {'100 B': 4800, '1 KB': 8000, '3 KB': 14000}
BUDGETS_READ = {'100 B': 15000, '1 KB': 50000, '3 KB': 128000}
BUDGETS_DECRYPT = {'100 B': 11500, '1 KB': 24000, '3 KB': 52000}
BUDGETS_WRITE = {'100 B': 31000, '1 KB': 101000, '3 KB': 258000}
BUDGETS_STARLETTE = {'100 B': 11700, '1 KB': 40000, '3 KB': 102000}


def sized(name, make_cookie, budgets=None, **more):
    """A row for each size; only the smallest is quick enough for --quick."""
    return [Case(f'{name} {label}', cookie=make_cookie(size), budget=budgets[label] if budgets else None,
                 quick=label == '100 B' and bool(budgets), **more)
            for label, size in SIZES.items()]


def stored_cases(cookie_cases, name, conf, budget):
    """The same sessions in a store, where they are read again and again: more than a cookie that was seen before."""
    return [Case(f'{name} read, seen before {label}', ours=True, handler='bench-read', conf=conf, begin='bench-change',
                 cookie=native_cookie(size), budget=budget, over=over, modules='signed_session_redis' if name == 'redis' else '')
            for (label, size), over in zip(SIZES.items(), cookie_cases)]


def all_cases():
    ours = partial(sized, ours=True)
    theirs = partial(sized, make_cookie=mod_session_cookie, modules='session session_cookie')
    small = native_cookie(SIZES['100 B'])
    read = ours('native read, first sight', native_cookie, BUDGETS_READ, handler='bench-read',
                conf='SignedSession On', defines=FIRST_SIGHT)
    required = Case('Require signed-session KEY', ours=True, modules=AUTH_MODULES, cookie=small,
                    conf=REQUIRE.format('Require signed-session user_id'))
    known = Case('AuthType signed-session, valid-user', ours=True, modules=AUTH_MODULES, cookie=small,
                 conf=REQUIRE.format(VALID_USER), over=required, budget=300)
    again = ours('native read, seen before', native_cookie, BUDGETS_AGAIN, handler='bench-read',
                 conf='SignedSession On')
    foreign = ours('starlette read, first sight', starlette_cookie, BUDGETS_STARLETTE, handler='bench-read',
                   conf=STARLETTE, defines=FIRST_SIGHT)
    many = [Case(f'native read, many in turn {label}', ours=True, handler='bench-read', conf='SignedSession On',
                 cookie=native_cookies(size)[0], turn=native_cookies(size), budget=BUDGETS_READ[label], lengths=(500, MANY))
            for label, size in SIZES.items()]
    without = Case(f'{SECTIONS} sections of others', ours=True, cookie=small,
                   conf='SignedSession On\n' + SECTION.format('ForceType text/plain') * SECTIONS)
    stored = partial(stored_cases, again)
    return [
        Case('off', ours=True, conf=OFF, cookie=small, budget=350, quick=True),
        Case('on, no cookie', ours=True, conf='SignedSession On', budget=2000, quick=True),
        Case('on, no cookie, no Vary', ours=True, conf='SignedSession On\nSignedSessionVary Off', budget=1100),
        Case('Vary: Cookie by a handler', handler='bench-vary'),
        Case('each section with directives', ours=True, cookie=small, over=without, times=SECTIONS, budget=150, quick=True,
             conf='SignedSession On\n' + SECTION.format('ForceType text/plain\nSignedSessionEnv Off') * SECTIONS),
        *again,
        *read,
        Case(f'{OTHERS} other cookies', ours=True, handler='bench-read', conf='SignedSession On', cookie=other_cookies(OTHERS),
             budget=BUDGETS_AGAIN['100 B'] + OTHERS * 45),
        *many,
        Case('native read 100 B, 16 secrets', ours=True, handler='bench-read', conf=MANY_SECRETS,
             env=OTHER_SECRETS, cookie=small, budget=100, over=read[0], defines=FIRST_SIGHT),
        *ours('encrypted read, first sight', encrypted_cookie, BUDGETS_DECRYPT, handler='bench-read',
              conf='SignedSession On', defines=FIRST_SIGHT),
        *ours('native change, first sight', native_cookie, BUDGETS_WRITE, handler='bench-change',
              conf='SignedSession On', writes=True, defines=FIRST_SIGHT),
        *stored('file', FILES, 8000),
        *stored('redis', REDIS, 6000),
        Case(f'{REVOKED} revocations', ours=True, handler='bench-read', conf=REVOCATION, cookie=small, budget=400,
             over=again[0]),
        Case('bound, seen before', ours=True, handler='bench-read', conf=BIND, cookie=bound_cookie(SIZES['100 B']),
             over=again[0], quick=True),
        Case('bound, first sight', ours=True, handler='bench-read', conf=BIND, cookie=bound_cookie(SIZES['100 B']), budget=1500,
             over=read[0], defines=FIRST_SIGHT, quick=True),
        *ours('starlette read', starlette_cookie, handler='bench-read',
              conf=STARLETTE),
        *foreign,
        Case('starlette read, first sight 100 B, 16 secrets', ours=True, handler='bench-read',
             conf=f'{MANY_SECRETS}\nSignedSessionFormat starlette', env=OTHER_SECRETS, cookie=foreign[0].cookie, budget=100,
             over=foreign[0], defines=FIRST_SIGHT),
        required, known,
        Case('AuthType signed-session, Require signed-session KEY', ours=True, modules=AUTH_MODULES, cookie=small,
             conf=REQUIRE.format('AuthType signed-session\nRequire signed-session user_id'), over=required),
        Case('SignedSessionLoginPage', ours=True, modules=AUTH_MODULES, cookie=small,
             conf=REQUIRE.format(f'{VALID_USER}\nSignedSessionLoginPage /login'), over=known),
        Case('mod_session off', modules='session session_cookie', conf='Session Off',
             cookie=mod_session_cookie(SIZES['100 B'])),
        *theirs('mod_session read', handler='bench-mod-session-read', conf=MOD_SESSION),
        *theirs('mod_session change', handler='bench-mod-session-change', conf=MOD_SESSION, writes=True),
        *(Case(f'mod_session_crypto {use} 100 B', handler=f'bench-mod-session-{use}', conf=CRYPTO,
               modules='session session_cookie session_crypto', writes=use == 'change',
               begin='bench-mod-session-begin', lengths=(3, 9)) for use in ('read', 'change')),
    ]
