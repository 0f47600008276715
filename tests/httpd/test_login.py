# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The way to the login page, and the way back."""

import re
import sqlite3
import time
from urllib.parse import parse_qs, unquote, urlencode, urljoin, urlsplit

import pytest

from common import FORM, TOP, stored
from cookies import Native, native, opened
from harness import Jar, Server, StartError, cgi_module, configtest, speaks_http2
from test_require import basic, password_file

MODULES = (f'alias auth_basic auth_form authn_core authn_file authz_host authz_user dir expires headers request '
           f'rewrite session session_cookie {cgi_module()}')
ALICE = native({'user': 'alice'})
NAVIGATE = {'Sec-Fetch-Mode': 'navigate', 'Accept': 'text/html'}
BROWSER = {'Accept': 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'}

CONF = '''
SignedSession On
Alias /welcome/not/ "{dir}/elsewhere/"
<Directory "{dir}/elsewhere">
    Require all granted
</Directory>
ErrorDocument 410 /members/file.txt
<Location "/members">
    AuthType signed-session
    AuthName "members"
    Require valid-user
    SignedSessionLoginPage /login
</Location>
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
<Location "/in">
    AuthType Basic
    AuthName "passwords"
    AuthUserFile "{dir}/users"
    Require valid-user
    SignedSessionSet user %{REMOTE_USER}
    SignedSessionReturn return /members/
</Location>
<Location "/form">
    AuthType Form
    AuthName "form"
    AuthFormProvider file
    AuthUserFile "{dir}/users"
    AuthFormLoginRequiredLocation /login
    Session On
    SessionCookieName form path=/
    Require valid-user
    SignedSessionSet user %{REMOTE_USER}
    SignedSessionReturn return
</Location>
<Location "/handler">
    SetHandler form-login-handler
    AuthType Form
    AuthName "form"
    AuthFormProvider file
    AuthUserFile "{dir}/users"
    AuthFormLoginRequiredLocation /login
    AuthFormLoginSuccessLocation /welcome?return=/file.txt
    Session On
    SessionCookieName form path=/
    SignedSessionReturn return
    Require all granted
</Location>
<Location "/welcome">
    SignedSessionReturn return /file.txt
</Location>
<Location "/home">
    SignedSessionReturn return /home
</Location>
<Location "/small">
    SignedSessionReturn return
    SignedSessionSet user %{HTTP:X-User}
</Location>
<Location "/own">
    AuthType signed-session
    Require valid-user
    SignedSessionSet user %{REMOTE_USER}
    SignedSessionReturn return
</Location>
<Location "/off">
    SignedSession Off
    SignedSessionReturn return
</Location>
<Location "/welcome/not">
    SignedSessionReturn Off
</Location>
<Location "/error">
    ErrorDocument 404 /welcome
</Location>
<Location "/set">
    SignedSessionSet user %{HTTP:X-User}
</Location>
'''
FILES = {
    **{f'htdocs/{page}/file.txt': 'x' for page in (
        'members', 'members/bob', 'members/fresh', 'self', 'listing', 'exists', 'home', 'own', 'members/headers')},
    'htdocs/self/dir/index.html': 'x', 'htdocs/login': 'a form', 'htdocs/form': 'x', 'htdocs/set': 'x', 'htdocs/small': 'x', 'htdocs/error/a': 'x',
    'htdocs/index/guarded.html': 'guarded', 'htdocs/home/index.html': 'home', 'elsewhere/file.txt': 'x',
    'users': password_file('alice') + password_file('bob'),
}
DENIALS = ['AH01630', 'AH01631', 'AH01629', 'AH01797', 'AH01276', 'AH01617', 'AH01618', 'AH01806', 'AH01807', 'AH01808', 'AH01811']


@pytest.fixture(scope='module')
def server():
    modules, protocols = (f'{MODULES} http2 autoindex', 'Protocols h2c http/1.1\n') if speaks_http2() else (f'{MODULES} autoindex', '')
    with Server(protocols + CONF, modules, FILES) as one:
        yield one


def ask(server, path, headers=(), cookie=None, method='GET', **more):
    server.allow(*DENIALS)
    return server.request(method, path, headers, cookie=cookie, **more)


def is_challenged(response, realm='members'):
    return (response.status == 401 and response.get_all('WWW-Authenticate') == [f'Session realm="{realm}"']
            and response.get('Location') is None and response.get('Cache-Control') == 'no-store')


# --- to the login page -------------------------------------------------------------------------------


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


# --- and back ----------------------------------------------------------------------------------------

SAFE = [
    ('return=/file.txt', '/file.txt'), ('return=/a%3Fb%3Dc%26d', '/a?b=c&d'), ('return=%2Fa+b', '/a%20b'), ('return=/%C3%A9', '/%C3%A9'),
    ('x=1&return=/a', '/a'), ('return=/a%2520b', '/a%20b'), ('return=/a%23b', '/a#b'), ('return=/%22%3E', '/%22%3E')]
TRICKS = ['//evil.example', '/\\evil.example', '/%5Cevil.example', '/%09/evil.example', '/%0A/evil.example', '/..//evil.example',
          '/.//evil.example', 'https:evil.example', 'https://evil.example', 'http:evil', '%2F%2Fevil.example', '%2F/evil.example',
          '%252F%252Fevil.example', '/%0D%0ALocation:%20https://evil.example', '/%0d%0aSet-Cookie:a=b', '\\\\evil.example', '%5C/evil',
          '/%252e%252e//evil', 'javascript:alert(1)', 'evil.example', '', '+/evil', '%00/evil', '/%00', '/a%7F', '/a%', '/' + 'a' * 2048, '@evil',
          '///evil.example', '/%2fevil.example', './/evil', 'data:text/html,x', '%E3%80%82//evil']


@pytest.mark.parametrize('query, want', SAFE)
def test_it_leads_back(server, query, want, protocol):
    response = ask(server, f'/welcome?{query}', cookie=ALICE, protocol=protocol)
    assert (response.status, response.get('Location'), response.get('Cache-Control')) == (303, want, 'no-store')


@pytest.mark.parametrize('value', TRICKS, ids=[str(number) for number in range(len(TRICKS))])
def test_it_never_leads_away(server, value):
    response = ask(server, f'/welcome?return={value}', cookie=ALICE)
    assert (response.status, response.get('Location'), response.set_cookies()) == (303, '/file.txt', [])


def test_without_an_address_it_leads_to_a_page_of_its_own(server):
    assert ask(server, '/welcome', cookie=ALICE).get('Location') == '/file.txt'
    assert ask(server, '/welcome?next=/a', cookie=ALICE).get('Location') == '/file.txt'
    assert ask(server, '/own/file.txt', cookie=ALICE).get('Location') == '/'
    assert ask(server, '/home/?return=/a', cookie=ALICE).get('Location') == '/a'
    assert ask(server, '/home/file.txt?return=/b', cookie=ALICE).get('Location') == '/b'
    assert ask(server, '/home/file.txt', cookie=ALICE).get('Location') == '/home'


def test_a_page_that_leads_to_itself_is_shown(server):
    assert ask(server, '/home', cookie=ALICE).status == 301  # mod_dir's
    assert ask(server, '/welcome/not/file.txt', cookie=ALICE).text == 'x'


NO_COOKIE = 'no session came, and nothing here stores a user in its key "user"; the browser has not kept the cookie'
NO_USER = 'there is a session, but it names no user in its key "user"'


@pytest.mark.parametrize('cookie, why, told', [
    (None, NO_COOKIE, "your browser did not keep the session's cookie"), ('session=x', NO_COOKIE, 'your browser did not keep'),
    (native({}), NO_USER, 'does not know who you are'), (native({'cart': 1}), NO_USER, 'does not know who you are'),
    (native({'user': ['alice']}), NO_USER, 'does not know who you are')])
def test_who_is_not_logged_in_is_not_led_back(server, cookie, why, told):
    server.expect(f'SS0213: SignedSessionReturn leads nobody back: {why}')
    response = ask(server, '/welcome?return=/file.txt', cookie=cookie)
    assert (response.status, response.get('Location'), response.get('Cache-Control')) == (403, None, 'no-store')
    assert told in response.text.replace('&#39;', "'")


def test_a_response_that_logs_in_leads_back(server, protocol):
    response = ask(server, '/in?return=/members/file.txt', basic('alice'), protocol=protocol)
    assert (response.status, response.get('Location'), stored(response)) == (303, '/members/file.txt', {'user': 'alice'})
    assert response.get('Cache-Control').split(', ').count('no-store') == 1
    wrong = ask(server, '/in?return=/members/file.txt', basic('alice', 'wrong'), protocol=protocol)
    assert (wrong.status, wrong.get('Location'), stored(wrong)) == (401, None, None)


def test_one_that_does_not_fit_does_not(server):
    server.expect('SS0213')
    assert ask(server, '/small?return=/file.txt', {'X-User': 'x' * 4000}).status == 403
    assert ask(server, '/small?return=/file.txt', {'X-User': 'x'}).status == 303


def test_neither_for_an_error_document_nor_for_options(server):
    assert ask(server, '/error/missing', cookie=ALICE).status == 404
    assert ask(server, '/small', method='OPTIONS', cookie=ALICE).status == 200


def test_where_sessions_are_off_it_is_an_error_with_the_fix(server):
    server.expect('SS0214: SignedSessionReturn leads nobody back, because sessions are off here: add "SignedSession On"')
    assert ask(server, '/off', cookie=ALICE).status == 500


# --- the whole loop ----------------------------------------------------------------------------------


def follow(visitor, response, path):
    return visitor.request('GET', urljoin(path, response.get('Location')), NAVIGATE)


def test_a_form_on_the_page(server):
    """It has no action, so it posts to its own address, which holds where to lead back to."""
    server.allow(*DENIALS)
    visitor = Jar(server)
    page = visitor.request('GET', '/members/file.txt', NAVIGATE).get('Location')
    form = '/form?' + urlsplit(page).query
    body = urlencode({'httpd_username': 'alice', 'httpd_password': 'right'})
    refused = visitor.request('POST', form, FORM, body.replace('right', 'wrong'))
    assert (refused.status, visitor.session) == (302, None)
    response = visitor.request('POST', form, FORM, body)
    assert (response.status, response.get('Location')) == (303, '/members/file.txt')
    assert follow(visitor, response, form).text == 'x'


PAGE = (TOP / 'docs/login.md').read_text()
FORM_PAGE, = re.findall(r'^```html\n(.*?)^```$', PAGE, re.M | re.S)
EXAMPLES = {
    'AuthName "members"\n    Require valid-user\n</Location>': 'the user', 'AuthName "login"': 'form', 'ScriptAlias': 'script',
    'AuthName "members"\n    AuthUserFile': 'basic', 'DBDriver': 'database', 'signed-session-age': 'fresh', 'session::state': 'ended'}


def examples():
    """The configurations of docs/login.md: each has a name by what only it has, and a test below."""
    found = re.findall(r'^```apache\n(.*?)^```$', PAGE, re.M | re.S)
    named = {}
    for block in found:
        named[[name for mark, name in EXAMPLES.items() if mark in block][-1]] = block
    assert sorted(named) == sorted(EXAMPLES.values()) and len(named) == len(found)
    return named


@pytest.fixture
def example(start):
    def start_example(name, modules=f'{MODULES} authn_dbd dbd', more='', **files):
        conf = (examples()[name] + more).replace('/etc/apache2/', '{dir}/').replace('/usr/lib/cgi-bin/', '{dir}/cgi/')
        return start(conf, modules, {'htdocs/members/page': 'members only', 'htdocs/form.html': FORM_PAGE,
                                     'users': password_file('alice'), **files})
    return start_example


def enter(visitor, path):
    """Open a page as a browser does: the address where it ends, and the answer."""
    for _ in range(10):
        response = visitor.request('GET', path, NAVIGATE)
        if response.status not in (302, 303):
            return path, response
        path = urljoin(path, response.get('Location'))
    raise AssertionError('led round and round')


def test_the_loop_of_the_documentation_with_a_form(example):
    """Without mod_session; the password is kept nowhere."""
    server = example('form', 'auth_form authn_core authn_file authz_user request')
    server.allow(*DENIALS)
    visitor = Jar(server)
    visitor.keep(f'session={Native({"cart": 1, "role": "x"}).seal()}')
    path, page = enter(visitor, '/members/page?a=b')
    assert (path, page.status, page.text) == ('/login?return=/members/page%3Fa%3Db', 401, FORM_PAGE)
    wrong = visitor.request('POST', path, FORM, urlencode({'httpd_username': 'alice', 'httpd_password': 'wrong'}))
    assert (wrong.status, wrong.text, wrong.set_cookies()) == (401, FORM_PAGE, [])
    right = visitor.request('POST', path, FORM, urlencode({'httpd_username': 'alice', 'httpd_password': 'right'}))
    assert (right.status, right.get('Location'), stored(right)) == (303, '/members/page?a=b', {'cart': 1, 'user': 'alice'})
    assert list(visitor.cookies) == ['session']
    assert enter(visitor, right.get('Location'))[1].text == 'members only'


WHOLE_SITE = '''
<Location "/">
    AuthType signed-session
    AuthName "members"
    Require valid-user
</Location>
'''


def test_the_form_must_be_open(example):
    """On a site that is guarded as a whole it is not, and httpd says so to the visitor only."""
    server = example('form', more=WHOLE_SITE)
    assert 'Additionally, a 401' in server.request('GET', '/login', NAVIGATE).text
    opened_up = example('form', more=f'{WHOLE_SITE}<Location "/form.html">\nRequire all granted\n</Location>\n')
    response = opened_up.request('GET', '/login', NAVIGATE)
    assert (response.status, response.text) == (401, FORM_PAGE)
    assert opened_up.request('GET', '/form.html').status == 200


def test_mod_auth_form_without_mod_request(start):
    """The terminal of configtest says nothing of it."""
    conf, modules = examples()['form'].replace('/etc/apache2/', '{dir}/'), 'auth_form authn_core authn_file authz_user'
    assert configtest(conf, modules) == (0, 'Syntax OK\n')
    with pytest.raises(StartError, match='AH02618: You must load mod_request to enable the mod_auth_form functions'):
        start(conf, modules)


def test_a_text_that_is_no_expression_is_the_name_of_everybody(start):
    server = start('SignedSession On\n<Location "/a">\nSignedSessionSet user REMOTE_USER\n</Location>', files={'htdocs/a': 'x'})
    assert stored(server.request('GET', '/a')) == {'user': 'REMOTE_USER'}


def test_the_login_of_the_readme(start):
    conf, = [block for block in re.findall(r'^```apache\n(.*?)^```$', (TOP / 'README.md').read_text(), re.M | re.S) if 'AuthType Form' in block]
    server = start('SignedSession On\n' + conf.replace('/etc/apache2/', '{dir}/').replace('/var/log/apache2/', '{dir}/logs/'),
                   'alias auth_form authn_core authn_file authz_user request',
                   {'htdocs/members/page': 'members only', 'htdocs/admin/page': 'for admins', 'htdocs/form.html': FORM_PAGE,
                    'logs/.keep': '', 'users': password_file('alice')})
    server.allow(*DENIALS)
    visitor = Jar(server)
    path, page = enter(visitor, '/members/page')
    assert (path, page.status, page.text) == ('/login?return=/members/page', 401, FORM_PAGE)
    right = visitor.request('POST', path, FORM, urlencode({'httpd_username': 'alice', 'httpd_password': 'right'}))
    assert (right.status, right.get('Location'), stored(right)) == (303, '/members/page', {'user': 'alice'})
    assert enter(visitor, '/members/page')[1].text == 'members only'
    assert visitor.request('GET', '/admin/page').status == 403
    assert server.request('GET', '/admin/page', cookie=native({'role': 'admin'})).text == 'for admins'
    assert visitor.request('GET', '/logout').cookie() == ''
    assert ' alice [' in (server.dir / 'logs/session.log').read_text()


def test_the_loop_of_the_documentation_with_basic(example):
    server = example('basic')
    visitor = Jar(server)
    path, page = enter(visitor, '/members/page')
    assert (path, page.status) == ('/login?return=/members/page', 401)
    right = visitor.request('GET', path, {**NAVIGATE, **basic('alice')})
    assert (right.status, stored(right)) == (303, {'user': 'alice'})
    assert enter(visitor, right.get('Location'))[1].text == 'members only'


@pytest.mark.parametrize('roles, may', [('author, editor', True), ('editor', True), ('author', False), ('', False)])
def test_the_loop_of_the_documentation_with_a_database(example, tmp_path, roles, may):
    with sqlite3.connect(tmp_path / 'users.sqlite') as users:
        users.execute('CREATE TABLE users (name TEXT, password TEXT, roles TEXT)')
        users.execute('INSERT INTO users VALUES (?, ?, ?)', ('alice', password_file('alice').split(':')[1].strip(), roles))
    users.close()
    server = example('database', **{'users.sqlite': (tmp_path / 'users.sqlite').read_bytes()})
    server.allow(*DENIALS)
    visitor = Jar(server)
    path, page = enter(visitor, '/members/page')
    assert (path, page.status) == ('/login?return=/members/page', 401)
    right = visitor.request('GET', path, {**NAVIGATE, **basic('alice')})
    assert stored(right)['user'] == 'alice'
    assert enter(visitor, right.get('Location'))[1].status == (200 if may else 403)


LOGIN_CGI = '''#!/bin/sh
if [ "$REQUEST_METHOD" = POST ]; then
    cat > /dev/null
    printf 'Status: 303\\r\\nLocation: http://%s/welcome?%s\\r\\n' "$HTTP_HOST" "$QUERY_STRING"
    printf 'X-Session-Update: {"user":"alice"}\\r\\n\\r\\n'
else
    printf 'Content-Type: text/html\\r\\n\\r\\n<form method="post"><button>Log in</button></form>'
fi
'''


def test_the_loop_of_the_documentation_with_a_script(example):
    server = example('script', **{'cgi/login.cgi': LOGIN_CGI})
    visitor = Jar(server)
    path, page = enter(visitor, '/members/page')
    assert (path, page.status) == ('/login?return=/members/page', 200)
    response = visitor.request('POST', path, FORM, 'a=b')
    assert (response.status, response.get('Location')) == (303, server.url('/welcome?return=/members/page'))
    back, page = enter(visitor, '/welcome?return=/members/page')
    assert (back, page.text) == ('/members/page', 'members only')


def test_the_user_of_the_documentation(example):
    server = example('the user')
    server.allow(*DENIALS)
    refused = server.request('GET', '/members/page', NAVIGATE)
    assert (refused.status, refused.get('WWW-Authenticate')) == (401, 'Session realm="members"')
    page = server.request('GET', '/members/page', cookie=ALICE)
    assert (page.text, page.get('Cache-Control')) == ('members only', 'private')


@pytest.mark.parametrize('seconds, status', [(590, 200), (610, 303)])
def test_the_fresh_login_of_the_documentation(example, seconds, status):
    server = example('fresh', **{'htdocs/account/password': 'change it'})
    server.allow(*DENIALS)
    response = server.request('GET', '/account/password', NAVIGATE, cookie=native({'user': 'alice'}, created=int(time.time()) - seconds))
    assert response.status == status
    assert response.get('Location') == (None if status == 200 else '/login?return=/account/password')


def test_the_fresh_login_of_the_documentation_after_a_login(example):
    """Whose login is too old logs in once more, and is let in."""
    conf = examples()
    server = example('fresh', f'{MODULES} authn_dbd dbd', **{'htdocs/account/password': 'change it'}, more=conf['basic'])
    server.allow(*DENIALS)
    visitor = Jar(server)
    visitor.keep(native({'user': 'alice', 'cart': 1}, created=int(time.time()) - 3600))
    path, page = enter(visitor, '/account/password')
    assert (path, page.status) == ('/login?return=/account/password', 401)
    right = visitor.request('GET', path, {**NAVIGATE, **basic('alice')})
    assert stored(right) == {'user': 'alice', 'cart': 1}
    assert enter(visitor, right.get('Location'))[1].text == 'change it'


@pytest.mark.parametrize('minutes, form, query', [(20, 'members only', None), (40, 'it has ended', '?ended=yes&return=/members/page'),
                                                  (None, FORM_PAGE, '?return=/members/page')])
def test_the_login_that_has_ended_of_the_documentation(example, minutes, form, query):
    server = example('ended', **{'htdocs/ended.html': 'it has ended'})
    server.allow(*DENIALS)
    visitor = Jar(server)
    if minutes:
        then = int(time.time()) - 60 * minutes
        visitor.keep(native({'user': 'alice'}, created=then, renewed=then))
    path, page = enter(visitor, '/members/page')
    assert (path, page.text) == (f'/login{query}' if query else '/members/page', form)
    if query:
        body = urlencode({'httpd_username': 'alice', 'httpd_password': 'right'})
        wrong = visitor.request('POST', path, FORM, body.replace('right', 'wrong'))
        assert (wrong.status, wrong.text, wrong.cookie()) == (401, form, None)
        right = visitor.request('POST', path, FORM, body)
        assert (right.status, right.get('Location'), stored(right)) == (303, '/members/page', {'user': 'alice'})
        assert 'Max-Age' not in right.get('Set-Cookie')


@pytest.mark.parametrize('says', [{'Sec-Fetch-Site': 'cross-site'}, {'Origin': 'https://evil.example'}, {'Origin': 'null'}])
@pytest.mark.parametrize('name', ['form', 'script', 'ended'])
def test_no_login_of_the_documentation_is_another_sites(example, name, says):
    """Over plain http, and from browsers before 2023, Origin alone says where a form comes from."""
    server = example(name, **{'cgi/login.cgi': LOGIN_CGI})
    server.expect('SS0209')
    body = urlencode({'httpd_username': 'alice', 'httpd_password': 'right'})
    response = server.request('POST', '/login?return=/members/page', {**FORM, **says}, body)
    assert (response.status, response.set_cookies()) == (403, [])


def test_every_form_of_the_documentation_is_guarded():
    """But for the guide, which guards the whole site in a step of its own."""
    pages = [TOP / 'README.md', *(path for path in (TOP / 'docs').glob('*.md') if path.name != 'guide.md')]
    configurations = re.findall(r'^```apache\n(.*?)^```$', ''.join(path.read_text() for path in pages), re.M | re.S)
    forms = [text for text in configurations if 'AuthFormProvider' in text]
    assert len(forms) > 5 and all('SignedSessionGuard On' in text for text in forms)


def test_the_handler_of_a_form_answers_itself(server):
    server.allow(*DENIALS)
    visitor = Jar(server)
    body = urlencode({'httpd_username': 'alice', 'httpd_password': 'right'})
    response = visitor.request('POST', '/handler?return=/members/', FORM, body)
    assert (response.status, response.get('Location')) == (302, '/welcome?return=/file.txt')
    wrong = visitor.request('POST', '/handler?return=/members/', FORM, body.replace('right', 'wrong'))
    assert wrong.status == 302 and '/login' in wrong.get('Location')


def test_a_browser_without_cookies_is_told_so(server):
    """Instead of the login page again and again."""
    server.expect('SS0213')
    assert ask(server, '/welcome?return=/members/file.txt', NAVIGATE).status == 403


# --- what a login leaves -----------------------------------------------------------------------------


def identity(response):
    after = opened(response)
    return after.id, after.created, after.counter


OLD = 1790000000


def test_nobody_becomes_somebody(server):
    """Whoever planted the session before the login has no part in what follows."""
    before = Native({'cart': 1}, created=OLD)
    after = opened(ask(server, '/set', {'X-User': 'alice'}, f'session={before.seal()}'))
    assert after.data == {'cart': 1, 'user': 'alice'}
    assert after.id != before.id and after.created > OLD and after.counter == 1


def test_somebody_becomes_somebody_else(server):
    before = Native({'user': 'alice', 'cart': 1, 'role': 'admin'}, created=OLD)
    after = opened(ask(server, '/set', {'X-User': 'bob'}, f'session={before.seal()}'))
    assert after.data == {'user': 'bob'}
    assert after.id != before.id and after.created > OLD and after.counter == 1


def test_the_same_is_no_change_but_where_a_login_leads_back(server):
    before = Native({'user': 'alice', 'cart': 1}, created=OLD)
    cookie = f'session={before.seal()}'
    assert ask(server, '/set', {'X-User': 'alice'}, cookie).set_cookies() == []
    after = opened(ask(server, '/in', basic('alice'), cookie))
    assert after.data == {'user': 'alice', 'cart': 1}
    assert after.id != before.id and after.created > OLD and after.counter == 1


def test_what_only_the_session_says_is_no_login(server):
    """Else whoever has an old session could make it a fresh one."""
    assert ask(server, '/own/file.txt', {}, native({'user': 'alice'}, created=OLD)).set_cookies() == []


SUBJECT = '''
SignedSession On
SignedSessionSubject who
<Location "/session">
    SetHandler signed-session
    SignedSessionWritable who theme user
</Location>
<Location "/list">
    SignedSessionSet groups %{HTTP:X-Groups} split=,
    SignedSessionSet long %{HTTP:X-Long} "split= :: "
</Location>
<Location "/anew">
    SignedSessionClear Before cart theme
    SignedSessionSet who %{HTTP:X-User}
</Location>
<Location "/admin">
    Require signed-session groups admin
</Location>
'''


@pytest.fixture(scope='module')
def subject():
    with Server(SUBJECT, 'alias headers', {f'htdocs/{page}/file.txt': 'x' for page in ('list', 'anew', 'admin')}) as one:
        yield one


JSON = {'Content-Type': 'application/json'}


@pytest.mark.parametrize('before, method, path, body, want, is_new', [
    ({'cart': 1}, 'PUT', '/session/who', '"bob"', {'cart': 1, 'who': 'bob'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'PUT', '/session/who', '"bob"', {'who': 'bob'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'POST', '/session', '{"theme":"dark","who":"bob"}', {'theme': 'dark', 'who': 'bob'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'DELETE', '/session/who', None, {'role': 'admin'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'PUT', '/session/who', '["bob"]', {'who': ['bob'], 'role': 'admin'}, True),
    ({'who': 'alice', 'role': 'admin'}, 'PUT', '/session/user', '"bob"', {'who': 'alice', 'role': 'admin', 'user': 'bob'}, False)])
def test_whoever_changes_the_subject(subject, before, method, path, body, want, is_new):
    held = Native(before, created=OLD)
    after = opened(subject.request(method, path, JSON, body, cookie=f'session={held.seal()}'))
    assert after.data == want
    assert (after.id != held.id, after.created > OLD, after.counter == 1) == (is_new, is_new, is_new)


def test_a_new_subject_opens_no_other_key(subject):
    response = subject.request('POST', '/session', JSON, '{"role":"admin","who":"bob"}', cookie=native({'who': 'alice'}))
    assert (response.status, response.set_cookies()) == (403, [])


@pytest.mark.parametrize('headers, want', [
    ({'X-Groups': 'admin, staff ,,'}, {'groups': ['admin', 'staff']}), ({'X-Groups': 'admin'}, {'groups': ['admin']}),
    ({'X-Groups': ' , '}, None), ({}, None), ({'X-Long': 'a,b :: c::d ::  :: e'}, {'long': ['a,b', 'c::d', 'e']}),
    ({'X-Groups': 'a,\xff'}, None)])
def test_lists(subject, headers, want):
    response = subject.request('GET', '/list/file.txt', headers)
    assert stored(response) == want


def test_a_list_of_groups_is_what_require_looks_for(subject):
    subject.allow('AH01630')
    visitor = Jar(subject)
    assert visitor.request('GET', '/admin/file.txt').status == 403
    visitor.request('GET', '/list/file.txt', {'X-Groups': 'staff,admin'})
    assert visitor.request('GET', '/admin/file.txt').status == 200
    assert visitor.request('GET', '/list/file.txt', {'X-Groups': 'staff,admin'}).set_cookies() == []


@pytest.mark.parametrize('before, want', [
    ({'cart': [1, 2.50], 'theme': 'dark', 'role': 'admin'}, {'cart': [1, 2.5], 'theme': 'dark', 'who': 'alice'}),
    ({'role': 'admin'}, {'who': 'alice'}), ({'who': 'alice', 'cart': 1, 'role': 'admin'}, {'cart': 1, 'who': 'alice'}),
    ({'who': 'bob', 'cart': 1, 'role': 'admin'}, {'who': 'alice'})])
def test_some_keys_outlive_a_login_but_not_another_ones(subject, before, want):
    held = Native(before, created=OLD)
    after = opened(subject.request('GET', '/anew/file.txt', {'X-User': 'alice'}, cookie=f'session={held.seal()}'))
    assert after.data == want
    assert after.id != held.id and after.created > OLD and after.counter == 1


# --- caches ------------------------------------------------------------------------------------------


@pytest.mark.parametrize('quick', ['On', 'Off'])
def test_a_cache_keeps_nothing_of_it(start, quick):
    server = start(f'''
        CacheRoot "{{dir}}/cache"
        CacheEnable disk /
        CacheQuickHandler {quick}
        CacheDefaultExpire 3600
        ExpiresActive On
        ExpiresDefault "access plus 1 hour"
        {CONF}''', f'{MODULES} autoindex cache cache_disk', {**FILES, 'cache/.keep': ''})
    (server.dir / 'cache').chmod(0o777)
    for cookie, want in ((None, 303), (ALICE, 200), (None, 303), (native({'user': 'bob'}), 200), (None, 303)):
        assert ask(server, '/members/file.txt', NAVIGATE, cookie).status == want
    for cookie, want in ((ALICE, 303), (None, 403), (ALICE, 303)):
        server.allow('SS0213')
        assert ask(server, '/welcome', cookie=cookie).status == want
    assert not [path for path in (server.dir / 'cache').rglob('*.header') if b'members' in path.read_bytes() or b'welcome' in path.read_bytes()]


@pytest.mark.parametrize('path, asked', [('/home', '/home/'), ('/home/', '/home'), ('/home?ok=1', '/home'), ('/a%20b/', '/a%20b/')])
def test_a_way_back_that_leads_here_is_no_loop(start, path, asked):
    """mod_dir adds a slash, a query is no other page, and a path may be encoded."""
    folder = asked.strip('/').replace('%20', ' ')
    server = start(f'SignedSession On\nDirectoryIndex index.txt\n<Location "/">\nSignedSessionReturn return "{path}"\n</Location>',
                   'dir', {f'htdocs/{folder}/index.txt': 'home'})
    seen = asked
    for _ in range(2):
        response = server.request('GET', seen, cookie=native({'user': 'alice'}))
        seen = (response.get('Location') or '').removeprefix(server.url('').rstrip('/')) or seen
        if response.status == 200:
            break
    assert (response.status, response.text) == (200, 'home')


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


def test_a_session_without_the_user_is_not_blamed_on_the_browser(start):
    server = start('''
        SignedSession On
        <Location "/login">
            SignedSessionSet login alice
            SignedSessionReturn return
        </Location>''', files={'htdocs/login': 'x'})
    response = server.request('GET', '/login?return=/file.txt')
    assert (response.status, 'browser' in response.text) == (403, False)
    server.expect('SS0213: SignedSessionReturn leads nobody back: there is a session, but it names no user in its key "user"')


BY_HTTP = {'Upgrade-Insecure-Requests': '1', 'Accept': 'text/html'}


@pytest.mark.parametrize('what, headers, told', [
    ('a browser by http', {}, True), ('a browser that trusts the way', {'Sec-Fetch-Site': 'none'}, False),
    ('behind a proxy that ends TLS', {'X-Forwarded-Proto': 'https'}, False), ('no browser', {'Upgrade-Insecure-Requests': '0'}, False)])
def test_a_cookie_that_no_browser_keeps_is_told_of(start, what, headers, told):
    """Otherwise whoever logs in is asked again and again, and no line says why."""
    server = start('SignedSession On\nSignedSessionCookie __Host-session Secure=on\n<Location "/in">\nSignedSessionSet user a\n'
                   '</Location>', files={'htdocs/in': 'x'})
    for _ in range(3):
        assert server.request('GET', '/in', {**BY_HTTP, **headers}).get('Set-Cookie')
    assert server.error_log().count('SS0313') == (1 if told else 0)
    if told:
        server.expect('SS0313')
