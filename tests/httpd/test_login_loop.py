# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The whole way through a login: the page, the login, the page again, as docs/login.md and README.md show it."""

import re
import sqlite3
import time
from urllib.parse import urlencode, urlsplit

import pytest

from common import FORM, NAVIGATE, TOP, basic, password_file, stored
from cookies import Native, native
from harness import Jar, Server, StartError, configtest
from login_pages import ALICE, DENIALS, MEMBERS, MODULES, WELCOME, ask, enter

CONF = f'''
SignedSession On
{MEMBERS}{WELCOME}''' + '''
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
'''
FILES = {'htdocs/members/file.txt': 'x', 'htdocs/login': 'a form', 'htdocs/form': 'x', 'users': password_file('alice')}


@pytest.fixture(scope='module')
def server():
    with Server(CONF, MODULES, FILES) as one:
        yield one


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
    assert enter(visitor, response.get('Location'))[1].text == 'x'


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


def test_the_loop_of_the_documentation_with_a_form(example):
    """Without mod_session; the password is kept nowhere."""
    server = example('form', 'auth_form authn_core authn_file authz_user request')
    server.allow(*DENIALS)
    visitor = Jar(server)
    visitor.keep(f'session={Native({"cart": 1, "role": "x"}).seal()}')
    path, page = enter(visitor, '/members/page?a=b')
    assert (path, page.status, page.text) == ('/login?return=/members/page%3Fa%3Db', 401, FORM_PAGE)
    names = re.findall(r'<input name="(\w+)"', FORM_PAGE)
    wrong = visitor.request('POST', path, FORM, urlencode(dict(zip(names, ('alice', 'wrong')))))
    assert (wrong.status, wrong.text, wrong.set_cookies()) == (401, FORM_PAGE, [])
    right = visitor.request('POST', path, FORM, urlencode(dict(zip(names, ('alice', 'right')))))
    assert (right.status, right.get('Location'), stored(right)) == (303, '/members/page?a=b', {'cart': 1, 'user': 'alice'})
    assert list(visitor.cookies) == ['session']
    assert enter(visitor, right.get('Location'))[1].text == 'members only'


OTHER_SITE = {'Origin': 'https://evil.test', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate'}
OWN_PAGE = {'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'navigate'}
RIGHT = urlencode({'httpd_username': 'alice', 'httpd_password': 'right'})


@pytest.mark.parametrize('name', ['form', 'script', 'ended'])
def test_no_form_of_the_documentation_logs_in_for_another_site(example, name):
    """It would be as somebody of that site's choice."""
    server = example(name, **{'cgi/login.cgi': LOGIN_CGI, 'htdocs/ended.html': FORM_PAGE})
    server.allow(*DENIALS)
    forged = server.request('POST', '/login', {**FORM, **OTHER_SITE}, RIGHT)
    assert (forged.status, forged.set_cookies()) == (403, [])
    server.expect('SS0209')
    assert stored(server.request('POST', '/login', {**FORM, **OWN_PAGE}, RIGHT)) == {'user': 'alice'}
    assert server.request('GET', '/login', OTHER_SITE).status in (200, 401)  # a link to it


def test_what_a_script_would_do_without_the_guard(start):
    """Nothing else refuses another site: the script has checked the password."""
    conf = examples()['script'].replace('/usr/lib/cgi-bin/', '{dir}/cgi/').replace('SignedSessionGuard On', '')
    server = start(conf, MODULES, {'cgi/login.cgi': LOGIN_CGI})
    assert stored(server.request('POST', '/login', {**FORM, **OTHER_SITE}, RIGHT)) == {'user': 'alice'}


@pytest.mark.parametrize('login', ['form', 'ended'])
def test_the_form_must_be_there(example, login):
    """What httpd says does not tell it from one that is guarded."""
    server = example(login)
    server.allow(*DENIALS)
    (server.dir / 'htdocs/form.html').unlink()
    assert 'Additionally, a 401' in server.request('GET', '/login', NAVIGATE).text


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


@pytest.mark.parametrize('quick', ['On', 'Off'])
def test_a_cache_keeps_nothing_of_it(start, quick):
    server = start(f'''
        CacheRoot "{{dir}}/cache"
        CacheEnable disk /
        CacheQuickHandler {quick}
        CacheDefaultExpire 3600
        ExpiresActive On
        ExpiresDefault "access plus 1 hour"
        {CONF}''', f'{MODULES} cache cache_disk', {**FILES, 'cache/': ''})
    for cookie, want in ((None, 303), (ALICE, 200), (None, 303), (native({'user': 'bob'}), 200), (None, 303)):
        assert ask(server, '/members/file.txt', NAVIGATE, cookie).status == want
    for cookie, want in ((ALICE, 303), (None, 403), (ALICE, 303)):
        server.allow('SS0213')
        assert ask(server, '/welcome', cookie=cookie).status == want
    assert not [path for path in (server.dir / 'cache').rglob('*.header') if b'members' in path.read_bytes() or b'welcome' in path.read_bytes()]
