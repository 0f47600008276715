# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The site of docs/guide.md, which is the site of scripts/demo: its real configuration and its real files.

And what holds for all configurations that the documentation prints; that httpd takes them is for test_blocks.py to say.
"""

import contextlib
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from common import DAY, FORM, JSON, NAVIGATE, TOP
from cookies import Native, native, opened
from debian import MODULES_ON, PULLED_IN
from harness import Jar, Server, cgi_module
from scenes import pattern_of

pytestmark = pytest.mark.once

DEMO = TOP / 'conf/demo'
GUIDE = TOP / 'docs/guide.md'
MODULES = 'alias auth_form authn_core authn_file authz_groupfile authz_host authz_user dir env headers include proxy proxy_http request'
WRONG_PASSWORDS = ['AH01807', 'AH01808', 'AH01811']
NOT_OF_THE_GROUP = 'AH01631'
DENIED = 'AH01630'
HOUR = 3600  # seconds


class Demo(Server):
    """The demo's configuration, as the script starts it."""

    def __init__(self, app_port):
        files = {str(path.relative_to(DEMO)): path.read_bytes()
                 for path in DEMO.rglob('*') if path.is_file() and path.name != 'httpd.conf'}
        super().__init__((DEMO / 'httpd.conf').read_text(), f'{MODULES} {cgi_module()}', files,
                         env={'PATH': f'{Path(sys.executable).parent}:/usr/bin:/bin'})
        self.app_port = app_port

    def preamble(self):
        """What the file says itself, the harness does not."""
        said = {line.split()[0] for line in self.conf.splitlines() if line.strip()}
        return ''.join(line for line in super().preamble().splitlines(keepends=True) if line.split()[0] not in said) + (
            f'Define DEMO_DIR "{self.dir}"\nDefine DEMO_PORT {self.port}\nDefine DEMO_APP_PORT {self.app_port}\n')

    def access_log(self):
        return (self.dir / 'access.log').read_text()


@contextlib.contextmanager
def application():
    """The program behind mod_proxy: its port."""
    with subprocess.Popen([sys.executable, str(DEMO / 'app.py')], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture(scope='module')
def demo():
    with application() as port, Demo(port) as server:
        yield server


@pytest.fixture
def demo_of_this_test():
    """For what ends sessions of other tests, too."""
    with application() as port, Demo(port) as server:
        yield server


@pytest.fixture
def visitor(demo):
    return Jar(demo)


def log_in(visitor, user, password, headers=(), path='/login'):
    body = urlencode({'httpd_username': user, 'httpd_password': password})
    return visitor.request('POST', path, {**FORM, **dict(headers)}, body)


def alice(visitor):
    return log_in(visitor, 'alice', 'apple pie')


def bob(visitor):
    return log_in(visitor, 'bob', 'banana split')


def look(visitor, path):
    """Open a page as a browser does, without following where it leads."""
    return visitor.request('GET', path, NAVIGATE)


def leads_to_the_login(response, back):
    return (response.status, response.get('Location')) == (303, f'/login?return={back}')


def session_of(visitor):
    return Native.open(visitor.session).data if visitor.session else None


# --- what everybody sees ---------------------------------------------------------------------


def test_every_link_of_the_start_page_leads_somewhere(visitor):
    page = visitor.request('GET', '/')
    assert (page.status, page.get('Content-Type')) == (200, 'text/html; charset=utf-8')
    links = re.findall(r'(?:href|src)="(/[^"]*)"', page.text)
    assert {'/login', '/members/', '/admin/', '/app/', '/counter', '/session', '/session-metrics', '/style.css', '/start.js', '/icon.svg'} <= set(links)
    alice(visitor)
    links += re.findall(r'(?:href|src)="(/[^"]*)"', visitor.request('GET', '/').text)
    assert '/logout' in links
    for link in links:
        response = visitor.request('GET', link)
        assert response.status == {'/logout': 302, '/login': 401, '/login?return=/': 401}.get(link, 200), link
        if link == '/logout':
            alice(visitor)


def test_the_start_page_shows_who_is_there(demo, visitor):
    page = visitor.request('GET', '/')
    assert 'You are not logged in' in page.text and '<dt>your cookie<dd>none' in page.text
    bob(visitor)
    page = visitor.request('GET', '/')
    assert 'You are <b>bob</b>' in page.text and '<dt>your cookie<dd>valid' in page.text
    page = demo.request('GET', '/', cookie='session=x')
    assert 'You are not logged in' in page.text and '<dt>your cookie<dd>malformed' in page.text


def test_script_and_style_are_in_files_and_nothing_else_is_permitted(demo, visitor):
    """Also on pages that explain a refusal. The start page alone has any script."""
    demo.allow(NOT_OF_THE_GROUP)
    bob(visitor)
    for path in ('/', '/login', '/members/', '/admin/', '/app/', '/counter'):
        page = visitor.request('GET', path)
        assert '<title>' in page.text
        text = page.text.replace('<script src="/start.js" defer></script>', '') if path == '/' else page.text
        assert not re.search(r'<script|<style|javascript:|\son\w+=|\sstyle=', text), path
        policy = page.get('Content-Security-Policy')
        assert policy.startswith("default-src 'none'; ") and 'unsafe' not in policy and '*' not in policy, path
        assert page.get('X-Content-Type-Options') == 'nosniff', path


def test_the_counter_counts(visitor):
    for number in (1, 2):
        assert f'Visit number {number}' in visitor.request('GET', '/counter').text
    assert session_of(visitor) == {'visits': 2}


def test_pages_write_what_decides_nothing(visitor):
    assert visitor.request('PUT', '/session/theme', JSON, '"dark"').status == 201
    printed, = [text for text in blocks(GUIDE, 'text') if text.startswith('403 ')]
    refused = visitor.request('PUT', '/session/user', JSON, '"alice"')
    assert re.fullmatch(pattern_of(printed), f'{refused.status} {refused.text.strip()}')
    assert visitor.request('POST', '/session', FORM, 'user=alice').status == 403
    assert visitor.request('POST', '/session', FORM, 'key=hello').status == 200
    assert session_of(visitor) == {'theme': 'dark', 'key': 'hello'}


# --- login and logout --------------------------------------------------------------------------


@pytest.mark.parametrize('path, back', [
    ('/members', '/members'), ('/members/', '/members/'), ('/members/index.shtml', '/members/index.shtml'),
    ('/members/?a=b', '/members/%3Fa%3Db'), ('/admin/', '/admin/')])
def test_anonymous_visitors_are_sent_to_the_login_page(visitor, path, back):
    response = look(visitor, path)
    assert leads_to_the_login(response, back) and response.set_cookies() == []
    form = look(visitor, response.get('Location'))
    assert form.status == 401 and 'name="httpd_password"' in form.text and 'You are not logged in' in form.text
    assert not re.search(r'<form[^>]*action', form.text)
    for word in ('alice', 'apple pie', 'bob', 'banana split'):
        assert word in form.text


def test_what_is_no_page_is_not_sent_there(visitor):
    assert visitor.request('GET', '/members/').status == 401
    assert visitor.request('POST', '/members/', {**NAVIGATE, **FORM}, 'a=b').status == 401


@pytest.mark.parametrize('user, password', [('alice', 'banana split'), ('alice', ''), ('', ''), ('eve', ''),
                                            ('alice ', 'apple pie'), ('al\u00efce', '\u00e4pple pie')])
def test_a_wrong_password_stays_out(demo, visitor, user, password):
    demo.allow(*WRONG_PASSWORDS)
    response = log_in(visitor, user, password)
    assert (response.status, response.set_cookies()) == (401, [])
    assert 'another password' in response.text and 'name="httpd_password"' in response.text
    assert look(visitor, '/members/').status == 303


def test_what_was_typed_is_not_shown(demo, visitor):
    demo.allow(*WRONG_PASSWORDS)
    assert 'neverseen' not in log_in(visitor, '"><b>neverseen', 'neverseen').text


@pytest.mark.parametrize('path', ['/', '/login', '/members/', '/admin/', '/app/'])
def test_a_name_is_shown_as_text(demo, path):
    demo.allow(NOT_OF_THE_GROUP)
    response = demo.request('GET', path, cookie=native({'user': '<b>eve'}))
    assert '<b>eve' not in response.text and '&lt;b&gt;eve' in response.text


@pytest.mark.parametrize('log_in_as, name', [(alice, 'alice'), (bob, 'bob')])
def test_a_login(visitor, log_in_as, name):
    response = log_in_as(visitor)
    assert (response.status, response.get('Location')) == (303, '/members/')
    assert session_of(visitor) == {'user': name}
    page = look(visitor, '/members/')
    assert page.status == 200 and f'Hello, {name}' in page.text and '<code>signed-session</code>' in page.text
    assert page.get('Cache-Control') == 'private'
    assert f'You are {name}' in look(visitor, '/login').text


def test_a_login_leads_back_to_the_page_that_was_asked_for(demo, visitor):
    """Also after a wrong password: the form has no address of its own."""
    demo.allow(*WRONG_PASSWORDS)
    login = look(visitor, '/members/?a=b').get('Location')
    assert log_in(visitor, 'alice', 'wrong', path=login).status == 401
    response = log_in(visitor, 'alice', 'apple pie', path=login)
    assert (response.status, response.get('Location')) == (303, '/members/?a=b')
    assert look(visitor, '/members/?a=b').status == 200


def test_a_login_leads_to_no_other_site(visitor):
    assert log_in(visitor, 'alice', 'apple pie', path='/login?return=//evil.example/').get('Location') == '/members/'
    body = urlencode({'httpd_username': 'alice', 'httpd_password': 'apple pie', 'httpd_location': 'http://evil.example/'})
    assert visitor.request('POST', '/login', FORM, body).get('Location') == '/members/'


def test_a_login_begins_a_new_session(visitor):
    """Whatever was there before: a key, or an id that somebody may have planted."""
    bob(visitor)
    visitor.request('GET', '/counter')
    before = Native.open(visitor.session)
    after = opened(alice(visitor))
    assert (before.data, after.data) == ({'user': 'bob', 'visits': 1}, {'user': 'alice'})
    assert after.id != before.id and after.counter == 1


def test_nothing_of_the_previous_user_is_left(demo, visitor):
    demo.allow(NOT_OF_THE_GROUP)
    visitor.keep('session=' + Native({'user': 'alice', 'role': 'admin', 'cart': 1}).seal())
    assert look(visitor, '/admin/').status == 200
    bob(visitor)
    assert session_of(visitor) == {'user': 'bob'}
    assert look(visitor, '/admin/').status == 403


def test_a_login_keeps_the_cart(visitor):
    """But not somebody else's, and nothing else; the page says so."""
    visitor.request('PUT', '/session/cart', JSON, '["apple"]')
    visitor.request('PUT', '/session/theme', JSON, '"dark"')
    assert 'A cart that you filled before stays yours' in look(visitor, '/login').text
    alice(visitor)
    assert session_of(visitor) == {'cart': ['apple'], 'user': 'alice'}
    bob(visitor)
    assert session_of(visitor) == {'user': 'bob'}


def test_neither_a_look_at_the_login_page_nor_a_failure_ends_the_session(demo, visitor):
    demo.allow(*WRONG_PASSWORDS)
    alice(visitor)
    assert look(visitor, '/login').set_cookies() == []
    assert log_in(visitor, 'bob', 'wrong').set_cookies() == []
    assert session_of(visitor) == {'user': 'alice'}


@pytest.mark.parametrize('path', ['/login', '/app/', '/session', '/counter', '/cookie', '/cart/fill', '/logout/everywhere', '/logout/others'])
@pytest.mark.parametrize('site', ['cross-site', 'same-site'])
def test_forms_of_other_sites_stay_outside(demo, visitor, path, site):
    demo.allow('SS0209')
    body = urlencode({'httpd_username': 'alice', 'httpd_password': 'apple pie', 'note': 'x', 'key': 'x', 'do': 'alter'})
    response = visitor.request('POST', path, {**FORM, 'Sec-Fetch-Site': site}, body)
    assert (response.status, response.set_cookies()) == (403, [])


def test_forms_of_this_site_do_not(visitor):
    response = log_in(visitor, 'alice', 'apple pie', {'Sec-Fetch-Site': 'same-origin'})
    assert (response.status, session_of(visitor)) == (303, {'user': 'alice'})


def test_logout(demo, visitor):
    alice(visitor)
    response = look(visitor, '/logout')
    assert (response.status, response.get('Location'), response.cookie()) == (302, demo.url('/'), '')
    assert visitor.session is None
    assert look(visitor, '/members/').status == 303
    assert look(visitor, '/logout').set_cookies() == []


@pytest.mark.parametrize('which, here', [('everywhere', None), ('others', {'user': 'alice'})])
def test_logging_out_elsewhere(demo_of_this_test, which, here):
    visitor, second = Jar(demo_of_this_test), Jar(demo_of_this_test)
    alice(visitor)
    alice(second)
    response = visitor.request('POST', f'/logout/{which}', FORM, '')
    assert (response.status, response.get('Location'), session_of(visitor)) == (303, '/#logout', here)
    assert look(second, '/members/').status == 303 and second.session is None


@pytest.mark.parametrize('which, here', [('everywhere', None), ('others', {'user': 'alice'})])
def test_no_link_logs_out_elsewhere(demo, visitor, which, here):
    """Here it does, as one to /logout would: what takes away waits for no access."""
    demo.allow(DENIED)
    alice(visitor)
    second = Jar(demo)
    alice(second)
    response = look(visitor, f'/logout/{which}')
    assert (response.status, session_of(visitor)) == (403, here)
    assert look(second, '/members/').status == 200


def test_whose_session_has_ended_is_told_so(demo):
    cookie = native({'user': 'alice'}, renewed=int(time.time()) - 30 * DAY)
    assert leads_to_the_login(demo.request('GET', '/members/', NAVIGATE, cookie=cookie), '/members/')
    page = demo.request('GET', '/login', NAVIGATE, cookie=cookie).text
    assert 'Your session has ended' in page and 'You are' not in page


# --- a group, and a fresh login ------------------------------------------------------------------


def test_one_group_enters(demo, visitor):
    demo.allow(NOT_OF_THE_GROUP)
    bob(visitor)
    refused = look(visitor, '/admin/')
    assert refused.status == 403 and 'You are bob.' in refused.text
    alice(visitor)
    page = look(visitor, '/admin/')
    assert page.status == 200 and 'Administration' in page.text and page.get('Cache-Control') == 'private'
    bob(visitor)
    assert look(visitor, '/admin/').status == 403


def test_an_old_login_is_asked_for_again(demo, visitor):
    demo.allow(NOT_OF_THE_GROUP)
    now = int(time.time())
    visitor.keep('session=' + Native({'user': 'alice'}, renewed=now, created=now - HOUR - 1).seal())
    assert look(visitor, '/members/').status == 200
    asked = look(visitor, '/admin/')
    assert leads_to_the_login(asked, '/admin/')
    assert 'You are alice, but it is a while since you logged in' in look(visitor, asked.get('Location')).text
    response = log_in(visitor, 'alice', 'apple pie', path=asked.get('Location'))
    assert (response.status, response.get('Location')) == (303, '/admin/')
    assert look(visitor, '/admin/').status == 200


def test_an_hour_is_not_yet_old(demo):
    now = int(time.time())
    cookie = native({'user': 'alice'}, renewed=now, created=now - HOUR + 60)
    assert demo.request('GET', '/admin/', NAVIGATE, cookie=cookie).status == 200


def test_nobody_makes_a_name_of_his_own(demo):
    cookie = native({'user': 'alice'})
    forged = cookie[:-2] + ('A' if cookie[-2] != 'A' else 'B') + cookie[-1]
    assert leads_to_the_login(demo.request('GET', '/admin/', NAVIGATE, cookie=forged), '/admin/')
    assert leads_to_the_login(demo.request('GET', '/members/', NAVIGATE, cookie=forged), '/members/')


# --- the page that shows the cookie --------------------------------------------------------------------


def fields(text):
    """What the start page says of the cookie's header."""
    return {name: re.sub(r' *<small>.*|<[^>]+>', '', value).strip()
            for name, value in re.findall(r'^<dt>([^<]*)<dd>(.*)$', text, re.M)}


def parts(text):
    """The cookie as it is shown, by the classes of its parts."""
    raw = re.search(r'<p class="raw"><code>(.*?)</code>', text)[1]
    return {name: re.sub('<[^>]+>', '', value) for name, value in re.findall(r'<span class="(\w+)">(.*?)</span>', raw)}


def test_the_fields_are_those_of_the_cookie(demo):
    session = Native({'user': 'alice'}, created=1767225600, id=bytes(range(16)), counter=7)
    value = session.seal()
    text = demo.request('GET', '/', cookie=f'session={value}').text
    assert parts(text)['head'] == value[:48] and ''.join(parts(text).values()) == value
    shown = fields(text)
    assert shown['created'] == '2026-01-01 00:00:00 UTC' and shown['session id'] == bytes(range(16)).hex() and shown['changes'] == '7'
    assert shown['kind'] == 'signed' and '{&quot;user&quot;:&quot;alice&quot;}</pre>' in text
    assert '<li class="head">header <b>36</b> bytes<li class="body">payload <b>16</b> bytes<li class="seal">signature <b>32</b> bytes' in text


def test_the_page_that_shows_it_is_stored_nowhere(visitor):
    alice(visitor)
    for path in ('/', '/cookie'):
        assert 'no-store' in visitor.request('GET', path).get('Cache-Control')


def test_no_other_page_shows_the_cookie(demo, visitor):
    demo.allow(NOT_OF_THE_GROUP)
    alice(visitor)
    for path in ('/members/', '/admin/', '/app/', '/counter', '/session', '/session?meta', '/login'):
        assert visitor.session not in visitor.request('GET', path).text, path


def test_a_byte_is_altered_and_put_back(demo, visitor):
    alice(visitor)
    before = visitor.session
    response = visitor.request('POST', '/cookie', FORM, 'do=alter')
    assert (response.status, response.get('Location')) == (303, '/#cookie')
    assert all('; HttpOnly; SameSite=Lax' in line for line in response.get_all('Set-Cookie'))
    assert len([1 for new, old in zip(visitor.session, before) if new != old]) == 1 and len(visitor.session) == len(before)
    assert '{&quot;user&quot;:&quot;<mark>b</mark>lice&quot;}' in visitor.request('GET', '/').text
    assert leads_to_the_login(look(visitor, '/members/'), '/members/')
    altered = visitor.session
    assert visitor.request('POST', '/cookie', FORM, 'do=alter').set_cookies() == []
    assert visitor.request('POST', '/cookie', FORM, 'do=restore').status == 303
    assert visitor.session == before != altered and visitor.cookies == {'session': before}
    assert look(visitor, '/members/').status == 200


SECTIONS = 7  # of a start page that is whole

# A cookie of the demo's own, and what could be made of it.
NOTES = ['', '.', '45', '45.', '.97', '45.97', '45.256', '9999.97', '-1.97', '45.97.1', '<script>', '\u0664.\u0665', '9' * 5000 + '.1']


@pytest.mark.parametrize('note', NOTES)
def test_whatever_the_note_of_the_altered_byte_says_the_page_is_whole(demo, note):
    cookie = native({'user': 'alice'})
    forged = cookie[:70] + ('A' if cookie[70] != 'A' else 'B') + cookie[71:]
    for value in (cookie, forged):
        header = f'{value}; session-altered={note}'.encode()[:8000].decode('latin-1')
        text = demo.request('GET', '/', cookie=header).text
        assert 'an error occurred' not in text and '<script>' not in text and text.count('</section>') == SECTIONS
        assert demo.request('POST', '/cookie', FORM, 'do=restore', cookie=header).status == 303


SHORT = 'AQAAAAAA'
STRANGE = ['', '=', '"', '<b>', 'x', 'AQ', SHORT, SHORT * 8, SHORT * 8 + 'AQA', 'A' * 90, 'AQEA' + 'A' * 80, 'AQIA' + 'A' * 90, 'AQQA' + 'A' * 90,
           'AQQA' + 'A' * 140, 'AQMA' + 'A' * 90, 'AQcA' + 'A' * 140, '____' * 30, 'AQAA' + '____' * 40, 'AQAA' + 'gICA' * 40, '\u00e4' * 100, 'x' * 5000, 'AQAA' * 1300]


@pytest.mark.parametrize('value', STRANGE)
def test_whatever_the_cookie_is_the_page_is_whole(demo, value):
    page = demo.request('GET', '/', cookie=f'session={value}')
    assert page.status == 200 and 'an error occurred' not in page.text and '<b>"' not in page.text
    assert page.text.count('</section>') == SECTIONS and re.search(r'<p class="verdict \w+"><b>[a-z-]+</b> <span>\w', page.text)
    for what in ('alter', 'restore', '', '%ff', 'x' * 1000):
        response = demo.request('POST', '/cookie', FORM, f'do={what}', cookie=f'session={value}; session-altered=40.1')
        assert response.status == 303 and not [line for line in response.get_all('Set-Cookie') if 'session=AQAA____' not in line and what != 'restore']


def test_every_state_has_words(demo):
    """On the page, as many as there are in the documentation."""
    listed = re.findall(r'^\| `([a-z-]+)` \|', re.search(r'### States\n(.*?)\n## ', (TOP / 'docs/directives.md').read_text(), re.S)[1], re.M)
    explained = re.findall(r"^    '([a-z-]+)': \('\w+', '\w", (DEMO / 'cgi/cookie.cgi').read_text(), re.M)
    assert len(listed) > 10 and sorted(listed) == sorted(explained)


def test_a_full_cart_moves_into_the_store(demo, visitor):
    demo.allow(DENIED)
    alice(visitor)
    assert visitor.request('GET', '/cart/fill').status == 403
    response = visitor.request('POST', '/cart/fill', FORM, '')
    assert (response.status, response.get('Location'), len(visitor.session)) == (303, '/#store', 91)
    text = visitor.request('GET', '/').text
    assert fields(text)['kind'] == 'in a store' and set(parts(text)) == {'head', 'seal'} and re.search(r'<b>[1-9]\d*</b> records? in the store', text)
    assert len(visitor.request('GET', '/session/cart').json()) == 100
    assert visitor.request('POST', '/cart/empty', FORM, '').status == 303
    assert session_of(visitor) == {'user': 'alice'}


# --- the application -------------------------------------------------------------------------------


def test_the_application_knows_the_user(visitor):
    page = visitor.request('GET', '/app/')
    assert page.status == 200 and 'Hello, stranger' in page.text and 'you have no session' in page.text
    alice(visitor)
    page = visitor.request('GET', '/app/')
    assert 'Hello, alice' in page.text and '{&quot;user&quot;:&quot;alice&quot;}' in page.text


def test_nobody_tells_the_application_who_he_is(visitor):
    for name in ('X-Session', 'x_session'):
        page = visitor.request('GET', '/app/', {name: '{"user":"eve"}'})
        assert 'Hello, stranger' in page.text and 'eve' not in page.text


def test_the_application_changes_the_session(visitor):
    alice(visitor)
    response = visitor.request('POST', '/app/', FORM, urlencode({'note': 'Zo\u00eb <3'}))
    assert (response.status, response.get('Location'), response.get('X-Session-Update')) == (303, '/app/', None)
    assert session_of(visitor) == {'user': 'alice', 'note': 'Zo\u00eb <3'}
    assert 'value="Zo\u00eb &lt;3"' in visitor.request('GET', '/app/').text
    visitor.request('POST', '/app/', FORM, 'note=')
    assert session_of(visitor) == {'user': 'alice'}


# --- the access log --------------------------------------------------------------------------------


def test_the_access_log_of_the_page(demo_of_this_test):
    """Line by line; all of one session have one id."""
    demo, visitor = demo_of_this_test, Jar(demo_of_this_test)
    demo.allow(NOT_OF_THE_GROUP, *WRONG_PASSWORDS)
    printed, = [text for text in blocks(GUIDE, 'text') if 'GET /style.css' in text]
    login = look(visitor, '/members/').get('Location')
    log_in(visitor, 'bob', 'wrong', path=login)
    log_in(visitor, 'bob', 'banana split', path=login)
    for path in ('/members/', '/admin/', '/style.css'):
        visitor.request('GET', path)
    demo.request('GET', '/', cookie='session=x')
    deadline = time.monotonic() + 3
    while demo.access_log().count('\n') < printed.count('\n') and time.monotonic() < deadline:
        time.sleep(0.01)
    (of_page,), (of_log,) = (set(re.findall(r' valid ([0-9a-f]{16}) ', text)) for text in (printed, demo.access_log()))
    assert demo.access_log().replace(of_log, of_page) == printed


# --- the examples of the documentation -----------------------------------------------------------

DOCUMENTS = [TOP / 'README.md', *sorted((TOP / 'docs').glob('*.md'))]


def blocks(document, *languages):
    found = re.findall(r'^```(\w+)\n(.*?)^```$', document.read_text(), re.M | re.S)
    return [text for language, text in found if language in languages]


def test_the_guide_leaves_no_step_out():
    """Every line of the configuration that is about sessions or logins stands in the guide."""
    guide = ''.join(blocks(GUIDE, 'apache'))
    lines = re.findall(r'^ *(?:SignedSession|Auth|Require (?!all)|ProxyPass|ScriptAlias|Redirect|ErrorDocument|CustomLog|<Location).*\n',
                       (DEMO / 'httpd.conf').read_text(), re.M)
    assert len(lines) > 20
    for line in lines:
        assert line in guide, line


def test_the_guide_names_the_modules_that_debian_has_off():
    names = re.search(r'`sudo a2enmod ([^`]*)`', GUIDE.read_text())[1].split()
    on = {*names, *(PULLED_IN[name] for name in names if name in PULLED_IN)}
    assert not on & MODULES_ON - set(PULLED_IN.values())
    assert set(MODULES.split()) | {'cgid'} <= on | MODULES_ON


def test_the_guide_quotes_what_the_pages_need():
    """Besides what is about sessions: each section that opens a directory."""
    guide = ''.join(blocks(GUIDE, 'apache'))
    for section in re.findall(r'^<Directory "\$.*?^</Directory>\n', (DEMO / 'httpd.conf').read_text(), re.M | re.S):
        assert section in guide


def test_the_guide_tries_it_with_curl(demo, tmp_path):
    commands = re.findall(r'^curl .*', GUIDE.read_text(), re.M)
    log_in_there, look_there = [shlex.split(line.replace('PORT', str(demo.port))) for line in commands]
    answers = [subprocess.run(['curl', '-s', '-w', '%{http_code} %{redirect_url}', *command[1:]], cwd=tmp_path, check=True,
                              capture_output=True, text=True).stdout for command in (look_there, log_in_there, look_there)]
    assert answers[0].endswith('303 ' + demo.url('/login?return=/members/'))
    assert answers[1].endswith('303 ' + demo.url('/members/'))
    assert 'Hello, alice' in answers[2] and answers[2].endswith('200 ')


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_no_section_of_an_example_says_a_line_twice(document):
    for text in blocks(document, 'apache'):
        for section in re.findall(r'^<Location.*?^</Location>$', text, re.M | re.S):
            lines = re.findall(r'^    \w.*', section, re.M)
            assert len(lines) == len(set(lines)), section


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: path.name)
def test_no_example_hides_a_require(document):
    """Where the module is missing, IfModule around a Require would open the place to everybody."""
    for text in blocks(document, 'apache'):
        assert '<IfModule' not in text
