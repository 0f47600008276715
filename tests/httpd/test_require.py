# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Authorization: Require signed-session, alone and among others."""

import time

import pytest

from common import ENDPOINT, JSON, basic, password_file
from cookies import Native, native, starlette
from harness import Jar, Server
from starting import failed_start

MODULES = 'alias auth_basic authn_core authn_file authz_host authz_user headers'


def status(server, path, cookie=None, headers=()):
    """Of one request; whatever the answer, asking does not change the session."""
    response = server.request('GET', path, headers, cookie=cookie)
    assert response.set_cookies() == []
    if response.status in (401, 403):
        server.allow('AH01630', 'AH01629', 'AH01631')
    return response.status


# --- any session, a key, a value ------------------------------------------------------------------

LINES = {
    'any': 'Require signed-session',
    'user': 'Require signed-session user',
    'admin': 'Require signed-session role admin "site owner"',
    'yes': 'Require signed-session flag true',
    'null': 'Require signed-session flag null',
    'number': 'Require signed-session n 1.5 7',
    'empty': 'Require signed-session role ""',
    'object': "Require signed-session flag '{\"a\":1}'",
    'path': 'Require signed-session account.roles.0 admin',
    'deep': 'Require signed-session account.roles admin',
    'dotted': 'Require signed-session a.b right',
    'truth': 'Require signed-session flag',
    'not': '''
        <RequireAll>
            Require all granted
            Require not signed-session banned
        </RequireAll>''',
    'none': '''
        <RequireAll>
            Require signed-session user
            <RequireNone>
                Require signed-session banned
                Require signed-session role guest
            </RequireNone>
        </RequireAll>''',
    'all': '''
        <RequireAll>
            Require signed-session user
            Require signed-session role admin
        </RequireAll>''',
    'or': '''
        <RequireAny>
            Require signed-session role admin
            Require expr "%{HTTP:X-Pass} == 'yes'"
        </RequireAny>''',
}


@pytest.fixture(scope='module')
def server():
    conf = 'SignedSession On\n' + ''.join(
        f'<Location "/{name}">\n{line}\n</Location>\n' for name, line in LINES.items())
    with Server(conf, modules=MODULES, files={f'htdocs/{name}/a.txt': 'x' for name in LINES}) as one:
        yield one


TRUTH = [
    ('true', b'true', True), ('false', b'false', False), ('null', b'null', False),
    ('an empty string', b'""', False), ('a string', b'"x"', True), ('the string "false"', b'"false"', True),
    ('the string "0"', b'"0"', True), ('a blank', b'" "', True), ('a control character', b'"\\u0007"', True),
    ('zero', b'0', False), ('minus zero', b'-0', False), ('0.00', b'0.00', False), ('0e5', b'0e5', False),
    ('0.0E-9', b'0.0E-9', False), ('one', b'1', True), ('a tiny number', b'0.0001', True),
    ('a number that a double takes for zero', b'1e-999', True), ('NaN', b'NaN', False),
    ('Infinity', b'Infinity', False), ('-Infinity', b'-Infinity', False), ('[]', b'[]', False),
    ('[ ]', b'[ \n ]', False), ('{}', b'{}', False),
    ('{ }', b'{ }', False), ('[0]', b'[0]', True), ('[[]]', b'[[]]', True), ('an object', b'{"a":null}', True),
]


@pytest.mark.parametrize('what, value, holds', TRUTH, ids=[row[0] for row in TRUTH])
def test_a_key_is_present_and_not_nothing(server, what, value, holds):
    assert status(server, '/truth/a.txt', native(b'{"flag":%s}' % value)) == (200 if holds else 403)


ROWS = [
    # path, session (None: no cookie), does it hold?
    ('any', None, False), ('any', {}, False), ('any', {'x': None}, True),
    ('user', None, False), ('user', {}, False), ('user', {'user': 'alice'}, True), ('user', {'User': 'alice'}, False),
    ('admin', {'role': 'admin'}, True), ('admin', {'role': 'site owner'}, True), ('admin', {'role': 'site'}, False),
    ('admin', {'role': 'Admin'}, False), ('admin', {'role': 'admin '}, False),
    ('admin', {'role': 'administrator'}, False), ('admin', {'role': ['guest', 'admin']}, True),
    ('admin', {'role': ['guest']}, False), ('admin', {'role': []}, False), ('admin', {'role': [['admin']]}, False),
    ('admin', {'role': {'admin': True}}, False), ('admin', {}, False), ('admin', {'role': 'admin\x00'}, False),
    ('admin', {'role': 'admin\n'}, False),
    ('yes', {'flag': True}, True), ('yes', {'flag': 'true'}, True), ('yes', {'flag': 1}, False),
    ('null', {'flag': None}, True), ('null', {}, False),
    ('number', {'n': 1.5}, True), ('number', {'n': '7'}, True), ('number', {'n': [3, 7]}, True),
    ('number', {'n': 7.0}, False),
    ('empty', {'role': ''}, True), ('empty', {}, False), ('empty', {'role': None}, False),
    ('object', {'flag': {'a': 1}}, True), ('object', {'flag': [{'a': 1}]}, True),
    ('object', {'flag': {'a': 2}}, False),
    ('path', {'account': {'roles': ['admin']}}, True), ('path', {'account': {'roles': ['guest', 'admin']}}, False),
    ('deep', {'account': {'roles': ['guest', 'admin']}}, True), ('deep', {'account': 'admin'}, False),
    ('dotted', {'a.b': 'right', 'a': {'b': 'wrong'}}, True), ('dotted', {'a.b': 'wrong', 'a': {'b': 'right'}}, False),
    ('dotted', {'a': {'b': 'right'}}, True),
    ('not', None, True), ('not', {'user': 'x'}, True), ('not', {'banned': True}, False),
    ('not', {'banned': False}, True),
    ('none', {'user': 'x'}, True), ('none', {'user': 'x', 'banned': 1}, False),
    ('none', {'user': 'x', 'role': 'guest'}, False), ('none', {'role': 'admin'}, False),
    ('all', {'user': 'x', 'role': 'admin'}, True), ('all', {'user': 'x'}, False), ('all', {'role': 'admin'}, False),
    ('or', {'role': 'admin'}, True), ('or', {'role': 'x'}, False),
]


@pytest.mark.parametrize('place, session, holds', ROWS, ids=lambda value: str(value))
def test_who_may_enter(server, place, session, holds):
    cookie = None if session is None else native(session)
    assert status(server, f'/{place}/a.txt', cookie) == (200 if holds else 403)


def test_another_provider_may_grant_what_this_one_does_not(server):
    assert status(server, '/or/a.txt', native({'role': 'x'}), {'X-Pass': 'yes'}) == 200


NOW = int(time.time())
REFUSED = [
    ('nothing', None), ('no signature', 'session=eyJ1c2VyIjoiYWxpY2UifQ'), ('plain JSON', 'session={"user":"alice"}'),
    ('stock mod_session', 'session=user=alice&role=admin'),
    ('another secret', f'session={starlette({"user": "alice"})}'),
    ('another name', native({'user': 'alice'}).replace('session', 'Session')),
    ('in another value', 'x=1,' + native({'user': 'alice'})),
    ('too old', native({'user': 'alice'}, renewed=NOW - 15 * 86400)),
    ('from the future', native({'user': 'alice'}, renewed=NOW + 3600)), ('a list', native(b'["user"]')),
]


@pytest.mark.parametrize('what, cookie', REFUSED, ids=[row[0] for row in REFUSED])
@pytest.mark.parametrize('place', ['any', 'user'])
def test_a_refused_cookie_denies(server, place, what, cookie):
    assert status(server, f'/{place}/a.txt', cookie) == 403


def test_every_changed_byte_denies(server):
    cookie = native({'user': 'alice'})
    for at in range(len('session='), len(cookie), 7):
        other = 'A' if cookie[at] != 'A' else 'B'
        assert status(server, '/user/a.txt', cookie[:at] + other + cookie[at + 1:]) == 403


# --- what it does to the response ---------------------------------------------------------------


def test_what_it_let_pass_is_private(server):
    response = server.request('GET', '/user/a.txt', cookie=native({'user': 'alice'}))
    assert (response.get('Cache-Control'), response.get('Vary')) == ('private', 'Cookie')
    for path, cookie in [('/user/a.txt', None), ('/file.txt', native({'user': 'alice'}))]:
        assert server.request('GET', path, cookie=cookie).get('Cache-Control') is None
    server.allow('AH01630')


def test_private_is_merged_with_what_the_page_says(start):
    server = start('''
        SignedSession On
        SignedSessionVary Off
        LuaMapHandler /page "{dir}/page.lua"
        <Location "/page">
            Require signed-session user
        </Location>''', modules='lua', files={'page.lua': '''
            function handle(r)
                r.headers_out["Cache-Control"] = "public, max-age=60, s-maxage=90"
                r:puts("x")
                return apache2.OK
            end'''})
    response = server.request('GET', '/page', cookie=native({'user': 'alice'}))
    assert (response.get('Cache-Control'), response.set_cookies()) == ('private, max-age=60', [])


def test_an_error_after_it_is_private_too(server):
    response = server.request('GET', '/user/missing', cookie=native({'user': 'alice'}))
    assert (response.status, response.get('Cache-Control')) == (404, 'private')


# --- together with a login --------------------------------------------------------------------------

LOGIN = '''
    SignedSession On
    <LocationMatch "^/(both|either|nolog)">
        AuthType Basic
        AuthName test
        AuthUserFile "{dir}/users"
    </LocationMatch>
    <Location "/both">
        <RequireAll>
            Require valid-user
            Require signed-session role admin
        </RequireAll>
    </Location>
    <Location "/either">
        Require signed-session user
        Require valid-user
    </Location>
'''


@pytest.fixture(scope='module')
def login():
    files = {'users': password_file('alice'), 'htdocs/both/a.txt': 'x', 'htdocs/either/a.txt': 'x'}
    with Server(LOGIN, modules=MODULES, files=files) as one:
        yield one


ADMIN = native({'role': 'admin', 'user': 'alice'})


@pytest.mark.parametrize('path, cookie, headers, want', [
    ('/both/a.txt', ADMIN, basic('alice'), 200), ('/both/a.txt', None, basic('alice'), 401),
    ('/both/a.txt', ADMIN, {}, 401), ('/both/a.txt', ADMIN, basic('alice', 'wrong'), 401),
    ('/both/a.txt', None, {}, 401),
    ('/either/a.txt', ADMIN, {}, 200), ('/either/a.txt', None, basic('alice'), 200), ('/either/a.txt', None, {}, 401),
    ('/either/a.txt', ADMIN, basic('alice', 'wrong'), 200), ('/either/a.txt', None, basic('alice', 'wrong'), 401)])
def test_with_a_password(login, path, cookie, headers, want):
    """httpd asks the provider before and after it knows the user."""
    login.allow('AH01617', 'AH01618')
    assert status(login, path, cookie, headers) == want


# --- places ---------------------------------------------------------------------------------------

PLACES = '''
    SignedSession On
    <Directory "{dir}/htdocs">
        AllowOverride AuthConfig
    </Directory>
    <Location "/off">
        SignedSession Off
        Require signed-session
    </Location>
    <Location "/off-age">
        SignedSession Off
        Require signed-session-age 10min
    </Location>
    <Location "/off-but">
        SignedSession Off
        <RequireAny>
            Require signed-session
            Require expr "%{HTTP:X-Pass} == 'yes'"
        </RequireAny>
    </Location>
    <Location "/but-off">
        SignedSession Off
        <RequireAny>
            Require expr "%{HTTP:X-Pass} == 'yes'"
            Require signed-session
        </RequireAny>
    </Location>
    <Location "/off-not">
        SignedSession Off
        <RequireAll>
            Require all granted
            Require not signed-session banned
        </RequireAll>
    </Location>
    <Location "/read-only">
        SignedSession ReadOnly
        Require signed-session user
    </Location>
    <Location "/error">
        Require signed-session user
        ErrorDocument 403 /login.txt
    </Location>
    <Location "/error-local">
        Require signed-session user
        ErrorDocument 403 /error-local/login.txt
    </Location>
    RedirectMatch "^/error/moved" "/file.txt"
'''


@pytest.fixture(scope='module')
def places():
    files = {'htdocs/ht/.htaccess': 'Require signed-session role admin', 'htdocs/ht/a.txt': 'x',
             'htdocs/ht-off/.htaccess': 'SignedSession Off\nRequire signed-session', 'htdocs/ht-off/a.txt': 'x',
             'htdocs/login.txt': 'log in', 'htdocs/error-local/login.txt': 'log in',
             **{f'htdocs/{name}/a.txt': 'x' for name in ('off', 'off-age', 'off-but', 'but-off', 'off-not', 'read-only', 'error')}}
    with Server(PLACES, modules=MODULES, files=files) as one:
        yield one


def test_in_htaccess(places):
    assert status(places, '/ht/a.txt', native({'role': 'admin'})) == 200
    assert status(places, '/ht/a.txt', native({'role': 'guest'})) == 403


def test_in_a_virtual_host_without_another_directive(start):
    """httpd has no configuration of ours there until it merges the main server's."""
    server = start("""
        SignedSession On
        SignedSessionCookie sid
        <VirtualHost *:{port}>
            <Location "/">
                Require signed-session user
            </Location>
        </VirtualHost>""")
    assert status(server, '/file.txt') == 403
    assert status(server, '/file.txt', f'sid={Native({"user": "alice"}).seal(name="sid")}') == 200


@pytest.mark.parametrize('path, line', [
    ('/off/a.txt', 'signed-session'), ('/ht-off/a.txt', 'signed-session'), ('/off-age/a.txt', 'signed-session-age')])
def test_where_sessions_are_off_it_cannot_be_judged_and_says_how_to_help(places, path, line):
    assert status(places, path, native({'role': 'admin'})) == 500
    places.expect(f'SS0206: Require {line} cannot be judged', '"SignedSession On"')


def test_where_sessions_are_off_others_are_asked_only_before(places):
    """What cannot be judged is no denial, behind which another line could grant."""
    assert status(places, '/off-but/a.txt', None, {'X-Pass': 'yes'}) == 500
    places.expect('SS0206')
    assert status(places, '/but-off/a.txt', None, {'X-Pass': 'yes'}) == 200


@pytest.mark.parametrize('cookie', [None, {'banned': True}])
def test_a_negated_require_lets_nobody_in_where_sessions_are_off(places, cookie):
    assert status(places, '/off-not/a.txt', cookie and native(cookie)) == 500
    places.expect('SS0206')


def untimely():
    """Cookies whose time is the reason, and what the log says of it, which is what ssctl says."""
    now = int(time.time())
    for created, renewed, why in [(20, 15.05, 'expired-idle, renewed 15d 1h ago; the limit is 14d'),
                                  (31.1, 1, 'expired-absolute, created 31d 2h ago; the limit is 30d'),
                                  (0, -0.0505, 'from-future, renewed 1h 12min ahead; the skew allowed is 30s'),
                                  (-0.0505, 0, 'from-future, created 1h 12min ahead; the skew allowed is 30s')]:
        cookie = native({'role': 'admin'}, created=now - int(created * 86400), renewed=now - int(renewed * 86400))
        yield cookie, f'it is empty (the client\'s cookie: {why})'


def test_the_log_says_what_was_missing(start):
    server = start('SignedSession On\nSignedSessionAbsoluteTimeout 30d\n<Location "/">\nRequire signed-session role admin\n</Location>',
                   log_level='warn signed_session:debug')
    for cookie, why in [(None, 'it is empty (the client\'s cookie: none)'),
                        (native({'role': 'guest'}), 'it has no such key, or another value'),
                        ('session=x', 'it is empty (the client\'s cookie: malformed)'),
                        *untimely()]:
        assert status(server, '/file.txt', cookie) == 403
        server.expect('SS0207: the session does not meet "Require signed-session role": ' + why)
        server.allow('AH01630', 'SS0203')
        server.log.check()


def test_the_log_says_that_a_store_has_lost_the_session(start):
    server = start(ENDPOINT + 'SignedSessionStore file\n<Location "/file.txt">\nRequire signed-session role admin\n</Location>',
                   log_level='warn signed_session:debug')
    jar = Jar(server)
    assert jar.request('PUT', '/session', JSON, '{"role":"admin"}').status == 204
    server.expect('SS0113')
    assert jar.request('GET', '/file.txt').status == 200
    record, = (path for path in server.dir.glob('sessions/*/*') if len(path.name) == 30)
    record.unlink()
    assert jar.request('GET', '/file.txt').status == 403
    server.expect('it is empty (the client\'s cookie: expired-idle, no store has its session any more)')
    server.allow('AH01630', 'SS0203')


def test_where_sessions_are_read_only_it_decides(places):
    assert status(places, '/read-only/a.txt', native({'user': 'alice'})) == 200
    assert status(places, '/read-only/a.txt', None) == 403


def test_an_error_document_answers_who_is_denied(places):
    response = places.request('GET', '/error/a.txt')
    assert (response.status, response.text, response.set_cookies()) == (403, 'log in', [])
    assert places.request('GET', '/error-local/a.txt').status == 403
    places.allow('AH01630')


def test_a_redirect_is_answered_before_it(places):
    """Nothing is decided there, so nothing is marked."""
    response = places.request('GET', '/error/moved')
    assert (response.status, response.get('Cache-Control'), response.set_cookies()) == (302, None, [])


@pytest.mark.parametrize('lines', ['Require signed-session', 'Require signed-session-age 10min', 'AuthType signed-session\nRequire valid-user'],
                         ids=['a key', 'its age', 'a user'])
def test_in_htaccess_without_any_secret(start, lines):
    server = start('''
        <Directory "{dir}/htdocs">
            AllowOverride AuthConfig
        </Directory>''', MODULES, {'htdocs/.htaccess': f'SignedSession On\n{lines}'}, env={'SIGNED_SESSION_SECRET': None})
    assert server.request('GET', '/file.txt', cookie=ADMIN).status == 500
    server.expect('SS0101')


def test_without_any_secret_a_server_that_requires_sessions_does_not_start():
    rc, _, text = failed_start('''
        <Location "/members">
            SignedSession On
            Require signed-session user
        </Location>''', env={'SIGNED_SESSION_SECRET': None})
    assert rc != 0 and 'SS0101' in text


def test_over_every_protocol(start, protocol):
    server = start('''
        SignedSession On
        <Location "/">
            Require signed-session role admin
        </Location>''', http2=True)
    assert server.request('GET', '/file.txt', cookie=ADMIN, protocol=protocol).status == 200
    assert server.request('GET', '/file.txt', protocol=protocol).status == 403
    if protocol == 'h2':  # whose clients may send each cookie in a field of its own
        assert server.h2('GET', '/file.txt', [('Cookie', 'a=b'), ('Cookie', ADMIN)]).status == 200
    server.allow('AH01630')
