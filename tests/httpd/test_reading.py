# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What httpd's own parts see of a session: CGI, Lua, notes, the access log."""

import json

import pytest

from common import ENV_CGI
from cookies import native
from harness import Server, cgi_module

NOTES_LUA = '''
function handle(r)
    local names = { "session", "session-state", "session:user", "session:n", "session:list", "session:bell",
                    "session:Case", "session:case", "session:x y", "session:nan" }
    r.content_type = "text/plain"
    for _, name in ipairs(names) do
        local value = r.notes[name]
        if value then r:puts(name .. "=" .. value .. "\\n") end
    end
    return apache2.OK
end
'''
CONF = '''
    SignedSession On
    LogFormat "%r|%{session:user}n|%{session-state}n" seen
    CustomLog "{dir}/access.log" seen
    ScriptAlias /cgi/ "{dir}/cgi/"
    LuaMapHandler /notes "{dir}/notes.lua"
    <Location "/cgi/env">
        SignedSessionEnv On
    </Location>
    <Location "/cgi/off">
        SignedSession Off
    </Location>
    <Directory "{dir}/htdocs">
        Options +Includes
        AddOutputFilter INCLUDES .shtml
    </Directory>
    <Location "/ssi">
        SignedSessionEnv On
    </Location>
    <Location "/chain">
        SignedSessionEnv On
        ErrorDocument 404 /cgi/plain
    </Location>
    <Location "/chain-env">
        SignedSessionEnv On
        ErrorDocument 404 /cgi/env
    </Location>
'''


@pytest.fixture(scope='module')
def server():
    files = {f'cgi/{name}': ENV_CGI for name in ('env', 'plain', 'off')}
    files['notes.lua'] = NOTES_LUA
    files['htdocs/ssi/page.shtml'] = '<!--#echo var="SESSION_user" --> <!--#include virtual="/cgi/plain" -->'
    with Server(CONF, modules=f'alias lua include {cgi_module()}', files=files) as one:
        yield one


def pairs(response):
    assert response.status == 200, response.text
    return dict(line.split('=', 1) for line in response.text.splitlines() if '=' in line)


def ours(response):
    """The variables that have to do with the session, the cookie's own header aside."""
    return {name: value for name, value in pairs(response).items()
            if 'SESSION' in name.upper() and name not in ('HTTP_COOKIE', 'DEFAULT')}


def test_a_cgi_script_sees_the_session_in_its_environment(server):
    cookie = native({'user': 'alice', 'n': 1.5, 'ok': True, 'none': None, 'list': [1, {'a': 'b'}], 'mixedCase': 'x'})
    assert ours(server.request('GET', '/cgi/env', cookie=cookie)) == {
        'SESSION': '{"user":"alice","n":1.5,"ok":true,"none":null,"list":[1,{"a":"b"}],"mixedCase":"x"}',
        'SESSION_user': 'alice', 'SESSION_n': '1.5', 'SESSION_ok': 'true', 'SESSION_none': 'null',
        'SESSION_list': '[1,{"a":"b"}]', 'SESSION_mixedCase': 'x', 'SIGNED_SESSION_STATE': 'valid'}


@pytest.mark.parametrize('cookie, state', [(None, 'none'), ('session=x', 'malformed')])
def test_without_a_session_the_environment_says_so(server, cookie, state):
    assert ours(server.request('GET', '/cgi/env', cookie=cookie)) == {
        'SESSION': '{}', 'SIGNED_SESSION_STATE': state}


@pytest.mark.parametrize('path', ['/cgi/plain', '/cgi/off'])
def test_where_it_is_not_asked_for_there_are_no_variables(server, path):
    assert ours(server.request('GET', path, cookie=native({'user': 'alice'}))) == {}


def test_a_clients_header_is_not_a_session_variable(server):
    headers = {'Session': 'user=root', 'SESSION-user': 'root', 'Signed-Session-State': 'valid'}
    found = ours(server.request('GET', '/cgi/env', headers))
    assert found.pop('SESSION') == '{}' and found.pop('SIGNED_SESSION_STATE') == 'none'
    assert all(name.startswith('HTTP_') for name in found)


def test_keys_cannot_shadow_other_variables(server):
    names = ['REMOTE_USER', 'HTTPS', 'PATH', 'LD_PRELOAD', 'a=b', 'é', 'with blank', '']
    found = pairs(server.request('GET', '/cgi/env', cookie=native({name: 'x' for name in names})))
    assert {name for name, value in found.items() if value == 'x'} == {
        'SESSION_REMOTE_USER', 'SESSION_HTTPS', 'SESSION_PATH', 'SESSION_LD_PRELOAD', 'SESSION_a_b', 'SESSION___',
        'SESSION_with_blank', 'SESSION_'}


def test_keys_that_collide_are_not_shown_alone(server):
    cookie = native({'user': 'a', 'USER': 'b', 'a-b': 1, 'a_b': 2, 'fine': 3, 'a.b': 4, 'three': 5})
    found = ours(server.request('GET', '/cgi/env', cookie=cookie))
    assert json.loads(found.pop('SESSION'))['user'] == 'a'
    assert found == {'SESSION_fine': '3', 'SESSION_three': '5', 'SIGNED_SESSION_STATE': 'valid'}


def test_control_characters_do_not_leave_alone(server):
    cookie = native(b'{"bell":"a\\u0007","nul":"a\\u0000b","line":"a\\nb","del":"\x7f","ke\\ny":1,'
                    b'"fine":"\xc3\xbc","lone":"\\ud800"}')
    found = ours(server.request('GET', '/cgi/env', cookie=cookie))
    assert json.loads(found.pop('SESSION'))['nul'] == 'a\x00b'
    assert found == {'SESSION_fine': 'ü', 'SIGNED_SESSION_STATE': 'valid'}


def test_not_a_number_is_shown_as_null(server):
    found = ours(server.request('GET', '/cgi/env', cookie=native(b'{"x":NaN,"y":[-Infinity]}')))
    assert found == {'SESSION': '{"x":null,"y":[null]}', 'SESSION_x': 'null', 'SESSION_y': '[null]',
                     'SIGNED_SESSION_STATE': 'valid'}


def test_of_duplicate_keys_the_last_counts(server):
    """As in every framework that reads the same cookie."""
    found = ours(server.request('GET', '/cgi/env', cookie=native(b'{"role":"user","role":"admin"}')))
    assert found['SESSION_role'] == 'admin'


def test_path_info_looks_up_with_the_same_session(server):
    found = ours(server.request('GET', '/cgi/env/more/path', cookie=native({'user': 'alice'})))
    assert found['SESSION_user'] == 'alice'


def test_lua_reads_the_notes(server):
    cookie = native({'user': 'alice', 'n': 2, 'list': [1, 2], 'bell': '\x07', 'Case': 1, 'case': 2, 'x y': 'z'})
    found = pairs(server.request('GET', '/notes', cookie=cookie))
    assert json.loads(found.pop('session'))['bell'] == '\x07'
    assert found == {'session-state': 'valid', 'session:user': 'alice', 'session:n': '2', 'session:list': '[1,2]',
                     'session:x y': 'z'}
    assert pairs(server.request('GET', '/notes')) == {'session': '{}', 'session-state': 'none'}


def test_the_access_log_shows_a_note(server):
    server.request('GET', '/file.txt?logged', cookie=native({'user': 'al"ice'}))
    lines = (server.dir / 'access.log').read_text().splitlines()
    line, = [line for line in lines if '?logged' in line]
    assert line.endswith('|al\\"ice|valid')


def test_ssi_sees_the_session_and_an_include_without_env_does_not(server):
    response = server.request('GET', '/ssi/page.shtml', cookie=native({'user': 'alice'}))
    assert response.text.startswith('alice ')
    assert 'SESSION_' not in response.text and 'SIGNED_SESSION_STATE' not in response.text


def test_an_error_document_sees_what_its_own_place_allows(server):
    def found(path):
        response = server.request('GET', path, cookie=native({'user': 'alice'}))
        assert response.status == 404
        return {line.split('=', 1)[0] for line in response.text.splitlines()
                if 'SESSION' in line.split('=')[0].upper()} - {'REDIRECT_HTTP_COOKIE', 'DEFAULT'}
    assert found('/chain/missing') == set()
    assert found('/chain-env/missing') == {'SESSION', 'SESSION_user', 'SIGNED_SESSION_STATE'}


def test_every_response_where_sessions_are_on_varies_with_the_cookie(start):
    server = start('''
        SignedSession On
        <Location "/novary">
            SignedSessionVary Off
        </Location>
        <Location "/off">
            SignedSession Off
        </Location>
        <Location "/readonly">
            SignedSession ReadOnly
        </Location>
        <Location "/mine">
            Header append Vary Accept
        </Location>
        <Location "/both">
            Header set Vary "cookie, Accept"
            Header unset ETag
        </Location>''', modules='headers',
                   files={f'htdocs/{name}/a.txt': 'x' for name in ('novary', 'off', 'readonly', 'mine', 'both')})
    for path, want in [('/file.txt', {'cookie'}), ('/readonly/a.txt', {'cookie'}), ('/missing', {'cookie'}),
                       ('/novary/a.txt', set()), ('/off/a.txt', set()), ('/mine/a.txt', {'cookie', 'accept'})]:
        response = server.request('GET', path)
        assert {word.strip().lower() for word in response.get('Vary', '').split(',') if word} == want, path
    assert server.request('GET', '/both/a.txt').get('Vary').lower().count('cookie') == 1
