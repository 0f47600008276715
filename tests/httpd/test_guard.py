# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionGuard: no other site changes anything in an application that has no tokens of its own."""

import pytest

from backends import HttpBackend, http_answer
from harness import Server, cgi_module

MODULES = f'alias allowmethods auth_basic authn_core authn_file authz_user dir proxy proxy_http rewrite {cgi_module()}'
CONF = '''
    ScriptAlias /cgi/ "{dir}/cgi/"
    ProxyPass /app/ http://127.0.0.1:{backend}/ disablereuse=On
    <LocationMatch "^/(app|cgi|basic|any)/">
        SignedSessionGuard On
        SignedSessionTrustedOrigin https://shop.test
    </LocationMatch>
    <Location "/app/open/">
        SignedSessionGuard Off
    </Location>
    <Location "/basic/">
        AuthType Basic
        AuthName "members"
        AuthUserFile "{dir}/users"
        Require valid-user
    </Location>
    <Directory "{dir}/htdocs/any">
        AllowOverride All
    </Directory>
    RewriteEngine On
    RewriteRule "^/unguarded$" "/cgi/method" [PT]
    ErrorDocument 403 /cgi/method
'''
SCRIPT = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\nmethod=$REQUEST_METHOD"\n'
FILES = {'cgi/method': SCRIPT, 'cgi/redirect': '#!/bin/sh\nprintf "Location: /cgi/method\\n\\n"\n', 'users': '',
         'htdocs/basic/page.txt': 'x', 'htdocs/any/.htaccess': 'DirectoryIndex /cgi/method\n', 'htdocs/error': 'x'}
SITES = {
    # who asks: its headers, and whether it may change something
    'its own page': ({'Sec-Fetch-Site': 'same-origin'}, True),
    'the address bar': ({'Sec-Fetch-Site': 'none'}, True),
    'another site': ({'Sec-Fetch-Site': 'cross-site'}, False),
    'a neighbour': ({'Sec-Fetch-Site': 'same-site', 'Origin': 'http://other.test'}, False),
    'a trusted page': ({'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://shop.test'}, True),
    'a trusted page in an old browser': ({'Origin': 'https://shop.test'}, True),
    'another site in an old browser': ({'Origin': 'https://evil.test'}, False),
    'a page without an origin': ({'Origin': 'null'}, False),
    'its own page in an old browser': ({'Origin': 'http://127.0.0.1:{port}'}, True),
    'another port': ({'Origin': 'http://127.0.0.1:8080'}, False),
    'no browser': ({}, True),
}


@pytest.fixture(scope='module')
def server():
    with HttpBackend({'app': http_answer('200 OK', body=b'method=any'),
                      'open/app': http_answer('200 OK', body=b'method=any')}) as backend, Server(
            CONF, MODULES, files=FILES, http2=True,
            backend=backend.port) as one:
        yield one


def headers_of(server, who):
    return {name: value.replace('{port}', str(server.port)) for name, value in SITES[who][0].items()}


@pytest.mark.parametrize('who', SITES)
@pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'MADEUP'])
def test_another_site_changes_nothing(server, method, who, protocol):
    headers, allowed = headers_of(server, who), SITES[who][1]
    response = server.request(method, '/app/app', headers, b'', protocol=protocol)
    assert response.status == (200 if allowed else 403)
    if not allowed:
        server.expect('SS0209')


ADD = 'add this origin to SignedSessionTrustedOrigin if it should pass'
NONE = 'it names no origin, and nothing else can be trusted'


@pytest.mark.parametrize('headers, told', [
    ({'Sec-Fetch-Site': 'cross-site'}, f'(Sec-Fetch-Site: cross-site, Origin: not sent): {NONE}'),
    ({'Sec-Fetch-Site': 'same-site', 'Origin': 'http://other.test'}, f'(Sec-Fetch-Site: same-site, Origin: http://other.test): {ADD}'),
    ({'Origin': 'https://evil.test'}, f'(Sec-Fetch-Site: not sent, Origin: https://evil.test): {ADD}'),
    ({'Sec-Fetch-Site': 'cross-site', 'Origin': 'null'}, f'(Sec-Fetch-Site: cross-site, Origin: null): {NONE}')])
def test_the_log_says_what_the_browser_said(server, headers, told):
    """An origin can be added only where there is one."""
    server.request('POST', '/app/app', headers, b'')
    server.expect(f'SS0209: a POST request that another site has caused was refused {told}')


@pytest.mark.parametrize('who', SITES)
@pytest.mark.parametrize('method', ['GET', 'HEAD', 'OPTIONS'])
def test_everybody_may_read(server, method, who, protocol):
    assert server.request(method, '/app/app', headers_of(server, who), protocol=protocol).status == 200


@pytest.mark.parametrize('upgrade', ['websocket', 'WebSocket', 'h3, websocket', 'websocket/13'])
def test_a_websocket_of_another_site_does_not_begin(server, upgrade):
    """It begins with a GET, and browsers ask nobody whether they may."""
    request = ('GET /app/app HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: {}\r\n'
               'Sec-WebSocket-Version: 13\r\nOrigin: {}\r\n\r\n')
    for origin, status in (('https://evil.test', 403), ('http://127.0.0.1', 200), ('https://shop.test', 200)):
        assert server.raw(request.format(upgrade, origin).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n').encode()
                          ).status == status, origin
    server.expect('SS0209')


def test_nobody_is_asked_for_a_password_before(server):
    response = server.request('POST', '/basic/page.txt', SITES['another site'][0], b'')
    assert (response.status, response.get('WWW-Authenticate')) == (403, None)
    assert server.request('POST', '/basic/page.txt', SITES['its own page'][0], b'').status == 401
    server.expect('SS0209')


@pytest.mark.parametrize('path', ['/unguarded', '/any/'])
def test_it_holds_behind_an_internal_redirect(server, path):
    assert server.request('POST', path, SITES['another site'][0], b'').status == 403
    assert server.request('POST', path, SITES['its own page'][0], b'').text == 'method=POST'
    server.expect('SS0209')


def test_an_error_document_in_a_guarded_place_is_read(server):
    """httpd makes a GET of it."""
    response = server.request('POST', '/cgi/method', SITES['another site'][0], b'')
    assert response.status == 403
    server.expect('SS0209')


def test_an_inner_place_is_not_guarded(server):
    assert server.request('POST', '/app/open/app', SITES['another site'][0], b'').status == 200


def test_it_holds_whatever_satisfies(start):
    """The old way to let everybody in who comes from here."""
    server = start('''
        <Location "/">
            SignedSessionGuard On
            Satisfy Any
            Order deny,allow
            Allow from all
        </Location>''', 'access_compat')
    assert server.request('POST', '/file.txt', SITES['another site'][0], b'').status == 403
    assert server.request('GET', '/file.txt', SITES['another site'][0]).status == 200
    server.expect('SS0209')


def test_it_needs_no_secret(start):
    server = start('SignedSessionGuard On', env={'SIGNED_SESSION_SECRET': None})
    assert server.request('POST', '/', SITES['another site'][0], b'').status == 403
    server.expect('SS0209')
