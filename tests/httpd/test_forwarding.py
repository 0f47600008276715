# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionForward: the session in a request header, and nobody else's copy of it."""

import json

import pytest

from backends import HttpBackend, http_answer
from common import ENV_CGI
from cookies import native
from harness import Server, cgi_module

REDIRECT_CGI = '''#!/bin/sh
printf 'Location: %s\\r\\n\\r\\n' "$QUERY_STRING"
'''


def echo(head):
    """A backend that answers with the head of the request it got."""
    return http_answer('200 OK', body=head.encode('latin-1'))


BACKEND = {'echo': echo, 'missing': http_answer('404 Not Found')}
CONF = '''
    SignedSession On
    ScriptAlias /cgi/ "{dir}/cgi/"
    ScriptAlias /plain/ "{dir}/cgi/"
    ProxyPass /app http://127.0.0.1:{backend}/app disablereuse=On
    ProxyPass /bare http://127.0.0.1:{backend}/bare disablereuse=On
    ProxyPass /off http://127.0.0.1:{backend}/off disablereuse=On
    ProxyPass /error http://127.0.0.1:{backend}/error disablereuse=On
    Alias /start "{dir}/htdocs/start"
    <LocationMatch "^/(app|cgi|start|off)/">
        SignedSessionForward X-Session
    </LocationMatch>
    <Location "/app">
        SignedSessionUpdate X-Session-Update
    </Location>
    <Location "/app/inner">
        SignedSessionForward Off
    </Location>
    <Location "/app/other">
        SignedSessionForward X-Other
    </Location>
    <Location "/off">
        SignedSession Off
    </Location>
    <Location "/error">
        ProxyErrorOverride On
        ErrorDocument 404 /plain/env
    </Location>
    <Location "/denied">
        Require all denied
        ErrorDocument 403 /plain/env
    </Location>
    <Location "/denied-proxy">
        Require all denied
        ErrorDocument 403 /bare/echo
    </Location>
    <Location "/start">
        ErrorDocument 404 /plain/env
    </Location>
    <Location "/start/proxy">
        ErrorDocument 404 /bare/echo
    </Location>
    <VirtualHost *:{port}>
        ServerName first.example
    </VirtualHost>
    <VirtualHost *:{port}>
        ServerName second.example
        SignedSession Off
        ScriptAlias /cgi2/ "{dir}/cgi/"
        ProxyPass /second http://127.0.0.1:{backend}/second disablereuse=On
        ErrorDocument 404 /cgi2/env
    </VirtualHost>
'''


@pytest.fixture(scope='module')
def server():
    modules = f'alias headers proxy proxy_http {cgi_module()}'
    with HttpBackend(BACKEND) as backend, Server(
            CONF, modules=modules, http2=True, backend=backend.port,
            files={'cgi/env': ENV_CGI, 'cgi/redirect': REDIRECT_CGI}) as one:
        yield one


ALICE = native({'user': 'alice'})
JSON_OF_ALICE = '{"user":"alice"}'


def fields(response):
    """Header fields as a backend saw them, or as a script did in its environment; names in one spelling."""
    first, *lines = response.text.splitlines()
    of_script = ' HTTP/1.' not in first
    found = {}
    for line in [first, *lines] if of_script else lines:
        name, _, value = line.partition('=' if of_script else ': ')
        if name.startswith('HTTP_') or not of_script:
            found.setdefault(name.removeprefix('HTTP_').lower().replace('_', '-'), []).append(value)
    assert 'host' in found, response.text
    return found


def forwarded(response, name='x-session'):
    """The values of our header there."""
    return fields(response).get(name, [])


# --- what is sent --------------------------------------------------------------------------------


@pytest.mark.parametrize('path', ['/app/echo', '/cgi/env'])
def test_the_session_arrives(server, protocol, path):
    response = server.request('GET', path, cookie=ALICE, protocol=protocol)
    assert forwarded(response) == [JSON_OF_ALICE]


SPELLINGS = [
    ('what is not ASCII is escaped', {'user': 'Zoë \U0001f600'}, '{"user":"Zo\\u00eb \\ud83d\\ude00"}'),
    ('DEL too', {'k\x7f': '\x7f'}, '{"k\\u007f":"\\u007f"}'),
    ('control characters stay escaped', {'a': '\r\nX-Evil: 1\x00\t'}, None),
    ('white space goes', b'{ "a" : [ 1 ,\t2 ] , "b" : " x " }', '{"a":[1,2],"b":" x "}'),
    ('numbers as they are written', b'{"n":1.50,"big":123456789012345678901234567890,"e":1E+2}',
     '{"n":1.50,"big":123456789012345678901234567890,"e":1E+2}'),
    ('NaN and infinity are null', b'{"a":NaN,"b":[Infinity,-Infinity]}', '{"a":null,"b":[null,null]}'),
    ('an empty session is one', {}, '{}'),
    ('an empty session, too', b'{ }', '{}'),
]


@pytest.mark.parametrize('what, session, want', SPELLINGS, ids=[row[0] for row in SPELLINGS])
def test_as_compact_ascii_json(server, what, session, want):
    value, = forwarded(server.request('GET', '/app/echo', cookie=native(session)))
    assert value == want if want else json.loads(value) == session
    assert all(' ' <= character <= '~' for character in value)


@pytest.mark.parametrize('cookie', [None, 'session=x', 'other=y', ALICE + 'x', native({'user': 'a'}, renewed=1)])
def test_without_a_valid_session_there_is_no_header(server, cookie):
    for path in ('/app/echo', '/cgi/env'):
        assert forwarded(server.request('GET', path, cookie=cookie)) == []


@pytest.mark.parametrize('path', ['/bare/echo', '/plain/env', '/off/echo', '/app/inner/echo'])
def test_only_where_it_is_configured(server, path):
    assert forwarded(server.request('GET', path, cookie=ALICE)) == []


def test_the_innermost_section_names_the_header(server):
    response = server.request('GET', '/app/other/echo', cookie=ALICE)
    assert (forwarded(response, 'x-other'), forwarded(response)) == ([JSON_OF_ALICE], [])


def test_for_a_whole_server(start):
    with HttpBackend(BACKEND) as backend:
        server = start('''
            SignedSession On
            SignedSessionForward X-Session
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            <Location "/inner">
                SignedSessionForward Off
            </Location>''', modules='proxy proxy_http', backend=backend.port)
        headers = {'X-Session': 'forged'}
        assert forwarded(server.request('GET', '/echo', headers, cookie=ALICE)) == [JSON_OF_ALICE]
        assert forwarded(server.request('GET', '/echo', headers)) == []
        assert forwarded(server.request('GET', '/inner/echo', headers, cookie=ALICE)) == []


# --- chains ------------------------------------------------------------------------------------


@pytest.mark.parametrize('to', ['/plain/env', '/bare/echo'])
def test_a_redirect_to_where_nothing_is_forwarded_takes_it_away(server, to):
    for headers in ({}, {'X-Session': 'forged'}):
        response = server.request('GET', f'/cgi/redirect?{to}', headers, cookie=ALICE)
        assert forwarded(response) == []
        assert 'alice' not in response.text and 'forged' not in response.text


def test_a_redirect_to_where_it_is_forwarded_sends_it(server):
    assert forwarded(server.request('GET', '/plain/redirect?/app/echo', cookie=ALICE)) == [JSON_OF_ALICE]
    assert forwarded(server.request('GET', '/cgi/redirect?/cgi/env', cookie=ALICE)) == [JSON_OF_ALICE]
    response = server.request('GET', '/cgi/redirect?/app/other/echo', cookie=ALICE)
    assert (forwarded(response, 'x-other'), forwarded(response)) == ([JSON_OF_ALICE], [])


@pytest.mark.parametrize('path', ['/start/missing', '/start/proxy/missing', '/denied/x', '/denied-proxy/x',
                                  '/error/missing'])
def test_an_error_document_gets_it_only_where_it_is_configured(server, path):
    server.allow('AH01630')
    for headers in ({}, {'X-Session': 'forged'}):
        response = server.request('GET', path, headers, cookie=ALICE)
        assert forwarded(response) == []
        assert 'alice' not in response.text and 'forged' not in response.text


# --- copies that a client sends -------------------------------------------------------------------

COPIES = ['X-Session', 'x-session', 'X-SESSION', 'X_Session', 'x_session', 'X-Session-Update', 'X_Session_Update',
          'x-session_update', 'X-Other', 'x_other']
PLACES = ['/app/echo', '/bare/echo', '/off/echo', '/cgi/env', '/plain/env', '/start/missing', '/start/proxy/missing',
          '/denied/x', '/denied-proxy/x', '/error/missing']


@pytest.mark.parametrize('path', PLACES)
def test_a_clients_copy_goes_nowhere(server, protocol, path):
    server.allow('AH01630')
    for cookie in (None, 'session=x'):
        response = server.request('GET', path, [(name, 'forged') for name in COPIES], cookie=cookie, protocol=protocol)
        assert 'forged' not in response.text


@pytest.mark.parametrize('path', ['/second/echo', '/cgi2/env', '/missing'])
def test_not_in_another_virtual_host_either(server, path):
    """What one host forwards, a client of another one must not send."""
    headers = [('Host', f'second.example:{server.port}'), *((name, 'forged') for name in COPIES)]
    response = server.request('GET', path, headers)
    assert 'forged' not in response.text and fields(response)


def test_each_virtual_host_is_guarded_for_all_others(start):
    with HttpBackend(BACKEND) as backend:
        server = start('''
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            <VirtualHost *:{port}>
                ServerName plain.example
                ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            </VirtualHost>
            <VirtualHost *:{port}>
                ServerName forwarding.example
                ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
                SignedSession On
                SignedSessionForward X-Session
            </VirtualHost>
            <VirtualHost *:{port}>
                ServerName updating.example
                SignedSessionAudience another
                ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
                <Location "/">
                    SignedSession On
                    SignedSessionUpdate X-Session-Update
                </Location>
            </VirtualHost>''', modules='proxy proxy_http', backend=backend.port)
        for host in ('plain.example', 'forwarding.example', 'updating.example', 'unknown.example'):
            headers = [('Host', host), ('X_Session', 'forged'), ('X-SESSION-UPDATE', 'forged'), ('Other', 'arrives')]
            response = server.request('GET', '/echo', headers)
            assert 'forged' not in response.text and fields(response)['other'] == ['arrives'], host


def test_a_copy_beside_the_real_one(server):
    headers = [('X-Session', 'forged'), ('X_SESSION', 'forged'), ('x-session', '{"user":"root"}')]
    for path in ('/app/echo', '/cgi/env'):
        assert forwarded(server.request('GET', path, headers, cookie=ALICE)) == [JSON_OF_ALICE]


def test_other_headers_of_a_client_arrive(server):
    others = {'X-Sessio': '1', 'X-Sessions': '2', 'Session': '3', 'X-Session-Up': '4'}
    found = fields(server.request('GET', '/app/echo', others))
    assert {name.lower(): [value] for name, value in others.items()}.items() <= found.items()


def test_what_httpd_sets_itself_is_not_taken_for_a_clients(start):
    """RequestHeader runs later than the removal: an administrator's own header stays."""
    with HttpBackend(BACKEND) as backend:
        server = start('''
            SignedSession On
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            <Location "/elsewhere">
                SignedSessionForward X-Session
            </Location>
            RequestHeader set X-Session "by the administrator"''', modules='headers proxy proxy_http',
                       backend=backend.port)
        assert forwarded(server.request('GET', '/echo', {'X-Session': 'forged'})) == ['by the administrator']


def test_a_large_number_of_copies(server):
    headers = [('X-Session' if i % 2 else 'X_session', 'forged') for i in range(90)]
    assert 'forged' not in server.request('GET', '/app/echo', headers).text


# --- Connection ------------------------------------------------------------------------------------


@pytest.mark.parametrize('value', ['X-Session', 'x-session', 'keep-alive, X-Session', 'close,X-SESSION , foo',
                                   'X-Session, X-Session', ',X-Session,', 'X-Session-Update, X-Session',
                                   'TE,X-Session'])
def test_a_client_cannot_make_the_proxy_drop_it(server, value):
    response = server.request('GET', '/app/echo', {'Connection': value}, cookie=ALICE)
    assert forwarded(response) == [JSON_OF_ALICE]


def test_not_with_several_connection_headers(server):
    headers = [('Connection', 'close'), ('Connection', 'X-Session'), ('Connection', 'X-Foo')]
    response = server.request('GET', '/app/echo', [*headers, ('X-Foo', 'dropped')], cookie=ALICE)
    assert forwarded(response) == [JSON_OF_ALICE] and 'x-foo' not in fields(response)


def test_other_names_in_connection_are_still_obeyed(server):
    headers = {'Connection': 'X-Foo, X-Session', 'X-Foo': '1', 'X-Bar': '2'}
    found = fields(server.request('GET', '/app/echo', headers, cookie=ALICE))
    assert found['x-session'] == [JSON_OF_ALICE] and found['x-bar'] == ['2'] and 'x-foo' not in found


def test_connection_still_closes(server):
    """The client asks for the end of the connection in the same header as for ours."""
    head = b'GET /file.txt HTTP/1.1\r\nHost: x\r\nConnection: %s\r\n\r\n'
    assert server.raw(head % b'X-Session, close').get('Connection').endswith('close')
    assert 'close' not in server.raw(head % b'X-Session').get('Connection', '')


# --- others that read the header --------------------------------------------------------------------


def test_the_update_header_is_no_request_header(server):
    """The same name may serve both ways; what a client sends in it is never an update."""
    response = server.request('GET', '/app/echo', {'X-Session-Update': '{"role":"admin"}'}, cookie=ALICE)
    assert response.set_cookies() == [] and 'x-session-update' not in fields(response)


def test_one_name_for_both_directions(start):
    answers = {'echo': lambda head: http_answer('200 OK', 'X-Session: {"n":2}', body=head.encode('latin-1'))}
    with HttpBackend(answers) as backend:
        server = start('''
            SignedSession On
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
            <Location "/">
                SignedSessionForward X-Session
                SignedSessionUpdate X-Session
            </Location>''', modules='proxy proxy_http', backend=backend.port)
        response = server.request('GET', '/echo', {'X-Session': 'forged'}, cookie=ALICE)
        assert forwarded(response) == [JSON_OF_ALICE] and response.get('X-Session') is None
        assert response.cookie()


def test_the_response_does_not_show_it(server):
    for path in ('/app/echo', '/cgi/env'):
        response = server.request('GET', path, cookie=ALICE)
        assert response.get('X-Session') is None


# --- some keys only, and a key as text ------------------------------------------------------------

SOME = '''
    SignedSession On
    ScriptAlias /cgi/ "{dir}/cgi/"
    ProxyPass /cgi/ !
    ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On
    <Location "/">
        SignedSessionForward X-Session user missing "two words"
        SignedSessionForwardText X-User user
        SignedSessionForwardText X-Cart cart.items.0
    </Location>
    <Location "/inner/">
        SignedSessionForwardText X-Role role
    </Location>
    <Location "/off/">
        SignedSessionForward Off
        SignedSessionForwardText Off
        SignedSessionForwardText X-Role role
    </Location>
    <Location "/none/">
        SignedSessionForward X-Session missing
        SignedSessionForwardText Off
    </Location>
'''
WHOLE = {'user': 'Zoë', 'role': ['a', 1.50], 'cart': {'items': [7]}, 'secret': 'hidden', 'bell': '\x07'}


@pytest.fixture(scope='module')
def some():
    with HttpBackend(BACKEND) as backend, Server(SOME, f'alias proxy proxy_http {cgi_module()}', backend=backend.port,
                                                 files={'cgi/env': ENV_CGI}) as one:
        yield one


@pytest.mark.parametrize('path, session, user, cart, role', [
    ('/echo', ['{"user":"Zo\\u00eb"}'], ['Zoë'], ['7'], None),
    ('/inner/echo', ['{"user":"Zo\\u00eb"}'], ['Zoë'], ['7'], ['["a",1.5]']),
    ('/off/echo', None, None, None, ['["a",1.5]']),
    ('/none/echo', None, None, None, None)])
def test_only_what_is_named_is_sent(some, path, session, user, cart, role):
    response = some.request('GET', path, {'X-User': 'admin', 'X_Role': 'admin', 'x.cart': '9', 'X-Session': '{}'},
                            cookie=native(WHOLE))
    found = fields(response)
    sent = {name: found.get(name) for name in ('x-session', 'x-user', 'x-cart', 'x-role')}
    assert sent == {'x-session': session, 'x-user': user, 'x-cart': cart, 'x-role': role}
    assert 'hidden' not in response.text and 'admin' not in response.text


@pytest.mark.parametrize('name', ['X-User', 'X_User', 'X.User', 'Connection'])
def test_nobody_else_sends_or_drops_a_text(some, name):
    value = 'close, X-User' if name == 'Connection' else 'admin'
    for cookie, want in ((native({'user': 'alice'}), ['alice']), (native({'bell': 1}), None), (None, None)):
        found = fields(some.request('GET', '/echo', {name: value}, cookie=cookie))
        assert found.get('x-user') == want and 'admin' not in str(found)


def test_what_may_not_leave_alone_is_not_sent(start):
    with HttpBackend(BACKEND) as backend:
        server = start('SignedSession On\nProxyPass / http://127.0.0.1:{backend}/ disablereuse=On\n<Location "/">\n'
                       'SignedSessionForwardText X-Bell bell\n</Location>', 'proxy proxy_http', backend=backend.port)
        assert 'x-bell' not in fields(server.request('GET', '/echo', cookie=native(WHOLE)))


def test_a_script_gets_them_as_variables(some):
    text = some.request('GET', '/cgi/env', cookie=native({'user': 'alice'})).text
    assert 'HTTP_X_USER=alice\n' in text and 'HTTP_X_SESSION={"user":"alice"}\n' in text


def test_a_trace_shows_nobody_what_is_forwarded(start):
    """Its answer is the request as mod_proxy would send it."""
    with HttpBackend(BACKEND) as backend:
        server = start('''
            SignedSession On
            SignedSessionEncrypt On
            SignedSessionReveal On
            SignedSessionForward X-Session
            ProxyPass / http://127.0.0.1:{backend}/ disablereuse=On''', 'proxy proxy_http', backend=backend.port)
        for headers in ({'Max-Forwards': '0'}, {}):
            assert 'X-Session' not in server.request('TRACE', '/echo', headers, cookie=native({'user': 'alice'})).text
