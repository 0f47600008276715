# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Nobody is logged in: the way to the login page."""

import re
from urllib.parse import parse_qs

import pytest

from common import NAVIGATE
from cookies import native
from harness import Server
from login_pages import ALICE, MEMBERS, MODULES, ask

BROWSER = {'Accept': 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'}

CONF = f'''
SignedSession On
ErrorDocument 410 /members/file.txt
{MEMBERS}''' + '''
<Location "/members/alone">
    SignedSessionLoginPage Off
</Location>
<Location "/members/other">
    SignedSessionLoginPage /login?lang=de&x=%20 next
</Location>
<Location "/members/far">
    SignedSessionLoginPage https://login.example.com/in
</Location>
<Location "/members/bob">
    Require user bob
</Location>
<Location "/members/fresh">
    Require signed-session-age 10min
    AuthMerging And
</Location>
<Location "/members/headers">
    Header set Cache-Control "public, max-age=60"
    Header always set Cache-Control "public, max-age=60"
</Location>
<Location "/self">
    AuthType signed-session
    Require valid-user
    SignedSessionLoginPage /self/in
</Location>
<Location "/self/dir">
    SignedSessionLoginPage /self/dir
</Location>
<Location "/one">
    AuthType signed-session
    Require valid-user
    SignedSessionLoginPage /two
</Location>
<Location "/two">
    AuthType signed-session
    Require valid-user
    SignedSessionLoginPage /one
</Location>
<Directory "{dir}/htdocs/index">
    DirectoryIndex guarded.html
    <Files guarded.html>
        AuthType signed-session
        Require valid-user
        SignedSessionLoginPage /login
    </Files>
</Directory>
<Directory "{dir}/htdocs/listing">
    Options +Indexes
    <Files secret.txt>
        AuthType signed-session
        Require valid-user
        SignedSessionLoginPage /login
    </Files>
</Directory>
<Directory "{dir}/htdocs/exists">
    RewriteEngine On
    RewriteCond /members/file.txt -U
    RewriteRule ^ - [G]
</Directory>
<Location "/gone">
    Redirect 410
</Location>
<Location "/login">
    SignedSession On
</Location>
'''
FILES = {
    **{f'htdocs/{page}/file.txt': 'x' for page in ('members', 'members/bob', 'members/fresh', 'members/headers', 'self', 'listing', 'exists')},
    'htdocs/self/dir/index.html': 'x', 'htdocs/login': 'a form', 'htdocs/index/guarded.html': 'guarded',
}


@pytest.fixture(scope='module')
def server():
    with Server(CONF, f'{MODULES} autoindex', FILES, http2=True) as one:
        yield one


def is_challenged(response, realm='members'):
    return (response.status == 401 and response.get_all('WWW-Authenticate') == [f'Session realm="{realm}"']
            and response.get('Location') is None and response.get('Cache-Control') == 'no-store')


@pytest.mark.parametrize('path, back', [
    ('/members/file.txt', '/members/file.txt'), ('/members/a%20b?c=d&e=%2F+f', '/members/a%20b?c=d&e=%2F+f'),
    ('/members/~x-._', '/members/~x-._'), ('/members/', '/members/'), ('/members/?', '/members/?')])
@pytest.mark.parametrize('headers', [NAVIGATE, BROWSER, {'Sec-Fetch-Mode': 'navigate'}, {'Accept': 'Text/HTML;level=1'}],
                         ids=['navigates', 'accepts', 'mode', 'case'])
def test_a_page_leads_to_the_login_page(server, path, back, headers, protocol):
    response = ask(server, path, headers, protocol=protocol)
    assert (response.status, response.get('Cache-Control'), response.get('WWW-Authenticate')) == (303, 'no-store', None)
    page, _, query = response.get('Location').partition('?')
    assert (page, parse_qs(query)) == ('/login', {'return': [back]})
    assert re.fullmatch(r'[\w.~/%-]+', query.partition('=')[2])
    assert ask(server, path, headers, method='HEAD').status == 303


@pytest.mark.parametrize('method, headers', [
    ('GET', {}), ('GET', {'Accept': '*/*'}), ('GET', {'Accept': 'image/png, text/html5'}), ('GET', {'Accept': 'application/json'}),
    ('GET', {'Sec-Fetch-Mode': 'cors', 'Accept': 'text/html'}), ('GET', {'Sec-Fetch-Mode': 'no-cors'}),
    ('GET', {'Sec-Fetch-Mode': 'websocket'}), ('POST', NAVIGATE), ('PUT', BROWSER), ('DELETE', NAVIGATE), ('OPTIONS', NAVIGATE),
    ('PROPFIND', NAVIGATE)])
def test_everything_else_is_challenged(server, method, headers, protocol):
    assert is_challenged(ask(server, '/members/file.txt', headers, method=method, protocol=protocol))


def test_the_page_may_be_another_one_or_none(server):
    assert is_challenged(ask(server, '/members/alone', NAVIGATE))
    assert ask(server, '/members/other', NAVIGATE).get('Location') == '/login?lang=de&x=%20&next=/members/other'
    assert ask(server, '/members/far?a=b', {**NAVIGATE, 'Host': 'evil.example', 'X-Forwarded-Host': 'evil.example'}).get(
        'Location') == 'https://login.example.com/in?return=http%3A//127.0.0.1%3A' + f'{server.port}/members/far%3Fa%3Db'


def test_an_absolute_url_is_asked_for_by_its_path(server):
    response = server.raw(b'GET http://evil.example/members/file.txt?a HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\n\r\n')
    assert response.get('Location') == '/login?return=/members/file.txt%3Fa'


@pytest.mark.parametrize('path', ['//members/file.txt', '/x/../members/file.txt', '/members/?' + 'a' * 2039, '/members/a\\b'])
def test_what_is_not_safe_or_too_long_is_left_out(server, path):
    response = ask(server, path, NAVIGATE)
    assert (response.status, response.get('Location')) == (303, '/login')


def test_two_kilobytes_are_not_too_long(server):
    path = '/members/?' + 'a' * (2048 - len('/members/?'))
    assert ask(server, path, NAVIGATE).get('Location') == f'/login?return={path}'.replace('/?', '/%3F')


def test_who_is_logged_in_is_never_sent_there(server):
    assert ask(server, '/members/bob/file.txt', NAVIGATE, ALICE).status == 403
    assert ask(server, '/members/file.txt', NAVIGATE, ALICE).status == 200


def test_an_old_login_is_asked_for_again(server):
    old = native({'user': 'alice'}, created=1700000000)
    response = ask(server, '/members/fresh/file.txt', NAVIGATE, old)
    assert (response.status, response.get('Location')) == (303, '/login?return=/members/fresh/file.txt')
    assert response.get('WWW-Authenticate') is None and 'no-store' in response.get('Cache-Control')
    assert ask(server, '/members/fresh/file.txt', {}, old).status == 401
    assert ask(server, '/members/fresh/file.txt', NAVIGATE, ALICE).status == 200


def test_no_header_of_the_configuration_lets_it_be_stored(server):
    for headers in (NAVIGATE, {}):
        assert 'no-store' in ask(server, '/members/headers/file.txt', headers).get('Cache-Control')


def test_a_login_page_that_is_guarded_itself(server, protocol):
    first = ask(server, '/self/file.txt', NAVIGATE, protocol=protocol)
    assert first.get('Location') == '/self/in?return=/self/file.txt'
    for path in (first.get('Location'), '/self/in', '/self/in/', '/self/%69n'):
        server.expect('SS0212: nobody is logged in, and SignedSessionLoginPage /self/in cannot be shown: it is guarded itself; '
                      'let everybody see it: "AuthType None" and "Require all granted"')
        assert is_challenged(ask(server, path, NAVIGATE, protocol=protocol), 'session')
    server.expect('SS0212')
    assert is_challenged(ask(server, '/self/dir/?return=x', NAVIGATE), 'session')


def test_two_login_pages_that_guard_each_other(server):
    first = ask(server, '/one/page', NAVIGATE)
    assert first.get('Location') == '/two?return=/one/page'
    server.expect('SS0212: nobody is logged in, and SignedSessionLoginPage /one cannot be shown: the login page /two')
    assert is_challenged(ask(server, first.get('Location'), NAVIGATE), 'session')


def test_an_error_document_is_not_sent_there(server):
    response = ask(server, '/gone/file', NAVIGATE)
    assert (response.status, response.get('Location'), response.get('WWW-Authenticate')) == (410, None, None)


def test_subrequests(server):
    """mod_dir passes a redirect on; for others a page that leads somewhere else would be one that is there."""
    index = ask(server, '/index/', NAVIGATE)
    assert (index.status, index.get('Location'), index.get('Cache-Control')) == (303, '/login?return=/index/', 'no-store')
    script = ask(server, '/index/', {})
    assert (script.status, script.get('Cache-Control'), script.get('WWW-Authenticate')) == (401, 'no-store', 'Session realm="session"')
    listing = ask(server, '/listing/', NAVIGATE)
    assert 'secret.txt' not in listing.text and listing.get('Cache-Control') is None
    assert ask(server, '/exists/file.txt', NAVIGATE).status == 200
    assert ask(server, '/exists/file.txt', NAVIGATE, ALICE).status == 410


@pytest.mark.parametrize('page, looped', [
    ('https://other.test/in', True), ('https://here.test/in', True), ('https://here.test:8443/in', False),
    ('https://here.test/elsewhere', False), ('https://far.test/in', False)])
def test_a_login_page_by_another_name_of_this_host(start, page, looped):
    """TLS ends before this server; the page that is asked for is guarded, too."""
    server = start(f'''
        <VirtualHost 127.0.0.1:{{port}}>
            ServerName https://here.test:443
            ServerAlias other.test
            SignedSession On
            <Location "/">
                AuthType signed-session
                Require valid-user
                SignedSessionLoginPage {page}
            </Location>
        </VirtualHost>''', 'authn_core authz_user')
    response = server.request('GET', '/in', {'Host': 'here.test', 'Sec-Fetch-Mode': 'navigate'})
    assert response.status == (401 if looped else 303)
    if looped:
        server.expect('SS0212')


def test_a_login_page_by_another_scheme_is_another_page(start):
    server = start('''
        ServerName http://here.test
        SignedSession On
        <Location "/">
            AuthType signed-session
            Require valid-user
            SignedSessionLoginPage https://here.test/in
        </Location>''', 'authn_core authz_user')
    response = server.request('GET', '/in', {'Host': 'here.test', 'Sec-Fetch-Mode': 'navigate'})
    assert (response.status, response.get('Location').partition('?')[0]) == (303, 'https://here.test/in')
