# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The same requests to httpd's own mod_session and to this module.

What mod_session does is asserted too: a test that this module passes shows nothing if any module would.
"""

import subprocess
import time

import pytest

from backends import HttpBackend, http_answer
from common import ENV_CGI
from cookies import Native, native, opened
from harness import Server, cgi_module

# Logs in, with the header that its query string names.
LOGIN_CGI = '''#!/bin/sh
printf 'Content-Type: text/plain\\r\\n'
case "$QUERY_STRING" in
    stock) printf 'X-Update: user=alice&role=admin\\r\\n' ;;
    stock-big) printf 'X-Update: user=%06000d\\r\\n' 0 ;;
    stock-expiry) printf 'X-Update: user=alice&expiry=1\\r\\n' ;;
    ours) printf 'X-Update: {"user":"alice","role":"admin"}\\r\\n' ;;
    ours-big) printf 'X-Update: {"user":"%06000d"}\\r\\n' 0 ;;
    ours-expiry) printf 'X-Update: {"user":"alice","expiry":"1"}\\r\\n' ;;
esac
printf '\\r\\nlogged in\\n'
'''


def echo(head):
    return http_answer('200 OK', body=head.encode('latin-1'))


BACKEND = {
    'echo': echo,
    'stock': http_answer('200 OK', 'X-Update: user=alice&role=admin', 'Cache-Control: max-age=60'),
    'ours': http_answer('200 OK', 'X-Update: {"user":"alice","role":"admin"}', 'Cache-Control: max-age=60'),
}
MODULES = f'alias headers proxy proxy_http rewrite {cgi_module()}'
STOCK_MODULES = f'{MODULES} session session_cookie'
FILES = {'cgi/env': ENV_CGI, 'cgi/env-off': ENV_CGI, 'cgi/login': LOGIN_CGI, 'htdocs/exc/public.txt': 'x',
         'htdocs/exc/public-but-private.txt': 'x', 'htdocs/per-directory/a': 'no', 'htdocs/yes.txt': 'yes',
         'htdocs/require/a.txt': 'x', 'htdocs/header/a.txt': 'x'}

SAME = '''
    ScriptAlias /cgi/ "{dir}/cgi/"
    ProxyPass /app http://127.0.0.1:{backend}/app disablereuse=On
    <Directory "{dir}/htdocs">
        Options +FollowSymLinks
    </Directory>
'''
STOCK = SAME + r'''
    Session On
    SessionCookieName session path=/
    SessionHeader X-Update
    SessionEnv On
    LogFormat "%{mod_session_cookiesession}n" note
    CustomLog "{dir}/access.log" note
    <Location "/cgi/env-off">
        SessionEnv Off
    </Location>
    <Location "/exc">
        SessionExclude /exc/public
    </Location>
    <Location "/app/removed">
        SessionCookieRemove On
    </Location>
    <Location "/require">
        Require expr "reqenv('HTTP_SESSION') =~ /user=alice/"
    </Location>
    <Location "/header">
        Header set X-Seen "%{HTTP_SESSION}e"
    </Location>
    <Directory "{dir}/htdocs/per-directory">
        RewriteEngine On
        RewriteCond %{ENV:HTTP_SESSION} user=alice
        RewriteRule . /yes.txt
    </Directory>
'''
OURS = SAME + r'''
    SignedSession On
    SignedSessionEnv On
    LogFormat "%{session}n %{session-state}n %{session:user}n" note
    CustomLog "{dir}/access.log" note
    <LocationMatch "^/(cgi|app)/">
        SignedSessionUpdate X-Update
    </LocationMatch>
    <Location "/cgi/env-off">
        SignedSessionEnv Off
    </Location>
    <Location "/exc/public">
        SignedSession Off
    </Location>
    <Location "/app/forwarded">
        SignedSessionForward X-Session
    </Location>
    <Location "/require">
        Require expr "%{session:user} == 'alice'"
    </Location>
    <Location "/header">
        Header set X-Seen "expr=%{session:user}"
    </Location>
    <Directory "{dir}/htdocs/per-directory">
        RewriteEngine On
        RewriteCond expr "%{session:user} == 'alice'"
        RewriteRule . /yes.txt
    </Directory>
'''


@pytest.fixture(scope='module')
def backend():
    with HttpBackend(BACKEND) as one:
        yield one


@pytest.fixture(scope='module')
def stock(backend):
    with Server(STOCK, STOCK_MODULES, FILES, ours=False, backend=backend.port) as one:
        yield one


@pytest.fixture(scope='module')
def ours(backend):
    with Server(OURS, MODULES, FILES, backend=backend.port) as one:
        yield one


STOCK_ALICE = 'session=user=alice&role=admin'
ALICE = native({'user': 'alice', 'role': 'admin'})


def variable(response, name):
    """A variable in the environment of the script that answered."""
    return dict(line.split('=', 1) for line in response.text.splitlines() if '=' in line).get(name)


# --- who may write a session -------------------------------------------------------------------------


def test_a_forged_cookie(stock, ours):
    forged = 'session=user=admin&role=root'
    assert variable(stock.request('GET', '/cgi/env', cookie=forged), 'HTTP_SESSION') == 'user=admin&role=root'
    response = ours.request('GET', '/cgi/env', cookie=forged)
    assert (variable(response, 'SESSION'), variable(response, 'SIGNED_SESSION_STATE')) == ('{}', 'malformed')


def test_a_session_inside_another_cookies_value(stock, ours):
    injected = variable(stock.request('GET', '/cgi/env', cookie='other=a,session=user=evil'), 'HTTP_SESSION')
    assert injected == 'user=evil'
    response = ours.request('GET', '/cgi/env', cookie=f'other=a,{ALICE}')
    assert variable(response, 'SIGNED_SESSION_STATE') == 'none'


def test_two_cookies_of_one_name(stock, ours):
    """A neighbour on the same domain can add one: it must not push out the real one."""
    response = stock.request('GET', '/cgi/env', cookie=f'session=user=eve; {STOCK_ALICE}')
    assert variable(response, 'HTTP_SESSION') in (None, '')
    stock.expect('AH00011')
    for cookie in (f'session=user=eve; {ALICE}', f'{ALICE}; session=user=eve'):
        assert variable(ours.request('GET', '/cgi/env', cookie=cookie), 'SESSION_user') == 'alice'


@pytest.mark.parametrize('path', ['/cgi/env-off', '/cgi/env'])
def test_a_clients_header_does_not_become_the_session_variable(stock, ours, path):
    headers = {'Session': 'user=root'}
    if path == '/cgi/env-off':
        assert variable(stock.request('GET', path, headers), 'HTTP_SESSION') == 'user=root'
    response = ours.request('GET', path, headers)
    assert variable(response, 'SESSION') == ('{}' if path == '/cgi/env' else None)
    assert variable(response, 'SESSION_user') is None


def test_what_an_application_stores_under_a_name_that_mod_session_reserves(stock, ours):
    """There, "expiry" is the time when the session ends; here it is a key like any other."""
    assert stock.request('GET', '/cgi/login?stock-expiry').set_cookies() == []
    stock.expect('AH01819')
    stored = ours.request('GET', '/cgi/login?ours-expiry').cookie()
    assert Native.open(stored).data == {'user': 'alice', 'expiry': '1'}
    response = ours.request('GET', '/cgi/env', cookie=f'session={stored}')
    assert (variable(response, 'SESSION_expiry'), variable(response, 'SIGNED_SESSION_STATE')) == ('1', 'valid')


# --- proxied applications -----------------------------------------------------------------------------


def test_the_session_reaches_a_backend_and_a_clients_copy_does_not(stock, ours):
    """mod_session has no way to send it, and lets through what a client sends in its place."""
    text = stock.request('GET', '/app/echo', {'X-Update': 'user=root'}, cookie=STOCK_ALICE).text
    assert 'X-Update: user=root' in text and 'X-Session' not in text
    headers = {'X-Update': '{"user":"root"}', 'X-Session': '{"user":"root"}'}
    text = ours.request('GET', '/app/forwarded/echo', headers, cookie=ALICE).text
    assert 'X-Session: {"user":"alice","role":"admin"}' in text and 'root' not in text


def test_the_cookie_stays_with_httpd(stock, ours):
    assert STOCK_ALICE in stock.request('GET', '/app/echo', cookie=f'a=1; {STOCK_ALICE}').text
    removed = stock.request('GET', '/app/removed/echo', cookie=f'a=1; {STOCK_ALICE}').text
    assert 'Cookie: a=1' in removed and STOCK_ALICE not in removed
    text = ours.request('GET', '/app/echo', cookie=f'a=1; {ALICE}').text
    assert 'Cookie: a=1\n' in text.replace('\r', '') and ALICE not in text


def test_a_proxied_response_that_sets_a_session_is_private(stock, ours):
    response = stock.request('GET', '/app/stock')
    assert response.cookie() == 'user=alice&role=admin' and response.get('Cache-Control') == 'max-age=60'
    response = ours.request('GET', '/app/ours')
    assert opened(response).data == {'user': 'alice', 'role': 'admin'}
    assert response.get('Cache-Control') == 'private, max-age=60'


CACHED = '''
    CacheRoot "{dir}/cache"
    CacheEnable disk /
    CacheIgnoreNoLastMod On
'''


def test_a_cache_does_not_give_a_session_to_strangers(start, backend):
    def second_visitor(conf, modules, path, **more):
        server = start(conf + CACHED, f'{modules} cache cache_disk', {**FILES, 'cache/': ''},
                       backend=backend.port, **more)
        assert server.request('GET', path).cookie()
        return server.request('GET', path)

    replayed = second_visitor(STOCK, STOCK_MODULES, '/app/stock', ours=False)
    assert (replayed.get('Age') is not None, replayed.cookie()) == (True, 'user=alice&role=admin')
    own = second_visitor(OURS, MODULES, '/app/ours')
    assert own.get('Age') is None


def test_a_cache_does_not_mix_up_visitors_whose_cookie_is_hidden(start, backend):
    """Hidden before the cache looks, every visitor's cookie is the same."""
    def seen_by_bob(conf, modules, alice, bob, **more):
        server = start(conf + CACHED + 'Header set Vary Cookie\nHeader set Cache-Control max-age=60',
                       f'{modules} cache cache_disk', {**FILES, 'cache/': ''}, backend=backend.port, **more)
        server.request('GET', '/app/removed/echo', {'X-Who': 'alice'}, cookie=alice)
        return server.request('GET', '/app/removed/echo', {'X-Who': 'bob'}, cookie=bob).text

    off = 'CacheQuickHandler off\n'
    assert 'X-Who: alice' in seen_by_bob(STOCK + off, STOCK_MODULES, STOCK_ALICE, 'session=user=bob', ours=False)
    assert 'X-Who: bob' in seen_by_bob(OURS + off, MODULES, ALICE, native({'user': 'bob'}))


# --- what httpd itself sees ----------------------------------------------------------------------------


def test_authorization_by_an_expression(stock, ours):
    assert stock.request('GET', '/require/a.txt', cookie=STOCK_ALICE).status == 403
    stock.allow('AH01630')
    assert ours.request('GET', '/require/a.txt', cookie=ALICE).status == 200
    assert ours.request('GET', '/require/a.txt').status == 403
    ours.allow('AH01630')


def test_a_rewrite_condition_in_a_directory(stock, ours):
    assert stock.request('GET', '/per-directory/a', cookie=STOCK_ALICE).text == 'no'
    assert ours.request('GET', '/per-directory/a', cookie=ALICE).text == 'yes'
    assert stock.request('GET', '/header/a.txt', cookie=STOCK_ALICE).get('X-Seen') == 'user=alice&role=admin'
    assert ours.request('GET', '/header/a.txt', cookie=ALICE).get('X-Seen') == 'alice'


def test_notes_are_text(stock, ours):
    """mod_session keeps a pointer in a note: whoever prints it prints memory."""
    stock.request('GET', '/file.txt', cookie=STOCK_ALICE)
    printed = (stock.dir / 'access.log').read_bytes().splitlines()[-1]
    assert printed != b'-' and b'alice' not in printed
    ours.request('GET', '/file.txt', cookie=ALICE)
    printed = (ours.dir / 'access.log').read_text().splitlines()[-1]
    assert printed == r'{\"user\":\"alice\",\"role\":\"admin\"} valid alice'


def test_places_are_paths_and_not_the_beginnings_of_names(stock, ours):
    """Both switch sessions off at /exc/public. The other page is another one."""
    def marked(server):
        return [server.request('GET', f'/exc/{name}').get(field) is not None
                for name in ('public/', 'public-but-private.txt')]

    field = 'Cache-Control'
    assert marked(stock) == [False, False]
    field = 'Vary'
    assert marked(ours) == [False, True]


# --- when a cookie is sent ------------------------------------------------------------------------------


def test_without_a_session_nothing_is_marked_private(stock, ours):
    assert stock.request('GET', '/file.txt').get('Cache-Control') == 'no-cache, private'
    response = ours.request('GET', '/file.txt')
    assert (response.get('Cache-Control'), response.set_cookies()) == (None, [])


def test_a_timeout_does_not_send_a_cookie_with_everything(start):
    files = {'htdocs/file.txt': 'x'}
    stock = start('Session On\nSessionCookieName session path=/\nSessionMaxAge 600', 'session session_cookie', files,
                  ours=False)
    ours = start('SignedSession On\nSignedSessionIdleTimeout 600', '', files)
    alice = native({'user': 'alice', 'role': 'admin'})  # of now: none that is due to be renewed
    etag = ours.request('GET', '/file.txt').get('ETag')
    requests = [('GET', '/file.txt', {}), ('HEAD', '/file.txt', {}), ('GET', '/missing', {})]
    for method, path, headers in [*requests, ('GET', '/file.txt', {'If-None-Match': '*'})]:
        assert stock.request(method, path, headers).cookie().startswith('expiry=')
        assert ours.request(method, path, headers).set_cookies() == []
        assert ours.request(method, path, headers, cookie=alice).set_cookies() == []
    assert ours.request('GET', '/file.txt', {'If-None-Match': etag}, cookie=alice).status == 304


@pytest.mark.in_cookie('its size')
def test_a_cookie_that_no_browser_would_keep(stock, ours):
    response = stock.request('GET', '/cgi/login?stock-big')
    assert len(response.set_cookies()[0]) > 6000
    response = ours.request('GET', '/cgi/login?ours-big', cookie=ALICE)
    assert (response.status, response.set_cookies()) == (200, [])
    ours.expect('SS0302')


def test_a_tampered_cookie_is_no_event_in_the_log(start):
    """Anybody can send one: a line for each of them is a way to fill the disk."""
    stock = start('''
        Session On
        SessionCookieName session path=/
        SessionCryptoPassphrase "a passphrase for this test only"
        SessionHeader X-Update
        SessionEnv On
        ScriptAlias /cgi/ "{dir}/cgi/"''', f'{STOCK_MODULES} session_crypto', FILES, ours=False)
    sealed = stock.request('GET', '/cgi/login?stock').cookie()
    other = 'A' if sealed[30] != 'A' else 'B'
    response = stock.request('GET', '/cgi/env', cookie=f'session={sealed[:30]}{other}{sealed[31:]}')
    assert (response.status, variable(response, 'HTTP_SESSION')) == (200, '')
    stock.expect('AH01842', 'AH01817')
    ours = start(OURS, MODULES, FILES, backend=1)
    for at in (10, 40, 60, len(ALICE) - 2):
        other = 'A' if ALICE[at] != 'A' else 'B'
        response = ours.request('GET', '/cgi/env', cookie=ALICE[:at] + other + ALICE[at + 1:])
        assert (response.status, variable(response, 'SESSION')) == (200, '{}')
    assert 'SS0' not in ours.log.new_text()


# --- logins -------------------------------------------------------------------------------------------

LOGIN = '''
    <Location "/">
        AuthFormProvider file
        AuthUserFile "{dir}/users"
        AuthType form
        AuthName realm
        Require all granted
    </Location>
    Session On
    SessionCookieName stock path=/
    <Location "/dologin">
        SetHandler form-login-handler
        AuthFormLoginRequiredLocation /login.html
        AuthFormLoginSuccessLocation /inside/a.txt
    </Location>
    <Location "/inside">
        Require valid-user
        AuthFormLoginRequiredLocation /login.html
    </Location>
'''
LOGIN_MODULES = 'auth_form authn_core authn_file authz_user request session session_cookie'


def login_files():
    digest = subprocess.run(['openssl', 'passwd', '-apr1', 's3cretpw'], check=True, capture_output=True, text=True)
    return {'users': f'alice:{digest.stdout.strip()}\n', 'htdocs/inside/a.txt': 'inside'}


def log_in(server, cookie=None):
    return server.request('POST', '/dologin', {'Content-Type': 'application/x-www-form-urlencoded'},
                          'httpd_username=alice&httpd_password=s3cretpw', cookie=cookie)


def test_a_login_leaves_no_password_in_the_browser(start):
    """The form login needs mod_session; what this module keeps of it is what the administrator names."""
    server = start(LOGIN + '''
        SignedSession On
        <Location "/inside">
            SignedSessionSet user "%{REMOTE_USER}"
        </Location>''', LOGIN_MODULES, login_files())
    response = log_in(server)
    stock = response.cookie('stock')
    assert response.status == 302 and 'realm-pw=s3cretpw' in stock
    response = server.request('GET', '/inside/a.txt', cookie=f'stock={stock}')
    assert (response.text, opened(response).data) == ('inside', {'user': 'alice'})


def test_a_login_with_an_expired_session_is_a_login(start):
    server = start(LOGIN + 'SessionMaxAge 600', LOGIN_MODULES, login_files(), ours=False)
    expired = 'stock=realm-user=alice&realm-pw=s3cretpw&expiry=1000000'
    response = log_in(server, expired)
    assert response.status == 302 and response.get('Location').endswith('/inside/a.txt')
    assert 'realm-user' not in response.cookie('stock')

    server = start('''
        SignedSession On
        ScriptAlias /cgi/ "{dir}/cgi/"
        <Location "/cgi">
            SignedSessionUpdate X-Update
        </Location>''', MODULES, FILES)
    expired = native({'user': 'alice', 'old': True}, renewed=int(time.time()) - 20 * 86400)
    assert opened(server.request('GET', '/cgi/login?ours', cookie=expired)).data == {'user': 'alice', 'role': 'admin'}
