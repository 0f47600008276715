# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_signed_session authors
"""docs/behind.md: servers with its configuration, behind an httpd with its configuration that ends TLS."""

import contextlib
import json
import os
import re
import subprocess
import time

import pytest

from backends import HttpBackend, http_answer
from common import DAY, JSON
from cookies import Native
from harness import SECRET, Jar, Server
from pages import here, printed
from servers import Redis
from starting import OTHER
from test_logins import TlsServer, authority, certificate

pytestmark = pytest.mark.once

EACH, FRONT, SEVERAL = 'Each server', 'The machine in front', 'Several servers, one secret'
NAME = '__Host-session'
MODULES = 'alias headers remoteip authn_core authz_user authz_host'
FILES = {'htdocs/health': 'well\n', 'htdocs/static/style.css': 'x', 'htdocs/page': 'x', 'htdocs/members': 'x', 'htdocs/old': 'x'}
MORE = '''
    Redirect "/old" "/new"
    <Location "/members">
        Require signed-session user
    </Location>
    <Location "/revoke">
        SetHandler signed-session-revoke
    </Location>
    SignedSessionRevocation file:{dir}/revoked
    LogFormat "%U %a %{:event}^SS" one
    CustomLog "{dir}/access" one
'''
STRANGER = '203.0.113.5'


def server(more=MORE, modules='', changes=(), files=(), **values):
    """One of those behind, which lets 127.0.0.1 be the machine in front."""
    conf = here(printed('behind')[EACH][0], {'*:80': '*:{port}', '/var/www/html': '{dir}/htdocs', '10.0.0.1': '127.0.0.0/8',
                                             **dict(changes)})
    conf = conf.replace('</VirtualHost>', f'{more}</VirtualHost>')
    return Server(conf, f'{MODULES} {modules}', {**FILES, **dict(files)}, **values)


def cookie_of(user, secret=SECRET, **more):
    return f'{NAME}=' + Native({'user': user}, **more).seal(secret, NAME)


def due():
    then = int(time.time()) - 5 * DAY
    return cookie_of('alice', renewed=then, created=then)


@pytest.fixture(scope='module')
def one():
    with server() as running:
        running.allow('AH01630')
        yield running


@pytest.fixture
def behind(one):
    one.allow('AH01630')
    return one


def test_every_configuration_of_the_page_is_started_here():
    assert {heading: len(found) for heading, found in printed('behind').items()} == {EACH: 1, FRONT: 1}
    assert {heading: len(found) for heading, found in printed('behind', 'console').items()} == {SEVERAL: 2}


# --- each server ---------------------------------------------------------------------------------

FROM_FRONT = {'Host': 'www.example.com', 'X-Forwarded-For': STRANGER}
SCRIPT = {**FROM_FRONT, **JSON, 'Origin': 'https://www.example.com'}


def test_what_a_visitor_sees(behind):
    response = behind.request('PUT', '/session/theme', SCRIPT, '"dark"')
    assert response.status == 201 and '; Secure' in response.get('Set-Cookie')
    assert behind.request('GET', '/old', FROM_FRONT).get('Location') == 'https://www.example.com/new'


def test_a_server_that_does_not_know_of_https():
    changes = {'https://www.example.com': 'www.example.com', '__Host-session Secure=on': 'session'}
    with server(changes=changes) as running:
        response = running.request('PUT', '/session/theme', {**FROM_FRONT, **JSON, 'X-Forwarded-Proto': 'https'}, '"dark"')
        assert response.status == 201 and 'Secure' not in response.get('Set-Cookie')
        assert running.request('PUT', '/session/theme', SCRIPT, '"dark"').status == 403
        assert running.request('PUT', '/session/theme', {**SCRIPT, 'Sec-Fetch-Site': 'same-origin'}, '"dark"').status == 201
        assert running.request('GET', '/old', FROM_FRONT).get('Location').startswith('http://')


def test_auto_will_do_under_another_name():
    with server(changes={'__Host-session Secure=on': 'session'}) as running:
        assert '; Secure' in running.request('PUT', '/session/theme', SCRIPT, '"dark"').get('Set-Cookie')


def test_another_host_than_the_visitors_own(behind):
    """Without ProxyPreserveHost."""
    headers = {**SCRIPT, 'Host': '10.0.0.2'}
    assert behind.request('PUT', '/session/theme', headers, '"dark"').status == 403
    assert behind.request('GET', '/old', headers).get('Location') == 'https://10.0.0.2/new'


def line_of(running, path):
    log, deadline = running.dir / 'access', time.monotonic() + 3
    while True:
        found = [line for line in log.read_text().splitlines() if line.startswith(path + ' ')]
        if found or time.monotonic() > deadline:
            return found[-1].split(' ', 2)
        time.sleep(0.01)


def test_the_address_is_the_visitors(behind):
    behind.request('PUT', '/session/theme', SCRIPT, '"dark"')
    _, address, event = line_of(behind, '/session/theme')
    assert address == STRANGER == json.loads(event.replace('\\"', '"'))['client.address']


@pytest.mark.parametrize('said, status', [(STRANGER, 403), (f'127.0.0.1, {STRANGER}', 403), (None, 200)])
def test_counters_are_for_the_machine_itself(behind, said, status):
    behind.allow('AH01630')
    headers = {'Host': 'www.example.com', **({'X-Forwarded-For': said} if said else {})}
    assert behind.request('GET', '/session-metrics', headers).status == status


def test_without_remoteip_everybody_is_local():
    lines = {'    RemoteIPHeader X-Forwarded-For\n    RemoteIPInternalProxy 10.0.0.1\n': ''}
    conf = here(printed('behind')[EACH][0], {'*:80': '*:{port}', '/var/www/html': '{dir}/htdocs', **lines})
    with Server(conf.replace('</VirtualHost>', f'{MORE}</VirtualHost>'), MODULES, FILES) as running:
        assert running.request('GET', '/session-metrics', FROM_FRONT).status == 200
        assert running.request('POST', '/revoke', FROM_FRONT, 'subject=alice').status == 403


def test_who_revokes_is_not_behind_a_proxy(behind):
    form = {'Host': 'www.example.com', 'Content-Type': 'application/x-www-form-urlencoded'}
    refused = behind.request('POST', '/revoke', {**form, 'X-Forwarded-For': STRANGER}, 'subject=nobody')
    assert refused.status == 403 and 'SS0429' in refused.text
    assert behind.request('POST', '/revoke', form, 'subject=nobody').status == 204


# --- what is kept --------------------------------------------------------------------------------


@pytest.mark.parametrize('path, cookie, control, vary', [
    ('/page', None, 'private', 'Cookie'), ('/page', due(), 'private', 'Cookie'), ('/members', cookie_of('alice'), 'private', 'Cookie'),
    ('/session', cookie_of('alice'), 'no-store', 'Cookie'), ('/static/style.css', due(), 'public, max-age=86400', None)],
    ids=['page', 'renewed', 'members', 'endpoint', 'static'])
def test_what_is_marked(behind, path, cookie, control, vary):
    response = behind.request('GET', path, FROM_FRONT, cookie=cookie)
    assert (response.status, response.get('Cache-Control'), response.get('Vary')) == (200, control, vary)
    assert bool(response.set_cookies(NAME)) == (path == '/page' and cookie is not None)


def test_what_an_application_says_goes_out_as_it_is():
    said = ('Cache-Control: public, s-maxage=60', 'CDN-Cache-Control: max-age=60', 'Surrogate-Control: max-age=60')
    names = [line.partition(':')[0] for line in said]
    with HttpBackend({'app': http_answer('200 OK', *said)}) as backend:
        more = 'ProxyPass "/app" "http://127.0.0.1:{backend}/app"\n'
        with server(more, 'proxy proxy_http', backend=backend.port) as running:
            response = running.request('GET', '/app', FROM_FRONT, cookie=cookie_of('alice'))
            assert [response.get(name) for name in names] == [line.partition(': ')[2] for line in said]
            assert response.get('Vary') == 'Cookie'
            response = running.request('GET', '/app', FROM_FRONT, cookie=due())
            assert [response.get(name) for name in names] == ['private', None, None]


# --- two of them, and one in front ---------------------------------------------------------------


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """The machine in front; `servers` are those behind."""
    folder = tmp_path_factory.mktemp('certificates')
    authority(folder, 'ours')
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(server(MORE + f'Header always set X-Server {name}\n')) for name in ('first', 'second')]
        addresses = {f'http://10.0.0.{number}': f'http://127.0.0.1:{each.port}' for number, each in enumerate(servers, 2)}
        conf = here(printed('behind')[FRONT][0], {'*:443': '*:{port}', '/etc/apache2/': '{dir}/', **addresses})
        front = stack.enter_context(TlsServer(conf, 'ssl proxy proxy_http proxy_balancer lbmethod_byrequests slotmem_shm',
                                              {'server.pem': certificate(folder, 'localhost', 'ours').read_bytes()}))
        front.servers = servers
        yield front


@pytest.fixture
def visitor(site):
    for each in site.servers:
        each.allow('AH01630')
    return Jar(site)


def test_every_server_reads_what_another_has_written(visitor):
    seen, host = set(), {'Host': 'www.example.com'}
    for number in range(6):
        headers = {**host, **JSON, 'Origin': 'https://www.example.com'}
        response = visitor.request('PUT', '/session/theme', headers, json.dumps(f'theme {number}'))
        assert response.status in (201, 204) and '; Secure' in response.get('Set-Cookie')
        seen.add(response.get('X-Server'))
        response = visitor.request('GET', '/session/theme', host)
        assert response.json() == f'theme {number}'
        seen.add(response.get('X-Server'))
    assert seen == {'first', 'second'}


def test_a_stranger_in_front_does_not_read_the_counters(site):
    """He is on this machine here, so he says who he is; a machine in front adds whom it has seen."""
    for each in site.servers:
        each.allow('AH01630')
    assert site.request('GET', '/session-metrics', FROM_FRONT).status == 403
    assert site.request('GET', '/session-metrics', {'Host': 'www.example.com'}).status == 200


# --- do they agree? ------------------------------------------------------------------------------


def run(command, folder, secret, cookie=''):
    """A command of the page, with its files in a folder."""
    path = folder / 'secret'
    path.unlink(missing_ok=True)
    path.write_text(secret + '\n')
    path.chmod(0o400)
    (folder / 'cookie.txt').write_text(cookie)
    text = here(command, {'sudo ssctl': os.environ['SS_SSCTL'], '/etc/apache2/signed_session.secret': str(path)})
    text = text.replace('| ssctl', f'| {os.environ["SS_SSCTL"]}')
    return subprocess.run(['/bin/sh', '-c', text], cwd=folder, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def consoles():
    return [(block.splitlines()[0].removeprefix('$ '), '\n'.join(block.splitlines()[1:]) + '\n')
            for block in printed('behind', 'console')[SEVERAL]]


def test_the_key_id(tmp_path):
    (command, shown), _ = consoles()
    assert run(command, tmp_path, SECRET) == shown
    assert run(command, tmp_path, OTHER) != shown
    assert run(command, tmp_path, f'{SECRET}\n{OTHER}') == shown
    assert run(command.replace('--cookie-name __Host-session', '--cookie-name other'), tmp_path, SECRET) != shown
    assert run(command.replace('seal ', 'seal --audience other '), tmp_path, SECRET) != shown


def test_why_a_server_refuses_a_cookie(tmp_path):
    _, (command, shown) = consoles()
    assert run(command, tmp_path, SECRET, cookie_of('alice', OTHER)) == shown
    assert run(command, tmp_path, SECRET, cookie_of('alice')) == '{"user":"alice"}\n'


def test_a_secret_that_one_server_lacks_is_counted(behind):
    def unknown():
        text = behind.request('GET', '/session-metrics', {'Host': 'www.example.com'}).text
        return int(re.search(r'^signed_session_requests_total{state="unknown-key"} (\d+)$', text, re.M)[1])

    before = unknown()
    behind.request('GET', '/page', FROM_FRONT, cookie=cookie_of('alice', OTHER))
    assert unknown() == before + 1


# --- health --------------------------------------------------------------------------------------

GUARDED = '''
    SignedSessionSet seen yes
    <Location "/">
        AuthType signed-session
        Require valid-user
        SignedSessionLoginPage "/login"
    </Location>
'''


def test_a_check_begins_no_session():
    conf = here(printed('behind')[EACH][0], {'*:80': '*:{port}', '/var/www/html': '{dir}/htdocs', '10.0.0.1': '127.0.0.0/8',
                                             '    SignedSession On\n': f'    SignedSession On\n{GUARDED}'})
    with Server(conf, MODULES, FILES) as running:
        response = running.request('GET', '/health')
        assert (response.status, response.text, response.set_cookies(NAME)) == (200, 'well\n', [])
        assert running.request('GET', '/page', {'Accept': 'text/html'}).get('Location').startswith('/login?')
        assert running.request('GET', '/page').status == 401
        assert running.request('GET', '/page', cookie=cookie_of('alice')).set_cookies(NAME)
    three = ['        SignedSession Off\n', '        AuthType None\n', '        Require all granted\n']
    for lines, status in ((three[:1], 200), (three[1:], 500), (three, 401)):
        left = ''.join(line for line in three if line not in lines)
        with Server(here(conf, {''.join(three): left}), MODULES, FILES) as running:
            running.allow('SS0210')
            response = running.request('GET', '/health')
            assert (response.status, bool(response.set_cookies(NAME))) == (status, status == 200)


def test_a_check_is_well_while_the_store_is_out():
    with Redis() as redis:
        conf = 'SignedSessionStore redis://127.0.0.1:{redis}\n'
        with server(conf + MORE.replace('file:{dir}/revoked', 'store'), 'signed_session_redis', redis=redis.port) as running:
            visitor = Jar(running)
            assert visitor.request('PUT', '/session/theme', SCRIPT, '"dark"').status == 201
            redis.kill()
            running.allow('SS04')
            assert visitor.request('GET', '/page', FROM_FRONT).status == 503
            for path in ('/health', '/page'):
                assert running.request('GET', path, FROM_FRONT).status == 200
            text = running.request('GET', '/session-metrics', {'Host': 'www.example.com'}).text
            assert 'signed_session_store_errors_total{operation="load"} 1' in text
