# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""SignedSessionRevocation: a logout that is one, everywhere."""

import concurrent.futures
import json
import time

import pytest

from common import FORM, PATCH, basic, password_file
from cookies import Native, native
from harness import Jar, Server, cgi_module, configtest, speaks_http2
from starting import failed_start, one_line, wait_for

CONF = '''
    {store}
    {log}
    SignedSession On
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable a user
    </Location>
    <Location "/logout">
        SignedSessionClear On
    </Location>
    <Location "/everywhere">
        SignedSessionClear Everywhere
    </Location>
    <Location "/others">
        SignedSessionClear Others
    </Location>
    <Location "/login">
        SignedSessionSet user alice
    </Location>
    <Location "/revoke">
        SetHandler signed-session-revoke
    </Location>
    <Location "/guarded-revoke">
        SetHandler signed-session-revoke
        AuthType Basic
        AuthName x
        AuthBasicProvider file
        AuthUserFile "{dir}/users"
        Require valid-user
    </Location>
'''
FILES = {**{f'htdocs/{name}': 'a page' for name in ('logout', 'everywhere', 'others', 'login')}, 'users': password_file('admin'), 'log/': ''}
MODULES = 'auth_basic authn_file authn_core authz_user'
FILE = 'SignedSessionRevocation file:{dir}/log/revoked'
# Where sessions live, and where it is written who was logged out.
PLACES = {
    'cookie': ('', FILE),
    'store': ('SignedSessionStore file', FILE),
    'shared': ('SignedSessionStore file', 'SignedSessionRevocation store'),
    'cookie and shared': ('SignedSessionStore cookie file', 'SignedSessionRevocation store'),
}
SECOND = 1.1


def serve(places):
    store, log = PLACES[places]
    return Server(CONF, store=store, log=log, files=FILES, modules=MODULES)


@pytest.fixture(scope='module', params=PLACES)
def server(request):
    with serve(request.param) as running:
        running.is_shared = 'shared' in request.param
        yield running


@pytest.fixture(scope='module')
def cookies():
    with serve('cookie') as running:
        yield running


def get(jar, query=''):
    return json.loads(jar.request('GET', f'/session{query}').body)


def state(jar):
    return get(jar, '?meta')['state']


def logged_in(server, user='alice'):
    jar = Jar(server)
    response = jar.request('PATCH', '/session', PATCH, json.dumps({'user': user}).encode())
    assert response.status == 200, response.body
    return jar


def copy_of(jar):
    copy = Jar(jar.server)
    copy.cookies = dict(jar.cookies)
    return copy


def revoke(server, form, status=204, headers=(), path='/revoke'):
    response = server.request('POST', path, {**FORM, **dict(headers)}, form)
    assert response.status == status, response.text
    return response


def wait(server):
    """Children look into a store once a second."""
    time.sleep(SECOND if server.is_shared else 0)


def test_somebody_is_logged_out_everywhere(server):
    alice, phone, bob = logged_in(server), logged_in(server), logged_in(server, 'bob')
    revoke(server, 'subject=alice')
    wait(server)
    assert get(bob) == {'user': 'bob'}
    for jar in (alice, phone):
        assert state(jar) == 'revoked'
        assert get(jar) == {}
        assert not jar.cookies  # it was deleted


def test_a_part_of_a_page_does_not_delete_the_cookie_that_a_login_has_just_brought(server):
    """It was under way with the old one, and the browser knows both by one name."""
    jar = logged_in(server, 'dave')
    revoke(server, 'subject=dave')
    wait(server)
    cookie = {'Cookie': f'session={jar.session}'}
    for mode, deleted in (('no-cors', False), ('cors', False), ('navigate', True)):
        response = server.request('GET', '/file.txt', {**cookie, 'Sec-Fetch-Mode': mode})
        assert bool(response.get_all('Set-Cookie')) == deleted, mode


def test_who_logs_in_again_in_the_same_second_is_in(server):
    old = logged_in(server, 'carol')
    revoke(server, 'subject=carol')
    new = logged_in(server, 'carol')
    wait(server)
    assert (state(old), state(new)) == ('revoked', 'valid')
    assert get(new) == {'user': 'carol'}


@pytest.mark.parametrize('form', ['subject=alice', 'all=yes'])
@pytest.mark.parametrize('places', ['cookie', 'shared'])
def test_who_was_logged_out_often_in_one_second_may_come_back(start, places, form):
    store, log = PLACES[places]
    server = start(CONF + 'SignedSessionSkew 0s', store=store, log=log, files=FILES, modules=MODULES)
    old = logged_in(server)
    for _ in range(20):
        revoke(server, form)
    assert state(old) == 'revoked'
    deadline = time.monotonic() + 5  # lines are no further ahead than sessions may be
    while state(logged_in(server)) != 'valid':
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize('form', ['subject=mallory', 'all=yes'])
def test_who_is_logged_out_and_in_again_and_again_does_not_get_ahead_of_a_revocation(server, form):
    """Each time his session is dated a second further ahead, which no later line may fall short of."""
    for _ in range(5):
        jar = logged_in(server, 'mallory')
        revoke(server, 'subject=mallory')
        wait(server)
    jar = logged_in(server, 'mallory')
    assert state(jar) == 'valid'
    revoke(server, form)
    wait(server)
    assert state(jar) == 'revoked'


def test_no_session_is_dated_further_ahead_than_is_accepted(cookies):
    """Nobody is kept out for longer than the skew, however often somebody was logged out."""
    for _ in range(40):
        revoke(cookies, 'subject=eve')
        jar = logged_in(cookies, 'eve')
    meta = get(copy_of(jar), '?meta')
    assert meta['state'] in ('valid', 'revoked')
    revoke(cookies, 'subject=eve')
    assert state(jar) in ('revoked', 'none')


def test_all_are_logged_out_and_an_anonymous_visitor_may_begin_at_once(server):
    jar, guest = logged_in(server, 'dave'), Jar(server)
    guest.request('PATCH', '/session', PATCH, b'{"a":1}')
    revoke(server, 'all=yes')
    new = Jar(server)
    assert new.request('PATCH', '/session', PATCH, b'{"a":2}').status == 200
    wait(server)
    assert (state(jar), state(guest), state(new)) == ('revoked', 'revoked', 'valid')


def test_one_session_by_its_id(server):
    jar, other = logged_in(server, 'erin'), logged_in(server, 'erin')
    revoke(server, f'id={Native.open(jar.cookies["session"]).id.hex()}')
    wait(server)
    assert state(jar) in ('revoked', 'expired-idle') and state(other) == 'valid'


def test_log_me_out_everywhere(server):
    jar, phone = logged_in(server, 'frank'), logged_in(server, 'frank')
    copy = copy_of(jar)
    assert jar.request('GET', '/everywhere').status == 200
    assert not jar.cookies
    wait(server)
    assert get(copy) == {} and get(phone) == {}


def test_only_this_session_goes_on(server):
    jar, phone = logged_in(server, 'grace'), logged_in(server, 'grace')
    copy, before = copy_of(jar), Native.open(jar.cookies['session'])
    assert jar.request('GET', '/others').status == 200
    after = Native.open(jar.cookies['session'])
    assert after.id != before.id and after.created > before.created
    wait(server)
    assert get(jar) == {'user': 'grace'}
    assert get(copy) == {} and get(phone) == {}


def test_a_copy_dies_with_the_logout(server):
    if server.is_shared and 'cookie' in server.values['store']:
        return  # what the documentation says of it: there is no room for every logout in a store
    jar = logged_in(server, 'heidi')
    copy = copy_of(jar)
    assert jar.request('DELETE', '/session').status == 204
    assert get(copy) == {}


APPLICATION = CONF + '''
    <IfModule cgid_module>
        ScriptSock {dir}/cgisock
    </IfModule>
    ScriptAlias "/cgi/" "{dir}/cgi/"
'''
END = '#!/bin/sh\nprintf "Content-Type: text/plain\\nSet-Cookie: session=; Path=/; Max-Age=0; X=its-own\\n\\n"\n'


@pytest.mark.parametrize('places', ['cookie', 'store', 'shared'])
def test_an_application_that_deletes_the_cookie_ends_the_session(start, places):
    store, log = PLACES[places]
    server = start(APPLICATION, store=store, log=log, files={**FILES, 'cgi/end': END}, modules=f'{MODULES} alias {cgi_module()}')
    jar = logged_in(server)
    copy = copy_of(jar)
    assert jar.request('GET', '/cgi/end').get_all('Set-Cookie') == ['session=; Path=/; Max-Age=0; X=its-own']
    assert get(copy) == {} and state(copy_of(copy)) != 'valid'


@pytest.mark.parametrize('places', ['cookie', 'store', 'shared'])
@pytest.mark.parametrize('place', ['others', 'login'])
def test_a_session_that_was_revoked_does_not_go_on_under_another_id(start, places, place):
    """Whoever has stolen it may have a request under way that is about to get it one."""
    store, log = PLACES[places]
    conf = APPLICATION + '''
        <Location "/cgi/others">
            SignedSessionClear Others
        </Location>
        <Location "/cgi/login">
            SignedSessionClear Before user
            SignedSessionSet a 1
        </Location>
    '''
    files = {**FILES, f'cgi/{place}': '#!/bin/sh\nsleep 2\nprintf "Content-Type: text/plain\\n\\n"\n'}
    server = start(conf, store=store, log=log, files=files, modules=f'{MODULES} alias {cgi_module()}')
    thief, victim = logged_in(server), logged_in(server)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(thief.request, 'GET', f'/cgi/{place}')
        time.sleep(0.3)  # it has loaded the session by then
        assert victim.request('GET', '/everywhere').status == 200
        victim = logged_in(server)
        assert answer.result().status == 200
    if place == 'login':
        server.expect('SS0403')
    time.sleep(SECOND)
    assert get(thief) == {}
    assert state(victim) == 'valid'


def test_nor_while_nobody_can_say_whether_it_was(start):
    store, log = PLACES['cookie']
    conf = APPLICATION + '<Location "/cgi/login">\nSignedSessionClear Before user\nSignedSessionSet a 1\n</Location>'
    script = '#!/bin/sh\ntouch {go}.started\nwhile [ ! -e {go} ]; do sleep 0.05; done\nprintf "Content-Type: text/plain\\n\\n"\n'
    server = start(conf, store=store, log=log, files={**FILES, 'signs/': ''}, modules=f'{MODULES} alias {cgi_module()}')
    server.write('cgi/login', script.format(go=server.dir / 'signs/go'))
    jar = logged_in(server)
    before = jar.session
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(jar.request, 'GET', '/cgi/login')
        wait_for((server.dir / 'signs/go.started').exists, 'the script')  # the session is loaded by then
        (server.dir / 'log/revoked').rename(server.dir / 'log/rotated')
        (server.dir / 'signs/go').write_text('')
        assert answer.result().status == 200
    server.expect('SS0421', 'SS0402')
    (server.dir / 'log/rotated').rename(server.dir / 'log/revoked')
    assert jar.session == before and get(jar) == {'user': 'alice'}


@pytest.mark.parametrize('places', PLACES)
@pytest.mark.parametrize('place', ['others', 'anew'])
def test_a_response_that_is_prepared_twice_goes_on_with_what_the_first_began(start, places, place):
    store, log = PLACES[places]
    conf = CONF + '''
        <Location "/anew">
            SignedSessionClear Before a
            SignedSessionSet user zoe
        </Location>
    '''
    server = start(conf, store=store, log=log, files={**FILES, 'htdocs/anew': 'a page'}, modules=MODULES)
    server.is_shared = 'shared' in places
    jar = logged_in(server)
    copy = copy_of(jar)
    assert jar.request('GET', f'/{place}', [('Range', 'bytes=9999-')]).status == 416
    wait(server)
    assert get(jar) == {'user': 'alice' if place == 'others' else 'zoe'}
    if place == 'others' or places != 'cookie and shared':
        assert get(copy) == {}


def test_a_revocation_survives_restarts(server):
    jar = logged_in(server, 'ivan')
    revoke(server, 'subject=ivan')
    server.restart()
    assert state(jar) == 'revoked'


# --- whoever may --------------------------------------------------------------------------------


@pytest.mark.parametrize('form, text', [
    ('', 'One field'), ('subject=a&id=b', 'One field'), ('subject=', 'empty'), ('id=12', '32 hexadecimal'), ('all=no', 'all=yes'),
    ('user=alice', 'Accepted are'), ('subject=' + 'x' * 5000, 'too long'), ('subject=%zz', 'two hexadecimal digits'),
    ('subject=%ff', 'not UTF-8')])
def test_what_means_nothing(cookies, form, text):
    assert text in revoke(cookies, form, 400).text


@pytest.mark.parametrize('headers', [{'X-Forwarded-For': '127.0.0.1'}, {'Via': '1.1 proxy'}, {'Forwarded': 'for=127.0.0.1'}])
def test_nobody_from_elsewhere_revokes(cookies, headers):
    assert 'SS0429' in revoke(cookies, 'subject=x', 403, headers).text
    revoke(cookies, 'subject=x', 204, {**headers, **basic('admin')}, '/guarded-revoke')


@pytest.mark.parametrize('client', ['127.0.0.1', '::1', '127.0.0.1, 10.1.1.1', '203.0.113.5'])
def test_nobody_revokes_by_a_header_that_was_believed(start, client):
    conf = CONF + '''
        RemoteIPHeader X-Forwarded-For
        RemoteIPInternalProxy 127.0.0.1 10.0.0.0/8
    '''
    server = start(conf, store='', log=FILE, files=FILES, modules=f'{MODULES} remoteip', http2=True)
    assert 'SS0429' in revoke(server, 'subject=x', 403, {'X-Forwarded-For': client}).text
    revoke(server, 'subject=x')
    if speaks_http2():
        assert server.h2('POST', '/revoke', FORM, 'subject=x').status == 204


def test_no_page_of_another_site_revokes(cookies):
    headers = {'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://evil.test'}
    assert 'SS0204' in revoke(cookies, 'subject=x', 403, headers).text


def test_only_post(cookies):
    response = cookies.request('GET', '/revoke')
    assert (response.status, response.get('Allow')) == (405, 'POST')


def test_without_a_log_nobody_is_revoked(start):
    server = start(CONF.replace('SignedSessionClear Everywhere', '').replace('SignedSessionClear Others', ''), MODULES, FILES, store='', log='')
    assert 'SS0423' in revoke(server, 'subject=alice', 503).text
    server.expect('SS0423: nothing was revoked: there is no log: set SignedSessionRevocation')


# --- the log -------------------------------------------------------------------------------------


@pytest.mark.parametrize('path, why', [('nowhere/revoked', 'cannot make'), ('log', 'is no plain file')])
def test_a_log_that_cannot_be_relied_on_stops_the_start(path, why):
    rc, _, log = failed_start(f'SignedSession On\nSignedSessionRevocation file:{{dir}}/{path}', files=FILES)
    assert rc != 0 and why in one_line(log, 'SS0414: SignedSessionRevocation file:')


def test_configtest_looks_at_the_log_and_makes_none():
    rc, text = configtest('SignedSession On\nSignedSessionRevocation file:{dir}/log', files=FILES)
    assert rc != 0 and 'is no plain file' in one_line(text, 'SS0414: ')
    assert configtest('SignedSession On\nSignedSessionRevocation file:{dir}/nowhere/revoked', files=FILES)[0] == 0


def test_a_start_counts_the_lines_that_mean_nothing():
    with serve('cookie') as server:
        server.is_shared = False
        jar = logged_in(server)
        with open(server.dir / 'log/revoked', 'a') as log:
            log.write('user alice\nsubject alice\n')
        server.restart()
        server.expect(f'SS0426: 2 lines of {server.dir}/log/revoked mean nothing, and revoke nobody')
        assert state(jar) == 'valid'


def test_where_sessions_never_end_no_line_does():
    with Server(CONF, store='SignedSessionIdleTimeout none', log=FILE, files=FILES, modules=MODULES) as server:
        jar = logged_in(server)
        revoke(server, 'subject=alice')
        assert (server.dir / 'log/revoked').read_text().split()[-1] == str(2**40 - 1)
        server.restart()
        assert state(jar) == 'revoked'


def test_a_line_of_the_administrator_counts_at_once(cookies):
    jar = logged_in(cookies, 'judy')
    with open(cookies.dir / 'log/revoked', 'a') as log:
        log.write(f'subject judy {int(time.time())} {int(time.time()) + 1000}\n')
    assert state(jar) == 'revoked'


def test_a_log_that_is_gone_is_no_amnesty():
    with serve('cookie') as server:
        server.is_shared = False
        jar = logged_in(server)
        revoke(server, 'subject=alice')
        (server.dir / 'log/revoked').rename(server.dir / 'log/rotated')
        answer = jar.request('GET', '/session')
        assert (answer.status, answer.get('Retry-After')) == (503, '5')
        assert server.request('GET', '/session').status == 200
        server.expect('SS0421')
        assert jar.request('GET', '/logout').status == 503
        assert jar.cookies
        (server.dir / 'log/rotated').rename(server.dir / 'log/revoked')
        assert state(jar) == 'revoked'


def test_where_the_log_cannot_be_written_only_this_session_ends():
    with serve('cookie') as server:
        log = server.dir / 'log/revoked'
        jar, phone, careful = (logged_in(server) for _ in range(3))
        log.chmod(0o444)
        assert jar.request('GET', '/everywhere').status == 200
        server.expect("SS0422: the user's other sessions were not revoked: ", 'SS0404')
        assert not jar.cookies and state(phone) == 'valid'
        before = Native.open(careful.session).id
        assert careful.request('GET', '/others').status == 200
        server.expect('SS0422')
        server.log.check()
        assert Native.open(careful.session).id == before and state(careful) == 'valid'
        log.chmod(0o666)
        assert careful.request('GET', '/everywhere').status == 200
        assert state(phone) == 'revoked'


def test_where_the_store_is_away_no_session_of_it_is_revoked_by_its_id():
    with serve('store') as server:
        jar = logged_in(server)
        form = f'id={Native.open(jar.session).id.hex()}'
        sessions = server.dir / 'sessions'
        sessions.rename(server.dir / 'away')
        assert 'SS0423' in revoke(server, form, 503).text
        server.expect(f'SS0423: nothing was revoked: {sessions} is gone')
        (server.dir / 'away').rename(sessions)
        assert state(jar) == 'valid'
        revoke(server, form)
        assert state(jar) != 'valid'


@pytest.mark.parametrize('how', ['graceful', 'restart'])
def test_a_log_that_was_rotated_is_not_made_anew_by_the_reload(how):
    with serve('cookie') as server:
        server.is_shared = False
        jar = logged_in(server)
        revoke(server, 'subject=alice')
        (server.dir / 'log/revoked').rename(server.dir / 'log/revoked.1')
        getattr(server, how)()
        server.expect('SS0431')
        assert copy_of(jar).request('GET', '/session').status == 503
        server.expect('SS0421')
        assert not (server.dir / 'log/revoked').exists()
        (server.dir / 'log/revoked.1').rename(server.dir / 'log/revoked')
        assert state(jar) == 'revoked'


def test_a_revoked_cookie_is_hidden_from_applications():
    conf = CONF + '''
        <IfModule cgid_module>
            ScriptSock {{dir}}/cgisock
        </IfModule>
        ScriptAlias "/cgi/" "{{dir}}/cgi/"
        <Location "/cgi">
            SignedSessionStripCookie off
        </Location>
    '''.replace('{{', '{').replace('}}', '}')
    files = {**FILES, 'cgi/show': '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n$HTTP_COOKIE"\n'}
    with Server(conf, store='', log=FILE, files=files, modules=f'{MODULES} alias {cgi_module()}') as server:
        jar = logged_in(server)
        assert 'session=' in jar.request('GET', '/cgi/show').text
        revoke(server, 'subject=alice')
        assert jar.request('GET', '/cgi/show').text == ''


@pytest.mark.parametrize('conf, number', [
    ('SignedSessionRevocation store', 'SS0427'),
    ('<Location "/x">\nSignedSessionClear Everywhere\n</Location>', 'SS0428'),
    ('SignedSessionFormat flask\nSignedSessionRevocation file:{dir}/log\n<Location "/x">\nSignedSessionClear Others\n</Location>', 'SS0425')])
def test_what_cannot_work_is_refused(conf, number):
    rc, text = configtest(f'SignedSession On\n{conf}')
    assert rc != 0 and number in text


def test_a_framework_s_session_by_the_time_of_its_signature():
    conf = CONF.replace('SignedSessionClear Others', '')
    with Server(conf, store='SignedSessionFormat starlette', log=FILE, files=FILES, modules=MODULES) as server:
        server.is_shared = False
        old = logged_in(server)
        revoke(server, 'subject=alice')
        new = logged_in(server)
        assert (state(old), state(new)) == ('revoked', 'valid')


# --- several servers, one log --------------------------------------------------------------------

HOSTS = '''
    {store}
    {log}
    SignedSession On
    <VirtualHost *:{port}>
        ServerName first.test
        {first}
    </VirtualHost>
    <VirtualHost *:{port}>
        ServerName second.test
        {second}
    </VirtualHost>
    <Location "/session">
        SetHandler signed-session
        SignedSessionWritable a user
    </Location>
    <Location "/revoke">
        SetHandler signed-session-revoke
    </Location>
'''


class Host:
    """One of the virtual hosts, as a server."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def request(self, method, path, headers=(), *more, **named):
        return self.server.request(method, path, {**dict(headers), 'Host': self.name}, *more, **named)


def hosts(server):
    return Host(server, 'first.test'), Host(server, 'second.test')


@pytest.mark.parametrize('places', ['cookie', 'shared'])
def test_a_line_holds_as_long_as_any_session_that_it_may_be_about(start, places):
    store, log = PLACES[places]
    server = start(HOSTS, store=store, log=log, files=FILES, second='',
                   first='SignedSessionIdleTimeout 1s\nSignedSessionAbsoluteTimeout 1s\nSignedSessionSkew 0s')
    short, long = hosts(server)
    jar = logged_in(long)
    revoke(short, 'subject=alice')
    server.is_shared = places == 'shared'
    wait(server)
    assert state(copy_of(jar)) == 'revoked'
    if server.is_shared:
        record, = server.dir.glob('sessions/00/' + '0' * 30)
        assert record.stat().st_mtime > time.time() + 86400
    else:
        time.sleep(3)
    assert state(jar) == 'revoked'


@pytest.mark.parametrize('second', ['SignedSessionCookie shop', 'SignedSessionAudience shop', f'SignedSessionSecret env:OTHER',
                                    'SignedSessionStore file:{dir}/others\nSignedSessionAudience shop', ''])
def test_who_cannot_read_another_s_log_is_told_of_it(start, second):
    store, log = PLACES['shared']
    server = start(HOSTS, store=store, log=log, files=FILES, first='', second=second, env={'OTHER': 'Zk4-second_secret.Vn82qLwTy6hRb1XcPe0Mj'})
    lines = [line for line in server.error_log().splitlines() if 'SS0430' in line]
    is_apart = second == '' or 'others' in second
    assert len(lines) == (0 if is_apart else 1), lines
    if not is_apart:
        assert '"file"' in lines[0] and 'virtual host second.test' in lines[0]
        server.expect('SS0430')


def test_a_log_goes_along_from_store_to_store(start):
    """One server writes the new store first while another one still writes the old one first."""
    server = start(HOSTS, store='SignedSessionStore file', log='SignedSessionRevocation store', files=FILES,
                   first='SignedSessionStore file:{dir}/new file:{dir}/old', second='SignedSessionStore file:{dir}/old file:{dir}/new')
    ahead, behind = hosts(server)
    jars = [logged_in(behind, name) for name in ('alice', 'bob', 'carol')]
    revoke(behind, 'subject=nobody')
    revoke(ahead, 'subject=alice')
    revoke(behind, 'subject=bob')
    time.sleep(2 * SECOND)
    for host in (ahead, behind):
        found = [host.request('GET', '/session?meta', cookie=f'session={jar.session}').json()['state'] for jar in jars]
        assert found == ['revoked', 'revoked', 'valid']
