# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""What holds where a directive is not written: its default, or what an outer section or server says."""

import re

import pytest

from common import DAY, ENDPOINT, JSON, PATCH
from cookies import Native, native, opened
from harness import SECRET, Server, cgi_module

# --- defaults, seen from outside -------------------------------------------------------------------


ENV_CGI = '#!/bin/sh\necho Content-Type: text/plain\necho \'X-Session-Update: {"a": 1}\'\necho\nenv\n'
PLAIN_ENDPOINT = 'SignedSession On\n<Location "/plain">\nSetHandler signed-session\n</Location>\n'


@pytest.fixture(scope='module')
def defaults():
    conf = ENDPOINT + PLAIN_ENDPOINT + 'ScriptAlias /cgi "{dir}/env.cgi"\n' + (
        'ScriptSock "{dir}/cgid.sock"\n' if cgi_module() == 'cgid' else '')
    with Server(conf, f'alias {cgi_module()}', files={'env.cgi': ENV_CGI}) as server:
        yield server


def meta(server, cookie, host='127.0.0.1'):
    return server.request('GET', '/session?meta', {'Host': host}, cookie=cookie).json()


def test_default_secret_cookie_format_and_audience(defaults):
    response = defaults.request('PUT', '/session/a', JSON, '1')
    assert Native.open(response.cookie('session'), SECRET, 'session', audience='').data == {'a': 1}
    [line] = response.set_cookies('session')
    assert sorted(line.split('; ')[1:]) == ['HttpOnly', f'Max-Age={14 * DAY}', 'Path=/', 'SameSite=Lax']


def test_default_timeouts_and_size(defaults):
    now = meta(defaults, native({'a': 1}))
    assert 14 * DAY - 5 <= now['expires_in'] <= 14 * DAY and now['absolute_expires_in'] is None
    assert now['bytes_used'] + now['bytes_left'] == 4096


@pytest.mark.parametrize('share, renewed', [(0.09, False), (0.11, True)])
def test_default_renew_and_touch(defaults, share, renewed):
    cookie = native({'a': 1}, renewed=Native().renewed - int(14 * DAY * share))
    assert (defaults.request('GET', '/file.txt', cookie=cookie).cookie() is not None) == renewed


@pytest.mark.parametrize('ahead, state', [(25, 'valid'), (35, 'from-future')])
def test_default_skew(defaults, ahead, state):
    assert meta(defaults, native({'a': 1}, renewed=Native().renewed + ahead))['state'] == state


def test_default_mode_is_off(start):
    server = start('<Location "/session">\nSetHandler signed-session\nSignedSessionWritable *\n</Location>')
    response = server.request('GET', '/session', cookie=native({'a': 1}))
    assert response.status == 500 and 'SS0201' in response.text
    assert server.request('GET', '/file.txt').get('Vary') is None


def test_default_env_is_off(defaults):
    text = defaults.request('GET', '/cgi', cookie=native({'a': 1})).text
    assert 'REQUEST_METHOD=GET' in text
    assert not re.search(r'^(SESSION|SIGNED_SESSION)', text, re.M)


def test_default_update_is_off(defaults):
    assert defaults.request('GET', '/cgi').cookie() is None


def test_default_vary_is_on(defaults):
    assert defaults.request('GET', '/file.txt').get('Vary') == 'Cookie'


def test_default_writable_is_none(defaults):
    assert defaults.request('PUT', '/plain/a', JSON, '1').status == 403


def test_default_trusted_origin_is_none(defaults):
    headers = {**JSON, 'Origin': 'https://app.example', 'Sec-Fetch-Site': 'cross-site'}
    assert defaults.request('PUT', '/session/a', headers, '1').status == 403


# --- merging: a virtual host over the main server --------------------------------------------------


HOSTS = '''
    SignedSessionCookie main Path=/main
    SignedSessionIdleTimeout 1h
    SignedSessionAbsoluteTimeout 2h
    SignedSessionMaxSize 2000
    SignedSessionPersistent Off
    SignedSessionSkew 10min
    SignedSessionRenew never
    SignedSessionAudience main
''' + ENDPOINT + '''
    <VirtualHost 127.0.0.1:{port}>
        ServerName heir.test
    </VirtualHost>
    <VirtualHost 127.0.0.1:{port}>
        ServerName some.test
        SignedSessionIdleTimeout 30min
        SignedSessionPersistent On
        SignedSessionVary Off
    </VirtualHost>
    <VirtualHost 127.0.0.1:{port}>
        ServerName all.test
        SignedSessionCookie own
        SignedSessionIdleTimeout none
        SignedSessionAbsoluteTimeout none
        SignedSessionMaxSize 3000
        SignedSessionSkew 0
        SignedSessionRenew always
        SignedSessionAudience own
    </VirtualHost>
    <VirtualHost 127.0.0.1:{port}>
        ServerName off.test
        SignedSession Off
    </VirtualHost>
'''


@pytest.fixture(scope='module')
def hosts():
    with Server(HOSTS) as server:
        yield server


def host_cookie(name, audience, **more):
    return f'{name}={Native({"a": 1}, **more).seal(name=name, audience=audience)}'


@pytest.mark.parametrize('host, name, audience, idle, absolute, size', [
    ('heir.test', 'main', 'main', 3600, 7200, 2000), ('some.test', 'main', 'main', 1800, 7200, 2000),
    ('all.test', 'own', 'own', None, None, 3000)])
def test_a_virtual_host_replaces_what_it_writes(hosts, host, name, audience, idle, absolute, size):
    now = meta(hosts, host_cookie(name, audience), host)
    assert now['state'] == 'valid'
    assert now['bytes_used'] + now['bytes_left'] == size
    for limit, left in ((idle, now['expires_in']), (absolute, now['absolute_expires_in'])):
        assert left is None if limit is None else limit - 5 <= left <= limit


@pytest.mark.parametrize('host, name, audience, ahead, renewed', [
    ('heir.test', 'main', 'main', 'valid', False), ('some.test', 'main', 'main', 'valid', False),
    ('all.test', 'own', 'own', 'from-future', True)])
def test_skew_and_renewal_of_virtual_hosts(hosts, host, name, audience, ahead, renewed):
    early = host_cookie(name, audience, renewed=Native().renewed + 300)
    assert meta(hosts, early, host)['state'] == ahead
    old = host_cookie(name, audience, renewed=Native().renewed - 1000)
    assert (hosts.request('GET', '/file.txt', {'Host': host}, cookie=old).cookie(name) is not None) == renewed


@pytest.mark.parametrize('host, name, attributes', [
    ('heir.test', 'main', ['HttpOnly', 'Path=/main', 'SameSite=Lax']),
    ('some.test', 'main', ['HttpOnly', 'Max-Age=1800', 'Path=/main', 'SameSite=Lax']),
    ('all.test', 'own', ['HttpOnly', 'Path=/', 'SameSite=Lax'])])
def test_cookie_attributes_of_virtual_hosts(hosts, host, name, attributes):
    [line] = hosts.request('PUT', '/session/a', {**JSON, 'Host': host}, '1').set_cookies(name)
    assert sorted(line.split('; ')[1:]) == attributes


def test_a_virtual_host_switches_off(hosts):
    assert hosts.request('GET', '/session', {'Host': 'off.test'}).status == 500
    for host, vary in (('heir.test', 'Cookie'), ('some.test', None), ('off.test', None)):
        assert hosts.request('GET', '/file.txt', {'Host': host}).get('Vary') == vary


def test_an_audience_is_taken_back(start):
    """An empty audience is the default, and where another was set it must be possible to write it."""
    server = start('SignedSessionAudience main\nSignedSessionAudience ""' + ENDPOINT)
    assert meta(server, native({'a': 1}))['state'] == 'valid'


# --- merging: an inner section over an outer one -----------------------------------------------------


def nested(*levels):
    """/1 inside /, /1/2 inside /1 and so on, each with its own lines."""
    path, conf = '', ''
    for number, lines in enumerate(levels):
        path += f'/{number}' if number else ''
        conf += f'<Location "{path or "/"}">\n{lines}\n</Location>\n'
    return conf


def endpoints(*levels):
    """The same, where each level has the whole session at its own address."""
    return nested(*(f'SetHandler signed-session\n{lines}' for lines in levels))


ADDRESSES = ['/', '/1', '/1/2', '/1/2/3']
FILES = {f'htdocs/{path}file.txt': 'x' for path in ('', '1/', '1/2/', '1/2/3/')}
PATHS = ['/', '/1/', '/1/2/', '/1/2/3/']


def test_mode_is_tri_state(start):
    server = start(nested('SignedSession On', 'SignedSessionTouch On', 'SignedSession Off', 'SignedSession ReadOnly'),
                   files=FILES)
    vary = [server.request('GET', f'{path}file.txt').get('Vary') for path in PATHS]
    assert vary == ['Cookie', 'Cookie', None, 'Cookie']
    cookie = native({'a': 1}, renewed=Native().renewed - 2 * DAY)
    renewed = [server.request('GET', f'{path}file.txt', cookie=cookie).cookie() is not None
               for path in PATHS]
    assert renewed == [True, True, False, False]


def test_vary_is_tri_state(start):
    server = start(nested('SignedSession On', 'SignedSessionVary Off', 'SignedSessionTouch On',
                          'SignedSessionVary On'), files=FILES)
    vary = [server.request('GET', f'{path}file.txt').get('Vary') for path in PATHS]
    assert vary == ['Cookie', None, None, 'Cookie']


def test_touch_is_tri_state(start):
    server = start(nested('SignedSession On', 'SignedSessionTouch Off', 'SignedSessionVary On',
                          'SignedSessionTouch On'), files=FILES)
    cookie = native({'a': 1}, renewed=Native().renewed - 2 * DAY)
    renewed = [server.request('GET', f'{path}file.txt', cookie=cookie).cookie() is not None
               for path in PATHS]
    assert renewed == [True, False, False, True]


def test_clear_is_tri_state(start):
    server = start(nested('SignedSession On', 'SignedSessionClear On', 'SignedSessionTouch On',
                          'SignedSessionClear Off'), files=FILES)
    ended = [server.request('GET', f'{path}file.txt', cookie=native({'a': 1})).cookie() == '' for path in PATHS]
    assert ended == [False, True, True, False]


def test_set_and_unset_add_up(start):
    """The outer section first, so that for one key the innermost wins."""
    server = start(nested('SignedSession On\nSignedSessionSet a 0\nSignedSessionSet b 0', 'SignedSessionSet a 1',
                          'SignedSessionUnset b\nSignedSessionSet c 2', 'SignedSessionSet b 3'), files=FILES)
    stored = [opened(server.request('GET', f'{path}file.txt')).data for path in PATHS]
    assert stored == [{'a': '0', 'b': '0'}, {'a': '1', 'b': '0'}, {'a': '1', 'c': '2'},
                      {'a': '1', 'b': '3', 'c': '2'}]


def cgi_at_every_level(text):
    return {f'htdocs/{path}run.cgi': text for path in ('', '1/', '1/2/', '1/2/3/')}


CGI = '<Directory "{dir}/htdocs">\nOptions ExecCGI\n</Directory>\nAddHandler cgi-script .cgi\n' + (
    'ScriptSock "{dir}/cgid.sock"\n')


def cgi_server(start, conf, script):
    lines = CGI if cgi_module() == 'cgid' else CGI.replace('ScriptSock "{dir}/cgid.sock"\n', '')
    return start(lines + conf, cgi_module(), files=cgi_at_every_level(script))


def test_env_is_tri_state(start):
    server = cgi_server(start, nested('SignedSession On\nSignedSessionEnv On', 'SignedSessionEnv Off',
                                      'SignedSessionTouch On', 'SignedSessionEnv On'), ENV_CGI)
    shown = ['SESSION_a=1' in server.request('GET', f'{path}run.cgi', cookie=native({'a': 1})).text
             for path in PATHS]
    assert shown == [True, False, False, True]


def test_strip_cookie_is_auto_and_merges(start):
    server = cgi_server(start, nested('SignedSession On', 'SignedSessionStripCookie off', 'SignedSessionTouch On',
                                      'SignedSessionStripCookie on'), ENV_CGI)
    seen = ['HTTP_COOKIE=session=' in server.request('GET', f'{path}run.cgi', cookie=native({'a': 1})).text
            for path in PATHS]
    assert seen == [False, True, True, False]


UPDATE_CGI = '''#!/bin/sh
echo Content-Type: text/plain
echo "X-Update: {\\"$QUERY_STRING\\": 1}"
echo
'''


def test_update_is_replaced_as_a_whole(start):
    """Inside, the list of keys is the inner one alone; Off is an end, and nothing written is the outer one."""
    server = cgi_server(start, 'SignedSession On\n' + nested(
        'SignedSessionUpdate X-Update a b', 'SignedSessionTouch On', 'SignedSessionUpdate X-Update c',
        'SignedSessionUpdate Off'), UPDATE_CGI)
    server.allow('SS0303')  # a key that is not listed
    taken = [[key for key in 'abc' if server.request('GET', f'{path}run.cgi?{key}').cookie()] for path in PATHS]
    assert taken == [['a', 'b'], ['a', 'b'], ['c'], []]


def test_writable_is_replaced_as_a_whole(start):
    server = start('SignedSession On\n' + endpoints(
        'SignedSessionWritable a b', 'SignedSessionTouch On', 'SignedSessionWritable c',
        'SignedSessionWritable none'))
    written = [[key for key in 'abc' if server.request('PATCH', path, PATCH, {key: 1}).status == 200]
               for path in ADDRESSES]
    assert written == [['a', 'b'], ['a', 'b'], ['c'], []]


def test_trusted_origin_is_replaced_as_a_whole(start):
    server = start('SignedSession On\n' + endpoints(
        'SignedSessionWritable *\nSignedSessionTrustedOrigin https://a.test https://b.test', 'SignedSessionTouch On',
        'SignedSessionTrustedOrigin https://c.test'))
    trusted = [[name for name in 'abc' if server.request('PATCH', path, {
        **PATCH, 'Sec-Fetch-Site': 'cross-site', 'Origin': f'https://{name}.test'}, {'x': 1}).status == 200]
        for path in ADDRESSES[:3]]
    assert trusted == [['a', 'b'], ['a', 'b'], ['c']]


def test_the_order_of_sections(start):
    """Server, then Directory, then .htaccess, then Location, then If."""
    server = start('''
        SignedSession On
        <Directory "{dir}/htdocs">
            AllowOverride AuthConfig
            SignedSessionVary Off
        </Directory>
        <Location "/in/location">
            SignedSessionVary Off
        </Location>
        <If "%{REQUEST_URI} =~ m#/if/#">
            SignedSessionVary On
        </If>
    ''', files={'htdocs/in/.htaccess': 'SignedSessionVary On', 'htdocs/in/file.txt': 'x',
                'htdocs/in/location/file.txt': 'x', 'htdocs/in/location/if/file.txt': 'x'})
    vary = [server.request('GET', path).get('Vary')
            for path in ('/file.txt', '/in/file.txt', '/in/location/file.txt', '/in/location/if/file.txt')]
    assert vary == [None, 'Cookie', None, 'Cookie']


@pytest.mark.parametrize('lines, vary', [('SignedSessionVary On\nSignedSessionVary Off', None),
                                         ('SignedSessionVary Off\nSignedSessionVary On', 'Cookie')])
def test_written_again_it_replaces(start, lines, vary):
    server = start('SignedSession On\n' + lines)
    assert server.request('GET', '/file.txt').get('Vary') == vary


def test_a_cookie_written_again_replaces_every_attribute(start):
    server = start('SignedSessionCookie one Path=/a SameSite=Strict\nSignedSessionCookie two' + ENDPOINT)
    response = server.request('PUT', '/session/a', JSON, '1')
    assert Native.open(response.cookie('two'), name='two').data == {'a': 1}
    [line] = response.set_cookies('two')
    assert 'Path=/;' in line and 'SameSite=Lax' in line
