# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Beside mod_headers, which any author of .htaccess may use, and which acts on headers after most others."""

import pytest

from backends import HttpBackend, http_answer
from common import ENV_CGI
from cookies import native
from harness import Server, cgi_module

MODULES = f'alias headers rewrite proxy proxy_http {cgi_module()}'
FORGED = '"{\\"role\\":\\"admin\\"}"'


@pytest.fixture(scope='module')
def server():
    with HttpBackend({'plain': http_answer('200 OK', 'Cache-Control: public, s-maxage=60', 'Vary: Accept')}) as backend:
        conf = f'''
            SignedSession On
            <Directory "{{dir}}/htdocs">
                AllowOverride All
            </Directory>
            <Location "/update">
                SignedSessionUpdate X-A
            </Location>
            <Location "/set">
                SignedSessionSet seen yes
            </Location>
            <Location "/app/">
                SignedSessionSet seen yes
            </Location>
            ProxyPass /app/ http://127.0.0.1:{backend.port}/ disablereuse=On
            <Location "/app/always">
                Header always set Cache-Control "public, max-age=31536000"
                Header always set Vary "Accept-Encoding"
            </Location>
            <Location "/clear">
                SignedSessionClear On
                Header set Cache-Control "public, max-age=600"
            </Location>
            <Location "/private">
                Require signed-session user
            </Location>'''
        files = {
            'htdocs/update/.htaccess': f'Header set X-A {FORGED}\nHeader note X-A session-update\n',
            'htdocs/update/page.txt': 'a page',
            'htdocs/note/.htaccess': f'Header set X-B {FORGED}\nHeader note X-B session-update\n'
                                     f'Header always set X-B {FORGED}\nHeader always note X-B session-update\n',
            'htdocs/note/page.txt': 'a page',
            **{f'htdocs/{name}/.htaccess': 'Header set Cache-Control "public, max-age=31536000"\n'
                                           'Header set Vary Accept-Encoding\n' for name in ('set', 'private')},
            **{f'htdocs/{name}/style.css': 'a {}' for name in ('set', 'private', 'clear')},
        }
        with Server(conf, MODULES, files=files, http2=True, backend=backend.port) as one:
            yield one


# The second response to a request is prepared when mod_headers has had its turn.
ERRORS = [('an unsatisfiable range', {'Range': 'bytes=999-'}, 416), ('no error', {}, 200)]


@pytest.mark.parametrize('what, headers, status', ERRORS, ids=[row[0] for row in ERRORS])
@pytest.mark.parametrize('place', ['update', 'note'])
def test_what_it_sets_is_no_word_of_the_application(server, place, what, headers, status, protocol):
    """Only what the handler left counts: an author of .htaccess would make himself an administrator."""
    response = server.request('GET', f'/{place}/page.txt', headers, cookie=native({'user': 'eve'}), protocol=protocol)
    assert (response.status, response.set_cookies()) == (status, [])
    server.allow('SS0301')


def words(response, name):
    return {word.strip().lower() for line in response.get_all(name) for word in line.split(',')}


@pytest.mark.parametrize('path', ['/set/style.css', '/app/plain', '/app/always/plain', '/set/missing.css'])
def test_a_response_with_the_cookie_stays_private(server, path, protocol):
    """A shared cache that keeps it gives one session to everybody."""
    response = server.request('GET', path, protocol=protocol)
    assert response.cookie()
    assert 'private' in words(response, 'Cache-Control')
    assert not words(response, 'Cache-Control') & {'public', 's-maxage=60'}
    assert 'cookie' in words(response, 'Vary')


def test_what_it_says_besides_is_kept(server, protocol):
    response = server.request('GET', '/set/style.css', protocol=protocol)
    assert words(response, 'Cache-Control') == {'private', 'max-age=31536000'}
    assert words(response, 'Vary') == {'accept-encoding', 'cookie'}


def test_what_a_require_let_pass_stays_private(server, protocol):
    response = server.request('GET', '/private/style.css', cookie=native({'user': 'alice'}), protocol=protocol)
    assert (response.status, words(response, 'Cache-Control')) == (200, {'private', 'max-age=31536000'})


@pytest.mark.parametrize('cookie', [None, {'user': 'alice'}])
def test_a_place_that_ends_sessions_is_never_stored(server, cookie, protocol):
    """A cache would answer in its stead, and the session would live on."""
    response = server.request('GET', '/clear/style.css', cookie=cookie and native(cookie), protocol=protocol)
    assert 'no-store' in words(response, 'Cache-Control')
    assert response.set_cookies() == [] or response.cookie() == ''


def test_the_session_is_that_of_the_header_which_the_client_sent(start):
    """Not of what a page between has made of it for its own pages: those have a copy of its headers."""
    server = start('''
        SignedSession Off
        SignedSessionStripCookie off
        ScriptAlias /cgi/ "{dir}/cgi/"
        <Directory "{dir}/htdocs">
            Options +Includes
            AddOutputFilter INCLUDES .shtml
        </Directory>
        <Location "/between.shtml">
            RequestHeader unset Cookie
        </Location>
        <Location "/cgi">
            SignedSession On
            RequestHeader set X-State "expr=%{note:session-state}"
        </Location>''', f'{MODULES} include', {
            'cgi/env': ENV_CGI, 'htdocs/page.shtml': '<!--#include virtual="/between.shtml" -->',
            'htdocs/between.shtml': '<!--#include virtual="/cgi/env" -->'})
    lines = server.request('GET', '/page.shtml', cookie=native({'user': 'alice'})).text.splitlines()
    assert 'HTTP_X_STATE=valid' in lines
