# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Beside mod_cache, where a page has others in it: what a subrequest answers is part of a page, and may be stored alone;
what decided about a page may have stood in another place."""

import re

import pytest

from backends import HttpBackend, http_answer
from cookies import native, starlette
from harness import Server, cgi_module

ALICE, BOB = native({'user': 'alice'}), native({'user': 'bob'})
CACHE = 'CacheRoot "{dir}/cache"\nCacheEnable disk /\nCacheHeader on\nCacheIgnoreNoLastMod On\nCacheQuickHandler {quick}\n'
PAGES = '''
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
    <Directory "{dir}/htdocs">
        Options +Includes
    </Directory>
    ScriptAlias /cgi/ "{dir}/cgi/"
    ExpiresActive On
    ExpiresDefault A600
'''
MODULES = f'alias autoindex include expires headers proxy proxy_http cache cache_disk {cgi_module()}'
USER_CGI = '#!/bin/sh\nprintf "Content-Type: text/plain\\nCache-Control: max-age=600\\n\\nuser=${SESSION_user:-nobody}"\n'
HOME_CGI = '#!/bin/sh\nprintf "Location: /${SESSION_user:-nobody}.txt\\n\\n"\n'
FILES = {'cache/': '', 'cgi/user': USER_CGI, 'cgi/home': HOME_CGI,
         **{f'htdocs/{name}.txt': f'user={name}' for name in ('alice', 'bob', 'nobody')},
         'htdocs/plain.shtml': 'no command',
         'htdocs/script.shtml': '<!--#include virtual="/cgi/user" -->',
         'htdocs/app.shtml': '<!--#include virtual="/app/me" -->',
         'htdocs/varies.shtml': '<!--#include virtual="/app/varies" -->',
         'htdocs/login.shtml': '<!--#include virtual="/app/login" -->'}


def caching(conf, quick, modules=MODULES, files=FILES, **values):
    """A server for a `with`, whose pages have parts and whose cache may take everything."""
    return Server(CACHE.replace('{quick}', quick) + PAGES + conf, modules, files=files, **values)


def whom(head):
    found = re.search(r'^X-User: (.*?)\r?$', head, re.M)
    return f'user={found[1] if found else "nobody"}'.encode()


BACKEND = {
    'me': lambda head: http_answer('200 OK', 'Cache-Control: max-age=600', body=whom(head)),
    'varies': lambda head: http_answer('200 OK', 'Cache-Control: max-age=600', 'Vary: Cookie', body=whom(head)),
    'login': http_answer('200 OK', 'Cache-Control: max-age=600', 'X-Up: {"user":"alice"}'),
    'shared': http_answer('200 OK', 'Cache-Control: max-age=600',
                          f'Set-Cookie: session={starlette({"user": "alice"})}; Path=/'),
}
APP = '''
    SignedSession On
    ProxyPass /app/ http://127.0.0.1:{backend}/ disablereuse=On
    <Location "/app/">
        SignedSessionForwardText X-User user
        SignedSessionUpdate X-Up
    </Location>
    <Location "/cgi/">
        SignedSessionEnv On
    </Location>
'''


@pytest.fixture(scope='module', params=['On', 'Off'], ids=['quick', 'late'])
def server(request):
    with HttpBackend(BACKEND) as backend, caching(APP, request.param, backend=backend.port) as one:
        yield one


def user_of(response):
    return re.search(r'user=(\w+)', response.text)[1]


ADDRESSES = [('/script.shtml', '/cgi/user'), ('/app.shtml', '/app/me'), ('/varies.shtml', '/app/varies')]


@pytest.mark.parametrize('page, part', ADDRESSES, ids=[row[0] for row in ADDRESSES])
def test_a_part_of_a_page_is_stored_for_the_visitor_it_was_made_for(server, page, part):
    """While the page is made, its cookie is hidden from scripts; the cache must not take that for none."""
    for _ in range(2):
        for path in (page, part):
            for cookie, want in ((ALICE, 'alice'), (BOB, 'bob'), (None, 'nobody')):
                assert user_of(server.request('GET', path, cookie=cookie)) == want, (path, want)


def test_an_update_in_a_part_is_neither_stored_nor_replayed(server):
    for cookie in (BOB, None):
        server.request('GET', '/login.shtml', cookie=cookie)
        for _ in range(2):
            response = server.request('GET', '/app/login', cookie=cookie)
            assert response.get('X-Up') is None
            assert 'HIT' not in response.get('X-Cache') or not response.set_cookies()


def test_an_update_that_a_cache_holds_never_leaves(start):
    """Stored by a server without this module; Age is 0 in the second that it was stored in."""
    with HttpBackend(BACKEND) as backend:
        conf = CACHE.replace('{quick}', 'On') + 'ProxyPass /app/ http://127.0.0.1:{backend}/ disablereuse=On\n'
        without = start(conf, 'proxy proxy_http cache cache_disk', FILES, ours=False, backend=backend.port)
        assert without.request('GET', '/app/login').get('X-Up')
        store = without.dir / 'cache'
        server = start(conf.replace('{dir}/cache', str(store)) + '''
            SignedSession On
            <Location "/app/">
                SignedSessionUpdate X-Up
            </Location>''', 'proxy proxy_http cache cache_disk', FILES, backend=backend.port)
        server.allow('AH')
        for cookie in (None, BOB):
            response = server.request('GET', '/app/login', {'Host': f'127.0.0.1:{without.port}'}, cookie=cookie)
            assert 'HIT' in response.get('X-Cache')
            assert (response.get('X-Up'), response.set_cookies()) == (None, [])


@pytest.mark.parametrize('quick', ['On', 'Off'])
def test_an_applications_cookie_in_a_part_is_not_stored(quick):
    page = {**FILES, 'htdocs/shared.shtml': '<!--#include virtual="/app/shared" -->'}
    conf = '''
        SignedSession On
        SignedSessionFormat starlette
        ProxyPass /app/ http://127.0.0.1:{backend}/ disablereuse=On'''
    with HttpBackend(BACKEND) as backend:
        with caching(conf, quick, files=page, backend=backend.port) as server:
            server.request('GET', '/shared.shtml', cookie=f'session={starlette({"user": "alice"})}')
            response = server.request('GET', '/app/shared', cookie=f'session={starlette({"user": "alice"})}')
            assert 'HIT' not in response.get('X-Cache')


# --- another place decided -----------------------------------------------------------------------

ELSEWHERE = '''
    <Location "/cgi/">
        SignedSession On
        SignedSessionEnv On
    </Location>
    <Location "/members/">
        SignedSession On
        Require signed-session user
    </Location>
    ErrorDocument 403 /nobody.txt
    <Location "/list/">
        Options +Indexes
        HeaderName /members/header.html
    </Location>
    <Location "/plain.shtml">
        SignedSessionVary Off
    </Location>
    <Location "/expression">
        Header set X-User "expr=%{session:user}"
    </Location>
'''
OFF_PAGES = [('/cgi/home', 'a script that chose the page'), ('/script.shtml', 'a script in a page')]


@pytest.mark.parametrize('page', [row[0] for row in OFF_PAGES], ids=[row[1] for row in OFF_PAGES])
@pytest.mark.parametrize('first', [ALICE, None], ids=['alice first', 'nobody first'])
@pytest.mark.parametrize('quick', ['On', 'Off'])
def test_an_answer_from_a_place_without_sessions_varies_with_who_decided(quick, first, page):
    with caching(ELSEWHERE, quick) as server:
        for cookie in (first, ALICE, BOB, None):
            want = {ALICE: 'alice', BOB: 'bob', None: 'nobody'}[cookie]
            response = server.request('GET', page, cookie=cookie)
            assert (user_of(response), 'Cookie' in (response.get('Vary') or '')) == (want, True)


@pytest.mark.parametrize('modules', [MODULES, MODULES.replace(' cache cache_disk', '')], ids=['cache', 'no cache'])
def test_whatever_the_session_decided_is_marked(start, modules):
    """For caches in front of this server."""
    conf = (CACHE.replace('{quick}', 'On') if ' cache ' in modules else '') + PAGES + ELSEWHERE
    server = start(conf, modules, {**FILES, 'htdocs/members/a.txt': 'user=x', 'htdocs/expression': 'x',
                                   'htdocs/members/header.html': 'user=x', 'htdocs/list/a.txt': 'x'})
    for cookie in (ALICE, None):
        for path in ('/cgi/home', '/script.shtml', '/members/a.txt', '/list/', '/expression'):
            assert 'Cookie' in (server.request('GET', path, cookie=cookie).get('Vary') or ''), (path, cookie)
        server.allow('AH01630')
        for path in ('/alice.txt', '/plain.shtml'):
            assert server.request('GET', path, cookie=cookie).get('Vary') is None
    assert 'private' in server.request('GET', '/list/', cookie=ALICE).get('Cache-Control')


# --- what stands before our filters, or hides another ------------------------------------------------

EVERYBODY = ((ALICE, 'alice'), (BOB, 'bob'), (None, 'nobody'))


def test_a_cache_that_stores_before_all_others_stores_what_is_marked():
    """SetOutputFilter CACHE puts mod_cache's filter before ours."""
    with HttpBackend(BACKEND) as backend:
        with caching(APP + 'SetOutputFilter CACHE\n', 'Off', backend=backend.port) as server:
            for path in ('/app/me', '/cgi/user'):
                for cookie, want in EVERYBODY * 2:
                    assert user_of(server.request('GET', path, cookie=cookie)) == want, path
            for cookie in (ALICE, None, BOB, None):
                response = server.request('GET', '/app/login', cookie=cookie)
                assert response.get('X-Up') is None
                assert 'HIT' not in response.get('X-Cache') or not response.set_cookies()


HOW = {'by type': 'AddOutputFilterByType INCLUDES text/html',
       'by a chain': 'FilterDeclare SSI\nFilterProvider SSI INCLUDES "%{CONTENT_TYPE} =~ m#text/html#"\nFilterChain SSI'}


@pytest.mark.parametrize('how', HOW.values(), ids=HOW)
@pytest.mark.parametrize('quick', ['On', 'Off'])
def test_a_page_that_mod_filter_hands_to_mod_include_varies(quick, how):
    conf = ELSEWHERE.replace('<Location "/expression">', '<Location "/none">') + how
    with caching(conf, quick, MODULES + ' filter') as server:
        (server.dir / 'htdocs/page.html').write_text('hello <!--#include virtual="/cgi/user" -->')
        for cookie, want in EVERYBODY:
            assert user_of(server.request('GET', '/page.html', cookie=cookie)) == want


def test_a_listing_varies_whenever_its_header_leaves(start):
    """An HTML header is sent before the names are looked at, and a long listing before its footer."""
    files = {'cache/': '', 'htdocs/head.html': '<p>welcome</p>', 'htdocs/list/secret.txt': 'x',
             'htdocs/readme.html': 'for alice',
             **{f'htdocs/long/{number:03d}-a-long-name-for-a-file.txt': 'x' for number in range(300)}}
    server = start(CACHE.replace('{quick}', 'On') + '''
        ExpiresActive On
        ExpiresDefault A600
        AddType text/html .html
        <Directory "{dir}/htdocs">
            Options +Indexes
        </Directory>
        HeaderName /head.html
        ReadmeName /readme.html
        <FilesMatch "^(secret|readme)">
            SignedSession On
            Require signed-session user alice
        </FilesMatch>''', 'autoindex expires cache cache_disk', files)
    server.allow('AH01630')
    for path, mark in (('/list/', 'secret'), ('/long/', 'for alice')):
        for cookie, want in EVERYBODY:
            assert (mark in server.request('GET', path, cookie=cookie).text) == (want == 'alice'), (path, want)


@pytest.mark.parametrize('quick', ['On', 'Off'])
def test_a_place_that_removes_the_cookie_tells_visitors_apart(quick):
    with HttpBackend(BACKEND) as backend:
        with caching(APP + '<Location "/app/">\nRequestHeader unset Cookie\n</Location>', quick, backend=backend.port) as server:
            for cookie, want in EVERYBODY * 2:
                assert user_of(server.request('GET', '/app/me', cookie=cookie)) == want


def test_a_server_that_only_htaccess_gives_sessions_varies_too():
    conf = '<Directory "{dir}/htdocs/ten">\nAllowOverride All\nOptions +ExecCGI\nAddHandler cgi-script .cgi\n</Directory>'
    with caching(conf, 'On') as server:
        ten = server.dir / 'htdocs/ten'
        ten.mkdir()
        (ten / '.htaccess').write_text('SignedSession On\nSignedSessionEnv On\n')
        (ten / 'user.cgi').write_text(USER_CGI)
        (ten / 'user.cgi').chmod(0o755)
        (server.dir / 'htdocs/ten.shtml').write_text('<!--#include virtual="/ten/user.cgi" -->')
        for cookie, want in EVERYBODY:
            assert user_of(server.request('GET', '/ten.shtml', cookie=cookie)) == want


def test_an_answer_from_which_a_rule_was_withheld_is_not_for_others(start):
    """Else one request of another site takes the rule from everybody, until the page expires."""
    server = start(CACHE.replace('{quick}', 'On') + '''
        SignedSession On
        ExpiresActive On
        ExpiresDefault A600
        <Location "/shop">
            SignedSessionSet bucket A
        </Location>''', 'expires cache cache_disk', {'cache/': '', 'htdocs/shop': 'x'})
    headers = {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'image', 'Sec-Fetch-Mode': 'no-cors'}
    response = server.request('GET', '/shop', headers)
    assert response.set_cookies() == [] and 'private' in response.get('Cache-Control')
    assert server.request('GET', '/shop').cookie()


def test_what_is_written_for_certain_caches_does_not_go_before_it(start):
    with HttpBackend({'app': http_answer('200 OK', 'CDN-Cache-Control: public, max-age=600', 'Surrogate-Control: max-age=600')}
                     ) as backend:
        server = start('''
            SignedSession On
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            <Location "/app">
                SignedSessionSet seen yes
            </Location>''', 'proxy proxy_http', backend=backend.port)
        response = server.request('GET', '/app')
        assert response.cookie() and response.get('CDN-Cache-Control') is None is response.get('Surrogate-Control')
        response = server.request('GET', '/app', cookie=native({'seen': 'yes'}))
        assert response.get('CDN-Cache-Control') == 'public, max-age=600'
