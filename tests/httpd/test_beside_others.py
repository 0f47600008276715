# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""Beside modules that carry what one request has to another, or refuse late: mod_dir, mod_include, mod_setenvif,
mod_env, mod_rewrite, mod_lua, mod_proxy, and the trailers of a body."""

import json
import re
import time

import pytest

from backends import FcgiBackend, HttpBackend, http_answer
from cookies import native, opened
from harness import Server, cgi_module

ENV_CGI = '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"; env | sort\n'
ALICE = native({'user': 'alice'})


def variables(response):
    return dict(line.split('=', 1) for line in response.text.splitlines() if '=' in line)


CONF = '''
    SignedSession On
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
    ScriptAlias /cgi/ "{dir}/cgi/"
    <Directory "{dir}/htdocs">
        Options +Includes +ExecCGI
        AllowOverride All
    </Directory>
    <Location "/cgi/">
        SignedSessionEnv On
        SignedSessionForward X-Session
    </Location>
    <Location "/cgi/off">
        SignedSessionEnv Off
        SignedSessionForward Off
    </Location>
    <Location "/was-on/">
        SignedSessionEnv On
        SignedSessionForward X-Session
    </Location>
'''
FORGERY = '''
    SetEnvIf Request_URI . SESSION_role=admin SESSION={"role":"admin"} HTTP_X_SESSION={"role":"admin"}
    SetEnv SESSION_group admin
'''
FILES = {
    'cgi/env': ENV_CGI, 'cgi/off': ENV_CGI,
    'htdocs/index/.htaccess': FORGERY + 'DirectoryIndex /cgi/env\n',
    'htdocs/fallback/.htaccess': FORGERY + 'FallbackResource /cgi/env\n',
    'htdocs/rewritten/.htaccess': FORGERY + 'RewriteEngine On\nRewriteRule ^ /cgi/env\n',
    'htdocs/error/.htaccess': FORGERY + 'ErrorDocument 404 /cgi/env\n',
    'htdocs/ssi/page.shtml': '<!--#set var="SESSION_role" value="admin" --><!--#set var="HTTP_X_SESSION" value="{}" -->'
                             '<!--#include virtual="/cgi/env" -->',
    'htdocs/was-on/.htaccess': 'DirectoryIndex /cgi/off\n',
}


@pytest.fixture(scope='module')
def server():
    modules = f'alias dir env include rewrite setenvif {cgi_module()}'
    with Server(CONF, modules, files=FILES) as one:
        yield one


CARRIERS = ['/index/', '/fallback/none', '/rewritten/x', '/error/none', '/ssi/page.shtml']


@pytest.mark.parametrize('path', CARRIERS)
@pytest.mark.parametrize('cookie', [ALICE, None], ids=['alice', 'nobody'])
def test_nobody_gives_a_script_variables_of_the_session(server, path, cookie):
    found = variables(server.request('GET', path, cookie=cookie))
    assert 'admin' not in str({name: value for name, value in found.items() if 'SESSION' in name and
                               not name.startswith('REDIRECT_SESSION_group')}), found
    assert found['SESSION'] == ('{"user":"alice"}' if cookie else '{}')
    assert found.get('SESSION_user') == ('alice' if cookie else None)


@pytest.mark.parametrize('cookie, want', [(ALICE, '{"user":"alice"}'), (None, None)], ids=['alice', 'nobody'])
def test_an_index_gets_the_header_that_its_own_address_gets(server, cookie, want):
    for path in ('/cgi/env', '/index/'):
        assert variables(server.request('GET', path, cookie=cookie)).get('HTTP_X_SESSION') == want


SPELLED = '''
    SetEnv SESSION-role admin
    SetEnv SESSION.user admin
    SetEnv session_role admin
    SetEnv SIGNED-SESSION-STATE valid
    SetEnv signed_session_state valid
    SetEnv HTTP-X-SESSION admin
    SetEnv http_x.session admin
    SetEnv HTTP-COOKIE admin=1
'''
SPELLERS = {'/index/': 'DirectoryIndex /cgi/env', '/fallback/none': 'FallbackResource /cgi/env',
            '/rewritten/x': 'RewriteEngine On\nRewriteRule ^ /cgi/env', '/error/none': 'ErrorDocument 404 /cgi/env'}


def folded(response):
    """As a shell, or another reader that knows no case and no other bytes, finds them."""
    return {re.sub(r'\W', '_', name).upper(): value for name, value in variables(response).items()}


@pytest.mark.parametrize('path', SPELLERS)
@pytest.mark.parametrize('cookie', [ALICE, None], ids=['alice', 'nobody'])
def test_no_spelling_gives_a_script_variables_of_the_session(start, path, cookie):
    folder = path.split('/')[1]
    server = start(CONF, f'alias dir env include rewrite setenvif {cgi_module()}',
                   {**FILES, f'htdocs/{folder}/.htaccess': f'{SPELLED}{SPELLERS[path]}\n'})
    found = folded(server.request('GET', path, cookie=cookie))
    ours = {name: value for name, value in found.items() if re.fullmatch(r'(REDIRECT_)*(SESSION.*|HTTP_X_SESSION|SIGNED.*)', name)}
    assert 'admin' not in ours.values(), ours
    assert found['SIGNED_SESSION_STATE'] == ('valid' if cookie else 'none')
    assert found.get('SESSION_USER') == ('alice' if cookie else None)


def test_no_spelling_gives_a_page_variables_of_the_session(start):
    """httpd's own tables know no case: mod_include and mod_headers read them."""
    server = start(CONF + '<Location "/page/">\nSignedSessionEnv On\nHeader set X-Role "%{SESSION_role}e"\n</Location>',
                   f'alias dir env include rewrite setenvif headers {cgi_module()}',
                   {'htdocs/page/p.shtml': 'role=<!--#echo var="SESSION_role" -->',
                    'htdocs/index/.htaccess': 'SetEnv session_role admin\nDirectoryIndex /page/p.shtml\n'})
    for cookie in (ALICE, native({'role': 'user'}), None):
        response = server.request('GET', '/index/', cookie=cookie)
        assert 'admin' not in response.text + (response.get('X-Role') or '')


def test_a_place_that_is_off_stays_without(server):
    found = variables(server.request('GET', '/was-on/', cookie=ALICE))
    assert 'SCRIPT_NAME' in found and not [name for name in found if 'SESSION' in name]


@pytest.mark.parametrize('cookie', [ALICE, None], ids=['alice', 'nobody'])
def test_where_none_are_exported_others_keep_their_names(start, cookie):
    """An application with a SESSION_DOMAIN of its own."""
    server = start('SignedSession On\nScriptAlias /cgi/ "{dir}/cgi/"\nSetEnvIf Host . SESSION_DOMAIN=x\n'
                   'SetEnv SESSION_DRIVER file', f'alias env setenvif {cgi_module()}', files={'cgi/env': ENV_CGI})
    found = variables(server.request('GET', '/cgi/env', cookie=cookie))
    assert (found.get('SESSION_DOMAIN'), found.get('SESSION_DRIVER')) == ('x', 'file')


# --- refused in fixups ---------------------------------------------------------------------------

RULES = {
    'forbidden': ('RewriteRule ^ - [F]', 403), 'gone': ('RewriteRule ^ - [G]', 410),
    'unauthorized': ('RewriteRule ^ - [R=401]', 401), 'moved': ('RewriteRule ^ /file.txt [R=302]', 302),
}


@pytest.mark.parametrize('name', RULES)
@pytest.mark.parametrize('rule', ['SignedSessionSet role vip', 'SignedSessionClear Before'])
def test_a_refusal_in_fixups_earns_nothing(start, name, rule):
    line, status = RULES[name]
    server = start(f'SignedSession On\n<Directory "{{dir}}/htdocs">\nAllowOverride All\n</Directory>\n'
                   f'<Location "/vip">\n{rule}\n</Location>', 'rewrite',
                   files={'htdocs/vip/.htaccess': f'RewriteEngine On\n{line}\n', 'htdocs/vip/a.txt': 'x'})
    for cookie in (ALICE, None):
        response = server.request('GET', '/vip/a.txt', cookie=cookie)
        assert (response.status, response.set_cookies()) == (status, [])


@pytest.mark.parametrize('status', [401, 403, 407])
def test_a_backends_refusal_earns_nothing(start, status):
    with HttpBackend({'no': http_answer(f'{status} No', 'WWW-Authenticate: Basic realm=x'),
                      'yes': http_answer('404 Not Found')}) as backend:
        server = start('SignedSession On\nProxyPass / http://127.0.0.1:{backend}/ disablereuse=On\n'
                       '<Location "/">\nSignedSessionSet role vip\n</Location>', 'proxy proxy_http',
                       backend=backend.port)
        assert server.request('GET', '/no').set_cookies() == []
        assert opened(server.request('GET', '/yes')).data == {'role': 'vip'}


# --- mod_proxy -----------------------------------------------------------------------------------


def echo(head):
    return http_answer('200 OK', body=head.encode())


PROXY = '''
    SignedSession On
    SignedSessionForward X-Session
    ProxyPass /fcgi/ fcgi://127.0.0.1:{fcgi}/
    ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
'''


@pytest.fixture(scope='module')
def proxy():
    with HttpBackend({'echo': echo}) as backend, FcgiBackend({'env': fcgi_env}) as fcgi, Server(
            f'MergeTrailers On\n{PROXY}', 'proxy proxy_http proxy_fcgi', http2=True,
            backend=backend.port, fcgi=fcgi.port) as one:
        yield one


def fcgi_env(params):
    lines = ''.join(f'{name}={value}\n' for name, value in sorted(params.items()))
    return f'Content-Type: text/plain\r\n\r\n{lines}'.encode()


def headers_of(text, name):
    return [line.split(':', 1)[1].strip() for line in text.splitlines() if line.lower().startswith(f'{name}:')]


CONNECTIONS = ['close X-Session', 'close;X-Session', 'close, "X-Session', 'x.session', 'X_Session,close',
               'close,\tX-Session', ';X-Session;']


@pytest.mark.parametrize('connection', CONNECTIONS)
def test_no_connection_header_makes_it_drop_what_is_forwarded(proxy, connection):
    response = proxy.raw(f'GET /echo HTTP/1.1\r\nHost: x\r\nCookie: {ALICE}\r\nConnection: {connection}, close\r\n\r\n'.encode())
    assert headers_of(response.text, 'x-session') == ['{"user":"alice"}']


SPELLINGS = ['X-Session', 'x_session', 'X.Session', 'X~Session', 'X-SESSION', "X'Session"]


@pytest.mark.parametrize('name', SPELLINGS)
def test_every_spelling_that_a_backend_folds_is_removed(proxy, name):
    for cookie, want in ((ALICE, ['{"user":"alice"}']), (None, [])):
        text = proxy.request('GET', '/echo', {name: '{"user":"admin"}'}, cookie=cookie).text
        assert 'admin' not in text and headers_of(text, 'x-session') == want


FORGERS = ['X-Session', 'X_Session', 'X.Session', 'X-User', 'x_user']


@pytest.mark.parametrize('how', ['DirectoryIndex', 'FallbackResource'])
@pytest.mark.parametrize('name', FORGERS)
def test_no_author_of_htaccess_speaks_for_the_session(start, name, how):
    """mod_headers has set them when the guard has looked, and mod_dir leads to the application. The client's own "Connection: close"
    is overwritten, too."""
    with HttpBackend({'echo': echo}) as backend:
        server = start('''
            KeepAlive Off
            SignedSession On
            <Directory "{dir}/htdocs">
                AllowOverride FileInfo Indexes
            </Directory>
            ProxyPass /app/ http://127.0.0.1:{backend}/ disablereuse=On
            <Location "/app/">
                SignedSessionForward X-Session
                SignedSessionForwardText X-User user
            </Location>''', 'headers dir proxy proxy_http', {
                'htdocs/d/.htaccess': f'RequestHeader set {name} admin\nRequestHeader set Connection "X-Session, X_User"\n'
                                      f'{how} /app/echo\n'}, backend=backend.port)
        path = '/d/' if how == 'DirectoryIndex' else '/d/none'
        for cookie, session, user in ((ALICE, ['{"user":"alice"}'], ['alice']), (None, [], [])):
            text = server.request('GET', path, cookie=cookie).text
            assert 'admin' not in text
            assert (headers_of(text, 'x-session'), headers_of(text, 'x-user')) == (session, user)


@pytest.mark.parametrize('body', [None, b'abc'])
def test_where_nothing_is_forwarded_an_administrators_header_stays(start, body):
    with HttpBackend({'echo': echo}) as backend:
        server = start('''
            SignedSession On
            RequestHeader set X-Session "by the administrator"
            ProxyPass /app/ http://127.0.0.1:{backend}/ disablereuse=On
            <Location "/elsewhere/">
                SignedSessionForward X-Session
            </Location>''', 'headers proxy proxy_http', backend=backend.port)
        text = server.request('POST' if body else 'GET', '/app/echo', {'X_Session': 'x'}, body, cookie=ALICE).text
        assert headers_of(text, 'x-session') == ['by the administrator']


def chunked_post(path, cookie, trailer):
    head = f'POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n'
    cookie = f'Cookie: {cookie}\r\n' if cookie else ''
    return f'{head}{cookie}\r\n3\r\nabc\r\n0\r\n{trailer}: {{"user":"admin"}}\r\n\r\n'.encode()


@pytest.mark.parametrize('trailer', ['X-Session', 'x_session', 'X.Session'])
@pytest.mark.parametrize('cookie, want', [(ALICE, '{"user":"alice"}'), (None, None)], ids=['alice', 'nobody'])
def test_a_trailer_is_no_header_of_ours(proxy, cookie, want, trailer):
    """mod_proxy_fcgi reads the body, and its trailers become headers, before it builds the request."""
    text = proxy.raw(chunked_post('/fcgi/env', cookie, trailer)).text
    assert 'admin' not in text
    assert [line for line in text.splitlines() if line.startswith('HTTP_X_SESSION=')] == (
        [f'HTTP_X_SESSION={want}'] if want else [])


def test_a_long_connection_header_costs_little(proxy):
    """Linear in its length: many times as long a header costs a few times as much."""
    def seconds(length):
        best = 9
        for _ in range(5):
            begin = time.monotonic()
            request = f'GET /echo HTTP/1.1\r\nHost: x\r\nConnection: {"a," * (length // 2)}close\r\n\r\n'.encode()
            assert proxy.raw(request).status == 200
            best = min(best, time.monotonic() - begin)
        return best

    assert seconds(8000) < seconds(80) + 0.1


# --- browsers: what another site causes, and what is only fetched in advance ----------------------

RULED = '''
    SignedSession On
    SignedSessionCookie session SameSite={same_site}
    <Location "/set">
        SignedSessionSet seen yes
    </Location>
    <Location "/logout">
        SignedSessionClear On
    </Location>
'''
CROSS = {'Sec-Fetch-Site': 'cross-site'}
TOP = {**CROSS, 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate'}


@pytest.fixture(scope='module', params=['Lax', 'Strict'])
def ruled(request):
    files = {'htdocs/set': 'x', 'htdocs/logout': 'x'}
    with Server(RULED.replace('{same_site}', request.param), 'alias', files=files) as one:
        one.same_site = request.param
        yield one


def test_no_cookie_from_another_site_is_not_no_session(ruled):
    """SameSite kept it away: a new session would replace the one that the visitor has."""
    lax = ruled.same_site == 'Lax'
    assert ruled.request('POST', '/set', CROSS, b'').set_cookies() == []
    assert ruled.request('POST', '/set', CROSS, b'', cookie='session=planted').set_cookies() == []
    assert ruled.request('POST', '/set', TOP, b'').set_cookies() == []
    assert ruled.request('GET', '/set', {**CROSS, 'Sec-Fetch-Dest': 'image'}).set_cookies() == []
    assert bool(ruled.request('GET', '/set', TOP).set_cookies()) == lax
    assert ruled.request('GET', '/set', {'Sec-Fetch-Site': 'same-origin'}).set_cookies()
    assert ruled.request('POST', '/set', CROSS, b'', cookie=ALICE).set_cookies()


@pytest.fixture(scope='module')
def everywhere():
    """A cookie that comes with every request, of whatever site."""
    conf = '''
        ServerName https://here.test
        SignedSession On
        SignedSessionCookie session SameSite=None Secure=on
        SignedSessionTrustedOrigin https://shop.test
        <Location "/login">
            SignedSessionClear Before
            SignedSessionSet user mallory
        </Location>
        <Location "/unset">
            SignedSessionUnset user
        </Location>
        <Location "/logout">
            SignedSessionClear On
        </Location>'''
    with Server(conf, 'alias', files={f'htdocs/{name}': 'x' for name in ('login', 'unset', 'logout')}) as one:
        yield one


@pytest.mark.parametrize('path', ['/login', '/unset', '/logout'])
def test_nothing_that_another_site_loads_touches_a_session(everywhere, path):
    background = [{**CROSS, 'Sec-Fetch-Dest': 'image', 'Sec-Fetch-Mode': 'no-cors'},
                  {**CROSS, 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors', 'Origin': 'https://evil.test'}]
    for headers in background:
        for method in ('GET', 'POST'):
            assert everywhere.request(method, path, headers, cookie=ALICE).set_cookies() == [], headers
    for headers in (TOP, {}, {**background[1], 'Origin': 'https://shop.test'}):
        assert everywhere.request('GET', path, headers, cookie=ALICE).set_cookies(), headers


def test_a_login_in_a_frame_of_another_site(everywhere):
    """SameSite=None is for pages in frames: their login is a navigation."""
    headers = {**CROSS, 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Mode': 'navigate'}
    assert opened(everywhere.request('GET', '/login', headers)).data == {'user': 'mallory'}
    assert everywhere.request('GET', '/logout', headers, cookie=ALICE).set_cookies() == []


def test_an_image_or_a_prefetch_ends_no_session(ruled):
    bystanders = [{'Sec-Purpose': 'prefetch'}, {'Sec-Purpose': 'prefetch;prerender', 'Sec-Fetch-Site': 'same-origin'},
                  {**CROSS, 'Sec-Fetch-Dest': 'image'}, {**CROSS, 'Sec-Fetch-Dest': 'iframe'}, CROSS]
    for headers in bystanders:
        assert ruled.request('GET', '/logout', headers, cookie=ALICE).set_cookies() == [], headers
    for headers in ({}, TOP, {'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'document'}):
        assert ruled.request('GET', '/logout', headers, cookie=ALICE).cookie() == '', headers


# --- content filters, and rules beside an endpoint ------------------------------------------------

ENDPOINT = '''
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable *
        {more}
    </Location>
'''


def test_an_answer_is_no_page_with_commands(start):
    server = start(ENDPOINT.replace('{more}', 'Options +Includes\nSetOutputFilter INCLUDES'), 'include')
    command = "<!--#exec cmd='echo pwned' -->"
    response = server.request('GET', '/session/%3C!--%23exec%20cmd=%27echo%20pwned%27%20--%3E')
    assert response.status == 404 and '<' not in response.text and '\npwned' not in response.text
    response = server.request('GET', '/session', cookie=native({'a': command, '<&>': 1}))
    assert '<' not in response.text and response.json() == {'a': command, '<&>': 1}


@pytest.mark.in_cookie('its size')
def test_rules_that_no_longer_fit_leave_what_was_acknowledged(start):
    server = start(ENDPOINT.replace('{more}', f'SignedSessionSet big {"x" * 600}'))
    response = server.request('PUT', '/session/a', {'Content-Type': 'application/json'}, json.dumps('y' * 2500))
    assert response.status == 201 and opened(response).data == {'a': 'y' * 2500}
    server.expect('SS0310', 'what applications changed is: store less in this place')
