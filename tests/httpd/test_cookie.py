# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The cookie on the wire: what is accepted from a client, and what Set-Cookie says."""

import os
import time

import pytest

import harness
from common import ENDPOINT, JSON, state
from cookies import REFERENCE, Native, native, opened
from harness import SECRET, Server

OTHER_SECRET = 'another secret, of somebody else: 0123456789'


@pytest.fixture(scope='module')
def server():
    with Server(ENDPOINT, log_level='signed_session:debug') as one:
        yield one


def session(server, cookie):
    response = server.request('GET', '/session', cookie=cookie)
    assert response.status == 200
    return response.json()


# --- what a client may send --------------------------------------------------------------------


def test_a_cookie_made_by_another_implementation_opens(server):
    assert session(server, native({'user': 'Zoë', 'n': 1})) == {'user': 'Zoë', 'n': 1}


def test_ours_opens_in_another_implementation(server):
    response = server.request('PUT', '/session/user', JSON, '"Zo\\u00eb"')
    cookie = opened(response)
    assert cookie.data == {'user': 'Zoë'}
    assert (cookie.version, cookie.flags, cookie.counter) == (1, REFERENCE if harness.store else 0, 1)
    assert abs(cookie.renewed - time.time()) < 5 and cookie.created == cookie.renewed


REFUSED = [
    ('no cookie', None, 'none'),
    ('another cookie', 'sessions=x; xsession=y', 'none'),
    ('empty', 'session=', 'malformed'),
    ('bare JSON', 'session={"user":"admin"}', 'malformed'),
    ('unsigned base64', 'session=eyJ1c2VyIjoiYWRtaW4ifQ', 'malformed'),
    ('mod_session, unsigned', 'session=user=admin&role=root', 'malformed'),
    ('a Starlette cookie', 'session=e30=.aVW5AA.0_L7kz0SJKplkTZREEbpJjrjUXc', 'malformed'),
    ('half quoted', 'session="%s' % Native({'a': 1}).seal(), 'malformed'),
    ('padded', native({'a': 1}) + '==', 'malformed'),
    ('another version', native({'a': 1}, version=2), 'malformed'),
    ('unknown flags', native({'a': 1}, flags=2), 'malformed'),
    ('an array', native([1]), 'malformed'),
    ('no JSON', native(b'{"a":1'), 'malformed'),
    ('not UTF-8', native(b'{"a":"\xff"}'), 'malformed'),
    ('4096 bytes and one', 'session=' + 'A' * 4090, 'too-large'),
    ("somebody else's secret", 'session=' + Native({'a': 1}).seal(OTHER_SECRET), 'unknown-key'),
    ('another cookie name', 'session=' + Native({'a': 1}).seal(name='other'), 'unknown-key'),
    ('another audience', 'session=' + Native({'a': 1}).seal(audience='shop'), 'unknown-key'),
    ('a percent-encoded name', '%73ession=' + Native({'a': 1}).seal(), 'none'),
    ('another case', 'Session=' + Native({'a': 1}).seal(), 'none'),
]


@pytest.mark.parametrize('what, cookie, want', REFUSED, ids=[row[0] for row in REFUSED])
def test_a_refused_cookie_is_an_empty_session_and_its_state_says_why(server, what, cookie, want):
    assert state(server, cookie) == want
    response = server.request('GET', '/session', cookie=cookie)
    assert (response.status, response.json(), response.set_cookies()) == (200, {}, [])


def test_quotes_around_a_value_do_not_belong_to_it(server):
    assert session(server, 'x=1; session="%s"; y="2"' % Native({'a': 1}).seal()) == {'a': 1}


@pytest.mark.parametrize('newest_first', [True, False])
def test_of_several_cookies_the_newest_wins(server, newest_first):
    """A change of Path or Domain leaves the browser with the old cookie, too."""
    cookies = [native({'a': 'new'}), native({'a': 'old'}, renewed=int(time.time()) - 5)]
    header = '; '.join(cookies if newest_first else reversed(cookies))
    assert session(server, header) == {'a': 'new'}
    assert server.request('GET', '/session?meta', cookie=header).json()['cookies'] == 2


def test_a_right_key_id_with_another_secret_is_a_bad_signature(server):
    key_id = Native.open(Native({'a': 1}).seal()).key_id
    forged = Native({'role': 'admin'}, key_id=key_id).seal(OTHER_SECRET)
    assert state(server, f'session={forged}') == 'bad-signature'


def test_every_tampered_cookie_gets_the_same_answer(server):
    value = Native({'role': 'user'}).seal()
    answers = set()
    for i in range(len(value)):
        for other in 'AzZ_9-':
            if other != value[i]:
                tampered = value[:i] + other + value[i + 1:]
                response = server.request('GET', '/session', cookie=f'session={tampered}')
                headers = [pair for pair in response.headers if pair[0] != 'Date']
                answers.add((response.status, tuple(headers), response.body))
    assert len(answers) == 1 and list(answers)[0][2] == b'{}\n'


def test_any_bytes_are_answered(server):
    pid = server.request('GET', '/session').status
    headers = [b'=', b';;;;', b'   ', b'session', b'session=;session=', b'=session=', b'session==', b';session',
               b'session=\xff\xfe\x80', b'session=' + os.urandom(200).translate(None, bytes(range(32)) + b'\x7f'),
               b'\xff' * 300, b'a=b;' * 1500, b'session=%00%0a', b'session=.' * 20, b'session=..']
    good = Native({'a': 1}).seal().encode()
    headers += [b'session=' + good[:length] for length in range(0, len(good), 7)]
    for header in headers:
        answer = server.raw(b'GET /session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: ' + header + b'\r\n\r\n')
        assert (answer.status, answer.body) == (200, b'{}\n'), header
    assert pid == 200


def test_control_characters_are_refused_by_httpd_itself(server):
    answer = server.raw(b'GET /session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: session=\x01\r\n\r\n')
    assert answer.status == 400 and not answer.set_cookies()


# --- several cookies ---------------------------------------------------------------------------


def test_of_several_cookies_the_first_valid_one_wins(server):
    first, second = native({'n': 1}), native({'n': 2})
    assert session(server, f'{first}; {second}') == {'n': 1}
    assert session(server, f'session=bad; {second}; {first}') == {'n': 2}
    assert session(server, 'session=b; ' * 3 + first) == {'n': 1}
    assert session(server, 'session=b; ' * 4 + first) == {}


def test_when_none_is_valid_the_state_is_the_first_ones(server):
    unknown = 'session=' + Native({'a': 1}).seal(OTHER_SECRET)
    assert state(server, f'{unknown}; session=bad') == 'unknown-key'
    assert state(server, f'session=bad; {unknown}') == 'malformed'


def test_only_a_semicolon_separates_cookies(server):
    """With a comma, the value of another cookie could smuggle a session in."""
    assert state(server, 'x=1,' + native({'a': 1})) == 'none'
    assert state(server, native({'a': 1}) + ',x=1') == 'malformed'
    assert session(server, 'x=1;' + native({'a': 1}) + ';y=2') == {'a': 1}
    assert session(server, 'x=1;\t ' + native({'a': 1}) + ' \t; y=2') == {'a': 1}


def test_a_refused_cookie_is_logged_at_debug_level_without_its_value(server):
    before = server.error_log()
    value = Native({'a': 1}).seal(OTHER_SECRET)
    server.request('GET', '/session', cookie=f'session={value}')
    log = server.error_log()[len(before):]
    assert 'SS0203' in log and 'unknown-key' in log and '[debug]' in log
    assert value[:20] not in log


# --- Set-Cookie --------------------------------------------------------------------------------

ATTRIBUTES = [
    ('session', 'Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax'),
    ('session Path=/app Domain=app.example SameSite=strict',
     'Path=/app; Domain=app.example; Max-Age=1209600; HttpOnly; SameSite=Strict'),
    ('session HttpOnly=off secure SameSite=None Partitioned priority=high',
     'Path=/; Max-Age=1209600; Secure; SameSite=None; Partitioned; Priority=High'),
    ('__Host-session Secure=on', 'Path=/; Max-Age=1209600; HttpOnly; Secure; SameSite=Lax'),
]


@pytest.mark.parametrize('words, want', ATTRIBUTES, ids=[row[0] for row in ATTRIBUTES])
def test_set_cookie_carries_the_attributes(start, words, want):
    server = start(f'SignedSessionCookie {words}' + ENDPOINT)
    name = words.split()[0]
    response = server.request('PUT', '/session/a', JSON, '1')
    line, = response.set_cookies(name)
    value, _, attributes = line.partition('; ')
    assert attributes == want
    assert Native.open(value.partition('=')[2], name=name).data == {'a': 1}

    line, = server.request('DELETE', '/session', cookie=value).set_cookies(name)
    deletion = want.replace('Max-Age=1209600', 'Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT')
    assert line == f'{name}=; {deletion}'


@pytest.mark.parametrize('server_name, headers, secure', [
    ('http://site.example', {}, False),
    ('https://site.example', {}, True),
    ('http://site.example', {'X-Forwarded-Proto': 'https'}, False)])
def test_secure_auto_follows_the_scheme_of_the_server(start, server_name, headers, secure):
    server = start(f'ServerName {server_name}' + ENDPOINT)
    line, = server.request('PUT', '/session/a', {**JSON, **headers}, '1').set_cookies()
    assert ('; Secure' in line) == secure


def test_without_persistence_the_cookie_ends_with_the_browser(start):
    server = start('SignedSessionPersistent Off' + ENDPOINT)
    line, = server.request('PUT', '/session/a', JSON, '1').set_cookies()
    assert 'Max-Age' not in line and 'Expires' not in line
    assert state(server, native({'a': 1}, renewed=int(time.time()) - 15 * 86400)) == 'expired-idle'


def test_names_audiences_and_secrets_separate_virtual_hosts(start):
    server = start(ENDPOINT + '''
        <VirtualHost *:{port}>
            ServerName main.example
        </VirtualHost>
        <VirtualHost *:{port}>
            ServerName shop.example
            SignedSessionAudience shop
        </VirtualHost>
        <VirtualHost *:{port}>
            ServerName other.example
            SignedSessionSecret env:OTHER
        </VirtualHost>
        <VirtualHost *:{port}>
            ServerName name.example
            SignedSessionCookie sid
        </VirtualHost>''', env={'OTHER': OTHER_SECRET})
    made = {'main.example': ('session', SECRET, ''), 'shop.example': ('session', SECRET, 'shop'),
            'other.example': ('session', OTHER_SECRET, ''), 'name.example': ('sid', SECRET, '')}
    for host, (name, secret, audience) in made.items():
        cookie = f'{name}={Native({"at": host}).seal(secret, name, audience)}'
        for other in made:
            answer = server.request('GET', '/session', {'Host': other}, cookie=cookie).json()
            assert answer == ({'at': host} if other == host else {}), (host, other)


def test_session_ids_have_no_structure(server):
    ids = [opened(server.request('PUT', '/session/a', JSON, '1')).id for _ in range(200)]
    assert len(set(ids)) == 200
    for position in range(16):
        assert len({one[position] for one in ids}) > 60


# --- rotation ----------------------------------------------------------------------------------


def test_an_old_secret_opens_and_the_new_one_seals(start):
    server = start('SignedSessionSecret env:NEW env:SIGNED_SESSION_SECRET' + ENDPOINT, env={'NEW': OTHER_SECRET})
    old = native({'a': 1})
    meta = server.request('GET', '/session?meta', cookie=old).json()
    assert (meta['state'], meta['key']) == ('valid', 1)
    assert not server.request('GET', '/session', cookie=old).set_cookies()
    response = server.request('PUT', '/session/b', JSON, '2', cookie=old)
    new = Native.open(response.cookie(), OTHER_SECRET)
    assert new.data == {'a': 1, 'b': 2}
    meta = server.request('GET', '/session?meta', cookie=f'session={response.cookie()}').json()
    assert (meta['state'], meta['key']) == ('valid', 0)


def test_numbers_and_spelling_that_nobody_touched_stay(server):
    text = b'{ "big": 123456789012345678901234567890, "f": 1.50, "u": "\\u00e9\\/", "o": {"x": [1, 2]} }'
    response = server.request('PUT', '/session/new', JSON, 'true', cookie=native(text))
    document = opened(response).text
    for piece in (b'123456789012345678901234567890', b'1.50', b'"\\u00e9\\/"', b'"new":true'):
        assert piece in document
