# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionReturn: the way back from a login."""

import pytest

from common import NAVIGATE, basic, password_file, stored
from cookies import native
from harness import Server
from login_pages import ALICE, MODULES, OWN, PASSWORD, WELCOME, ask

CONF = f'''
SignedSession On
{WELCOME}{PASSWORD}{OWN}''' + '''
Alias /welcome/not/ "{dir}/elsewhere/"
<Directory "{dir}/elsewhere">
    Require all granted
</Directory>
<Location "/home">
    SignedSessionReturn return /home
</Location>
<Location "/small">
    SignedSessionReturn return
    SignedSessionSet user %{HTTP:X-User}
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
'''
FILES = {
    'htdocs/home/file.txt': 'x', 'htdocs/home/index.html': 'home', 'htdocs/own/file.txt': 'x', 'htdocs/small': 'x', 'htdocs/error/a': 'x',
    'elsewhere/file.txt': 'x', 'users': password_file('alice'),
}


@pytest.fixture(scope='module')
def server():
    with Server(CONF, MODULES, FILES, http2=True) as one:
        yield one


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


def test_a_browser_without_cookies_is_told_so(server):
    """Instead of the login page again and again."""
    server.expect('SS0213')
    assert ask(server, '/welcome?return=/members/file.txt', NAVIGATE).status == 403


def test_a_response_that_logs_in_leads_back(server, protocol):
    response = ask(server, '/in?return=/members/file.txt', basic('alice'), protocol=protocol)
    assert (response.status, response.get('Location'), stored(response)) == (303, '/members/file.txt', {'user': 'alice'})
    assert response.get('Cache-Control').split(', ').count('no-store') == 1
    wrong = ask(server, '/in?return=/members/file.txt', basic('alice', 'wrong'), protocol=protocol)
    assert (wrong.status, wrong.get('Location'), stored(wrong)) == (401, None, None)


@pytest.mark.in_cookie('its size')
def test_one_that_does_not_fit_does_not(server):
    server.expect('SS0213')
    assert ask(server, '/small?return=/file.txt', {'X-User': 'x' * 4000}).status == 403
    assert ask(server, '/small?return=/file.txt', {'X-User': 'x'}).status == 303


def test_neither_for_an_error_document_nor_for_options(server):
    assert ask(server, '/error/missing', cookie=ALICE).status == 404
    assert ask(server, '/small', method='OPTIONS', cookie=ALICE).status == 200


def test_a_body_that_is_none_leads_nobody_anywhere(server):
    """Nor is its sender told what is missing, nor the log."""
    head = 'POST /welcome?return=/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n'
    server.allow('AH01590')
    wrong = server.raw(f'{head}\r\nno chunk\r\n'.encode())
    assert (wrong.status, wrong.get('Location')) == (400, None)
    right = server.raw(f'{head}Cookie: {ALICE}\r\n\r\n1\r\nx\r\n0\r\n\r\n'.encode())
    assert (right.status, right.get('Location')) == (303, '/a')


def test_connect_asks_for_no_page_so_it_is_not_there_yet(start):
    server = start('SignedSession On\n<Location "/">\nSignedSessionReturn return /\n</Location>')
    response = server.raw(f'CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\nCookie: {ALICE}\r\nConnection: close\r\n\r\n'.encode())
    assert (response.status, response.get('Location')) == (303, '/')


def test_where_sessions_are_off_it_is_an_error_with_the_fix(server):
    server.expect('SS0214: SignedSessionReturn leads nobody back, because sessions are off here: add "SignedSession On"')
    assert ask(server, '/off', cookie=ALICE).status == 500


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
