# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionStripCookie: scripts and backends do not get the session cookie, and caches still see it."""

import time
from contextlib import ExitStack

import pytest

from backends import HttpBackend, http_answer
from common import ENV_CGI
from cookies import Native, native, opened, starlette
from harness import Server, cgi_module

REDIRECT_CGI = '''#!/bin/sh
printf 'Location: %s\\r\\n\\r\\n' "$QUERY_STRING"
'''
UPDATE_CGI = '''#!/bin/sh
printf 'X-Update: {"n":2}\\r\\nContent-Type: text/plain\\r\\n\\r\\n'
env
'''
BROKEN_CGI = '''#!/bin/sh
printf 'no header'
'''
COOKIE_LUA = '''
function handle(r)
    r.content_type = "text/plain"
    r:puts("seen:\\n")
    if r.headers_in["Cookie"] then r:puts("HTTP_COOKIE=" .. r.headers_in["Cookie"] .. "\\n") end
    return apache2.OK
end
'''


def echo(head):
    """A backend that answers with the Cookie fields that it got, as a script would show them."""
    lines = [line for line in head.split('\r\n') if line.lower().startswith('cookie:')]
    body = 'seen:\n' + ''.join(f'HTTP_COOKIE={line[7:].strip()}\n' for line in lines)
    return http_answer('200 OK', body=body.encode('latin-1'))


BACKEND = {'echo': echo, 'missing': http_answer('404 Not Found')}


def cookie_seen(response):
    """The Cookie header that a script or a backend saw; None when there was none."""
    lines = {line.strip() for line in response.text.splitlines() if line.strip().startswith('HTTP_COOKIE=')}
    assert len(lines) <= 1, response.text
    return lines.pop().removeprefix('HTTP_COOKIE=') if lines else None


# --- where, and of whom ----------------------------------------------------------------------------

# Three answers in each of these places.
PLACES = {
    'auto': '',
    'on': 'SignedSessionStripCookie on',
    'off': 'SignedSessionStripCookie off',
    'read-only': 'SignedSession ReadOnly',
    'sessions-off': 'SignedSession Off',
    'sessions-off-on': 'SignedSession Off\nSignedSessionStripCookie on',
    'sessions-off-off': 'SignedSession Off\nSignedSessionStripCookie off',
}


def places_conf(places=PLACES):
    return 'ProxyPass /proxy http://127.0.0.1:{backend} disablereuse=On\n' + ''.join(f'''
        ScriptAlias /cgi/{name}/ "{{dir}}/cgi/"
        LuaMapHandler /lua/{name}/ "{{dir}}/cookie.lua"
        <LocationMatch "^/[a-z]+/{name}/">
            {lines}
        </LocationMatch>''' for name, lines in places.items())


FILES = {'cgi/env': ENV_CGI, 'cgi/redirect': REDIRECT_CGI, 'cgi/update': UPDATE_CGI, 'cgi/broken': BROKEN_CGI,
         'cookie.lua': COOKIE_LUA}
MODULES = f'alias dir headers include lua proxy proxy_http rewrite {cgi_module()}'
ANSWERS = ['/cgi/{}/env', '/proxy/{}/echo', '/lua/{}/x']


@pytest.fixture(scope='module')
def backend():
    with HttpBackend(BACKEND) as one:
        yield one


@pytest.fixture(scope='module')
def servers(backend):
    """One for each format that is written."""
    def server(name):
        return Server(f'SignedSession On\nSignedSessionFormat {name}\n' + places_conf(), MODULES, FILES,
                      backend=backend.port)
    with server('native') as first, server('starlette') as second, server('native starlette') as third:
        yield {'native': first, 'starlette': second, 'both': third}


NATIVE = native({'user': 'alice'})
OTHERS_NATIVE = f"session={Native({'user': 'eve'}).seal('another secret of another server, 0123456789')}"
FOREIGN = f'session={starlette({"user": "alice"})}'
NOT_OURS = 'session=anything'

# place: what is hidden of a native cookie of ours, of a native one with other keys, of Starlette's, of any text
HIDDEN = {
    'native': {'auto': 'y---', 'on': 'yyyy', 'off': '----', 'read-only': 'y---', 'sessions-off': 'y---',
               'sessions-off-on': 'yyyy', 'sessions-off-off': '----'},
    'starlette': {'auto': '----', 'on': 'yyyy', 'off': '----', 'read-only': '----', 'sessions-off': '----',
                  'sessions-off-on': 'yyyy', 'sessions-off-off': '----'},
    'both': {'auto': 'y---', 'on': 'yyyy', 'off': '----', 'read-only': 'y---', 'sessions-off': 'y---',
             'sessions-off-on': 'yyyy', 'sessions-off-off': '----'},
}


@pytest.mark.parametrize('form, place', [(form, place) for form in HIDDEN for place in PLACES])
@pytest.mark.parametrize('answer', ANSWERS)
def test_what_is_hidden_where(servers, form, place, answer):
    for cookie, hidden in zip([NATIVE, OTHERS_NATIVE, FOREIGN, NOT_OURS], HIDDEN[form][place]):
        response = servers[form].request('GET', answer.format(place), cookie=cookie)
        assert cookie_seen(response) == (None if hidden == 'y' else cookie)
        response = servers[form].request('GET', answer.format(place), cookie=f'a=1; {cookie}; b=2')
        assert cookie_seen(response) == ('a=1; b=2' if hidden == 'y' else f'a=1; {cookie}; b=2')


def test_a_virtual_host_without_sessions_is_left_alone(start, backend):
    server = start('''
        <VirtualHost *:{port}>
            ServerName with.example
            SignedSession On
        </VirtualHost>
        <VirtualHost *:{port}>
            ServerName without.example
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
        </VirtualHost>
        <VirtualHost *:{port}>
            ServerName some.example
            <Location "/members">
                SignedSession On
            </Location>
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
        </VirtualHost>''', MODULES, FILES, backend=backend.port)

    def seen(host):
        return cookie_seen(server.request('GET', '/echo', {'Host': host}, cookie=NATIVE))

    assert seen('without.example') == NATIVE
    assert seen('some.example') is None


# --- the rest of the header --------------------------------------------------------------------------

HEADERS = [
    # as the client sends it ({} is our cookie), as a script sees it
    ('{}', None),
    ('a=1', 'a=1'),
    ('a=1; {}', 'a=1'),
    ('{}; a=1', 'a=1'),
    ('a=1;{};b=2', 'a=1;b=2'),
    ('{}; {}', None),
    (';;;;', ';;;;'),
    (';;{};;', None),
    ('  {}\t; ', None),
    ('\t;  ; {} ;a=1', ';  ; a=1'),
    ('a; {}; b', 'a; b'),
    ('=; {}; =x', '=; =x'),
    ('session; {}', 'session'),
    ('session', 'session'),
    ('Session=x; {}', 'Session=x'),
    ('sessions=x; {}', 'sessions=x'),
    ('xsession=x; {}', 'xsession=x'),
    ('__Host-session=x; {}', '__Host-session=x'),
    ('sess%69on=x; {}', 'sess%69on=x'),
    ('a="x; y"; {}', 'a="x; y"'),
    ('a=b=c==; {}', 'a=b=c=='),
    ('a=x y  z; {}', 'a=x y  z'),
    ('a=\xff\xfe; {}; b=\x80', 'a=\xff\xfe; b=\x80'),
    ('a=1,{}', 'a=1,{}'),
    ('$Version=1; {}; $Path=/', '$Version=1; $Path=/'),
]


@pytest.mark.parametrize('sent, seen', HEADERS, ids=lambda value: repr(value))
def test_other_cookies_stay_as_they_are(servers, sent, seen):
    """Only what stands between two semicolons, and is called like our cookie, goes."""
    for place in ('auto', 'on'):
        response = servers['native'].request('GET', f'/proxy/{place}/echo', cookie=sent.replace('{}', NATIVE))
        response.body = response.body.decode('latin-1').encode()
        assert cookie_seen(response) == (None if seen is None else seen.replace('{}', NATIVE))


def test_blanks_around_its_name_hide_nothing(servers):
    """Flask, Starlette and Django take such a cookie for ours."""
    for spelled in (' ='.join(NATIVE.split('=', 1)), '\t= '.join(NATIVE.split('=', 1))):
        for place in ('auto', 'on'):
            assert cookie_seen(servers['native'].request('GET', f'/proxy/{place}/echo', cookie=f'a=1; {spelled}')) == 'a=1'


@pytest.mark.parametrize('sent, on, auto', [
    ('{}; session=other; session=', None, 'session=other; session='),
    ('a=1; session="quoted; b=2', 'a=1; b=2', 'a=1; session="quoted; b=2')])
def test_what_is_called_like_ours_and_is_not(servers, sent, on, auto):
    """An application's own cookie: without it, its login would never end."""
    for place, seen in (('on', on), ('auto', auto)):
        response = servers['native'].request('GET', f'/proxy/{place}/echo', cookie=sent.replace('{}', NATIVE))
        assert cookie_seen(response) == seen


def test_a_long_header(servers):
    others = '; '.join(f'c{i}={"x" * 20}' for i in range(200))
    sent = others.replace('c100=', f'{NATIVE}; c100=')
    assert cookie_seen(servers['native'].request('GET', '/proxy/auto/echo', cookie=sent)) == others


def test_several_cookie_fields(servers):
    """httpd joins them by a comma, which does not separate cookies: the second is part of the first one's value."""
    headers = [('Cookie', 'a=1'), ('Cookie', NATIVE)]
    assert cookie_seen(servers['native'].request('GET', '/proxy/auto/echo', headers)) == f'a=1, {NATIVE}'


def test_a_cookie_of_another_name(start, backend):
    server = start('''
        SignedSession On
        SignedSessionCookie sid
        ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On''', MODULES, FILES, backend=backend.port)
    assert cookie_seen(server.request('GET', '/echo', cookie=f'sid={Native({"a": 1}).seal(name="sid")}; session=y')) == 'session=y'


# --- chains: once hidden, always hidden -------------------------------------------------------------

CHAIN = '''
    SignedSession On
    SignedSessionStripCookie off
    DirectoryIndex /cgi/off/env
    ProxyPass /proxy http://127.0.0.1:{backend}/proxy disablereuse=On
    ProxyPass /overridden http://127.0.0.1:{backend}/overridden disablereuse=On
    ScriptAlias /cgi/off/ "{dir}/cgi/"
    ScriptAlias /cgi/sessions-off/ "{dir}/cgi/"
    ScriptAlias /cgi/on/ "{dir}/cgi/"
    LuaMapHandler /lua/on/ "{dir}/cookie.lua"
    LuaMapHandler /lua/off/ "{dir}/cookie.lua"
    <LocationMatch "^/[a-z]+/on/|/strip/">
        SignedSessionStripCookie on
    </LocationMatch>
    <Directory "{dir}/htdocs">
        Options +Includes +FollowSymLinks
        AddOutputFilter INCLUDES .shtml
        RewriteEngine On
        RewriteRule "^strip/rewrite" "/cgi/off/env"
        RewriteRule "^rewrite" "/cgi/on/env"
    </Directory>
    <Location "/cgi/sessions-off">
        SignedSession Off
        SignedSessionStripCookie auto
    </Location>
    <Location "/strip/error">
        ErrorDocument 404 /cgi/off/env
    </Location>
    <Location "/error">
        ErrorDocument 404 /cgi/on/env
    </Location>
    <Location "/cgi/on">
        ErrorDocument 500 /cgi/off/env
    </Location>
    <Location "/overridden">
        SignedSessionStripCookie on
        ProxyErrorOverride On
        ErrorDocument 404 /cgi/off/env
    </Location>
    <Location "/strip/denied">
        Require all denied
        ErrorDocument 403 /cgi/off/env
    </Location>
    <Location "/strip/earlier">
        RedirectMatch 404 .
        ErrorDocument 404 /cgi/off/env
    </Location>
'''


@pytest.fixture(scope='module')
def chain(backend):
    files = {**FILES, 'htdocs/strip/index/.keep': '', 'htdocs/index/.keep': '', 'htdocs/strip/rewrite': 'x',
             'htdocs/rewrite': 'x', 'htdocs/off.shtml': 'page <!--#include virtual="/cgi/on/env" -->',
             'htdocs/strip/on.shtml': 'page <!--#include virtual="/cgi/off/env" -->',
             'htdocs/both.shtml': '<!--#include virtual="/lua/on/x" --> <!--#include virtual="/lua/off/x" -->'}
    with Server(CHAIN, MODULES, files, backend=backend.port) as one:
        yield one


CHAINS = [
    ('a CGI script redirects to where it is hidden', '/cgi/off/redirect?/cgi/on/env', True),
    ('and back', '/cgi/on/redirect?/cgi/off/env', True),
    ('there and back', '/cgi/off/redirect?/cgi/on/redirect?/cgi/off/env', True),
    ('to a backend', '/cgi/on/redirect?/proxy/echo', True),
    ('to Lua', '/cgi/on/redirect?/lua/off/x', True),
    ('a rewrite', '/rewrite', True),
    ('a rewrite out of there', '/strip/rewrite', True),
    ('an error document', '/error/missing', True),
    ('an error document out of there', '/strip/error/missing', True),
    ('an error document for a script', '/cgi/on/broken', True),
    ('an error document for a backend', '/overridden/missing', True),
    ('an error document for who is refused there', '/strip/denied/x', True),
    ('an error document for a redirect there', '/strip/earlier/x', True),
    ('DirectoryIndex', '/strip/index/', True),
    ('to where less is hidden', '/cgi/on/redirect?/cgi/sessions-off/env', True),
    ('never hidden', '/cgi/off/redirect?/cgi/off/env', False),
    ('DirectoryIndex, never hidden', '/index/', False),
    ('an included script', '/off.shtml', True),
    ('an included script, out of there', '/strip/on.shtml', True),
    ('two included scripts', '/both.shtml', True),
]


@pytest.mark.parametrize('what, path, hidden', CHAINS, ids=[row[0] for row in CHAINS])
def test_once_hidden_it_stays_hidden(chain, what, path, hidden):
    """CVE-2026-47360: decided for each request of a chain alone, the cookie came back."""
    chain.allow('End of script output', 'AH01630')
    for others, sent in [(None, NATIVE), ('a=1; b=2', f'a=1; {NATIVE}; b=2'), ('x', f'{NATIVE};x')]:
        response = chain.request('GET', path, cookie=sent)
        assert response.status in (200, 403, 404, 500) and response.body
        assert cookie_seen(response) == (others if hidden else sent)
        assert (NATIVE in response.text) != hidden


def test_what_is_hidden_does_not_become_less(chain):
    """Where sessions are off only native cookies are hidden; not so when all were hidden before."""
    response = chain.request('GET', '/cgi/on/redirect?/cgi/sessions-off/env', cookie=f'{FOREIGN}; a=1')
    assert cookie_seen(response) == 'a=1'
    response = chain.request('GET', '/cgi/off/redirect?/cgi/sessions-off/env', cookie=f'{FOREIGN}; a=1')
    assert cookie_seen(response) == f'{FOREIGN}; a=1'


# --- the session itself ------------------------------------------------------------------------------

SESSION = '''
    SignedSession On
    ScriptAlias /cgi/ "{dir}/cgi/"
    LogFormat "%{user}^SS %{:state}^SS" state
    CustomLog "{dir}/access.log" state
    <Location "/cgi">
        SignedSessionUpdate X-Update
    </Location>
    <Location "/cgi/update">
        SignedSessionEnv On
    </Location>
    <Location "/cgi/off">
        SignedSession Off
    </Location>
    <Location "/cgi/off/update">
        ErrorDocument 500 /cgi/update
    </Location>
    <Location "/cgi/broken">
        ErrorDocument 500 /cgi/update
    </Location>
'''


@pytest.fixture(scope='module')
def session():
    with Server(SESSION, MODULES, {**FILES, 'cgi/off': ENV_CGI}) as one:
        yield one


def test_a_script_that_does_not_get_the_cookie_gets_the_session_and_changes_it(session):
    response = session.request('GET', '/cgi/update', cookie=f'{NATIVE}; a=1')
    assert cookie_seen(response) == 'a=1' and 'SESSION_user=alice\n' in response.text
    assert opened(response).data == {'user': 'alice', 'n': 2}


def test_after_an_error_too(session):
    response = session.request('GET', '/cgi/broken', cookie=NATIVE)
    assert response.status == 500 and NATIVE not in response.text
    assert opened(response).data == {'user': 'alice', 'n': 2}
    session.allow('End of script output')


def test_a_cookie_that_is_shown_is_shown_after_a_redirect(start):
    server = start("""
        SignedSession On
        SignedSessionEnv On
        SignedSessionStripCookie off
        ScriptAlias /cgi/ "{dir}/cgi/\"""", MODULES, FILES)
    response = server.request('GET', '/cgi/redirect?/cgi/env', cookie=NATIVE)
    assert f'\nREDIRECT_HTTP_COOKIE={NATIVE}\n' in response.text


def test_what_somebody_else_removed_need_not_be_hidden(start, backend):
    """mod_headers does it in fixups, between our look at the cookie and the handler."""
    server = start("""
        SignedSession On
        RequestHeader unset Cookie
        ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On""", MODULES, FILES, backend=backend.port)
    response = server.request('GET', '/echo', cookie=NATIVE)
    assert (response.text, response.set_cookies()) == ('seen:\n', [])


def test_what_loads_late_finds_the_cookie(session):
    """Where sessions are off nothing reads it before the log line is written."""
    response = session.request('GET', '/cgi/off', cookie=NATIVE)
    assert cookie_seen(response) is None
    assert (session.dir / 'access.log').read_text().splitlines()[-1] == 'alice valid'


def test_renewal_too(session):
    old = native({'user': 'alice'}, renewed=int(time.time()) - 5 * 86400)
    response = session.request('GET', '/cgi/env', cookie=old)
    assert cookie_seen(response) is None
    assert opened(response).data == {'user': 'alice'}


# --- caches ------------------------------------------------------------------------------------------

STORES = {
    'disk': ('cache_disk', 'CacheRoot "{dir}/cache"\nCacheEnable disk /'),
    'socache': ('cache_socache socache_shmcb', 'CacheSocache "shmcb:{dir}/cache/shm(524288)"\nCacheEnable socache /'),
}
CACHE = '''
    SignedSession On
    SignedSessionVary {vary}
    CacheQuickHandler {quick}
    CacheIgnoreNoLastMod On
    CacheHeader On
    {store}
    ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
    <Location "/">
        SignedSessionForward X-Session
        SignedSessionUpdate X-Update
    </Location>
'''
REVALIDATE = {'Cache-Control': 'max-age=0'}
VISITORS = {'alice': native({'user': 'alice'}), 'bob': native({'user': 'bob'}), 'nobody': None}


class Pages:
    """A backend whose pages say to whom they were sent, and how often it was asked."""

    def __init__(self, *headers, revalidates=False):
        self.headers, self.revalidates = headers, revalidates
        self.asked = self.confirmed = 0

    def __call__(self, head):
        self.asked += 1
        if self.revalidates and 'If-None-Match: "etag"' in head:
            self.confirmed += 1
            return http_answer('304 Not Modified', 'ETag: "etag"', *self.headers, body=b'')
        lines = [line for line in head.split('\r\n') if line.lower().startswith(('cookie:', 'x-session:'))]
        return http_answer('200 OK', 'ETag: "etag"', *self.headers, body='\n'.join(lines).encode() or b'nobody')


@pytest.fixture
def cached(start):
    """Start httpd with a cache in front of this page: cached(page, store, quick)."""
    with ExitStack() as backends:
        def start_cache(page, store, quick, vary='Off'):
            backend = backends.enter_context(HttpBackend({'page': page}))
            modules, lines = STORES[store]
            return start(CACHE, f'cache {modules} proxy proxy_http', {'cache/': ''}, vary=vary, quick=quick,
                         store=lines, backend=backend.port)

        yield start_cache


EACH_CACHE = pytest.mark.parametrize('store, quick', [(store, quick) for store in STORES for quick in ('On', 'Off')])


@EACH_CACHE
@pytest.mark.parametrize('vary', ['Off', 'On'])
def test_two_visitors_never_get_each_others_page(cached, store, quick, vary):
    """The page was made without our cookie, and is looked up and stored with it."""
    page = Pages('Cache-Control: max-age=600', *(['Vary: Cookie'] if vary == 'Off' else []))
    server = cached(page, store, quick, vary)
    for turn in range(2):
        for name, cookie in VISITORS.items():
            response = server.request('GET', '/page', cookie=cookie)
            assert response.text == ('nobody' if cookie is None else f'X-Session: {{"user":"{name}"}}')
            assert response.set_cookies() == []


@EACH_CACHE
def test_the_same_visitor_gets_his_page_from_the_cache(cached, store, quick):
    page = Pages('Cache-Control: max-age=600', 'Vary: Cookie')
    server = cached(page, store, quick)
    for hit in (False, True, True):
        response = server.request('GET', '/page', cookie=f'a=1; {VISITORS["alice"]}')
        assert (response.get('Age') is not None, page.asked) == (hit, 1)
        assert sorted(response.text.split('\n')) == ['Cookie: a=1', 'X-Session: {"user":"alice"}']
    assert 'alice' not in server.request('GET', '/page', cookie='a=1').text


@EACH_CACHE
def test_revalidation_is_for_the_same_visitor_too(cached, store, quick):
    """The backend is asked again: with 304 the entry is served, to the visitor that it belongs to."""
    page = Pages('Cache-Control: max-age=600', 'Vary: Cookie', revalidates=True)
    server = cached(page, store, quick)
    alice = VISITORS['alice']
    assert server.request('GET', '/page', cookie=alice).status == 200
    response = server.request('GET', '/page', REVALIDATE, cookie=alice)
    assert (response.status, page.asked, page.confirmed) == (200, 2, 1)
    assert response.text == 'X-Session: {"user":"alice"}'
    assert server.request('GET', '/page', cookie=VISITORS['bob']).text == 'X-Session: {"user":"bob"}'
    assert response.set_cookies() == []


@EACH_CACHE
def test_a_response_with_our_cookie_is_not_stored(cached, store, quick):
    page = Pages('Cache-Control: public, max-age=600', 'X-Update: {"n":1}')
    server = cached(page, store, quick)
    first = server.request('GET', '/page')
    assert opened(first).data == {'n': 1} and first.get('X-Update') is None
    second = server.request('GET', '/page', cookie=native({'user': 'alice'}))
    assert opened(second).data == {'user': 'alice', 'n': 1} and second.get('Age') is None
    assert page.asked == 2


@EACH_CACHE
def test_a_revalidation_that_changes_the_session(cached, store, quick):
    """The backend says 304 and changes the session: only its visitor gets the cookie, and the page."""
    answers = iter([('Cache-Control: max-age=600',), ('Cache-Control: max-age=600', 'X-Update: {"n":1}')])

    def page(head):
        return Pages(*next(answers, ('Cache-Control: max-age=600',)), revalidates=True)(head)

    server = cached(page, store, quick)
    assert server.request('GET', '/page').set_cookies() == []
    response = server.request('GET', '/page', REVALIDATE)
    assert (response.status, response.get('X-Update')) == (200, None)
    assert [Native.open(line.split(';')[0].split('=')[1]).data for line in response.set_cookies()] == [{'n': 1}]
    again = server.request('GET', '/page')
    assert (again.status, again.set_cookies(), again.get('X-Update')) == (200, [], None)
