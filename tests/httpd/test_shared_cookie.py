# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""An application that shares the cookie, and sends its own Set-Cookie for it."""

import base64
import json
import time

import itsdangerous
import pytest

from backends import HttpBackend, http_answer
from cookies import Native, native, starlette
from harness import SECRET, Server, cgi_module

OTHER_SECRET = 'the secret of another application, 0123456789'
ATTRIBUTES = '; path=/; Max-Age=1209600; httponly; samesite=lax'
GONE = 'expires=Thu, 01 Jan 1970 00:00:00 GMT'


def theirs(data, **more):
    """The Set-Cookie line of an application that stores this."""
    return f'session={starlette(data, **more)}{ATTRIBUTES}'


def stored(response):
    """What the one Set-Cookie of a response stores, as the application would read it."""
    return json.loads(base64.b64decode(itsdangerous.TimestampSigner(SECRET).unsign(response.cookie())))


class Application:
    """Answers with the header lines that the test names."""

    def __init__(self):
        self.lines = []

    def __call__(self, head):
        return http_answer('200 OK', *self.lines)


PLACES = '''
    ScriptAlias /cgi/ "{dir}/cgi/"
    ProxyPass /app http://127.0.0.1:{backend} disablereuse=On
    <LocationMatch "^/(app|cgi)/set/">
        SignedSessionSet marked "by httpd"
    </LocationMatch>
    <LocationMatch "^/(app|cgi)/unset/">
        SignedSessionUnset role
    </LocationMatch>
    <LocationMatch "^/(app|cgi)/clear/">
        SignedSessionClear On
    </LocationMatch>
    <LocationMatch "^/(app|cgi)/before/">
        SignedSessionClear Before
    </LocationMatch>
    <LocationMatch "^/(app|cgi)/before-set/">
        SignedSessionClear Before
        SignedSessionSet marked "by httpd"
    </LocationMatch>
    <LocationMatch "^/(app|cgi)/update/">
        SignedSessionUpdate X-Update
    </LocationMatch>
    <LocationMatch "^/(app|cgi)/read-only/">
        SignedSession ReadOnly
        SignedSessionSet marked "by httpd"
    </LocationMatch>
    <LocationMatch "^/(app|cgi)/off/">
        SignedSession Off
        SignedSessionSet marked "by httpd"
    </LocationMatch>
'''


@pytest.fixture(scope='module')
def application():
    return Application()


@pytest.fixture(scope='module')
def server(application):
    with HttpBackend({'answer': application}) as backend, Server(
            f'SignedSession On\nSignedSessionFormat starlette\n{PLACES}',
            f'alias proxy proxy_http {cgi_module()}', http2=True, backend=backend.port) as one:
        (one.dir / 'cgi').mkdir()
        yield one


@pytest.fixture(params=['app', 'cgi'])
def answer(request, server, application):
    """answer(place, lines, cookie): the response of an application that sends these header lines there."""
    def ask(place, *lines, cookie=None, **more):
        application.lines = lines
        for folder in {f'cgi/{place}', 'cgi'}:
            (server.dir / folder).mkdir(exist_ok=True)
        script = ''.join(f"printf '%s\\r\\n' '{line}'\n" for line in (*lines, 'Content-Type: text/plain', ''))
        server.write(f'cgi/{place}/answer', f'#!/bin/sh\n{script}echo body\n')
        return server.request('GET', f'/{request.param}/{place}/answer', cookie=cookie, **more)

    return ask


OLD = f'session={starlette({"user": "alice", "role": "admin"}, age=60)}'


# --- nothing pending here ------------------------------------------------------------------------

LINES = [
    ('what Starlette writes', theirs({'user': 'bob'})),
    ('what Starlette writes when the session ended', f'session=null; path=/; {GONE}; httponly; samesite=lax'),
    ('something else altogether', 'session=anything; Path=/elsewhere; Domain=x.example'),
    ('an empty value', 'session='),
    ('odd blanks and case', 'session = x ;PATH=/; foo'),
    ('quotes', 'session="a b"; path=/'),
]


@pytest.mark.parametrize('what, line', LINES, ids=[row[0] for row in LINES])
@pytest.mark.parametrize('place', ['plain', 'update', 'read-only', 'off'])
def test_it_passes_untouched(answer, place, what, line, protocol):
    for cookie in (None, OLD):
        response = answer(place, f'Set-Cookie: {line}', 'Set-Cookie: a=1; Path=/', cookie=cookie, protocol=protocol)
        assert response.get_all('Set-Cookie') == [line.strip(), 'a=1; Path=/']


def test_two_of_them_pass_as_they_are(answer):
    lines = [theirs({'n': 1}), theirs({'n': 2})]
    response = answer('plain', *(f'Set-Cookie: {line}' for line in lines))
    assert response.get_all('Set-Cookie') == lines


def test_a_rule_that_changes_nothing_is_not_pending(answer):
    line = theirs({'user': 'bob'})
    response = answer('unset', f'Set-Cookie: {line}', cookie=f'session={starlette({"user": "bob"})}')
    assert stored(response) == {'user': 'bob'} and len(response.get_all('Set-Cookie')) == 1


def test_nothing_is_renewed(start):
    """A native session that is due: the application's cookie is newer than any renewal."""
    line = f'session={Native({"user": "bob"}).seal()}; Path=/'
    due = native({'user': 'alice'}, renewed=int(time.time()) - 5 * 86400)
    with HttpBackend({'write': http_answer('200 OK', f'Set-Cookie: {line}'), 'read': http_answer('200 OK')}) as backend:
        server = start('SignedSession On\nProxyPass / http://127.0.0.1:{backend}/ disablereuse=On', 'proxy proxy_http',
                       backend=backend.port)
        assert server.request('GET', '/read', cookie=due).cookie()
        assert server.request('GET', '/write', cookie=due).get_all('Set-Cookie') == [line]


# --- changes on top --------------------------------------------------------------------------------


@pytest.mark.parametrize('cookie', [None, OLD, 'session=refused'])
def test_what_is_pending_here_comes_on_top(answer, cookie, protocol):
    """Its write is the newer truth: nothing of the old session comes back."""
    response = answer('set', f'Set-Cookie: {theirs({"user": "bob", "marked": "by the application"})}', cookie=cookie,
                      protocol=protocol)
    assert stored(response) == {'user': 'bob', 'marked': 'by httpd'}
    assert response.get('Cache-Control') == 'private'


def test_an_old_style_application_writes_with_every_response(answer):
    """The cookie that it sends back is the one that came in."""
    response = answer('set', f'Set-Cookie: {OLD}{ATTRIBUTES}', cookie=OLD)
    assert stored(response) == {'user': 'alice', 'role': 'admin', 'marked': 'by httpd'}


def test_a_new_style_application_writes_only_what_changed(answer):
    assert stored(answer('set', cookie=OLD)) == {'user': 'alice', 'role': 'admin', 'marked': 'by httpd'}


def test_an_update_header_beside_it(answer):
    """A response may hold both: the application's cookie is what its update is made on."""
    response = answer('update', f'Set-Cookie: {theirs({"user": "bob", "role": "x"})}',
                      'X-Update: {"role": null, "n": 1}', cookie=OLD)
    assert stored(response) == {'user': 'bob', 'n': 1} and response.get('X-Update') is None


def test_a_key_is_removed_from_what_it_wrote(answer):
    response = answer('unset', f'Set-Cookie: {theirs({"user": "bob", "role": "admin"})}', cookie=OLD)
    assert stored(response) == {'user': 'bob'}


def test_clear_wins_over_what_it_wrote(answer):
    for cookie in (OLD, None):
        response = answer('clear', f'Set-Cookie: {theirs({"user": "bob"})}', cookie=cookie)
        assert response.cookie() == '' and 'Max-Age=0' in response.set_cookies()[0]


def test_an_update_that_ends_the_session_wins_too(answer):
    response = answer('update', f'Set-Cookie: {theirs({"user": "bob"})}', 'X-Update: null', cookie=OLD)
    assert response.cookie() == ''


@pytest.mark.parametrize('place, want', [
    ('before', {'user': 'bob'}), ('before-set', {'user': 'bob', 'marked': 'by httpd'})])
def test_what_it_wrote_belongs_to_the_session_that_begins(answer, place, want):
    """SignedSessionClear Before drops what was loaded, not what this response brings."""
    for cookie in (OLD, None):
        response = answer(place, f'Set-Cookie: {theirs({"user": "bob"})}', cookie=cookie)
        assert stored(response) == want


def test_of_two_lines_the_last_counts(answer):
    """As in the browser."""
    response = answer('set', f'Set-Cookie: {theirs({"n": 1})}', f'Set-Cookie: {theirs({"n": 2})}')
    assert stored(response) == {'n': 2, 'marked': 'by httpd'}


def test_its_other_cookies_keep_their_order(answer):
    lines = ['a=1', theirs({'n': 1}), 'sessions=2', 'b="session=3"', '__Host-session=4']
    response = answer('set', *(f'Set-Cookie: {line}' for line in lines))
    assert stored(response) == {'n': 1, 'marked': 'by httpd'}
    others = [line for line in response.get_all('Set-Cookie') if not line.startswith('session=')]
    assert others == [line for line in lines if line != lines[1]]


def test_values_that_nobody_touched_stay_as_they_are(answer):
    data = {'float': 1e16, 'big': 12345678901234567890123, 'text': 'Zoë', 'endless': float('inf')}
    response = answer('set', f'Set-Cookie: {theirs(data)}')
    text = base64.b64decode(itsdangerous.TimestampSigner(SECRET).unsign(response.cookie())).decode()
    assert text == ('{"float":1e+16,"big":12345678901234567890123,"text":"Zo\\u00eb","endless":Infinity,'
                    '"marked":"by httpd"}')


@pytest.mark.parametrize('place', ['read-only', 'off'])
def test_where_nothing_may_change_it_passes(answer, place):
    line = theirs({'user': 'bob'})
    assert answer(place, f'Set-Cookie: {line}', cookie=OLD).get_all('Set-Cookie') == [line]


def test_what_it_wrote_already_says_what_is_pending(start):
    """Then its line passes as it is, and is not sealed anew for a renewal either."""
    line = f'session={Native({"marked": "by httpd"}).seal()}; Path=/'
    with HttpBackend({'write': http_answer('200 OK', f'Set-Cookie: {line}')}) as backend:
        server = start('''
            SignedSession On
            SignedSessionRenew always
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            <Location "/">
                SignedSessionSet marked "by httpd"
            </Location>''', 'proxy proxy_http', backend=backend.port)
        for cookie in (None, native({'user': 'alice'})):
            assert server.request('GET', '/write', cookie=cookie).get_all('Set-Cookie') == [line]


# --- the response breaks, and another one takes its place -------------------------------------------

BROKEN_BODY = ('Transfer-Encoding: chunked',)


def broken(server, place, *lines):
    """The answer to a request whose backend sends these lines and then a body that is none."""
    answer = http_answer('200 OK', *lines, *BROKEN_BODY, body=b'no chunk\r\n')
    with HttpBackend({'answer': answer}) as backend:
        one = server(f'''
            SignedSession On
            SignedSessionFormat starlette
            {place}
            ProxyPass / http://127.0.0.1:{backend.port}/ disablereuse=On''', 'alias proxy proxy_http')
        one.allow('AH01110')
        response = one.request('GET', '/answer', cookie=OLD)
    assert response.status == 502
    return response


RULE = '<Location "/">\nSignedSessionSet marked "by httpd"\n</Location>'
BEFORE = '<Location "/">\nSignedSessionClear Before\nSignedSessionSet marked "by httpd"\n</Location>'


@pytest.mark.parametrize('place', [RULE, BEFORE], ids=['set', 'before-set'])
def test_what_it_wrote_outlives_its_response(start, place):
    """Not the session of the one who was logged in before."""
    response = broken(start, place, f'Set-Cookie: {theirs({"user": "bob"})}')
    assert stored(response) == {'user': 'bob', 'marked': 'by httpd'}


def test_its_logout_outlives_its_response(start):
    response = broken(start, RULE, f'Set-Cookie: session=; {GONE}; path=/')
    assert 'alice' not in str(stored(response)) and stored(response) == {'marked': 'by httpd'}


def test_a_change_of_the_error_document_is_made_on_what_it_wrote(start):
    response = broken(start, '''
        ErrorDocument 502 /file.txt
        ProxyPass /file.txt !
        <Location "/file.txt">
            SignedSessionUnset role
        </Location>''', f'Set-Cookie: {theirs({"user": "bob", "role": "x"})}')
    assert stored(response) == {'user': 'bob'}


def test_of_a_script_too(start):
    """httpd refuses the header of the script's response, when both have been put into it."""
    line = theirs({'user': 'bob'})
    server = start(f'''
        SignedSession On
        SignedSessionFormat starlette
        ScriptAlias /cgi/ "{{dir}}/cgi/"
        {RULE}''', f'alias {cgi_module()}', files={
            'cgi/answer': f"#!/bin/sh\nprintf 'Set-Cookie: {line}\\nX-Bad: a\\001b\\n\\nbody'\n"})
    server.allow('AH02430')
    response = server.request('GET', '/cgi/answer', cookie=OLD)
    assert response.status == 500
    assert stored(response) == {'user': 'bob', 'marked': 'by httpd'}


@pytest.mark.parametrize('line', [
    f'session={starlette({"user": "bob"})}; Path=/elsewhere', f'session={starlette({"user": "bob"})}; Path=/; Domain=x.y',
    'session=; Path=/old; Max-Age=0'])
def test_a_line_of_another_scope_is_another_cookie(answer, line):
    """An application tidies up what an older one left: our change is saved, and its line passes."""
    response = answer('set', f'Set-Cookie: {line}', cookie=OLD)
    lines = response.get_all('Set-Cookie')
    assert line in lines and len(lines) == 2
    (ours,) = [one for one in lines if one != line]
    value = ours.split(';')[0].removeprefix('session=')
    assert json.loads(base64.b64decode(itsdangerous.TimestampSigner(SECRET).unsign(value)))['marked'] == 'by httpd'


@pytest.mark.parametrize('domain, is_ours', [
    ('; Domain=shop.example', True), ('; Domain=.SHOP.example', True), ('; Domain=shop.test', False), ('; Domain=example', False), ('', False)])
def test_which_cookie_of_a_domain_is_ours(start, domain, is_ours):
    """A browser keeps one for each Domain: a change that went into another would be lost."""
    line = f'session={starlette({"user": "bob"})}; Path=/{domain}'
    with HttpBackend({'write': http_answer('200 OK', f'Set-Cookie: {line}')}) as backend:
        server = start('''
            SignedSession On
            SignedSessionFormat starlette
            SignedSessionCookie session Domain=shop.example
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            <Location "/">
                SignedSessionSet marked "by httpd"
            </Location>''', 'proxy proxy_http', backend=backend.port)
        lines = server.request('GET', '/write').get_all('Set-Cookie')
    assert len(lines) == (1 if is_ours else 2) and (line in lines) != is_ours
    ours, = (one for one in lines if one != line)
    value = ours.split(';')[0].removeprefix('session=')
    assert json.loads(base64.b64decode(itsdangerous.TimestampSigner(SECRET).unsign(value))) == {
        **({'user': 'bob'} if is_ours else {}), 'marked': 'by httpd'}


@pytest.mark.parametrize('attributes', ['; Path=/; Secure; HttpOnly; SameSite=Strict', '; secure', '; Max-Age=60; path=/'])
def test_its_attributes_stay_as_it_has_written_them(answer, attributes):
    response = answer('set', f'Set-Cookie: session={starlette({"user": "bob"})}{attributes}', cookie=OLD)
    (line,) = response.get_all('Set-Cookie')
    assert line.endswith(attributes) and stored(response) == {'user': 'bob', 'marked': 'by httpd'}


# --- it deletes ------------------------------------------------------------------------------------

DELETIONS = [f'session=null; path=/; {GONE}; httponly; samesite=lax', 'session=; Max-Age=0; path=/',
             'session=x; max-age=-1', f'session=x; {GONE}', f'session={starlette({"user": "bob"})}; Max-Age=0',
             'session=; expires=Thu, 01-Jan-1970 00:00:00 GMT; path=/',
             f'session=x; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=0']


@pytest.mark.parametrize('line', DELETIONS)
@pytest.mark.parametrize('place', ['set', 'unset', 'before-set', 'plain'])
def test_a_deletion_passes_and_drops_what_was_pending(answer, place, line):
    for cookie in (OLD, None):
        response = answer(place, f'Set-Cookie: {line}', cookie=cookie)
        assert response.get_all('Set-Cookie') == [line]


def test_a_deletion_drops_an_update_too(answer):
    response = answer('update', f'Set-Cookie: {DELETIONS[0]}', 'X-Update: {"n": 1}', cookie=OLD)
    assert response.get_all('Set-Cookie') == [DELETIONS[0]] and response.get('X-Update') is None


@pytest.mark.parametrize('attribute', ['Max-Age=60', 'Expires=Fri, 01 Jan 2100 00:00:00 GMT', 'Max-Age=0; Max-Age=60',
                                       f'{GONE}; Max-Age=60', 'Max-Age=', 'Expires=whenever', 'Comment=Max-Age=0'])
def test_what_is_no_deletion(answer, attribute):
    response = answer('set', f'Set-Cookie: session={starlette({"n": 1})}; {attribute}')
    assert stored(response) == {'n': 1, 'marked': 'by httpd'}


@pytest.mark.parametrize('place', ['set', 'update'])
def test_quotes_around_it_do_not_belong_to_it(answer, place):
    response = answer(place, f'Set-Cookie: session="{starlette({"user": "bob"})}"; path=/', 'X-Update: {"n": 1}')
    assert stored(response) == {'user': 'bob', **({'marked': 'by httpd'} if place == 'set' else {'n': 1})}


# --- it cannot be opened -----------------------------------------------------------------------------

UNOPENED = [
    ('another secret', starlette({'user': 'bob'}, secret=OTHER_SECRET), 'bad-signature'),
    ('no cookie of this format', 'plain-text', 'malformed'),
    ('nothing', '', 'malformed'),
    ('too old', starlette({'user': 'bob'}, age=30 * 86400), 'expired-idle'),
    ('from the future', starlette({'user': 'bob'}, age=-86400), 'from-future'),
    ('no object', starlette(['bob']), 'malformed'),
    ('too large', starlette({'user': 'x' * 4000}), 'too-large'),
]


@pytest.mark.parametrize('what, value, state', UNOPENED, ids=[row[0] for row in UNOPENED])
@pytest.mark.parametrize('place', ['set', 'update'])
def test_what_cannot_be_opened_passes(server, answer, place, what, value, state):
    """Nothing is renewed by that: an expired cookie goes out as the application wrote it."""
    line = f'session={value}; path=/'
    response = answer(place, f'Set-Cookie: {line}', 'X-Update: {"n": 1}', cookie=OLD)
    assert response.get_all('Set-Cookie') == [line]
    server.expect('SS0309', state)


def test_a_change_that_does_not_fit_on_top_leaves_what_it_wrote(server, answer):
    line = theirs({'user': 'bob', 'text': 'x' * 3000})
    response = answer('set', f'Set-Cookie: {line}', cookie=OLD)
    assert response.get_all('Set-Cookie') == [line]
    server.expect('SS0310')


# --- others who look at it ---------------------------------------------------------------------------


def test_a_cache_does_not_keep_it(start):
    """The application forgot to say so, and its cookie is not for the next visitor."""
    line = theirs({'user': 'alice'})
    with HttpBackend({'page': http_answer('200 OK', f'Set-Cookie: {line}', 'Cache-Control: max-age=60')}) as backend:
        server = start('''
            SignedSession On
            SignedSessionFormat starlette
            SignedSessionVary Off
            CacheRoot "{dir}/cache"
            CacheEnable disk /
            CacheIgnoreNoLastMod On
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On''', 'cache cache_disk proxy proxy_http',
                       {'cache/': ''}, backend=backend.port)
        first = server.request('GET', '/page')
        assert first.get_all('Set-Cookie') == [line] and first.get('Cache-Control') == 'private, max-age=60'
        assert server.request('GET', '/page').get('Age') is None


def test_mod_proxy_maps_only_the_applications_own_line(start):
    """ProxyPassReverseCookie... rewrites what the backend sent, never what goes out from here."""
    with HttpBackend({'set': http_answer('200 OK', 'X-Update: {"n":1}', 'Set-Cookie: a=1; path=/app; domain=inside'),
                      'theirs': http_answer('200 OK', 'Set-Cookie: session=x; path=/app; domain=inside')}) as backend:
        server = start('''
            SignedSession On
            SignedSessionCookie session Path=/app Domain=inside.example
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            ProxyPassReverseCookiePath /app /{long}
            ProxyPassReverseCookieDomain inside outside.example
            <Location "/">
                SignedSessionUpdate X-Update
            </Location>''', 'proxy proxy_http', backend=backend.port, long='x' * 2000)
        response = server.request('GET', '/set')
        ours, = response.set_cookies()
        assert Native.open(response.cookie()).data == {'n': 1}
        assert '; Path=/app; Domain=inside.example;' in ours
        assert f'a=1; path=/{"x" * 2000}; domain=outside.example' in response.get_all('Set-Cookie')
        assert server.request('GET', '/theirs').set_cookies() == [
            f'session=x; path=/{"x" * 2000}; domain=outside.example']


def test_another_owner_of_the_name_is_told_of(start):
    """Native cookies are shared with nobody: whoever sets one of that name has another in mind."""
    with HttpBackend({'theirs': http_answer('200 OK', 'Set-Cookie: session=of-the-application; Path=/'),
                      'ours': http_answer('200 OK', f'Set-Cookie: {native({"user": "bob"})}; Path=/')}) as backend:
        server = start('SignedSession On\nProxyPass / http://127.0.0.1:{backend}/ disablereuse=On', 'proxy proxy_http',
                       backend=backend.port)
        assert server.request('GET', '/ours', cookie=native({'user': 'alice'})).set_cookies()
        server.log.check()
        assert server.request('GET', '/theirs', cookie=native({'user': 'alice'})).cookie() == 'of-the-application'
        server.expect('SS0311', '"session"')
