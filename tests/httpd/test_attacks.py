# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Attacks that worked elsewhere, tried here. docs/attacks.md lists them all, with the tests of other files."""

import base64
import hashlib
import hmac
import json
import pickle
import random
import string
import time
from pathlib import Path

import pytest

import harness
from backends import HttpBackend, http_answer
from client import exchange_pipelined
from common import ENDPOINT, JSON, state
from cookies import Native, native, opened
from harness import SECRET, Server
from test_directives import DIRECTIVES
from test_formats import FORMATS, cookie_of

# A virtual host for each format.
EVERY_FORMAT = ENDPOINT + ''.join(f'''
    <VirtualHost *:{{port}}>
        ServerName {name}.example
        SignedSessionFormat {name}
    </VirtualHost>''' for name in FORMATS)


@pytest.fixture(scope='module')
def server():
    with Server('LimitRequestFieldSize 131072\nMaxKeepAliveRequests 0' + EVERY_FORMAT) as one:
        yield one


def children(server):
    """Process numbers of httpd's children."""
    pid = server.process.pid
    return set(Path(f'/proc/{pid}/task/{pid}/children').read_text().split())


def session(server, cookie, host='native.example'):
    return server.request('GET', '/session', {'Host': host}, cookie=cookie).json()


# --- bytes from clients ------------------------------------------------------------------------------


def odd_headers():
    """Nothing here is a session, whichever the format."""
    yield from (b'', b'=', b';', b'&', b'=&', b'&=', b' ', b'\t')
    yield from (b'session', b'session=', b'session==', b'=session=', b'session=expiry=1&=', b'session=;session=',
                b'session=&=&=', b'session=%00', b'session=%', b'session="')
    yield from (mark * count for mark in (b';', b'=', b'; ', b'session=;', b'\xff') for count in (3, 100, 5000))
    yield from (b'session=' + bytes([byte]) * 9 for byte in range(0x80, 0x100))
    yield from (b'session=' + mark * (64 * 1024 // len(mark)) for mark in (b'A', b'.', b':', b'=', b'\xff', b' x'))
    yield from (b'session' + separator + b'AQAA' for separator in (b' =', b'=\t', b':', b';', b',', b'\xa0='))


@pytest.mark.parametrize('name', FORMATS)
def test_whatever_a_client_sends_as_cookies_leaves_every_child_alive(server, name):
    before = children(server)
    good = cookie_of(name, {'user': 'alice', 'n': [1, {'deep': None}]}).encode()
    headers = [*odd_headers(), *(good[:length] for length in range(len(good)))]
    requests = [b'GET /session HTTP/1.1\r\nHost: %s.example\r\nCookie: %s\r\n\r\n' % (name.encode(), header)
                for header in headers]
    for header, answer in zip(headers, exchange_pipelined(server.port, requests)):
        assert (answer.status, answer.body) == (200, b'{}\n'), header
    for header in (b'session=\x00', b'\x00', good + b'\x00', good[:20] + b'\x00' + good[20:]):
        answer = server.raw(b'GET / HTTP/1.1\r\nHost: %s.example\r\nCookie: %s\r\n\r\n' % (name.encode(), header))
        assert answer.status == 400, header
    assert session(server, good.decode(), f'{name}.example')['user'] == 'alice'
    assert before <= children(server)


@pytest.mark.parametrize('name', FORMATS)
def test_only_the_formats_that_are_listed_open(server, name):
    user = {'user': 'alice'}
    text = json.dumps(user)
    foreign = {other: cookie_of(other, user) for other in FORMATS if other != name}
    unsigned = ['session=' + value for value in (
        text, base64.b64encode(text.encode()).decode(), base64.urlsafe_b64encode(text.encode()).decode().rstrip('='),
        'user=alice', '%7B%22user%22%3A%22alice%22%7D')]
    # without its signature, with and without the separator in front of it
    unsigned += [cookie_of(name, user).split(';')[0][:-length] for length in (27, 28, 43, 44)]
    for cookie in [*foreign.values(), *unsigned]:
        assert session(server, cookie, f'{name}.example') == {}, cookie
    assert session(server, cookie_of(name, user), f'{name}.example') == user


SERIALIZED = {
    'pickle': pickle.dumps({'user': 'alice'}),
    'Marshal': b'\x04\x08{\x06:\x09userI"\x0aalice\x06:\x06ET',
    'PHP': b'a:1:{s:4:"user";s:5:"alice";}',
    'ETF': b'\x83t\x00\x00\x00\x01d\x00\x04userm\x00\x00\x00\x05alice',
    'Java': b'\xac\xed\x00\x05sr\x00\x11java.util.HashMap',
    'Storable': b'pst0\x05\x0b\x03\x00\x00\x00\x01',
    'YAML': b'!!python/object/apply:os.system ["true"]',
}


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b'=').decode()


def mac(key, text, algorithm):
    return base64url(hmac.new(key, text.encode(), algorithm).digest())


def signature(name, text):
    """Of what stands in front of it in the cookie."""
    secret = SECRET.encode()
    if name == 'starlette':
        return mac(hashlib.sha1(b'itsdangerous.Signer' + b'signer' + secret).digest(), text, 'sha1')
    if name == 'flask':
        return mac(hmac.new(secret, b'cookie-session', 'sha1').digest(), text, 'sha1')
    if name == 'django':
        salt = b'django.contrib.sessions.backends.signed_cookies'
        return mac(hashlib.sha256(salt + b'signer' + secret).digest(), text, 'sha256')
    return mac(secret, text, 'sha1')


def sealed(name, payload):
    """The payload as a cookie of this format that is signed as it should be."""
    now = int(time.time())
    if name == 'native':
        return native(payload)
    if name == 'express':
        text = f'session={base64.b64encode(payload).decode()}'
        return f'{text}; session.sig={signature(name, text)}'
    if name == 'django':
        text, separator = f'{base64url(payload)}:{base62(now)}', ':'
    else:
        encoded = base64.b64encode(payload).decode() if name == 'starlette' else base64url(payload)
        text, separator = f'{encoded}.{base64url(now.to_bytes(4, "big"))}', '.'
    return f'session={text}{separator}{signature(name, text)}'


def base62(number):
    digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    return (base62(number // 62) if number >= 62 else '') + digits[number % 62]


@pytest.mark.parametrize('name', FORMATS)
def test_serialized_objects_of_languages_are_never_decoded(server, name):
    before = children(server)
    assert session(server, sealed(name, b'{"user":"alice"}'), f'{name}.example') == {'user': 'alice'}
    for kind, payload in SERIALIZED.items():
        assert state(server, sealed(name, payload), f'{name}.example') == 'malformed', kind
    assert before <= children(server)


@pytest.mark.parametrize('name', ['starlette', 'flask', 'django'])
def test_a_right_signature_does_not_excuse_a_wrong_shape(server, name):
    good = sealed(name, b'{}').partition('=')[2]
    separator = good[-28] if name != 'django' else good[-44]
    payload, stamp, _ = good.rsplit(separator, 2)
    for text in (f'{payload}=={separator}{stamp}', f'!{separator}{stamp}', f'{payload}{separator}{stamp}=',
                 f'{separator}{stamp}', f'.{payload}{separator}{stamp}'):
        cookie = f'session={text}{separator}{signature(name, text)}'
        assert state(server, cookie, f'{name}.example') == 'malformed', text


def test_an_encoded_name_forges_no_prefix(start):
    server = start('SignedSessionCookie __Host-session Secure=on' + ENDPOINT)
    value = Native({'user': 'alice'}).seal(name='__Host-session')
    for name in ('%5F%5FHost-session', '_%5fHost-session', '__Host%2Dsession', '__%48ost-session', '__host-session',
                 '__HOST-SESSION', '"__Host-session"', 'Host-session', '__Host-session%00', '$__Host-session'):
        assert session(server, f'{name}={value}') == {}, name
    assert session(server, f'__Host-session={value}') == {'user': 'alice'}


# --- bytes from applications -----------------------------------------------------------------------


@pytest.mark.parametrize('name', ['native', 'starlette', 'django'])
def test_an_application_may_answer_with_a_header_of_any_size(start, name):
    """Sizes at which others overflowed, and text that grows on its way into a cookie."""
    noise = random.Random(20260101)

    def text(size, alphabet=string.ascii_letters + string.digits + "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"):
        return json.dumps({'a': ''.join(noise.choices(alphabet, k=size - len('{"a":""}')))}, separators=(',', ':'),
                          ensure_ascii=False)

    fits = [text(8), text(1000), text(2800)]
    too_large = [text(4095), text(4096), text(8 * 1024), text(16 * 1024)]
    may_fit = [text(900, [chr(code) for code in range(0x80, 0x800)]), text(1200, '\x7f\u2028\U0001f600')]
    refused = ['', '{', '{]', '%7B%22a%22:1%7D', text(16 * 1024 + 1), text(1024 * 1024)]
    is_stored = harness.store is not None and name == 'native'
    (fits if is_stored else refused).extend(too_large)
    updates = [*fits, *may_fit, *refused]
    answers = {str(i): http_answer('200 OK', 'X-Update: ' + update.encode().decode('latin-1'))
               for i, update in enumerate(updates)}
    answers['many'] = http_answer('200 OK', *(f'X-Update: {{"k{i}":1}}' for i in range(50)))
    with HttpBackend(answers) as backend:
        server = start(f"""
            SignedSession On
            SignedSessionFormat {name}
            ProxyPass / http://127.0.0.1:{{backend}}/ disablereuse=On responsefieldsize=2097152
            <Location "/">
                SignedSessionUpdate X-Update
            </Location>""", 'proxy proxy_http', backend=backend.port)
        before = children(server)
        for path in answers:
            update = '' if path == 'many' else updates[int(path)]
            response = server.request('GET', f'/{path}')
            assert (response.status, response.body) == (200, b'from the backend\n'), update[:80]
            assert response.get_all('X-Update') == [], update[:80]
            assert update in may_fit or (response.cookie() is not None) == (update in fits), update[:80]
            assert len(f'session{response.cookie()}') <= 4096
        server.expect('SS0303', *([] if is_stored else ['SS0302']))
        assert before <= children(server)


def cookie_lines(head):
    lines = [line for line in head.split('\r\n') if line.lower().startswith('cookie:')]
    return http_answer('200 OK', body=repr(lines).encode())


def test_hiding_the_cookie_copes_with_any_header(start):
    ours = native({'user': 'alice'})
    rows = [
        # what the client sends, and what arrives behind httpd; None: no such header
        (ours, None), (f'{ours}; {ours}', None), (f';;{ours};;', None), (f' {ours} ', None), ('session=', 'session='),
        (f'{ours}; a=1', 'a=1'), (f'a=1;{ours}', 'a=1'), (f'a=1; {ours}; b=2', 'a=1; b=2'),
        (f'session; {ours}', 'session'), (f'=; {ours}', '='),
        (f'"x;{ours}; y"', '"x;y"'), (f'a=1,{ours}', f'a=1,{ours}'),
        (';;;;', ';;;;'), ('=', '='), ('session', 'session'), ('no equals', 'no equals'), ('x' * 6000, 'x' * 6000),
        ('; '.join([ours] * 40), None), (';' * 5000 + ours, None), ('a;' * 1500 + ours, ';'.join(['a'] * 1500)),
    ]
    with HttpBackend({'echo': cookie_lines}) as backend:
        server = start('SignedSession On\nProxyPass / http://127.0.0.1:{backend}/ disablereuse=On', 'proxy proxy_http',
                       backend=backend.port)
        before = children(server)
        for sent, arrives in rows:
            got = server.request('GET', '/echo', cookie=sent).text
            assert got == repr([] if arrives is None else [f'Cookie: {arrives}']), sent[:80]
        assert before <= children(server)


# --- bytes from authors of .htaccess -----------------------------------------------------------------


PRIVATE = 'what only the administrator may read'
READING = '%{file:{dir}/private.txt}'


@pytest.mark.parametrize('name', DIRECTIVES)
def test_no_directive_in_htaccess_reads_a_file_by_an_expression(start, name):
    server = start('<Directory "{dir}/htdocs">\nAllowOverride All\n</Directory>',
                   files={'private.txt': PRIVATE, 'htdocs/in/file.txt': 'x'})
    first = DIRECTIVES[name].good[0].split()[0]
    for words in (f'"{READING}"', f'{first} "{READING}"', f'{first} {first} "expr={READING}"'):
        server.write('htdocs/in/.htaccess', server.filled_in(f'{name} {words}\n'))
        response = server.request('GET', '/in/file.txt')
        assert response.status == 500 and PRIVATE not in response.text, words
    server.expect(name)
    assert PRIVATE not in server.error_log()


def test_the_same_expression_in_the_configuration_does_read_it(start):
    server = start(f"""
        <Location "/file.txt">
            SignedSession On
            SignedSessionSet key "{READING}"
        </Location>""", files={'private.txt': PRIVATE})
    assert opened(server.request('GET', '/file.txt')).data == {'key': PRIVATE}


# --- the endpoints -----------------------------------------------------------------------------------


def test_methods_that_read_change_nothing(server):
    cookie = native({'user': 'alice'})
    host = {'Host': 'native.example', 'Sec-Fetch-Site': 'same-origin'}
    tries = [{'body': '{"role":"admin"}', 'headers': JSON}, {'headers': {'X-HTTP-Method-Override': 'DELETE'}},
             {'headers': {'X-HTTP-Method': 'PUT', 'X-Method-Override': 'PATCH'}}, {'path': '/session?_method=DELETE'},
             {'path': '/session?role=admin'}, {'headers': {'Session-Update': '{"role":"admin"}'}}]
    for method in ('GET', 'HEAD', 'OPTIONS'):
        for one in tries:
            response = server.request(method, one.get('path', '/session'), {**host, **one.get('headers', {})},
                                      one.get('body'), cookie=cookie)
            assert response.status in (200, 204) and response.set_cookies() == [], (method, one)
    assert server.request('DELETE', '/session', host, cookie=cookie).cookie() == ''


def test_the_cookie_is_in_no_answer_but_set_cookie(server):
    value = Native({'user': 'alice'}).seal()
    calls = [('GET', '', None), ('GET', '?meta', None), ('GET', '/user', None), ('GET', '/no', None),
             ('PUT', '/n', '1'), ('PATCH', '', '{"n":2}'), ('POST', '', '{"n":3}'), ('PUT', '', '{"n":4}'),
             ('PUT', '/n', '{'), ('DELETE', '/n', None), ('DELETE', '', None), ('OPTIONS', '', None),
             ('BREW', '', None)]
    for method, path, body in calls:
        headers = {'Host': 'native.example',
                   'Content-Type': 'application/merge-patch+json' if method == 'PATCH' else 'application/json'}
        response = server.request(method, f'/session{path}', headers, body, cookie=f'session={value}')
        new = response.cookie() or value
        rest = [pair for pair in response.headers if pair[0] != 'Set-Cookie']
        assert value not in f'{rest}{response.text}' and new not in f'{rest}{response.text}', (method, path)
        assert value[:40] not in response.text


def test_ids_of_sessions_have_no_structure(server):
    """10000 of them: no process number, no time, no bit that prefers a side."""
    count = 10000
    body = b'1'
    request = (b'PUT /session/a HTTP/1.1\r\nHost: native.example\r\nContent-Type: application/json\r\n'
               b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
    started = int(time.time())
    ids = [opened(answer).id for answer in exchange_pipelined(server.port, [request] * count)]
    assert len(set(ids)) == count and {len(one) for one in ids} == {16}
    for half in (slice(8), slice(8, 16)):
        assert len({one[half] for one in ids}) == count
    for bit in range(128):
        ones = sum(one[bit // 8] >> bit % 8 & 1 for one in ids)
        assert abs(ones - count / 2) < 6 * (count / 4) ** 0.5, bit  # six standard deviations
    known = [*(int(pid) for pid in children(server)), started, int(time.time())]
    for number in known:
        for order in ('big', 'little'):
            text = (number & 0xffff).to_bytes(2, order)
            for place in range(15):  # 0.15 of 10000 have these two bytes here by chance
                assert sum(one[place:place + 2] == text for one in ids) < 10, (number, place)


FILTERS = ['HARVEST', 'MARK', 'WRITE', 'PART', 'PRECEDE']


@pytest.mark.parametrize('mode', ['On', 'Off'])
def test_an_author_of_htaccess_may_name_any_filter(start, mode):
    """They are registered by name, and SetOutputFilter adds them without what they need."""
    server = start(f'SignedSession {mode}\n<Directory "{{dir}}/htdocs">\nAllowOverride FileInfo\n</Directory>', 'filter',
                   {f'htdocs/{name}/{kind}/.htaccess': f'{line} SIGNED_SESSION_{name}{more}\n' for name in FILTERS
                    for kind, line, more in (('set', 'SetOutputFilter', ''), ('type', 'AddOutputFilterByType', ' text/plain'))}
                   | {f'htdocs/{name}/{kind}/a.txt': 'x' for name in FILTERS for kind in ('set', 'type')}
                   | {'htdocs/in/.htaccess': 'SetInputFilter SIGNED_SESSION_TRAILERS\n', 'htdocs/in/a.txt': 'x'})
    before = server.children()
    for name in FILTERS:
        for kind in ('set', 'type'):
            assert server.request('GET', f'/{name}/{kind}/a.txt', cookie=native({'user': 'a'})).text == 'x'
    assert server.request('GET', '/in/a.txt', {'Content-Type': 'text/plain'}, b'abc').status == 200
    assert server.children() == before
