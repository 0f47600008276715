# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""The string function `session` wherever httpd takes an expression, and the session in the access log."""

import hashlib
import hmac
import json
import time

import pytest

from common import ENV_CGI
from cookies import SECRET, Native, hkdf, native, opened, starlette
from harness import Server, cgi_module, configtest

EXPR_LUA = '''
function handle(r)
    r.content_type = "text/plain"
    r:puts(tostring(r:expr("session('user') == 'alice' && %{session:cart.items.0.id} == '7'")))
    return apache2.OK
end
'''

# --- where an expression can stand ----------------------------------------------------------------

PLACES = '''
    SignedSession On
    SetEnvIfExpr "%{session:user} == 'alice'" FROM_SETENVIF=yes
    LogFormat "%U yes" short
    CustomLog "{dir}/conditional.log" short "expr=%{session:user} == 'alice'"
    RewriteEngine On
    RewriteCond expr "%{session:user} == 'alice'"
    RewriteRule "^/rewrite/server$" "/yes.txt"
    LuaMapHandler /lua "{dir}/expr.lua"
    ScriptAlias /cgi/ "{dir}/cgi/"
    <Directory "{dir}/htdocs">
        AllowOverride All
        Options +FollowSymLinks
    </Directory>
    <Location "/require">
        Require expr "%{session:user} == 'alice'"
    </Location>
    <Location "/require-function">
        Require expr "session('user') == 'alice'"
    </Location>
    <Location "/if">
        <If "session('user') == 'alice'">
            Header set X-Seen yes
        </If>
        <Else>
            Header set X-Seen no
        </Else>
    </Location>
    <Location "/header">
        Header set X-Seen "expr=[%{session:user}]"
    </Location>
    <Location "/cgi">
        RequestHeader set X-User "expr=[%{session:user}]"
    </Location>
'''


@pytest.fixture(scope='module')
def places():
    files = {'expr.lua': EXPR_LUA, 'cgi/env': ENV_CGI, 'htdocs/yes.txt': 'yes',
             'htdocs/rewrite/directory.txt': 'no', 'htdocs/rewrite/server': 'no',
             'htdocs/rewrite/.htaccess': '''
                 RewriteEngine On
                 RewriteCond expr "%{session:user} == 'alice'"
                 RewriteRule "^directory" "/yes.txt"''',
             'htdocs/htaccess/.htaccess': '''
                 <If "%{session:user} == 'alice'">
                     Header set X-Seen yes
                 </If>
                 <Else>
                     Header set X-Seen no
                 </Else>''',
             **{f'htdocs/{place}/a.txt': 'x' for place in ('require', 'require-function', 'if', 'header', 'htaccess')}}
    modules = f'alias headers lua rewrite setenvif {cgi_module()}'
    with Server(PLACES, modules=modules, files=files) as one:
        yield one


ALICE = native({'user': 'alice', 'cart': {'items': [{'id': 7}]}})
BOB = native({'user': 'bob', 'cart': {'items': [{'id': 7}]}})
VISITORS = [(ALICE, True), (BOB, False), (None, False), ('session=forged', False)]
EACH_VISITOR = pytest.mark.parametrize('cookie, is_alice', VISITORS, ids=['alice', 'bob', 'nobody', 'forged'])


def test_an_unknown_function_stays_unknown():
    rc, text = configtest('SetEnvIfExpr "no_such_function(%{session:user}) == \'x\'" A=1', 'setenvif')
    assert rc == 1 and "Function 'no_such_function' does not exist" in text


@EACH_VISITOR
@pytest.mark.parametrize('place', ['require', 'require-function'])
def test_require_expr(places, place, cookie, is_alice):
    assert places.request('GET', f'/{place}/a.txt', cookie=cookie).status == (200 if is_alice else 403)
    places.allow('AH01630')


@EACH_VISITOR
@pytest.mark.parametrize('place', ['if', 'htaccess'])
def test_if(places, place, cookie, is_alice):
    assert places.request('GET', f'/{place}/a.txt', cookie=cookie).get('X-Seen') == ('yes' if is_alice else 'no')


@EACH_VISITOR
@pytest.mark.parametrize('path', ['/rewrite/server', '/rewrite/directory.txt'])
def test_rewrite_condition(places, path, cookie, is_alice):
    assert places.request('GET', path, cookie=cookie).text == ('yes' if is_alice else 'no')


@EACH_VISITOR
def test_setenvif(places, cookie, is_alice):
    """Evaluated before any section is known, so it is often the first to ask."""
    text = places.request('GET', '/cgi/env', cookie=cookie).text
    assert ('FROM_SETENVIF=yes' in text) == is_alice


@pytest.mark.parametrize('cookie, want', [(ALICE, '[alice]'), (BOB, '[bob]'), (None, '[]')])
def test_header_values(places, cookie, want):
    assert places.request('GET', '/header/a.txt', cookie=cookie).get('X-Seen') == want
    assert f'HTTP_X_USER={want}\n' in places.request('GET', '/cgi/env', cookie=cookie).text


@EACH_VISITOR
def test_lua(places, cookie, is_alice):
    assert places.request('GET', '/lua', cookie=cookie).text == ('true' if is_alice else 'false')


@EACH_VISITOR
def test_conditional_log(places, cookie, is_alice):
    path = f'/file.txt/{"alice" if is_alice else "other"}'
    places.request('GET', path, cookie=cookie)
    assert (f'{path} yes' in (places.dir / 'conditional.log').read_text()) == is_alice


# --- which value --------------------------------------------------------------------------------

DOCUMENT = {
    'user': 'Zoë', 'n': 1.50, 'big': 12345678901234567890123, 'yes': True, 'no': False, 'nothing': None, 'empty': '',
    'cart': {'items': [{'id': 7, 'name': 'tea'}, [1, [2, 3]]], '': 'no name', 'a.b': 'deep'},
    'a': {'b': 'descended', 'c': 'descended', '0': 'by name'}, 'a.b': 'literal', '': 'nameless', '.': 'dot',
    'bell': 'a\x07', 'line': 'a\nb', 'nul': 'a\x00', 'lone': '\ud800',
}
VALUES = [
    ('a string is decoded', 'user', 'Zoë'),
    ('a number as it is written', 'n', '1.5'),
    ('of any size', 'big', '12345678901234567890123'),
    ('true', 'yes', 'true'),
    ('false', 'no', 'false'),
    ('null', 'nothing', 'null'),
    ('an empty string', 'empty', ''),
    ('an object is compact JSON', 'a', '{"b":"descended","c":"descended","0":"by name"}'),
    ('an array', 'cart.items.1', '[1,[2,3]]'),
    ('an item of an array', 'cart.items.0.id', '7'),
    ('an item of an item', 'cart.items.1.1.0', '2'),
    ('an array has no item of this number', 'cart.items.2', ''),
    ('an index has no leading zero', 'cart.items.00.id', ''),
    ('no sign', 'cart.items.-1', ''),
    ('and no end without number', 'cart.items.99999999999999999999', ''),
    ('a member whose name is a number', 'a.0', 'by name'),
    ('a top-level key of exactly that name wins', 'a.b', 'literal'),
    ('where there is none, dots descend', 'a.c', 'descended'),
    ('only at the top is a name with a dot found', 'cart.a.b', ''),
    ('an empty step is the empty name', 'cart.', 'no name'),
    ('the key may be a dot', '.', 'dot'),
    ('absent', 'role', ''),
    ('absent below', 'cart.role', ''),
    ('below a string', 'user.0', ''),
    ('keys have case', 'User', ''),
    ('a control character', 'bell', ''),
    ('a line feed', 'line', ''),
    ('a NUL', 'nul', ''),
    ('half a character', 'lone', ''),
]


def test_every_value(start):
    rows = '\n'.join(f'''Header set X-Row-{i} "expr=[%{{session:{key}}}]"''' for i, (_, key, _) in enumerate(VALUES))
    server = start(f'SignedSession On\n{rows}', modules='headers')
    response = server.request('GET', '/file.txt', cookie=native(json.dumps(DOCUMENT).encode()))
    found = [(what, response.get(f'X-Row-{i}').encode('latin-1').decode()) for i, (what, _, _) in enumerate(VALUES)]
    assert found == [(what, f'[{want}]') for what, _, want in VALUES]


def test_a_key_that_a_literal_can_not_name(start):
    server = start('''
        SignedSession On
        <If "session('') == 'nameless' && session('with \\'quote') == 'quoted'">
            Header set X-Seen yes
        </If>''', modules='headers')
    document = {'': 'nameless', "with 'quote": 'quoted'}
    assert server.request('GET', '/file.txt', cookie=native(document)).get('X-Seen') == 'yes'
    assert server.request('GET', '/file.txt', cookie=native({**document, '': 'x'})).get('X-Seen') is None


def test_a_value_that_python_wrote(start):
    server = start('SignedSession On\nHeader set X-Value "expr=%{session:a} %{session:b.0} %{session:c}"',
                   modules='headers')
    cookie = native(b'{"a":NaN,"b":[-Infinity],"c":{"x" : Infinity}}')
    assert server.request('GET', '/file.txt', cookie=cookie).get('X-Value') == 'null null {"x":null}'


def test_of_duplicate_names_the_last_counts(start):
    """As in every framework that reads the same cookie; at any depth."""
    server = start('SignedSession On\nHeader set X-Value "expr=%{session:a} %{session:b.c}"', modules='headers')
    response = server.request('GET', '/file.txt', cookie=native(b'{"a":1,"a":2,"b":{"c":1,"\\u0063":2}}'))
    assert response.get('X-Value') == '2 2'


def test_an_expression_shows_what_the_session_is_by_now(start):
    """A header value is evaluated after the handler, and after the change that it made."""
    lua = 'function handle(r) r.notes["session-update"] = \'{"a":2}\' r:puts("x") return apache2.OK end'
    server = start('''
        SignedSession On
        LuaMapHandler /change "{dir}/change.lua"
        Header set X-Value "expr=%{session:a}"
        SignedSessionSet copy "%{session:a}"''', modules='headers lua', files={'change.lua': lua})
    response = server.request('GET', '/change', cookie=native({'a': 1}))
    assert (response.get('X-Value'), opened(response).data) == ('2', {'a': 2, 'copy': '2'})


# --- Vary ---------------------------------------------------------------------------------------

VARY = '''
    SignedSession On
    SignedSessionVary Off
    <Directory "{dir}/htdocs">
        Options +FollowSymLinks
        RewriteEngine On
        RewriteCond expr "%{session:user} == 'alice'"
        RewriteRule "^vary/rewrite" "/yes.txt"
        RewriteCond expr "%{session:user} == 'alice'" [NV]
        RewriteRule "^vary/no-vary" "/yes.txt"
    </Directory>
    <Location "/vary/require">
        Require expr "%{session:user} != 'bob'"
    </Location>
    <Location "/vary/if">
        <If "%{session:user} == 'alice' || session('role') == 'admin'">
            Header set X-Seen yes
        </If>
    </Location>
    <Location "/vary/merged">
        <If "%{session:user} == 'alice'">
            Header set X-Seen yes
        </If>
        Header append Vary Accept
    </Location>
    <Location "/vary/value">
        Header set X-Seen "expr=%{session:user}"
    </Location>
'''


@pytest.fixture(scope='module')
def vary():
    names = ('require', 'if', 'merged', 'value', 'none', 'rewrite', 'no-vary')
    files = {'htdocs/yes.txt': 'yes', **{f'htdocs/vary/{name}': 'x' for name in names}}
    with Server(VARY, modules='headers rewrite', files=files) as one:
        yield one


@pytest.mark.parametrize('cookie', [ALICE, None], ids=['alice', 'nobody'])
@pytest.mark.parametrize('path, want', [
    ('require', {'cookie'}), ('if', {'cookie'}), ('merged', {'cookie', 'accept'}), ('rewrite', {'cookie'}),
    ('value', {'cookie'}), ('no-vary', {'cookie'}), ('none', set())])
def test_a_condition_on_the_session_makes_the_response_vary(vary, path, want, cookie):
    """httpd does this for conditions, and only where nothing comes behind; values count as well."""
    header = vary.request('GET', f'/vary/{path}', cookie=cookie).get('Vary', '')
    assert {word.strip().lower() for word in header.split(',') if word} == want


# --- the access log -------------------------------------------------------------------------------

LOG = '''
    SignedSession On
    LogFormat "%r|%>s|%{user}^SS|%{cart.items.0.id}^SS|%{:state}^SS" seen
    CustomLog "{dir}/access.log" seen
    Redirect "/moved" "/file.txt"
    Redirect gone "/gone"
    RewriteEngine On
    RewriteRule "^/rewritten$" "/file.txt" [R]
    <Location "/login">
        AuthType Basic
        AuthName test
        AuthUserFile "{dir}/users"
        Require valid-user
    </Location>
    <Location "/denied">
        Require all denied
    </Location>
    <Location "/off">
        SignedSession Off
    </Location>
    <Location "/read-only">
        AllowMethods POST
    </Location>
'''


@pytest.fixture(scope='module')
def logging():
    modules = 'alias allowmethods auth_basic authn_core authn_file authz_user rewrite'
    with Server(LOG, modules=modules, files={'users': '', 'htdocs/off/a.txt': 'x'}) as one:
        yield one


def logged(server, path, cookie):
    """What the access log says of this request: status, two values, state."""
    before = len((server.dir / 'access.log').read_text().splitlines())
    server.request('GET', path, cookie=cookie)
    line, = (server.dir / 'access.log').read_text().splitlines()[before:]
    return line.split('|')[1:]


@pytest.mark.parametrize('path, status', [
    ('/file.txt', 200), ('/missing', 404), ('/login', 401), ('/denied', 403), ('/moved', 302), ('/gone', 410),
    ('/rewritten', 302), ('/read-only', 405), ('/%2e%2e/%2e%2e/', 400), ('/off/a.txt', 200)])
def test_the_access_log_shows_the_session_of_every_request(logging, path, status):
    """Also of those that never reach fixups, where no note was set."""
    logging.allow('AH01630', 'AH01276', 'AH10244', 'AH01617', 'AH01623')
    assert logged(logging, path, ALICE) == [str(status), 'alice', '7', 'valid']
    assert logged(logging, path, None) == [str(status), '-', '-', 'none']


@pytest.mark.parametrize('user, shown', [
    ('al"ice', 'al\\"ice'), ('back\\slash', 'back\\\\slash'), ('Zoë', 'Zo\\xc3\\xab'), ('line\nfeed', '-'),
    ('\x1b[31m', '-'), ('\x7f', '-'), ('', ''), (None, 'null'), ([1, {'a': 'x'}], '[1,{\\"a\\":\\"x\\"}]')])
def test_values_are_escaped(logging, user, shown):
    assert logged(logging, '/file.txt', native({'user': user})) == ['200', shown, '-', 'valid']


@pytest.mark.parametrize('cookie, state', [
    ('session=x', 'malformed'), (native({'user': 'a'}, renewed=1), 'expired-idle'),
    (native({'user': 'a'})[:20], 'malformed'), ('other=x', 'none')])
def test_a_refused_cookie_has_a_state_and_no_values(logging, cookie, state):
    assert logged(logging, '/file.txt', cookie) == ['200', '-', '-', state]


def test_a_request_that_could_not_be_read_is_logged_too(logging):
    before = len((logging.dir / 'access.log').read_text().splitlines())
    assert logging.raw(b'GET /file.txt HTTP/1.1\r\nno header\r\n\r\n').status == 400
    assert logging.raw(b'GET /' + b'x' * 9000 + b' HTTP/1.1\r\nHost: x\r\n\r\n').status == 414
    lines = (logging.dir / 'access.log').read_text().splitlines()[before:]
    assert [line.split('|')[-1] for line in lines] == ['none', 'none']


def test_where_there_are_no_keys_the_log_has_nothing_to_show(start):
    server = start(LOG.replace('SignedSession On', '', 1), env={'SIGNED_SESSION_SECRET': None},
                   modules='alias allowmethods auth_basic authn_core authn_file authz_user rewrite',
                   files={'users': ''})
    assert logged(server, '/file.txt', ALICE) == ['200', '-', '-', '-']


# --- what is known of a session besides its keys ----------------------------------------------------

FACTS = ['state', 'user', 'created', 'renewed', 'age', 'expires_in', 'format', 'id']
FACTS_CONF = f'''
    SignedSession On
    SignedSessionFormat native starlette
    SignedSessionIdleTimeout 1h
    SignedSessionAbsoluteTimeout 2h
    SignedSessionRenew never
    LogFormat "{'|'.join(f'%{{:{name}}}^SS' for name in FACTS)}" facts
    CustomLog "{{dir}}/facts.log" facts
    Header always set X-Facts "expr={'|'.join(f'%{{session::{name}}}' for name in FACTS)}"
    <Location "/new">
        SignedSessionSet user alice
    </Location>
    <Location "/expired">
        Require expr "%{{session::state}} == 'expired-idle'"
    </Location>
'''


@pytest.fixture(scope='module')
def facts():
    with Server(FACTS_CONF, 'headers', files={'htdocs/new': 'x', 'htdocs/expired': 'x'}) as one:
        yield one


def facts_of(server, cookie, path='/file.txt'):
    """Those of the expression; the log says the same."""
    response = server.request('GET', path, cookie=cookie)
    line = (server.dir / 'facts.log').read_text().splitlines()[-1]
    values = response.get('X-Facts').split('|')
    assert line.split('|') == [value or '-' for value in values]
    return dict(zip(FACTS, values))


def test_a_rule_sees_how_old_a_session_is(facts):
    now = int(time.time())
    found = facts_of(facts, native({'user': 'alice'}, created=now - 5000, renewed=now - 60))
    assert (found['state'], found['format']) == ('valid', 'native')
    assert (found['created'], found['renewed']) == (str(now - 5000), str(now - 60))
    assert 5000 <= int(found['age']) <= 5005
    assert 2195 <= int(found['expires_in']) <= 2200  # the absolute one is the less
    found = facts_of(facts, native({'user': 'alice'}, created=now - 60, renewed=now - 60))
    assert 3535 <= int(found['expires_in']) <= 3540  # the idle one is


def test_the_id_of_a_session_joins_lines_and_names_no_cookie(facts):
    session = Native({'user': 'alice'})
    cookie = f'session={session.seal()}'
    key = hkdf(SECRET.encode(), b'sign\0session\0', 32)
    want = hmac.new(key, b'id of a session for people\0' + session.id, hashlib.sha256).hexdigest()[:16]
    assert facts_of(facts, cookie)['id'] == facts_of(facts, cookie)['id'] == want
    assert facts_of(facts, native({'user': 'alice'}))['id'] != want
    assert session.id.hex()[:8] not in want


@pytest.mark.parametrize('cookie, state, form', [
    (lambda: None, 'none', ''), (lambda: 'session=x', 'malformed', ''),
    (lambda: native({'user': 'a'}, renewed=1), 'expired-idle', ''),
    (lambda: f'session={starlette({"user": "a"})}', 'valid', 'starlette')], ids=['none', 'malformed', 'expired', 'starlette'])
def test_what_is_not_known_is_empty(facts, cookie, state, form):
    found = facts_of(facts, cookie())
    assert (found['state'], found['format'], found['id'], found['created'], found['age']) == (state, form, '', '', '')
    assert bool(found['renewed']) == bool(found['expires_in']) == bool(form)


def test_the_state_is_that_of_what_the_client_sent(facts):
    found = facts_of(facts, 'session=x', '/new')
    assert (found['state'], found['id'], found['age'], found['user']) == ('malformed', '', '0', 'alice')


def test_a_place_for_those_whose_session_has_ended(facts):
    assert facts.request('GET', '/expired', cookie=native({'user': 'a'}, renewed=1)).status == 200
    assert facts.request('GET', '/expired', cookie=native({'user': 'a'})).status == 403
    facts.allow('AH01630')


def test_a_key_that_begins_with_a_colon_is_no_fact(facts):
    assert facts_of(facts, native({':state': 'mine', ':id': 'mine'}))['state'] == 'valid'


def test_with_one_colon_it_is_a_key(start):
    server = start('SignedSession On\nHeader always set X-Age "expr=%{session:age}"', 'headers')
    assert server.request('GET', '/file.txt', cookie=native({'age': '42'})).get('X-Age') == '42'
    assert not server.request('GET', '/file.txt', cookie=native({'user': 'alice'})).get('X-Age')


def test_a_fact_that_does_not_exist_stops_the_start():
    rc, text = configtest('SetEnvIfExpr "%{session::agee} == \'1\'" A=1', 'setenvif')
    assert rc != 0 and 'a session has no ":agee"; there is :state, :user, :created' in text


@pytest.mark.parametrize('line', ['Require not expr "-n %{session:banned}"', 'Require expr "-z %{session:banned}"',
                                  'Require not expr "%{session:banned} == \'yes\'"'])
def test_without_a_secret_nobody_is_let_in_by_what_nobody_knows(start, line):
    server = start(f'<Location "/x">\n<RequireAll>\nRequire all granted\n{line}\n</RequireAll>\n</Location>',
                   files={'htdocs/x': 'x'}, env={'SIGNED_SESSION_SECRET': None})
    assert server.request('GET', '/x', cookie=native({'banned': 'yes'})).status == 500
    server.expect('the session cannot be read')
