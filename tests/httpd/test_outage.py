# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""A store that does not answer: nobody looks logged out, nobody is told another session, and afterwards all is as before."""

import contextlib
import json
import os
import re
import subprocess
import tempfile
import time

import pytest

from common import FORM, JSON, NAVIGATE, PATCH
from cookies import native
from harness import Jar, Server, cgi_module

CONF = '''
    SignedSessionStore {store}
    ErrorDocument 503 /sorry.html
    ErrorDocument 404 /rules/missing.html
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable a user
    </Location>
    <Location "/guarded">
        Require signed-session user alice
    </Location>
    <Location "/expression">
        Require expr "%{session:user} == 'alice'"
    </Location>
    <Location "/unexpected">
        Require expr "%{session:user} != 'alice'"
    </Location>
    <Location "/members">
        AuthType signed-session
        Require valid-user
        SignedSessionLoginPage /login.html
    </Location>
    <Location "/legacy">
        AuthType signed-session
        Require valid-user
        SignedSessionLoginPage /login.html
        Require all denied
        Satisfy Any
        Order deny,allow
        Deny from all
    </Location>
    <Location "/allowed">
        Require all denied
        Satisfy Any
        Order deny,allow
        Allow from all
    </Location>
    <Location "/application">
        SetHandler ss-testing
        SignedSessionUpdate X-Update
    </Location>
    <Location "/rules">
        SignedSessionSet a rule
    </Location>
    <Location "/clear">
        SignedSessionClear On
    </Location>
    <Location "/read">
        SignedSession ReadOnly
    </Location>
    <Location "/off">
        SignedSession Off
    </Location>
    <LocationMatch "^/guest">
        SignedSessionUnavailable anonymous
    </LocationMatch>
    <Location "/guest/session">
        SetHandler signed-session
        SignedSessionWritable a user
    </Location>
    <Location "/guest/guarded">
        Require signed-session user alice
    </Location>
    <Location "/guest/members">
        AuthType signed-session
        Require valid-user
        SignedSessionLoginPage /login.html
    </Location>
    <Location "/guest/rules">
        SignedSessionSet a rule
    </Location>
    <Location "/guest/clear">
        SignedSessionClear On
    </Location>
    RewriteEngine On
    RewriteRule ^/moved/(.*) /$1 [PT]
    <Directory "{dir}/htdocs/inside">
        Options +Includes
        SetOutputFilter INCLUDES
    </Directory>
'''
PAGES = ['guarded', 'expression', 'unexpected', 'members', 'legacy', 'allowed', 'rules', 'clear', 'read', 'off', 'plain',
         *(f'guest/{name}' for name in ('plain', 'guarded', 'members', 'rules', 'clear'))]
FILES = {**{f'htdocs/{name}/page.html': f'this is {name}' for name in PAGES},
         'htdocs/rules/missing.html': 'not found', 'htdocs/sorry.html': 'sorry, later', 'htdocs/login.html': 'log in',
         'htdocs/inside/off.shtml': 'in: <!--#include virtual="/guarded/page.html" -->'}


MODULES = 'rewrite include authn_core authz_user access_compat ss_testing'


def serve(store='file', conf=CONF):
    return Server(conf, store=store, modules=MODULES, http2=True, files=FILES)


@pytest.fixture(scope='module')
def server():
    with serve() as running:
        running.expect('SS0113')  # they may write "user", in these tests
        yield running


def rename_away(directory):
    directory.rename(directory.with_name('away'))
    try:
        yield
    finally:
        directory.with_name('away').rename(directory)


def make_unreadable(directory):
    directory.chmod(0)
    try:
        yield
    finally:
        directory.chmod(0o700)


@pytest.fixture
def alice(server):
    """Her browser; `with out(alice)` the store is away."""
    jar = Jar(server)
    assert jar.request('PUT', '/session', JSON, '{"user":"alice","a":1}').status == 204
    yield jar
    server.allow('SS0401', 'AH01630', 'AH01797')


@contextlib.contextmanager
def out(jar, how=rename_away):
    yield from how(jar.server.dir / 'sessions')


def as_ever(jar):
    """She still has her session, by the same cookie."""
    return jar.request('GET', '/session').json() == {'user': 'alice', 'a': 1}


# Whatever the place: who has a session gets these.
PLACES = {
    'a page': ('GET', '/plain/page.html'),
    'Require signed-session': ('GET', '/guarded/page.html'),
    'Require expr': ('GET', '/expression/page.html'),
    'Require expr, negated': ('GET', '/unexpected/page.html'),
    'a login page': ('GET', '/members/page.html'),
    'Satisfy Any': ('GET', '/legacy/page.html'),
    'Satisfy Any, and allowed': ('GET', '/allowed/page.html'),
    'Set': ('GET', '/rules/page.html'),
    'Clear On': ('GET', '/clear/page.html'),
    'ReadOnly': ('GET', '/read/page.html'),
    'an update': ('GET', '/application/ok'),
    'rewritten': ('GET', '/moved/guarded/page.html'),
    'endpoint GET': ('GET', '/session'),
    'endpoint HEAD': ('HEAD', '/session'),
    'endpoint GET key': ('GET', '/session/user'),
    'endpoint meta': ('GET', '/session?meta'),
    'endpoint PATCH': ('PATCH', '/session', PATCH, '{"a":2}'),
    'endpoint PUT': ('PUT', '/session/a', JSON, '2'),
    'endpoint DELETE': ('DELETE', '/session'),
    'endpoint DELETE key': ('DELETE', '/session/a'),
}


@pytest.mark.parametrize('place', PLACES)
def test_who_has_a_session_is_told_to_come_again(alice, place, protocol):
    method, path, *more = PLACES[place]
    headers = [*NAVIGATE.items(), ('X-Change-Header', '{"a":2}'), *(more[0].items() if more else [])]
    with out(alice):
        response = alice.request(method, path, headers, more[1] if more else None, protocol=protocol)
    assert response.status == 503, response
    assert response.get('Retry-After') == '5' and response.get('Cache-Control') == 'no-store'
    assert not response.get('Set-Cookie') and not response.get('Location')
    assert response.text == ('' if method == 'HEAD' else 'sorry, later')
    assert as_ever(alice)


@pytest.mark.parametrize('how', [rename_away, make_unreadable])
def test_the_log_says_why(alice, how):
    with out(alice, how):
        time.sleep(1)  # a line a second
        assert alice.request('GET', '/session').status == 503
    alice.server.expect('SS0401: the session could not be loaded from the store: ')
    assert as_ever(alice)


LED = '''
    SignedSessionStore {store}
    AddType text/html .cgi
    AddHandler cgi-script .cgi
    <IfModule cgid_module>
        ScriptSock {dir}/cgisock
    </IfModule>
    <Location "/session">
        SignedSession On
        SetHandler signed-session
        SignedSessionWritable *
    </Location>
    <Directory "{dir}/htdocs/shop">
        Options +ExecCGI +MultiViews
        DirectoryIndex index.cgi
        <Files "*.cgi">
            SignedSession On
            SignedSessionEnv On
        </Files>
    </Directory>
    <Directory "{dir}/htdocs/shop/guest">
        SignedSessionUnavailable anonymous
    </Directory>
'''
WHO = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\nthis is $SESSION_user"\n'


@pytest.mark.parametrize('path', ['/shop/', '/shop/index', '/shop/index.cgi'])
def test_who_is_led_to_another_file_is_told_so_as_well(start, path):
    """mod_dir and mod_negotiation give a request another file, in another place, when access to the first was granted."""
    files = {f'htdocs/{name}/index.cgi': WHO for name in ('shop', 'shop/guest')}
    server = start(LED, store='file', modules=f'dir negotiation {cgi_module()}', files=files)
    jar = Jar(server)
    assert jar.request('PUT', '/session/user', JSON, '"alice"').status == 201
    assert jar.request('GET', path).text == 'this is alice'
    with out(jar):
        response, guest = jar.request('GET', path), jar.request('GET', path.replace('/shop', '/shop/guest'))
    server.expect('SS0401')
    assert (response.status, response.get('Retry-After'), response.get('Cache-Control')) == (503, '5', 'no-store')
    assert (guest.status, guest.text) == (200, 'this is ')
    assert jar.request('GET', path).text == 'this is alice'


def test_what_is_shown_meanwhile_is_not_kept_for_later(start):
    """A page for nobody, under the cookie of somebody, must not be in any cache when the store is back."""
    conf = LED + 'CacheRoot {dir}/cache\nCacheEnable disk /shop\n'
    files = {'htdocs/shop/guest/index.cgi': WHO.replace('text/plain', 'text/plain\\nCache-Control: max-age=600'), 'cache/': ''}
    server = start(conf, store='file', modules=f'dir negotiation cache cache_disk {cgi_module()}', files=files)
    jar = Jar(server)
    assert jar.request('PUT', '/session/user', JSON, '"alice"').status == 201
    with out(jar):
        response = jar.request('GET', '/shop/guest/index.cgi')
        assert response.text == 'this is '
        assert response.get('Cache-Control') == 'max-age=600, no-store'
    server.expect('SS0401')
    assert jar.request('GET', '/shop/guest/index.cgi').text == 'this is alice'


# What others get, without a cookie or with one that leads nowhere.
STRANGERS = {
    '/plain/page.html': 200, '/guarded/page.html': 403, '/expression/page.html': 403, '/unexpected/page.html': 200,
    '/members/page.html': 303, '/legacy/page.html': 303, '/allowed/page.html': 200, '/rules/page.html': 200, '/clear/page.html': 200, '/read/page.html': 200, '/application/ok': 200,
    '/session': 200, '/session?meta': 200, '/off/page.html': 200, '/sorry.html': 200,
}


@pytest.mark.parametrize('path', STRANGERS)
def test_who_has_none_notices_nothing(alice, path):
    with out(alice):
        for cookie in (None, 'session=nonsense'):
            response = alice.server.request('GET', path, NAVIGATE, cookie=cookie)
            assert response.status == STRANGERS[path]
    if 'rules' in path:
        alice.server.expect('SS0402')
        assert not response.set_cookies()


def test_where_sessions_are_off_the_store_is_not_asked(alice):
    with out(alice):
        assert alice.request('GET', '/off/page.html').text == 'this is off'
    assert 'SS0401' not in alice.server.log.new_text()


def test_an_error_document_of_a_place_without_sessions(alice):
    """It is not replaced by another error; its rule is not saved, and says so."""
    with out(alice):
        response = alice.request('GET', '/off/nothing.html')
    assert (response.status, response.text) == (404, 'not found')
    assert not response.set_cookies()
    alice.server.allow('SS0402')
    assert as_ever(alice)


def test_what_is_included_is_not_shown_to_nobody(alice):
    alice.server.allow('AH01630', 'AH01374', 'unable to include')
    with out(alice):
        response = alice.request('GET', '/inside/off.shtml')
    assert response.status == 503
    assert as_ever(alice)


# --- where one can do without ---------------------------------------------------------------------

GUESTS = {'/guest/plain/page.html': 200, '/guest/guarded/page.html': 403, '/guest/members/page.html': 303, '/guest/session': 200}


@pytest.mark.parametrize('path', GUESTS)
def test_anonymous_goes_on_without(alice, path):
    with out(alice):
        response = alice.request('GET', path, NAVIGATE)
    assert response.status == GUESTS[path]
    assert not response.set_cookies()
    if path.endswith('/session'):
        assert response.json() == {}
    assert as_ever(alice)


@pytest.mark.parametrize('method, path, headers, body', [
    ('PATCH', '/guest/session', PATCH, '{"a":2}'), ('PUT', '/guest/session/a', JSON, '2')])
def test_anonymous_cannot_change_anything(alice, method, path, headers, body, protocol):
    with out(alice):
        response = alice.request(method, path, headers, body, protocol=protocol)
    assert response.status == 503 and response.json()['status'] == 503
    assert not response.set_cookies()
    alice.server.expect('SS0402')
    assert as_ever(alice)


def test_a_rule_for_anonymous_is_not_saved(alice):
    with out(alice):
        response = alice.request('GET', '/guest/rules/page.html')
    assert response.status == 200 and not response.set_cookies()
    alice.server.expect('SS0402')
    assert as_ever(alice)


@pytest.mark.parametrize('method, path, status', [('DELETE', '/guest/session', 503), ('GET', '/guest/clear/page.html', 200)])
def test_anonymous_logs_out_in_this_browser_at_least(alice, method, path, status, protocol):
    copy = Jar(alice.server)
    copy.cookies = dict(alice.cookies)
    with out(alice):
        assert alice.request(method, path, protocol=protocol).status == status
    assert not alice.cookies
    alice.server.expect('SS0404')
    assert as_ever(copy)  # as SS0404 says


# --- sessions that come in the cookie -------------------------------------------------------------


def with_cookie(server):
    """A session from before there was a store: nothing has to be loaded."""
    jar = Jar(server)
    jar.cookies['session'] = native({'user': 'alice', 'a': 1}).partition('=')[2]
    return jar


def test_a_session_in_the_cookie_is_read_but_not_changed(alice):
    old = with_cookie(alice.server)
    with out(alice):
        assert old.request('GET', '/guarded/page.html').status == 200
        assert old.request('GET', '/session').json() == {'user': 'alice', 'a': 1}
        assert old.request('PATCH', '/session', PATCH, '{"a":2}').status == 503
        response = old.request('GET', '/rules/page.html')
        assert response.status == 200 and not response.set_cookies()
    alice.server.expect('SS0402')
    assert as_ever(old)


@pytest.mark.parametrize('method, path, status', [('DELETE', '/session', 503), ('GET', '/clear/page.html', 200)])
def test_a_session_in_the_cookie_ends_in_this_browser(alice, method, path, status):
    old = with_cookie(alice.server)
    with out(alice):
        assert old.request(method, path).status == status
    assert not old.cookies
    alice.server.expect('SS0404')


def test_an_older_full_cookie_beside_it_does_not_hide_the_outage(alice):
    old = native({'user': 'alice', 'a': 0}, renewed=int(time.time()) - 1000)
    both = f'{old}; session={alice.session}'
    with out(alice):
        assert alice.server.request('GET', '/session', cookie=both).status == 503
    assert alice.server.request('GET', '/session', cookie=both).json() == {'user': 'alice', 'a': 1}


# --- the log ---------------------------------------------------------------------------------------


def test_the_log_does_not_grow_with_the_requests(alice):
    began = time.monotonic()
    alice.server.request('GET', '/off/page.html')
    before = len(re.findall('SS0401', alice.server.error_log()))
    with out(alice):
        for _ in range(60):
            assert alice.request('GET', '/plain/page.html').status == 503
        time.sleep(1.1)
        for _ in range(4):
            alice.request('GET', '/plain/page.html')
    seconds = int(time.monotonic() - began) + 2
    lines = len(re.findall('SS0401', alice.server.error_log())) - before
    assert 1 <= lines <= seconds * len(alice.server.children())
    assert re.search(r'SS0401: .* \(and \d+ more since this was last said\)', alice.server.error_log())


# --- full -----------------------------------------------------------------------------------------


def fill(jar):
    response = None
    for _ in range(300):
        jar.cookies = {}
        response = jar.request('PUT', '/session/a', JSON, '1')
        if response.status != 201:
            break
    return response


def test_a_full_store_takes_no_new_sessions(start):
    server = start(CONF + 'SignedSessionStoreSpace 1M', store='file', modules=MODULES, files=FILES)
    server.expect('SS0113')
    jar, old = Jar(server), Jar(server)
    old.request('PUT', '/session', JSON, '{"user":"alice","a":1}')
    response = fill(jar)
    assert response.status == 507 and not response.set_cookies()
    assert response.json()['status'] == 507
    page = server.request('GET', '/rules/page.html')
    assert page.status == 200 and not page.set_cookies()
    server.expect('SS0402')
    assert as_ever(old)
    assert old.request('PATCH', '/session', PATCH, '{"a":2}').json() == {'user': 'alice', 'a': 2}
    assert old.request('DELETE', '/session').status == 204
    assert not old.cookies


def test_a_full_store_is_no_hindrance_for_a_logout_of_who_is_not_in_it(start):
    conf = '''
        SignedSessionRevocation file:{dir}/log/revoked
        <Location "/revoke">
            SetHandler signed-session-revoke
        </Location>
    '''
    server = start(CONF + 'SignedSessionStoreSpace 1M' + conf, store='cookie file', modules=MODULES, files={**FILES, 'log/': ''})
    server.expect('SS0113')
    jar, copy = Jar(server), Jar(server)
    for _ in range(300):
        response = copy.request('PUT', '/session/a', JSON, json.dumps(os.urandom(3000).hex()))
        copy.cookies = {}
        if response.status != 201:
            break
    assert response.status == 507
    server.allow('SS0402')
    assert jar.request('PUT', '/session/a', JSON, '1').status == 201
    copy.cookies = dict(jar.cookies)
    assert jar.request('DELETE', '/session').status == 204
    assert copy.request('GET', '/session').json() == {}
    assert server.request('POST', '/revoke', FORM, 'id=' + 32 * '1').status == 204


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can mount a file system')
def test_a_full_disk():
    with tempfile.TemporaryDirectory(prefix='signed-session-disk-') as disk:
        os.chmod(disk, 0o755)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=128k,mode=755', 'tmpfs', disk], check=True)
        try:
            fill_disk(disk)
        finally:
            subprocess.run(['umount', '-l', disk], check=True)


def fill_disk(disk):
    with serve(f'file:{disk}/sessions') as server:
        server.expect('SS0113')
        jar, old = Jar(server), Jar(server)
        old.request('PUT', '/session', JSON, '{"user":"alice","a":1}')
        response = fill(jar)
        assert response.status == 507 and not response.set_cookies()
        server.expect('SS0402')
        assert as_ever(old)
        assert old.request('PATCH', '/session', PATCH, '{"a":2}').status == 507
        assert as_ever(old)
