# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""docs/php.md: its configurations and its scripts, run by php-fpm."""

import re

import pytest

from common import FORM, NAVIGATE, TOP
from cookies import Native, native, opened
from harness import Jar, Server
from pages import here, printed
from servers import Php

pytestmark = pytest.mark.once

FPM, WORDPRESS, ADDRESS = 'PHP through php-fpm', 'WordPress', 'Which address counts'
MODULES = 'alias dir rewrite proxy proxy_fcgi authn_core authz_user'
DENIED = 'AH01630'
ALICE = native({'user': 'alice'})
# Each header that it is asked for, and then what it knows.
SHOW = '''<?php
    header('Content-Type: application/json');
    if (isset($_GET['start'])) session_start();
    echo str_repeat(' ', (int) ($_GET['blanks'] ?? 0));
    if (isset($_GET['update'])) @header('X-Session-Update: ' . $_GET['update']);
    if (isset($_GET['keys'])) header('X-Session-Update: ' . json_encode([]));
    echo json_encode(['server' => $_SERVER, 'env' => getenv(), 'cookies' => $_COOKIE]);
'''


@pytest.fixture(scope='module')
def php():
    with Php() as one:
        yield one


def site(php, heading, number=0, more='', files=()):
    conf = here(printed('php')[heading][number], {'/run/php/php8.2-fpm.sock': str(php.path)}).replace('/var/www/html', '{dir}/htdocs')
    return Server(conf + more, MODULES, {'htdocs/show.php': SHOW, **dict(files)})


def server_of(response):
    """PHP's $_SERVER."""
    assert response.status == 200, response.text
    return response.json()['server']


def test_every_configuration_of_the_page_is_started_here():
    assert {heading: len(found) for heading, found in printed('php').items()} == {FPM: 2, WORDPRESS: 2, ADDRESS: 1}
    assert {heading: len(found) for heading, found in printed('php', 'php').items()} == {FPM: 1, WORDPRESS: 1}


# --- php-fpm -------------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def fpm(php):
    files = {'htdocs/index.php': printed('php', 'php')[FPM][0], 'htdocs/members/a.txt': 'x', 'htdocs/members/show.php': SHOW}
    with site(php, FPM, files=files) as one:
        yield one


def test_the_script_of_the_page_counts(fpm):
    visitor = Jar(fpm)
    for number in (1, 2):
        assert visitor.request('GET', '/').text == f'Hello, nobody. This is visit {number}.\n'
    page = fpm.request('GET', '/', cookie=native({'user': '<b>', 'visits': 6}))
    assert page.text == 'Hello, &lt;b&gt;. This is visit 7.\n' and opened(page).data == {'user': '<b>', 'visits': 7}


def test_what_php_sees(fpm):
    answer = fpm.request('GET', '/show.php', cookie=f'{ALICE}; other=1').json()
    for where in ('server', 'env'):
        seen = answer[where]
        assert (seen['SESSION'], seen['SESSION_user'], seen['SIGNED_SESSION_STATE']) == ('{"user":"alice"}', 'alice', 'valid')
    assert answer['cookies'] == {'other': '1'}
    seen = server_of(fpm.request('GET', '/show.php'))
    assert (seen['SESSION'], seen['SIGNED_SESSION_STATE'], seen.get('SESSION_user')) == ('{}', 'none', None)


@pytest.mark.parametrize('name', ['Session-User', 'SESSION_user', 'Session.User', 'SESSION', 'Signed-Session-State'])
def test_what_a_client_sends_begins_with_http(fpm, name):
    forged = server_of(fpm.request('GET', '/show.php', {name: 'eve'}))
    honest = server_of(fpm.request('GET', '/show.php'))
    assert {key for key, value in forged.items() if value == 'eve'} <= {'HTTP_' + re.sub(r'\W', '_', name.upper())}
    for key in ('SESSION', 'SESSION_user', 'SIGNED_SESSION_STATE'):
        assert forged.get(key) == honest.get(key)


def test_what_php_may_change(fpm):
    def update(text):
        return fpm.request('GET', f'/show.php?update={text}', cookie=native({'user': 'alice', 'cart': 1}))

    assert opened(update('{"cart":null}')).data == {'user': 'alice'}
    assert update('null').cookie() == ''
    assert update('{"user":"eve"}').set_cookies() == []
    fpm.expect('SS0303')


def test_an_empty_array_is_no_update(fpm):
    assert fpm.request('GET', '/show.php?keys', cookie=ALICE).set_cookies() == []
    fpm.expect('SS0303')


@pytest.mark.parametrize('blanks, is_stored', [(0, True), (4000, True), (5000, False)])
def test_a_header_goes_before_the_output(fpm, blanks, is_stored):
    response = fpm.request('GET', f'/show.php?blanks={blanks}&update={{"cart":1}}', cookie=ALICE)
    assert (response.status, bool(response.set_cookies())) == (200, is_stored)


def test_phps_own_session_is_another_one(fpm):
    response = fpm.request('GET', '/show.php?start&update={"cart":1}', cookie=ALICE)
    assert len(response.set_cookies('PHPSESSID')) == 1 and opened(response).data == {'user': 'alice', 'cart': 1}


@pytest.mark.parametrize('path', ['/members/a.txt', '/members/show.php'])
def test_files_are_guarded_whoever_answers(fpm, path):
    fpm.allow(DENIED)
    assert fpm.request('GET', path).status == 403
    assert fpm.request('GET', path, cookie=native({'visits': 1})).status == 403
    assert fpm.request('GET', path, cookie=ALICE).status == 200


def test_a_file_that_is_none_to_httpd_is_not_guarded(start, php):
    conf = here(printed('php')[FPM][0], {'SetHandler "proxy:unix:/run/php/php8.2-fpm.sock|fcgi://localhost"': '',
                                         '/var/www/html': '{dir}/htdocs'})
    server = start(conf + 'ProxyPassMatch "^/(.*\\.php)$" "unix:{php}|fcgi://localhost{dir}/htdocs/$1"\n', MODULES,
                   {'htdocs/members/show.php': SHOW}, php=php.path)
    assert 'SESSION' not in server_of(server.request('GET', '/members/show.php'))


def test_the_header_in_the_place_of_variables(php):
    with site(php, FPM, 1) as server:
        seen = server_of(server.request('GET', '/show.php', cookie=ALICE))
        assert seen['HTTP_X_SESSION'] == '{"user":"alice"}' and 'SESSION' not in seen
        for name in ('X-Session', 'x_session', 'X.Session'):
            seen = server_of(server.request('GET', '/show.php', {name: '{"user":"eve"}'}))
            assert not [key for key, value in seen.items() if 'eve' in str(value)], name


# --- WordPress -----------------------------------------------------------------------------------

# The hooks of WordPress, which it calls at a login and a logout, and the pages that do so.
HOOKS = '''<?php
    $hooks = [];
    function add_action($name, $function, $priority = 10, $arguments = 1) {
        global $hooks;
        $hooks[$name] = fn(...$words) => $function(...array_slice($words, 0, $arguments));
    }
    function get_userdata($id) { return (object) ['user_login' => [7 => 'alice'][$id]]; }
    require __DIR__ . '/wp-content/mu-plugins/signed-session.php';
    if (isset($_POST['log'])) $hooks['set_logged_in_cookie']('x', 0, 0, 7, 'logged_in', 'x');
    if (isset($_POST['asks_for_a_code'])) $hooks['clear_auth_cookie']();
    if (($_GET['action'] ?? '') === 'logout') $hooks['clear_auth_cookie']();
    header('Content-Type: application/json');
    echo json_encode(['server' => $_SERVER]);
'''
MEMBERS = '/wp-content/uploads/members/a.txt'


@pytest.fixture(scope='module')
def wordpress(php):
    files = {'htdocs/.htaccess': printed('php')[WORDPRESS][1], 'htdocs/wp-content/mu-plugins/signed-session.php':
             printed('php', 'php')[WORDPRESS][0], 'htdocs/wp-login.php': HOOKS, 'htdocs/index.php': HOOKS,
             f'htdocs{MEMBERS}': 'x', 'htdocs/wp-content/uploads/a.txt': 'x'}
    with site(php, WORDPRESS, files=files) as one:
        one.allow(DENIED)
        yield one


def log_in(visitor, path='/wp-login.php', headers=()):
    return visitor.request('POST', path, {**FORM, **dict(headers)}, 'log=alice')


def test_the_login_of_wordpress_opens_files(wordpress):
    wordpress.allow(DENIED)
    visitor = Jar(wordpress)
    assert [visitor.request('GET', path).status for path in (MEMBERS, '/wp-content/uploads/a.txt')] == [403, 200]
    log_in(visitor)
    assert visitor.request('GET', MEMBERS).status == 200
    assert visitor.request('GET', '/wp-login.php?action=logout').cookie() == ''
    assert visitor.request('GET', MEMBERS).status == 403


def test_a_password_is_no_login_where_a_plugin_asks_for_a_code(wordpress):
    wordpress.allow(DENIED)
    visitor = Jar(wordpress)
    assert visitor.request('POST', '/wp-login.php', FORM, 'log=alice&asks_for_a_code=1').set_cookies() == []
    assert visitor.request('GET', MEMBERS).status == 403


@pytest.mark.parametrize('before, after', [({'cart': 1}, {'cart': 1, 'user': 'alice'}), ({'user': 'bob', 'cart': 1}, {'user': 'alice'})])
def test_what_a_login_leaves(wordpress, before, after):
    visitor, cookie = Jar(wordpress), Native(before)
    visitor.keep(f'session={cookie.seal()}')
    now = opened(log_in(visitor))
    assert now.data == after and now.id != cookie.id


def test_pretty_addresses_know_the_session(wordpress):
    for path in ('/2026/11/hello', '/', '/index.php'):
        seen = server_of(wordpress.request('GET', path, cookie=ALICE))
        assert (seen['SESSION_user'], seen['SCRIPT_NAME'], seen['REQUEST_URI']) == ('alice', '/index.php', path)
        assert not [name for name in seen if name.startswith('REDIRECT_SESSION')]


def test_a_login_is_believed_from_one_page(wordpress):
    wordpress.allow(DENIED, 'SS0303')
    for path in ('/', '/index.php', '/my-account'):
        assert log_in(Jar(wordpress), path).set_cookies() == []


def test_another_site_logs_nobody_in(wordpress):
    wordpress.expect('SS0209')
    response = log_in(Jar(wordpress), headers={'Sec-Fetch-Site': 'cross-site'})
    assert (response.status, response.set_cookies()) == (403, [])


# --- rewriting -----------------------------------------------------------------------------------

VHOST = 'RewriteEngine On\nRewriteCond "%{DOCUMENT_ROOT}%{REQUEST_URI}" !-f\nRewriteRule . /index.php [{flag}]\n'
WAYS = {
    'rules in `.htaccess` or `<Directory>`': '<Directory "{dir}/htdocs">\nRewriteEngine On\nRewriteRule ^index\\.php$ - [L]\n'
                                             'RewriteRule . /index.php [L]\n</Directory>\n',
    '`FallbackResource /index.php`': 'FallbackResource /index.php\n',
    '`RewriteRule . /index.php [L]` in the virtual host': VHOST.replace('{flag}', 'L'),
    '`RewriteRule . /index.php [PT]` in the virtual host': VHOST.replace('{flag}', 'PT'),
}
AT_THE_ADDRESS = '''
    SignedSession On
    <FilesMatch "\\.php$">
        SetHandler "proxy:unix:{php}|fcgi://localhost"
    </FilesMatch>
    <Location "/members">
        AuthType signed-session
        Require valid-user
        SignedSessionEnv On
        SignedSessionUpdate X-Session-Update
    </Location>
'''


def rows():
    """The table of the page: the way, and what it says of it."""
    table = re.findall(r'^\| (.*) \|$', (TOP / 'docs/php.md').read_text().split(f'## {ADDRESS}')[1], re.M)
    return [[cell.strip() for cell in line.split('|')] for line in table[1:]]


def test_the_table_has_every_way():
    assert [row[0] for row in rows()] == list(WAYS)


@pytest.mark.parametrize('row', range(len(WAYS)), ids=['directory', 'fallback', 'L', 'PT'])
def test_which_sections_hold(php, row):
    way, keeps_out, reaches, user_in = rows()[row]
    with Server(WAYS[way] + AT_THE_ADDRESS, MODULES, {'htdocs/index.php': SHOW}, php=php.path) as server:
        stranger = server.request('GET', '/members/page')
        assert (stranger.status == 401) == (keeps_out == 'yes')
        assert (stranger.status == 200) == (keeps_out == '**no: it is open**')
        response = server.request('GET', '/members/page?update={"a":1}', cookie=ALICE)
        seen = server_of(response)
        assert ('SESSION' in seen, bool(response.set_cookies())) == ((True, True) if reaches == 'yes' else (False, False))
        assert [name for name in ('REMOTE_USER', 'REDIRECT_REMOTE_USER') if name in seen] == (
            [] if user_in == 'nowhere' else [user_in.strip('`')])
        assert response.get('X-Session-Update') is None


AT_THE_SCRIPT = '''
    SignedSession On
    <FilesMatch "\\.php$">
        SetHandler "proxy:unix:{php}|fcgi://localhost"
        SignedSessionEnv On
        SignedSessionUpdate X-Session-Update
    </FilesMatch>
'''


@pytest.mark.parametrize('way', WAYS.values(), ids=['directory', 'fallback', 'L', 'PT'])
def test_what_stands_at_the_script_holds_in_every_way(php, way):
    with Server(way + AT_THE_SCRIPT, MODULES, {'htdocs/index.php': SHOW}, php=php.path) as server:
        response = server.request('GET', '/shop/page?update={"a":1}', cookie=ALICE)
        assert server_of(response)['SESSION_user'] == 'alice' and opened(response).data == {'user': 'alice', 'a': 1}


def test_an_application_in_the_virtual_host(php):
    with site(php, ADDRESS, files={'htdocs/index.php': SHOW, 'htdocs/style.css': 'x'}) as server:
        assert server.request('GET', '/members/page', NAVIGATE).get('Location') == '/login?return=/members/page'
        assert server_of(server.request('GET', '/members/page', NAVIGATE, cookie=ALICE))['REMOTE_USER'] == 'alice'
        assert server_of(server.request('GET', '/shop', cookie=ALICE))['SESSION_user'] == 'alice'
        assert server_of(server.request('GET', '/login'))['SESSION'] == '{}'
        assert server.request('GET', '/style.css').text == 'x'
