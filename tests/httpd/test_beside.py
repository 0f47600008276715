# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""docs/beside.md: its configurations are served, and do what it says of them; those of mod_security by test_mod_security.py."""

import base64
import contextlib
import hashlib
import re
import socket
import time

import pytest

from backends import HttpBackend, http_answer
from client import Http2Exchange, Request, read_head
from common import DAY, basic, password_file
from cookies import Native, native
from harness import Server, cgi_module
from pages import here, printed

pytestmark = pytest.mark.once

ALICE, BOB = native({'user': 'alice'}), native({'user': 'bob'})
DENIED = ('AH01617', 'AH01618', 'AH01629', 'AH01630')
UPGRADE = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
           'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='}


def due():
    """The cookie of a session that is to be renewed."""
    then = int(time.time()) - 5 * DAY
    return 'session=' + Native({'user': 'carol'}, renewed=then, created=then).seal()


def test_every_configuration_of_the_page_is_started_here():
    assert {heading: len(found) for heading, found in printed('beside').items()} == {
        'WebSockets': 1, 'WebDAV': 1, 'mod_cache': 1, 'mod_security': 2}


# --- WebSockets ----------------------------------------------------------------------------------


def forwarded(head):
    found = re.search(r'^X-Session: (.*?)\r?$', head, re.M)
    return found[1] if found else 'nobody'


def chat(head):
    key = re.search(r'^Sec-WebSocket-Key: (.*?)\r?$', head, re.M)[1]
    accept = base64.b64encode(hashlib.sha1(f'{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11'.encode()).digest()).decode()
    return (f'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n'
            f'X-Seen: {forwarded(head)}\r\nX-Session-Update: {{"n":1}}\r\n\r\n').encode()


class ChatBackend(HttpBackend):
    """Says everything again."""

    def answer(self, stream):
        head = b''.join(iter(stream.readline, b'\r\n')).decode('latin-1')
        stream.write(chat(head))
        stream.flush()
        while line := stream.readline():
            stream.write(line)
            stream.flush()


WS_FURTHER = '''
    <Location "/chat">
        SignedSessionUpdate X-Session-Update
        SignedSessionLoginPage "/login"
    </Location>
    SignedSessionRevocation file:{dir}/revoked/log
    <Location "/logout">
        SignedSessionClear On
    </Location>
'''


@pytest.fixture(scope='module', params=['http', 'ws'])
def sockets(request):
    with ChatBackend({}) as backend:
        conf = here(printed('beside')['WebSockets'][0], {'127.0.0.1:8000': f'127.0.0.1:{backend.port}'})
        if request.param == 'ws':
            conf = here(conf, {'"http://': '"ws://', ' upgrade=websocket': ''})
        with Server(conf + WS_FURTHER, 'alias proxy proxy_http proxy_wstunnel authn_core authz_user',
                    {'htdocs/logout': 'x', 'revoked/': ''}) as one:
            yield one


def test_the_application_learns_the_session_at_the_upgrade(sockets):
    sockets.expect('SS0301')
    response = sockets.request('GET', '/chat', UPGRADE, cookie=ALICE, upgrade=True)
    assert (response.status, response.get('X-Seen'), response.set_cookies()) == (101, '{"user":"alice"}', [])


def test_strangers_open_no_socket(sockets):
    headers = {**UPGRADE, 'X-Session': '{"user":"eve"}', 'Sec-Fetch-Mode': 'websocket', 'Sec-Fetch-Site': 'same-origin'}
    assert sockets.request('GET', '/chat', headers, upgrade=True).status == 401


def test_a_socket_renews_nothing(sockets):
    sockets.allow('SS0301')
    response = sockets.request('GET', '/chat', UPGRADE, cookie=due(), upgrade=True)
    assert (response.status, response.set_cookies()) == (101, [])
    assert sockets.request('GET', '/file.txt', cookie=due()).set_cookies()


@pytest.mark.parametrize('headers, status', [
    ({'Origin': 'https://evil.example'}, 403), ({'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'}, 403),
    ({'Origin': 'https://blog.example.com', 'Sec-Fetch-Site': 'same-site'}, 403), ({'Origin': 'null'}, 403),
    ({'Sec-Fetch-Site': 'same-origin'}, 101), ({}, 101)])
def test_no_other_site_opens_a_socket(sockets, headers, status):
    sockets.allow('SS0209', 'SS0301')
    assert sockets.request('GET', '/chat', {**UPGRADE, **headers}, cookie=ALICE, upgrade=True).status == status
    own = {'Origin': f'http://127.0.0.1:{sockets.port}'}
    assert sockets.request('GET', '/chat', {**UPGRADE, **own}, cookie=ALICE, upgrade=True).status == 101


def test_a_trusted_origin_does():
    with ChatBackend({}) as backend:
        conf = here(printed('beside')['WebSockets'][0], {'127.0.0.1:8000': f'127.0.0.1:{backend.port}'})
        with Server(conf + 'SignedSessionTrustedOrigin https://app.example.com', 'proxy proxy_http authn_core authz_user') as server:
            headers = {**UPGRADE, 'Origin': 'https://app.example.com', 'Sec-Fetch-Site': 'same-site'}
            assert server.request('GET', '/chat', headers, cookie=ALICE, upgrade=True).status == 101


def test_an_open_socket_outlives_its_session(sockets):
    sockets.allow('SS0301')
    cookie = native({'user': 'alice'})
    lines = [f'{name}: {value}' for name, value in {**UPGRADE, 'Host': 'x', 'Cookie': cookie}.items()]
    with socket.create_connection(('127.0.0.1', sockets.port), 20) as connection:
        connection.sendall('\r\n'.join(['GET /chat HTTP/1.1', *lines, '', '']).encode())
        assert b' 101 ' in read_head(connection)
        assert sockets.request('GET', '/logout', cookie=cookie).cookie() == ''
        connection.sendall(b'are you there?\n')
        assert connection.recv(100) == b'are you there?\n'
    assert sockets.request('GET', '/chat', UPGRADE, cookie=cookie, upgrade=True).status == 401


class Http2Socket(Http2Exchange):
    """Asks for a WebSocket on an HTTP/2 connection, RFC 8441, and goes when it has its answer."""

    def __init__(self, connection, headers):
        super().__init__(connection, Request('CONNECT', '/chat', list(headers.items()), b''))

    def header_block(self):
        method, *rest = super().header_block()
        return [method, (':protocol', 'websocket'), *[field for field in rest if field[0] != 'content-length']]

    def handle(self, event):
        super().handle(event)
        self.ended = self.ended or self.response.status is not None


@pytest.mark.parametrize('headers, status', [
    ({'cookie': ALICE}, 200), ({}, 401), ({'cookie': ALICE, 'origin': 'https://evil.example'}, 403)])
def test_a_socket_over_http2(start, headers, status):
    with ChatBackend({}) as backend:
        conf = here(printed('beside')['WebSockets'][0], {'127.0.0.1:8000': f'127.0.0.1:{backend.port}'})
        update = '<Location "/chat">\nSignedSessionUpdate X-Session-Update\n</Location>\n'
        server = start(f'H2WebSockets On\n{conf}{update}', 'proxy proxy_http authn_core authz_user', http2=True)
        server.expect(*{200: ['SS0301'], 403: ['SS0209']}.get(status, []))
        with socket.create_connection(('127.0.0.1', server.port), 20) as connection:
            response = Http2Socket(connection, {'sec-websocket-version': '13', **headers}).run()
        assert (response.status, response.set_cookies()) == (status, [])
        assert response.get('X-Seen') == ('{"user":"alice"}' if status == 200 else None)


# --- WebDAV --------------------------------------------------------------------------------------


@contextlib.contextmanager
def dav(also='', before=''):
    conf = here(printed('beside')['WebDAV'][0], {'/var/lib/apache2/': '{dir}/', '/srv/': '{dir}/', '/etc/apache2/': '{dir}/',
                                                 '<RequireAny>': f'<RequireAny>\n{also}'})
    more = '<Location "/dav/session">\nSetHandler signed-session\n</Location>\nCustomLog "{dir}/access" "%q %u %{user}^SS"\n'
    files = {'users': password_file('carol'), 'dav/': ''}
    with Server(before + conf + more, f'alias dav dav_fs headers authn_core authn_file auth_basic authz_user {cgi_module()}', files) as server:
        server.allow(*DENIED)
        yield server


@pytest.fixture(scope='module')
def files():
    with dav() as one:
        yield one


def test_a_browser_and_a_program_write_files(files):
    for name, how in {'browser': {'cookie': ALICE}, 'program': {'headers': basic('carol')}}.items():
        assert files.request('PUT', f'/dav/{name}.txt', body='hello', **how).status == 201
        assert files.request('PROPFIND', f'/dav/{name}.txt', **how).status == 207
        assert files.request('GET', f'/dav/{name}.txt', **how).text == 'hello'
        assert files.request('MOVE', f'/dav/{name}.txt', **{**how, 'headers': {
            **how.get('headers', {}), 'Destination': files.url(f'/dav/{name}.old')}}).status == 201
        assert files.request('DELETE', f'/dav/{name}.old', **how).status == 204


def test_what_is_uploaded_is_not_run():
    """Whatever httpd runs elsewhere by the name of a file."""
    with dav(before='Options +ExecCGI\n<FilesMatch "[.]cgi$">\nSetHandler cgi-script\n</FilesMatch>\n') as server:
        text = '#!/bin/sh\necho\necho run\n'
        assert server.request('PUT', '/dav/a.cgi', body=text, cookie=ALICE).status == 201
        answer = server.request('GET', '/dav/a.cgi', cookie=ALICE)
        assert (answer.text, answer.get('Content-Security-Policy')) == (text, 'sandbox')


def test_whose_session_let_him_in_is_in_the_access_log(files):
    files.request('GET', '/dav/?session', cookie=ALICE)
    files.request('GET', '/dav/?basic', headers=basic('carol'))
    log = files.dir / 'access'
    deadline = time.monotonic() + 3
    while 'basic' not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert {'?session - alice', '?basic carol -'} <= set(log.read_text().splitlines())


def test_who_has_neither_is_asked_for_a_password(files):
    for method in ('GET', 'PUT', 'PROPFIND', 'OPTIONS'):
        files.allow(*DENIED)
        refused = files.request(method, '/dav/', body='x' if method == 'PUT' else None)
        assert (refused.status, refused.get('WWW-Authenticate')) == (401, 'Basic realm="files"'), method


@pytest.mark.parametrize('method', ['PUT', 'DELETE', 'MOVE', 'COPY', 'MKCOL', 'PROPFIND', 'PROPPATCH', 'LOCK', 'POST'])
@pytest.mark.parametrize('how', [{'Sec-Fetch-Site': 'cross-site'}, {'Origin': 'https://evil.example'}], ids=['site', 'origin'])
def test_another_site_does_nothing(files, how, method):
    files.allow('SS0209')
    assert files.request(method, '/dav/a.txt', how, cookie=ALICE).status == 403
    assert files.request(method, '/dav/a.txt', {**how, **basic('carol')}).status == 403


def test_questions_before_the_password():
    with dav('Require method OPTIONS\n') as server:
        response = server.request('OPTIONS', '/dav/')
        assert response.status == 200 and response.get('DAV') and 'PROPFIND' in response.get('Allow')
        assert server.request('PROPFIND', '/dav/').status == 401


def test_open_to_read_closed_to_write():
    with dav('Require method GET HEAD OPTIONS PROPFIND\n') as server:
        assert server.request('PUT', '/dav/a.txt', body='hello', cookie=ALICE).status == 201
        assert [server.request(method, '/dav/a.txt').status for method in ('GET', 'HEAD', 'OPTIONS', 'PROPFIND')] == [200, 200, 200, 207]
        for method in ('PUT', 'DELETE', 'MOVE', 'COPY', 'MKCOL', 'PROPPATCH', 'LOCK', 'POST'):
            assert server.request(method, '/dav/a.txt', body='x').status == 401, method


def test_an_endpoint_below_dav(files):
    assert files.request('GET', '/dav/session', cookie=ALICE).json() == {'user': 'alice'}


# --- mod_cache -----------------------------------------------------------------------------------

CACHE_FURTHER = '''
    CacheHeader On
    <Location "/app/">
        ProxyPass http://127.0.0.1:{backend}/ disablereuse=On
        SignedSessionForward X-Session
        SignedSessionUpdate X-Session-Update
    </Location>
    <Location "/members">
        Header set Cache-Control "public, max-age=3600"
    </Location>
    <Location "/pictures">
        Header set Cache-Control "public, max-age=3600"
    </Location>
    <Location "/session">
        SetHandler signed-session
    </Location>
    SignedSessionRevocation file:{dir}/revoked/log
    <Location "/logout">
        SignedSessionClear On
    </Location>
'''
PAGES = {
    'me': lambda head: http_answer('200 OK', 'Cache-Control: public, max-age=600', body=forwarded(head).encode()),
    'update': http_answer('200 OK', 'Cache-Control: public, max-age=600', 'X-Session-Update: {"n":1}'),
    'basket': http_answer('200 OK', 'Cache-Control: max-age=600', 'Set-Cookie: basket=1'),
}
CACHED = {'cache/': '', 'revoked/': '', **{f'htdocs/{name}/a.txt': name for name in ('static', 'members', 'pictures')},
          'htdocs/logout': 'bye'}


@contextlib.contextmanager
def caching(changes=None):
    conf = here(printed('beside')['mod_cache'][0], {'/var/cache/apache2/mod_cache_disk': '{dir}/cache', **(changes or {})})
    with HttpBackend(PAGES) as backend, Server(conf + CACHE_FURTHER, 'alias headers cache cache_disk proxy proxy_http', CACHED,
                                               backend=backend.port) as server:
        server.allow(*DENIED)
        yield server


@pytest.fixture
def cache():
    with caching() as one:
        yield one


def hits(server, path, *cookies):
    return ['HIT' in (server.request('GET', path, cookie=cookie).get('X-Cache') or '') for cookie in cookies]


def test_what_is_the_same_for_everybody_is_stored_once(cache):
    assert hits(cache, '/static/a.txt', ALICE, BOB, None, due()) == [False, True, True, True]
    for cookie in (ALICE, due()):
        response = cache.request('GET', '/static/a.txt', cookie=cookie)
        assert (response.get('Vary'), response.set_cookies()) == (None, [])


def test_elsewhere_each_visitor_has_a_copy_or_none(cache):
    assert hits(cache, '/pictures/a.txt', ALICE, BOB, ALICE, None, due(), due()) == [False, False, True, False, False, False]
    response = cache.request('GET', '/pictures/a.txt', cookie=due())
    assert response.set_cookies() and 'private' in response.get('Cache-Control')


@pytest.mark.parametrize('path, mark', [('/members/a.txt', 'private'), ('/app/update', 'private'), ('/session', 'no-store')])
def test_what_is_marked_is_not_stored(cache, path, mark):
    assert mark in cache.request('GET', path, cookie=ALICE).get('Cache-Control')
    assert hits(cache, path, ALICE, ALICE, BOB) == [False] * 3


def test_a_page_is_its_visitors(cache):
    for _ in range(2):
        for cookie, want in ((ALICE, '{"user":"alice"}'), (BOB, '{"user":"bob"}'), (None, 'nobody')):
            response = cache.request('GET', '/app/me', cookie=cookie)
            assert response.text == want and 'Cookie' in response.get('Vary')
    assert hits(cache, '/app/me', ALICE, BOB, None) == [True] * 3


def test_the_quick_handler_knows_no_section():
    with caching({'CacheQuickHandler Off': 'CacheQuickHandler On'}) as server:
        assert hits(server, '/static/a.txt', None, ALICE) == [False, True]
        assert server.request('GET', '/static/a.txt', cookie=ALICE).get('Vary') == 'Cookie'
        server.request('GET', '/pictures/a.txt')
        assert hits(server, '/members/a.txt', ALICE, ALICE) == [False, False]
        assert server.request('GET', '/members/a.txt').status == 403


def test_who_was_logged_out_is_not_asked_where_private_pages_are_stored():
    """And not without that line."""
    cookie = native({'user': 'alice'})
    for more, status in (('\nCacheStorePrivate On', 200), ('', 403)):
        with caching({'CacheQuickHandler Off': f'CacheQuickHandler On{more}'}) as server:
            assert server.request('GET', '/members/a.txt', cookie=cookie).status == 200
            assert server.request('GET', '/logout', cookie=cookie).cookie() == ''
            assert server.request('GET', '/members/a.txt', cookie=cookie).status == status


def test_an_endpoint_is_stored_where_no_store_does_not_count():
    more = '\nCacheStoreNoStore On\nCacheIgnoreNoLastMod On\nCacheDefaultExpire 600'
    with caching({'CacheQuickHandler Off': f'CacheQuickHandler Off{more}'}) as server:
        assert hits(server, '/session', ALICE, ALICE) == [False, True]


@pytest.mark.parametrize('line, replayed', [('CacheIgnoreHeaders Set-Cookie', []), ('', ['basket=1'])], ids=['with', 'without'])
def test_other_cookies(line, replayed):
    with caching({'CacheIgnoreHeaders Set-Cookie': line}) as server:
        assert server.request('GET', '/app/basket').get_all('Set-Cookie') == ['basket=1']
        again = server.request('GET', '/app/basket')
        assert 'HIT' in again.get('X-Cache') and again.get_all('Set-Cookie') == replayed
