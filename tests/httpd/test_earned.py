# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What SignedSessionSet stores must be earned by access.

httpd names the user before it has checked the password. So each test also looks at the X-User that
a response carries: REMOTE_USER when the response started. Where that is a name and nothing is
stored, a row had a name that it could have stored.
"""

import base64
import hashlib
import sqlite3
from urllib.parse import urlencode

import pytest

import harness
from backends import HttpBackend, http_answer
from common import basic, stored
from cookies import native
from harness import Server

MODULES = '''alias auth_basic auth_form authn_core authn_file authz_host authz_user dir headers request rewrite
    session session_cookie ss_testing'''


def sha(password):
    return '{SHA}' + base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()


NOBODY, RIGHT, WRONG = {}, basic('alice', 'secret'), basic('alice', 'wrong')
FILES = {f'htdocs/{name}': 'a page\n'
         for name in ('error.txt', 'same/file.txt', 'same/error.txt', 'other/file.txt', 'index/index.html')}
FILES['users'] = f'alice:{sha("secret")}\nbob:{sha("other")}\n'

MEMBERS = '''AuthType Basic
    AuthName "members"
    AuthUserFile "{dir}/users"
    Require valid-user
    SignedSessionSet user %{REMOTE_USER}
    SignedSessionSet page %{REQUEST_URI}'''
CONF = r'''
SignedSession On
Header always set X-User expr=%{REMOTE_USER}
LogFormat "%<u" first-user
CustomLog "{dir}/first-user.log" first-user
<LocationMatch "^/[a-z-]+/(ok|return|redirect)">
    SetHandler ss-testing
</LocationMatch>

# Basic
<LocationMatch "^/(basic|bob|any|optional|end|section)/">
    AuthType Basic
    AuthName "members"
    AuthUserFile "{dir}/users"
    Require valid-user
    SignedSessionSet user %{REMOTE_USER}
    SignedSessionUnset flash
</LocationMatch>
<Location "/bob/">
    Require user bob
</Location>
<LocationMatch "^/(any|optional)/">
    SignedSessionSet page %{REQUEST_URI}
</LocationMatch>
<Location "/any/">
    <RequireAny>
        Require ip 127.0.0.1
        Require valid-user
    </RequireAny>
</Location>
<Location "/optional/">
    Require all granted
</Location>
<Location "/end/">
    SignedSessionClear On
</Location>
<Directory "{dir}/htdocs">
    SignedSessionUnset user
</Directory>

# forms; "replies" has its form in the response that asks for it
Session On
SessionCookieName login path=/
<LocationMatch "^/(form|replies|onward|handler|handler-with-type)/">
    AuthName "form"
    AuthFormProvider file
    AuthUserFile "{dir}/users"
    SignedSessionSet user %{REMOTE_USER}
</LocationMatch>
<LocationMatch "^/(form|replies|onward)/">
    AuthType form
    Require valid-user
</LocationMatch>
<Location "/form/">
    AuthFormLoginRequiredLocation "http://127.0.0.1:{port}/error.txt"
</Location>
<LocationMatch "^/(onward|handler|handler-with-type)/">
    AuthFormLoginRequiredLocation "http://127.0.0.1:{port}/error.txt"
    AuthFormLoginSuccessLocation "http://127.0.0.1:{port}/form/ok"
</LocationMatch>
<Location "/replies/">
    ErrorDocument 401 /replies/error.txt
</Location>
<LocationMatch "^/handler">
    SetHandler form-login-handler
</LocationMatch>
<Location "/handler-with-type/">
    AuthType form
    Require all granted
</Location>

# error documents and other requests that come of one
<Directory "{dir}/htdocs/index">
    {members}
</Directory>
<Directory "{dir}/htdocs/same">
    {members}
    ErrorDocument 401 /same/error.txt
    ErrorDocument 404 /same/error.txt
</Directory>
<Directory "{dir}/htdocs/other">
    {members}
    ErrorDocument 401 /error.txt
    ErrorDocument 404 /error.txt
    RewriteEngine On
    RewriteRule "^rewritten$" "/error.txt" [R]
    Redirect "/other/moved" "/error.txt"
</Directory>
<Location "/error.txt">
    SignedSessionSet last %{REQUEST_URI}
    SignedSessionSet user %{REMOTE_USER}
</Location>
<Location "/denied/">
    Require all denied
    SignedSessionSet page %{REQUEST_URI}
    ErrorDocument 403 /basic/ok
</Location>

<Location "/refused">
    Require all denied
    SignedSessionSet page %{REQUEST_URI}
</Location>

# answered before any access check
Redirect "/moved" "/error.txt"
Redirect "/section/moved" "/error.txt"
RewriteEngine On
RewriteRule "^/section/rewritten$" "/error.txt" [R]
'''


@pytest.fixture(scope='module')
def server():
    with Server(CONF, MODULES, files=FILES, http2=True, members=MEMBERS) as one:
        yield one


REFUSALS = ('AH01617', 'AH01630', 'AH01631', 'AH01807')


def outcome(response):
    """Status, REMOTE_USER when the response started, what is stored."""
    return response.status, response.get('X-User', ''), stored(response)


ALICE = {'user': 'alice'}

# --- Basic -----------------------------------------------------------------------------------


@pytest.mark.parametrize('path, login, want', [
    ('/basic/ok', RIGHT, (200, 'alice', ALICE)),
    ('/basic/return/302', RIGHT, (302, 'alice', ALICE)),
    ('/basic/return/404', RIGHT, (404, 'alice', ALICE)),
    ('/basic/return/302', WRONG, (401, 'alice', None)),
    ('/basic/ok', WRONG, (401, 'alice', None)),
    ('/basic/ok', NOBODY, (401, '', None)),
    ('/bob/ok', RIGHT, (401, 'alice', None)),
    ('/bob/ok', basic('bob', 'other'), (200, 'bob', {'user': 'bob'})),
    ('/any/ok', WRONG, (200, '', None)),
    ('/any/ok', NOBODY, (200, '', None)),
    ('/any/ok', RIGHT, (200, '', None)),
    ('/optional/ok', WRONG, (200, '', None)),
    ('/optional/ok', NOBODY, (200, '', None)),
    ('/optional/ok', RIGHT, (200, '', None)),
])
def test_basic(server, protocol, path, login, want):
    server.allow(*REFUSALS)
    assert outcome(server.request('GET', path, login, protocol=protocol)) == want


def test_what_only_takes_away_needs_no_login(server, protocol):
    server.allow(*REFUSALS)
    cookie = native({'user': 'bob', 'flash': 1})
    assert outcome(server.request('GET', '/basic/ok', WRONG, cookie=cookie, protocol=protocol)) == (
        401, 'alice', {'user': 'bob'})
    assert server.request('GET', '/end/ok', WRONG, cookie=cookie, protocol=protocol).cookie() == ''


def test_a_failed_login_leaves_the_user_that_an_outer_section_would_remove(server):
    """For one key the innermost row decides, and that one stores nothing here."""
    server.allow(*REFUSALS)
    cookie = native({'user': 'bob'})
    assert server.request('GET', '/same/file.txt', WRONG, cookie=cookie).set_cookies() == []
    assert server.request('GET', '/file.txt', cookie=cookie).cookie() == ''


# --- a database ------------------------------------------------------------------------------

DBD = '''
SignedSession On
Header always set X-User expr=%{REMOTE_USER}
Header always set X-Nick expr=%{reqenv:AUTHENTICATE_NICK}
DBDriver sqlite3
DBDParams "{dir}/users.sqlite"
<Location "/dbd">
    SetHandler ss-testing
    AuthType Basic
    AuthName "members"
    AuthBasicProvider dbd
    AuthDBDUserPWQuery "SELECT password, nick FROM users WHERE name = %s"
    Require valid-user
    SignedSessionSet user %{REMOTE_USER}
    SignedSessionSet nick %{reqenv:AUTHENTICATE_NICK}
</Location>
<Location "/file.txt">
    SignedSessionSet last %{REQUEST_URI}
    SignedSessionSet user %{REMOTE_USER}
</Location>
'''


@pytest.fixture(scope='module')
def database(tmp_path_factory):
    """httpd with the users in an SQLite file."""
    path = tmp_path_factory.mktemp('dbd') / 'users.sqlite'
    with sqlite3.connect(path) as users:
        users.execute('CREATE TABLE users (name TEXT, password TEXT, nick TEXT)')
        users.execute('INSERT INTO users VALUES (?, ?, ?)', ('alice', sha('secret'), 'Ally'))
    users.close()
    with Server(DBD, 'auth_basic authn_core authn_dbd authz_user dbd headers ss_testing', http2=True,
                files={'users.sqlite': path.read_bytes()}) as server:
        yield server


@pytest.mark.parametrize('path, login, want, nick', [
    ('/dbd/ok', RIGHT, (200, 'alice', {'user': 'alice', 'nick': 'Ally'}), 'Ally'),
    ('/dbd/ok', WRONG, (401, 'alice', None), 'Ally'),
    ('/dbd/redirect/file.txt', RIGHT, (200, '', {'user': 'alice', 'nick': 'Ally', 'last': '/file.txt'}), ''),
    ('/dbd/redirect/file.txt', WRONG, (401, 'alice', None), 'Ally'),
])
def test_a_database_names_the_user_before_the_password_is_compared(database, protocol, path, login, want, nick):
    database.allow('AH01617')
    response = database.request('GET', path, login, protocol=protocol)
    assert outcome(response) == want
    assert response.get('X-Nick', '') == nick


# --- forms -----------------------------------------------------------------------------------


def fill_in(server, path, password, protocol):
    form = urlencode({'httpd_username': 'alice', 'httpd_password': password})
    return server.request('POST', path, {'Content-Type': 'application/x-www-form-urlencoded'}, form, protocol=protocol)


@pytest.mark.parametrize('path, password, want', [
    ('/form/ok', 'secret', (200, 'alice', ALICE)),
    ('/form/return/404', 'secret', (404, 'alice', ALICE)),
    ('/form/ok', 'wrong', (302, 'alice', None)),
    ('/replies/ok', 'secret', (200, 'alice', ALICE)),
    ('/replies/ok', 'wrong', (401, 'alice', None)),
    ('/onward/ok', 'secret', (302, 'alice', None)),
    ('/onward/ok', 'wrong', (302, 'alice', None)),
])
def test_a_form_on_the_page(server, protocol, path, password, want):
    server.allow(*REFUSALS)
    assert outcome(fill_in(server, path, password, protocol)) == want


@pytest.mark.parametrize('place', ['handler', 'handler-with-type'])
def test_the_handler_of_a_form_stores_nothing_and_the_page_that_it_leads_to_does(server, protocol, place):
    server.allow(*REFUSALS)
    assert outcome(fill_in(server, f'/{place}/login', 'wrong', protocol)) == (302, 'alice', None)
    response = fill_in(server, f'/{place}/login', 'secret', protocol)
    assert outcome(response) == (302, 'alice', None)
    assert response.get('Location').endswith('/form/ok')
    login = f'login={response.cookie("login")}'
    assert outcome(server.request('GET', '/form/ok', cookie=login, protocol=protocol)) == (200, 'alice', ALICE)
    assert outcome(server.request('GET', '/form/ok', protocol=protocol)) == (302, '', None)


# --- redirect chains -------------------------------------------------------------------------


@pytest.mark.parametrize('path, login, want', [
    # the error document inherits the user whose password was wrong
    ('/same/file.txt', WRONG, (401, 'alice', None)),
    ('/same/file.txt', NOBODY, (401, '', None)),
    ('/same/missing.txt', WRONG, (401, 'alice', None)),
    ('/same/missing.txt', RIGHT, (404, 'alice', {'user': 'alice', 'page': '/same/error.txt'})),
    # another directory: the user is forgotten on the way, and the row of the first request is not
    ('/other/file.txt', WRONG, (401, '', None)),
    ('/other/file.txt', NOBODY, (401, '', None)),
    ('/other/missing.txt', RIGHT, (404, '', {'user': 'alice', 'page': '/other/missing.txt', 'last': '/error.txt'})),
    # the right password for the second request only
    ('/denied/ok', RIGHT, (403, 'alice', None)),
    ('/denied/ok', WRONG, (403, '', None)),
    # a redirect to a page without a login
    ('/basic/redirect/error.txt', RIGHT, (200, '', {'user': 'alice', 'last': '/error.txt'})),
    ('/basic/redirect/error.txt', WRONG, (401, 'alice', None)),
    # the first has earned it, and the second has not
    ('/basic/redirect/refused', RIGHT, (403, '', None)),
    ('/basic/redirect/moved', RIGHT, (302, '', None)),
    # a request that takes the place of another
    ('/index/', RIGHT, (200, 'alice', {'user': 'alice', 'page': '/index/index.html'})),
    ('/index/', WRONG, (401, 'alice', None)),
])
def test_every_request_of_a_chain_must_have_earned_it(server, protocol, path, login, want):
    server.allow(*REFUSALS)
    assert outcome(server.request('GET', path, login, protocol=protocol)) == want


def test_the_first_request_of_that_chain_did_have_a_user(server, protocol):
    """The access log knows what the error document in another directory does not."""
    server.allow(*REFUSALS)
    server.request('GET', '/other/file.txt', WRONG, protocol=protocol)
    assert (server.dir / 'first-user.log').read_text().splitlines()[-1] == 'alice'


# --- redirects that are answered early -------------------------------------------------------


@pytest.mark.parametrize('path', ['/section/moved', '/section/rewritten'])
def test_a_redirect_of_the_server_is_answered_before_any_check(server, protocol, path):
    """Nobody has logged in, and a password would not be looked at: no row, whatever it would store."""
    for login in (NOBODY, RIGHT, WRONG):
        response = server.request('GET', path, login, protocol=protocol)
        assert response.get('Location').endswith('/error.txt')
        assert outcome(response) == (302, '', None)


def test_a_redirect_of_a_directory_is_answered_before_the_handler(server, protocol):
    """In fixups, where others still refuse: put the rule on the page that it leads to."""
    server.allow(*REFUSALS)
    for path in ('/other/rewritten', '/other/moved'):
        assert outcome(server.request('GET', path, RIGHT, protocol=protocol)) == (302, 'alice', None)
        assert outcome(server.request('GET', path, WRONG, protocol=protocol)) == (401, '', None)


# --- the log ---------------------------------------------------------------------------------


def test_the_log_says_why(start):
    server = start(CONF, MODULES, files=FILES, members=MEMBERS, log_level='warn signed_session:debug')
    for path, why in [('/basic/ok', 'it is a refusal'),
                      ('/optional/ok', 'its place needs a login, and nobody is logged in'),
                      ('/handler/login', 'its user changed after the access checks')]:
        server.allow(*REFUSALS)
        if path.startswith('/handler'):
            fill_in(server, path, 'wrong', 'http/1.1')
        else:
            server.request('GET', path, WRONG)
        server.expect('SS0307: SignedSessionSet and SignedSessionClear Before do not apply to the response '
                      f'for {path}: {why}')
        server.log.check()
    assert stored(server.request('GET', '/basic/ok', RIGHT)) == ALICE
    assert 'SS0307' not in server.log.new_text()


# --- refused by a handler --------------------------------------------------------------------------

REFUSED_LATE = '''
    SignedSession On
    ScriptAlias /cgi/ "{dir}/cgi/"
    ProxyPass /app/ http://127.0.0.1:{backend}/ disablereuse=On
    ProxyErrorOverride On
    ErrorDocument 401 {document}
    ErrorDocument 403 {document}
    <LocationMatch "^/(app|listing|vip)/">
        SignedSessionClear Before
        SignedSessionSet role vip
    </LocationMatch>
'''
DOCUMENTS = {
    'a script that says 200': '/cgi/ok', 'a script': '/cgi/plain', 'another host': 'http://127.0.0.1:9/login',
    'another host, by an expression': '"http://127.0.0.1:9/?%{REQUEST_STATUS}%{resp:X-Token}%{TIME_SEC}"',
}


@pytest.mark.parametrize('document', DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_a_handler_refuses_is_not_earned_whatever_its_error_document_says(start, document):
    """A file that httpd may not read, a folder without an index, a backend's refusal."""
    with HttpBackend({'no': http_answer('403 No', 'X-Token: abc'), 'login': http_answer('401 No')}) as backend:
        server = start(REFUSED_LATE.replace('{document}', document),
                       f'alias autoindex proxy proxy_http {harness.cgi_module()}',
                       {'cgi/ok': '#!/bin/sh\nprintf "Status: 200 OK\\nContent-Type: text/plain\\n\\nlog in"\n',
                        'cgi/plain': '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\nlog in"\n',
                        'htdocs/listing/file.txt': 'x', 'htdocs/vip/secret.txt': 'x'}, backend=backend.port)
        server.allow('AH00132', 'AH01276', 'AH02811')
        (server.dir / 'htdocs/vip/secret.txt').chmod(0)
        for path in ('/app/no', '/app/login', '/listing/', '/vip/secret.txt'):
            for cookie in (None, native({'user': 'alice'})):
                response = server.request('GET', path, cookie=cookie)
                assert response.set_cookies() == [], (path, response.status)
