# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Changes that scripts ask for: the header of SignedSessionUpdate, and the note session-update."""

import json
import time

import pytest

from backends import FcgiBackend, HttpBackend, http_answer
from common import ECHO_CGI
from cookies import Native, native, opened
from harness import Server, cgi_module

# Answers with the header lines of its query string, one for each "&", percent-decoded.
NOTE_LUA = '''
function handle(r)
    r.notes["session-update"] = r.args
    r.content_type = "text/plain"
    r:puts("body\\n")
    return apache2.OK
end
'''
CONF = '''
    SignedSession On
    ScriptAlias /cgi/ "{dir}/cgi/"
    ScriptAlias /some/ "{dir}/cgi/"
    ScriptAlias /noupdate/ "{dir}/cgi/"
    ScriptAlias /off/ "{dir}/cgi/"
    ScriptAlias /readonly/ "{dir}/cgi/"
    ScriptAlias /error/ "{dir}/cgi/"
    LuaMapHandler /note "{dir}/note.lua"
    LuaMapHandler /off-note "{dir}/note.lua"
    <Location "/cgi">
        SignedSessionUpdate X-Update
    </Location>
    <Location "/some">
        SignedSessionUpdate X-Update cart theme
    </Location>
    <Location "/off">
        SignedSession Off
        SignedSessionUpdate X-Update
    </Location>
    <Location "/off-note">
        SignedSession Off
    </Location>
    <Location "/readonly">
        SignedSession ReadOnly
        SignedSessionUpdate X-Update
    </Location>
    <Location "/cgi/closed">
        SignedSessionUpdate Off
    </Location>
    <Location "/cgi/denied">
        Require all denied
    </Location>
    <Location "/error">
        ErrorDocument 500 /cgi/echo?X-Update:%20%7B%22at%22:%22error%22%7D
    </Location>
'''


@pytest.fixture(scope='module')
def server():
    files = {'cgi/echo': ECHO_CGI, 'cgi/closed': ECHO_CGI, 'note.lua': NOTE_LUA,
             'cgi/broken': '#!/bin/sh\nprintf "no header at all"\n'}
    with Server(CONF, modules=f'alias lua {cgi_module()}', files=files) as one:
        yield one


def quoted(text):
    return ''.join('%%%02x' % byte for byte in text.encode())


def update(server, path, *values, lines=(), cookie=None):
    """Let the script at `path` send these updates, and header lines besides."""
    headers = [f'X-Update: {value}' for value in values] + list(lines)
    response = server.request('GET', f'{path}?' + '&'.join(quoted(line) for line in headers), cookie=cookie)
    assert response.get_all('X-Update') == []
    return response


def test_a_script_changes_the_session(server):
    response = update(server, '/cgi/echo', '{"user": "Zo\\u00eb", "cart": {"n": 1}}')
    assert (response.status, response.body) == (200, b'body\n')
    assert opened(response).data == {'user': 'Zoë', 'cart': {'n': 1}}
    assert 'private' in response.get('Cache-Control')
    response = update(server, '/cgi/echo', '{"user": null, "cart": {"m": 2}}', cookie=f'session={response.cookie()}')
    assert opened(response).data == {'cart': {'n': 1, 'm': 2}}


@pytest.mark.parametrize('status', ['204 No Content', '304 Not Modified', '302 Found', '404 Not Found',
                                    '500 Broken', '201 Created'])
def test_whatever_the_status(server, status):
    response = update(server, '/cgi/echo', '{"a": 1}', lines=[f'Status: {status}', 'Location: http://x.example/'])
    assert response.status == int(status[:3]) and opened(response).data == {'a': 1}


def test_null_ends_the_session(server):
    for path in ('/cgi/echo', '/some/echo'):
        assert update(server, path, 'null', cookie=native({'user': 'alice', 'role': 'x'})).cookie() == ''
    assert update(server, '/cgi/echo', 'null').set_cookies() == []


def test_an_update_that_changes_nothing_sends_nothing(server):
    assert update(server, '/cgi/echo', '{"user": "alice", "no": null}', cookie=native({'user': 'alice'})
                  ).set_cookies() == []
    assert update(server, '/cgi/echo', '{}').set_cookies() == []


INVALID = [
    ('no JSON', ['{"a":'], 'not acceptable JSON'),
    ('an array', ['[1]'], 'neither a JSON object nor null'),
    ('a string', ['"x"'], 'neither'),
    ('duplicate names', ['{"a":1,"\\u0061":2}'], 'not acceptable JSON'),
    ('NaN', ['{"a":NaN}'], 'not acceptable JSON'),
    ('two of them, which CGI joins to one', ['{"a":1}', '{"b":1}'], 'not acceptable JSON'),
    ('empty', [''], 'not acceptable JSON'),
    ('a control character in a key', ['{"a\\n":1}'], 'not acceptable JSON'),
]


@pytest.mark.parametrize('what, values, why', INVALID, ids=[row[0] for row in INVALID])
def test_an_invalid_update_changes_nothing_and_says_why(server, what, values, why):
    response = update(server, '/cgi/echo', *values, cookie=native({'user': 'alice'}))
    assert (response.status, response.body, response.set_cookies()) == (200, b'body\n', [])
    server.expect('SS0303', why)


def test_only_listed_keys_may_be_touched(server):
    assert opened(update(server, '/some/echo', '{"cart": 1, "theme": "x"}')).data == {'cart': 1, 'theme': 'x'}
    for patch in ('{"cart": 1, "role": "admin"}', '{"user": null}', '{"Cart": 1}', '{"cart.x": 1}'):
        assert update(server, '/some/echo', patch, cookie=native({'user': 'alice'})).set_cookies() == []
        server.expect('SS0303', 'may not be changed from here')


@pytest.mark.in_cookie('its size')
def test_a_session_that_would_not_fit_stays_as_it_is(server):
    response = update(server, '/cgi/echo', json.dumps({'a': 'x' * 1500}), cookie=native({'b': 'x' * 1500}))
    assert (response.status, response.set_cookies()) == (200, [])
    server.expect('SS0302', 'bytes over the limit of 4096 (SignedSessionMaxSize): keep less in it')


def test_a_session_that_could_not_be_opened_again_stays_as_it_is(start):
    server = start('SignedSession On\nSignedSessionFormat flask\nLuaMapHandler /note "{dir}/note.lua"', modules='lua',
                   files={'note.lua': NOTE_LUA})
    response = server.request('GET', '/note?{"n":%s}' % ('1' * 4301))
    assert (response.status, response.set_cookies()) == (200, [])
    server.expect('SS0312', 'more than 4300 digits')


def test_where_updates_are_off_the_header_is_removed_all_the_same(server):
    for path in ('/noupdate/echo', '/cgi/closed'):
        assert update(server, path, '{"a": 1}').set_cookies() == []


@pytest.mark.parametrize('place', ['off', 'readonly'])
def test_where_sessions_are_off_an_update_is_dropped_with_a_warning(server, place):
    assert update(server, f'/{place}/echo', '{"a": 1}').set_cookies() == []
    server.expect('SS0304', '"SignedSession On"')


def test_a_local_redirect_carries_the_update_of_its_script(server):
    location = 'Location: /file.txt'
    assert opened(update(server, '/cgi/echo', '{"a": 1}', lines=[location])).data == {'a': 1}


def test_a_local_redirect_does_not_lend_its_permission(server):
    """Judged by the place that produced it, not by the one it leads to."""
    location = 'Location: /cgi/echo?' + quoted('X-Other: 1')
    assert update(server, '/noupdate/echo', '{"role": "admin"}', lines=[location]).set_cookies() == []
    assert update(server, '/some/echo', '{"role": "admin"}', lines=[location]).set_cookies() == []
    server.expect('SS0303', 'may not be changed from here')


def test_a_redirect_to_a_place_that_is_refused_lends_nothing_either(server):
    for place, want in [('/noupdate', None), ('/cgi', {'role': 'admin'})]:
        response = update(server, f'{place}/echo', '{"role": "admin"}', lines=['Location: /cgi/denied'])
        assert response.status == 403
        assert (opened(response).data if response.set_cookies() else None) == want
    server.allow('AH01630')


def test_every_request_of_a_chain_contributes_oldest_first(server):
    second = 'Location: /cgi/echo?' + quoted('X-Update: {"a": 2, "b": 2}')
    assert opened(update(server, '/cgi/echo', '{"a": 1, "c": 1}', lines=[second])).data == {'a': 2, 'c': 1, 'b': 2}


def test_an_error_document_may_update(server):
    response = server.request('GET', '/error/broken')
    assert response.status == 500 and opened(response).data == {'at': 'error'}
    server.allow('End of script output')


def test_lua_changes_the_session_by_a_note(server):
    response = server.request('GET', '/note?{"user":"alice"}', cookie=native({'n': 1}))
    assert opened(response).data == {'n': 1, 'user': 'alice'}
    assert server.request('GET', '/note?null', cookie=native({'n': 1})).cookie() == ''
    assert server.request('GET', '/note?[1]', cookie=native({'n': 1})).set_cookies() == []
    server.expect('SS0303', 'the note session-update')


def test_where_sessions_are_off_a_note_is_dropped_with_a_warning(server):
    assert server.request('GET', '/off-note?{"user":"alice"}').set_cookies() == []
    server.allow('SS0304')


def test_a_change_after_the_header_has_left_is_reported(start):
    server = start('SignedSession On\nLuaMapHandler /late "{dir}/late.lua"', modules='lua', files={'late.lua': '''
        function handle(r)
            r.content_type = "text/plain"
            r:puts(string.rep("x", 70000))
            r:flush()
            r.notes["session-update"] = '{"a":1}'
            return apache2.OK
        end'''})
    assert server.request('GET', '/late').set_cookies() == []
    server.expect('SS0301')


# --- proxied applications ----------------------------------------------------------------------

PROXY = '''
    SignedSession On
    ProxyPass /app http://127.0.0.1:{backend}
    ProxyPass /strict http://127.0.0.1:{backend}
    <Location "/app">
        SignedSessionUpdate X-Update
    </Location>
    <Location "/strict">
        SignedSessionUpdate X-Update
        ProxyErrorOverride On
        ErrorDocument 404 /file.txt
    </Location>
'''
CHANGE = 'X-Update: {"a": 1}'
BACKEND = {
    'ok': http_answer('200 OK', CHANGE, 'Cache-Control: public, max-age=60, s-maxage=90', 'Vary: Accept'),
    'redirect': http_answer('302 Found', CHANGE, 'Location: /elsewhere'),
    'missing': http_answer('404 Not Found', CHANGE),
    'broken': http_answer('500 Internal Server Error', CHANGE),
    'old': http_answer('200 OK', CHANGE, 'Age: 5'),
    'twice': http_answer('200 OK', CHANGE, 'X-Update: {"b": 1}'),
    'fresh': http_answer('200 OK', CHANGE, 'Age: 0'),
    'cookies': http_answer('200 OK', CHANGE, *[f'Set-Cookie: c{i}=v{i}; Path=/' for i in range(5)]),
}


@pytest.fixture(scope='module')
def proxy():
    with HttpBackend(BACKEND) as backend, Server(PROXY, modules='proxy proxy_http', backend=backend.port) as one:
        yield one


@pytest.mark.parametrize('path, status', [('/app/ok', 200), ('/app/redirect', 302), ('/app/missing', 404),
                                          ('/app/broken', 500), ('/strict/ok', 200), ('/strict/missing', 404),
                                          ('/strict/broken', 500), ('/app/fresh', 200)])
def test_a_proxied_application_changes_the_session(proxy, path, status):
    response = proxy.request('GET', path)
    assert (response.status, response.get('X-Update')) == (status, None)
    assert opened(response).data == {'a': 1}


FCGI = {
    'ok': b'X-Update: {"a": 1}\r\nContent-Type: text/plain\r\n\r\nbody\n',
    'missing': b'Status: 404 Not Found\r\nX-Update: {"a": 1}\r\nContent-Type: text/plain\r\n\r\nbody\n',
    'moved': b'Status: 302 Found\r\nX-Update: {"a": 1}\r\nLocation: http://x.example/\r\n\r\n',
    'local': b'X-Update: {"a": 1}\r\nLocation: /file.txt\r\n\r\n',
    'env': lambda parameters: b'Content-Type: text/plain\r\n\r\n' + parameters.get('SESSION', 'none').encode(),
}


@pytest.fixture(scope='module')
def fastcgi():
    conf = '''
        SignedSession On
        ProxyPass "/fcgi/" "fcgi://127.0.0.1:{fcgi}/" disablereuse=On
        <Location "/fcgi">
            SignedSessionEnv On
            SignedSessionUpdate X-Update
        </Location>'''
    with FcgiBackend(FCGI) as backend, Server(conf, modules='proxy proxy_fcgi', fcgi=backend.port) as one:
        yield one


@pytest.mark.parametrize('path, status', [('ok', 200), ('missing', 404), ('moved', 302), ('local', 200)])
def test_a_fastcgi_application_changes_the_session(fastcgi, path, status):
    response = fastcgi.request('GET', f'/fcgi/{path}')
    assert (response.status, response.get('X-Update')) == (status, None)
    assert opened(response).data == {'a': 1}


def test_a_fastcgi_application_reads_the_session(fastcgi):
    assert fastcgi.request('GET', '/fcgi/env', cookie=native({'user': 'alice'})).text == '{"user":"alice"}'


def test_a_response_with_our_cookie_is_private(proxy):
    response = proxy.request('GET', '/app/ok')
    assert response.get('Cache-Control') == 'private, max-age=60'
    assert {word.strip() for word in response.get('Vary').split(',')} == {'Accept', 'Cookie'}


def test_an_update_out_of_a_cache_is_invalid(proxy):
    assert proxy.request('GET', '/app/old').set_cookies() == []
    proxy.expect('SS0303', 'came out of a cache')


def test_two_updates_in_one_response_are_invalid(proxy):
    assert proxy.request('GET', '/app/twice').set_cookies() == []
    proxy.expect('SS0303', 'it stands there 2 times')


def test_the_applications_other_cookies_all_arrive(proxy):
    response = proxy.request('GET', '/app/cookies')
    names = [line.split('=')[0] for line in response.get_all('Set-Cookie')]
    assert sorted(names) == ['c0', 'c1', 'c2', 'c3', 'c4', 'session']


# --- caches ------------------------------------------------------------------------------------


@pytest.mark.parametrize('quick', ['On', 'Off'])
def test_a_cache_never_hands_out_a_cookie(start, quick):
    """A session is renewed with a response that mod_cache could store: stock mod_session's cookie is then replayed."""
    files = {'cache/': '', 'htdocs/page.txt': 'cacheable'}
    server = start(f'''
        SignedSession On
        SignedSessionVary Off
        CacheQuickHandler {quick}
        CacheRoot "{{dir}}/cache"
        CacheEnable disk /
        CacheIgnoreNoLastMod On
        Header set Cache-Control "max-age=600"''', modules='cache cache_disk headers', files=files)
    old = native({'user': 'alice'}, renewed=int(time.time()) - 5 * 86400)
    private = server.request('GET', '/page.txt', cookie=old)
    assert private.cookie() and private.get('Age') is None
    assert server.request('GET', '/page.txt').set_cookies() == []
    # now it is stored, without a cookie; from the store nobody gets one that is not his
    again = server.request('GET', '/page.txt')
    assert (again.get('Age') is not None, again.set_cookies()) == (True, [])
    mine = server.request('GET', '/page.txt', cookie=old)
    assert mine.get('Age') is not None
    assert [Native.open(line.split(';')[0].split('=')[1]).data for line in mine.set_cookies()] == (
        [] if quick == 'On' else [{'user': 'alice'}])
