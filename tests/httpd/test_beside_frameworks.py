# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Beside an application whose cookie cannot be used here, though its signature is right: it is never overwritten,
only ended, because the application can read it."""

import base64
import hashlib
import hmac
import json
import time
import zlib

import pytest
from django.http.cookie import parse_cookie as parse_as_django
from itsdangerous import URLSafeTimedSerializer
from starlette.requests import cookie_parser as parse_as_starlette
from werkzeug.http import parse_cookie as parse_as_flask

from backends import HttpBackend, http_answer
from common import FORM, JSON, PATCH
from cookies import Native, native, starlette
from harness import SECRET, Server

DEEP = {'a': json.loads('[' * 300 + ']' * 300)}
LARGE = {'user': 'alice', 'text': 'x' * 70_000}
ALICE = {'user': 'alice'}
AHEAD = 3600  # seconds


def base62(number):
    digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    return (base62(number // 62) if number >= 62 else '') + digits[number % 62]


def unpadded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b'=').decode()


class Flask(URLSafeTimedSerializer):
    def __init__(self, ahead=0):
        self.ahead = ahead
        super().__init__(SECRET, 'cookie-session', signer_kwargs={'key_derivation': 'hmac', 'digest_method': hashlib.sha1})

    def make_signer(self, salt=None):
        signer = super().make_signer(salt)
        signer.get_timestamp = lambda: int(time.time()) + self.ahead
        return signer


def flask(data, ahead=0):
    return f'session={Flask(ahead).dumps(data)}'


def flask_bytes(raw):
    signer = Flask().make_signer('cookie-session')
    return f'session={signer.sign(unpadded(raw)).decode()}'


def django(data, ahead=0):
    packed = unpadded(zlib.compress(json.dumps(data, separators=(',', ':')).encode()))
    signed = f'.{packed}:{base62(int(time.time()) + ahead)}'
    key = hashlib.sha256(f'django.contrib.sessions.backends.signed_cookiessigner{SECRET}'.encode()).digest()
    return f'session={signed}:{unpadded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}'


def express(data):
    value = data.decode() if isinstance(data, bytes) else base64.b64encode(json.dumps(data).encode()).decode()
    signature = hmac.new(SECRET.encode(), f'session={value}'.encode(), hashlib.sha1).digest()
    return f'session={value}; session.sig={unpadded(signature)}'


def starlette_cookie(data, ahead=0):
    return f'session={starlette(data, age=-ahead)}'


OWNED = [
    ('flask', 'large', flask(LARGE), 'malformed'), ('flask', 'future', flask(ALICE, AHEAD), 'from-future'),
    ('flask', 'deep', flask(DEEP), 'malformed'), ('flask', 'a list', flask([1]), 'malformed'),
    ('flask', 'no JSON', flask_bytes(b'user=alice'), 'malformed'), ('flask', 'no zlib', flask_bytes(b''), 'malformed'),
    ('django', 'large', django(LARGE), 'malformed'), ('django', 'future', django(ALICE, AHEAD), 'from-future'),
    ('django', 'deep', django(DEEP), 'malformed'), ('django', 'a string', django('alice'), 'malformed'),
    ('starlette', 'future', starlette_cookie(ALICE, AHEAD), 'from-future'),
    ('starlette', 'deep', starlette_cookie(DEEP), 'malformed'), ('starlette', 'null', starlette_cookie(None), 'malformed'),
    ('express', 'deep', express(DEEP), 'malformed'), ('express', 'a number', express(5), 'malformed'),
    ('express', 'no base64', express(b'alice'), 'malformed'),
]
IDS = [f'{name} {what}' for name, what, *_ in OWNED]
NAMES = ['flask', 'django', 'starlette', 'express']

# What reaches the client is what the backend says in its query: an update, or nothing.
CONF = '''
    SignedSession On
    SignedSessionFormat {formats}
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <Location "/api">
        SetHandler ss-api
    </Location>
    <Location "/rows">
        SignedSessionSet seen yes
    </Location>
    <Location "/before">
        SignedSessionClear Before
        SignedSessionSet user bob
    </Location>
    <Location "/logout">
        SignedSessionClear On
    </Location>
    <Location "/leave">
        SetHandler signed-session
        SignedSessionSet seen yes
    </Location>
    <Location "/app">
        ProxyPass http://127.0.0.1:{backend} disablereuse=On
        SignedSessionUpdate X-Update
    </Location>
    <Location "/note.lua">
        SetHandler lua-script
    </Location>
'''
FILES = {f'htdocs/{name}': 'x' for name in ('rows', 'before', 'logout')}
NOTE = '''
function handle(r)
    r.notes["session-update"] = '{"n":1}'
    r:puts("body")
    return apache2.OK
end
'''


@pytest.fixture(scope='module')
def backend():
    answers = {'update': http_answer('200 OK', 'X-Update: {"n":1}'), 'null': http_answer('200 OK', 'X-Update: null'),
               'own': http_answer('200 OK', 'X-Update: {"n":1}', f'Set-Cookie: {flask(ALICE)}; Path=/')}
    with HttpBackend(answers) as one:
        yield one


def make_server(backend, formats):
    return Server(CONF.replace('{formats}', formats), 'proxy proxy_http lua ss_api', files={**FILES, 'htdocs/note.lua': NOTE}, backend=backend.port)


@pytest.fixture(scope='module')
def servers(backend):
    """One for each format that is written, and one that writes native and accepts flask."""
    running = {}

    def server_of(formats):
        if formats not in running:
            running[formats] = make_server(backend, formats).start()
        return running[formats]

    yield server_of
    for one in running.values():
        one.stop()


ENDPOINT = [('PUT', '/session/n', JSON, '1'), ('PUT', '/session', JSON, '{"n":1}'), ('PUT', '/session', JSON, '{}'),
            ('PATCH', '/session', PATCH, '{"n":1}'), ('POST', '/session', JSON, '{"n":1}'),
            ('POST', '/session', FORM, 'n=1'), ('DELETE', '/session/n', {}, None)]


@pytest.mark.parametrize('name, what, cookie, state', OWNED, ids=IDS)
def test_endpoints_refuse_to_overwrite_it(servers, name, what, cookie, state):
    server = servers(name)
    assert server.request('GET', '/session?meta', cookie=cookie).json()['state'] == state
    for method, path, headers, body in ENDPOINT:
        response = server.request(method, path, headers, body, cookie=cookie)
        assert (response.status, response.set_cookies()) == (409, []), (method, path)
        assert 'SS0208' in response.json()['detail']


CHANGES = [('/rows', {}), ('/before', {}), ('/app/update', {}), ('/note.lua', {}),
           ('/api', {'X-Calls': 'set\tn\t1'}), ('/api', {'X-Calls': 'patch\t{"n":1}'})]


@pytest.mark.parametrize('name, what, cookie, state', OWNED, ids=IDS)
def test_other_changes_are_dropped_and_logged(servers, name, what, cookie, state):
    server = servers(name)
    before = server.error_log().count('SS0312')
    for path, headers in CHANGES:
        response = server.request('GET', path, headers, cookie=cookie)
        assert (response.status, response.get_all('Set-Cookie')) == (200, []), path
    assert server.error_log().count('SS0312') == before + len(CHANGES)
    server.expect('SS0312')


ENDINGS = [('DELETE', '/session', {}), ('DELETE', '/leave', {}), ('GET', '/logout', {}), ('GET', '/app/null', {}),
           ('GET', '/api', {'X-Calls': 'clear'}), ('GET', '/api', {'X-Calls': 'clear|set\tbye\tyes'})]


@pytest.mark.parametrize('name, what, cookie, state', OWNED, ids=IDS)
def test_it_may_be_ended(servers, name, what, cookie, state):
    server = servers(name)
    for method, path, headers in ENDINGS:
        response = server.request(method, path, headers, cookie=cookie)
        assert response.status in (200, 204) and response.cookie() == '', path
        assert 'private' in response.get('Cache-Control') or 'no-store' in response.get('Cache-Control')
    server.expect('SS0312')  # what came after an ending was dropped


def test_what_ended_by_the_way_stays(servers):
    server = servers('flask')
    cookie = flask(ALICE, AHEAD)
    assert server.request('GET', '/file.txt', cookie=cookie).set_cookies() == []
    assert server.request('DELETE', '/session/user', cookie=cookie).status == 409


@pytest.mark.parametrize('name', NAMES)
def test_an_empty_session_of_the_application_is_changed_like_any(servers, name):
    empty = {'flask': flask({}), 'django': django({}), 'starlette': starlette_cookie({}), 'express': express({})}[name]
    response = servers(name).request('PUT', '/session/n', JSON, '1', cookie=empty)
    assert response.status == 201 and response.set_cookies()


def test_in_a_migration_too(servers):
    server = servers('native flask')
    for cookie in (flask(LARGE), flask(ALICE, AHEAD)):
        assert server.request('PUT', '/session/n', JSON, '1', cookie=cookie).status == 409
        assert server.request('GET', '/rows', cookie=cookie).set_cookies() == []
        assert server.request('DELETE', '/session', cookie=cookie).cookie() == ''
    server.expect('SS0312')


def test_a_cookie_beside_it_does_not_make_it_fair_game(servers):
    """Which of the two a Set-Cookie would overwrite nobody knows."""
    server = servers('native flask')
    valid = native({'user': 'bob'}, renewed=int(time.time()) - 5 * 86400)
    for cookie in (f'{valid}; {flask(ALICE, AHEAD)}', f'{flask(ALICE, AHEAD)}; {valid}'):
        assert server.request('GET', '/session/user', cookie=cookie).json() == 'bob'
        assert server.request('PUT', '/session/n', JSON, '1', cookie=cookie).status == 409
        assert server.request('DELETE', '/session/user', cookie=cookie).status == 409
        assert server.request('GET', '/file.txt', cookie=cookie).set_cookies() == []  # no renewal
        assert server.request('DELETE', '/session', cookie=cookie).cookie() == ''


def test_what_cannot_be_the_applications_is_overwritten(servers):
    other = URLSafeTimedSerializer(SECRET[::-1], 'cookie-session',
                                   signer_kwargs={'key_derivation': 'hmac', 'digest_method': hashlib.sha1})
    flask_server, native_server = servers('flask'), servers('native flask')
    for cookie in (f'session={other.dumps(LARGE)}', flask(ALICE, -40 * 86400), 'session=x', flask(ALICE, AHEAD) + 'x'):
        assert flask_server.request('PUT', '/session/n', JSON, '1', cookie=cookie).status == 201, cookie
    ahead = f'session={Native(ALICE, renewed=int(time.time()) + 3600).seal()}'
    assert native_server.request('PUT', '/session/n', JSON, '1', cookie=ahead).status == 201


def test_when_the_application_writes_anew_changes_go_on_top(servers):
    response = servers('flask').request('GET', '/app/own', cookie=flask(LARGE))
    assert Flask().loads(response.cookie()) == {'user': 'alice', 'n': 1}


# --- which cookie is it? --------------------------------------------------------------------------

PARSERS = {'flask': parse_as_flask, 'starlette': parse_as_starlette, 'django': parse_as_django}
SPELLINGS = ['session={}', 'session="{}"', 'session= "{}"', 'session="{}" ', 'session =\t"{}"; b=1', 'session= {}', 'session ={}',
             'session=""{}""', 'session="{}', 'session={}"', "session='{}'", 'session="{}"x', 'session=" {} "', 'session={} x',
             'x session={}', 'session="{};"', 'a="session={}"', 'a=1, session={}', 'SESSION={}']


@pytest.mark.parametrize('spelling', SPELLINGS)
def test_a_value_is_what_the_frameworks_take_for_it(servers, spelling):
    value = Native(ALICE).seal()
    header = spelling.format(value)
    wanted = {name: parse(header).get('session') == value for name, parse in PARSERS.items()}
    found = servers('native flask').request('GET', '/session?meta', cookie=header).json()['state'] == 'valid'
    assert wanted == dict.fromkeys(PARSERS, found)


@pytest.mark.parametrize('name', ['flask', 'starlette', 'django'])
@pytest.mark.parametrize('count', [2, 4, 5, 9])
def test_of_many_it_is_the_one_that_the_framework_takes(servers, name, count):
    make = {'flask': flask, 'starlette': starlette_cookie, 'django': django}[name]
    cookies = [make({'n': number}) for number in range(count)]
    header = '; '.join(cookies)
    taken = cookies.index(f'session={PARSERS[name](header)["session"]}')
    server = servers(name)
    assert server.request('GET', '/session/n', cookie=header).json() == taken
    assert server.request('GET', '/session?meta', cookie=header).json()['cookies'] == count
