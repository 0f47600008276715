# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionBind and whoever has copied the cookies, or is as fast as the browser; and who is not to be locked out by it."""

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from common import FORM, PATCH
from cookies import Native, starlette
from device import PATH, PROOF, REGISTRATION, VISIT, Browser, Key, bound, challenge, login, proof
from harness import COOKIE, SECRET, configtest
from starting import wait_for
from test_bind import CONF, FILES, IN_COOKIE, LOG, MODULES, serve, session, state, with_proof

WAYS = '''
    <Location "/others">
        SignedSessionClear Others
    </Location>
    <Location "/everywhere">
        SignedSessionClear Everywhere
    </Location>
    <Location "/keep">
        SignedSessionClear Before user
    </Location>
    <Location "/anew">
        SignedSessionClear Before
    </Location>
'''
FILES = {**FILES, **{f'htdocs/{name}': 'a page' for name in ('others', 'everywhere', 'keep', 'anew')}}
PLACES = {'in the cookie': LOG, 'in a store': LOG + '\nSignedSessionStore file'}
BOTH = 'SignedSessionStore cookie file\nSignedSessionRevocation store'


def copy_of(browser):
    """Whoever has copied the cookies, and has a key of his own."""
    thief = Browser(browser.server)
    thief.cookies = dict(browser.cookies)
    return thief


def registration(browser):
    return browser.send_registration(browser.key.jws(challenge(REGISTRATION, browser.native), with_key=True))


def serve_ways(more=LOG, **values):
    return serve(more + WAYS, files=FILES, **values)


# --- who has both cookies ---------------------------------------------------------------------------


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('path', ['/others', '/keep'])
def test_a_new_session_of_the_same_subject_is_bound_to_the_same_key(place, path):
    """Else a thief would use the minutes that he has to free himself of the key."""
    with serve_ways(PLACES[place]) as server:
        victim = bound(server)
        old = victim.native
        thief = copy_of(victim)
        thief.ask('GET', path, VISIT)
        assert (thief.native.id, thief.native.point) == (old.id, old.point)
        assert thief.visit() is None
        assert registration(thief).status == 403
        assert state(with_proof(thief, proof(thief.native, 700))) == 'unproven'


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('path', ['/others', '/keep'])
def test_its_browser_goes_on_with_the_binding(place, path):
    with serve_ways(PLACES[place]) as server:
        browser = bound(server)
        browser.ask('GET', path, VISIT)
        assert (state(browser), session(browser)) == ('valid', {'user': 'alice'})
        browser.refresh()
        assert state(browser) == 'valid'


def test_a_login_of_the_same_user_is_asked_to_bind_again(start):
    """He may have lost the key."""
    server = start(CONF, MODULES + ' auth_basic authn_file', {**FILES, **users()}, bind=f'On {PATH}', more=LOG + '''
        <Location "/again">
            AuthType Basic
            AuthName realm
            AuthUserFile "{dir}/users"
            Require valid-user
            SignedSessionClear Before
            SignedSessionSet user %{REMOTE_USER}
            SignedSessionReturn return /file.txt
        </Location>''')
    browser = bound(server)
    response = browser.ask('GET', '/again', {**VISIT, 'Authorization': 'Basic YWxpY2U6cHc='})
    assert response.status == 303
    assert not browser.native.point and PROOF not in browser.cookies
    browser.register()


def test_a_cookie_from_before_cannot_log_anybody_out():
    with serve_ways() as server:
        browser = login(server)
        old = copy_of(browser)
        browser.register()
        for path in ('/everywhere', '/others'):
            old.ask('GET', path, VISIT)
        assert state(browser) == 'valid'


# --- two who bind the same session ------------------------------------------------------------------


@pytest.mark.parametrize('more', [LOG, BOTH, 'SignedSessionStore file'], ids=['log in a file', 'log in a store', 'stored'])
def test_of_two_registrations_at_the_same_time_one_succeeds(more):
    with serve(more) as server, ThreadPoolExecutor(4) as pool:
        server.allow('SS0516')
        for _ in range(25):
            browser = login(server)
            if more.endswith('Store file'):
                browser.request('PATCH', '/session', PATCH, b'{"a":1}')
            crowd = [copy_of(browser) for _ in range(4)]
            for one in crowd:
                one.key = Key()
            statuses = [response.status for response in pool.map(registration, crowd)]
            assert statuses.count(200) == 1, statuses
            assert set(statuses) <= {200, 403, 409}
        server.allow('SS0403')


def test_nothing_is_bound_where_the_old_cookie_cannot_be_revoked(server_that_cannot_write):
    server = server_that_cannot_write
    browser = login(server)
    old = browser.session
    assert registration(browser).status == 503
    assert browser.session == old and PROOF not in browser.cookies
    assert state(browser) == 'valid'
    server.expect('SS0515')


@pytest.fixture
def server_that_cannot_write(start):
    """httpd as root could write to anything: the log is as large as it may be."""
    server = start(CONF, MODULES, FILES, more=LOG, bind=f'On {PATH}')
    os.truncate(server.dir / 'log/revoked', 128 * 1024 * 1024 - 1)
    return server


def test_sessions_that_are_bound_leave_room_in_a_log_of_a_store():
    """Anybody who can log in can bind as often as he likes."""
    with serve_ways(BOTH) as server:
        statuses = []
        while 503 not in statuses and len(statuses) < 700:
            statuses.append(registration(login(server)).status)
        server.allow('SS0516')
        assert statuses[-1] == 503 and set(statuses[:-1]) == {200} and len(statuses) > 400
        browser = login(server)
        copy = copy_of(browser)
        assert browser.ask('GET', '/everywhere', VISIT).status == 200
        time.sleep(1.1)
        assert state(copy) == 'revoked'
        server.expect('SS0515')


def test_sessions_in_a_store_need_no_line():
    with serve('SignedSessionStore file\nSignedSessionRevocation store') as server:
        for _ in range(500):
            browser = login(server)
            browser.request('PATCH', '/session', PATCH, b'{"a":1}')
            assert registration(browser).status == 200


# --- who is not to be locked out --------------------------------------------------------------------


def users():
    digest = subprocess.run(['openssl', 'passwd', '-apr1', 'pw'], check=True, capture_output=True, text=True).stdout.strip()
    return {'users': f'alice:{digest}\n'}


FORM_LOGIN = '''
    SignedSessionModules On
    SignedSessionEncrypt On
    SignedSessionReveal On
    <Location "/do-login">
        SetHandler form-login-handler
        AuthName realm
        AuthFormProvider file
        AuthUserFile "{dir}/users"
        AuthFormLoginRequiredLocation /file.txt
        AuthFormLoginSuccessLocation /app
    </Location>
    <Location "/app">
        AuthType form
        AuthName realm
        AuthFormProvider file
        AuthUserFile "{dir}/users"
        AuthFormLoginRequiredLocation /file.txt
        Require valid-user
        SignedSessionSet user %{REMOTE_USER}
    </Location>
'''


@pytest.mark.parametrize('wanted', ['unproven', 'unbound'])
def test_a_login_of_a_module_begins_a_new_session(start, wanted):
    bind = f'On {PATH}' if wanted == 'unproven' else f'Required {PATH} 10min 1min'
    server = start(CONF, MODULES + ' auth_form authn_file request', {**FILES, **users(), 'htdocs/app': 'app'},
                   more=LOG + FORM_LOGIN, bind=bind)
    browser = bound(server) if wanted == 'unproven' else login(server)
    if wanted == 'unproven':
        browser.cookies[PROOF] = proof(browser.native, 700)
    else:
        browser.cookies[COOKIE] = Native({'user': 'alice'}, created=int(time.time()) - 100).seal()
    assert state(browser) == wanted
    assert browser.ask('POST', '/do-login', FORM, urlencode({'httpd_username': 'alice', 'httpd_password': 'pw'})).status == 302
    assert browser.ask('GET', '/app', VISIT).status == 200
    assert (state(browser), session(browser)) == ('valid', {'user': 'alice'})


def test_a_login_page_alone_deletes_nothing():
    """The browser proves its key at the next request, and goes on."""
    with serve_ways() as server:
        browser = bound(server)
        late = with_proof(browser, proof(browser.native, 700))
        assert late.request('GET', '/anew', VISIT).get_all('Set-Cookie') == []


def test_the_binding_outlives_the_secret_that_its_name_was_made_with(start):
    """By the session's cookie, which was renewed long ago."""
    conf = CONF.replace('{more}', 'SignedSessionRenew always\nSignedSessionSecret file:{dir}/secrets\n{more}')
    server = start(conf, MODULES, {**FILES, 'secrets': SECRET + '\n'}, more=LOG, bind=f'On {PATH}')
    server.allow('SS0110')
    browser = bound(server)
    new = 'a new secret for the rotation, 0123456789'
    for secrets in (f'{new}\n{SECRET}\n', f'{new}\n'):
        server.write('secrets', secrets)
        old = set(server.children())
        server.graceful()
        server.allow('SS0110')
        wait_for(lambda: not old & set(server.children()), 'the end of those that have the old secrets')
        browser.refresh()
        browser.ask('GET', '/file.txt')
        assert state(browser) == 'valid'
    for name in ('nonsense', 'A' * 91):
        assert browser.send_refresh(identifier=name).json()['continue'] is False


def test_the_newer_of_two_cookies_counts_though_the_old_one_has_changed_more_often():
    with serve() as server:
        browser = login(server)
        browser.cookies[COOKIE] = old = Native({'user': 'alice'}, counter=7).seal()
        browser.register()
        header = f'{COOKIE}={old}; {COOKIE}={browser.session}; {PROOF}={browser.proof}'
        assert server.request('PATCH', '/session', {**PATCH, 'Cookie': header}, b'{"a":1}').status == 200


# --- what is said ------------------------------------------------------------------------------------

BOUND = f'SignedSession On\nSignedSessionCookie s Secure=on\nSignedSessionBind {{}} {PATH}\n'
OTHER_HOST = '''<VirtualHost 127.0.0.1:1>
ServerName off.example
SignedSessionCookie s Secure=on
SignedSessionBind Off
</VirtualHost>'''


@pytest.mark.parametrize('kind, conf, numbers', [
    ('Required', '', {'SS0508'}),
    ('On', 'SignedSessionStore cookie file\nSignedSessionRevocation store', {'SS0516'}),
    ('On', 'SignedSessionStore file\nSignedSessionRevocation store', set()),
    ('On', 'SignedSessionRevocation file:log', set()),
    ('On', 'SignedSessionRevocation file:log\nSignedSessionFormat native starlette', set()),
    ('Required', 'SignedSessionRevocation file:log\nSignedSessionFormat native starlette', {'SS0517'}),
    ('On', f'SignedSessionRevocation file:log\n{OTHER_HOST}', {'SS0518'}),
    ('On', f'SignedSessionRevocation file:log\n{OTHER_HOST.replace("Cookie s", "Cookie t")}', set())])
def test_what_the_start_warns_of(kind, conf, numbers):
    rc, text = configtest(BOUND.format(kind) + conf)
    assert rc == 0, text
    assert {number for number in ('SS0508', 'SS0516', 'SS0517', 'SS0518') if number in text} == numbers


def test_a_framework_s_cookie_is_as_good_as_ever():
    """As SS0517 says."""
    with serve(LOG + '\nSignedSessionFormat native starlette', f'Required {PATH} 10min 1min') as server:
        browser = Browser(server)
        server.allow('SS0517')
        browser.cookies[COOKIE] = starlette({'user': 'alice'})
        assert state(browser) == 'valid'


def test_a_client_cannot_fill_the_error_log():
    with serve(IN_COOKIE + '\nSignedSessionMaxSize 1000') as server:
        browser = login(server, text='x' * 620)
        for _ in range(20):
            assert registration(browser).status == 413
        assert server.log.new_text().count('SS0302') == 1
        server.allow('SS0302')
