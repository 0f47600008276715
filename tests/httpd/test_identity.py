# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""AuthType signed-session: the user of the session is the user of the request, for everything that httpd has."""

import time

import pytest

from backends import HttpBackend, http_answer
from common import ENV_CGI, basic, password_file, stored
from cookies import native
from harness import Server, cgi_module, configtest
from test_formats import cookie_of

MODULES = (f'alias auth_basic auth_form authn_core authn_file authz_groupfile authz_host authz_user autoindex dir headers '
           f'include lua negotiation proxy proxy_http request rewrite session session_cookie {cgi_module()}')
ALICE = native({'user': 'alice'})
BOB = native({'user': 'bob', 'role': 'admin'})
CART = native({'cart': 1})

LUA = '''
function handle(r)
    r.content_type = "text/plain"
    r:puts(tostring(r.user))
    return apache2.OK
end
'''

CONF = '''
SignedSession On
LogFormat "%u %U" user
CustomLog "{dir}/access.log" user
ScriptAlias /cgi/ "{dir}/cgi/"
ScriptAlias /members/cgi/ "{dir}/cgi/"
LuaMapHandler ^/members/lua "{dir}/user.lua"
Alias /other/ "{dir}/htdocs/members/"
ProxyPass /members/app http://127.0.0.1:{backend}/app

<Location "/members">
    AuthType signed-session
    Require valid-user
    RequestHeader set X-User "expr=%{REMOTE_USER}"
    Header set X-Seen "expr=%{REMOTE_USER} %{AUTH_TYPE}"
</Location>
<Location "/members/named">
    AuthName "the \\"members\\""
</Location>
<Location "/alice">
    AuthType Signed-Session
    Require user alice "carol c"
</Location>
<Location "/group">
    AuthType signed-session
    AuthGroupFile "{dir}/groups"
    Require group staff
</Location>
<Location "/admins">
    AuthType signed-session
    <RequireAll>
        Require valid-user
        Require signed-session role admin
    </RequireAll>
</Location>
<Location "/role">
    AuthType signed-session
    Require signed-session role admin
    Header set X-Seen "expr=%{REMOTE_USER}"
</Location>
<Location "/cart">
    AuthType signed-session
    Require signed-session cart
</Location>
<Location "/ban">
    AuthType signed-session
    <RequireAll>
        Require all granted
        Require not signed-session banned
    </RequireAll>
</Location>
<Location "/none">
    AuthType signed-session
    <RequireAll>
        Require all granted
        <RequireNone>
            Require signed-session banned
        </RequireNone>
    </RequireAll>
</Location>
<AuthzProviderAlias signed-session is-banned banned>
</AuthzProviderAlias>
<AuthzProviderAlias signed-session is-old-hand banned>
</AuthzProviderAlias>
<AuthzProviderAlias signed-session-age is-fresh 10min>
</AuthzProviderAlias>
<Location "/alias">
    AuthType signed-session
    <RequireAll>
        Require all granted
        Require not is-banned
    </RequireAll>
</Location>
<AuthzProviderAlias signed-session is-dark "theme dark">
</AuthzProviderAlias>
<Location "/alias-dark">
    AuthType signed-session
    Require is-dark
</Location>
<Location "/alias-light">
    AuthType signed-session
    <RequireAll>
        Require all granted
        <RequireNone>
            Require is-dark
        </RequireNone>
    </RequireAll>
</Location>
<Location "/forbidding">
    AuthType signed-session
    AuthzSendForbiddenOnFailure On
    SignedSessionLoginPage "/login"
    <RequireAll>
        Require valid-user
        Require signed-session-age 10min
    </RequireAll>
</Location>
<Location "/alias-fresh">
    AuthType signed-session
    <RequireAll>
        Require valid-user
        Require is-fresh
    </RequireAll>
</Location>
<Location "/either">
    AuthType signed-session
    <RequireAny>
        Require expr "%{HTTP:X-Pass} == 'yes'"
        Require user alice
    </RequireAny>
    SignedSessionSet seen "yes, %{REMOTE_USER}"
</Location>
<Location "/sso">
    AuthType signed-session
    SignedSessionUser account.id sso:
    Require valid-user
    Header set X-Seen "expr=%{REMOTE_USER}"
</Location>
<Location "/off">
    SignedSession Off
    AuthType signed-session
    Require valid-user
</Location>
<Location "/free">
    AuthType None
    Require all granted
</Location>
<Location "/fresh">
    AuthType signed-session
    <RequireAll>
        Require user alice
        Require signed-session-age 10min
    </RequireAll>
</Location>
<Location "/fresh-first">
    AuthType signed-session
    <RequireAll>
        Require signed-session-age 10min
        Require user alice
    </RequireAll>
</Location>
<Location "/fresh-or">
    AuthType signed-session
    <RequireAny>
        Require user carol
        Require signed-session-age 10min
    </RequireAny>
</Location>
<Location "/age">
    Require signed-session-age 10min
</Location>
<Location "/not-fresh">
    AuthType signed-session
    <RequireAll>
        Require valid-user
        Require not signed-session-age 10min
    </RequireAll>
</Location>
<Location "/basic">
    AuthType Basic
    AuthName "passwords"
    AuthUserFile "{dir}/users"
    <RequireAll>
        Require valid-user
        Require signed-session role admin
    </RequireAll>
</Location>
<Directory "{dir}/htdocs/tree">
    AllowOverride AuthConfig
</Directory>
<Directory "{dir}/htdocs/own-error">
    AuthType signed-session
    Require valid-user
    ErrorDocument 401 /own-error/please.txt
</Directory>
<Location "/guarded-error">
    ErrorDocument 404 /members/file.txt
</Location>
<Directory "{dir}/htdocs/index">
    DirectoryIndex guarded.html other.html
    <Files guarded.html>
        AuthType signed-session
        Require valid-user
    </Files>
</Directory>
<Directory "{dir}/htdocs/listing">
    Options +Indexes
    <Files secret.txt>
        AuthType signed-session
        Require valid-user
    </Files>
</Directory>
<Directory "{dir}/htdocs/ssi">
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Directory>
<Location "/merged">
    Require signed-session role admin
</Location>
<Location "/merged/and">
    AuthType signed-session
    AuthMerging And
    Require valid-user
</Location>
'''
PAGES = ['members', 'members/named', 'alice', 'group', 'admins', 'role', 'cart', 'ban', 'none', 'either', 'sso', 'off',
         'members/free', 'fresh', 'fresh-first', 'fresh-or', 'age', 'not-fresh', 'basic', 'merged/and', 'tree', 'tree/open',
         'tree/banned', 'tree/fresh', 'alias', 'alias-fresh', 'alias-dark', 'alias-light', 'forbidding',
         'tree/alias']
FILES = {
    **{f'htdocs/{page}/file.txt': 'x' for page in PAGES},
    'htdocs/tree/.htaccess': 'AuthType signed-session\nRequire valid-user\n',
    'htdocs/tree/banned/.htaccess': '<RequireAll>\nRequire all granted\nRequire not signed-session banned\n</RequireAll>\n',
    'htdocs/tree/alias/.htaccess': '<RequireAll>\nRequire all granted\nRequire not is-old-hand\n</RequireAll>\n',
    'htdocs/tree/fresh/.htaccess': 'Require signed-session-age 10min\n',
    'htdocs/tree/open/.htaccess': 'AuthType None\nRequire all granted\n',
    'htdocs/own-error/file.txt': 'x', 'htdocs/own-error/please.txt': 'please log in',
    'htdocs/index/guarded.html': 'guarded', 'htdocs/index/other.html': 'other',
    'htdocs/listing/secret.txt': 'x', 'htdocs/listing/plain.txt': 'x',
    'htdocs/ssi/page.shtml': 'before <!--#include virtual="/members/file.txt" --> after',
    'cgi/env': ENV_CGI, 'user.lua': LUA, 'users': password_file('alice'), 'groups': 'staff: alice\n',
}
DENIALS = ['AH01630', 'AH01631', 'AH01629', 'AH02825', 'AH01229', 'AH01797', 'AH01276', 'unable to include']


@pytest.fixture(scope='module')
def server():
    with HttpBackend({'app': lambda head: http_answer('200 OK', body=head.encode())}) as backend:
        with Server(CONF, MODULES, FILES, http2=True, backend=backend.port) as one:
            one.allow('SS0117')
            yield one


def ask(server, path, cookie=None, headers=(), **more):
    server.allow(*DENIALS)
    return server.request('GET', path, headers, cookie=cookie, **more)


# --- who it is ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('format_name', ['native', 'starlette', 'flask', 'django', 'express'])
def test_every_format_names_the_user_to_everybody(start, format_name):
    with HttpBackend({'app': lambda head: http_answer('200 OK', body=head.encode())}) as backend:
        server = start(f'SignedSessionFormat {format_name}\n{CONF}', MODULES, FILES, backend=backend.port)
        server.allow('SS0117', 'SS0118')
        cookie = cookie_of(format_name, {'user': 'alice'})
        static = ask(server, '/members/file.txt', cookie)
        assert (static.status, static.get('X-Seen'), static.get('Cache-Control')) == (200, 'alice signed-session', 'private')
        script = ask(server, '/members/cgi/env', cookie).text
        assert 'REMOTE_USER=alice\n' in script and 'AUTH_TYPE=signed-session\n' in script
        assert ask(server, '/members/lua', cookie).text == 'alice'
        assert 'X-User: alice\r\n' in ask(server, '/members/app', cookie).text + '\r\n'
        assert 'alice /members/file.txt\n' in (server.dir / 'access.log').read_text()


def test_nobody(server, protocol):
    response = ask(server, '/members/file.txt', protocol=protocol)
    assert (response.status, response.get_all('WWW-Authenticate')) == (401, ['Session realm="session"'])
    assert response.get('Cache-Control') == 'no-store' and response.get('Vary') == 'Cookie'
    assert ask(server, '/members/named/file.txt').get('WWW-Authenticate') == 'Session realm="the \\"members\\""'
    assert '- /members/file.txt\n' in (server.dir / 'access.log').read_text()


NOBODIES = [{'user': value} for value in (None, '', 1, True, ['alice'], {'alice': 1}, 'al\nice', 'alice\x00', '\x1f', 'al\x7fice')]


@pytest.mark.parametrize('session', [{}, {'User': 'alice'}, {'a': {'user': 'alice'}}, *NOBODIES],
                         ids=[str(number) for number in range(3 + len(NOBODIES))])
def test_what_names_nobody(server, session):
    assert ask(server, '/members/file.txt', native(session)).status == 401


@pytest.mark.parametrize('name', ['..', '../../etc/passwd', 'Zoë', '日本語', 'a b', '"', '%{HTTP_HOST}', '<b>', '\u0085', 'x' * 1900],
                         ids=[str(number) for number in range(10)])
def test_any_other_string_is_a_name(server, name):
    seen = ask(server, '/members/cgi/env', native({'user': name}))
    assert seen.status == 200 and f'REMOTE_USER={name}\n' in seen.body.decode()


@pytest.mark.parametrize('session, want', [
    ({'account': {'id': 'sso:alice'}}, 'alice'), ({'account.id': 'sso:top'}, 'top'), ({'account': {'id': 'sso:sso:'}}, 'sso:'),
    ({'account': {'id': 'alice'}}, None), ({'account': {'id': 'sso:'}}, None), ({'account': {'id': 'SSO:alice'}}, None),
    ({'user': 'alice'}, None), ({'account': {'id': ['sso:alice']}}, None)])
def test_a_nested_key_and_a_prefix(server, session, want):
    response = ask(server, '/sso/file.txt', native(session))
    assert (response.status, response.get('X-Seen')) == ((200, want) if want else (401, None))


def test_two_realms_know_each_their_own(server):
    """The session of one is none for the other, whatever AuthName says."""
    both = native({'user': 'alice', 'account': {'id': 'sso:root'}})
    assert ask(server, '/members/file.txt', both).get('X-Seen') == 'alice signed-session'
    assert ask(server, '/sso/file.txt', both).get('X-Seen') == 'root'
    assert ask(server, '/sso/file.txt', ALICE).status == 401


@pytest.mark.parametrize('cookie', ['session=x', 'session=', native({'user': 'alice'}, renewed=1), native({'user': 'alice'})[:-1]])
def test_a_cookie_that_does_not_hold_is_nobody(server, cookie):
    assert ask(server, '/members/file.txt', cookie).status == 401


# --- what is required --------------------------------------------------------------------------------

CAROL = native({'user': 'carol c'})
ADMIN_NOBODY = native({'role': 'admin'})
OLD = int(time.time()) - 3600
OLD_ALICE = native({'user': 'alice'}, created=OLD)
OLD_BOB = native({'user': 'bob'}, created=OLD)
DARK_NOBODY, DARK_ALICE = native({'theme': 'dark'}), native({'theme': 'dark', 'user': 'alice'})
BANNED = native({'user': 'eve', 'banned': True})


@pytest.mark.parametrize('path, cookie, want', [
    ('/alice', ALICE, 200), ('/alice', CAROL, 200), ('/alice', BOB, 403), ('/alice', None, 401),
    ('/group', ALICE, 200), ('/group', BOB, 403), ('/group', None, 401),
    ('/admins', BOB, 200), ('/admins', ALICE, 403), ('/admins', None, 401), ('/admins', ADMIN_NOBODY, 401),
    ('/role', BOB, 200), ('/role', ALICE, 403), ('/role', None, 401), ('/role', ADMIN_NOBODY, 401),
    ('/cart', CART, 401), ('/cart', ALICE, 403),
    ('/ban', BANNED, 403), ('/ban', None, 200), ('/ban', ALICE, 200),
    ('/none', BANNED, 403), ('/none', None, 200), ('/none', ALICE, 200),
    ('/alias', BANNED, 403), ('/alias', None, 200), ('/alias', ALICE, 200),
    ('/alias-dark', DARK_NOBODY, 401), ('/alias-dark', DARK_ALICE, 200), ('/alias-dark', ALICE, 403),
    ('/alias-light', DARK_NOBODY, 403), ('/alias-light', DARK_ALICE, 403), ('/alias-light', ALICE, 200), ('/alias-light', None, 200),
    ('/tree/alias', BANNED, 403), ('/tree/alias', None, 200), ('/tree/alias', ALICE, 200),
    ('/alias-fresh', ALICE, 200), ('/alias-fresh', OLD_ALICE, 401),
    ('/tree', ALICE, 200), ('/tree', None, 401), ('/tree/open', None, 200),
    ('/tree/banned', BANNED, 403), ('/tree/banned', None, 200),
    ('/tree/fresh', ALICE, 200), ('/tree/fresh', OLD_ALICE, 401),
    ('/merged/and', BOB, 200), ('/merged/and', ALICE, 403), ('/merged/and', None, 401),
    ('/fresh', ALICE, 200), ('/fresh', OLD_ALICE, 401), ('/fresh', OLD_BOB, 403), ('/fresh', None, 401),
    ('/fresh-first', ALICE, 200), ('/fresh-first', OLD_ALICE, 401), ('/fresh-first', OLD_BOB, 403),
    ('/fresh-or', OLD_ALICE, 401), ('/fresh-or', ALICE, 200),
    ('/age', ALICE, 200), ('/age', CART, 200), ('/age', OLD_ALICE, 403), ('/age', None, 403), ('/age', native({}), 403),
    ('/age', native({'user': 'alice'}, created=int(time.time()) + 20, renewed=int(time.time()) + 20), 200),
    ('/not-fresh', OLD_ALICE, 200), ('/not-fresh', ALICE, 403), ('/not-fresh', None, 401)])
def test_what_is_required(server, path, cookie, want, protocol):
    response = ask(server, f'{path}/file.txt', cookie, protocol=protocol)
    assert response.status == want
    assert (response.get('WWW-Authenticate') is not None) == (want == 401)


@pytest.mark.parametrize('cookie, headers, want', [
    (BOB, basic('alice'), 200), (None, {}, 401), (ALICE, basic('alice'), 401), (BOB, {}, 401), (BOB, basic('alice', 'wrong'), 401)])
def test_beside_a_password(server, cookie, headers, want):
    """Who has not logged in yet is asked to, whatever his session holds; httpd itself answers 401 to whoever may not."""
    server.allow('AH01617')
    response = ask(server, '/basic/file.txt', cookie, headers)
    assert response.status == want
    assert response.get('WWW-Authenticate', '').startswith('Basic') == (want == 401)


def test_a_role_that_is_required_names_the_user_too(server):
    assert ask(server, '/role/file.txt', BOB).get('X-Seen') == 'bob'


def test_either_needs_no_login_and_is_not_private(server):
    passed = ask(server, '/either/file.txt', ALICE, {'X-Pass': 'yes'})
    assert (passed.status, passed.get('Cache-Control')) == (200, None)
    assert ask(server, '/either/file.txt', ALICE).get('Cache-Control') == 'private'
    assert ask(server, '/either/file.txt').status == 401


def test_what_is_stored_here_is_earned_by_the_user(server):
    """Who passes without one, or is refused, stores nothing."""
    assert stored(ask(server, '/either/file.txt', native({'user': 'alice'}))) == {'user': 'alice', 'seen': 'yes, alice'}
    for cookie, headers, want in ((ALICE, {'X-Pass': 'yes'}, 200), (None, {'X-Pass': 'yes'}, 200), (BOB, {}, 403), (None, {}, 401)):
        response = ask(server, '/either/file.txt', cookie, headers)
        assert (response.status, stored(response)) == (want, None)


def test_where_sessions_are_off_it_is_an_error_with_the_fix(server):
    server.expect('SS0210: AuthType signed-session knows nobody here, because sessions are off: add "SignedSession On"')
    assert ask(server, '/off/file.txt', ALICE).status == 500


def test_the_log_says_why(start):
    server = start(CONF, MODULES, FILES, log_level='debug', backend=1)
    server.expect('SS0211: nobody is logged in: the session names no user (the client\'s cookie: malformed)',
                  'SS0215: the session does not meet "Require signed-session-age 10min": it is older',
                  'SS0215: the session does not meet "Require signed-session-age 10min": it has no time of creation')
    server.allow('SS0117')
    ask(server, '/members/file.txt', 'session=x')
    ask(server, '/age/file.txt', OLD_ALICE)
    ask(server, '/age/file.txt')


# --- chains of requests ------------------------------------------------------------------------------


def test_an_error_document_of_the_same_place_is_shown(server):
    response = ask(server, '/own-error/file.txt')
    assert (response.status, response.text, response.get('Cache-Control')) == (401, 'please log in', 'no-store')
    assert response.get('WWW-Authenticate') == 'Session realm="session"'


def test_an_error_document_that_is_guarded_leaves_the_error(server):
    nobody = ask(server, '/guarded-error/missing', headers={'Sec-Fetch-Mode': 'navigate'})
    assert (nobody.status, nobody.get('WWW-Authenticate'), nobody.get('Location')) == (404, None, None)
    somebody = ask(server, '/guarded-error/missing', ALICE)
    assert (somebody.status, somebody.text, somebody.get('Cache-Control')) == (404, 'x', 'private')


def test_subrequests(server):
    assert ask(server, '/index/', ALICE).text == 'guarded'
    assert ask(server, '/index/').text == 'other'
    assert 'secret.txt' in ask(server, '/listing/', ALICE).text
    assert 'secret.txt' not in ask(server, '/listing/').text
    assert ask(server, '/ssi/page.shtml', ALICE).text == 'before x after'
    page = ask(server, '/ssi/page.shtml')
    assert 'x after' not in page.text and page.status == 200 and page.get('WWW-Authenticate') is None


def test_a_start_says_that_a_format_has_no_age(start):
    conf = 'SignedSession On\n<Location "/a">\nRequire signed-session-age 1h\n</Location>\n'
    server = start('SignedSessionFormat starlette\n' + conf)
    server.expect('SS0118: Require signed-session-age at ', 'no creation time: write native first in SignedSessionFormat')
    server.allow('AH01630')
    assert server.request('GET', '/a', cookie=cookie_of('starlette', {'user': 'alice'})).status == 403
    start(conf)


@pytest.mark.parametrize('age, accepted', [('', 'a duration such as'), ('10m', 'a duration such as'), ('abc', 'a duration such as'),
                                           ('10min 5min', 'one duration'), ('10 min', 'one duration')])
def test_an_age_is_one_duration(age, accepted):
    rc, text = configtest(f'<Location "/a">\nRequire signed-session-age {age}\n</Location>\n')
    assert rc == 1 and f'Require signed-session-age: "{age}" is not accepted; accepted is {accepted}' in text


@pytest.mark.parametrize('subject, user, warns', [
    ('user', 'user', False), ('user', 'user.name', True), ('account', 'account.id', True), ('account', 'account', False),
    ('user', 'username', True), ('user', 'account.id', True), ('account.id', 'account.id', True)])
@pytest.mark.parametrize('directive', ['SignedSessionUser', 'SignedSessionLogin'])
def test_a_user_that_is_no_subject(start, subject, user, warns, directive):
    server = start(f'SignedSession On\nSignedSessionSubject {subject}\n<Location "/a">\n{directive} {user}\n</Location>')
    if warns:
        server.expect(f'is the session\'s "{user}", but its subject is the key "{subject}": nobody notices')
