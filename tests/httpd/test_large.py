# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Sessions that only a store can hold: their limits, every way in and out, and what is left in the store."""

import json

import pytest

from backends import HttpBackend, http_answer
from common import ECHO_CGI, ENV_CGI, FORM, JSON, PATCH
from cookies import Native, Record
from harness import Jar, Server, cgi_module
from ports import free_port

KB = 1024
CONF = '''
    SignedSessionStore {store}
    {more}
    LogFormat "%{{:state}}^SS %{{user}}^SS" sizes
    CustomLog "{dir}/access.log" sizes
    <IfModule cgid_module>
        ScriptSock {dir}/cgisock
    </IfModule>
    ScriptAlias "/cgi/" "{dir}/cgi/"
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <Location "/cgi">
        SignedSessionEnv On
        SignedSessionUpdate X-Session-Update
    </Location>
    <Location "/rules">
        SignedSessionSet rule 1
    </Location>
    <Location "/shown">
        Require expr "%{session:big} =~ /^b+$/ && %{session:small} == 's'"
    </Location>
    <Location "/lua">
        SetHandler lua-script
    </Location>
    <Location "/api">
        SetHandler ss-api
    </Location>
    <Location "/ssi">
        Options +Includes
        SetOutputFilter INCLUDES
        SignedSessionEnv On
    </Location>
    <Location "/all">
        ProxyPass "http://127.0.0.1:{backend}/"
        SignedSessionForward X-Session
    </Location>
    <Location "/named">
        ProxyPass "http://127.0.0.1:{backend}/"
        SignedSessionForward X-Session user small
    </Location>
    <Location "/absent">
        ProxyPass "http://127.0.0.1:{backend}/"
        SignedSessionForward X-Session none
    </Location>
    <Location "/text">
        ProxyPass "http://127.0.0.1:{backend}/"
        SignedSessionForwardText X-Big big
    </Location>
'''.replace('{{', '{').replace('}}', '}')
LUA = '''
function handle(r)
    r.content_type = "text/plain"
    r:puts(#r.notes["session"] .. " " .. #r.notes["session:big"])
    r.notes["session-update"] = '{"lua": 1}'
    return apache2.OK
end
'''
FILES = {'cgi/env': ENV_CGI, 'cgi/echo': ECHO_CGI, 'htdocs/lua/big.lua': LUA, 'htdocs/rules/page': 'a page', 'htdocs/shown/page': 'a page',
         'htdocs/ssi/page.shtml': '<!--#echo var="SESSION_user" --> <!--#echo var="SESSION_small" -->'}
MODULES = f'alias lua include proxy proxy_http ss_api {cgi_module()}'


def echo(head):
    return http_answer('200 OK', body=head.encode('latin-1'))


@pytest.fixture(scope='module')
def backend():
    with HttpBackend({'echo': echo}) as running:
        yield running


def serve(backend, more='', store='file'):
    return Server(CONF, store=store, more=more, modules=MODULES, files=FILES, backend=backend.port)


@pytest.fixture(scope='module')
def server(backend):
    with serve(backend) as running:
        running.expect('SS0113')  # they may write what is required, in these tests
        yield running


@pytest.fixture(scope='module')
def megabyte(backend):
    with serve(backend, 'SignedSessionStoreMaxSize 1M') as running:
        running.expect('SS0113')
        yield running


def patch(jar, change):
    return jar.request('PATCH', '/session', PATCH, json.dumps(change))


def grow(jar, size):
    """Until its JSON text has so many bytes, by pieces that are accepted."""
    piece = 15 * KB
    number = 0
    length = jar.request('GET', '/session?meta').json().get('bytes_used', len('{}'))
    while length < size:
        overhead = len(f',"p{number}":""') - (length == 2)
        value = 'x' * min(piece, size - length - overhead)
        assert patch(jar, {f'p{number}': value}).status == 200
        length += overhead + len(value)
        number += 1
    assert length == size
    return jar


def large(server):
    """With a key of 15 000 bytes and one that is small, 40 000 in all."""
    jar = Jar(server)
    assert patch(jar, {'user': 'alice', 'small': 's', 'big': 'b' * 15000}).status == 200
    assert patch(jar, {'other': 'o' * 15000}).status == 200
    assert patch(jar, {'third': 't' * 9900}).status == 200
    return jar


def size_of(jar):
    return len(jar.request('GET', '/session').text.rstrip('\n'))


# --- limits --------------------------------------------------------------------------------------

BEYOND = [('PATCH', '/session', PATCH, '{"more":1}'), ('POST', '/session', JSON, '{"more":1}'), ('POST', '/session', FORM, 'more=1'),
          ('PUT', '/session/more', JSON, '1')]


def assert_is_the_limit(jar, limit):
    """Not one byte more, by any way; and down again."""
    assert size_of(jar) == limit
    meta = jar.request('GET', '/session?meta').json()
    assert (meta['store'], meta['bytes_used'], meta['bytes_left']) == ('file', limit, 0)
    before = jar.request('GET', '/session').text
    for method, path, headers, body in BEYOND:
        response = jar.request(method, path, headers, body)
        assert response.status == 413 and not response.set_cookies()
        assert f'limit of {limit}' in response.json()['detail'], response.text
    response = jar.request('GET', '/rules/page')
    assert response.status == 200 and not response.set_cookies()
    jar.server.allow('SS0310')
    jar.server.expect('SS0406')
    response = jar.request('GET', '/cgi/echo?X-Session-Update:{%22more%22:1}')
    assert response.status == 200 and not response.set_cookies()
    assert jar.request('GET', '/session').text == before
    assert jar.request('DELETE', '/session/p0').status == 204
    assert patch(jar, {'more': 1}).status == 200


def test_64_kilobytes_are_the_limit(server):
    server.allow('SS0420')
    assert_is_the_limit(grow(Jar(server), 64 * KB), 64 * KB)


def test_a_megabyte_is_the_most(megabyte):
    megabyte.allow('SS0420')
    assert_is_the_limit(grow(Jar(megabyte), 1024 * KB), 1024 * KB)


def test_names_are_counted(server):
    """At most 256 top-level keys, however they come."""
    jar = Jar(server)
    assert patch(jar, {f'a{i}': i for i in range(200)}).status == 200
    assert patch(jar, {f'b{i}': i for i in range(56)}).status == 200
    for method, path, headers, body in BEYOND:
        response = jar.request(method, path, headers, body)
        assert response.status == 413 and '256' in response.json()['detail']
    response = jar.request('GET', '/rules/page')
    assert response.status == 200 and not response.set_cookies()
    server.expect('SS0406')
    server.allow('SS0310')
    assert len(jar.request('GET', '/session').json()) == 256
    assert patch(jar, {'a0': None, 'more': 1}).status == 200


def test_bodies_are_as_small_as_ever(server):
    jar = Jar(server)
    assert patch(jar, {'a': 'x' * 16 * KB}).status == 413
    assert 'session' not in jar.cookies


# --- out -----------------------------------------------------------------------------------------


def variables(text):
    return dict(line.split('=', 1) for line in text.splitlines() if '=' in line)


def test_a_script_gets_the_keys_that_fit(backend):
    with serve(backend) as server:
        jar = large(server)
        for _ in range(2):
            env = variables(jar.request('GET', '/cgi/env').text)
            assert 'SESSION' not in env and env['SIGNED_SESSION_STATE'] == 'valid'
            assert (env['SESSION_user'], env['SESSION_small'], len(env['SESSION_big'])) == ('alice', 's', 15000)
        server.expect('SS0113', 'SS0420')
        assert server.error_log().count('SS0420') == 1  # a minute


def test_a_variable_has_16000_bytes(server):
    """Escapes make a text grow on its way, so a value of the session may be larger than a body."""
    jar = Jar(server)
    server.allow('SS0420')
    text = '{"a":"' + 'x' * 15992 + '"}'
    assert len(text) == 16000
    for more, is_there in (('', True), ('x', False)):
        patch(jar, {'a': 'x' * 15992 + more})
        env = variables(jar.request('GET', '/cgi/env').text)
        assert ('SESSION' in env) == is_there and len(env['SESSION_a']) == 15992 + len(more)


def test_what_does_not_fit_a_header_is_an_error(server):
    jar = large(server)
    for path in ('/all/echo', '/text/echo'):
        response = jar.request('GET', path)
        assert response.status == 500 and not response.set_cookies()
    server.expect('SS0419: the header X-Session would have', 'SS0419: the header X-Big would have')
    seen = jar.request('GET', '/named/echo')
    assert seen.status == 200 and 'X-Session: {"user":"alice","small":"s"}' in seen.text
    seen = jar.request('GET', '/absent/echo', {'X-Session': 'forged'})
    assert seen.status == 200 and 'X-Session' not in seen.text


@pytest.mark.parametrize('size, status', [(8000, 200), (8001, 500)])
def test_a_header_has_8000_bytes(server, size, status):
    jar = Jar(server)
    assert patch(jar, {'a': 'x' * (size - len('{"a":""}'))}).status == 200
    assert jar.request('GET', '/all/echo').status == status
    server.allow('SS0419')


def test_every_way_out(server):
    jar = large(server)
    server.allow('SS0420')
    size = size_of(jar)
    assert size > 39000
    assert jar.request('GET', '/lua/big.lua').text == f'{size} 15000'
    assert jar.request('GET', '/session').json()['lua'] == 1
    assert jar.request('GET', '/session/big').json() == 'b' * 15000
    assert jar.request('GET', '/api', {'X-Calls': 'get\tbig'}).text == 'ok ' + 'b' * 15000 + '\n'
    assert jar.request('GET', '/shown/page').status == 200
    assert jar.request('GET', '/ssi/page.shtml').text == 'alice s'
    assert (server.dir / 'access.log').read_text().splitlines()[-1] == 'valid alice'


@pytest.mark.parametrize('calls', ['set_json\tmore\t"m"', 'patch\t{"more":"m"}'])
def test_a_module_changes_it(server, calls):
    jar = large(server)
    response = jar.request('GET', '/api', {'X-Calls': calls})
    assert response.text == 'ok\n' or response.text == 'ok \n', response.text
    session = jar.request('GET', '/session').json()
    assert session['more'] == 'm' and len(session['big']) == 15000


def test_a_login_takes_none_of_it_along(backend):
    with serve(backend, '<Location "/rules">\nSignedSessionClear Before small\n</Location>') as server:
        server.expect('SS0113')
        jar = large(server)
        first = Native.open(jar.session)
        assert jar.request('GET', '/rules/page').status == 200
        assert jar.request('GET', '/session').json() == {'small': 's', 'rule': '1'}
        assert Native.open(jar.session).id != first.id
        assert Record.find(first.id).is_closed
        assert live_records(records(server)) == {Native.open(jar.session).id}


# --- what modules for mod_session keep ------------------------------------------------------------

ENTRIES = '''
    SignedSessionStore file cookie
    SignedSessionEncrypt On
    SignedSessionReveal On
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <Location "/modules">
        SetHandler ss-entries
        SignedSessionModules On
    </Location>
'''


def test_entries_of_modules(start):
    server = start(ENTRIES, 'ss_entries')
    server.expect('SS0415')
    jar = grow(Jar(server), 30 * KB)
    meta = jar.request('GET', '/session?meta').json()
    calls = '|'.join(f'set\tentry-{i}\t{"e" * 900}' for i in range(5))
    assert jar.request('GET', '/modules', {'X-Calls': calls}).status == 200
    listed = jar.request('GET', '/modules', {'X-Calls': 'list'}).text
    assert listed.count('e' * 900) == 5
    assert 'entry-' not in jar.request('GET', '/session').text and size_of(jar) == 30 * KB
    assert jar.request('GET', '/session?meta').json()['bytes_left'] < meta['bytes_left'] - 4500
    assert b'entry-' in Native.open(jar.session).text
    paths = [path for path in (server.dir / 'sessions').rglob('*') if path.is_file()]
    assert not any(b'entry-' in path.read_bytes() for path in paths)


# --- what is left in the store --------------------------------------------------------------------

TWICE = '''
    SignedSessionStore {store}
    SignedSession On
    ErrorDocument 500 /rules/sorry
    ErrorDocument 404 /rules/sorry
    ErrorDocument 416 /rules/sorry
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <LocationMatch "^/rules">
        SignedSessionSet rule "%{REQUEST_STATUS}"
    </LocationMatch>
    <LocationMatch "^/login">
        SignedSessionClear Before cart
        SignedSessionSet user alice
    </LocationMatch>
    <LocationMatch "^/before">
        SignedSessionClear Before
    </LocationMatch>
    <LocationMatch "^/(rules|login|before)-test/">
        SetHandler ss-testing
        SignedSessionUpdate X-Update
    </LocationMatch>
    <Location "/dead">
        ProxyPass "http://127.0.0.1:{nobody}/"
        SignedSessionSet dead "%{REQUEST_STATUS}"
    </Location>
    <Location "/broken">
        ProxyPass "http://127.0.0.1:{backend}/"
        SignedSessionUpdate X-Update
        SignedSessionSet broken "%{REQUEST_STATUS}"
    </Location>
'''
BROKEN = {
    'nothing': b'', 'cut': b'HTTP/1.1 200 OK\r\nX-Update: {"n":1}\r\nX-Cut', 'garbage': b'what?\r\n\r\n',
    'short': b'HTTP/1.1 200 OK\r\nX-Update: {"n":1}\r\nContent-Length: 100\r\n\r\nshort',
    'chunk': b'HTTP/1.1 200 OK\r\nX-Update: {"n":1}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
}
# What is answered twice, or not at all.
ODD = ['/rules/page', '/rules/missing', '/login/page', '/login/missing', '/dead/', *(f'/broken/{name}' for name in BROKEN),
       *(f'{place}-test/{case}' for place in ('/rules', '/login', '/before') for case in (
           'ok', 'error-bucket/500', 'error-bucket/404', 'error-bucket/403', 'bad-header', 'eoc', 'write-return/500',
           'write-return/404', 'flush-return/500', 'big-return/404', 'return/401', 'return/304', 'redirect/rules/page', 'subrequests', 'stream', 'assbackwards'))]
# HTTP/2 has the header of these, and then gives the whole answer up: as if it was lost on its way.
LOST = ['/broken/short', '/rules-test/bad-header', '/login-test/bad-header', '/before-test/bad-header']
NOISE = ['AH00', 'AH01', 'AH02', 'SS0301', 'SS0302', 'AH10', 'ap_', 'Premature', 'SS0310']


@pytest.fixture(scope='module')
def twice():
    files = {'htdocs/rules/page': 'a page', 'htdocs/rules/sorry': 'sorry', 'htdocs/login/page': 'a page'}
    with HttpBackend(BROKEN) as backend, Server(
            TWICE, 'proxy proxy_http ss_testing', files=files, store='file', backend=backend.port, nobody=free_port(), http2=True) as running:
        yield running


def records(server):
    """Their ids."""
    return {bytes.fromhex(path.parent.name + path.name) for path in (server.dir / 'sessions').glob('??/*')
            if not path.name.startswith('.')}


def live_records(ids):
    """Those that are not closed."""
    return {id for id in ids if not Record.find(id).is_closed}


@pytest.mark.parametrize('path', ODD)
def test_nothing_is_left_that_no_cookie_leads_to(twice, path, protocol):
    """Whatever becomes of a response: the records that came are those of the cookies that came, also where there was a
    session before, which has one and the same record then."""
    twice.allow(*NOISE)
    changes = {'X-Change': '{"n":1}', 'X-Change-Late': '{"late":1}', 'X-Change-Header': '{"n":2}'}
    for headers in (changes, {**changes, 'Range': 'bytes=99999-'}):
        before = records(twice)
        jar = Jar(twice)
        for _ in range(2):
            response = jar.request('GET', path, headers, protocol=protocol)
            led_to = {Native.open(jar.session).id} if jar.session else set()
            left = live_records(records(twice) - before)
            if response.status is None and path in LOST:
                assert len(left) == 1
                break
            assert left == led_to


@pytest.mark.parametrize('status', [401, 403])
@pytest.mark.parametrize('place', ['/login-test', '/before-test'])
def test_a_refusal_ends_nothing(twice, place, status):
    """Whatever its response would have been, had no filter refused it."""
    jar, copy = Jar(twice), Jar(twice)
    assert jar.request('PUT', '/session/cart', JSON, '1').status == 201
    copy.cookies = dict(jar.cookies)
    assert jar.request('GET', f'{place}/error-bucket/{status}').status == status
    assert jar.request('GET', '/session').json() == copy.request('GET', '/session').json() == {'cart': 1}
